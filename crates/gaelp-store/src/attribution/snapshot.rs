//! Snapshots, in parts.

use gaelp_attribution::delayed::Position;
use rusqlite::{Connection, params};

use super::Log;
use crate::StoreError;
use crate::codec::{Row, count};
use crate::error::{Damage, engine};

const TABLE: &str = "event_snapshots";

/// Bytes of a part: a value of a thousandth of what SQLite allows.
const PART: usize = 1 << 20;

/// Stores a snapshot in place of the one before it.
pub(super) fn replace(
    conn: &Connection,
    log: &Log,
    at: Position,
    snapshot: &[u8],
) -> Result<(), StoreError> {
    let execute = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        let statement = conn.prepare_cached(sql);
        let done = statement.and_then(|mut statement| statement.execute(params));
        done.map(drop).map_err(engine)
    };
    execute("DELETE FROM event_snapshots WHERE log = ?1", &[&log.id])?;
    for (part, body) in (0_i64..).zip(snapshot.chunks(PART)) {
        let insert = "INSERT INTO event_snapshots (log, part, body) VALUES (?1, ?2, ?3)";
        execute(insert, &[&log.id, &part, &body])?;
    }
    let update = "UPDATE event_logs SET snapshot_at = ?2, snapshot_size = ?3, snapshot_digest = ?4
                  WHERE id = ?1";
    let place = count(at, "event_logs", "snapshot_at")?;
    let size = count(snapshot.len() as u64, "event_logs", "snapshot_size")?;
    let digest = digest(log, at, snapshot);
    execute(update, &[&log.id, &place, &size, &digest])
}

/// The snapshot of a log and its position, if there is one.
pub(super) fn read(
    conn: &Connection,
    log: &Log,
) -> Result<Option<(Position, Vec<u8>)>, StoreError> {
    let head = "SELECT snapshot_at, snapshot_size, snapshot_digest FROM event_logs
                WHERE id = ?1 AND snapshot_at IS NOT NULL";
    let mut statement = conn.prepare_cached(head).map_err(engine)?;
    let mut rows = statement.query(params![log.id]).map_err(engine)?;
    let Some(row) = rows.next().map_err(engine)? else {
        return Ok(None);
    };
    let row = Row::new("event_logs", row);
    let at: Position = row.whole(0, "snapshot_at")?;
    let size: usize = row.whole(1, "snapshot_size")?;
    let expected = row.digest(2, "snapshot_digest")?;
    let parts = "SELECT body FROM event_snapshots WHERE log = ?1 ORDER BY part";
    let mut statement = conn.prepare_cached(parts).map_err(engine)?;
    let mut rows = statement.query(params![log.id]).map_err(engine)?;
    let mut snapshot = Vec::new();
    while let Some(row) = rows.next().map_err(engine)? {
        snapshot.extend_from_slice(Row::new(TABLE, row).blob(0, "body")?);
    }
    if snapshot.len() != size || digest(log, at, &snapshot) != expected {
        let log = log.name.clone();
        return Err(StoreError::Damaged(Damage::Snapshot { log }));
    }
    Ok(Some((at, snapshot)))
}

fn digest(log: &Log, at: Position, snapshot: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&at.to_le_bytes());
    hasher.update(log.name.as_bytes());
    hasher.update(snapshot);
    *hasher.finalize().as_bytes()
}
