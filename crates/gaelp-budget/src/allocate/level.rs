//! The water level of a tree of caps, with spend that can be divided at will.
//!
//! At a level m every arm spends until its next unit brings m; a group spends what its members do,
//! held between its floor and its cap. A group that is held gets a level of its own, at which its
//! members spend just that. So the whole tree has one number to be found, and each held group one
//! more.
//!
//! Source: KKT conditions of the separable problem; Ibaraki & Katoh (1988), Resource Allocation
//! Problems, §2.2 and §9 (nested constraints); Anderson & Björck (1973), A new high order method of
//! regula falsi type, for the search.

use super::block::{Block, LN_NOTHING};

/// What a search may leave unspent, relative to what is to be spent; it is shared out afterwards,
/// by mixing two levels.
const TOLERANCE: f64 = 1e-11;
/// As much, where what is left goes to arms that stand at the level: what that loses is of second
/// order.
const COARSE: f64 = 1e-9;
/// By how much the members must want to spend above a cap, or below a floor, to be held by it: less
/// is rounding.
const TIGHT: f64 = 1e-10;
/// Two levels so close, in logarithms, are the two sides of a jump.
const JUMP: f64 = 1e-9;
/// Passes after which the search is for a jump: smooth demands take about ten.
const SMOOTH: u32 = 18;
/// Passes after which a search stops in any case: halving alone needs some sixty.
const PASSES: u32 = 200;

/// A group with its arms and the groups within it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) floor: f64,
    pub(super) cap: f64,
    pub(super) block: Block,
    pub(super) children: Vec<usize>,
}

/// A tree of groups; each comes after the group that it lies in, and the first is the whole.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// What a group's members spend at the least and the most, and where levels are searched.
    reach: Vec<Reach>,
}

#[derive(Clone, Copy, Debug)]
struct Reach {
    least: f64,
    most: f64,
    bracket: (f64, f64),
}

/// What holds a group's spend where its members alone would spend less or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Cap,
    Floor,
}

/// The level of a group, in logarithms.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupLevel {
    /// Its members' own level.
    pub(super) ln: f64,
    /// The level of the group around it, or of the goal.
    pub(super) around: f64,
    /// The group whose floor or cap made the level, and which of both; `None` for the goal's level.
    pub(super) held: Option<(usize, Held)>,
    more: f64,
    less: f64,
    share: f64,
}

impl GroupLevel {
    fn at(ln: f64) -> Self {
        Self {
            ln,
            around: ln,
            held: None,
            more: ln,
            less: ln,
            share: 0.0,
        }
    }
}

/// What each arm spends, and the level of each group.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub(super) spend: Vec<f64>,
    pub(super) levels: Vec<GroupLevel>,
}

