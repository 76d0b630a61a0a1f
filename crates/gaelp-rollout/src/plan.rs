//! A plan for an hour, and why it is as it is: what the journal keeps of it.

use gaelp_budget::{Binding, Ends, Pace};
use gaelp_core::{AdSetKey, HourSpan, Micros, Ratio};
use serde::{Deserialize, Serialize};

/// What an hour was given, how it was spread, and the proof that no other spread is better.
///
/// It is written where budgets are paced ([`Budgeting::Paced`](crate::Budgeting::Paced)), once a
/// step. What the guardrails then made of it stands in the actions of the same span.
///
/// **Units.** Rates are per hour. `daily` is the daily budget of the account as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRecord {
    /// The hours.
    pub span: HourSpan,
    /// λ, what the hour may spend, and what bounds that.
    pub pace: Pace,
    /// The daily budget of the account that spends the allowance in this hour.
    pub daily: Micros,
    /// What of it runs where nothing may be changed, so that the plan has the rest.
    pub fixed: Micros,
    /// What became of it.
    pub outcome: PlanOutcome,
    /// Each ad set, in the order of their keys.
    pub arms: Vec<PlannedArm>,
}

/// What became of planning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanOutcome {
    /// The best plan, with its proof.
    Planned(Proof),
    /// There is none: the proposals are those of each ad set by itself.
    Infeasible {
        /// What stands in the way, in an advertiser's words.
        why: String,
    },
    /// No ad set may be changed: there was nothing to plan.
    Fixed,
}

/// Why a plan is the best, in figures: those of
/// [`Certificate`](gaelp_budget::Certificate) and [`Plan`](gaelp_budget::Plan).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The plan's daily budgets together, those that cannot be changed left out.
    pub total: Micros,
    /// What the last unit of spend brings.
    pub level: f64,
    /// What keeps the next unit from being spent.
    pub ends: Ends,
    /// What the plan is expected to bring in a day, less the price of its spend.
    pub value: f64,
    /// What no plan exceeds.
    pub bound: f64,
    /// How far the divisible plan lies below that, as a share: the duality gap.
    pub gap: f64,
    /// The gain of the best exchange of a unit; never positive.
    pub best_move: f64,
    /// Whether limits on how fast ad sets fall were lifted, because the budget is below them.
    pub falls_freed: bool,
}

/// An ad set in a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedArm {
    /// Which.
    pub key: AdSetKey,
    /// The multiplier that its bandit chose: it permits what lies between the rate in force and
    /// that many times it, as far as the rules do.
    pub multiplier: Ratio,
    /// The rate that changes count from.
    pub current: Micros,
    /// The least rate that is permitted.
    pub least: Micros,
    /// The most.
    pub most: Micros,
    /// What was proposed to the guardrails.
    pub proposed: Micros,
    /// What the next unit of spend is expected to leave: margin × revenue − 1.
    pub marginal_profit: f64,
    /// Why it gets what it gets; `None` where it was not planned.
    pub binding: Option<Binding>,
}

impl PlannedArm {
    /// The reason in an advertiser's words.
    pub fn reason(&self) -> &'static str {
        match self.binding {
            None => "it was not planned",
            Some(Binding::Level) => "its next dollar brings what everybody's does",
            Some(Binding::TooLittle) => "its first dollar would bring less than others' next",
            Some(Binding::Floor) => "it would get less, but for its minimum",
            Some(Binding::FallsNoFaster) => "it would get less, but is not to fall faster",
            Some(Binding::Ceiling) => "it would get more, but may not this hour",
            Some(Binding::RisesNoFaster) => "it would get more, but is not to rise faster",
            Some(Binding::LeastAverage) => "it would get more, but would miss its target return",
            Some(Binding::Pinned) => "it is held where it is",
            Some(Binding::GroupCap(_)) => "its platform's cap holds it down",
            Some(Binding::GroupFloor(_)) => "its platform's minimum holds it up",
            Some(_) => "for a reason that this version does not know",
        }
    }
}
