//! Events in blocks: writing them, and reading them back with their digests verified.

use gaelp_attribution::delayed::{Arrival, Position};
use rusqlite::{Connection, OptionalExtension, params};

use super::Log;
use crate::StoreError;
use crate::codec::{Row, count};
use crate::error::{Damage, engine};

const TABLE: &str = "event_blocks";

/// Events of a block at most: large enough that a row costs little beside what it holds, small
/// enough that reading from within a block wastes little.
const MOST: usize = 1_024;

/// The position of the first event that is not in the snapshot.
pub(super) fn start(conn: &Connection, log: &Log) -> Result<Position, StoreError> {
    let sql = "SELECT coalesce(snapshot_at, 0) FROM event_logs WHERE id = ?1";
    let mut statement = conn.prepare_cached(sql).map_err(engine)?;
    let at: Option<i64> = statement
        .query_row([log.id], |row| row.get(0))
        .optional()
        .map_err(engine)?;
    position(at.unwrap_or(0), "snapshot_at")
}

/// The position after the last event.
pub(super) fn end(conn: &Connection, log: &Log) -> Result<Position, StoreError> {
    let sql = "SELECT first, count FROM event_blocks WHERE log = ?1 ORDER BY first DESC LIMIT 1";
    let mut statement = conn.prepare_cached(sql).map_err(engine)?;
    let last: Option<(i64, i64)> = statement
        .query_row([log.id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(engine)?;
    let start = start(conn, log)?;
    let Some((first, count)) = last else {
        return Ok(start);
    };
    let end = first.checked_add(count).unwrap_or(-1);
    Ok(position(end, "count")?.max(start))
}

fn position(value: i64, column: &'static str) -> Result<Position, StoreError> {
    Position::try_from(value).map_err(|_| StoreError::Invalid {
        table: TABLE,
        column,
    })
}

/// Adds events at the end.
pub(super) fn append(
    conn: &Connection,
    log: &Log,
    end: Position,
    arrivals: &[Arrival],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO event_blocks (log, first, count, encoding, digest, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = conn.prepare_cached(sql).map_err(engine)?;
    let mut first = end;
    let mut body = Vec::new();
    for block in arrivals.chunks(MOST) {
        body.clear();
        for arrival in block {
            arrival.encode(&mut body);
        }
        let events = block.len() as u64;
        let encoding = i64::from(Arrival::ENCODING);
        let digest = digest(log, first, events, encoding, &body);
        let columns = params![
            log.id,
            count(first, TABLE, "first")?,
            count(events, TABLE, "count")?,
            encoding,
            digest,
            body
        ];
        insert.execute(columns).map_err(engine)?;
        first += events;
    }
    // The next position must fit as well.
    count(first, TABLE, "first").map(drop)
}

/// Up to `most` events from a position on.
pub(super) fn read(
    conn: &Connection,
    log: &Log,
    from: Position,
    most: usize,
) -> Result<Vec<Arrival>, StoreError> {
    let end = end(conn, log)?;
    let mut arrivals = Vec::new();
    if from >= end || most == 0 {
        return Ok(arrivals);
    }
    // The block that holds `from` begins at it or before.
    let sql = "SELECT first, count, encoding, digest, body FROM event_blocks
               WHERE log = ?1 AND first >= coalesce(
                   (SELECT max(first) FROM event_blocks WHERE log = ?1 AND first <= ?2), ?2)
               ORDER BY first";
    let mut statement = conn.prepare_cached(sql).map_err(engine)?;
    let place = count(from, TABLE, "first")?;
    let mut rows = statement.query(params![log.id, place]).map_err(engine)?;
    let mut next = from;
    while arrivals.len() < most && next < end {
        let row = rows.next().map_err(engine)?;
        let block = row.map(|row| Block::read(log, &Row::new(TABLE, row)));
        let block = block.transpose()?;
        // It holds the next event, or that one is missing.
        let skip = block
            .as_ref()
            .and_then(|block| next.checked_sub(block.first))
            .and_then(|skip| usize::try_from(skip).ok());
        let block = block.map(|block| block.arrivals).unwrap_or_default();
        let Some(rest) = skip.and_then(|skip| block.get(skip..)) else {
            return Err(missing(conn, log, next, end)?);
        };
        if rest.is_empty() {
            return Err(missing(conn, log, next, end)?);
        }
        next += rest.len() as u64;
        let wanted = rest.len().min(most - arrivals.len());
        arrivals.extend_from_slice(&rest[..wanted]);
    }
    Ok(arrivals)
}

/// Whether an event that is not there was dropped or lost.
fn missing(
    conn: &Connection,
    log: &Log,
    at: Position,
    end: Position,
) -> Result<StoreError, StoreError> {
    let start = start(conn, log)?;
    Ok(if at < start {
        StoreError::EventPosition { at, start, end }
    } else {
        damaged(log, at)
    })
}

fn damaged(log: &Log, position: Position) -> StoreError {
    let log = log.name.clone();
    StoreError::Damaged(Damage::Events { log, position })
}

/// Refuses events that are others than those that the log has in their place. Those that the
/// snapshot has swallowed are believed.
pub(super) fn compare(
    conn: &Connection,
    log: &Log,
    at: Position,
    arrivals: &[Arrival],
) -> Result<(), StoreError> {
    let start = start(conn, log)?;
    let gone = usize::try_from(start.saturating_sub(at)).unwrap_or(usize::MAX);
    let rest = arrivals.get(gone..).unwrap_or_default();
    let from = at.max(start);
    let stored = read(conn, log, from, rest.len())?;
    let differs = stored.iter().zip(rest).position(|(old, new)| old != new);
    match differs {
        None => Ok(()),
        Some(place) => Err(StoreError::EventConflict {
            log: log.name.clone(),
            position: from + place as u64,
        }),
    }
}

/// Drops the blocks that a snapshot has swallowed.
pub(super) fn drop_before(conn: &Connection, log: &Log, at: Position) -> Result<(), StoreError> {
    let sql = "DELETE FROM event_blocks WHERE log = ?1 AND first + count <= ?2";
    let place = count(at, TABLE, "first")?;
    conn.prepare_cached(sql)
        .and_then(|mut delete| delete.execute(params![log.id, place]))
        .map(drop)
        .map_err(engine)
}

/// A block that is what was written.
struct Block {
    first: Position,
    arrivals: Vec<Arrival>,
}

impl Block {
    fn read(log: &Log, row: &Row<'_>) -> Result<Self, StoreError> {
        let first: Position = row.whole(0, "first")?;
        let events: u64 = row.whole(1, "count")?;
        let encoding = row.int(2, "encoding")?;
        let body = row.blob(4, "body")?;
        if row.digest(3, "digest")? != digest(log, first, events, encoding, body) {
            return Err(damaged(log, first));
        }
        if encoding != i64::from(Arrival::ENCODING) {
            return Err(row.invalid("encoding"));
        }
        let mut rest = body;
        let mut arrivals = Vec::new();
        while !rest.is_empty() {
            let arrival = Arrival::decode(&mut rest);
            arrivals.push(arrival.map_err(|_| row.invalid("body"))?);
        }
        if arrivals.len() as u64 != events {
            return Err(row.invalid("count"));
        }
        Ok(Self { first, arrivals })
    }
}

fn digest(log: &Log, first: Position, events: u64, encoding: i64, body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&first.to_le_bytes());
    hasher.update(&events.to_le_bytes());
    hasher.update(&encoding.to_le_bytes());
    hasher.update(log.name.as_bytes());
    hasher.update(body);
    *hasher.finalize().as_bytes()
}
