//! Checks that an implementer runs on a store.
//!
//! They hold a store to what [`LedgerStore`] promises, as far as that can be seen from outside, and
//! stop at the first breach. Passing them does not prove a store right; failing them proves it
//! wrong. What a crash does to it only its own tests can show.
//!
//! ```
//! use gaelp_ledger::{MemoryLedger, contract};
//!
//! let log = MemoryLedger::new();
//! pollster::block_on(contract::keeps(|| log.clone()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{GENESIS, Hash, LedgerStore, Sealed};

/// Payloads that a store must keep as they are.
const PAYLOADS: [&str; 6] = [
    "{}",
    "",
    "quotes ' \" ` and \\ and % and ?; --",
    "line\nline\r\n\ttab and nul \0 end",
    "Ærøskøbing, Straße, 東京, 🜚, e\u{301}",
    " white space \u{a0}\u{2003}",
];
/// How many characters a payload may have that a store must keep: a list of thousands of budgets.
const LONG: usize = 500_000;
/// The highest place that is asked for: stores often count in 63 bits.
const FAR: u64 = i64::MAX as u64;

/// Checks a store: `open` opens the same log each time, and the log must be empty at first.
///
/// It appends to the log. Nothing can be read back from it as a ledger then.
///
/// # Errors
/// [`StoreError::Broken`] with the first breach; [`StoreError::Failed`] where the store fails.
pub async fn keeps<S, F>(mut open: F) -> Result<(), StoreError<S::Error>>
where
    S: LedgerStore,
    F: FnMut() -> S,
{
    let mut one = open();
    expect(&mut one, 0, &[], Breach::NotEmpty).await?;
    expect(&mut one, FAR, &[], Breach::Handed).await?;

    // Entries come back as they were, to whoever asks, from any place on.
    let mut log = Vec::new();
    let long = "ä".repeat(LONG);
    for payload in PAYLOADS.into_iter().chain([&*long]) {
        let next = next(&log, payload);
        append(&mut one, &log, vec![next.clone()]).await?;
        log.push(next);
        expect(&mut one, 0, &log, Breach::Handed).await?;
    }
    let mut other = open();
    for after in 0..=log.len() {
        let place = after as u64;
        expect(&mut other, place, &log[after..], Breach::Handed).await?;
    }
    expect(&mut other, FAR, &[], Breach::Handed).await?;

    // Several entries at once, by two handles in turn: each sees what the other did.
    for turn in ["first", "second"] {
        for store in [&mut one, &mut other] {
            let mut several = log.clone();
            for part in ["a", "b", "c"] {
                several.push(next(&several, &format!("{turn} {part}")));
            }
            append(store, &log, several[log.len()..].to_vec()).await?;
            log = several;
        }
    }
    expect(&mut one, 0, &log, Breach::Handed).await?;
    expect(&mut open(), 0, &log, Breach::NotKept).await
}

fn next(log: &[Sealed], payload: &str) -> Sealed {
    let last = log.last();
    let head: Hash = last.map_or(GENESIS, |last| last.hash);
    let seq = last.map_or(0, |last| last.seq) + 1;
    Sealed {
        seq,
        payload: payload.to_owned(),
        hash: head.then(seq, payload),
    }
}

/// Appends entries on top of a log that is known.
async fn append<S: LedgerStore>(
    store: &mut S,
    log: &[Sealed],
    entries: Vec<Sealed>,
) -> Result<(), StoreError<S::Error>> {
    transact(store, 0, log, &entries, Breach::Handed).await
}

/// Reads a log from a place on, and compares it.
async fn expect<S: LedgerStore>(
    store: &mut S,
    after: u64,
    expected: &[Sealed],
    breach: Breach,
) -> Result<(), StoreError<S::Error>> {
    transact(store, after, expected, &[], breach).await
}

async fn transact<S: LedgerStore>(
    store: &mut S,
    after: u64,
    expected: &[Sealed],
    appended: &[Sealed],
    breach: Breach,
) -> Result<(), StoreError<S::Error>> {
    let mut as_expected = None;
    let mut decide = |entries: Vec<Sealed>| {
        let right = entries == expected;
        as_expected = Some(right);
        if right { appended.to_vec() } else { Vec::new() }
    };
    let done = store.transact(after, &mut decide).await;
    done.map_err(StoreError::Failed)?;
    match as_expected {
        Some(true) => Ok(()),
        Some(false) => Err(breach.into()),
        None => Err(Breach::NotAsked.into()),
    }
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError<E> {
    /// The store does not keep its promise.
    #[error(transparent)]
    Broken(#[from] Breach),
    /// The store failed, which proves nothing. Try again.
    #[error("the check could not be finished")]
    Failed(#[source] E),
}

/// A promise that was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// The log was not empty at first.
    #[error("the log is not empty at first")]
    NotEmpty,
    /// What a transaction was handed is not what stands after the place that was asked for.
    #[error("a transaction was handed other entries than stand after its place")]
    Handed,
    /// Another opening of the log does not show what was appended.
    #[error("what was appended is not there when the log is opened again")]
    NotKept,
    /// A transaction ended well without asking what to append.
    #[error("a transaction did not ask what to append")]
    NotAsked,
}
