//! Large chains: visits as a series, for several removed channels at once.

use super::Solved;
use super::chain::{Chain, Rows};
use crate::FitError;

/// How many removed channels are followed at once: as many as fit into registers.
const WIDTH: usize = 10;
/// After how many terms the rest of the series is estimated.
const ROUND: usize = 5;
/// Where the series ends: the probability that is not yet accounted for.
const TOLERANCE: f64 = 1e-13;
/// How many terms are tried.
const MOST: usize = 100_000;

/// Solves a chain by series of which every term is one more touch.
///
/// Without a channel, the visits of the other states are the series of the chain in which its
/// states lead nowhere. What these visits feed into its states is where journeys first arrive
/// there, and what would have followed is lost.
pub(super) fn solve(chain: &Chain) -> Result<Solved, FitError> {
    // Values are scaled so that both columns are probabilities, or nearly so.
    let largest = chain
        .earns
        .iter()
        .fold(0.0_f64, |most, earned| most.max(earned.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let ends = chain.converts.iter().zip(&chain.earns);
    let ends = ends
        .map(|(&converts, &earns)| [converts, earns / scale])
        .collect();
    let after = series(&chain.forward, ends, |_, _| (), Norm::Largest)?;
    let total = |column: usize| -> f64 {
        let pairs = chain.start.iter().zip(&after);
        pairs.map(|(start, after)| start * after[column]).sum()
    };
    let (probability, value) = (total(0), total(1));
    let mut effects = vec![0.0; chain.channel_count];
    let mut of_value = vec![0.0; chain.channel_count];
    for first in (0..chain.channel_count).step_by(WIDTH) {
        for (offset, lost) in lost(chain, first, &after)?.into_iter().enumerate() {
            if let Some(entry) = effects.get_mut(first + offset) {
                *entry = effect(lost[0], probability);
                of_value[first + offset] = share(lost[1], value);
            }
        }
    }
    Ok(Solved {
        probability: probability.clamp(0.0, 1.0),
        removal_effects: effects,
        value_removal_effects: of_value,
    })
}

/// A share of conversions lost; rounding may not take it out of 0 to 1.
pub(super) fn effect(lost: f64, all: f64) -> f64 {
    share(lost, all).clamp(0.0, 1.0)
}

/// A share, or zero of nothing.
pub(super) fn share(part: f64, all: f64) -> f64 {
    if all.abs() > 0.0 { part / all } else { 0.0 }
}

/// The conversions and the value lost without each of the channels from `first` on.
fn lost(chain: &Chain, first: usize, after: &[[f64; 2]]) -> Result<[[f64; 2]; WIDTH], FitError> {
    let begin = chain.start.iter().map(|&start| [start; WIDTH]).collect();
    let close = |state: usize, visits: &mut [f64; WIDTH]| {
        for &channel in chain.channels(state) {
            if let Some(entry) = channel.checked_sub(first).and_then(|at| visits.get_mut(at)) {
                *entry = 0.0;
            }
        }
    };
    let visits = series(&chain.backward, begin, close, Norm::Sum)?;
    let mut lost = [[0.0; 2]; WIDTH];
    for (state, after) in after.iter().enumerate() {
        let channels = chain.channels(state);
        for (place, &channel) in channels.iter().enumerate() {
            let column = channel.checked_sub(first).filter(|&column| column < WIDTH);
            let Some(column) = column.filter(|_| !channels[..place].contains(&channel)) else {
                continue;
            };
            let steps = chain.backward.row(state);
            let arrivals: f64 = steps
                .map(|(from, share)| share * visits[from][column])
                .sum();
            let arrivals = chain.start[state] + arrivals;
            lost[column][0] += arrivals * after[0];
            lost[column][1] += arrivals * after[1];
        }
    }
    Ok(lost)
}

/// How the rest of a series is measured.
#[derive(Clone, Copy)]
enum Norm {
    /// By the sum of all entries: for distributions.
    Sum,
    /// By the largest entry: for what follows a state.
    Largest,
}

/// The sum of `term`, `A term`, `A² term`, … where `close` sets entries of each to zero.
///
/// After some terms each is nearly a multiple of the one before. The rest of the series is then
/// estimated by the multiple that leaves the smallest residual, and the series goes on from that
/// residual, so that an estimate that is not good costs terms and no accuracy.
fn series<const W: usize>(
    rows: &Rows,
    mut term: Vec<[f64; W]>,
    close: impl Fn(usize, &mut [f64; W]),
    norm: Norm,
) -> Result<Vec<[f64; W]>, FitError> {
    for (state, entries) in term.iter_mut().enumerate() {
        close(state, entries);
    }
    let mut sum = vec![[0.0; W]; term.len()];
    let mut next = sum.clone();
    for count in 1..=MOST {
        let mut size = [0.0_f64; W];
        for (state, next) in next.iter_mut().enumerate() {
            let mut entries = [0.0; W];
            for (column, value) in rows.row(state) {
                let other = &term[column];
                for lane in 0..W {
                    entries[lane] += value * other[lane];
                }
            }
            close(state, &mut entries);
            for lane in 0..W {
                sum[state][lane] += term[state][lane];
                size[lane] = match norm {
                    Norm::Sum => size[lane] + entries[lane].abs(),
                    Norm::Largest => size[lane].max(entries[lane].abs()),
                };
            }
            *next = entries;
        }
        if count % ROUND == 0 {
            extrapolate(&mut sum, &term, &mut next);
        }
        std::mem::swap(&mut term, &mut next);
        if size.iter().all(|&size| size <= TOLERANCE) {
            return Ok(sum);
        }
    }
    Err(FitError::NotConverged)
}

/// Adds to the sum the multiple of a term that makes the next one, the residual, smallest.
fn extrapolate<const W: usize>(sum: &mut [[f64; W]], term: &[[f64; W]], next: &mut [[f64; W]]) {
    let (mut along, mut square) = ([0.0; W], [0.0; W]);
    for (term, next) in term.iter().zip(&*next) {
        for lane in 0..W {
            let change = next[lane] - term[lane];
            along[lane] += next[lane] * change;
            square[lane] += change * change;
        }
    }
    let mut multiple = [0.0; W];
    for lane in 0..W {
        let best = -along[lane] / square[lane];
        multiple[lane] = if best.is_finite() { best } else { 0.0 };
    }
    for ((sum, term), next) in sum.iter_mut().zip(term).zip(next) {
        for lane in 0..W {
            sum[lane] += multiple[lane] * term[lane];
            next[lane] += multiple[lane] * (next[lane] - term[lane]);
        }
    }
}
