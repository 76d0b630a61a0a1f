-- gaelp-store, schema version 4: what hours were given and how that was spread, and what was said of
-- decisions and did not count.

-- One row per planned step of a run. `lambda` is in parts per million, `allowance` what the hours
-- may spend, `daily` the daily budget that spends it. `plan_json` has all of it: the ad sets with
-- what was permitted and proposed and why, and the proof.
CREATE TABLE plans (
    seq       INTEGER PRIMARY KEY,
    run       INTEGER NOT NULL REFERENCES runs (id),
    ts        INTEGER NOT NULL,
    ts_end    INTEGER NOT NULL,
    lambda    INTEGER NOT NULL,
    allowance INTEGER NOT NULL,
    daily     INTEGER NOT NULL,
    plan_json TEXT NOT NULL,
    UNIQUE (run, ts, ts_end),
    CHECK (ts < ts_end)
) STRICT;

CREATE TRIGGER plans_no_update BEFORE UPDATE ON plans
BEGIN SELECT RAISE(ABORT, 'plans is append-only'); END;
CREATE TRIGGER plans_no_delete BEFORE DELETE ON plans
BEGIN SELECT RAISE(ABORT, 'plans is append-only'); END;

-- Beside a decision of `actions_log`: what rules said that are only observed, and, where a policy is
-- on trial, the digest of that policy and its verdict. `guarded` and `level` are those of the
-- verdict, to be compared with the columns of the same names in `actions_log`.
CREATE TABLE trials (
    id                INTEGER PRIMARY KEY,
    run               INTEGER NOT NULL REFERENCES runs (id),
    decision_id       BLOB NOT NULL CHECK (length(decision_id) = 16),
    adset_external_id TEXT NOT NULL,
    platform          TEXT NOT NULL,
    ts                INTEGER NOT NULL,
    ts_end            INTEGER NOT NULL,
    observed          TEXT NOT NULL,
    policy            BLOB CHECK (length(policy) = 32),
    guarded           INTEGER,
    level             TEXT CHECK (level IN ('allow', 'clamp', 'freeze', 'deny', 'kill')),
    verdict           TEXT,
    UNIQUE (run, decision_id),
    CHECK ((policy IS NULL) = (verdict IS NULL)
       AND (guarded IS NULL) = (verdict IS NULL)
       AND (level IS NULL) = (verdict IS NULL))
) STRICT;

CREATE INDEX trials_by_time ON trials (run, ts);

CREATE TRIGGER trials_no_update BEFORE UPDATE ON trials
BEGIN SELECT RAISE(ABORT, 'trials is append-only'); END;
CREATE TRIGGER trials_no_delete BEFORE DELETE ON trials
BEGIN SELECT RAISE(ABORT, 'trials is append-only'); END;
