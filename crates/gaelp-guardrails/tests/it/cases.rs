//! Any settings, any ad set, any proposal, by the million.
//!
//! The generator is a seeded ChaCha stream and nothing is shrunk: a failure names the seed and the
//! number of the case, and both make it again.

use std::cell::Cell;
use std::collections::BTreeSet;

use gaelp_core::{AccountZone, HourSpan, Micros, Platform, Quantity, Ratio, RuleId};
use gaelp_guardrails::{
    Bid, BreakerPhase, Expected, Exploration, FreezeState, GuardrailConfig, Guardrails, Health,
    HourRange, LastKnownGood, Memory, OnFreeze, Operator, RaiseCaps, Raised, SpentToday, Taper,
    Traffic, UsualSpend, Writes, rules,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::support::{Case, EVENING};

const MOST: i64 = 1_000_000_000_000_000;

/// An hour, or a day, that was reported: spend, revenue, conversions in millionths.
pub(crate) type Row = (HourSpan, i64, i64, u64);

/// How many cases a test makes: its part of six million, or of `GAELP_CASES`.
pub(crate) fn cases(of_six_million: u64) -> u64 {
    let all = match std::env::var("GAELP_CASES") {
        Ok(text) => text.parse::<u64>().unwrap(),
        Err(_) => 6_000_000,
    };
    (u128::from(of_six_million) * u128::from(all) / 6_000_000)
        .try_into()
        .unwrap()
}

/// Settings, an ad set and a proposal.
pub(crate) struct Asked {
    pub guardrails: Guardrails,
    pub case: Case,
    /// What its record was made of, newest first.
    pub rows: Vec<Row>,
    pub proposed: Micros,
}

impl Asked {
    pub(crate) fn config(&self) -> &GuardrailConfig {
        self.guardrails.config()
    }
}

/// Hands `cases` cases to a check; the same seed makes the same cases.
pub(crate) fn for_each(seed: u64, cases: u64, mut check: impl FnMut(&Asked)) {
    let mut random = Random::new(seed);
    let mut asked = random.asked();
    for number in 0..cases {
        match number % 16 {
            0 => asked = random.asked(),
            8 => random.reports(&mut asked),
            _ => random.facts(&mut asked),
        }
        NOW.with(|now| now.set((seed, number)));
        check(&asked);
    }
}

thread_local! {
    static NOW: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// The seed and the number of the case at hand, for the message of a failure.
pub(crate) fn at_hand() -> String {
    let (seed, number) = NOW.with(Cell::get);
    format!("seed {seed}, case {number}")
}

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap()
    }

    fn within(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to - from).unwrap();
        from + i64::try_from(self.below(width + 1)).unwrap()
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn maybe<T>(&mut self, percent: u64, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(percent).then(|| value(self))
    }

    fn micros(&mut self, most: i64) -> Micros {
        Micros::new(self.within(0, most))
    }

    fn ratio(&mut self, from: i64, to: i64) -> Ratio {
        Ratio::from_ppm(self.within(from, to))
    }

    fn count(&mut self, from: u32, to: u32) -> u32 {
        u32::try_from(self.within(from.into(), to.into())).unwrap()
    }

    /// Mostly amounts that happen, rarely any that can be written down.
    fn amount(&mut self) -> Micros {
        match self.below(400) {
            0 => Micros::new(i64::from_le_bytes(self.0.next_u64().to_le_bytes())),
            1 => {
                let odd = [i64::MIN, i64::MIN + 1, -1, i64::MAX, MOST, MOST + 1];
                Micros::new(odd[usize::try_from(self.below(6)).unwrap()])
            }
            2..90 => self.micros(30_000_000),
            90..100 => Micros::ZERO,
            _ => self.micros(3_000_000),
        }
    }

    fn range(&mut self) -> Option<HourRange> {
        let (start, end) = (self.below(24), self.below(25));
        HourRange::new(start.try_into().unwrap(), end.try_into().unwrap()).ok()
    }

    fn on_freeze(&mut self) -> OnFreeze {
        match self.below(4) {
            0 => OnFreeze::StepDown(self.ratio(1, 1_000_000)),
            1 => OnFreeze::Pause,
            _ => OnFreeze::Hold,
        }
    }

    fn some_rules(&mut self, of: &[RuleId]) -> BTreeSet<RuleId> {
        let number = self.below(4);
        let pick = |random: &mut Self| {
            let place = random.below(of.len().try_into().unwrap());
            of[usize::try_from(place).unwrap()].clone()
        };
        (0..number).map(|_| pick(self)).collect()
    }

    /// Valid settings with some of the rules switched on; rarely with most of them.
    pub(crate) fn config(&mut self) -> GuardrailConfig {
        let on = if self.chance(5) { 80 } else { 8 };
        let cap = self.micros(20_000_000).max(Micros::new(1));
        let below_cap = |random: &mut Self| random.micros(cap.get()).max(Micros::new(1));
        let floor = self.micros(1_000_000);
        let (roas, cpa) = (self.within(1, 3_000_000), self.within(1, 9_000_000));
        let bid = self.within(0, 2_000_000);
        let observable: Vec<_> = rules::ALL
            .iter()
            .filter(|rule| !rules::ALWAYS_ENFORCED.contains(rule))
            .cloned()
            .collect();
        let requirable: Vec<_> = rules::requirable().cloned().collect();
        let mut config = GuardrailConfig {
            daily_cap: cap,
            ad_set_daily_cap: self.maybe(on * 2, below_cap),
            campaign_daily_cap: self.maybe(on, below_cap),
            platform_daily_caps: self
                .maybe(on, below_cap)
                .map(|cap| {
                    let platform = if self.chance(80) {
                        Platform::Meta
                    } else {
                        Platform::Google
                    };
                    (platform, cap)
                })
                .into_iter()
                .collect(),
            hourly_raise_caps: RaiseCaps {
                account: self.maybe(on, |random| random.micros(600_000)),
                platform: self.maybe(on, |random| random.micros(600_000)),
                campaign: self.maybe(on, |random| random.micros(600_000)),
                ad_set: self.maybe(on, |random| random.micros(600_000)),
            },
            taper: self.maybe(on, |random| Taper {
                from: random.ratio(0, 999_999),
                least: random.ratio(0, 1_000_000),
            }),
            exploration_daily_cap: self.maybe(on, |random| random.micros(3_000_000)),
            hourly_floor: floor,
            hourly_ceiling: Micros::new((floor.get() + self.within(0, 4_000_000)).max(1)),
            bid_floor: self.maybe(on, |_| Micros::new(bid)),
            bid_ceiling: self.maybe(on, |random| Micros::new(bid + random.within(0, 1_000_000))),
            delta_max: self.ratio(1, 1_000_000),
            delta_max_24h: self.ratio(1, 1_000_000),
            delta_max_normalised: self.maybe(on, |random| random.ratio(1, 1_000_000)),
            delta_max_24h_normalised: self.maybe(on, |random| random.ratio(1, 1_000_000)),
            peak_hours: self.maybe(20, Self::range).flatten(),
            restricted_hours: self.maybe(on, Self::range).flatten(),
            restricted_ceiling: self.maybe(30, |random| random.micros(2_000_000)),
            freeze_roas_below: self.maybe(30, |_| Ratio::from_ppm(roas)),
            unfreeze_roas_at: self.maybe(30, |random| random.ratio(roas, roas + 1_000_000)),
            roas_window_hours: self.count(1, 30),
            freeze_cpa_above: self.maybe(20, |_| Micros::new(cpa)),
            unfreeze_cpa_at: self.maybe(30, |random| Micros::new(random.within(1, cpa))),
            max_cpa_multiplier: self.maybe(on, |random| random.ratio(1_000_000, 3_000_000)),
            freeze_without_conversion_hours: self.maybe(20, |random| random.count(1, 30)),
            expected_conversions_per_hour: None,
            min_expected_conversions: Quantity::from_millionths(self.below(10_000_000) + 1),
            minimum_window_spend: self.micros(4_000_000),
            freeze_after_evaluations: self.count(1, 3),
            dwell_hours: self.count(0, 9),
            max_spike: self.maybe(on, |random| random.ratio(1_000_000, 3_000_000)),
            spike_minimum_spend: self.micros(1_000_000),
            spike_min_weeks: self.count(1, 4),
            max_data_age_hours: self.count(0, 12),
            min_coverage: self.ratio(0, 900_000),
            external_edit_freeze_hours: self.count(0, 8),
            max_edits_per_hour: self.maybe(on, |random| random.count(2, 5)),
            canary: self.maybe(on, |random| [random.ad_set().into()].into()),
            blocked: self
                .maybe(on, |random| random.ad_set().into())
                .into_iter()
                .collect(),
            canary_audiences: self.maybe(on, |random| [random.audience().into()].into()),
            blocked_audiences: self
                .maybe(on, |random| random.audience().into())
                .into_iter()
                .collect(),
            on_freeze: self.on_freeze(),
            on_missing_data: self.on_freeze(),
            on_spike: self.on_freeze(),
            observe: self
                .maybe(15, |random| random.some_rules(&observable))
                .unwrap_or_default(),
            require: self
                .maybe(on, |random| random.some_rules(&requirable))
                .unwrap_or_default(),
        };
        // Where conversions are expected, so many hours are asked for as mean something.
        if let Some(hours) = config
            .freeze_without_conversion_hours
            .filter(|_| self.chance(50))
        {
            let needed = config.min_expected_conversions.millionths();
            let rate = needed.div_ceil(u64::from(hours)) + self.below(1_000_000);
            config.expected_conversions_per_hour = Some(Quantity::from_millionths(rate));
        }
        config
    }

    /// The ad set of the cases, or another one.
    fn ad_set(&mut self) -> &'static str {
        if self.chance(60) { "23851" } else { "1" }
    }

    fn audience(&mut self) -> &'static str {
        if self.chance(50) { "new" } else { "known" }
    }

    pub(crate) fn asked(&mut self) -> Asked {
        let mut asked = Asked {
            guardrails: self.config().validate().unwrap(),
            case: Case::without_data(),
            rows: Vec::new(),
            proposed: Micros::ZERO,
        };
        self.reports(&mut asked);
        asked
    }

    /// Another record, and everything after it.
    fn reports(&mut self, asked: &mut Asked) {
        asked.case.trailing = gaelp_guardrails::Trailing::new(600);
        asked.rows.clear();
        let length = if self.chance(20) { 24 } else { 1 };
        let late = if self.chance(80) {
            0
        } else {
            self.within(0, 6)
        };
        let mut end = EVENING.plus(1 - i32::try_from(late).unwrap());
        let (number, holes) = match self.below(12) {
            0 => (0, 0),
            1..4 => (20, 20),
            _ => (20, 0),
        };
        let (rich, converts) = (self.chance(60), self.chance(60));
        for _ in 0..number {
            let span = HourSpan::new(end.plus(-length), end);
            end = span.from;
            if self.chance(holes) {
                continue;
            }
            let spend = if self.chance(10) {
                0
            } else {
                self.within(0, 1_500_000)
            };
            let revenue = self.within(0, if rich { 9_000_000 } else { 2_000_000 });
            let conversions = if converts && self.chance(70) {
                self.below(2_000_000)
            } else {
                0
            };
            asked.rows.push((span, spend, revenue, conversions));
        }
        for &(span, spend, revenue, conversions) in asked.rows.iter().rev() {
            asked.case.report_figures(span, spend, revenue, conversions);
        }
        self.facts(asked);
    }

    /// Another state of the ad set, and another proposal.
    fn facts(&mut self, asked: &mut Asked) {
        let config = asked.guardrails.config();
        let case = &mut asked.case;
        case.current = self.amount();
        case.day_ago = if self.chance(50) {
            None
        } else {
            Some(self.amount())
        };
        let given = |on: bool| if on { 90 } else { 5 };
        let caps = &config.hourly_raise_caps;
        case.spent = SpentToday {
            account: self.maybe(98, Self::amount),
            platform: self.maybe(given(!config.platform_daily_caps.is_empty()), Self::amount),
            campaign: self.maybe(given(config.campaign_daily_cap.is_some()), Self::amount),
            ad_set: self.maybe(given(config.ad_set_daily_cap.is_some()), Self::amount),
        };
        case.share = self.maybe(40, Self::amount);
        case.target_today = self.maybe(given(config.taper.is_some()), Self::amount);
        let raised =
            |random: &mut Self, on: bool| random.maybe(given(on), |random| random.micros(500_000));
        case.raised = Raised {
            account: raised(self, caps.account.is_some()),
            platform: raised(self, caps.platform.is_some()),
            campaign: raised(self, caps.campaign.is_some()),
            ad_set: raised(self, caps.ad_set.is_some()),
        };
        case.writes = Writes {
            headroom: self.maybe(10, Self::amount),
            unresolved: self.maybe(3, Self::amount),
            reconciled: self.maybe(10, |random| random.chance(80)),
            external_edit: self.maybe(5, |random| {
                EVENING.plus(random.within(-9, 2).try_into().unwrap())
            }),
            edits_last_hour: self.maybe(given(config.max_edits_per_hour.is_some()), |random| {
                random.count(0, 5)
            }),
        };
        let normalised = [config.delta_max_normalised, config.delta_max_24h_normalised];
        let traffic = given(normalised.iter().any(Option::is_some));
        case.traffic = self.maybe(traffic, |random| Traffic {
            before: random.share(),
            next: random.share(),
            day_ago: random.maybe(50, Self::share),
        });
        case.expected = Expected {
            conversions_per_hour: self.maybe(10, |random| {
                Quantity::from_millionths(random.below(3_000_000))
            }),
            cpa: self.maybe(given(config.max_cpa_multiplier.is_some()), Self::amount),
        };
        case.usual = self.maybe(given(config.max_spike.is_some()), |random| UsualSpend {
            last_hour: random.micros(3_000_000),
            usual: random.micros(1_500_000),
            weeks: random.count(0, 6),
        });
        let bids = config.bid_floor.is_some() || config.bid_ceiling.is_some();
        case.bid = self.maybe(given(bids), |random| Bid {
            current: random.amount(),
            proposed: random.amount(),
        });
        case.exploration = self.maybe(given(config.exploration_daily_cap.is_some()), |random| {
            Exploration {
                at_risk_today: random.amount(),
            }
        });
        let lists = config.canary_audiences.is_some() || !config.blocked_audiences.is_empty();
        case.audience = self.maybe(given(lists), |random| random.audience().into());
        case.operator = Operator {
            kill: self.maybe(3, |random| LastKnownGood {
                rate: random.amount(),
            }),
            paused: self.chance(2),
            emergency: self.maybe(2, |random| {
                EVENING.plus(random.within(-90, 0).try_into().unwrap())
            }),
        };
        case.health = Health {
            breaker: self.maybe(10, |random| match random.below(6) {
                0 => BreakerPhase::Open,
                1 => BreakerPhase::HalfOpen,
                _ => BreakerPhase::Closed,
            }),
            clock_trouble: self.chance(1),
        };
        let hours = match self.below(50) {
            0 => -2 + i32::try_from(self.below(200)).unwrap(),
            1 => i32::MAX,
            2..12 => 23 + i32::try_from(self.below(3)).unwrap(),
            _ => 1,
        };
        case.span = HourSpan::new(EVENING, EVENING.plus(hours));
        case.local = AccountZone::UTC.local(EVENING);
        case.local.hour = self.below(24).try_into().unwrap();
        case.memory = Memory {
            roas: self.state(),
            cpa: self.state(),
            conversions: self.state(),
            spike: self.state(),
            evaluated: self.maybe(30, |random| {
                EVENING.plus(random.within(-2, 1).try_into().unwrap())
            }),
        };
        asked.proposed = match self.below(4) {
            // Changes as policies propose them, and any.
            0 | 1 => {
                let current = case.current.get().clamp(0, MOST);
                let factor = i128::from(self.within(500_000, 1_500_000));
                Micros::new(
                    (i128::from(current) * factor / 1_000_000)
                        .try_into()
                        .unwrap(),
                )
            }
            _ => self.amount(),
        };
    }

    fn share(&mut self) -> Ratio {
        match self.below(60) {
            0 => Ratio::ZERO,
            1 => self.ratio(-3, 1_000_003),
            _ => self.ratio(5_000, 90_000),
        }
    }

    fn state(&mut self) -> FreezeState {
        let bad = if self.chance(30) { self.count(0, 2) } else { 0 };
        let since = self.maybe(8, |random| {
            EVENING.plus(random.within(-12, 2).try_into().unwrap())
        });
        FreezeState { bad, since }
    }
}
