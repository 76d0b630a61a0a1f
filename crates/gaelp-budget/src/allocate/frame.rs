//! Goals, brought down to a level and to bounds on the whole spend.

use gaelp_core::{Micros, Ratio};

use super::bounds::{major, units_up, whole_units};
use super::infeasible::{Infeasible, Obstacle};
use super::level::{Solution, Tree};
use super::plan::GivenUp;
use super::prepare::Prepared;
use super::{Goal, ln_level};
use crate::Curve;
use crate::math::exp;

/// What the goals ask for.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    prepared: &'a Prepared<'a>,
    pub(super) tree: Tree,
    /// What one unit of spend must bring.
    pub(super) level: f64,
    /// What is spent at the least and the most, in quanta.
    pub(super) floor: i64,
    cap: i64,
    /// The returns on all spend that are asked for.
    pub(super) averages: Vec<f64>,
    /// The spend above which those would not be met.
    pub(super) target_cap: Option<f64>,
    pub(super) given_up: Vec<GivenUp>,
}

impl<'a> Frame<'a> {
    /// Takes in the goals, one after the other.
    pub(super) fn of(prepared: &'a Prepared<'a>, goals: &[Goal]) -> Result<Self, Infeasible> {
        let mut frame = Self {
            prepared,
            tree: prepared.tree.clone(),
            level: 0.0,
            floor: 0,
            cap: prepared.most,
            averages: Vec::new(),
            target_cap: None,
            given_up: Vec::new(),
        };
        for (place, &goal) in goals.iter().enumerate() {
            match frame.with(goal) {
                Ok(next) => frame = next,
                Err(why) if place == 0 => return Err(Infeasible::one(why)),
                Err(why) => frame.given_up.push(GivenUp { goal, why }),
            }
        }
        frame.bound();
        let mut averages = frame.averages.clone();
        averages.sort_by(f64::total_cmp);
        // The strictest last: what it leaves is within all others' bounds.
        for average in averages {
            frame.keep_average(average);
        }
        Ok(frame)
    }

    pub(super) fn solve(&self) -> Solution {
        self.tree
            .solve(self.prepared.curves.len(), ln_level(self.level))
    }

    pub(super) fn cap_units(&self) -> i64 {
        let most = self
            .target_cap
            .map(|cap| whole_units(cap, self.prepared.quantum));
        most.map_or(self.cap, |most| {
            most.clamp(self.floor.max(self.prepared.least), self.cap)
        })
    }

    /// What could be spent in all.
    pub(super) fn most(&self) -> f64 {
        major(self.prepared.most, self.prepared.quantum)
    }

    /// Whether this is less than some target asks for.
    pub(super) fn is_short(&self, value: f64, spend: f64) -> bool {
        let mut averages = self.averages.iter();
        averages.any(|average| value < average * spend * (1.0 - 1e-12))
    }

    /// The target that whole quanta miss.
    pub(super) fn missed(&self, value: f64, spend: f64) -> Obstacle {
        Obstacle::Roas {
            wanted: ratio(self.averages.iter().copied().fold(0.0, f64::max)),
            best: value / spend,
            at: rounded(spend),
        }
    }

    fn with(&self, goal: Goal) -> Result<Self, Obstacle> {
        let mut next = self.clone();
        match goal {
            Goal::MaxRevenue => {}
            Goal::MaxProfit { margin } => next.level = next.level.max(1.0 / margin.to_f64()),
            Goal::TargetRoas(_) | Goal::TargetCpa(_) => next.averages.extend(goal.average()),
            Goal::MaxSpend(amount) => {
                let quantum = self.prepared.quantum;
                next.cap = next.cap.min(amount.get() / quantum.get());
                let least = self.floor.max(self.prepared.least);
                if next.cap < least {
                    return Err(Obstacle::Maximum {
                        maximum: amount,
                        least: Micros::new(least * quantum.get()),
                    });
                }
            }
            Goal::MinSpend(amount) => next.at_least(amount)?,
            Goal::MaxRoas { min_spend } | Goal::MinCpa { min_spend } => next.at_least(min_spend)?,
        }
        next.bound();
        for &average in &next.averages {
            if !next.reaches(average) {
                return Err(next.out_of_reach(average, goal));
            }
        }
        if matches!(goal, Goal::MaxRoas { .. } | Goal::MinCpa { .. }) {
            next.level = next.level.max(next.best_average().0);
        }
        Ok(next)
    }

    fn at_least(&mut self, amount: Micros) -> Result<(), Obstacle> {
        let quantum = self.prepared.quantum;
        self.floor = self.floor.max(units_up(amount, quantum));
        if self.floor > self.cap {
            return Err(Obstacle::Minimum {
                minimum: amount,
                most: Micros::new(self.cap * quantum.get()),
            });
        }
        Ok(())
    }

