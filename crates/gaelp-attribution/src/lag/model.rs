//! The distribution of a lag, and what follows from it.

use serde::{Deserialize, Serialize};

use super::{LagError, normal};
use crate::{Span, Windows};

/// The shape of the distribution of lags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LagFamily {
    /// Most conversions at once and a thin tail; exponential for a spread of one.
    Weibull,
    /// Conversions around some time and a long tail.
    LogNormal,
}

/// When a touch converts, and whether it ever does.
///
/// A touch converts with the probability [`ever`](Self::ever); the logarithm of its lag is then
/// `location + spread · ε`, where ε is normal for the log-normal family, and the logarithm of a
/// standard exponential for Weibull's.
///
/// **Source.** Chapelle, *Modeling delayed feedback in display advertising* (2014), with Weibull's
/// and log-normal lags in place of exponential ones; as a mixture cure model it is older: Boag
/// (1949), Farewell (1982).
///
/// ```
/// use gaelp_attribution::Span;
/// use gaelp_attribution::lag::{LagFamily, LagModel};
///
/// // A tenth of all touches convert, half of those within a day.
/// let median_hours = 24.0_f64;
/// let model = LagModel::new(LagFamily::LogNormal, median_hours.ln(), 1.0, 0.1)?;
/// assert_eq!(model.quantile(0.5)?, Span::hours(24));
/// // After a week without a conversion there is little hope left.
/// let hope = model.still_to_come(Span::days(7));
/// assert!(hope < 0.01 && hope < model.still_to_come(Span::days(1)));
/// # Ok::<(), gaelp_attribution::lag::LagError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct LagModel {
    family: LagFamily,
    location: f64,
    spread: f64,
    ever: f64,
}

impl LagModel {
    /// A model from its parameters.
    ///
    /// **Units.** The location is the logarithm of hours.
    ///
    /// # Errors
    /// [`LagError::Parameter`] for a number that is not finite, a spread that is not positive, and a
    /// probability outside of `(0, 1]`.
    pub fn new(family: LagFamily, location: f64, spread: f64, ever: f64) -> Result<Self, LagError> {
        let checks = [
            ("location", location, location.is_finite()),
            ("spread", spread, spread.is_finite() && spread > 0.0),
            ("ever", ever, ever > 0.0 && ever <= 1.0),
        ];
        for (field, value, sound) in checks {
            if !sound {
                return Err(LagError::Parameter { field, value });
            }
        }
        Ok(Self {
            family,
            location,
            spread,
            ever,
        })
    }

    /// The family.
    pub const fn family(&self) -> LagFamily {
        self.family
    }

    /// The location: the logarithm of hours within which 50 per cent of the conversions come for the
    /// log-normal family, 63 per cent for Weibull's.
    pub const fn location(&self) -> f64 {
        self.location
    }

    /// The spread: the standard deviation of the log-normal's logarithm; one over the shape of
    /// Weibull's.
    pub const fn spread(&self) -> f64 {
        self.spread
    }

    /// The probability that a touch ever converts.
    pub const fn ever(&self) -> f64 {
        self.ever
    }

    /// The share of all conversions that have come by an age.
    ///
    /// Its inverse is the importance weight of a conversion seen by then (Ktena and others, 2019).
    pub fn arrived(&self, age: Span) -> f64 {
        1.0 - self.outstanding(age)
    }

    /// The share of all conversions that are still out at an age: the probability that a touch
    /// that will convert has not yet.
    pub fn outstanding(&self, age: Span) -> f64 {
        let hours = age.to_hours_f64();
        if hours <= 0.0 {
            return 1.0;
        }
        let z = (hours.ln() - self.location) / self.spread;
        self.family.ln_survival(z).exp()
    }

    /// The probability that a touch without a conversion at an age will still convert.
    ///
    /// For delay-aware learning: a reward that has not come is a zero with one minus this
    /// probability only.
    pub fn still_to_come(&self, age: Span) -> f64 {
        let out = self.ever * self.outstanding(age);
        out / (1.0 - self.ever + out).max(f64::MIN_POSITIVE)
    }

    /// The age by which a share of all conversions has come, to the microsecond.
    ///
    /// # Errors
    /// [`LagError::Parameter`] for a share outside of `[0, 1)`.
    pub fn quantile(&self, share: f64) -> Result<Span, LagError> {
        if !(0.0..1.0).contains(&share) {
            return Err(LagError::Parameter {
                field: "share",
                value: share,
            });
        }
        let z = match self.family {
            LagFamily::Weibull => (-(-share).ln_1p()).ln(),
            LagFamily::LogNormal => normal::quantile(share),
        };
        let hours = (self.location + self.spread * z).exp();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float too large becomes the largest number"
        )]
        let micros = (hours * 3.6e9).round() as i64;
        Ok(Span::from_micros(micros).unwrap_or(Span::MAX))
    }

    /// A window that catches a share of all conversions, rounded up to whole hours, within bounds.
    ///
    /// The bounds keep a channel with few conversions from a window that nobody meant.
    ///
    /// # Errors
    /// [`LagError::Parameter`] for a share outside of `[0, 1)`, [`LagError::Bounds`] where the least
    /// is above the most.
    pub fn window(&self, share: f64, least: Span, most: Span) -> Result<Span, LagError> {
        if least > most {
            return Err(LagError::Bounds { least, most });
        }
        let hour = Span::hours(1).micros();
        let micros = self.quantile(share)?.micros();
        let whole = micros.saturating_add(hour - 1) / hour * hour;
        let window = Span::from_micros(whole).unwrap_or(Span::MAX);
        Ok(window.clamp(least, most))
    }

    /// Windows that catch a share of all conversions: after clicks as from [`window`](Self::window)
    /// between the app's and the B2B presets, after views in the proportion of `usual`.
    ///
    /// # Errors
    /// As [`window`](Self::window).
    pub fn windows(&self, share: f64, usual: Windows) -> Result<Windows, LagError> {
        let click = self.window(share, Windows::APP.click, Windows::B2B.click)?;
        let part = i128::from(click.micros()) * i128::from(usual.view.micros())
            / i128::from(usual.click.micros().max(1));
        let view = i64::try_from(part).ok().and_then(Span::from_micros);
        let view = view.unwrap_or(Span::MAX).min(click);
        Ok(Windows { click, view })
    }
}

impl LagFamily {
    /// The logarithm of the share above `z`.
    pub(super) fn ln_survival(self, z: f64) -> f64 {
        match self {
            Self::Weibull => -z.exp(),
            Self::LogNormal => normal::ln_upper(z),
        }
    }

    /// The logarithm of the density at `z`.
    pub(super) fn ln_density(self, z: f64) -> f64 {
        match self {
            Self::Weibull => z - z.exp(),
            Self::LogNormal => normal::ln_density(z),
        }
    }

    /// The derivative of [`ln_density`](Self::ln_density).
    pub(super) fn slope(self, z: f64) -> f64 {
        match self {
            Self::Weibull => 1.0 - z.exp(),
            Self::LogNormal => -z,
        }
    }
}

/// The parameters as they are stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    family: LagFamily,
    location: f64,
    spread: f64,
    ever: f64,
}

impl From<LagModel> for Stored {
    fn from(model: LagModel) -> Self {
        Self {
            family: model.family,
            location: model.location,
            spread: model.spread,
            ever: model.ever,
        }
    }
}

impl TryFrom<Stored> for LagModel {
    type Error = LagError;

    fn try_from(stored: Stored) -> Result<Self, LagError> {
        Self::new(stored.family, stored.location, stored.spread, stored.ever)
    }
}
