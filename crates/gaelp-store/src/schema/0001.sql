-- gaelp-store, schema version 1.
--
-- Units: money is INTEGER micros, a millionth of the account's currency unit. `ts` and every other
-- time is INTEGER microseconds since 1970-01-01T00:00Z; `ts` is where an hour or a day begins and
-- `ts_end` the first microsecond after it. Ratios are INTEGER parts per million. Conversions are
-- INTEGER millionths. Digests and ids of 128 or 256 bits are BLOBs: read them with hex().

-- What a person with a SQLite shell should know.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES
    ('program', 'gaelp'),
    ('money', 'micros: millionths of the currency unit'),
    ('time', 'microseconds since 1970-01-01T00:00Z'),
    ('ratios', 'parts per million');

-- Names, so that a million rows do not repeat them.
CREATE TABLE platforms (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE ad_sets (
    id                INTEGER PRIMARY KEY,
    platform          INTEGER NOT NULL REFERENCES platforms (id),
    adset_external_id TEXT NOT NULL,
    UNIQUE (platform, adset_external_id)
) STRICT;

-- Where raw figures come from: an imported file, or a run that read a live platform.
CREATE TABLE sources (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'run'))
) STRICT;

-- Imported files, in the order of import. `sealed` becomes 1 when the import is committed.
CREATE TABLE files (
    id     INTEGER PRIMARY KEY REFERENCES sources (id),
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    name   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1))
) STRICT;

-- Runs: a configuration, a seed and a set of files, by the digest that the caller gave.
CREATE TABLE runs (
    id     INTEGER PRIMARY KEY REFERENCES sources (id),
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32)
) STRICT;

-- Raw figures: an hour, or a local day where the platform reports by day (then `ts_end` is some 24
-- hours after `ts`). A run keeps every revision; a file has one, and files restate each other.
CREATE TABLE metrics_hourly (
    source      INTEGER NOT NULL REFERENCES sources (id),
    platform    INTEGER NOT NULL REFERENCES platforms (id),
    ts          INTEGER NOT NULL,
    adset       INTEGER NOT NULL REFERENCES ad_sets (id),
    ts_end      INTEGER NOT NULL,
    revision    INTEGER NOT NULL CHECK (revision >= 0),
    spend       INTEGER NOT NULL,
    impressions INTEGER NOT NULL CHECK (impressions >= 0),
    clicks      INTEGER NOT NULL CHECK (clicks >= 0),
    conversions INTEGER NOT NULL CHECK (conversions >= 0),
    revenue     INTEGER NOT NULL,
    PRIMARY KEY (source, platform, ts, adset, ts_end, revision),
    CHECK (ts < ts_end)
) STRICT, WITHOUT ROWID;

-- What a file holds per platform: written once, when the import is committed.
CREATE TABLE recordings (
    source   INTEGER NOT NULL REFERENCES files (id),
    platform INTEGER NOT NULL REFERENCES platforms (id),
    rows     INTEGER NOT NULL CHECK (rows > 0),
    ts_first INTEGER NOT NULL,
    ts_last  INTEGER NOT NULL,
    ts_end   INTEGER NOT NULL,
    PRIMARY KEY (source, platform)
) STRICT, WITHOUT ROWID;

-- Figures of files without dates: what an ad set did in all, whenever that was.
CREATE TABLE adset_totals (
    source      INTEGER NOT NULL REFERENCES files (id),
    adset       INTEGER NOT NULL REFERENCES ad_sets (id),
    spend       INTEGER NOT NULL,
    impressions INTEGER NOT NULL CHECK (impressions >= 0),
    clicks      INTEGER NOT NULL CHECK (clicks >= 0),
    conversions INTEGER NOT NULL CHECK (conversions >= 0),
    revenue     INTEGER NOT NULL,
    PRIMARY KEY (source, adset)
) STRICT, WITHOUT ROWID;

-- Orders and refunds. Nothing about the buyer is kept.
CREATE TABLE orders (
    source   INTEGER NOT NULL REFERENCES files (id),
    order_id TEXT NOT NULL,
    number   INTEGER NOT NULL CHECK (number >= 0),
    ts       INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('sale', 'refund')),
    PRIMARY KEY (source, order_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_by_time ON orders (source, ts);

-- What was decided, why, and what became of it. The decision never changes; its status, what was
-- sent and what was read back move forward. Amounts are hourly rates, but `sent` and `read_back`
-- are daily budgets.
CREATE TABLE actions_log (
    id                INTEGER PRIMARY KEY,
    run               INTEGER NOT NULL REFERENCES runs (id),
    decision_id       BLOB NOT NULL CHECK (length(decision_id) = 16),
    adset_external_id TEXT NOT NULL,
    platform          TEXT NOT NULL,
    ts                INTEGER NOT NULL,
    ts_end            INTEGER NOT NULL,
    mode              TEXT NOT NULL CHECK (mode IN ('shadow', 'pilot')),
    policy_version    INTEGER NOT NULL,
    arm               INTEGER NOT NULL,
    propensity        REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1),
    propensity_method TEXT NOT NULL,
    current           INTEGER NOT NULL,
    suggested         INTEGER NOT NULL,
    normalised        INTEGER NOT NULL,
    guarded           INTEGER NOT NULL,
    level             TEXT NOT NULL CHECK (level IN ('allow', 'clamp', 'freeze', 'deny', 'kill')),
    binding           TEXT,
    reasons           TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN
                          ('shadow', 'unchanged', 'pending', 'applied', 'rejected', 'unknown')),
    sent              INTEGER,
    read_back         INTEGER,
    UNIQUE (run, decision_id)
) STRICT;

