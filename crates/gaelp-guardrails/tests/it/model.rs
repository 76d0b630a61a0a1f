//! The same rules written a second time, as plainly as possible, to compare with.
//!
//! It sums lists in 128 bits, divides nothing that it can multiply, and shares no code with the
//! crate.

mod measures;
mod said;

use gaelp_core::{HourSpan, Level, Micros, Ratio, RuleId};
use gaelp_guardrails::{GuardrailConfig, OnFreeze, Verdict};

use crate::cases::{Asked, at_hand};
use crate::support::Case;

type Rows = [(HourSpan, i64, i64, u64)];
/// Name, level where it objects to the proposal, ceiling where it has one.
pub(crate) type Said = (&'static str, Level, Option<i128>);

const LIMIT: i128 = 1_000_000_000_000_000;
const ONE: i128 = 1_000_000;

pub(crate) struct Model<'a> {
    pub(crate) config: &'a GuardrailConfig,
    pub(crate) case: &'a Case,
    rows: &'a Rows,
    pub(crate) current: i128,
    sums: Sums,
}

/// What the rows of a window add up to.
#[derive(Clone, Copy, Default)]
struct Sums {
    spend: i128,
    revenue: i128,
    conversions: i128,
    covered: i128,
}

pub(crate) fn big(amount: Micros) -> i128 {
    i128::from(amount.get())
}

fn ppm(ratio: Ratio) -> i128 {
    i128::from(ratio.ppm())
}

