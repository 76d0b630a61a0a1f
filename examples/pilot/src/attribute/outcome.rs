//! The answer: credits by channel and model.

use std::path::Path;

use gaelp::core::{Currency, Micros};
use serde::Serialize;

use super::AttributeError;
use super::args::{Of, Settings};
use super::input::{Input, Kind};
use super::models::{ModelName, NAMES};

/// What the models say.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// The version of this program.
    pub(crate) gaelp: &'static str,
    /// The file's name.
    pub(crate) file: String,
    /// `paths` or `events`.
    pub(crate) kind: &'static str,
    pub(crate) rows: u64,
    pub(crate) journeys: u64,
    pub(crate) conversions: u64,
    /// `value` or `conversions`: what is split.
    pub(crate) of: &'static str,
    pub(crate) currency: Option<Currency>,
    /// What all conversions come to.
    pub(crate) total: Micros,
    /// Channels by what they earn on the average of all models, most first.
    pub(crate) channels: Vec<String>,
    pub(crate) models: Vec<ModelCredits>,
    /// Models that the file does not allow, with the reason.
    pub(crate) left_out: Vec<(&'static str, String)>,
    pub(crate) notes: Vec<String>,
}

/// What channels earn under one model.
#[derive(Debug, Serialize)]
pub(crate) struct ModelCredits {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    pub(crate) meaning: &'static str,
    /// In the order of [`Outcome::channels`].
    pub(crate) credits: Vec<Micros>,
    /// What no channel earned: conversions without a touch.
    pub(crate) unattributed: Micros,
}

/// Where a model has its weights from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Family {
    /// A rule of thumb.
    Rule,
    /// The data.
    Learned,
}

impl Family {
    /// In words.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Rule => "Rules of thumb",
            Self::Learned => "Learned from the journeys",
        }
    }
}

impl Outcome {
    /// The models of a family.
    pub(crate) fn of_family(&self, family: Family) -> Vec<&ModelCredits> {
        let own = self.models.iter().filter(|model| model.family == family);
        own.collect()
    }

    /// The unit of the amounts.
    pub(crate) fn unit(&self) -> String {
        match self.currency {
            _ if self.of == "conversions" => "conversions".to_owned(),
            Some(currency) => currency.to_string(),
            None => "value".to_owned(),
        }
    }
}

/// Credits the channels of a file under all models.
///
/// # Errors
/// [`AttributeError::Model`] where a model that was asked for cannot be had.
pub(super) fn of(
    path: &Path,
    input: &Input,
    settings: &Settings,
) -> Result<Outcome, AttributeError> {
    let refuse = |error: String| AttributeError::content(path, error);
    let ones = input
        .conversions
        .iter()
        .map(|count| count.checked_mul(1_000_000));
    let any_value = input.values.iter().any(|&value| value != 0);
    let default = if any_value {
        Of::Value
    } else {
        Of::Conversions
    };
    let of = settings.of.unwrap_or(default);
    let counted: Option<Vec<i64>> = ones.collect();
    let counted = counted.ok_or_else(|| refuse("too many conversions".to_owned()))?;
    let values = match of {
        Of::Value => &input.values,
        Of::Conversions => &counted,
    };
    let table = input
        .table(values)
        .map_err(|error| refuse(error.to_string()))?;
    if table.conversions() == 0 {
        return Err(refuse("there is no conversion in it".to_owned()));
    }
    if input.channels.is_empty() {
        return Err(refuse("there is no touch in it".to_owned()));
    }
    let total = table.value();
    let (mut models, mut left_out) = (Vec::new(), Vec::new());
    for &model in settings.models.as_deref().unwrap_or(&NAMES) {
        let obstacle = model.obstacle(input, settings);
        let credits = match obstacle {
            Some(reason) => Err(reason),
            None => model.credit(&table, input, settings),
        };
        match credits {
            Ok(credits) => models.push((model, credits)),
            Err(reason) if settings.models.is_some() => {
                let model = model.code();
                return Err(AttributeError::Model { model, reason });
            }
            Err(reason) => left_out.push((model.code(), reason)),
        }
    }
    let order = by_size(input.channels.len(), &models);
    let names: Vec<&str> = input.channels.names().collect();
    let mut notes = input.notes.clone();
    if settings.of.is_none() && of == Of::Conversions {
        notes.push("no conversion has a value, so their number is split".to_owned());
    }
    Ok(Outcome {
        gaelp: env!("CARGO_PKG_VERSION"),
        file: path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
        kind: match input.kind {
            Kind::Paths => "paths",
            Kind::Events => "events",
        },
        rows: input.rows,
        journeys: input.journeys(),
        conversions: input.converted(),
        of: match of {
            Of::Value => "value",
            Of::Conversions => "conversions",
        },
        currency: settings.currency,
        total,
        channels: order.iter().map(|&place| names[place].to_owned()).collect(),
        models: models
            .into_iter()
            .map(|(model, all)| in_order(model, &all, &order, total))
            .collect(),
        left_out,
        notes,
    })
}

/// Channels by their sum over all models, then by number.
fn by_size(channels: usize, models: &[(ModelName, Vec<Micros>)]) -> Vec<usize> {
    let sum = |place: usize| -> i128 {
        let credits = models.iter().filter_map(|(_, credits)| credits.get(place));
        credits.map(|credit| i128::from(credit.get())).sum()
    };
    let mut order: Vec<usize> = (0..channels).collect();
    order.sort_by_cached_key(|&place| (std::cmp::Reverse(sum(place)), place));
    order
}

fn in_order(model: ModelName, all: &[Micros], order: &[usize], total: Micros) -> ModelCredits {
    let credits: Vec<Micros> = order.iter().map(|&place| all[place]).collect();
    let attributed = Micros::checked_sum(credits.iter().copied());
    ModelCredits {
        name: model.code(),
        family: model.family(),
        meaning: model.meaning(),
        unattributed: attributed
            .and_then(|sum| total.checked_sub(sum))
            .unwrap_or(Micros::ZERO),
        credits,
    }
}
