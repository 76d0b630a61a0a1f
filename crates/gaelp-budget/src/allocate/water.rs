//! The level alone, for spend that can be divided at will.

use super::block::Block;
use super::level::{Held, Node, Tree};
use super::ln_level;
use crate::error::Ranges;
use crate::math::exp;
use crate::{OutOfRanges, ResponseCurve};

/// Many arms under one budget, each between two bounds, prepared to be asked often.
///
/// It is the inner part of [`allocate`](crate::allocate), without groups, quanta and proof: for
/// simulations, and for plans over arms × hours.
///
/// **Units.** Major units.
///
/// **Cost.** Preparing asks each curve twice. A solution takes about eight passes: 24 arms 1.3 µs,
/// a thousand 16 µs, a million 30 ms.
///
/// ```
/// use gaelp_budget::{ResponseCurve, WaterLevel};
///
/// let curves = [ResponseCurve::log(30.0, 10.0)?, ResponseCurve::hill(25.0, 5.0)?];
/// let water = WaterLevel::new(curves.iter().map(|curve| (curve, 0.0, 100.0)))?;
/// let mut spend = Vec::new();
/// let point = water.solve(10.0, 0.0, &mut spend);
/// assert!((spend.iter().sum::<f64>() - 10.0).abs() < 1e-12);
/// assert!(point.level > 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct WaterLevel {
    tree: Tree,
    arms: usize,
}

/// Where the water stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaterPoint {
    /// What the next unit of spend brings.
    pub level: f64,
    /// Whether the budget holds it there; if not, the goal's level or the arms' bounds do.
    pub budget_binds: bool,
}

impl WaterLevel {
    /// Arms with their least and most spend.
    ///
    /// # Errors
    /// [`OutOfRanges`] for bounds that are negative, above 1e12, or the wrong way round.
    pub fn new<'a>(
        arms: impl IntoIterator<Item = (&'a ResponseCurve, f64, f64)>,
    ) -> Result<Self, OutOfRanges> {
        let mut block = Block::new();
        let mut count = 0;
        for (curve, low, high) in arms {
            Ranges::default()
                .check("the least spend", low, 0.0, 1e12)
                .check("the most spend", high, low, 1e12)
                .done()?;
            block.push(count, curve, low, high);
            count += 1;
        }
        let node = Node {
            floor: 0.0,
            cap: f64::INFINITY,
            block,
            children: Vec::new(),
        };
        Ok(Self {
            tree: Tree::new(vec![node]),
            arms: count,
        })
    }

    /// Spends a budget where no unit brings less than `least`; the arms' least spend is spent in
    /// any case, and their spend is written to `spend`, in their order.
    pub fn solve(&self, budget: f64, least: f64, spend: &mut Vec<f64>) -> WaterPoint {
        // Every arm's place is written.
        spend.resize(self.arms, 0.0);
        let level = self
            .tree
            .level_within(budget.max(0.0), ln_level(least), spend);
        let budget_binds = matches!(level.held, Some((_, Held::Cap)));
        WaterPoint {
            level: exp(level.ln),
            budget_binds,
        }
    }
}
