//! Who gets the next dollar.

use std::fmt::Display;

use gaelp_core::Micros;

use self::block::LN_NOTHING;
use self::bounds::{Bounds, HighBy, LowBy, major, whole_units};
use self::exchange::{Desk, Exchange};
use self::frame::Frame;
use self::level::{Held, Solution};
use self::prepare::Prepared;
use crate::Curve;
use crate::math::{exp, ln};

mod block;
mod bounds;
mod exchange;
mod frame;
mod goal;
mod infeasible;
mod level;
mod plain;
mod plan;
mod prepare;
mod shaped;
mod tree;
mod water;

pub use goal::Goal;
pub use infeasible::{Infeasible, Obstacle};
pub use plain::{Allocator, CpaShare, Equal, Figures, Performance, RoasShare};
pub use plan::{Allotted, Binding, Certificate, Ends, GivenUp, Plan};
pub use tree::{Arm, ArmLimits, CapTree, Change, Group, GroupId, TreeError};
pub use water::{WaterLevel, WaterPoint};

/// The best plan for a budget: exact, in whole quanta, with its proof.
///
/// Goals come by priority. The first must be met; one that cannot be met together with those before
/// it is given up, and the plan says so. With [`Goal::MaxRevenue`] alone the whole budget is spent,
/// as far as anything is brought by it.
///
/// S-shaped curves are taken for their concave envelopes, and then the few arms that were left on
/// the straight part of one, where the curve itself lies below, are tried with nothing or with
/// enough. What that loses at most, the certificate's bound says.
///
/// Limits on how fast arms fall are lifted where the budget or a cap is below them, because
/// lowering is always allowed; the plan says so too.
///
/// **Units.** A budget for whatever time the curves speak of: an hour, a day. The quantum is what
/// the platform counts in: a cent.
///
/// **Cost.** About ten passes over the arms for the level, times the depth of the tree where caps
/// bind; then each quantum that is moved, at most about one for each arm, costs a heap's operation
/// and a look at every group. See [`WaterLevel`] where spend need not be whole quanta.
///
/// **Source.** Ibaraki & Katoh (1988), Resource Allocation Problems; Murota (2003), Discrete Convex
/// Analysis, theorem 6.26; the reduction of goals to a level is ours.
///
/// ```
/// use gaelp_budget::{ArmLimits, Binding, CapTree, Goal, GroupId, ResponseCurve, allocate};
/// use gaelp_core::Micros;
///
/// let mut tree = CapTree::new("account");
/// let limits = ArmLimits::between("0.50".parse()?, "12.00".parse()?);
/// tree.arm(GroupId::WHOLE, "prospecting", ResponseCurve::log(30.0, 10.0)?, limits)?;
/// tree.arm(GroupId::WHOLE, "retargeting", ResponseCurve::hill(25.0, 5.0)?, limits)?;
/// let plan = allocate(&tree, "10.00".parse()?, "0.01".parse()?, &[Goal::MaxRevenue])?;
/// assert_eq!(plan.total, "10.00".parse()?);
/// assert!(plan.certificate.gap < 1e-9 && plan.certificate.best_move <= 0.0);
/// assert!(plan.arms.iter().all(|arm| arm.binding == Binding::Level));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Infeasible`] says everything that stands in the way, and what would be possible.
pub fn allocate<K: Display>(
    tree: &CapTree<K>,
    budget: Micros,
    quantum: Micros,
    goals: &[Goal],
) -> Result<Plan, Infeasible> {
    prepare::check(tree, budget, quantum, goals)?;
    let prepared = Prepared::new(tree, budget, quantum)?;
    let plan = plan(tree, &prepared, goals)?;
    Ok(shaped::improve(tree, &prepared, budget, goals, plan))
}

/// The best plan, taking S-shaped curves for their envelopes.
fn plan<K>(tree: &CapTree<K>, prepared: &Prepared<'_>, goals: &[Goal]) -> Result<Plan, Infeasible> {
    let frame = Frame::of(prepared, goals)?;
    let solution = frame.solve();
    finish(tree, prepared, &frame, &solution)
}

/// Puts a divisible solution into whole quanta, and writes down why it is the best.
fn finish<K>(
    tree: &CapTree<K>,
    prepared: &Prepared<'_>,
    frame: &Frame<'_>,
    solution: &Solution,
) -> Result<Plan, Infeasible> {
    let (quantum, bounds) = (prepared.quantum, &prepared.bounds);
    let rounded = solution.spend.iter().zip(bounds);
    let rounded: Vec<_> = rounded
        .map(|(&spend, bounds)| whole_units(spend, quantum).clamp(bounds.low, bounds.high))
        .collect();
    let mut exchange = open(tree, prepared, frame, rounded);
    let settled = exchange.settle();
    let (mut value, mut spend) = exchange.brought();
    while frame.is_short(value, spend) && exchange.give_back() {
        (value, spend) = exchange.brought();
    }
    if frame.is_short(value, spend) {
        // Where floors hold, the target may be met in the middle alone: by what is best for it.
        let strictest = frame.averages.iter().copied().fold(frame.level, f64::max);
        exchange = open(tree, prepared, frame, exchange.units);
        exchange.goal = strictest;
        exchange.settle();
        (value, spend) = exchange.brought();
        if frame.is_short(value, spend) {
            return Err(Infeasible::one(frame.missed(value, spend)));
        }
    }
    let level = exp(solution.levels[0].ln);
    let arms = exchange.units.iter().enumerate();
    let arms = arms.map(|(place, &units)| {
        let amount = major(units, quantum);
        let curve = prepared.curves[place];
        Allotted {
            spend: Micros::new(units * quantum.get()),
            value: curve.actual(amount),
            marginal: curve.marginal(amount),
            binding: binding(&bounds[place], units, solution, tree.arms()[place].group),
        }
    });
    let arms: Vec<_> = arms.collect();
    let total = exchange.units.iter().sum::<i64>() * quantum.get();
    let certificate = Certificate {
        value: value - frame.level * spend,
        best_move: settled.best_left.min(0.0),
        moves: settled.moves,
        ..prove(tree, prepared, frame, solution)
    };
    Ok(Plan {
        arms,
        total: Micros::new(total),
        value,
        level: if solution.levels[0].ln <= LN_NOTHING {
            0.0
        } else {
            level
        },
        ends: ends(frame, solution),
        given_up: frame.given_up.clone(),
        falls_freed: prepared.falls_freed,
        certificate,
    })
}

