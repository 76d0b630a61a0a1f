//! What episodes have earned so far, where other processes can read it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use gaelp_core::Micros;
use serde::{Deserialize, Serialize};

use super::{Correction, Effect, EpisodeId, ModelIndex};
use crate::{Span, Timestamp};

/// What an episode has earned from conversions, up to a correction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The sum of its corrections under the first model.
    pub total: Micros,
    /// All corrections with smaller numbers are in it.
    pub through: u64,
}

/// An entry of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cached {
    /// The episode.
    pub episode: EpisodeId,
    /// What it has earned.
    pub standing: Standing,
    /// The moment after which it is not given any more.
    pub expires: Timestamp,
}

/// A cache of what episodes have earned, such as Redis: fast, shared, and not to be relied upon.
///
/// The truth is where corrections are stored under their numbers. Whoever serves reads the cache
/// first and the truth where it has nothing; whoever runs the machine keeps it up to date with
/// [`follow`].
///
/// **For implementers.**
/// - It may forget whatever it likes, whenever it likes. What it gives is what was last put.
/// - An entry is not given when the reader's `now` is past its expiry.
/// - `put` of many is not one step: after an error any of them may be there. Putting again is
///   harmless.
/// - One round trip serves a whole call. It may block; a caller that must not wait calls from a
///   thread of its own.
///
/// Run [`conformance::hot_cache`](super::conformance::hot_cache) on yours.
///
/// **For callers.** One process puts, any number reads.
pub trait HotCache {
    /// What can go wrong.
    type Error: std::error::Error;

    /// Puts entries, each in place of what there was for its episode.
    ///
    /// # Errors
    /// Where some could not be put.
    fn put(&mut self, entries: &[Cached]) -> Result<(), Self::Error>;

    /// What there is for episodes: as many answers, in the same order.
    ///
    /// # Errors
    /// Where the cache could not be asked; read the truth then.
    fn get(
        &mut self,
        episodes: &[EpisodeId],
        now: Timestamp,
    ) -> Result<Vec<Option<Standing>>, Self::Error>;
}

macro_rules! forward {
    ($($holder:ty),*) => {$(
        impl<C: HotCache + ?Sized> HotCache for $holder {
            type Error = C::Error;

            fn put(&mut self, entries: &[Cached]) -> Result<(), C::Error> {
                (**self).put(entries)
            }

            fn get(
                &mut self,
                episodes: &[EpisodeId],
                now: Timestamp,
            ) -> Result<Vec<Option<Standing>>, C::Error> {
                (**self).get(episodes, now)
            }
        }
    )*};
}

forward!(&mut C, Box<C>);

/// Why a cache could not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError<C, L> {
    /// The cache failed. Follow again with the same effects before any others, or empty it.
    #[error("cache: {0}")]
    Cache(C),
    /// The truth could not be read.
    #[error("stored corrections: {0}")]
    Load(L),
    /// The sum of an episode's corrections is out of range.
    #[error("the total of episode {episode} is out of range")]
    Overflow {
        /// The episode.
        episode: EpisodeId,
    },
}

