-- gaelp-store, schema version 3: the events that attribution waits for, and what they led to.

-- A log of events for each machine of delayed rewards. The events before `snapshot_at` are in its
-- snapshot, which has `snapshot_size` bytes. `snapshot_digest` is the BLAKE3 digest of `snapshot_at`
-- (8 bytes, little-endian), the name and the snapshot.
CREATE TABLE event_logs (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    snapshot_at     INTEGER CHECK (snapshot_at >= 0),
    snapshot_size   INTEGER CHECK (snapshot_size >= 0),
    snapshot_digest BLOB CHECK (length(snapshot_digest) = 32),
    CHECK ((snapshot_at IS NULL) = (snapshot_size IS NULL)
       AND (snapshot_at IS NULL) = (snapshot_digest IS NULL))
) STRICT;

-- A snapshot in parts, because it may be larger than a value may be.
CREATE TABLE event_snapshots (
    log  INTEGER NOT NULL REFERENCES event_logs (id),
    part INTEGER NOT NULL CHECK (part >= 0),
    body BLOB NOT NULL,
    PRIMARY KEY (log, part)
) STRICT;

-- `count` events from position `first` on, in the order of their arrival. `encoding` says how they
-- are written in `body`. `digest` is the BLAKE3 digest of `first`, `count`, `encoding` (8 bytes each,
-- little-endian), the log's name and `body`.
CREATE TABLE event_blocks (
    log      INTEGER NOT NULL REFERENCES event_logs (id),
    first    INTEGER NOT NULL CHECK (first >= 0),
    count    INTEGER NOT NULL CHECK (count > 0),
    encoding INTEGER NOT NULL,
    digest   BLOB NOT NULL CHECK (length(digest) = 32),
    body     BLOB NOT NULL,
    PRIMARY KEY (log, first)
) STRICT;

CREATE TRIGGER event_blocks_no_update BEFORE UPDATE ON event_blocks
BEGIN SELECT RAISE(ABORT, 'event_blocks is append-only'); END;
CREATE TRIGGER event_blocks_no_early_delete BEFORE DELETE ON event_blocks
WHEN OLD.first + OLD.count
    > coalesce((SELECT snapshot_at FROM event_logs WHERE id = OLD.log), 0)
BEGIN SELECT RAISE(ABORT, 'the snapshot lacks these events'); END;
