//! What little money can tell.

use std::fmt;

use gaelp_core::{Metrics, Micros, Ratio};
use serde::{Deserialize, Serialize};

use crate::math::{exp, ln};
use crate::{OutOfRanges, error::Ranges};

/// Stop what has spent k times the target cost of a conversion, and has none.
///
/// Conversions that come independently, at the target cost on average, leave a spend of k targets
/// without any with probability e⁻ᵏ. That is the chance that an ad set which just meets the target
/// is ever stopped by this rule, however often one looks, because looking changes nothing: without a
/// conversion spend only grows. Better ad sets are stopped more rarely.
///
/// ```
/// use gaelp_budget::StopAtZero;
/// use gaelp_core::{Metrics, Quantity};
///
/// let rule = StopAtZero::default(); // k = 3
/// assert!((rule.error() - 0.0498).abs() < 1e-4);
/// let spent = Metrics { spend: "60.00".parse()?, ..Metrics::default() };
/// assert!(rule.stops(&spent, "20.00".parse()?));
/// let lucky = Metrics { conversions: Quantity::from_millionths(1_000_000), ..spent };
/// assert!(!rule.stops(&lucky, "20.00".parse()?));
/// assert_eq!(StopAtZero::for_error(0.01)?.multiple().to_string(), "4.605171"); // k = ln 100
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StopAtZero(Ratio);

impl Default for StopAtZero {
    /// k = 3: one in twenty good ad sets is stopped.
    fn default() -> Self {
        Self(Ratio::from_ppm(3_000_000))
    }
}

impl StopAtZero {
    /// A multiple k, whatever is below zero taken as zero.
    pub fn new(multiple: Ratio) -> Self {
        Self(multiple.max(Ratio::ZERO))
    }

    /// The multiple for an error rate, from 1e-9 to 0.999: k = −ln error, rounded up.
    ///
    /// # Errors
    /// [`OutOfRanges`] for other rates.
    pub fn for_error(error: f64) -> Result<Self, OutOfRanges> {
        Ranges::default()
            .check("error", error, 1e-9, 0.999)
            .done()?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 21 million")]
        let ppm = (-ln(error) * 1e6).ceil() as i64;
        Ok(Self(Ratio::from_ppm(ppm)))
    }

    /// k.
    pub fn multiple(self) -> Ratio {
        self.0
    }

    /// e⁻ᵏ: how often it stops an ad set that just meets the target.
    pub fn error(self) -> f64 {
        exp(-self.0.to_f64())
    }

    /// Whether to stop, compared exactly. A target that is not positive stops nothing.
    pub fn stops(self, so_far: &Metrics, target_cpa: Micros) -> bool {
        let reached = self.0.compare(so_far.spend, target_cpa);
        so_far.conversions.is_zero() && reached.is_some_and(std::cmp::Ordering::is_ge)
    }
}

/// How many conversions each of two ad sets needs, so that one that costs `ratio` times as much per
/// conversion as the other is told from it: with `error` for alarm without difference (two-sided)
/// and `power` to find it.
///
/// **Source.** The normal approximation to the logarithm of a ratio of Poisson rates, whose
/// variance is 1 ÷ n₁ + 1 ÷ n₂: Rothman, Greenland & Lash (2008), Modern Epidemiology, chapter 14.
/// Equal spend is meant, so the dearer one has fewer; the number is of the cheaper.
///
/// ```
/// use gaelp_budget::{conversions_to_tell, spend_to_learn};
///
/// let needed = conversions_to_tell(1.5, 0.05, 0.8)?;
/// assert_eq!(needed, 120);
/// // At a cost of 20.00 each, that is what each of the two must spend.
/// assert_eq!(spend_to_learn("20.00".parse()?, needed), Some("2400.00".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`OutOfRanges`] for a ratio outside of 1.01 to 100, and for chances outside of 0.0001 to 0.9999.
pub fn conversions_to_tell(ratio: f64, error: f64, power: f64) -> Result<u64, OutOfRanges> {
    Ranges::default()
        .check("ratio", ratio, 1.01, 100.0)
        .check("error", error, 1e-4, 0.9999)
        .check("power", power, 1e-4, 0.9999)
        .done()?;
    let widths = normal_quantile(1.0 - 0.5 * error) + normal_quantile(power);
    let step = widths / ln(ratio);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 1e8 and not negative"
    )]
    let needed = ((1.0 + ratio) * step * step).ceil().max(1.0) as u64;
    Ok(needed)
}

/// What so many conversions cost; `None` on overflow.
pub fn spend_to_learn(target_cpa: Micros, conversions: u64) -> Option<Micros> {
    target_cpa.checked_mul(i64::try_from(conversions).ok()?)
}

