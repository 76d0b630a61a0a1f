//! The ledger against one that was written a second time, on requests drawn by chance.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use gaelp_core::{
    AccountZone, AdSetKey, DecisionId, DecisionKey, Platform, PolicyVersion, Ratio, Seed,
};
use gaelp_ledger::{
    Answer, Book, BudgetsRead, Change, Entry, Epoch, LedgerConfig, Observation, Order, PolicyHash,
    Proposal, Refusal, Reply, Request, Spent,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::reference::Naive;
use crate::support::{at, cases, id, money};

/// Requests in a run of chance.
const LENGTH: u64 = 40;
/// Ad sets: two on one platform, one on another that spends half as much again.
const AD_SETS: usize = 3;
/// The highest budget.
const MOST: i64 = 6;

pub(crate) type Counts = BTreeMap<&'static str, u64>;

struct World {
    chance: ChaCha8Rng,
    now: DateTime<Utc>,
    live: [Option<i64>; AD_SETS],
    /// Lists that were read, to be told late or twice.
    reads: Vec<BudgetsRead>,
    intents: usize,
}

#[test]
fn i1_i3_i6_i7_every_reply_is_that_of_the_reference() {
    let all = cases(4_000_000);
    let runs = all.div_ceil(LENGTH);
    let mut counts = Counts::new();
    for run in 0..runs {
        one_run(run, &mut counts);
    }
    println!("{} requests: {counts:#?}", runs * LENGTH);
    if all >= 100_000 {
        for name in EXPECTED {
            assert!(counts.contains_key(name), "{name} never occurred");
        }
    }
}

/// What must have occurred, or the cases prove little.
const EXPECTED: [&str; 28] = [
    "taken",
    "observed",
    "admitted raise",
    "admitted decrease",
    "answered",
    "answered again",
    "ordered",
    "ordered again",
    "confirmed",
    "expired",
    "expired, may have stood",
    "external",
    "gone",
    "new",
    "fenced",
    "known",
    "too late",
    "unknown platform",
    "unknown ad set",
    "unknown intent",
    "future",
    "nameless",
    "clock",
    "killed",
    "paused",
    "unreconciled",
    "open",
    "headroom",
];

pub(crate) fn one_run(run: u64, counts: &mut Counts) {
    let key = DecisionKey {
        seed: Seed::new(4),
        policy: PolicyVersion::new(1),
        decision: DecisionId::new(run.into()),
    };
    let mut chance = key.generator();
    let (config, offset) = config(&mut chance);
    let mut book = Book::new(config.clone().validate().unwrap());
    let mut naive = Naive::new(config, offset);
    let mut world = World {
        now: at(86_400 - 2_000 - (offset * 60)),
        live: [0; AD_SETS].map(|_: i64| Some(pick(&mut chance, MOST))),
        chance,
        reads: Vec::new(),
        intents: 0,
    };
    let mut history = Vec::new();
    for _ in 0..LENGTH {
        let request = world.request(&book, offset);
        let expected = naive.execute(&request);
        // In one go, as a ledger does it, it comes to the same.
        let mut at_once = book.clone();
        assert_eq!(at_once.execute(&request), expected, "run {run}");
        let (entries, reply) = match book.decide(&request) {
            Ok(decided) => decided,
            Err(refusal) => (Vec::new(), Reply::Refused(refusal)),
        };
        for entry in &entries {
            book.apply(entry).unwrap();
        }
        assert_eq!(at_once, book, "run {run}: {history:#?}");
        history.push(request);
        assert_eq!(reply, expected, "run {run}: {history:#?}");
        count(&reply, &entries, &book, counts);
        let later = world.now + Duration::seconds(pick(&mut world.chance, 90_000) - 1_000);
        for time in [world.now, later] {
            assert_eq!(
                book.exposure(time),
                naive.exposure(time),
                "run {run} {time}: {history:#?}"
            );
        }
        if !world.one_in(3) {
            continue;
        }
        let key = key_of(world.below(AD_SETS));
        assert_eq!(
            book.raise_barred(&key, later),
            naive.barred(&key, later),
            "run {run}"
        );
        assert_eq!(
            book.ceiling(&key, later),
            naive.ceiling(&key, later),
            "run {run}: {history:#?}"
        );
        let outlook = book.outlook(later);
        let barred = outlook.raise_barred(&key);
        assert_eq!(barred, naive.barred(&key, later), "run {run}");
        if barred.is_none() {
            let most = outlook.ceiling_where_raised(&key);
            assert_eq!(most, naive.ceiling(&key, later), "run {run}: {history:#?}");
        }
    }
}

fn config(chance: &mut ChaCha8Rng) -> (LedgerConfig, i64) {
    let (zone, offset) = [("UTC", 0), ("Asia/Kolkata", 330), ("Asia/Tokyo", 540)]
        [usize::try_from(pick(chance, 2)).unwrap()];
    let zone: AccountZone = zone.parse().unwrap();
    let mut config = LedgerConfig::new(zone, money(4 + pick(chance, 14)))
        .with_platform(Platform::Meta, Ratio::ONE)
        .with_platform(Platform::Google, Ratio::from_ppm(1_500_000));
    config.request_lifetime_secs = 20;
    config.clock_skew_secs = 5;
    config.read_backs = 1 + u32::try_from(pick(chance, 2)).unwrap();
    config.gone_after_secs = [0, 10, 60, 3_000][usize::try_from(pick(chance, 3)).unwrap()];
    (config, offset)
}

/// A number from zero to a highest one.
fn pick(chance: &mut ChaCha8Rng, most: i64) -> i64 {
    i64::try_from(chance.next_u64() % u64::try_from(most + 1).unwrap()).unwrap()
}

fn key_of(number: usize) -> AdSetKey {
    let platform = [Platform::Meta, Platform::Meta, Platform::Google][number].clone();
    AdSetKey::new(platform, ["a", "b", "c"][number])
}

impl World {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.chance.next_u64() % end as u64).unwrap()
    }

    /// Whether something happens that happens once in so many times.
    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn amount(&mut self) -> i64 {
        pick(&mut self.chance, MOST)
    }

    fn request(&mut self, book: &Book, offset: i64) -> Request {
        self.pass();
        let at = self.now;
        let epoch = if self.one_in(12) {
            Epoch::new(self.below(4) as u64)
        } else {
            book.epoch()
        };
        if book.epoch() == Epoch::NONE && !self.one_in(8) || self.one_in(40) {
            let runner = "r".to_owned();
            return Request::Take { runner, at };
        }
        match self.below(10) {
            0..=3 => self.observe(epoch, offset),
            4..=6 => Request::Admit(self.proposal(epoch)),
            7..=8 => {
                let intent = id(self.below(self.intents + 1));
                let answer = self.answer(book, intent);
                Request::Answer { intent, answer, at }
            }
            _ => {
                let orders = [
                    Order::Kill,
                    Order::Rearm,
                    Order::Rearm,
                    Order::Pause,
                    Order::Resume,
                ];
                let order = orders[self.below(5)];
                let by = if self.one_in(6) { " " } else { "ada" }.to_owned();
                Request::Order { order, by, at }
            }
        }
    }

    fn pass(&mut self) {
        let seconds = [0, 1, 1, 4, 5, 6, 10, 25, 26, 30, 60, 600, 3_000, 30_000];
        let seconds = seconds[self.below(seconds.len())];
        self.now += Duration::seconds(seconds);
        if self.one_in(12) {
            let back = [1, 5, 6, 40, 100_000][self.below(5)];
            self.now -= Duration::seconds(back);
        }
        if self.one_in(10) {
            let ad_set = self.below(AD_SETS);
            self.live[ad_set] = (!self.one_in(3)).then(|| self.amount());
        }
    }

    fn observe(&mut self, epoch: Epoch, offset: i64) -> Request {
        let at = self.now;
        let mut reads = Vec::new();
        for platform in [Platform::Meta, Platform::Google] {
            if self.one_in(6) {
                continue;
            }
            let listed = (0..AD_SETS).filter(|n| key_of(*n).platform == platform);
            let mut listed: Vec<_> = listed
                .filter_map(|n| Some((key_of(n).ad_set, money(self.live[n]?))))
                .collect();
            listed.retain(|_| !self.one_in(30));
            let ahead = [0, 0, 0, 0, 1, 3, 30, -1][self.below(8)];
            let mut read = BudgetsRead {
                platform,
                began: at - Duration::seconds(ahead),
                budgets: listed,
            };
            if self.one_in(8) && !self.reads.is_empty() {
                let old = self.below(self.reads.len());
                read = self.reads[old].clone();
            }
            if reads
                .iter()
                .any(|other: &BudgetsRead| other.platform == read.platform)
            {
                continue;
            }
            self.reads.push(read.clone());
            reads.push(read);
        }
        let mut spent: Vec<Spent> = Vec::new();
        for number in 0..AD_SETS {
            if self.one_in(5) {
                let days = [0, 0, 0, 1, -1, -2][self.below(6)];
                let local = at + Duration::minutes(offset) + Duration::days(days);
                spent.push(Spent {
                    key: key_of(number),
                    date: local.date_naive(),
                    upper: money(self.amount()),
                });
            }
        }
        Request::Observe(Observation {
            epoch,
            at,
            reads,
            spent,
            known_good: Vec::new(),
        })
    }

    fn proposal(&mut self, epoch: Epoch) -> Proposal {
        let id = if self.one_in(10) {
            id(self.below(self.intents + 1))
        } else {
            id(self.intents)
        };
        self.intents += 1;
        let ad_set = self.below(AD_SETS);
        let mut key = key_of(ad_set);
        if self.one_in(40) {
            key.platform = Platform::TikTok;
        }
        let to = self.amount();
        if self.one_in(3) && self.live[ad_set].is_some() {
            self.live[ad_set] = Some(to); // as if it was sent at once
        }
        let within = [5, 5, 0, 1, -1][self.below(5)];
        Proposal {
            epoch,
            id,
            key,
            to: money(to),
            policy: PolicyHash::default(),
            at: self.now,
            not_after: self.now + Duration::seconds(within),
        }
    }

    fn answer(&mut self, book: &Book, intent: DecisionId) -> Answer {
        match self.below(6) {
            0 => Answer::Unknown,
            1 => Answer::Rejected,
            2 => {
                let daily_budget = money(self.amount());
                Answer::Applied { daily_budget }
            }
            _ => {
                let open = book.all_open().find(|open| open.id == intent);
                let Some(open) = open.cloned() else {
                    return Answer::Unknown;
                };
                if let Some(number) = (0..AD_SETS).find(|n| key_of(*n) == open.key)
                    && self.live[number].is_some()
                {
                    self.live[number] = Some(open.to.get());
                }
                Answer::Applied {
                    daily_budget: open.to,
                }
            }
        }
    }
}

