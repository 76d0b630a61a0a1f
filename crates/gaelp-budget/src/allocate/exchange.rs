//! Whole quanta, and the certificate that no exchange of one of them is better.
//!
//! Under nested caps and floors the best plan in whole quanta is recognised locally: one that no
//! quantum more, less, or moved improves is the best of all.
//!
//! Source: Murota (2003), Discrete Convex Analysis, theorem 6.26 with note 6.11 (laminar concave
//! functions); Ibaraki & Katoh (1988), Resource Allocation Problems, §4.2 (greedy).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use gaelp_core::Micros;

use super::bounds::{Bounds, major};
use crate::{Curve, ResponseCurve};

/// Gains below this share of what is exchanged are rounding.
const ROUNDING: f64 = 1e-12;

/// A group: what it may spend in quanta, what it spends, and what lies in it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) floor: i64,
    pub(super) cap: i64,
    pub(super) within: usize,
    total: i64,
    children: Vec<usize>,
    more: BinaryHeap<Offer>,
    less: BinaryHeap<Offer>,
    /// The best offers of its members, this group's own bounds left aside.
    best_more: Option<Offer>,
    best_less: Option<Offer>,
}

impl Desk {
    pub(super) fn new(within: usize, floor: i64, cap: i64) -> Self {
        Self {
            floor,
            cap,
            within,
            total: 0,
            children: Vec::new(),
            more: BinaryHeap::new(),
            less: BinaryHeap::new(),
            best_more: None,
            best_less: None,
        }
    }
}

/// What an arm gains from one quantum more or less, as of when it had so many.
#[derive(Clone, Copy, Debug)]
struct Offer {
    gain: f64,
    arm: usize,
    units: i64,
}

impl PartialEq for Offer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Offer {}
impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Offer {
    /// By gain; among equals, earlier arms first.
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain
            .total_cmp(&other.gain)
            .then(other.arm.cmp(&self.arm))
    }
}

/// Arms with their spend in quanta.
pub(super) struct Exchange<'a> {
    pub(super) curves: Vec<&'a ResponseCurve>,
    pub(super) bounds: &'a [Bounds],
    pub(super) group: Vec<usize>,
    pub(super) units: Vec<i64>,
    pub(super) desks: Vec<Desk>,
    pub(super) quantum: Micros,
    /// What one unit of spend must bring.
    pub(super) goal: f64,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// How many quanta were moved after rounding down.
    pub(super) moves: u64,
    /// The gain of the best quantum more, less or moved that is left; none is better than rounding.
    pub(super) best_left: f64,
}

