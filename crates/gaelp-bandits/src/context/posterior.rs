//! What is believed of the coefficients of a linear model.

use serde::{Deserialize, Serialize};

use super::{Belief, Features, LessonError, LinearSums};
use crate::numeric::packed::{
    add_outer, cholesky, dot, gram, invert_triangle, multiply, products, times, times_transposed,
    with_products,
};
use crate::numeric::room::with_room;

/// Normal coefficients: mean θ = A⁻¹ b and covariance A⁻¹, with A = λI + Σ w x xᵀ and b = Σ y x.
///
/// A⁻¹ and θ are kept up to date by rank-one changes, whose rounding adds up. `wear` bounds it, and
/// when it is used up, both are computed anew from the sums, which are exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(super) struct Posterior {
    /// λ.
    prior: f64,
    sums: LinearSums,
    /// The lower triangle of A⁻¹.
    covariance: Vec<f64>,
    mean: Vec<f64>,
    wear: f64,
    /// What a rank-one change costs of it at least: 1, and more where A is ill-conditioned.
    toll: f64,
    /// 1 ÷ √λ and a little more: the most that the deviation of features of length 1 can be.
    widest: f64,
}

/// The wear at which all is computed anew, in units of the last place.
const MOST_WEAR: f64 = 4096.0;

/// By what part of it a deviation may exceed its bound, because numbers are rounded.
const SLACK: f64 = 1e-6;

/// The condition of A for which a change costs one unit more: some 10⁹.
const WELL_CONDITIONED: f64 = 1_073_741_824.0;

impl Posterior {
    pub(super) fn new(dimension: usize, prior: f64) -> Self {
        Self::of(prior, LinearSums::new(dimension))
    }

    fn of(prior: f64, sums: LinearSums) -> Self {
        let mut posterior = Self {
            prior,
            covariance: Vec::new(),
            mean: Vec::new(),
            wear: 0.0,
            toll: 1.0,
            widest: (1.0 + SLACK) / prior.sqrt(),
            sums,
        };
        posterior.refresh();
        posterior
    }

    pub(super) fn blank(&self) -> Self {
        Self::new(self.dimension(), self.prior)
    }

    pub(super) fn dimension(&self) -> usize {
        self.mean.len()
    }

    pub(super) const fn sums(&self) -> &LinearSums {
        &self.sums
    }

    pub(super) const fn prior(&self) -> f64 {
        self.prior
    }

    pub(super) fn coefficients(&self) -> &[f64] {
        &self.mean
    }

    /// xᵀθ.
    pub(super) fn score(&self, features: &Features) -> f64 {
        dot(&self.mean, features.as_slice())
    }

    pub(super) fn belief(&self, features: &Features) -> Belief {
        self.belief_by(features, &products(features.as_slice()))
    }

    /// The belief, with the products of the features made before.
    pub(super) fn belief_by(&self, features: &Features, products: &[f64]) -> Belief {
        Belief {
            mean: self.score(features),
            deviation: self.deviation_by(products),
        }
    }

    fn deviation_by(&self, products: &[f64]) -> f64 {
        dot(&self.covariance, products).max(0.0).sqrt()
    }

    /// xᵀA⁻¹x.
    pub(super) fn width(&self, features: &Features) -> f64 {
        with_room(self.dimension(), |along| self.go_along(features, along))
    }

    /// xᵀA⁻¹x, with A⁻¹x in the room that is given.
    fn go_along(&self, features: &Features, along: &mut [f64]) -> f64 {
        multiply(&self.covariance, features.as_slice(), along);
        dot(along, features.as_slice()).max(0.0)
    }

    /// L⁻¹x of every x, with A = L Lᵀ: scores have the covariance of these rows' products.
    pub(super) fn spreads(&self, features: &[&Features]) -> Vec<Vec<f64>> {
        let (inverse, _) = self.factor();
        let rows = features.iter();
        rows.map(|x| times(&inverse, x.as_slice())).collect()
    }

    /// Learns that x scored `reward`, in millionths.
    ///
    /// Source: Sherman & Morrison (1950), Adjustment of an inverse matrix corresponding to a
    /// change in one element of a given matrix, in its form for rank one.
    pub(super) fn observe(&mut self, features: &Features, reward: i64) {
        #[expect(clippy::cast_precision_loss, reason = "at most 1e15")]
        let response = reward as f64 / 1e6;
        with_room(self.dimension(), |along| {
            let width = self.go_along(features, along);
            self.sums.add(features, reward);
            self.turn(features, along, width, 1.0, response);
        });
    }

