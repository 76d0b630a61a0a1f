//! The table of the log: reading it with its chain and its anchor verified, and appending to it.

use gaelp_ledger::{ChainError, Hash, Sealed};
use rusqlite::{Connection, OptionalExtension, params};

use super::LedgerHead;
use crate::StoreError;
use crate::codec::Row;
use crate::error::{Damage, LedgerDamage, engine};

const TABLE: &str = "ledger";

pub(super) fn damaged(account: &str, damage: LedgerDamage) -> StoreError {
    let account = account.to_owned();
    StoreError::Damaged(Damage::Ledger { account, damage })
}

/// Verifies a whole log: its chain and its anchor. Gives its end.
pub(super) fn verify(
    conn: &Connection,
    account: &str,
    anchored: Option<LedgerHead>,
) -> Result<LedgerHead, StoreError> {
    let mut walk = Walk::new(account, LedgerHead::START, anchored);
    read(conn, account, 1, |sealed| walk.step(&sealed))?;
    walk.end()
}

/// Verifies a log's chain alone. Gives its end.
pub(super) fn verify_chain(conn: &Connection, account: &str) -> Result<LedgerHead, StoreError> {
    verify(conn, account, Some(LedgerHead::START))
}

/// The end of a log, and the entries after a place. They are verified, as is the anchor: reading
/// begins at the anchor where that comes first.
pub(super) fn after(
    conn: &Connection,
    account: &str,
    anchored: Option<LedgerHead>,
    after: u64,
) -> Result<(LedgerHead, Vec<Sealed>), StoreError> {
    let start = anchored.map_or(0, |anchored| anchored.seq.min(after));
    let Some(start) = entry_head(conn, account, start)? else {
        let anchored = anchored.map_or(0, |anchored| anchored.seq);
        let last = last(conn, account)?;
        let damage = if last < anchored {
            LedgerDamage::Behind { anchored, last }
        } else {
            LedgerDamage::Chain(ChainError::Gap {
                expected: start,
                found: start.saturating_add(1),
            })
        };
        return Err(damaged(account, damage));
    };
    let mut walk = Walk::new(account, start, anchored);
    let mut entries = Vec::new();
    read(conn, account, start.seq.saturating_add(1), |sealed| {
        walk.step(&sealed)?;
        if sealed.seq > after {
            entries.push(sealed);
        }
        Ok(())
    })?;
    Ok((walk.end()?, entries))
}

/// Appends an entry.
pub(super) fn append(conn: &Connection, account: &str, sealed: &Sealed) -> Result<(), StoreError> {
    let Sealed { seq, payload, hash } = sealed;
    let place = i64::try_from(*seq).map_err(|_| StoreError::LedgerEntry { seq: *seq })?;
    let sql = "INSERT INTO ledger (account, seq, payload, hash) VALUES (?1, ?2, ?3, ?4)";
    let inserted = conn.prepare_cached(sql);
    inserted
        .and_then(|mut insert| insert.execute(params![account, place, payload, hash.0]))
        .map(drop)
        .map_err(engine)
}

/// Follows a chain from a place on, past its anchor.
struct Walk<'a> {
    account: &'a str,
    head: LedgerHead,
    anchored: Option<LedgerHead>,
    replaced: bool,
}

impl<'a> Walk<'a> {
    fn new(account: &'a str, head: LedgerHead, anchored: Option<LedgerHead>) -> Self {
        let replaced = false;
        let mut walk = Self {
            account,
            head,
            anchored,
            replaced,
        };
        walk.compare();
        walk
    }

    fn step(&mut self, sealed: &Sealed) -> Result<(), StoreError> {
        let (found, expected) = (sealed.seq, self.head.seq.saturating_add(1));
        let error = if found != expected {
            ChainError::Gap { expected, found }
        } else if self.head.hash.then(found, &sealed.payload) != sealed.hash {
            ChainError::Hash { seq: found }
        } else {
            let (seq, hash) = (found, sealed.hash);
            self.head = LedgerHead { seq, hash };
            self.compare();
            return Ok(());
        };
        Err(damaged(self.account, LedgerDamage::Chain(error)))
    }

    /// Compares the anchored entry with its anchor.
    fn compare(&mut self) {
        let anchored = self.anchored.filter(|a| a.seq == self.head.seq);
        self.replaced |= anchored.is_some_and(|anchored| anchored != self.head);
    }

    fn end(self) -> Result<LedgerHead, StoreError> {
        let last = self.head.seq;
        let damage = match self.anchored {
            None if last == 0 => return Ok(self.head),
            None => LedgerDamage::Unanchored { last },
            Some(LedgerHead { seq: anchored, .. }) if last < anchored => {
                LedgerDamage::Behind { anchored, last }
            }
            Some(LedgerHead { seq, .. }) if self.replaced => LedgerDamage::Replaced { seq },
            Some(_) => return Ok(self.head),
        };
        Err(damaged(self.account, damage))
    }
}

/// Reads the entries from a place on, in order.
fn read(
    conn: &Connection,
    account: &str,
    from: u64,
    mut each: impl FnMut(Sealed) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let sql = "SELECT seq, payload, hash FROM ledger WHERE account = ?1 AND seq >= ?2 ORDER BY seq";
    let mut statement = conn.prepare_cached(sql).map_err(engine)?;
    let mut rows = statement.query(params![account, from]).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        let row = Row::new(TABLE, row);
        each(Sealed {
            seq: row.whole(0, "seq")?,
            payload: row.text(1, "payload")?.to_owned(),
            hash: Hash(row.digest(2, "hash")?),
        })?;
    }
    Ok(())
}

/// The place and hash of an entry, if it is there. The place before the first is always there.
fn entry_head(
    conn: &Connection,
    account: &str,
    seq: u64,
) -> Result<Option<LedgerHead>, StoreError> {
    if seq == 0 {
        return Ok(Some(LedgerHead::START));
    }
    let sql = "SELECT hash FROM ledger WHERE account = ?1 AND seq = ?2";
    let place = i64::try_from(seq).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(sql).map_err(engine)?;
    let mut rows = statement.query(params![account, place]).map_err(engine)?;
    let Some(row) = rows.next().map_err(engine)? else {
        return Ok(None);
    };
    let hash = Hash(Row::new(TABLE, row).digest(0, "hash")?);
    Ok(Some(LedgerHead { seq, hash }))
}

/// The highest place in a log; 0 where it is empty.
fn last(conn: &Connection, account: &str) -> Result<u64, StoreError> {
    let sql = "SELECT seq FROM ledger WHERE account = ?1 ORDER BY seq DESC LIMIT 1";
    let last: Option<i64> = conn
        .prepare_cached(sql)
        .and_then(|mut find| find.query_row([account], |row| row.get(0)).optional())
        .map_err(engine)?;
    Ok(last.map_or(0, |last| u64::try_from(last).unwrap_or(0)))
}
