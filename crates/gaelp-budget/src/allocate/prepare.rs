//! A tree in whole quanta, checked.

use std::fmt::Display;

use gaelp_core::Micros;

use super::CapTree;
use super::Goal;
use super::block::Block;
use super::bounds::{Bounds, LowBy, major, units_up};
use super::infeasible::{Infeasible, Obstacle};
use super::level::{Node, Tree};
use crate::ResponseCurve;

/// Amounts are computed with up to a billion major units each, and quanta up to as much.
const MOST: Micros = Micros::new(1_000_000_000_000_000);

/// A group in quanta.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupUnits {
    pub(super) within: usize,
    pub(super) floor: i64,
    pub(super) cap: i64,
}

/// Everything that does not depend on the goals.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) quantum: Micros,
    pub(super) curves: Vec<&'a ResponseCurve>,
    pub(super) bounds: Vec<Bounds>,
    pub(super) groups: Vec<GroupUnits>,
    /// What the whole must and may spend, in quanta, the budget included.
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) tree: Tree,
    pub(super) falls_freed: bool,
}

/// Whether the question makes sense at all.
pub(super) fn check<K>(
    tree: &CapTree<K>,
    budget: Micros,
    quantum: Micros,
    goals: &[Goal],
) -> Result<(), Infeasible> {
    let mut obstacles = Vec::new();
    if tree.arms().is_empty() {
        obstacles.push(Obstacle::NoArms);
    }
    if goals.is_empty() {
        obstacles.push(Obstacle::NoGoals);
    }
    if budget.is_negative() {
        obstacles.push(Obstacle::NegativeBudget(budget));
    }
    if quantum <= Micros::ZERO || quantum > MOST {
        obstacles.push(Obstacle::Quantum(quantum));
    }
    let senseless = goals.iter().filter(|goal| !goal.is_sound());
    obstacles.extend(senseless.map(|&goal| Obstacle::Senseless(goal)));
    Infeasible::new(obstacles)
}

impl<'a> Prepared<'a> {
    pub(super) fn new<K: Display>(
        tree: &'a CapTree<K>,
        budget: Micros,
        quantum: Micros,
    ) -> Result<Self, Infeasible> {
        let mut bounds = Vec::with_capacity(tree.arms().len());
        let mut obstacles = Vec::new();
        for arm in tree.arms() {
            let limits = arm.limits();
            let ceiling = limits.ceiling.min(MOST);
            let held = super::ArmLimits { ceiling, ..*limits };
            match held.bounds(&arm.curve, quantum) {
                Some(found) => bounds.push(found),
                None => obstacles.push(Obstacle::ArmBounds {
                    arm: arm.key.to_string(),
                    floor: limits.floor,
                    ceiling: limits.ceiling,
                    quantum,
                }),
            }
        }
        Infeasible::new(obstacles)?;
        let mut falls_freed = false;
        let groups = match reach(tree, &bounds, budget, quantum) {
            Ok(groups) => groups,
            Err(_) if bounds.iter().any(|bounds| bounds.low_by == LowBy::Change) => {
                falls_freed = true;
                for (bounds, arm) in bounds.iter_mut().zip(tree.arms()) {
                    if bounds.low_by == LowBy::Change {
                        bounds.low = units_up(arm.limits.floor, quantum);
                        bounds.low_by = LowBy::Floor;
                    }
                }
                reach(tree, &bounds, budget, quantum)?
            }
            Err(why) => return Err(why),
        };
        Ok(Self {
            quantum,
            curves: tree.arms().iter().map(|arm| &arm.curve).collect(),
            tree: nodes(tree, &bounds, &groups.units, quantum),
            bounds,
            least: groups.least,
            most: groups.most,
            groups: groups.units,
            falls_freed,
        })
    }

    /// The same with narrower bounds; `None` where floors and caps leave no room for them.
    pub(super) fn narrowed<K: Display>(
        &self,
        tree: &'a CapTree<K>,
        bounds: Vec<Bounds>,
        budget: Micros,
    ) -> Option<Self> {
        let groups = reach(tree, &bounds, budget, self.quantum).ok()?;
        Some(Self {
            quantum: self.quantum,
            curves: self.curves.clone(),
            tree: nodes(tree, &bounds, &groups.units, self.quantum),
            bounds,
            least: groups.least,
            most: groups.most,
            groups: groups.units,
            falls_freed: self.falls_freed,
        })
    }
}