    fn bound(&mut self) {
        let quantum = self.prepared.quantum;
        self.tree
            .within(major(self.floor, quantum), major(self.cap, quantum));
    }

    /// What is brought and spent where no unit brings less than a level.
    fn at(&self, ln: f64) -> (f64, f64) {
        let solution = self.tree.solve(self.prepared.curves.len(), ln);
        let arms = self.prepared.curves.iter().zip(&solution.spend);
        arms.fold((0.0, 0.0), |(value, spent), (curve, &spend)| {
            (value + curve.value(spend), spent + spend)
        })
    }

    /// Whether some spend within the bounds brings this average: at the level of the average
    /// itself, value less average × spend is at its most.
    fn reaches(&self, average: f64) -> bool {
        let (value, spend) = self.at(ln_level(average.max(self.level)));
        value >= average * spend * (1.0 - 1e-9)
    }

    /// The highest return on all spend, and the spend: Dinkelbach's iteration.
    ///
    /// Source: Dinkelbach (1967), On nonlinear fractional programming.
    fn best_average(&self) -> (f64, f64) {
        let mut best = (0.0_f64, 0.0);
        for _ in 0..100 {
            let (value, spend) = self.at(ln_level(best.0.max(self.level)));
            if spend <= 0.0 {
                return best;
            }
            let average = value / spend;
            let done = average <= best.0 * (1.0 + 1e-14);
            best = (average.max(best.0), spend);
            if done {
                break;
            }
        }
        best
    }

    fn out_of_reach(&self, average: f64, goal: Goal) -> Obstacle {
        let (best, spend) = self.best_average();
        let at = rounded(spend);
        match goal {
            Goal::TargetCpa(wanted) => Obstacle::Cpa {
                wanted,
                best: (best > 0.0).then(|| 1.0 / best),
                at,
            },
            Goal::TargetRoas(wanted) => Obstacle::Roas { wanted, best, at },
            // A minimum that an earlier target does not allow.
            _ => Obstacle::Roas {
                wanted: ratio(average),
                best,
                at,
            },
        }
    }

    /// Caps the whole spend where a return would be missed beyond it.
    ///
    /// The value less average × spend rises with the level up to the average, so that one search
    /// finds the least level that meets it; and where demand jumps there, how far into the jump.
    fn keep_average(&mut self, average: f64) {
        let excess = |ln: f64| {
            let (value, spend) = self.at(ln);
            (value - average * spend, spend)
        };
        let solution = self.solve();
        let mut low = ln_level(self.level).max(solution.levels[0].ln.min(ln_level(average)));
        let mut high = ln_level(average.max(self.level));
        let under = excess(low).0;
        if under >= 0.0 {
            return;
        }
        let (mut over, mut spend) = excess(high);
        let mut last = 0_i8;
        let (mut under_seen, mut over_seen) = (under, over);
        for pass in 1..=200 {
            let width = high - low;
            if width <= 4.0 * f64::EPSILON * high.abs().max(1.0) {
                break;
            }
            let chord = low + width * (-under_seen / (over_seen - under_seen));
            let middle = if low < chord && chord < high && pass % 4 != 0 {
                chord
            } else {
                low + 0.5 * width
            };
            let (found, spent) = excess(middle);
            if found >= 0.0 {
                (high, over, spend, over_seen) = (middle, found, spent, found);
                if last == 1 {
                    under_seen *= 0.5;
                }
                last = 1;
                if found <= 1e-13 * average * spent {
                    break;
                }
            } else {
                (low, under_seen) = (middle, found);
                if last == -1 {
                    over_seen *= 0.5;
                }
                last = -1;
            }
        }
        // Within a jump each unit brings the level, and takes the rest of it off the excess.
        let step = over / (average - exp(low)).max(f64::MIN_POSITIVE);
        let beyond = excess(low).1;
        let cap = (spend + step).min(beyond);
        let least = major(self.floor.max(self.prepared.least), self.prepared.quantum);
        let cap = cap.max(least);
        self.target_cap = Some(self.target_cap.map_or(cap, |before| before.min(cap)));
        self.tree
            .within(major(self.floor, self.prepared.quantum), cap);
    }
}

/// An amount as people read it, to the cent.
fn rounded(spend: f64) -> Micros {
    let cent = Micros::new(10_000);
    Micros::new(whole_units(spend, cent).max(0) * cent.get())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "shown to people; saturates"
)]
fn ratio(average: f64) -> Ratio {
    Ratio::from_ppm((average * 1e6).round() as i64)
}