    /// Learns `weight` x xᵀ and `response` x.
    pub(super) fn observe_weighted(&mut self, features: &Features, weight: f64, response: f64) {
        with_room(self.dimension(), |along| {
            let width = self.go_along(features, along);
            self.sums.add_weighted(features, weight, response);
            self.sums.count(self.sums.lessons() + 1);
            self.turn(features, along, width, weight, response);
        });
    }

    fn turn(&mut self, features: &Features, along: &[f64], width: f64, weight: f64, response: f64) {
        let growth = weight * width;
        self.wear += self.toll + growth;
        if self.wear > MOST_WEAR {
            return self.refresh();
        }
        let rest = 1.0 / (1.0 + growth);
        let step = (response - weight * self.score(features)) * rest;
        for (coefficient, direction) in self.mean.iter_mut().zip(along) {
            *coefficient += step * direction;
        }
        add_outer(&mut self.covariance, along, -weight * rest);
    }

    /// Changes the evidence, where that leaves evidence, and computes all anew.
    pub(super) fn rewrite(
        &mut self,
        change: impl FnOnce(&mut LinearSums),
    ) -> Result<(), LessonError> {
        let mut next = Self {
            sums: self.sums.clone(),
            ..self.blank()
        };
        change(&mut next.sums);
        // Sums of squares are never negative, so no pivot of A falls below λ but by rounding.
        let (_, least) = next.factor();
        if least < 0.5 * self.prior {
            return Err(LessonError::NotRecorded);
        }
        next.refresh();
        *self = next;
        Ok(())
    }

    pub(super) fn merge(&mut self, sums: &LinearSums) -> Result<(), LessonError> {
        let mut merged = self.sums.clone();
        merged.merge(sums)?;
        self.rewrite(|held| *held = merged)
    }

    pub(super) fn fade(&mut self, share: f64) {
        self.sums.fade(share);
        self.refresh();
    }

    /// Computes A⁻¹ and θ from the sums.
    pub(super) fn refresh(&mut self) {
        self.sums.settle();
        let (inverse, _) = self.factor();
        self.covariance = gram(&inverse);
        self.mean = times_transposed(&inverse, &times(&inverse, &self.sums.rewards()));
        self.wear = 0.0;
        self.toll = 1.0 + self.condition() / WELL_CONDITIONED;
    }

    /// L⁻¹ with A = L Lᵀ, and the least pivot.
    fn factor(&self) -> (Vec<f64>, f64) {
        let mut factor = self.sums.precision(self.prior);
        let least = cholesky(&mut factor, self.prior);
        (invert_triangle(&factor), least)
    }

    /// About how ill-conditioned A is: its largest corner times that of its inverse.
    fn condition(&self) -> f64 {
        let largest = |triangle: &[f64]| diagonal(triangle).fold(0.0, f64::max);
        largest(&self.sums.precision(self.prior)) * largest(&self.covariance)
    }

    /// How far what was kept up to date is from what the sums say, in deviations: the largest
    /// |C − A⁻¹| ÷ √(A⁻¹ᵢᵢ A⁻¹ⱼⱼ) and |θ − A⁻¹b| ÷ √(A⁻¹ᵢᵢ bᵀA⁻¹b).
    pub(super) fn drift(&self) -> f64 {
        let fresh = Self::of(self.prior, self.sums.clone());
        let scales: Vec<f64> = diagonal(&fresh.covariance).map(f64::sqrt).collect();
        let (mut row, mut column) = (0, 0);
        let mut worst: f64 = 0.0;
        for (held, right) in self.covariance.iter().zip(&fresh.covariance) {
            worst = larger(worst, (held - right).abs() / (scales[row] * scales[column]));
            column += 1;
            if column > row {
                (row, column) = (row + 1, 0);
            }
        }
        let rewards = self.sums.rewards();
        let length = dot(&fresh.mean, &rewards).max(0.0).sqrt();
        for ((held, right), scale) in self.mean.iter().zip(&fresh.mean).zip(&scales) {
            let off = (held - right).abs();
            if off > 0.0 || off.is_nan() {
                worst = larger(worst, off / (scale * length.max(1e-9)));
            }
        }
        worst
    }
}

