//! Small chains: all removal effects from one inverse.

use super::Solved;
use super::chain::Chain;
use crate::FitError;

/// Solves a chain by the inverse N of I − Q, the expected visits of each state from each other.
///
/// The visits of the states S of a channel from the start are g · N\[S, S\], where g says in which
/// of them journeys first arrive; g gives what is lost when they end there.
pub(super) fn solve(chain: &Chain) -> Result<Solved, FitError> {
    let size = chain.len();
    let visits = inverse(chain)?;
    let after = |earned: &[f64]| -> Vec<f64> {
        let row = |state: usize| &visits[state * size..(state + 1) * size];
        (0..size).map(|state| dot(row(state), earned)).collect()
    };
    let (converts, earns) = (after(&chain.converts), after(&chain.earns));
    let from_start: Vec<f64> = (0..size)
        .map(|state| {
            let column = visits[state..].iter().step_by(size);
            chain.start.iter().zip(column).map(|(s, v)| s * v).sum()
        })
        .collect();
    let probability = dot(&chain.start, &converts);
    let value = dot(&chain.start, &earns);
    let mut members = vec![Vec::new(); chain.channel_count];
    for state in 0..size {
        for &channel in chain.channels(state) {
            let states: &mut Vec<usize> = &mut members[channel];
            if states.last() != Some(&state) {
                states.push(state);
            }
        }
    }
    let (mut effects, mut of_value) = (Vec::new(), Vec::new());
    for states in &members {
        // N[S, S] turned, for g stands on its left.
        let block = states
            .iter()
            .flat_map(|&to| states.iter().map(move |&from| (from, to)))
            .map(|(from, to)| visits[from * size + to])
            .collect();
        let seen = states.iter().map(|&state| from_start[state]).collect();
        let arrivals = linear(block, seen)?;
        let lost = |earned: &[f64]| -> f64 {
            let pairs = states.iter().zip(&arrivals);
            pairs.map(|(&state, arrival)| arrival * earned[state]).sum()
        };
        effects.push(super::iterate::effect(lost(&converts), probability));
        of_value.push(super::iterate::share(lost(&earns), value));
    }
    Ok(Solved {
        probability: probability.clamp(0.0, 1.0),
        removal_effects: effects,
        value_removal_effects: of_value,
    })
}

/// The inverse of I − Q. Its pivots are probabilities of leaving, so none needs to be sought.
fn inverse(chain: &Chain) -> Result<Vec<f64>, FitError> {
    let size = chain.len();
    let mut matrix = vec![0.0; size * size];
    let mut inverse = vec![0.0; size * size];
    for state in 0..size {
        matrix[state * size + state] = 1.0;
        inverse[state * size + state] = 1.0;
        for (to, probability) in chain.forward.row(state) {
            matrix[state * size + to] -= probability;
        }
    }
    for pivot in 0..size {
        let scale = 1.0 / matrix[pivot * size + pivot];
        if !(scale.is_finite() && scale > 0.0) {
            return Err(FitError::NoModel);
        }
        let line = |matrix: &mut Vec<f64>| -> Vec<f64> {
            let line = &mut matrix[pivot * size..(pivot + 1) * size];
            for entry in &mut *line {
                *entry *= scale;
            }
            line.to_vec()
        };
        let (left, right) = (line(&mut matrix), line(&mut inverse));
        for row in (0..size).filter(|&row| row != pivot) {
            let factor = matrix[row * size + pivot];
            if factor.abs() > 0.0 {
                subtract(&mut matrix[row * size..(row + 1) * size], &left, factor);
                subtract(&mut inverse[row * size..(row + 1) * size], &right, factor);
            }
        }
    }
    Ok(inverse)
}

/// Solves a square system by elimination with the largest pivot of each column.
pub(crate) fn linear(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Result<Vec<f64>, FitError> {
    let size = right.len();
    for pivot in 0..size {
        let largest = (pivot..size)
            .max_by(|&a, &b| {
                let size_of = |row: usize| matrix[row * size + pivot].abs();
                size_of(a).total_cmp(&size_of(b))
            })
            .unwrap_or(pivot);
        for column in 0..size {
            matrix.swap(pivot * size + column, largest * size + column);
        }
        right.swap(pivot, largest);
        let scale = 1.0 / matrix[pivot * size + pivot];
        if !scale.is_finite() {
            return Err(FitError::NoModel);
        }
        let line = matrix[pivot * size..(pivot + 1) * size].to_vec();
        for row in pivot + 1..size {
            let factor = matrix[row * size + pivot] * scale;
            if factor.abs() > 0.0 {
                subtract(&mut matrix[row * size..(row + 1) * size], &line, factor);
                right[row] -= factor * right[pivot];
            }
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size)
            .map(|column| matrix[row * size + column] * right[column])
            .sum();
        right[row] = (right[row] - known) / matrix[row * size + row];
    }
    Ok(right)
}

fn subtract(row: &mut [f64], other: &[f64], factor: f64) {
    for (entry, other) in row.iter_mut().zip(other) {
        *entry -= factor * other;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
