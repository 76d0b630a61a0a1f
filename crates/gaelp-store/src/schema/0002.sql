-- gaelp-store, schema version 2: the spend ledger's log, and checkpoints of runs.

-- The spend ledger of each account: what could still be charged, entry by entry. `hash` is the
-- BLAKE3 digest of the hash before it, `seq` (8 bytes, little-endian) and `payload`, so that a
-- changed entry shows. The file `<database>.head` beside it says how far each log reaches at least.
CREATE TABLE ledger (
    id      INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    seq     INTEGER NOT NULL CHECK (seq > 0),
    payload TEXT NOT NULL,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    UNIQUE (account, seq)
) STRICT;

CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;

-- All that a run needs to go on after its process ended: the latest state (age 0) and the one
-- before it (age 1). `digest` is the BLAKE3 digest of the run's digest followed by `body`.
CREATE TABLE checkpoints (
    run    INTEGER NOT NULL REFERENCES runs (id),
    age    INTEGER NOT NULL CHECK (age IN (0, 1)),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    body   TEXT NOT NULL,
    PRIMARY KEY (run, age)
) STRICT, WITHOUT ROWID;