fn count(reply: &Reply, entries: &[Entry], book: &Book, counts: &mut Counts) {
    let mut add = |name| *counts.entry(name).or_default() += 1;
    match reply {
        Reply::Taken { .. } => add("taken"),
        Reply::Observed { changes } => {
            add("observed");
            for change in changes {
                add(match change {
                    Change::Confirmed { .. } => "confirmed",
                    Change::Expired {
                        may_have_stood: true,
                        ..
                    } => "expired, may have stood",
                    Change::Expired { .. } => "expired",
                    Change::External { .. } => "external",
                    Change::Gone { .. } => "gone",
                    Change::New { .. } => "new",
                    _ => "another change",
                });
            }
        }
        Reply::Admitted(intent) if intent.from.is_some_and(|from| intent.to > from) => {
            assert!(book.exposure(intent.at) <= book.limits().config().daily_cap);
            add("admitted raise");
        }
        Reply::Admitted(_) => add("admitted decrease"),
        Reply::Answered if entries.is_empty() => add("answered again"),
        Reply::Answered => add("answered"),
        Reply::Ordered if entries.is_empty() => add("ordered again"),
        Reply::Ordered => add("ordered"),
        Reply::Refused(refusal) => add(match refusal {
            Refusal::Fenced { .. } => "fenced",
            Refusal::Known { .. } => "known",
            Refusal::TooLate { .. } => "too late",
            Refusal::UnknownPlatform { .. } => "unknown platform",
            Refusal::UnknownAdSet { .. } => "unknown ad set",
            Refusal::UnknownIntent { .. } => "unknown intent",
            Refusal::Future { .. } => "future",
            Refusal::Nameless => "nameless",
            Refusal::Clock { .. } => "clock",
            Refusal::Killed => "killed",
            Refusal::Paused => "paused",
            Refusal::Unreconciled => "unreconciled",
            Refusal::Open { .. } => "open",
            Refusal::Headroom { .. } => "headroom",
            _ => "another refusal",
        }),
        _ => add("another reply"),
    }
}
