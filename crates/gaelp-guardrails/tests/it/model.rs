//! The same rules written a second time, as plainly as possible, to compare with.
//!
//! It sums lists in 128 bits, divides nothing that it can multiply, and shares no code with the
//! crate.

use gaelp_core::{HourSpan, Level, Micros, Ratio, RuleId};
use gaelp_guardrails::{FreezeState, GuardrailConfig};
use proptest::prelude::*;

use crate::cases::{amounts, cases, configs};
use crate::support::Case;

type Rows = [(HourSpan, i64, i64, u64)];
/// Name, level where it objects to the proposal, ceiling.
type Said = (&'static str, Level, i128);

const LIMIT: i128 = 1_000_000_000_000_000;

struct Model<'a> {
    config: &'a GuardrailConfig,
    case: &'a Case,
    rows: &'a Rows,
    current: i128,
}

/// What the rows of a window add up to.
#[derive(Default)]
struct Sums {
    spend: i128,
    revenue: i128,
    conversions: i128,
    covered: i128,
}

fn big(amount: Micros) -> i128 {
    i128::from(amount.get())
}

impl Model<'_> {
    fn hours(&self) -> i128 {
        i128::from(self.case.span.len()).max(1)
    }

    fn over(&self) -> impl Iterator<Item = &(HourSpan, i64, i64, u64)> {
        self.rows.iter().filter(|row| row.0.to <= self.case.now)
    }

    fn window(&self) -> Sums {
        let asked = i64::from(self.config.roas_window_hours);
        let mut sums = Sums::default();
        for &(span, spend, revenue, conversions) in self.over() {
            let inside = span
                .iter()
                .filter(|&hour| self.case.now.since(hour) <= asked)
                .count();
            if inside > 0 {
                sums.spend += i128::from(spend);
                sums.revenue += i128::from(revenue);
                sums.conversions += i128::from(conversions);
                sums.covered += inside as i128;
            }
        }
        sums
    }

    fn thin(&self) -> bool {
        let asked = i128::from(self.config.roas_window_hours);
        self.window().covered * 1_000_000 < asked * i128::from(self.config.min_coverage.ppm())
    }

    fn stale(&self) -> bool {
        let Some(newest) = self.over().max_by_key(|row| row.0.to) else {
            return true;
        };
        let limit = i64::from(self.config.max_data_age_hours) * i64::from(newest.0.len());
        self.case.now.since(newest.0.to) > limit
    }

    /// Whether a measure is bad, whether it would let a freeze end, and whether it says anything.
    fn roas(&self) -> Option<(bool, bool, bool)> {
        let bound = i128::from(self.config.freeze_roas_below?.ppm());
        let exit = self
            .config
            .unfreeze_roas_at
            .map_or(bound + bound / 10, |r| i128::from(r.ppm()));
        let sums = self.window();
        if self.thin() {
            return Some((false, false, false));
        }
        if sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend) {
            return Some((false, true, false));
        }
        let earned = sums.revenue * 1_000_000;
        Some((
            earned < bound * sums.spend,
            earned >= exit * sums.spend,
            true,
        ))
    }

    fn cpa(&self) -> Option<(bool, bool, bool)> {
        let bound = big(self.config.freeze_cpa_above?);
        let exit = self.config.unfreeze_cpa_at.map_or(bound - bound / 10, big);
        let sums = self.window();
        if self.thin() {
            return Some((false, false, false));
        }
        if sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend) {
            return Some((false, true, false));
        }
        if sums.conversions == 0 {
            let bad = sums.spend > bound;
            return Some((bad, false, bad));
        }
        let paid = sums.spend * 1_000_000;
        Some((
            paid > bound * sums.conversions,
            paid <= exit * sums.conversions,
            true,
        ))
    }

    fn conversions(&self) -> Option<(bool, bool, bool)> {
        let limit = i128::from(self.config.freeze_without_conversion_hours?);
        let (mut hours, mut spend) = (0, 0);
        // The rows come newest first.
        for &(span, paid, _, conversions) in self.over() {
            if hours >= limit {
                break;
            }
            if conversions > 0 {
                return Some((false, true, true));
            }
            hours += i128::from(span.len());
            spend += i128::from(paid);
        }
        if hours < limit {
            return Some((false, false, false));
        }
        let idle = spend == 0 || spend < big(self.config.minimum_window_spend);
        Some((!idle, idle, !idle))
    }

    fn after(
        &self,
        before: FreezeState,
        seen: Option<(bool, bool, bool)>,
        need: u32,
    ) -> FreezeState {
        let Some((bad, may_end, judged)) = seen else {
            return FreezeState::default();
        };
        if let Some(since) = before.since {
            let ends = may_end && self.case.now.since(since) >= i64::from(self.config.dwell_hours);
            let since = if ends { None } else { before.since };
            return FreezeState { bad: 0, since };
        }
        if !judged {
            return before;
        }
        if !bad {
            return FreezeState::default();
        }
        let counted = self
            .case
            .memory
            .evaluated
            .is_some_and(|last| last >= self.case.now);
        let count = if counted {
            before.bad.max(1)
        } else {
            before.bad + 1
        };
        if count >= need {
            FreezeState {
                bad: 0,
                since: Some(self.case.now),
            }
        } else {
            FreezeState {
                bad: count,
                since: None,
            }
        }
    }

    fn states(&self) -> [FreezeState; 3] {
        let (memory, need) = (&self.case.memory, self.config.freeze_after_evaluations);
        [
            self.after(memory.roas, self.roas(), need),
            self.after(memory.cpa, self.cpa(), need),
            self.after(memory.conversions, self.conversions(), 1),
        ]
    }

    fn day_ago(&self) -> i128 {
        self.case.day_ago.map_or(self.current, big).clamp(0, LIMIT)
    }

    /// What nothing may start with; what runs is kept from falling below it, but not raised to it.
    fn floor(&self) -> i128 {
        match big(self.config.hourly_floor) {
            floor if self.current > 0 => floor.min(self.current),
            floor => floor,
        }
    }

    fn normalised(&self, proposed: i128) -> i128 {
        let keep = |rate: i128, delta: Ratio| rate - rate * i128::from(delta.ppm()) / 1_000_000;
        let mut floor = self.floor();
        if self.case.span.len() <= 1 {
            floor = floor.max(keep(self.current, self.config.delta_max));
        }
        let day = keep(self.day_ago(), self.config.delta_max_24h);
        proposed.max(floor).max(day.min(self.current))
    }

    fn said(&self, proposed: i128, normalised: i128) -> Vec<Said> {
        let (config, case, current) = (self.config, self.case, self.current);
        let mut said = Vec::new();
        if let Some(good) = case.kill {
            said.push((
                "kill_switch",
                Level::Kill,
                big(good.rate).max(0).min(current),
            ));
        }
        let rates = [
            Some(proposed),
            Some(big(case.current)),
            case.day_ago.map(big),
        ];
        let good = case.kill.map(|good| big(good.rate));
        let sums = [
            case.account_spent_today,
            case.account_share,
            case.ad_set_spent_today,
        ];
        let impossible = rates
            .iter()
            .chain([&good])
            .flatten()
            .any(|&r| !(0..=LIMIT).contains(&r));
        let absurd = sums.iter().any(|&sum| big(sum).abs() > LIMIT);
        if impossible || absurd || case.span.is_empty() {
            said.push(("arithmetic", Level::Deny, current));
        }
        if config
            .canary
            .as_ref()
            .is_some_and(|list| !list.contains("23851"))
        {
            said.push(("canary", Level::Deny, current));
        }
        let mut cap = |name, ceiling: i128| {
            let level = if normalised > ceiling {
                Level::Clamp
            } else {
                Level::Allow
            };
            said.push((name, level, ceiling));
        };
        let left = |cap: Micros, spent: Micros| (big(cap) - big(spent).max(0)).max(0);
        cap(
            "daily_cap",
            left(config.daily_cap, case.account_spent_today) / self.hours(),
        );
        cap(
            "account_share",
            big(case.account_share).max(0) / self.hours(),
        );
        if let Some(own) = config.ad_set_daily_cap {
            cap(
                "ad_set_daily_cap",
                left(own, case.ad_set_spent_today) / self.hours(),
            );
        }
        cap("hourly_ceiling", big(config.hourly_ceiling));
        let grow = |rate: i128, delta: Ratio| {
            let grown = rate + rate * i128::from(delta.ppm()) / 1_000_000;
            // Past 64 bits there is no such rate, and the denial is there already.
            let grown = if grown > i128::from(i64::MAX) {
                rate
            } else {
                grown
            };
            grown.max(self.floor()).max(current)
        };
        if case.span.len() <= 1 {
            cap("delta_max", grow(current, config.delta_max));
        }
        cap("delta_max_24h", grow(self.day_ago(), config.delta_max_24h));
        let off_peak = config.peak_hours.is_some_and(|peak| {
            let (hour, end) = (case.local.hour, peak.end() % 24);
            let mut inside = peak.start();
            while inside != hour && (inside + 1) % 24 != end {
                inside = (inside + 1) % 24;
            }
            inside != hour
        });
        let frozen = self.states().map(|state| state.since.is_some());
        for (name, freezes) in [
            ("peak_hours", off_peak && case.span.len() <= 1),
            ("stale_data", self.stale()),
            ("thin_data", self.thin()),
            ("freeze_roas", frozen[0]),
            ("freeze_cpa", frozen[1]),
            ("freeze_conversions", frozen[2]),
        ] {
            if freezes {
                said.push((name, Level::Freeze, current));
            }
        }
        said
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60_000))]

    #[test]
    fn the_crate_agrees_with_the_model(
        config in configs(), (case, rows) in cases(), proposed in amounts(),
    ) {
        let verdict = case.evaluate(&config.clone().validate().unwrap(), proposed);
        let current = big(case.current).max(0);
        let model = Model { config: &config, case: &case, rows: &rows, current };
        let normalised = model.normalised(big(proposed));
        let said = model.said(big(proposed), normalised);
        let denied = said.iter().any(|said| said.1 >= Level::Deny);
        let wanted = if denied { current } else { normalised };
        let allowed = said.iter().map(|said| said.2).fold(wanted, i128::min);

        prop_assert_eq!(big(verdict.normalised), normalised);
        prop_assert_eq!(big(verdict.allowed), allowed);
        let states = [verdict.memory.roas, verdict.memory.cpa, verdict.memory.conversions];
        prop_assert_eq!(states, model.states());
        let objections: Vec<_> = said
            .iter()
            .filter(|said| said.1 > Level::Allow || said.2 < wanted)
            .map(|said| said.0)
            .collect();
        let reasons: Vec<_> = verdict.reasons.iter().map(|reason| reason.rule.as_str()).collect();
        prop_assert_eq!(reasons, objections);
        let harshest = said.iter().map(|said| said.1).max();
        prop_assert_eq!(Some(verdict.level), harshest);
        let binding = said.iter().find(|said| allowed != normalised && said.2 == allowed);
        prop_assert_eq!(
            verdict.binding.as_ref().map(RuleId::as_str),
            binding.map(|said| said.0)
        );
    }
}