CREATE INDEX actions_by_time ON actions_log (run, ts);

-- State, action, reward, next state: what can be learnt from. The reward is as it was known when
-- the row was written; its corrections are in `reward_corrections`.
CREATE TABLE experiences (
    id                INTEGER PRIMARY KEY,
    run               INTEGER NOT NULL REFERENCES runs (id),
    decision_id       BLOB NOT NULL CHECK (length(decision_id) = 16),
    adset_external_id TEXT NOT NULL,
    platform          TEXT NOT NULL,
    ts                INTEGER NOT NULL,
    state_json        TEXT NOT NULL,
    action_json       TEXT NOT NULL,
    reward            INTEGER NOT NULL,
    next_state_json   TEXT,
    UNIQUE (run, decision_id)
) STRICT;

CREATE INDEX experiences_by_time ON experiences (run, ts);

-- What off-policy learning needs beside it.
CREATE TABLE experience_meta (
    experience        INTEGER PRIMARY KEY REFERENCES experiences (id),
    ts_end            INTEGER NOT NULL,
    policy_version    INTEGER NOT NULL,
    arm               INTEGER NOT NULL,
    propensity        REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1),
    propensity_method TEXT NOT NULL,
    cost              INTEGER NOT NULL,
    end_kind          TEXT NOT NULL CHECK (end_kind IN ('continuing', 'terminal', 'truncated')),
    schema_version    INTEGER NOT NULL
) STRICT;

