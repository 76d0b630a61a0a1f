//! What a platform reports, and what follows from it.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AdSetKey, HourSpan, Micros, Ratio};

/// A count that may be fractional, such as modelled or shared conversions, in millionths.
///
/// Integers make sums exact, so that metrics do not depend on the order in which they arrive.
///
/// **Serde.** The count of millionths, an integer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Quantity(u64);

impl Quantity {
    /// None.
    pub const ZERO: Self = Self(0);

    /// A count from its millionths.
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// A whole count, or `None` past the range.
    pub const fn from_whole(count: u64) -> Option<Self> {
        match count.checked_mul(1_000_000) {
            Some(millionths) => Some(Self(millionths)),
            None => None,
        }
    }

    /// The count in millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// Whether there is none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(millionths) => Some(Self(millionths)),
            None => None,
        }
    }

    /// The count as a float.
    #[expect(
        clippy::cast_precision_loss,
        reason = "statistics; exact below nine billion"
    )]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.0 % 1_000_000);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        f.pad_integral(
            true,
            "",
            &format!("{}{point}{fraction}", self.0 / 1_000_000),
        )
    }
}

/// What happened to an ad set during some hours.
///
/// ```
/// use gaelp_core::{Metrics, Micros, Quantity};
///
/// let morning = Metrics { spend: "4.00".parse()?, clicks: 8, ..Metrics::default() };
/// let evening = Metrics {
///     spend: "6.00".parse()?,
///     clicks: 12,
///     conversions: Quantity::from_millionths(1_500_000),
///     revenue: "25.00".parse()?,
///     ..Metrics::default()
/// };
/// let day = morning.merge(&evening)?;
/// assert_eq!(day.roas(), Some(2.5));
/// assert_eq!(morning.cpa(), None); // no conversion: undefined, neither zero nor infinite
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Metrics {
    /// What was paid for advertising.
    pub spend: Micros,
    /// How often an ad was shown.
    pub impressions: u64,
    /// How often it was clicked.
    pub clicks: u64,
    /// Orders or other goals reached; platforms report fractions of them.
    pub conversions: Quantity,
    /// What the shop took in for them; negative where refunds exceed orders.
    pub revenue: Micros,
}

/// A sum of metrics that does not fit into 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sum of {field} does not fit into 64 bits")]
pub struct MetricsOverflow {
    /// The metric that overflowed.
    pub field: &'static str,
}

impl Metrics {
    /// The sum of both: commutative, and associative wherever the sums fit, so shards and hours can
    /// be added in any order.
    ///
    /// # Errors
    /// [`MetricsOverflow`] names the first field that does not fit.
    pub fn merge(&self, other: &Self) -> Result<Self, MetricsOverflow> {
        let overflow = |field| MetricsOverflow { field };
        Ok(Self {
            spend: self
                .spend
                .checked_add(other.spend)
                .ok_or(overflow("spend"))?,
            impressions: self
                .impressions
                .checked_add(other.impressions)
                .ok_or(overflow("impressions"))?,
            clicks: self
                .clicks
                .checked_add(other.clicks)
                .ok_or(overflow("clicks"))?,
            conversions: self
                .conversions
                .checked_add(other.conversions)
                .ok_or(overflow("conversions"))?,
            revenue: self
                .revenue
                .checked_add(other.revenue)
                .ok_or(overflow("revenue"))?,
        })
    }

    /// Return on ad spend, revenue ÷ spend; `None` without spend.
    pub fn roas(&self) -> Option<f64> {
        quotient(self.revenue.get().into(), self.spend.get().into())
    }

    /// Cost per acquisition in major units, spend ÷ conversions; `None` without a conversion.
    pub fn cpa(&self) -> Option<f64> {
        quotient(
            self.spend.get().into(),
            self.conversions.millionths().into(),
        )
    }

    /// Click-through rate, clicks ÷ impressions; `None` without an impression.
    pub fn ctr(&self) -> Option<f64> {
        quotient(self.clicks.into(), self.impressions.into())
    }

    /// Conversion rate, conversions ÷ clicks; `None` without a click.
    pub fn cvr(&self) -> Option<f64> {
        let clicks = i128::from(self.clicks) * 1_000_000;
        quotient(self.conversions.millionths().into(), clicks)
    }

