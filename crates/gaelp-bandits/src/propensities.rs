//! With what probability each eligible arm is chosen.

use gaelp_core::{ArmId, Propensity, PropensityMethod};

use crate::numeric::logit_beta::LogitBeta;
use crate::numeric::maximum::maximum;

/// The propensities of the eligible arms, and how far they can be trusted.
///
/// They sum to 1 within [`Propensities::error`]. An arm that practically never wins gets at least
/// [`Propensities::FLOOR`], because an arm that was chosen could be chosen.
///
/// ```
/// use gaelp_bandits::{BetaPrior, BetaThompson};
/// use gaelp_core::ArmId;
///
/// // P(Beta(6, 96) > Beta(4, 98)) = 0.7511037736897...
/// let policy = BetaThompson::new([
///     (ArmId::new(0), BetaPrior::new(4.0, 98.0)?),
///     (ArmId::new(1), BetaPrior::new(6.0, 96.0)?),
/// ])?;
/// let propensities = policy.propensities(&policy.all());
/// let chosen = propensities.get(ArmId::new(1)).ok_or("not eligible")?;
/// assert!((chosen.get() - 0.751_103_773_689_7).abs() < 1e-12);
/// assert!(propensities.error() < 1e-11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Propensities {
    /// By rising arm.
    arms: Box<[(ArmId, Propensity)]>,
    method: PropensityMethod,
}

impl Propensities {
    /// The least propensity that is stated: 2⁻⁵³, half of what an `f64` can tell beside 1.
    ///
    /// It is below every error estimate, and holds importance weights finite.
    pub const FLOOR: f64 = 0.5 * f64::EPSILON;

    /// The propensity of an arm; `None` if it is not eligible, or cannot be chosen by a policy
    /// whose propensities have a closed form.
    ///
    /// **Cost**: O(log of the number of arms).
    pub fn get(&self, arm: ArmId) -> Option<Propensity> {
        let position = self.arms.binary_search_by_key(&arm, |&(arm, _)| arm).ok()?;
        self.arms.get(position).map(|&(_, propensity)| propensity)
    }

    /// The eligible arms with their propensities, by rising arm.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ArmId, Propensity)> + '_ {
        self.arms.iter().copied()
    }

    /// How they were computed.
    pub const fn method(&self) -> PropensityMethod {
        self.method
    }

    /// An estimate of the absolute error of each of them; zero for closed forms.
    pub const fn error(&self) -> f64 {
        match self.method {
            PropensityMethod::Quadrature { error } => error,
            _ => 0.0,
        }
    }

    /// The propensities of probabilities given by rising arm, at least one of them positive.
    ///
    /// What a closed form says can never be chosen is left out.
    pub(crate) fn from_chances(
        chances: impl Iterator<Item = (ArmId, f64)>,
        method: PropensityMethod,
    ) -> Self {
        let exact = method == PropensityMethod::Exact;
        let possible = chances.filter(|(_, chance)| !exact || *chance > 0.0);
        let arms = possible
            .map(|(arm, chance)| (arm, floored(chance)))
            .collect();
        Self { arms, method }
    }

    /// The arm at a point of (0, 1), where arms are laid out side by side as wide as their
    /// propensities.
    pub(crate) fn draw(&self, point: f64) -> (ArmId, Propensity) {
        let mut left = point;
        let found = self.arms.iter().find(|(_, propensity)| {
            left -= propensity.get();
            left < 0.0
        });
        // Rounding may leave a last crumb: it goes to the likeliest.
        let likeliest = || {
            self.arms
                .iter()
                .max_by(|a, b| a.1.get().total_cmp(&b.1.get()))
        };
        *found
            .or_else(likeliest)
            .expect("propensities are never empty")
    }

    /// The only arm that can be chosen, if there is only one.
    pub(crate) fn only(&self) -> Option<(ArmId, Propensity)> {
        match self.arms[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The arm at a position, with its propensity.
    pub(crate) fn at(&self, position: usize) -> Option<(ArmId, Propensity)> {
        self.arms.get(position).copied()
    }

    /// The probabilities with which each of the laws is the largest, by rising arm.
    pub(crate) fn of(laws: &[(ArmId, f64, f64)]) -> Self {
        let (probabilities, method) = match laws {
            // By symmetry; a single arm included.
            [(_, a, b), rest @ ..]
                if rest
                    .iter()
                    .all(|(_, c, d)| (a.to_bits(), b.to_bits()) == (c.to_bits(), d.to_bits())) =>
            {
                #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 arms")]
                let share = 1.0 / laws.len() as f64;
                (vec![share; laws.len()], PropensityMethod::Exact)
            }
            _ => {
                let solved = maximum(laws.iter().map(|&(_, a, b)| LogitBeta::new(a, b)));
                let error = solved.error;
                (solved.probabilities, PropensityMethod::Quadrature { error })
            }
        };
        let arms = laws
            .iter()
            .zip(probabilities)
            .map(|(&(arm, ..), probability)| (arm, floored(probability)))
            .collect();
        Self { arms, method }
    }
}

fn floored(probability: f64) -> Propensity {
    Propensity::new(probability.clamp(Propensities::FLOOR, 1.0)).unwrap_or(Propensity::CERTAIN)
}