-- The touches that an experience led to. `share` is the part of the touch's credit that is the
-- experience's, in parts per million.
CREATE TABLE experience_touchpoints (
    touchpoint_id TEXT NOT NULL,
    experience    INTEGER NOT NULL REFERENCES experiences (id),
    position      INTEGER NOT NULL,
    share         INTEGER NOT NULL DEFAULT 1000000 CHECK (share BETWEEN 0 AND 1000000),
    PRIMARY KEY (experience, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX experiences_by_touchpoint ON experience_touchpoints (touchpoint_id);

-- Later changes to rewards. A decision's reward as known now is its experience's reward plus the
-- sum of its corrections. A correction may arrive before the experience does.
CREATE TABLE reward_corrections (
    seq           INTEGER PRIMARY KEY,
    run           INTEGER NOT NULL REFERENCES runs (id),
    touchpoint_id TEXT NOT NULL,
    correction_no INTEGER NOT NULL CHECK (correction_no >= 0),
    decision_id   BLOB NOT NULL CHECK (length(decision_id) = 16),
    delta         INTEGER NOT NULL,
    observed_ts   INTEGER NOT NULL,
    UNIQUE (run, touchpoint_id, correction_no)
) STRICT;

CREATE INDEX corrections_by_decision ON reward_corrections (run, decision_id);

-- A local day's spend against its target. The row of the whole account has platform 'account'.
CREATE TABLE budget_state (
    run          INTEGER NOT NULL REFERENCES runs (id),
    date         TEXT NOT NULL,
    platform     TEXT NOT NULL,
    target_spend INTEGER,
    actual_spend INTEGER NOT NULL,
    lambda_spend INTEGER NOT NULL,
    PRIMARY KEY (run, date, platform)
) STRICT, WITHOUT ROWID;

-- The shop's orders of some hours, credited to ad sets; `noted_ts` is the hour in which they were.
CREATE TABLE credits (
    seq      INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL REFERENCES runs (id),
    adset    INTEGER NOT NULL REFERENCES ad_sets (id),
    ts       INTEGER NOT NULL,
    ts_end   INTEGER NOT NULL,
    noted_ts INTEGER NOT NULL,
    revenue  INTEGER NOT NULL,
    orders   INTEGER NOT NULL CHECK (orders >= 0),
    UNIQUE (run, noted_ts, adset, ts, ts_end),
    CHECK (ts < ts_end)
) STRICT;

-- What a person should know. Kinds are not listed here: a new one must not need a new schema.
CREATE TABLE alerts (
    seq     INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL REFERENCES runs (id),
    ts      INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (length(kind) > 0),
    subject TEXT NOT NULL,
    UNIQUE (run, ts, kind, subject)
) STRICT;

-- History is not rewritten. Raw figures of a file may be added up until its import is committed.
CREATE TRIGGER metrics_hourly_no_update BEFORE UPDATE ON metrics_hourly
WHEN NOT EXISTS (SELECT 1 FROM files WHERE id = OLD.source AND sealed = 0)
BEGIN SELECT RAISE(ABORT, 'metrics_hourly is append-only'); END;
CREATE TRIGGER metrics_hourly_no_delete BEFORE DELETE ON metrics_hourly
BEGIN SELECT RAISE(ABORT, 'metrics_hourly is append-only'); END;

CREATE TRIGGER adset_totals_no_update BEFORE UPDATE ON adset_totals
WHEN NOT EXISTS (SELECT 1 FROM files WHERE id = OLD.source AND sealed = 0)
BEGIN SELECT RAISE(ABORT, 'adset_totals is append-only'); END;
CREATE TRIGGER adset_totals_no_delete BEFORE DELETE ON adset_totals
BEGIN SELECT RAISE(ABORT, 'adset_totals is append-only'); END;

CREATE TRIGGER credits_no_update BEFORE UPDATE ON credits
BEGIN SELECT RAISE(ABORT, 'credits is append-only'); END;
CREATE TRIGGER credits_no_delete BEFORE DELETE ON credits
BEGIN SELECT RAISE(ABORT, 'credits is append-only'); END;

CREATE TRIGGER orders_no_update BEFORE UPDATE ON orders
BEGIN SELECT RAISE(ABORT, 'orders is append-only'); END;
CREATE TRIGGER orders_no_delete BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'orders is append-only'); END;

CREATE TRIGGER files_no_update BEFORE UPDATE ON files WHEN OLD.sealed = 1
BEGIN SELECT RAISE(ABORT, 'files is append-only'); END;
CREATE TRIGGER files_no_delete BEFORE DELETE ON files
BEGIN SELECT RAISE(ABORT, 'files is append-only'); END;

CREATE TRIGGER actions_log_no_rewrite BEFORE UPDATE ON actions_log
WHEN OLD.run IS NOT NEW.run OR OLD.decision_id IS NOT NEW.decision_id
  OR OLD.adset_external_id IS NOT NEW.adset_external_id OR OLD.platform IS NOT NEW.platform
  OR OLD.ts IS NOT NEW.ts OR OLD.ts_end IS NOT NEW.ts_end OR OLD.mode IS NOT NEW.mode
  OR OLD.policy_version IS NOT NEW.policy_version OR OLD.arm IS NOT NEW.arm
  OR OLD.propensity IS NOT NEW.propensity
  OR OLD.propensity_method IS NOT NEW.propensity_method OR OLD.current IS NOT NEW.current
  OR OLD.suggested IS NOT NEW.suggested OR OLD.normalised IS NOT NEW.normalised
  OR OLD.guarded IS NOT NEW.guarded OR OLD.level IS NOT NEW.level
  OR OLD.binding IS NOT NEW.binding OR OLD.reasons IS NOT NEW.reasons
BEGIN SELECT RAISE(ABORT, 'a decision in actions_log never changes'); END;
CREATE TRIGGER actions_log_no_return BEFORE UPDATE OF status ON actions_log
WHEN OLD.status IS NOT NEW.status
 AND NOT (OLD.status = 'pending' AND NEW.status IN ('applied', 'rejected', 'unknown'))
 AND NOT (OLD.status = 'unknown' AND NEW.status IN ('applied', 'rejected'))
BEGIN SELECT RAISE(ABORT, 'a status in actions_log never goes back'); END;
CREATE TRIGGER actions_log_no_delete BEFORE DELETE ON actions_log
BEGIN SELECT RAISE(ABORT, 'actions_log keeps every action'); END;

CREATE TRIGGER experiences_no_update BEFORE UPDATE ON experiences
BEGIN SELECT RAISE(ABORT, 'experiences is append-only'); END;
CREATE TRIGGER experiences_no_delete BEFORE DELETE ON experiences
BEGIN SELECT RAISE(ABORT, 'experiences is append-only'); END;
CREATE TRIGGER experience_meta_no_update BEFORE UPDATE ON experience_meta
BEGIN SELECT RAISE(ABORT, 'experience_meta is append-only'); END;
CREATE TRIGGER experience_meta_no_delete BEFORE DELETE ON experience_meta
BEGIN SELECT RAISE(ABORT, 'experience_meta is append-only'); END;
CREATE TRIGGER experience_touchpoints_no_update BEFORE UPDATE ON experience_touchpoints
BEGIN SELECT RAISE(ABORT, 'experience_touchpoints is append-only'); END;
CREATE TRIGGER experience_touchpoints_no_delete BEFORE DELETE ON experience_touchpoints
BEGIN SELECT RAISE(ABORT, 'experience_touchpoints is append-only'); END;

CREATE TRIGGER reward_corrections_no_update BEFORE UPDATE ON reward_corrections
BEGIN SELECT RAISE(ABORT, 'reward_corrections is append-only'); END;
CREATE TRIGGER reward_corrections_no_delete BEFORE DELETE ON reward_corrections
BEGIN SELECT RAISE(ABORT, 'reward_corrections is append-only'); END;