impl Exchange<'_> {
    /// Moves quanta until no move is better. The spend must be within the arms' bounds and all
    /// caps; floors of groups are seen to first.
    pub(super) fn settle(&mut self) -> Settled {
        self.open();
        let mut moves = 0;
        // Inner floors before outer ones: what fills them counts for both.
        for place in (0..self.desks.len()).rev() {
            // A sum of floats, rounded, may lie a quantum above a cap.
            while self.desks[place].total > self.desks[place].cap {
                let Some(offer) = self.desks[place].best_less else {
                    break;
                };
                self.shift(offer.arm, -1);
                moves += 1;
            }
            while self.desks[place].total < self.desks[place].floor {
                let Some(offer) = self.desks[place].best_more else {
                    break;
                };
                self.shift(offer.arm, 1);
                moves += 1;
            }
        }
        // Each move raises the value, so they come to an end; the bound is for what rounding may do.
        let most = 8 * (self.units.len() as u64 + 1_000) + moves;
        loop {
            let (gain, step) = self.best_step();
            if gain <= 0.0 || moves > most {
                return Settled {
                    moves,
                    best_left: gain,
                };
            }
            for (arm, by) in step.into_iter().flatten() {
                self.shift(arm, by);
            }
            moves += 1;
        }
    }

    /// Takes away the quantum that brings least, if any may go.
    pub(super) fn give_back(&mut self) -> bool {
        let root = &self.desks[0];
        let offer = root.best_less.filter(|_| root.total > root.floor);
        offer.inspect(|offer| self.shift(offer.arm, -1)).is_some()
    }

    /// What all quanta really bring, and what they cost.
    pub(super) fn brought(&self) -> (f64, f64) {
        let arms = self.units.iter().zip(&self.curves);
        arms.fold((0.0, 0.0), |(value, spend), (&units, curve)| {
            let amount = major(units, self.quantum);
            (value + curve.actual(amount), spend + amount)
        })
    }

    /// Opens the desks: totals, children and offers.
    fn open(&mut self) {
        for arm in 0..self.units.len() {
            let mut place = self.group[arm];
            loop {
                self.desks[place].total += self.units[arm];
                if place == 0 {
                    break;
                }
                place = self.desks[place].within;
            }
        }
        for place in 1..self.desks.len() {
            let within = self.desks[place].within;
            self.desks[within].children.push(place);
        }
        let mut offers: Vec<(Vec<Offer>, Vec<Offer>)> = Vec::new();
        offers.resize_with(self.desks.len(), Default::default);
        for arm in 0..self.units.len() {
            let (more, less) = self.offers(arm);
            let desk = &mut offers[self.group[arm]];
            desk.0.extend(more);
            desk.1.extend(less);
        }
        for (desk, (more, less)) in self.desks.iter_mut().zip(offers) {
            desk.more = BinaryHeap::from(more);
            desk.less = BinaryHeap::from(less);
        }
        for place in (0..self.desks.len()).rev() {
            self.refresh(place);
        }
    }

    fn offers(&self, arm: usize) -> (Option<Offer>, Option<Offer>) {
        let units = self.units[arm];
        let curve = self.curves[arm];
        let at = |units: i64| curve.value(major(units, self.quantum));
        let price = self.goal * major(1, self.quantum);
        let here = at(units);
        let more = (units < self.bounds[arm].high).then(|| Offer {
            gain: at(units + 1) - here - price,
            arm,
            units,
        });
        let less = (units > self.bounds[arm].low).then(|| Offer {
            gain: at(units - 1) - here + price,
            arm,
            units,
        });
        (more, less)
    }

    fn shift(&mut self, arm: usize, by: i64) {
        self.units[arm] += by;
        let (more, less) = self.offers(arm);
        let mut place = self.group[arm];
        self.desks[place].more.extend(more);
        self.desks[place].less.extend(less);
        loop {
            self.desks[place].total += by;
            self.refresh(place);
            if place == 0 {
                return;
            }
            place = self.desks[place].within;
        }
    }

    /// Finds a group's best offers anew, from those of its arms and of the groups within it.
    fn refresh(&mut self, place: usize) {
        let units = &self.units;
        let desk = &mut self.desks[place];
        let fresh = |heap: &mut BinaryHeap<Offer>| loop {
            match heap.peek() {
                Some(offer) if units[offer.arm] != offer.units => {
                    heap.pop();
                }
                other => return other.copied(),
            }
        };
        let (mut more, mut less) = (fresh(&mut desk.more), fresh(&mut desk.less));
        let children = std::mem::take(&mut desk.children);
        for &child in &children {
            let inner = &self.desks[child];
            if inner.total < inner.cap {
                more = more.max(inner.best_more);
            }
            if inner.total > inner.floor {
                less = less.max(inner.best_less);
            }
        }
        let desk = &mut self.desks[place];
        desk.children = children;
        (desk.best_more, desk.best_less) = (more, less);
    }

    /// The best quantum more, less or moved, with its gain; 0 where none gains more than rounding.
    fn best_step(&self) -> (f64, [Option<(usize, i64)>; 2]) {
        let root = &self.desks[0];
        let mut best = (f64::NEG_INFINITY, [None, None]);
        let mut offer = |gain: f64, size: f64, step| {
            // Zero where the gain cannot be told from the rounding of what it is the difference of.
            let gain = if gain > ROUNDING * size {
                gain
            } else {
                gain.min(0.0)
            };
            if gain > best.0 {
                best = (gain, step);
            }
        };
        if let Some(more) = root.best_more.filter(|_| root.total < root.cap) {
            offer(more.gain, self.size(more), [Some((more.arm, 1)), None]);
        }
        if let Some(less) = root.best_less.filter(|_| root.total > root.floor) {
            offer(less.gain, self.size(less), [Some((less.arm, -1)), None]);
        }
        for desk in &self.desks {
            if let (Some(more), Some(less)) = (desk.best_more, desk.best_less)
                && more.arm != less.arm
            {
                let size = self.size(more) + self.size(less);
                let step = [Some((more.arm, 1)), Some((less.arm, -1))];
                offer(more.gain + less.gain, size, step);
            }
        }
        if best.0 == f64::NEG_INFINITY {
            best.0 = 0.0;
        }
        best
    }

    /// The values that a gain is the difference of.
    fn size(&self, offer: Offer) -> f64 {
        self.curves[offer.arm].value(major(offer.units.max(1), self.quantum))
            + self.goal * major(1, self.quantum)
    }
}