/// Brings a cache up to date with what a machine has said: the episodes that it holds, and those that
/// it does not from the truth.
///
/// Store the effects first. `load` reads what is stored for an episode: the sum of its corrections
/// under the first model, and up to which number they are stored. Effects that come twice, after a
/// restart, count once. Returns how many episodes were put.
///
/// ```
/// use std::convert::Infallible;
/// use gaelp_attribution::delayed::{EpisodeId, HotCache, MemoryCache, Standing, follow};
/// use gaelp_attribution::{Span, Timestamp};
///
/// let (mut cache, now) = (MemoryCache::new(1_000), Timestamp::from_micros(0));
/// let effects = []; // what the machine said, already stored
/// let load = |_: EpisodeId| Ok::<_, Infallible>(Standing::default());
/// assert_eq!(follow(&mut cache, &effects, now, Span::days(1), load)?, 0);
/// assert_eq!(cache.get(&[EpisodeId::new(7)], now)?, [None]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FollowError`]. Nothing was put then but by a cache that failed in the midst of it.
pub fn follow<C: HotCache, L>(
    cache: &mut C,
    effects: &[Effect],
    now: Timestamp,
    keep: Span,
    mut load: impl FnMut(EpisodeId) -> Result<Standing, L>,
) -> Result<usize, FollowError<C::Error, L>> {
    let mut changed: BTreeMap<EpisodeId, Vec<&Correction>> = BTreeMap::new();
    for effect in effects {
        if let Effect::Correction(correction) = effect
            && correction.model == ModelIndex::REWARD
            && let Some(origin) = correction.origin
        {
            changed.entry(origin.episode).or_default().push(correction);
        }
    }
    if changed.is_empty() {
        return Ok(0);
    }
    let episodes: Vec<EpisodeId> = changed.keys().copied().collect();
    let known = cache.get(&episodes, now).map_err(FollowError::Cache)?;
    let mut entries = Vec::with_capacity(episodes.len());
    for (place, (&episode, corrections)) in changed.iter().enumerate() {
        let standing = match known.get(place).copied().flatten() {
            Some(standing) => standing,
            None => load(episode).map_err(FollowError::Load)?,
        };
        let standing = add(standing, corrections).ok_or(FollowError::Overflow { episode })?;
        entries.push(Cached {
            episode,
            standing,
            expires: now.plus(keep),
        });
    }
    cache.put(&entries).map_err(FollowError::Cache)?;
    Ok(entries.len())
}

/// A standing with the corrections that are not in it yet.
fn add(mut standing: Standing, corrections: &[&Correction]) -> Option<Standing> {
    for correction in corrections {
        if correction.number >= standing.through {
            standing.total = standing.total.checked_add(correction.delta)?;
            standing.through = correction.number + 1;
        }
    }
    Some(standing)
}

/// A cache in memory: the reference for others, and enough where one process serves.
///
/// **Cost.** `O(log n)` an entry; what exceeds the number of entries is forgotten, soonest to expire
/// first.
#[derive(Clone, Debug)]
pub struct MemoryCache {
    most: usize,
    entries: BTreeMap<EpisodeId, Cached>,
    /// In the order in which they expire.
    order: BTreeSet<(Timestamp, EpisodeId)>,
}

impl MemoryCache {
    /// An empty cache for at most so many entries.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            entries: BTreeMap::new(),
            order: BTreeSet::new(),
        }
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn forget(&mut self, expires: Timestamp, episode: EpisodeId) {
        self.order.remove(&(expires, episode));
        self.entries.remove(&episode);
    }
}

impl HotCache for MemoryCache {
    type Error = Infallible;

    fn put(&mut self, entries: &[Cached]) -> Result<(), Infallible> {
        for &entry in entries {
            if let Some(old) = self.entries.insert(entry.episode, entry) {
                self.order.remove(&(old.expires, old.episode));
            }
            self.order.insert((entry.expires, entry.episode));
            if self.entries.len() > self.most
                && let Some(&(expires, episode)) = self.order.first()
            {
                self.forget(expires, episode);
            }
        }
        Ok(())
    }

    fn get(
        &mut self,
        episodes: &[EpisodeId],
        now: Timestamp,
    ) -> Result<Vec<Option<Standing>>, Infallible> {
        while let Some(&(expires, episode)) = self.order.first()
            && expires < now
        {
            self.forget(expires, episode);
        }
        let find = |episode| self.entries.get(episode).map(|entry| entry.standing);
        Ok(episodes.iter().map(find).collect())
    }
}

/// The cache that forgets everything at once, for services without one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCache;

impl HotCache for NoCache {
    type Error = Infallible;

    fn put(&mut self, _: &[Cached]) -> Result<(), Infallible> {
        Ok(())
    }

    fn get(
        &mut self,
        episodes: &[EpisodeId],
        _: Timestamp,
    ) -> Result<Vec<Option<Standing>>, Infallible> {
        Ok(vec![None; episodes.len()])
    }
}