fn nodes<K>(tree: &CapTree<K>, bounds: &[Bounds], groups: &[GroupUnits], quantum: Micros) -> Tree {
    let empty = groups.iter().map(|group| Node {
        floor: major(group.floor, quantum),
        cap: major(group.cap, quantum),
        block: Block::new(),
        children: Vec::new(),
    });
    let mut nodes: Vec<_> = empty.collect();
    for (place, arm) in tree.arms().iter().enumerate() {
        let Bounds { low, high, .. } = bounds[place];
        let (low, high) = (major(low, quantum), major(high, quantum));
        nodes[arm.group].block.push(place, &arm.curve, low, high);
    }
    for place in 1..nodes.len() {
        nodes[groups[place].within].children.push(place);
    }
    Tree::new(nodes)
}

struct Reach {
    units: Vec<GroupUnits>,
    least: i64,
    most: i64,
}

/// The groups in quanta, and whether what they must spend fits into what they may.
fn reach<K: Display>(
    tree: &CapTree<K>,
    bounds: &[Bounds],
    budget: Micros,
    quantum: Micros,
) -> Result<Reach, Infeasible> {
    let groups = tree.groups();
    let (mut least, mut most) = (vec![0_i64; groups.len()], vec![0_i64; groups.len()]);
    let mut obstacles = Vec::new();
    for (arm, bounds) in tree.arms().iter().zip(bounds) {
        least[arm.group] = least[arm.group].saturating_add(bounds.low);
        most[arm.group] = most[arm.group].saturating_add(bounds.high);
    }
    let amount = |units: i64| Micros::new(units.saturating_mul(quantum.get()));
    let mut units = Vec::with_capacity(groups.len());
    for (place, group) in groups.iter().enumerate().rev() {
        let floor = units_up(group.floor, quantum);
        let cap = group.cap.map_or(i64::MAX, |cap| cap.get() / quantum.get());
        if least[place] > cap {
            obstacles.push(Obstacle::FloorsAboveCap {
                group: group.name.clone(),
                floors: amount(least[place]),
                cap: group.cap.unwrap_or(Micros::MAX),
            });
        }
        if most[place] < floor {
            obstacles.push(Obstacle::CeilingsBelowFloor {
                group: group.name.clone(),
                ceilings: amount(most[place]),
                floor: group.floor,
            });
        }
        least[place] = least[place].max(floor);
        most[place] = most[place].min(cap);
        if place > 0 {
            least[group.within] = least[group.within].saturating_add(least[place]);
            most[group.within] = most[group.within].saturating_add(most[place]);
        }
        units.push(GroupUnits {
            within: group.within,
            floor,
            cap: most[place].max(floor),
        });
    }
    units.reverse();
    let whole = budget.min(MOST).get() / quantum.get();
    if obstacles.is_empty() && least[0] > whole {
        obstacles.push(over_budget(tree, bounds, amount(least[0]), budget, quantum));
    }
    Infeasible::new(obstacles)?;
    Ok(Reach {
        units,
        least: least[0],
        most: most[0].min(whole),
    })
}

/// What could run within a budget that is too small for all floors.
fn over_budget<K: Display>(
    tree: &CapTree<K>,
    bounds: &[Bounds],
    floors: Micros,
    budget: Micros,
    quantum: Micros,
) -> Obstacle {
    let mut floored: Vec<_> = tree
        .arms()
        .iter()
        .zip(bounds)
        .filter(|(_, bounds)| bounds.low > 0)
        .map(|(arm, bounds)| (bounds.low, &arm.key))
        .collect();
    floored.sort_by_key(|&(low, _)| low);
    let mut left = budget.get() / quantum.get();
    let fitting = floored.iter().take_while(|&&(low, _)| {
        left -= low;
        left >= 0
    });
    let fit = fitting.map(|(_, key)| key.to_string()).collect();
    let least = floored.first();
    Obstacle::FloorsAboveBudget {
        arms: floored.len(),
        floors,
        budget,
        fit,
        least: least.map(|(low, key)| (key.to_string(), Micros::new(low * quantum.get()))),
    }
}
