//! The stored forms of what spends money.

use std::collections::BTreeMap;

use gaelp_core::{DecisionId, Micros, PropensityMethod};
use serde::{Deserialize, Serialize};

use super::{CostAware, Knapsack, KnapsackTerms, PooledPrior, PooledRates};
use crate::snapshot::{FORMAT, checked_format};
use crate::{Bandit, Policy, Selection, SnapshotError, Tally};

/// A [`Knapsack`] as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnapsackSnapshot {
    format: u32,
    terms: KnapsackTerms,
    bandit: Bandit<CostAware>,
    rounds_left: u64,
    spent: Micros,
    open: Vec<(DecisionId, Selection)>,
    broken: bool,
}

impl From<Knapsack> for KnapsackSnapshot {
    fn from(knapsack: Knapsack) -> Self {
        Self {
            format: FORMAT,
            terms: knapsack.terms,
            bandit: knapsack.bandit,
            rounds_left: knapsack.rounds_left,
            spent: knapsack.spent,
            open: knapsack.open.into_iter().collect(),
            broken: knapsack.broken,
        }
    }
}

impl TryFrom<KnapsackSnapshot> for Knapsack {
    type Error = SnapshotError;

    fn try_from(snapshot: KnapsackSnapshot) -> Result<Self, Self::Error> {
        let impossible = |what| Err(SnapshotError::Impossible { what });
        checked_format(snapshot.format)?;
        let terms = snapshot.terms;
        if !terms.are_sound() {
            return impossible("terms");
        }
        if snapshot.bandit.rule() != &CostAware::default() {
            return impossible("rule");
        }
        let Some(over) = terms.rounds.checked_sub(snapshot.rounds_left) else {
            return impossible("rounds");
        };
        let mut open = BTreeMap::new();
        for (decision, selection) in snapshot.open {
            let lives = snapshot.bandit.key(selection.key.arm) == Some(selection.key)
                && selection.method == PropensityMethod::Exact
                && selection.policy <= snapshot.bandit.version();
            if !lives || open.insert(decision, selection).is_some() {
                return Err(SnapshotError::Decision { decision });
            }
        }
        let settled: f64 = snapshot.bandit.arms().map(|(_, seen)| seen.trials).sum();
        #[expect(clippy::cast_precision_loss, reason = "a bound")]
        if settled + open.len() as f64 > over as f64 {
            return impossible("rounds");
        }
        let restored = Self {
            terms,
            bandit: snapshot.bandit,
            rounds_left: snapshot.rounds_left,
            spent: snapshot.spent,
            open,
            broken: snapshot.broken,
        };
        let used = restored.spent.checked_add(restored.reserved());
        let within = restored.broken || used.is_some_and(|used| used <= terms.budget);
        if restored.spent.is_negative() || !within {
            return impossible("spend");
        }
        Ok(restored)
    }
}

/// [`PooledRates`] as they are stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PooledSnapshot {
    format: u32,
    rows: usize,
    columns: usize,
    prior: PooledPrior,
    /// Exposure in millionths, and events, row by row.
    cells: Vec<(i128, i128)>,
}

/// Events are counted in millionths, as all sums are.
const EVENT: i128 = 1_000_000;

impl From<PooledRates> for PooledSnapshot {
    fn from(rates: PooledRates) -> Self {
        let cells = rates.cells.iter();
        Self {
            format: FORMAT,
            rows: rates.rows,
            columns: rates.columns,
            prior: rates.prior,
            cells: cells
                .map(|cell| (cell.trials, cell.amount / EVENT))
                .collect(),
        }
    }
}

impl TryFrom<PooledSnapshot> for PooledRates {
    type Error = SnapshotError;

    fn try_from(snapshot: PooledSnapshot) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        let mut restored =
            Self::new(snapshot.rows, snapshot.columns, snapshot.prior).map_err(|_| {
                SnapshotError::Impossible {
                    what: "shape or prior",
                }
            })?;
        let cells = SnapshotError::Impossible { what: "cells" };
        if snapshot.cells.len() != restored.cells.len() {
            return Err(cells);
        }
        for (cell, (trials, events)) in restored.cells.iter_mut().zip(snapshot.cells) {
            let amount = events.checked_mul(EVENT).filter(|amount| *amount >= 0);
            *cell = Tally {
                trials,
                amount: amount.ok_or_else(|| cells.clone())?,
                ..Tally::default()
            };
            if !cell.is_sound() {
                return Err(cells);
            }
        }
        Ok(restored)
    }
}