/// An exchange that begins with these quanta.
fn open<'a, K>(
    tree: &CapTree<K>,
    prepared: &'a Prepared<'a>,
    frame: &Frame<'_>,
    units: Vec<i64>,
) -> Exchange<'a> {
    let desks = prepared
        .groups
        .iter()
        .map(|group| Desk::new(group.within, group.floor, group.cap));
    let mut desks: Vec<_> = desks.collect();
    desks[0].floor = frame.floor;
    desks[0].cap = frame.cap_units();
    Exchange {
        curves: prepared.curves.clone(),
        bounds: &prepared.bounds,
        group: tree.arms().iter().map(|arm| arm.group).collect(),
        units,
        desks,
        quantum: prepared.quantum,
        goal: frame.level,
    }
}

/// How much of a group's cap or floor a search may leave: four times its tolerance.
const SETTLED: f64 = 4e-11;

/// The Lagrangian bound: whatever the arms spend within their bounds, at the prices that the levels
/// set on caps and floors.
fn prove<K>(
    tree: &CapTree<K>,
    prepared: &Prepared<'_>,
    frame: &Frame<'_>,
    solution: &Solution,
) -> Certificate {
    let price = |ln: f64| if ln <= LN_NOTHING { 0.0 } else { exp(ln) };
    let (mut divisible, mut size) = (0.0, 0.0);
    // By how much the bound lies above: what each arm would gain at its price by another spend, and
    // what prices say of caps and floors that are not met exactly. Each is next to nothing, so that
    // no large numbers are subtracted.
    let mut above = 0.0;
    let mut spent = vec![0.0; solution.levels.len()];
    for (place, arm) in tree.arms().iter().enumerate() {
        let curve = prepared.curves[place];
        let bounds = &prepared.bounds[place];
        let (low, high) = (
            major(bounds.low, prepared.quantum),
            major(bounds.high, prepared.quantum),
        );
        let price = price(solution.levels[arm.group].ln);
        let best = curve.inverse(price).clamp(low, high);
        let spend = solution.spend[place];
        let value = curve.value(spend);
        above += (curve.value(best) - value) - price * (best - spend);
        spent[arm.group] += spend;
        divisible += value - frame.level * spend;
        size += value + frame.level * spend;
    }
    for (place, level) in solution.levels.iter().enumerate().rev() {
        let priced = price(level.ln) - price(level.around);
        let held = if priced > 0.0 {
            frame.tree.cap(place)
        } else {
            frame.tree.floor(place)
        };
        let rest = held - spent[place];
        // What a search leaves is no rest, however huge the price of a group without room.
        if priced.abs() > 0.0 && rest.abs() > SETTLED * held.abs() {
            above += priced * rest;
        }
        if place > 0 {
            let within = prepared.groups[place].within;
            spent[within] += spent[place];
        }
    }
    let bound = divisible + above;
    Certificate {
        bound,
        divisible,
        value: 0.0,
        gap: if size > 0.0 { above / size } else { 0.0 },
        best_move: 0.0,
        moves: 0,
    }
}

fn binding(bounds: &Bounds, units: i64, solution: &Solution, group: usize) -> Binding {
    if bounds.low == bounds.high {
        return Binding::Pinned;
    }
    if units == bounds.high {
        return match bounds.high_by {
            HighBy::Ceiling => Binding::Ceiling,
            HighBy::Change => Binding::RisesNoFaster,
            HighBy::LeastAverage => Binding::LeastAverage,
        };
    }
    if units == bounds.low {
        return match bounds.low_by {
            _ if units == 0 => Binding::TooLittle,
            LowBy::Floor => Binding::Floor,
            LowBy::Change => Binding::FallsNoFaster,
        };
    }
    match solution.levels[group].held {
        Some((place, held)) if place > 0 => match held {
            Held::Cap => Binding::GroupCap(GroupId::numbered(place)),
            Held::Floor => Binding::GroupFloor(GroupId::numbered(place)),
        },
        _ => Binding::Level,
    }
}

fn ends(frame: &Frame<'_>, solution: &Solution) -> Ends {
    match solution.levels[0].held {
        Some((_, Held::Cap)) if frame.target_cap.is_some() => Ends::Goal,
        Some((_, Held::Cap)) => Ends::Budget,
        Some((_, Held::Floor)) => Ends::Minimum,
        None if frame.level > 0.0 && solution.spend.iter().sum::<f64>() < frame.most() => {
            Ends::Goal
        }
        None => Ends::Room,
    }
}

/// The logarithm of a level; of a level of nothing, that of the least there is.
fn ln_level(level: f64) -> f64 {
    if level <= f64::MIN_POSITIVE {
        LN_NOTHING
    } else {
        ln(level).max(LN_NOTHING)
    }
}
