//! A plan, with the proof that it is the best.

use gaelp_core::Micros;
use serde::{Deserialize, Serialize};

use super::{Goal, GroupId, Obstacle};

/// Who gets how much, and why.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The arms' spend, in the tree's order.
    pub arms: Vec<Allotted>,
    /// What is spent in all: a sum of whole quanta, at most the budget.
    pub total: Micros,
    /// What it is expected to bring: the sum of what the curves themselves say, not their envelopes.
    pub value: f64,
    /// What the last unit of spend brings where nothing but the budget or the goal bounds it: the
    /// price of money. λ is `level · margin − 1`.
    pub level: f64,
    /// What keeps the next unit from being spent.
    pub ends: Ends,
    /// The goals that could not be met together with those before them.
    pub given_up: Vec<GivenUp>,
    /// Whether arms may fall faster than their limits say, because the budget or a cap is below.
    pub falls_freed: bool,
    /// The proof.
    pub certificate: Certificate,
}

/// What an arm gets.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Allotted {
    /// How much: a multiple of the quantum.
    pub spend: Micros,
    /// What it is expected to bring.
    pub value: f64,
    /// What the next unit would bring.
    pub marginal: f64,
    /// What bounds it.
    pub binding: Binding,
}

/// Why an arm gets what it gets, and not more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Binding {
    /// Its next unit brings what everybody's does.
    Level,
    /// It gets nothing, because its first unit brings less than others'.
    TooLittle,
    /// It would get less, but for its floor.
    Floor,
    /// It would get less, but may not fall faster.
    FallsNoFaster,
    /// It would get more, but for its ceiling.
    Ceiling,
    /// It would get more, but may not rise faster.
    RisesNoFaster,
    /// It would get more, but its average return would fall below its target.
    LeastAverage,
    /// It has no room: its floor is its ceiling.
    Pinned,
    /// Its group's cap holds it down; its next unit brings what the group's does.
    GroupCap(GroupId),
    /// Its group's floor holds it up; its next unit brings what the group's does.
    GroupFloor(GroupId),
}

/// What keeps the next unit from being spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ends {
    /// The budget, or a maximum among the goals.
    Budget,
    /// It would bring less than the goal asks for.
    Goal,
    /// Nobody may spend more, or more would bring nothing.
    Room,
    /// It is the minimum spend that is asked for; less would be better.
    Minimum,
}

/// A goal that was given up, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenUp {
    /// Which.
    pub goal: Goal,
    /// What stood in its way.
    pub why: Obstacle,
}

/// The proof that a plan is the best.
///
/// With spend that can be divided at will, no plan whatsoever brings more than `bound`
/// (Lagrangian duality), and the divisible plan lies `gap` below it. Of whole quanta, no plan
/// brings more either; `best_move` says that no exchange of a quantum improves this one, which for
/// nested caps means that no plan does.
///
/// For S-shaped curves both speak of the envelopes: `bound` still bounds every plan, and `value`,
/// which is of the curves themselves, may lie below it.
///
/// All are in what the goal maximises: the value, less the goal's price of the spend.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Certificate {
    /// What no plan exceeds.
    pub bound: f64,
    /// What the divisible plan brings.
    pub divisible: f64,
    /// What this plan brings.
    pub value: f64,
    /// How far the divisible plan lies below the bound, as a share of the values in it.
    pub gap: f64,
    /// The gain of the best quantum more, less or moved; never positive. Where a target for the
    /// average return took quanta back after rounding, it is of the plan before; where S-shaped
    /// curves were given nothing or enough, it is of the plan with those held so.
    pub best_move: f64,
    /// How many quanta were moved after rounding down.
    pub moves: u64,
}