/// What `score` makes of every posterior's belief; −∞ where that surely is not the largest.
///
/// A deviation takes d² steps and a mean d. No deviation exceeds ‖x‖ ÷ √λ, because evidence only
/// narrows: so the score that a mean and that bound would have says which deviations are worth it.
pub(super) fn contest<M>(
    models: &[&M],
    posterior: impl Fn(&M) -> &Posterior,
    features: &Features,
    score: impl Fn(usize, Belief) -> f64,
) -> Vec<f64> {
    let x = features.as_slice();
    let length = dot(x, x).sqrt();
    let mut best: Option<(usize, f64)> = None;
    // At first the most that each of them can be.
    let mut scores: Vec<f64> = Vec::with_capacity(models.len());
    for (place, model) in models.iter().enumerate() {
        let posterior = posterior(model);
        let mean = posterior.score(features);
        let at = |deviation| score(place, Belief { mean, deviation });
        let most = at(0.0).max(at(posterior.widest * length));
        // What is no number is not passed over.
        let most = if most.is_nan() { f64::INFINITY } else { most };
        if best.is_none_or(|(_, highest)| most > highest) {
            best = Some((place, most));
        }
        scores.push(most);
    }
    let Some((first, _)) = best else {
        return scores;
    };
    with_products(x, |products| {
        let of = |place: usize| {
            let belief = posterior(models[place]).belief_by(features, products);
            score(place, belief)
        };
        // The one that could be highest sets the mark for the others.
        let mark = of(first);
        let mut highest = mark;
        for (place, most) in scores.iter_mut().enumerate() {
            *most = if place == first {
                mark
            } else if *most >= highest {
                let score = of(place);
                highest = highest.max(score);
                score
            } else {
                f64::NEG_INFINITY
            };
        }
    });
    scores
}

/// The larger number; NaN if either is none.
fn larger(one: f64, other: f64) -> f64 {
    if one >= other { one } else { other }
}

/// The diagonal of a triangle.
fn diagonal(triangle: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let mut place = 0;
    let mut step = 2;
    std::iter::from_fn(move || {
        let corner = triangle.get(place).copied()?;
        place += step;
        step += 1;
        Some(corner)
    })
}

/// A [`Posterior`] as it is stored: also what is kept up to date, so that the next decision is the
/// same to the last bit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    prior: f64,
    sums: LinearSums,
    covariance: Vec<f64>,
    mean: Vec<f64>,
    wear: f64,
    toll: f64,
}

impl From<Posterior> for Stored {
    fn from(posterior: Posterior) -> Self {
        Self {
            prior: posterior.prior,
            sums: posterior.sums,
            covariance: posterior.covariance,
            mean: posterior.mean,
            wear: posterior.wear,
            toll: posterior.toll,
        }
    }
}

impl TryFrom<Stored> for Posterior {
    type Error = PosteriorError;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        /// What a fresh posterior may differ by from one kept up to date, where A is
        /// well-conditioned; and by how much more where it is not.
        const NEAR: f64 = 1e-7;
        const ROUNDING: f64 = 256.0 * f64::EPSILON;

        let fresh = Self::of(checked_prior(stored.prior)?, stored.sums);
        let (_, least) = fresh.factor();
        let same_size = stored.mean.len() == fresh.mean.len()
            && stored.covariance.len() == fresh.covariance.len();
        let worn = (0.0..=MOST_WEAR).contains(&stored.wear) && stored.toll >= 1.0;
        if !same_size || !worn || least < 0.5 * fresh.prior {
            return Err(PosteriorError);
        }
        let limit = NEAR + ROUNDING * fresh.condition();
        let restored = Self {
            covariance: stored.covariance,
            mean: stored.mean,
            wear: stored.wear,
            toll: stored.toll,
            ..fresh
        };
        if restored.drift() <= limit {
            Ok(restored)
        } else {
            Err(PosteriorError)
        }
    }
}

fn checked_prior(prior: f64) -> Result<f64, PosteriorError> {
    let violation = super::ridge::prior_violation(prior);
    violation.map_or(Ok(prior), |_| Err(PosteriorError))
}

/// A stored posterior that is not that of its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is believed is not what the evidence says")]
pub(super) struct PosteriorError;