impl<'a> Model<'a> {
    pub(crate) fn new(asked: &'a Asked) -> Self {
        let (config, case, rows) = (asked.config(), &asked.case, &asked.rows);
        let current = big(case.current).max(0);
        let mut model = Self {
            config,
            case,
            rows,
            current,
            sums: Sums::default(),
        };
        model.sums = model.window();
        model
    }

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
            // Hours back from now: the first one past the span's beginning, the last at its end.
            let (first, last) = (self.case.now.since(span.from), self.case.now.since(span.to));
            let inside = (last + 1..=first).filter(|&back| back <= asked).count();
            if inside > 0 {
                sums.spend += i128::from(spend);
                sums.revenue += i128::from(revenue);
                sums.conversions += i128::from(conversions);
                sums.covered += inside as i128;
            }
        }
        sums
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

    pub(crate) fn hourly(&self) -> bool {
        self.case.span.len() <= 1
    }

    /// A rate at other traffic, times a factor: `None` where its share has no meaning.
    fn moved(rate: i128, from: Ratio, to: Ratio, factor: i128) -> Option<i128> {
        if from <= Ratio::ZERO || to < Ratio::ZERO {
            return None;
        }
        let most = i128::from(i64::MAX);
        Some((rate * ppm(to) * factor / (ppm(from) * ONE)).min(most))
    }

    /// The bounds on normalised changes: their names, the rate, both shares, the delta.
    fn normalised_deltas(&self) -> Vec<(&'static str, i128, Option<(Ratio, Ratio)>, Ratio)> {
        let traffic = self.case.traffic;
        let mut deltas = Vec::new();
        if let Some(delta) = self.config.delta_max_normalised.filter(|_| self.hourly()) {
            let shares = traffic.map(|traffic| (traffic.before, traffic.next));
            deltas.push(("delta_normalised", self.current, shares, delta));
        }
        if let Some(delta) = self.config.delta_max_24h_normalised {
            let shares = traffic.map(|t| (t.day_ago.unwrap_or(t.next), t.next));
            deltas.push(("delta_normalised_24h", self.day_ago(), shares, delta));
        }
        deltas
    }

    /// What a proposal is raised to.
    pub(crate) fn lower_bound(&self) -> i128 {
        let keep = |rate: i128, delta: Ratio| rate - rate * ppm(delta) / ONE;
        let mut bounds = vec![self.floor()];
        if self.hourly() {
            bounds.push(keep(self.current, self.config.delta_max));
        }
        bounds.push(keep(self.day_ago(), self.config.delta_max_24h).min(self.current));
        for (_, rate, shares, delta) in self.normalised_deltas() {
            let kept = |(from, to)| Self::moved(rate, from, to, ONE - ppm(delta));
            let kept = shares.and_then(kept).unwrap_or(0);
            bounds.push(kept.min(self.current));
        }
        bounds.into_iter().max().unwrap()
    }

    fn frozen(&self, on_freeze: OnFreeze) -> i128 {
        match on_freeze {
            OnFreeze::Hold => self.current,
            OnFreeze::StepDown(by) => {
                let stepped = self.current - self.current * ppm(by) / ONE;
                stepped.max(self.lower_bound()).min(self.current)
            }
            OnFreeze::Pause => 0,
        }
    }

    /// A bid within its bounds; the ceiling beats the floor.
    fn bounded(&self, bid: i128) -> i128 {
        let floor = self.config.bid_floor.map_or(bid, big);
        let ceiling = self.config.bid_ceiling.map_or(i128::MAX, big);
        bid.max(floor).min(ceiling)
    }

    fn bid(&self, level: Level) -> Option<i128> {
        let bid = self.case.bid?;
        let observed = self.observes("bid_bounds");
        let bounded = |bid: i128| if observed { bid } else { self.bounded(bid) };
        let (current, proposed) = (big(bid.current).max(0), big(bid.proposed));
        Some(if level >= Level::Deny {
            bounded(current).min(current)
        } else if level == Level::Freeze {
            bounded(proposed).min(current)
        } else {
            bounded(proposed)
        })
    }

    fn observes(&self, name: &str) -> bool {
        self.config.observe.iter().any(|rule| rule.as_str() == name)
    }

    /// Compares a verdict with everything that the model says.
    pub(crate) fn agrees(&self, asked: &Asked, verdict: &Verdict) {
        let proposed = big(asked.proposed);
        let normalised = proposed.max(self.lower_bound());
        let everything = self.said(proposed, normalised);
        let counted = |said: &&Said| !self.observes(said.0);
        let harshest = everything.iter().filter(counted).map(|said| said.1).max();
        let level = harshest.unwrap_or(Level::Allow);
        let wanted = if level >= Level::Deny {
            self.current
        } else {
            normalised
        };
        let ceilings = everything.iter().filter(counted).filter_map(|said| said.2);
        let allowed = ceilings.fold(wanted, i128::min);

        assert_eq!(big(verdict.normalised), normalised, "{}", at_hand());
        assert_eq!(big(verdict.allowed), allowed, "{}", at_hand());
        assert_eq!(verdict.level, level, "{}", at_hand());
        let memory = &verdict.memory;
        let states = [memory.roas, memory.cpa, memory.conversions, memory.spike];
        assert_eq!(states, self.states(), "{}", at_hand());
        let binding = everything.iter().filter(counted);
        let binding = binding
            .clone()
            .find(|said| allowed != normalised && said.2 == Some(allowed));
        let bound = verdict.binding.as_ref().map(RuleId::as_str);
        assert_eq!(bound, binding.map(|said| said.0), "{}", at_hand());
        // What is said aloud: objections, and caps below what a denial would keep.
        let aloud = |said: &&Said| said.1 > Level::Allow || said.2.is_some_and(|c| c < wanted);
        let spoken = |said: &Said| {
            let level = if said.2.is_some_and(|ceiling| ceiling < wanted) {
                said.1.max(Level::Clamp)
            } else {
                said.1
            };
            (said.0, level, said.2)
        };
        let mut expected = everything.iter().filter(aloud).filter(counted).map(spoken);
        for reason in &verdict.reasons {
            let found = (reason.rule.as_str(), reason.level, reason.ceiling.map(big));
            assert_eq!(Some(found), expected.next(), "{}", at_hand());
        }
        assert_eq!(expected.next(), None, "{}", at_hand());
        let watched = |said: &&Said| self.observes(said.0);
        let mut expected = everything.iter().filter(aloud).filter(watched).map(spoken);
        for reason in &verdict.observed {
            let found = (reason.rule.as_str(), reason.level, reason.ceiling.map(big));
            assert_eq!(Some(found), expected.next(), "{}", at_hand());
        }
        assert_eq!(expected.next(), None, "{}", at_hand());
        let overruled = verdict.overruled.map(|bound| big(bound.rate));
        let lower = Some(self.lower_bound()).filter(|&bound| allowed < bound);
        assert_eq!(overruled, lower, "{}", at_hand());
        assert_eq!(verdict.bid.map(big), self.bid(level), "{}", at_hand());
    }
}