/// The point below which a probability lies. Absolute error below 1e-8.
///
/// Source: Acklam (2003), An algorithm for computing the inverse normal cumulative distribution
/// function.
fn normal_quantile(probability: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let horner = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    let tail = 0.024_25;
    if probability < tail {
        let q = (-2.0 * ln(probability)).sqrt();
        horner(&C, q) / horner(&D, q)
    } else if probability > 1.0 - tail {
        -normal_quantile(1.0 - probability)
    } else {
        let q = probability - 0.5;
        q * horner(&A, q * q) / horner(&B, q * q)
    }
}

/// An ad group that a pilot would run, with the least that its platform takes a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PilotGroup {
    /// What people call it.
    pub name: String,
    /// The platform's minimum a day. Platforms change them: ask them, and configure.
    pub minimum: Micros,
}

/// What a pilot on a daily budget can run, and how long until it knows anything.
///
/// ```
/// use gaelp_budget::{Pilot, PilotGroup};
///
/// let minimum = "20.00".parse()?;
/// let group = |name: &str| PilotGroup { name: name.to_owned(), minimum };
/// let groups = ["hats", "socks", "shoes"].map(group);
/// let pilot = Pilot::plan("10.00".parse()?, &groups, "15.00".parse()?);
/// assert_eq!(
///     pilot.to_string(),
///     "10.00 a day cannot run any of 3 ad groups every day; run one, every 2 days. \
///      At 15.00 a conversion that is one in 2 days: \
///      after 5 days without any, stop (wrong once in 20 times)"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pilot {
    /// What a day may cost.
    pub budget: Micros,
    /// What a conversion may cost.
    pub target_cpa: Micros,
    /// How many ad groups were asked for.
    pub asked: usize,
    /// The ad groups that can run every day together, the cheapest first.
    pub every_day: Vec<String>,
    /// Where none can: every how many days one can; `None` where never.
    pub one_every: Option<i64>,
    /// After how many days without a conversion to stop, by [`StopAtZero`] with k = 3.
    pub stop_after: Option<i64>,
}

impl Pilot {
    /// What can run. Minimums below zero count as none.
    pub fn plan(budget: Micros, groups: &[PilotGroup], target_cpa: Micros) -> Self {
        let mut sorted: Vec<_> = groups.iter().collect();
        sorted.sort_by_key(|group| group.minimum);
        let mut left = budget;
        let mut every_day = Vec::new();
        for group in &sorted {
            let minimum = group.minimum.max(Micros::ZERO);
            match left.checked_sub(minimum).filter(|left| !left.is_negative()) {
                Some(rest) => left = rest,
                None => break,
            }
            every_day.push(group.name.clone());
        }
        let days = |amount: Micros| {
            let up = gaelp_core::Rounding::Up;
            (budget > Micros::ZERO)
                .then(|| Micros::new(amount.get()).checked_div(budget.get(), up))
                .flatten()
                .map(Micros::get)
        };
        let one_every = sorted.first().filter(|_| every_day.is_empty());
        let needed = target_cpa
            .checked_mul(3)
            .filter(|_| target_cpa > Micros::ZERO);
        Self {
            budget,
            target_cpa,
            asked: groups.len(),
            every_day,
            one_every: one_every.and_then(|group| days(group.minimum)),
            stop_after: needed.and_then(days),
        }
    }
}

impl fmt::Display for Pilot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (asked, running) = (self.asked, self.every_day.len());
        if running == asked {
            write!(f, "{} a day can run all {asked} ad groups", self.budget)?;
        } else if running > 0 {
            let names = self.every_day.join(", ");
            write!(
                f,
                "{} a day can run {running} of {asked} ad groups: {names}",
                self.budget
            )?;
        } else {
            let budget = self.budget;
            write!(
                f,
                "{budget} a day cannot run any of {asked} ad groups every day"
            )?;
            if let Some(days) = self.one_every {
                write!(f, "; run one, every {days} days")?;
            }
        }
        let Some(stop) = self.stop_after else {
            return Ok(());
        };
        write!(f, ". At {} a conversion that is ", self.target_cpa)?;
        if self.budget >= self.target_cpa {
            write!(f, "{} a day", self.budget.get() / self.target_cpa.get())?;
        } else {
            let up = i64::from(self.target_cpa.get() % self.budget.get() != 0);
            write!(
                f,
                "one in {} days",
                self.target_cpa.get() / self.budget.get() + up
            )?;
        }
        write!(
            f,
            ": after {stop} days without any, stop (wrong once in 20 times)"
        )
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn quantiles_agree_with_statrs() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        for step in 1..1_000 {
            let probability = f64::from(step) / 1_000.0;
            let error = super::normal_quantile(probability) - normal.inverse_cdf(probability);
            assert!(error.abs() < 1e-8, "{probability}: {error}");
        }
    }
}