    /// Profit, `margin · revenue − spend`, rounded down; `None` on overflow.
    pub fn profit(&self, margin: Ratio) -> Option<Micros> {
        let earned = self.revenue.checked_scale(margin, crate::Rounding::Down)?;
        earned.checked_sub(self.spend)
    }

    /// How ROAS compares with a threshold, exactly; `None` without spend.
    pub fn compare_roas(&self, threshold: Ratio) -> Option<Ordering> {
        threshold.compare(self.revenue, self.spend)
    }

    /// How CPA compares with a threshold, exactly; `None` without a conversion.
    ///
    /// ```
    /// # use std::cmp::Ordering;
    /// # use gaelp_core::{Metrics, Micros, Quantity};
    /// let spend: Micros = "30.00".parse()?;
    /// let conversions = Quantity::from_millionths(1_500_000);
    /// let day = Metrics { spend, conversions, ..Metrics::default() };
    /// assert_eq!(day.compare_cpa("20.00".parse()?), Some(Ordering::Equal));
    /// assert_eq!(day.compare_cpa("19.999999".parse()?), Some(Ordering::Greater));
    /// # Ok::<(), gaelp_core::ParseMoneyError>(())
    /// ```
    pub fn compare_cpa(&self, threshold: Micros) -> Option<Ordering> {
        if self.conversions.is_zero() {
            return None;
        }
        let spend = i128::from(self.spend.get()) * 1_000_000;
        let allowed = i128::from(threshold.get()) * i128::from(self.conversions.millionths());
        Some(spend.cmp(&allowed))
    }
}

/// The quotient of two counts in the same unit: correctly rounded while both are below 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "a rate is a statistic")]
fn quotient(numerator: i128, denominator: i128) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}

/// The number of a restatement: platforms correct what they reported, and the highest wins.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u32);

impl Revision {
    /// A revision from its number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What a platform says about an ad set during a span of hours, as of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MetricRow {
    /// Which ad set.
    pub key: AdSetKey,
    /// Which hours: one for an hourly report, a local day for a daily one.
    pub span: HourSpan,
    /// Which restatement.
    pub revision: Revision,
    /// What happened.
    pub metrics: Metrics,
}

/// What became of a restatement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restated {
    /// It is newer than what was known, and replaces it.
    Newer,
    /// It was known already.
    Known,
    /// Something newer was known; it changes nothing.
    Older,
    /// The same revision with other figures, or a row about another ad set or span: it changes
    /// nothing, and what is known is in doubt.
    Contradicted,
}

impl MetricRow {
    /// Takes over `other` where it is a newer revision of the same key and span.
    ///
    /// Delivering the same rows in any order, any number of times, leaves the same state, unless
    /// the newest revision contradicts itself: then the figures that came first stand, and every
    /// delivery of the others says [`Restated::Contradicted`].
    ///
    /// ```
    /// use gaelp_core::{AdSetKey, HourSpan, MetricRow, Metrics, Platform};
    /// use gaelp_core::{Restated, Revision, UtcHour};
    ///
    /// let mut known = MetricRow {
    ///     key: AdSetKey::new(Platform::Meta, "prospecting"),
    ///     span: HourSpan::hour(UtcHour::new(498_658)),
    ///     revision: Revision::new(1),
    ///     metrics: Metrics { clicks: 8, ..Metrics::default() },
    /// };
    /// let mut later = known.clone();
    /// later.revision = Revision::new(2);
    /// later.metrics.clicks = 9;
    /// assert_eq!(known.restate(&later), Restated::Newer);
    /// assert_eq!(known.restate(&later), Restated::Known);
    /// assert_eq!(known.metrics.clicks, 9);
    /// ```
    #[must_use = "figures that contradict each other must not be acted upon"]
    pub fn restate(&mut self, other: &Self) -> Restated {
        if (&self.key, self.span) != (&other.key, other.span) {
            return Restated::Contradicted;
        }
        match other.revision.cmp(&self.revision) {
            Ordering::Greater => {
                self.revision = other.revision;
                self.metrics = other.metrics;
                Restated::Newer
            }
            Ordering::Less => Restated::Older,
            Ordering::Equal if self.metrics == other.metrics => Restated::Known,
            Ordering::Equal => Restated::Contradicted,
        }
    }
}

#[cfg(test)]
mod tests;
