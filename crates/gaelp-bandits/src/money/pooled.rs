//! Hours × platforms as arms that learn from each other.

use gaelp_core::{DecisionId, DecisionKey, PolicyVersion, Seed};
use serde::{Deserialize, Serialize};

use super::snapshot::PooledSnapshot;
use crate::numeric::sampler::Gamma;
use crate::{Events, ParameterViolation, Tally};

/// What is believed before the first event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PooledPrior {
    /// The mean rate of a row, from 1e-9 to 1e9.
    pub mean: f64,
    /// How many events that belief is worth, from 0.001 to 1e9.
    pub events: f64,
    /// How many events the belief is worth that all columns are alike, from 0.001 to 1e9.
    pub alike: f64,
}

impl Default for PooledPrior {
    /// Worth two events per row, and thirty for columns that are alike: hours of the day differ by
    /// less than ad sets do.
    fn default() -> Self {
        Self {
            mean: 1.0,
            events: 2.0,
            alike: 30.0,
        }
    }
}

/// How rates are read from what is believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimism {
    /// The mean: exploits.
    Mean,
    /// The mean and so many standard deviations of the row: explores. One is right for a few
    /// orders a day.
    Upper(f64),
    /// A draw of every row and every column.
    Draw(Seed, DecisionId),
}

/// Rates of events in rows × columns, such as ad sets × hours of the day, where a rate is a row's
/// times a column's.
///
/// With 8 ad sets, 24 hours and two orders a day, each of 192 arms sees an order every three
/// months. Arms that learn alone then earn less than an equal split does. Here a row learns from
/// all its hours and an hour from all ad sets: 32 numbers are learnt instead of 192.
///
/// Rows and columns are gamma–Poisson, each given the means of the other, and fitted in turns.
/// Columns are scaled so that their mean, weighted by exposure, is 1.
///
/// Serialised, it is a snapshot that is checked when restored.
///
/// **Units**: events per exposure; with exposure in expected value per order, a rate is a return.
///
/// **Cost**: reading takes 8 × rows × columns steps: 3 µs for 8 × 24; 64 bytes per cell.
///
/// **Source**: Gopalan, Hofman & Blei (2015), Scalable recommendation with hierarchical Poisson
/// factorization, with one factor and coordinate ascent on means; the width is the posterior
/// standard deviation of a gamma rate.
///
/// ```
/// use gaelp_bandits::{Events, Optimism, PooledPrior, PooledRates};
///
/// let mut rates = PooledRates::new(2, 3, PooledPrior::default())?;
/// rates.observe(0, 0, Events::new(6, 2.0)?)?;
/// rates.observe(1, 0, Events::new(1, 2.0)?)?;
/// let rate = rates.read(Optimism::Mean);
/// assert!(rate.get(0, 1) > rate.get(1, 1)); // nothing was seen in column 1
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PooledSnapshot", into = "PooledSnapshot")]
pub struct PooledRates {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) prior: PooledPrior,
    /// Row by row: `trials` is exposure, `amount` events.
    pub(super) cells: Vec<Tally>,
}

/// The rates of all cells, as read from a [`PooledRates`].
#[derive(Clone, Debug, PartialEq)]
pub struct RateTable {
    columns: usize,
    rates: Vec<f64>,
}

impl RateTable {
    /// The rate of a cell; zero for a cell that is not there.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        if column >= self.columns {
            return 0.0;
        }
        let cell = row.checked_mul(self.columns).map(|start| start + column);
        cell.and_then(|cell| self.rates.get(cell))
            .copied()
            .unwrap_or(0.0)
    }

    /// All rates, row by row.
    pub fn as_slice(&self) -> &[f64] {
        &self.rates
    }
}

impl PooledRates {
    /// Rates of which nothing was seen.
    ///
    /// # Errors
    /// [`PooledError`] without rows or columns, with more than a million cells, and for priors out
    /// of range.
    pub fn new(rows: usize, columns: usize, prior: PooledPrior) -> Result<Self, PooledError> {
        const MOST: usize = 1_000_000;
        let all = [
            ParameterViolation::check("mean", prior.mean, 1e-9, 1e9),
            ParameterViolation::check("events", prior.events, 1e-3, 1e9),
            ParameterViolation::check("alike", prior.alike, 1e-3, 1e9),
        ];
        if let Some(violation) = all.into_iter().flatten().next() {
            return Err(PooledError::Prior(violation));
        }
        let cells = rows
            .checked_mul(columns)
            .filter(|cells| (1..=MOST).contains(cells));
        let cells = cells.ok_or(PooledError::Shape { rows, columns })?;
        Ok(Self {
            rows,
            columns,
            prior,
            cells: vec![Tally::default(); cells],
        })
    }

    /// Learns what came of a cell.
    ///
    /// # Errors
    /// [`PooledError`] for a cell that is not there, or that is full.
    pub fn observe(&mut self, row: usize, column: usize, seen: Events) -> Result<(), PooledError> {
        self.change(row, column, seen, Tally::plus)
    }

    /// Takes back what was learnt: the exact inverse of [`PooledRates::observe`].
    ///
    /// # Errors
    /// [`PooledError`] for a cell that is not there, or has not seen that much.
    pub fn undo(&mut self, row: usize, column: usize, seen: Events) -> Result<(), PooledError> {
        self.change(row, column, seen, Tally::minus)
    }

