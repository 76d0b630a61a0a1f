//! Caches of what episodes have earned.

use std::collections::BTreeMap;
use std::convert::Infallible;

use gaelp_attribution::delayed::{
    Arrival, Cached, DelayedRewards, Effect, EpisodeId, FollowError, HotCache, Limits, MemoryCache,
    ModelIndex, NoCache, Origin, Standing, conformance, follow,
};
use gaelp_attribution::{Event, Span, Timestamp};
use gaelp_core::{DecisionId, Micros};

use super::{Random, arrivals};
use crate::stream::{configurations, events, models};

const NOW: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);
const KEEP: Span = Span::days(400);

#[test]
fn the_cache_in_memory_conforms_also_behind_references_and_boxes() {
    conformance::hot_cache(|| MemoryCache::new(100), Clone::clone).unwrap();
    let boxed = |cache: MemoryCache| -> Box<dyn HotCache<Error = Infallible>> { Box::new(cache) };
    let mut cache = boxed(MemoryCache::new(3));
    let mut held = &mut cache;
    put(&mut held, 1, 5, NOW);
    assert_eq!(get(&mut held, &[1], NOW), [Some(5)]);
}

fn put(cache: &mut impl HotCache<Error = Infallible>, episode: u64, total: i64, to: Timestamp) {
    let entry = Cached {
        episode: EpisodeId::new(episode),
        standing: Standing {
            total: Micros::new(total),
            through: 1,
        },
        expires: to,
    };
    cache.put(&[entry]).unwrap();
}

fn get(
    cache: &mut impl HotCache<Error = Infallible>,
    episodes: &[u64],
    now: Timestamp,
) -> Vec<Option<i64>> {
    let episodes: Vec<EpisodeId> = episodes.iter().copied().map(EpisodeId::new).collect();
    let found = cache.get(&episodes, now).unwrap();
    let total = |standing: Standing| standing.total.get();
    found.into_iter().map(|one| one.map(total)).collect()
}

#[test]
fn a_full_cache_forgets_what_expires_soonest() {
    let mut cache = MemoryCache::new(3);
    for (episode, days) in [(1, 5), (2, 1), (3, 9), (4, 7)] {
        put(&mut cache, episode, 10, NOW.plus(Span::days(days)));
    }
    assert_eq!(
        get(&mut cache, &[1, 2, 3, 4], NOW),
        [Some(10), None, Some(10), Some(10)]
    );
    // What was put again is as young as that.
    put(&mut cache, 1, 11, NOW.plus(Span::days(20)));
    put(&mut cache, 5, 12, NOW.plus(Span::days(20)));
    assert_eq!(
        get(&mut cache, &[1, 3, 4, 5], NOW),
        [Some(11), Some(10), None, Some(12)]
    );
    assert_eq!(cache.len(), 3);
    get(&mut cache, &[], NOW.plus(Span::days(30)));
    assert!(cache.is_empty());
    let mut none = MemoryCache::new(0);
    put(&mut none, 1, 1, NOW);
    assert!(none.is_empty());
}

/// A cache with one fault.
#[derive(Clone)]
struct Faulty {
    cache: MemoryCache,
    fault: u8,
}

impl HotCache for Faulty {
    type Error = Infallible;

    fn put(&mut self, entries: &[Cached]) -> Result<(), Infallible> {
        let mut entries = entries.to_vec();
        let known = entries.first().map(|entry| entry.episode);
        let known = self.cache.get(known.as_slice(), Timestamp::MIN)?;
        // It keeps the first entry, takes one only, cuts numbers, loses signs, or never expires.
        match (self.fault, entries.first_mut()) {
            (0, _) if known.iter().any(Option::is_some) => return Ok(()),
            (1, _) => entries.truncate(1),
            (2, Some(first)) => first.standing.through &= u64::from(u32::MAX),
            (3, Some(first)) => {
                first.standing.total = Micros::new(first.standing.total.get().saturating_abs());
            }
            (4, Some(first)) => first.expires = Timestamp::MAX,
            (5, _) => entries.reverse(),
            _ => {}
        }
        self.cache.put(&entries)
    }

    fn get(
        &mut self,
        episodes: &[EpisodeId],
        now: Timestamp,
    ) -> Result<Vec<Option<Standing>>, Infallible> {
        let mut found = self.cache.get(episodes, now)?;
        match self.fault {
            6 => found.reverse(),
            7 => found.retain(Option::is_some),
            8 => found.fill(None),
            _ => {}
        }
        Ok(found)
    }
}

#[test]
fn the_conformance_suite_finds_faults() {
    for fault in 0..=8 {
        let make = || Faulty {
            cache: MemoryCache::new(1_000),
            fault,
        };
        let found = conformance::hot_cache(make, Clone::clone);
        assert!(found.is_err(), "fault {fault} is not found");
    }
    // One that shares nothing with its readers.
    let lone = |_: &MemoryCache| MemoryCache::new(100);
    assert!(conformance::hot_cache(|| MemoryCache::new(100), lone).is_err());
}

