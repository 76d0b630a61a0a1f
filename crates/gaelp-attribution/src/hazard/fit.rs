//! The likeliest hazard model, by expectation and maximisation.

use super::{CLASSES, Hazard, HazardCounts, begin};
use crate::heuristic::Decay;
use crate::{FitError, Span};

/// How many rounds are tried.
const MOST: usize = 100_000;
/// The rounds end where no share of conversions changes by more than this in one of them.
const TOLERANCE: f64 = 1e-12;

/// A fitted model with how well it fits.
#[derive(Clone, Debug, PartialEq)]
pub struct HazardFit {
    /// The model.
    pub model: Hazard,
    /// The logarithm of its likelihood, for comparisons between fits to the same counts.
    pub log_likelihood: f64,
}

/// The likeliest model over half-lives.
pub(super) fn best(counts: &HazardCounts, half_lives: &[Span]) -> Result<HazardFit, FitError> {
    let invalid = FitError::Parameter {
        field: "half_lives",
    };
    if half_lives.is_empty() || half_lives.contains(&Span::ZERO) {
        return Err(invalid);
    }
    if counts.conversions.is_empty() {
        return Err(FitError::NoJourneys);
    }
    let mut best: Option<HazardFit> = None;
    for &half_life in half_lives {
        let fitted = maximise(counts, half_life)?;
        let better = |best: &HazardFit| fitted.log_likelihood > best.log_likelihood;
        if best.as_ref().is_none_or(better) {
            best = Some(fitted);
        }
    }
    best.ok_or(invalid)
}

/// The likeliest rates for a half-life.
///
/// Each round shares every conversion out over the base rate and its touches, in proportion to
/// their rates, and sets each rate to its share of conversions over its time. The likelihood, which
/// is concave in the rates, rises in every round.
fn maximise(counts: &HazardCounts, half_life: Span) -> Result<HazardFit, FitError> {
    let problem = Problem::of(counts, half_life);
    let sources = problem.exposure.len();
    let total: f64 = problem
        .conversions
        .iter()
        .map(|conversion| conversion.1)
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a starting point")]
    let each = total / sources as f64;
    let mut rates: Vec<f64> = problem
        .exposure
        .iter()
        .map(|&time| if time > 0.0 { each / time } else { 0.0 })
        .collect();
    let mut shares = vec![0.0; sources];
    for _ in 0..MOST {
        shares.fill(0.0);
        let mut log_likelihood = 0.0;
        for (seen, count) in &problem.conversions {
            let sum: f64 = seen
                .iter()
                .map(|&(source, part)| rates[source] * part)
                .sum();
            if sum <= 0.0 {
                // Nothing that it could come from was ever under observation.
                continue;
            }
            log_likelihood += count * sum.ln();
            for &(source, part) in seen {
                shares[source] += count * rates[source] * part / sum;
            }
        }
        let mut change = 0.0_f64;
        for ((rate, &share), &time) in rates.iter_mut().zip(&shares).zip(&problem.exposure) {
            log_likelihood -= *rate * time;
            change = change.max((share - *rate * time).abs());
            *rate = if time > 0.0 { share / time } else { 0.0 };
        }
        if change <= TOLERANCE * total {
            let effects = rates.split_off(1);
            return Ok(HazardFit {
                model: Hazard {
                    base: rates[0],
                    effects,
                    half_life,
                },
                log_likelihood,
            });
        }
    }
    Err(FitError::NotConverged)
}

/// Counts under a half-life. Source 0 is the base rate, the others are channels.
struct Problem {
    /// The faded hours under observation of every source.
    exposure: Vec<f64>,
    /// What could be the reason of each conversion, with what is left of it, and how many
    /// conversions that was.
    conversions: Vec<(Vec<(usize, f64)>, f64)>,
}

impl Problem {
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    fn of(counts: &HazardCounts, half_life: Span) -> Self {
        let left = left(half_life);
        let mut exposure = vec![counts.observed as f64 / 3.6e9];
        exposure.extend((0..counts.channels).map(|channel| {
            let of_class = |class: usize| left[class] * counts.exposed(channel, class);
            (0..CLASSES.len()).map(of_class).sum::<f64>()
        }));
        let conversion = |seen: &[super::Seen], count: u64| {
            let of_touch =
                |&(channel, class): &super::Seen| (channel.index() + 1, left[usize::from(class)]);
            let sources = std::iter::once((0, 1.0)).chain(seen.iter().map(of_touch));
            (sources.collect(), count as f64)
        };
        let conversions = counts.conversions.iter();
        Self {
            exposure,
            conversions: conversions
                .map(|(seen, &count)| conversion(seen, count))
                .collect(),
        }
    }
}

/// What is left of a touch on average over each class of recency.
fn left(half_life: Span) -> [f64; CLASSES.len()] {
    let decay = Decay::new(half_life);
    let mut left = [0.0; CLASSES.len()];
    for (class, left) in left.iter_mut().enumerate() {
        let (from, until) = (begin(class), CLASSES[class]);
        // The integral of 2^(−t ÷ h) is −h ÷ ln 2 times it.
        let fallen = decay.fraction(from) - decay.fraction(until);
        let hours = until.to_hours_f64() - from.to_hours_f64();
        *left = fallen * half_life.to_hours_f64() / std::f64::consts::LN_2 / hours;
    }
    left
}