    /// Learns what another has seen, without its prior: associative and commutative.
    ///
    /// # Errors
    /// [`PooledError`] for another shape, and where a cell would be full; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), PooledError> {
        let (rows, columns) = (other.rows, other.columns);
        if (rows, columns) != (self.rows, self.columns) {
            return Err(PooledError::Shape { rows, columns });
        }
        let sums = self.cells.iter().zip(&other.cells);
        let sums: Option<Vec<_>> = sums.map(|(one, other)| one.plus(*other)).collect();
        self.cells = sums.ok_or(PooledError::Full)?;
        Ok(())
    }

    /// The rate of every cell.
    pub fn read(&self, optimism: Optimism) -> RateTable {
        let fit = self.fit();
        let (row, column) = match optimism {
            Optimism::Mean => (fit.rows.iter().map(Gam::mean).collect(), fit.column_means),
            Optimism::Upper(widths) => {
                let upper = |row: &Gam| row.mean() + widths * row.shape.sqrt() / row.rate;
                (fit.rows.iter().map(upper).collect(), fit.column_means)
            }
            Optimism::Draw(seed, decision) => {
                let key = DecisionKey {
                    seed,
                    policy: PolicyVersion::new(0),
                    decision,
                };
                let mut rng = key.generator();
                let mut draw = |law: &Gam| {
                    crate::numeric::elementary::exp(Gamma::new(law.shape).draw_ln(&mut rng))
                        / law.rate
                };
                let rows: Vec<f64> = fit.rows.iter().map(&mut draw).collect();
                (rows, fit.columns.iter().map(&mut draw).collect())
            }
        };
        let rates = row
            .iter()
            .flat_map(|row| column.iter().map(move |column| row * column));
        RateTable {
            columns: self.columns,
            rates: rates.collect(),
        }
    }

    fn change(
        &mut self,
        row: usize,
        column: usize,
        seen: Events,
        with: fn(Tally, Tally) -> Option<Tally>,
    ) -> Result<(), PooledError> {
        if row >= self.rows || column >= self.columns {
            return Err(PooledError::NoCell { row, column });
        }
        let cell = &mut self.cells[row * self.columns + column];
        *cell = with(*cell, seen.tally()).ok_or(PooledError::Full)?;
        Ok(())
    }

    fn fit(&self) -> Fit {
        const TURNS: u32 = 4;
        let PooledPrior {
            mean,
            events,
            alike,
        } = self.prior;
        let seen: Vec<_> = self.cells.iter().map(Tally::figures).collect();
        let exposure = |column: usize| -> f64 {
            seen.iter()
                .skip(column)
                .step_by(self.columns)
                .map(|cell| cell.trials)
                .sum()
        };
        let weights: Vec<f64> = (0..self.columns)
            .map(|column| 1e-9 + exposure(column))
            .collect();
        let all_weights: f64 = weights.iter().sum();
        let mut column_means = vec![1.0; self.columns];
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            rows = seen
                .chunks(self.columns)
                .map(|row| {
                    let cells = row.iter().zip(&column_means);
                    Gam {
                        shape: events + row.iter().map(|cell| cell.amount).sum::<f64>(),
                        rate: events / mean + cells.map(|(cell, g)| cell.trials * g).sum::<f64>(),
                    }
                })
                .collect();
            columns = (0..self.columns)
                .map(|column| {
                    let cells = seen.iter().skip(column).step_by(self.columns).zip(&rows);
                    let mut law = Gam {
                        shape: alike,
                        rate: alike,
                    };
                    for (cell, row) in cells {
                        law.shape += cell.amount;
                        law.rate += cell.trials * row.mean();
                    }
                    law
                })
                .collect();
            let average = columns
                .iter()
                .zip(&weights)
                .map(|(law, weight)| law.mean() * weight);
            let scale = average.sum::<f64>() / all_weights;
            for law in &mut columns {
                law.rate *= scale;
            }
            column_means = columns.iter().map(Gam::mean).collect();
        }
        Fit {
            rows,
            columns,
            column_means,
        }
    }
}

/// What is believed of rows and columns.
struct Fit {
    rows: Vec<Gam>,
    columns: Vec<Gam>,
    column_means: Vec<f64>,
}

/// A gamma law.
struct Gam {
    shape: f64,
    rate: f64,
}

impl Gam {
    fn mean(&self) -> f64 {
        self.shape / self.rate
    }
}

/// What pooled rates refuse.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PooledError {
    /// A prior out of range.
    #[error("the prior's {0}")]
    Prior(ParameterViolation),
    /// No cells, too many, or another shape than these rates have.
    #[error("{rows} rows × {columns} columns do not fit")]
    Shape {
        /// How many rows.
        rows: usize,
        /// How many columns.
        columns: usize,
    },
    /// A cell that is not there.
    #[error("there is no cell in row {row}, column {column}")]
    NoCell {
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
    },
    /// The cell cannot hold more, or has not seen what is to be taken back.
    #[error("the cell cannot hold that, or never saw it")]
    Full,
}
