//! A day's budget over ad sets × hours.

use gaelp_core::{Micros, SplitError, split_by};

use crate::{CurveError, OutOfRanges, ResponseCurve, WaterLevel, error::Ranges};

/// A day's budget, levelled over all ad sets and hours by what their rates promise, and never by
/// less than an equal split does.
///
/// A cell earns rate · reach · ln(1 + spend ÷ reach): its return falls as an hour's people are used
/// up. With 8 ad sets, 24 hours and two orders a day no cell can be learnt alone; the rates should
/// come from a model that pools them, `PooledRates` of `gaelp-bandits`: a row's times a column's.
/// Read it with `Optimism::Upper(1.0)`, which earned most, or by `Draw` or `Mean`.
///
/// **Never below the equal split.** The plan is judged by `judge`, the rates without optimism. Where
/// they say that it brings less than the budget spread equally over ad sets, by the reach of hours,
/// that is what is done.
///
/// **Cost.** About ten passes: 6 µs for 8 × 24.
///
/// ```
/// use gaelp_budget::HourlyKnapsack;
/// use gaelp_core::Micros;
///
/// // Two ad sets and three hours; the second hour has most people.
/// let knapsack = HourlyKnapsack::new(2, &[2.0, 8.0, 2.0])?;
/// let rates = [3.0, 3.0, 3.0, 1.0, 1.0, 1.0];
/// let plan = knapsack.plan(&rates, &rates, "6.00".parse()?)?;
/// assert_eq!(Micros::checked_sum(plan.spend.iter().copied()), Some("6.00".parse()?));
/// assert_eq!(plan.of(0, 1), "4.00".parse()?); // all to the first, by the reach of hours
/// assert!(!plan.equal);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HourlyKnapsack {
    rows: usize,
    reach: Vec<f64>,
}

/// What each ad set gets in each hour.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HourlyPlan {
    /// Row by row; the sum is the budget, exactly.
    pub spend: Vec<Micros>,
    /// Whether it is the equal split, because the plan promised less.
    pub equal: bool,
    /// What the plan promises by the judging rates, and what the equal split does.
    pub promised: (f64, f64),
    columns: usize,
}

impl HourlyPlan {
    /// What an ad set gets in an hour; nothing where there is none.
    pub fn of(&self, row: usize, column: usize) -> Micros {
        let cell = row
            .checked_mul(self.columns)
            .and_then(|start| start.checked_add(column));
        let cell = cell.filter(|_| column < self.columns);
        cell.and_then(|cell| self.spend.get(cell))
            .copied()
            .unwrap_or(Micros::ZERO)
    }
}

impl HourlyKnapsack {
    /// So many ad sets, and for each hour the spend of one ad set at which its people are used up by
    /// ln 2, in major units, from 1e-6 to 1e9.
    ///
    /// # Errors
    /// [`KnapsackShapeError`] without ad sets or hours, and for a reach out of range.
    pub fn new(rows: usize, reach: &[f64]) -> Result<Self, KnapsackShapeError> {
        if rows == 0 || reach.is_empty() || rows.checked_mul(reach.len()).is_none() {
            return Err(KnapsackShapeError::Empty);
        }
        for &reach in reach {
            Ranges::default().check("reach", reach, 1e-6, 1e9).done()?;
        }
        Ok(Self {
            rows,
            reach: reach.to_vec(),
        })
    }

    /// Levels a day's budget by the rates, row by row, and judges it by others.
    ///
    /// # Errors
    /// [`KnapsackShapeError`] for another number of rates, and for rates that are negative or no
    /// numbers.
    pub fn plan(
        &self,
        rates: &[f64],
        judge: &[f64],
        budget: Micros,
    ) -> Result<HourlyPlan, KnapsackShapeError> {
        let cells = self.rows * self.reach.len();
        for rates in [rates, judge] {
            if rates.len() != cells {
                return Err(KnapsackShapeError::Rates {
                    expected: cells,
                    found: rates.len(),
                });
            }
        }
        let reach: Vec<f64> = (0..self.rows)
            .flat_map(|_| self.reach.iter().copied())
            .collect();
        let curve = |(rate, reach): (&f64, &f64)| ResponseCurve::log(rate * reach, *reach);
        let curves: Vec<_> = rates
            .iter()
            .zip(&reach)
            .map(curve)
            .collect::<Result<_, _>>()?;
        let judging: Vec<_> = judge
            .iter()
            .zip(&reach)
            .map(curve)
            .collect::<Result<_, _>>()?;
        let amount = budget.max(Micros::ZERO).to_major_f64();
        let water = WaterLevel::new(curves.iter().map(|curve| (curve, 0.0, amount)))?;
        let mut spend = Vec::new();
        water.solve(amount, 0.0, &mut spend);
        let whole: f64 = self.reach.iter().sum();
        let each = amount / whole / as_f64(self.rows);
        let even: Vec<f64> = reach.iter().map(|reach| reach * each).collect();
        let promised = |spend: &[f64]| -> f64 {
            let cells = judging.iter().zip(spend);
            cells
                .map(|(curve, spend)| crate::Curve::value(curve, *spend))
                .sum()
        };
        let (planned, equal) = (promised(&spend), promised(&even));
        let falls_back = planned < equal || spend.iter().all(|spend| *spend <= 0.0);
        let weights = if falls_back { &even } else { &spend };
        Ok(HourlyPlan {
            spend: split_by(budget, weights)?,
            equal: falls_back,
            promised: (planned, equal),
            columns: self.reach.len(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "few ad sets")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// What an hourly knapsack refuses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KnapsackShapeError {
    /// No ad sets, or no hours.
    #[error("there are no ad sets or no hours")]
    Empty,
    /// A reach out of range.
    #[error("{0}")]
    Reach(#[from] OutOfRanges),
    /// Another number of rates.
    #[error("{expected} rates are expected, not {found}")]
    Rates {
        /// Ad sets × hours.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// A rate that is negative, no number, or too large.
    #[error("a rate is out of range: {0}")]
    Rate(#[from] CurveError),
    /// Nothing to split by.
    #[error("{0}")]
    Split(#[from] SplitError),
}
