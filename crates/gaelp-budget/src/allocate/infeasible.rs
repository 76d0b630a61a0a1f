//! Why there is no plan, in words that an advertiser understands.

use std::fmt;

use gaelp_core::{Micros, Ratio};

use super::Goal;

/// Everything that stands in the way of a plan, and what would be possible instead.
///
/// ```
/// use gaelp_budget::{ArmLimits, CapTree, Goal, GroupId, ResponseCurve, allocate};
///
/// let mut tree = CapTree::new("account");
/// let limits = ArmLimits::between("20.00".parse()?, "50.00".parse()?);
/// for name in ["one", "two", "three"] {
///     tree.arm(GroupId::WHOLE, name, ResponseCurve::log(40.0, 10.0)?, limits)?;
/// }
/// let cent = "0.01".parse()?;
/// let Err(why) = allocate(&tree, "10.00".parse()?, cent, &[Goal::MaxRevenue]) else {
///     return Err("3 × 20.00 do not fit into 10.00".into());
/// };
/// assert_eq!(
///     why.to_string(),
///     "the minimums of 3 ad sets add up to 60.00, and the budget is 10.00: \
///      none of them can run every day; one, which needs 20.00, can run one day in 2"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Infeasible(Vec<Obstacle>);

impl Infeasible {
    pub(super) fn new(obstacles: Vec<Obstacle>) -> Result<(), Self> {
        if obstacles.is_empty() {
            Ok(())
        } else {
            Err(Self(obstacles))
        }
    }

    pub(super) fn one(obstacle: Obstacle) -> Self {
        Self(vec![obstacle])
    }

    /// Each of them; at least one.
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.0
    }
}

impl fmt::Display for Infeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, obstacle) in self.0.iter().enumerate() {
            let between = if place == 0 { "" } else { "; " };
            write!(f, "{between}{obstacle}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Infeasible {}

/// One thing that stands in the way of a plan, or of one of its goals.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Obstacle {
    /// There are no arms.
    NoArms,
    /// There are no goals.
    NoGoals,
    /// A budget below zero.
    NegativeBudget(Micros),
    /// A quantum that is not above zero.
    Quantum(Micros),
    /// A goal whose own figure makes no sense, such as a margin of zero.
    Senseless(Goal),
    /// An arm's floor is above its ceiling, or no whole number of quanta lies between them.
    ArmBounds {
        /// The arm.
        arm: String,
        /// Its floor.
        floor: Micros,
        /// Its ceiling.
        ceiling: Micros,
        /// The quantum.
        quantum: Micros,
    },
    /// The floors need more than the budget.
    FloorsAboveBudget {
        /// How many arms have a floor.
        arms: usize,
        /// What they need together.
        floors: Micros,
        /// What there is.
        budget: Micros,
        /// The arms that could run within the budget, the most of them that can.
        fit: Vec<String>,
        /// Where none fits: the one with the least floor, and what that is.
        least: Option<(String, Micros)>,
    },
    /// The floors of a group's members need more than its cap.
    FloorsAboveCap {
        /// The group.
        group: String,
        /// What its members need.
        floors: Micros,
        /// What it may spend.
        cap: Micros,
    },
    /// A group's members cannot spend its floor.
    CeilingsBelowFloor {
        /// The group.
        group: String,
        /// What its members may spend.
        ceilings: Micros,
        /// What it must spend.
        floor: Micros,
    },
    /// A minimum spend above the budget, or above what may be spent.
    Minimum {
        /// What is to be spent at least.
        minimum: Micros,
        /// What can be.
        most: Micros,
    },
    /// A maximum below what must be spent.
    Maximum {
        /// What is to be spent at most.
        maximum: Micros,
        /// What must be.
        least: Micros,
    },
    /// The return is out of reach.
    Roas {
        /// The return that is wanted.
        wanted: Ratio,
        /// The best that can be had.
        best: f64,
        /// At this spend.
        at: Micros,
    },
    /// The cost of a conversion is out of reach.
    Cpa {
        /// The cost that is wanted.
        wanted: Micros,
        /// The least that can be had; `None` where nothing converts.
        best: Option<f64>,
        /// At this spend.
        at: Micros,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoArms => f.write_str("there is nothing to spend on"),
            Self::NoGoals => f.write_str("there is no goal"),
            Self::NegativeBudget(budget) => write!(f, "the budget is {budget}, below zero"),
            Self::Quantum(quantum) => write!(f, "budgets cannot be set in steps of {quantum}"),
            Self::Senseless(goal) => write!(f, "the goal {goal:?} needs a figure above zero"),
            Self::ArmBounds {
                arm,
                floor,
                ceiling,
                quantum,
            } => write!(
                f,
                "{arm} may spend from {floor} to {ceiling}, and no multiple of {quantum} lies there"
            ),
            Self::FloorsAboveBudget {
                arms,
                floors,
                budget,
                fit,
                least,
            } => {
                write!(
                    f,
                    "the minimums of {arms} ad sets add up to {floors}, and the budget is {budget}: "
                )?;
                over_budget(f, *budget, fit, least.as_ref())
            }
            Self::FloorsAboveCap { group, floors, cap } => write!(
                f,
                "{group} may spend {cap}, and the minimums of what it holds add up to {floors}"
            ),
            Self::CeilingsBelowFloor {
                group,
                ceilings,
                floor,
            } => write!(
                f,
                "{group} must spend {floor}, and what it holds may spend {ceilings} at most"
            ),
            Self::Minimum { minimum, most } => write!(
                f,
                "at least {minimum} is to be spent, and no more than {most} can be"
            ),
            Self::Maximum { maximum, least } => write!(
                f,
                "at most {maximum} is to be spent, and the minimums need {least}"
            ),
            Self::Roas { wanted, best, at } => write!(
                f,
                "a return of {wanted} is out of reach: the best is {best:.2}, on {at}"
            ),
            Self::Cpa {
                wanted,
                best: Some(best),
                at,
            } => write!(
                f,
                "a cost of {wanted} per conversion is out of reach: the least is {best:.2}, on {at}"
            ),
            Self::Cpa {
                wanted,
                best: None,
                at,
            } => write!(
                f,
                "a cost of {wanted} per conversion is out of reach: nothing converts, on {at}"
            ),
        }
    }
}

fn over_budget(
    f: &mut fmt::Formatter<'_>,
    budget: Micros,
    fit: &[String],
    least: Option<&(String, Micros)>,
) -> fmt::Result {
    if !fit.is_empty() {
        let names = fit.join(", ");
        let verb = if fit.len() == 1 {
            "can"
        } else {
            "can together"
        };
        return write!(f, "{} of them {verb} run within it: {names}", fit.len());
    }
    f.write_str("none of them can run every day")?;
    match least {
        Some((name, floor)) if budget > Micros::ZERO => {
            let days = floor.get() / budget.get() + i64::from(floor.get() % budget.get() != 0);
            write!(
                f,
                "; {name}, which needs {floor}, can run one day in {days}"
            )
        }
        _ => Ok(()),
    }
}
