//! What the killed processes left in the ledger.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use gaelp::core::{DecisionId, Platform, Ratio};
use gaelp::ledger::{Answer, Book, Change, Entry, Hash, Intent, LedgerConfig, Limits, Sealed};
use rusqlite::{Connection, OpenFlags};

use crate::CAP;

/// The ledger's log as it was read by this test, which keeps a book of its own.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) book: Book,
    pub(crate) admitted: BTreeMap<DecisionId, Intent>,
    /// Intents that came to an end, and how often.
    pub(crate) ended: BTreeMap<DecisionId, u32>,
    pub(crate) last: Option<Entry>,
}

impl Log {
    /// Nothing read yet.
    pub(crate) fn new() -> Self {
        Self {
            book: Book::new(limits()),
            admitted: BTreeMap::new(),
            ended: BTreeMap::new(),
            last: None,
        }
    }

    /// Follows what came into the log since the last reading; what was there must still be there.
    pub(crate) fn read(&mut self, store: &Path) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let Ok(connection) = Connection::open_with_flags(store, flags) else {
            // It was killed before it made a store.
            assert_eq!(self.book.seq(), 0, "the store is gone");
            return;
        };
        connection
            .busy_timeout(Duration::from_secs(20))
            .expect("sets");
        let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'ledger'";
        let there: i64 = connection
            .query_row(table, [], |row| row.get(0))
            .expect("reads");
        if there == 0 {
            assert_eq!(self.book.seq(), 0, "the ledger is gone");
            return;
        }
        let known = i64::try_from(self.book.seq()).expect("few");
        if known > 0 {
            let held = "SELECT hash FROM ledger WHERE seq = ?1";
            let hash: [u8; 32] = connection
                .query_row(held, [known], |row| row.get(0))
                .expect("is there");
            assert_eq!(Hash(hash), self.book.head(), "entry {known} was changed");
        }
        let newer = "SELECT seq, payload, hash FROM ledger WHERE seq > ?1 ORDER BY seq";
        let mut statement = connection.prepare(newer).expect("prepares");
        let rows = statement
            .query_map([known], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))
            })
            .expect("reads");
        for row in rows {
            let (seq, payload, hash): (i64, String, [u8; 32]) = row.expect("reads");
            let sealed = Sealed {
                seq: u64::try_from(seq).expect("is above zero"),
                payload,
                hash: Hash(hash),
            };
            self.book.follow(&sealed).expect("the chain verifies");
            self.take(serde_json::from_str(&sealed.payload).expect("an entry"));
        }
    }

    fn take(&mut self, entry: Entry) {
        match &entry {
            Entry::Admitted { intent } => {
                let before = self.admitted.insert(intent.id, intent.clone());
                assert!(before.is_none(), "{} was admitted twice", intent.id);
            }
            Entry::Answered {
                intent,
                answer: Answer::Rejected,
                ..
            } => *self.ended.entry(*intent).or_default() += 1,
            Entry::Observed { changes, .. } => {
                for change in changes {
                    if let Change::Confirmed { intent, .. } | Change::Expired { intent, .. } =
                        change
                    {
                        *self.ended.entry(*intent).or_default() += 1;
                    }
                }
            }
            _ => {}
        }
        self.last = Some(entry);
    }
}

/// The limits that the settings and the market's accounts come to.
fn limits() -> Limits {
    LedgerConfig::new(gaelp::core::AccountZone::UTC, CAP)
        .with_platform(Platform::Meta, Ratio::from_ppm(1_750_000))
        .with_platform(Platform::Google, Ratio::from_ppm(2_000_000))
        .validate()
        .expect("limits")
}