impl Tree {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        let mut reach: Vec<_> = nodes
            .iter()
            .map(|node| Reach {
                least: node.block.least,
                most: node.block.most,
                bracket: node.block.bracket,
            })
            .collect();
        for place in (0..nodes.len()).rev() {
            for &child in &nodes[place].children {
                let inner = reach[child];
                let (floor, cap) = (nodes[child].floor, nodes[child].cap);
                let mine = &mut reach[place];
                mine.least += inner.least.clamp(floor, cap);
                mine.most += inner.most.clamp(floor, cap);
                // A group without room spends the same at every level.
                if inner.least.clamp(floor, cap) < inner.most.clamp(floor, cap) {
                    mine.bracket.0 = mine.bracket.0.min(inner.bracket.0);
                    mine.bracket.1 = mine.bracket.1.max(inner.bracket.1);
                }
            }
        }
        Self { nodes, reach }
    }

    /// The same tree with another floor and cap for the whole.
    pub(super) fn within(&mut self, floor: f64, cap: f64) {
        self.nodes[0].floor = floor;
        self.nodes[0].cap = cap;
    }

    pub(super) fn floor(&self, place: usize) -> f64 {
        self.nodes[place].floor
    }

    pub(super) fn cap(&self, place: usize) -> f64 {
        self.nodes[place].cap
    }

    /// What the arms spend where no unit is worth less than the goal's level.
    pub(super) fn solve(&self, arms: usize, ln_goal: f64) -> Solution {
        let goal = GroupLevel::at(ln_goal.max(LN_NOTHING));
        let mut solution = Solution {
            spend: vec![0.0; arms],
            levels: vec![goal; self.nodes.len()],
        };
        let wanted = self.members(0, goal.ln);
        let root = &self.nodes[0];
        // Not `clamp`: rounding may have put the floor a hair above the cap.
        let target = wanted.min(root.cap).max(root.floor);
        self.fill(0, target, goal, &mut solution);
        solution
    }

    /// As [`Tree::solve`] for a tree of one group, with another cap.
    pub(super) fn level_within(&self, cap: f64, ln_goal: f64, spend: &mut [f64]) -> GroupLevel {
        let goal = GroupLevel::at(ln_goal);
        let block = &self.nodes[0].block;
        // A goal of nothing is at everybody's most, as is known without asking.
        let wanted = if ln_goal <= self.reach[0].bracket.0 {
            self.reach[0].most
        } else {
            block.total(goal.ln)
        };
        let target = wanted.min(cap.max(self.reach[0].least));
        let level = if target < wanted {
            GroupLevel {
                held: Some((0, Held::Cap)),
                ..self.search(0, target, goal, COARSE)
            }
        } else {
            goal
        };
        block.write(level.ln, level.ln, 0.0, spend);
        let rest = target - sum(spend);
        if level.held.is_some() && !block.give(rest, target, spend) {
            // Demand jumps here.
            block.write(level.more, level.less, level.share, spend);
        }
        level
    }

    fn fill(&self, place: usize, target: f64, around: GroupLevel, solution: &mut Solution) {
        let node = &self.nodes[place];
        // At a jump of demand both its sides count; elsewhere the level itself.
        let jumps = around.less - around.more <= JUMP;
        let (least, most) = if jumps {
            let least = self.members(place, around.less);
            (least, self.members(place, around.more))
        } else {
            let wanted = self.members(place, around.ln);
            (wanted, wanted)
        };
        let mut level = if least > node.cap * (1.0 + TIGHT) {
            self.held(place, target, around, Held::Cap)
        } else if most < node.floor * (1.0 - TIGHT) {
            self.held(place, target, around, Held::Floor)
        } else {
            // The level around it, mixed so that its own members spend the target.
            let less = self.members(place, around.less);
            let room = self.members(place, around.more) - less;
            let share = if room > 0.0 {
                (target - less) / room
            } else {
                0.0
            };
            GroupLevel {
                share: share.clamp(0.0, 1.0),
                ..around
            }
        };
        level.around = around.ln;
        solution.levels[place] = level;
        node.block
            .write(level.more, level.less, level.share, &mut solution.spend);
        for &child in &node.children {
            let most = self.demand(child, level.more);
            let least = self.demand(child, level.less);
            self.fill(child, least + level.share * (most - least), level, solution);
        }
    }

    fn held(&self, place: usize, target: f64, around: GroupLevel, by: Held) -> GroupLevel {
        GroupLevel {
            held: Some((place, by)),
            ..self.search(place, target, around, TOLERANCE)
        }
    }

    /// The level at which a group's members spend the target: safeguarded false position on
    /// logarithms.
    /// Where members have no room at all, the level around it is as good as any.
    fn search(&self, place: usize, target: f64, around: GroupLevel, tolerance: f64) -> GroupLevel {
        let Reach {
            least,
            most,
            bracket,
        } = self.reach[place];
        let (mut more, mut less) = bracket;
        if more > less {
            return GroupLevel::at(around.ln);
        }
        let (mut over, mut under) = (most - target, least - target);
        if over <= 0.0 {
            return GroupLevel::at(more);
        }
        if under >= 0.0 {
            return GroupLevel::at(less);
        }
        // The values as the chord sees them; halved where one end stays.
        let (mut over_seen, mut under_seen) = (over, under);
        let mut near = less;
        let mut last = 0_i8;
        for pass in 1..=PASSES {
            let chord = (more * under_seen - less * over_seen) / (under_seen - over_seen);
            // What has not converged by then jumps, and only halving finds a jump.
            let halving = if pass <= SMOOTH { 6 } else { 2 };
            near = if more < chord && chord < less && pass % halving != 0 {
                chord
            } else {
                0.5 * (more + less)
            };
            let rest = self.members(place, near) - target;
            if rest > 0.0 {
                if last == 1 {
                    under_seen *= damping(rest, over_seen);
                }
                (more, over, over_seen) = (near, rest, rest);
                last = 1;
            } else {
                if last == -1 {
                    over_seen *= damping(rest, under_seen);
                }
                (less, under, under_seen) = (near, rest, rest);
                last = -1;
            }
            // Where demand jumps, at a straight piece, only the bracket's width ends the search.
            let narrow = less - more <= 4.0 * f64::EPSILON * less.abs().max(1.0);
            if rest.abs() <= tolerance * target.abs() || narrow {
                break;
            }
        }
        let share = (-under / (over - under)).clamp(0.0, 1.0);
        GroupLevel {
            more,
            less,
            share,
            ..GroupLevel::at(near)
        }
    }

    /// What a group's members spend at a level, before the group's own floor and cap.
    fn members(&self, place: usize, ln: f64) -> f64 {
        let node = &self.nodes[place];
        let groups = node.children.iter().map(|&child| self.demand(child, ln));
        node.block.total(ln) + groups.sum::<f64>()
    }

    fn demand(&self, place: usize, ln: f64) -> f64 {
        let node = &self.nodes[place];
        self.members(place, ln).min(node.cap).max(node.floor)
    }
}

/// How much less the end that stays counts, where the other end moved twice.
fn damping(now: f64, before: f64) -> f64 {
    let left = 1.0 - now / before;
    if left > 0.0 { left } else { 0.5 }
}

/// A sum in four lanes, which do not wait for each other.
fn sum(amounts: &[f64]) -> f64 {
    let (chunks, rest) = amounts.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for chunk in chunks {
        for (sum, amount) in sums.iter_mut().zip(chunk) {
            *sum += amount;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest.iter().sum::<f64>()
}
