//! What an implementer of [`HotCache`] runs to prove theirs.

use gaelp_core::Micros;

use super::{Check, Violation};
use crate::Timestamp;
use crate::delayed::{Cached, EpisodeId, HotCache, Standing};

/// Entries that any cache has room for.
const FEW: u64 = 100;

/// Runs all checks on empty caches, which must keep a hundred entries for as long as a check takes.
///
/// `make` gives a new, empty cache; `another` a reader of the same one, such as a second connection.
/// Moments are years away from each other, so that an engine that expires by its own clock passes: all
/// entries that must still be there expire in the year 2200 or later.
///
/// ```
/// use gaelp_attribution::delayed::{MemoryCache, conformance};
///
/// conformance::hot_cache(|| MemoryCache::new(100), Clone::clone)?;
/// # Ok::<(), conformance::Violation>(())
/// ```
///
/// # Errors
/// The first [`Violation`].
pub fn hot_cache<C: HotCache>(
    mut make: impl FnMut() -> C,
    mut another: impl FnMut(&C) -> C,
) -> Result<(), Violation> {
    answers_in_order(make(), &mut another)?;
    gives_what_was_last_put(make(), &mut another)?;
    gives_nothing_that_has_expired(make())?;
    holds_extremes(make(), &mut another)
}

fn answers_in_order<C: HotCache>(
    mut cache: C,
    another: &mut impl FnMut(&C) -> C,
) -> Result<(), Violation> {
    let check = Check("answers in order");
    let asked: Vec<EpisodeId> = (0..2 * FEW).rev().map(EpisodeId::new).collect();
    let nothing = vec![None; asked.len()];
    check.equal(
        &check.ok(cache.get(&asked, NOW))?,
        &nothing,
        "an empty cache",
    )?;
    check.equal(
        &check.ok(cache.get(&[], NOW))?,
        &Vec::new(),
        "an answer to nothing",
    )?;
    check.ok(cache.put(&[]))?;
    let entries: Vec<Cached> = (0..FEW).map(|n| entry(2 * n, n, LATER)).collect();
    check.ok(cache.put(&entries))?;
    let expected: Vec<Option<Standing>> = asked
        .iter()
        .map(|episode| {
            let even = episode.get() % 2 == 0;
            even.then(|| entry(episode.get(), episode.get() / 2, LATER).standing)
        })
        .collect();
    let mut reader = another(&cache);
    check.equal(&check.ok(reader.get(&asked, NOW))?, &expected, "the answer")?;
    // An episode that is asked for twice is answered twice.
    let twice = [EpisodeId::new(4), EpisodeId::new(4)];
    let standing = Some(entry(4, 2, LATER).standing);
    check.equal(
        &check.ok(reader.get(&twice, NOW))?,
        &vec![standing, standing],
        "the answer to a question asked twice",
    )
}

fn gives_what_was_last_put<C: HotCache>(
    mut cache: C,
    another: &mut impl FnMut(&C) -> C,
) -> Result<(), Violation> {
    let check = Check("gives what was last put");
    let episode = [EpisodeId::new(7)];
    for number in [3, 9, 9, 2] {
        check.ok(cache.put(&[entry(7, number, LATER)]))?;
        let found = check.ok(another(&cache).get(&episode, NOW))?;
        check.equal(
            &found,
            &vec![Some(entry(7, number, LATER).standing)],
            "the entry",
        )?;
    }
    check.ok(cache.put(&[entry(7, 5, LATER), entry(7, 6, LATER)]))?;
    let found = check.ok(another(&cache).get(&episode, NOW))?;
    check.equal(
        &found,
        &vec![Some(entry(7, 6, LATER).standing)],
        "the later of two entries in one call",
    )
}

fn gives_nothing_that_has_expired<C: HotCache>(mut cache: C) -> Result<(), Violation> {
    let check = Check("gives nothing that has expired");
    check.ok(cache.put(&[entry(1, 1, LATER), entry(2, 2, MUCH_LATER)]))?;
    let both = [EpisodeId::new(1), EpisodeId::new(2)];
    let (one, two) = (
        entry(1, 1, LATER).standing,
        entry(2, 2, MUCH_LATER).standing,
    );
    for (now, expected) in [
        (LATER, vec![Some(one), Some(two)]),
        (MUCH_LATER, vec![None, Some(two)]),
        (Timestamp::MAX, vec![None, None]),
    ] {
        check.equal(&check.ok(cache.get(&both, now))?, &expected, "the answer")?;
    }
    // What was put again lives as long as the new entry says.
    check.ok(cache.put(&[entry(3, 3, MUCH_LATER), entry(3, 4, LATER)]))?;
    let found = check.ok(cache.get(&[EpisodeId::new(3)], MUCH_LATER))?;
    check.equal(&found, &vec![None], "an entry with an earlier expiry")
}

fn holds_extremes<C: HotCache>(
    mut cache: C,
    another: &mut impl FnMut(&C) -> C,
) -> Result<(), Violation> {
    let check = Check("holds extremes");
    for (number, total) in [(u64::MAX, i64::MIN), (0, i64::MAX), (1 << 63, -1)] {
        let standing = Standing {
            total: Micros::new(total),
            through: number,
        };
        let episode = EpisodeId::new(number);
        check.ok(cache.put(&[Cached {
            episode,
            standing,
            expires: LATER,
        }]))?;
        let found = check.ok(another(&cache).get(&[episode], NOW))?;
        check.equal(&found, &vec![Some(standing)], "the entry")?;
    }
    Ok(())
}

/// The year 2030, 2200, and 2500.
const NOW: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);
const LATER: Timestamp = Timestamp::from_micros(7_258_118_400_000_000);
const MUCH_LATER: Timestamp = Timestamp::from_micros(16_725_225_600_000_000);

fn entry(episode: u64, number: u64, expires: Timestamp) -> Cached {
    let total = i64::try_from(number).map_or(i64::MAX, |number| number * 1_000_003 - 7);
    Cached {
        episode: EpisodeId::new(episode),
        standing: Standing {
            total: Micros::new(total),
            through: number,
        },
        expires,
    }
}
