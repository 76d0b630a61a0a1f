-- gaelp-store, schema version 4: what hours were given, and how that was spread.

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
