//! The plain strategies that users know from elsewhere, on one interface.

use gaelp_core::{Micros, split_by};

use super::{Infeasible, Obstacle};

/// What an arm has done, for strategies that look at nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// What was spent.
    pub spend: f64,
    /// What it took in.
    pub revenue: f64,
    /// How often it converted.
    pub conversions: f64,
    /// The least that it may get.
    pub floor: Micros,
    /// The most that it may get.
    pub ceiling: Micros,
}

/// Something that shares a budget out by figures alone.
///
/// These are what spreadsheets do, kept for comparison and for users who ask for them by name.
/// They look at averages where the next dollar is what counts; [`allocate`](crate::allocate) is
/// what to use.
///
/// **Implementers** give each arm a weight; floors, ceilings and the sum are seen to here.
///
/// ```
/// use gaelp_budget::{Allocator, Equal, Figures, RoasShare};
/// use gaelp_core::Micros;
///
/// let figures = |revenue| Figures {
///     spend: 10.0,
///     revenue,
///     ceiling: Micros::MAX,
///     ..Figures::default()
/// };
/// let arms = [figures(30.0), figures(10.0)];
/// let budget: Micros = "8.00".parse()?;
/// assert_eq!(Equal.share_out(&arms, budget)?, ["4.00".parse()?, "4.00".parse()?]);
/// assert_eq!(RoasShare.share_out(&arms, budget)?, ["6.00".parse()?, "2.00".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Allocator {
    /// The weight of an arm; whatever is not a positive number counts as nothing.
    fn weight(&self, arm: &Figures) -> f64;

    /// Shares the budget out by weight, within floors and ceilings, to the micro.
    ///
    /// Where no arm has a weight, all have the same. What ceilings leave over stays unspent.
    ///
    /// # Errors
    /// [`Infeasible`] where a floor is above its ceiling, or the floors are above the budget.
    fn share_out(&self, arms: &[Figures], budget: Micros) -> Result<Vec<Micros>, Infeasible> {
        let weights = arms.iter().map(|arm| {
            let weight = self.weight(arm);
            if weight > 0.0 && weight.is_finite() {
                weight
            } else {
                0.0
            }
        });
        let mut weights: Vec<f64> = weights.collect();
        if weights.iter().all(|&weight| weight <= 0.0) {
            weights.fill(1.0);
        }
        within_bounds(&weights, arms, budget)
    }
}

/// Everybody the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Equal;

impl Allocator for Equal {
    fn weight(&self, _: &Figures) -> f64 {
        1.0
    }
}

/// By revenue over spend. Arms that have spent nothing have no return, and get nothing.
///
/// An ad set with one lucky order on little spend gets nearly everything: the average of a small
/// ad set says nothing about the next dollar of a larger one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoasShare;

impl Allocator for RoasShare {
    fn weight(&self, arm: &Figures) -> f64 {
        arm.revenue / arm.spend
    }
}

/// By conversions over spend: the inverse of the cost per acquisition. Arms that have spent nothing
/// have no cost, and get nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpaShare;

impl Allocator for CpaShare {
    fn weight(&self, arm: &Figures) -> f64 {
        arm.conversions / arm.spend
    }
}

/// By revenue: who took in most gets most, whatever it cost. What gets most takes in most, so it
/// mostly keeps things as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performance;

impl Allocator for Performance {
    fn weight(&self, arm: &Figures) -> f64 {
        arm.revenue
    }
}

/// Shares by weight; arms that a bound holds are settled and the rest is shared anew, until none is
/// held. Where floors hold more than ceilings, the floors are settled first, otherwise the ceilings:
/// so no arm is held that would not be in the end.
fn within_bounds(
    weights: &[f64],
    arms: &[Figures],
    budget: Micros,
) -> Result<Vec<Micros>, Infeasible> {
    check(arms, budget)?;
    let mut given = vec![Micros::ZERO; arms.len()];
    let mut open: Vec<usize> = (0..arms.len()).collect();
    let mut left = budget;
    while !open.is_empty() {
        let mine: Vec<f64> = open.iter().map(|&arm| weights[arm]).collect();
        // Those who are left and have no weight get their floors.
        let parts = split_by(left, &mine).unwrap_or_else(|_| vec![Micros::ZERO; open.len()]);
        let (mut raised, mut cut) = (0_i128, 0_i128);
        for (&arm, part) in open.iter().zip(&parts) {
            raised += i128::from((arms[arm].floor.get() - part.get()).max(0));
            cut += i128::from((part.get() - arms[arm].ceiling.get()).max(0));
        }
        let before = open.len();
        let mut still = Vec::new();
        for (&arm, &part) in open.iter().zip(&parts) {
            let Figures { floor, ceiling, .. } = arms[arm];
            let settled = if part < floor && raised >= cut {
                Some(floor)
            } else if part > ceiling && cut >= raised {
                Some(ceiling)
            } else {
                None
            };
            match settled {
                Some(amount) => {
                    given[arm] = amount;
                    left = left.checked_sub(amount).unwrap_or(Micros::ZERO);
                }
                None => still.push(arm),
            }
        }
        if still.len() == before {
            for (arm, part) in open.into_iter().zip(parts) {
                given[arm] = part;
            }
            break;
        }
        left = left.max(Micros::ZERO);
        open = still;
    }
    Ok(given)
}

fn check(arms: &[Figures], budget: Micros) -> Result<(), Infeasible> {
    let mut obstacles = Vec::new();
    if arms.is_empty() {
        obstacles.push(Obstacle::NoArms);
    }
    if budget.is_negative() {
        obstacles.push(Obstacle::NegativeBudget(budget));
    }
    for (place, arm) in arms.iter().enumerate() {
        if arm.floor > arm.ceiling || arm.floor.is_negative() {
            obstacles.push(Obstacle::ArmBounds {
                arm: format!("arm {place}"),
                floor: arm.floor,
                ceiling: arm.ceiling,
                quantum: Micros::new(1),
            });
        }
    }
    let floors = Micros::checked_sum(arms.iter().map(|arm| arm.floor)).unwrap_or(Micros::MAX);
    if obstacles.is_empty() && floors > budget {
        obstacles.push(Obstacle::FloorsAboveBudget {
            arms: arms.iter().filter(|arm| !arm.floor.is_zero()).count(),
            floors,
            budget,
            fit: Vec::new(),
            least: None,
        });
    }
    Infeasible::new(obstacles)
}