/// The dev stream, with an episode for every user.
fn with_episodes() -> Vec<Arrival> {
    let (events, _) = events();
    let mut all = arrivals(&events);
    for arrival in &mut all {
        if let Event::Touch(touch) = arrival.event {
            arrival.origin = Some(Origin {
                decision: DecisionId::new(touch.id.get().into()),
                episode: EpisodeId::new(touch.user.get() % 500),
                ..Origin::default()
            });
        }
    }
    all
}

/// What is stored of each episode: corrections by number.
#[derive(Default)]
struct Stored(BTreeMap<EpisodeId, BTreeMap<u64, i64>>);

impl Stored {
    fn store(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Correction(correction) = effect
                && correction.model == ModelIndex::REWARD
            {
                let episode = correction.origin.unwrap().episode;
                let known = self.0.entry(episode).or_default();
                known.insert(correction.number, correction.delta.get());
            }
        }
    }

    fn load(&self, episode: EpisodeId) -> Standing {
        let known = self.0.get(&episode);
        let numbers = known.into_iter().flatten();
        Standing {
            total: Micros::new(numbers.clone().map(|(_, delta)| delta).sum()),
            through: numbers.last().map_or(0, |(number, _)| number + 1),
        }
    }
}

#[test]
fn a_cache_that_follows_says_what_is_stored_whatever_it_forgets_and_hears_twice() {
    let all = with_episodes();
    let (_, rules) = configurations()[0].clone();
    let models: Vec<_> = models().into_iter().map(|(_, model)| model).collect();
    // One that has room for all, one that forgets much, and one that forgets everything.
    for most in [1_000, 40, 0] {
        let mut random = Random(5);
        let mut machine =
            DelayedRewards::new(rules.clone(), models.clone(), Limits::default()).unwrap();
        let (mut cache, mut stored, mut before) =
            (MemoryCache::new(most), Stored::default(), Vec::new());
        let (mut put, mut loads) = (0, 0);
        for batch in all.chunks(97) {
            let mut effects = Vec::new();
            machine.handle_batch(batch, &mut effects);
            stored.store(&effects);
            // After a restart some come again.
            let again: Vec<Effect> = if random.one_in(3) {
                before.iter().chain(&effects).copied().collect()
            } else {
                effects.clone()
            };
            put += follow(&mut cache, &again, NOW, KEEP, |episode| {
                loads += 1;
                Ok::<_, Infallible>(stored.load(episode))
            })
            .unwrap();
            before = effects;
        }
        assert!(put > 2_000, "{put}");
        let episodes: Vec<EpisodeId> = (0..600).map(EpisodeId::new).collect();
        let found = cache.get(&episodes, NOW).unwrap();
        let mut held = 0;
        for (&episode, found) in episodes.iter().zip(found) {
            if let Some(found) = found {
                held += 1;
                assert_eq!(found.total, stored.load(episode).total, "{episode}");
            }
        }
        match most {
            1_000 => assert_eq!((held, loads), (stored.0.len(), stored.0.len())),
            40 => assert!(held == 40 && loads < put, "{held} {loads} {put}"),
            _ => assert_eq!((held, loads), (0, put)),
        }
    }
}

#[test]
fn without_a_cache_everything_is_read_from_the_truth() {
    let all = with_episodes();
    let (_, rules) = configurations()[0].clone();
    let (_, linear) = models()[2].clone();
    let mut machine = DelayedRewards::new(rules, vec![linear], Limits::default()).unwrap();
    let mut effects = Vec::new();
    machine.handle_batch(&all, &mut effects);
    let mut asked = Vec::new();
    let put = follow(&mut NoCache, &effects, NOW, KEEP, |episode| {
        asked.push(episode);
        Ok::<_, Infallible>(Standing::default())
    });
    assert_eq!(put.unwrap(), asked.len());
    assert!(asked.len() > 100);
    let first = asked[0];
    let failed = follow(&mut NoCache, &effects, NOW, KEEP, |_| {
        Err::<Standing, _>(std::fmt::Error)
    });
    assert_eq!(failed, Err(FollowError::Load(std::fmt::Error)));
    let full = Standing {
        total: Micros::MAX,
        through: 0,
    };
    let failed = follow(&mut NoCache, &effects, NOW, KEEP, |_| {
        Ok::<_, Infallible>(full)
    });
    assert_eq!(failed, Err(FollowError::Overflow { episode: first }));
    assert_eq!(
        NoCache.get(&[first, first], NOW).unwrap(),
        [None::<Standing>; 2]
    );
}
