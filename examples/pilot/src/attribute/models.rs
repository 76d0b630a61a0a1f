//! The models by name, and what they make of a file.

use gaelp::attribution::{
    ChannelSet, Hazard, HazardCounts, LeaveOneOut, MarkovCounts, Model, Order, PathTable,
    ShapleySetValue, Span, Weigh, credit_channels, credit_channels_by,
};
use gaelp::core::Micros;

use super::args::Settings;
use super::input::{Input, Kind};
use super::outcome::Family;

/// A model by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelName {
    Last,
    First,
    LastNonDirect,
    Linear,
    Position,
    JShape,
    InverseJ,
    TimeDecay,
    Markov(Order),
    Shapley,
    LeaveOneOut,
    Hazard,
}

/// All of them, in the order in which they are shown.
pub(super) const NAMES: [ModelName; 15] = [
    ModelName::Last,
    ModelName::LastNonDirect,
    ModelName::First,
    ModelName::Linear,
    ModelName::Position,
    ModelName::JShape,
    ModelName::InverseJ,
    ModelName::TimeDecay,
    ModelName::Markov(Order::FIRST),
    ModelName::Markov(Order::SECOND),
    ModelName::Markov(Order::THIRD),
    ModelName::Markov(Order::FOURTH),
    ModelName::Shapley,
    ModelName::LeaveOneOut,
    ModelName::Hazard,
];

/// The journeys of a file with the values to split.
type Table<'a> = PathTable<'a, u16, u64>;

impl ModelName {
    /// As it is written on the command line, in JSON and CSV.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::First => "first",
            Self::LastNonDirect => "last_non_direct",
            Self::Linear => "linear",
            Self::Position => "position",
            Self::JShape => "j_shape",
            Self::InverseJ => "inverse_j",
            Self::TimeDecay => "time_decay",
            Self::Markov(order) => match order.get() {
                1 => "markov1",
                2 => "markov2",
                3 => "markov3",
                _ => "markov4",
            },
            Self::Shapley => "shapley",
            Self::LeaveOneOut => "leave_one_out",
            Self::Hazard => "hazard",
        }
    }

    /// What it does, in a sentence.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Last => "Everything to the last touch.",
            Self::First => "Everything to the first touch.",
            Self::LastNonDirect => "Everything to the last touch that is not direct traffic.",
            Self::Linear => "The same to every touch.",
            Self::Position => {
                "40 per cent each to the first and the last touch, 20 to those between."
            }
            Self::JShape => "20 per cent to the first touch, 60 to the last, 20 to those between.",
            Self::InverseJ => {
                "60 per cent to the first touch, 20 to the last, 20 to those between."
            }
            Self::TimeDecay => "Half as much for every half-life that a touch is older.",
            Self::Markov(order) => match order.get() {
                1 => {
                    "What would be lost without the channel, in a chain that knows the last touch."
                }
                2 => "The same in a chain that knows the last two touches.",
                3 => "The same in a chain that knows the last three touches.",
                _ => "The same in a chain that knows the last four touches.",
            },
            Self::Shapley => "A conversion's value is split equally over the distinct channels.",
            Self::LeaveOneOut => {
                "What a touch adds to the rate at which its very path converts, beside the path \
                 without it."
            }
            Self::Hazard => {
                "How likely a conversion is just after a touch, as the touch fades; fitted to \
                 journeys that converted and that did not."
            }
        }
    }

    pub(super) const fn family(self) -> Family {
        match self {
            Self::Markov(_) | Self::Shapley | Self::LeaveOneOut | Self::Hazard => Family::Learned,
            _ => Family::Rule,
        }
    }

    /// Why it cannot be had from a file.
    pub(super) fn obstacle(self, input: &Input, settings: &Settings) -> Option<String> {
        match self {
            Self::LastNonDirect if input.channels.id(&settings.direct).is_none() => {
                let name = &settings.direct;
                Some(format!(
                    "no channel is called {name:?}; name it with --direct"
                ))
            }
            Self::TimeDecay | Self::Hazard if input.kind == Kind::Paths => {
                Some("a table of paths does not say when touches happened".to_owned())
            }
            Self::Markov(_) | Self::LeaveOneOut if !input.knows_nulls => {
                let why = "without the column total_null nothing is known of journeys that did \
                           not convert";
                Some(why.to_owned())
            }
            _ => None,
        }
    }

    /// What every channel earns.
    ///
    /// # Errors
    /// Why it cannot be fitted, in words.
    pub(super) fn credit(
        self,
        table: &Table<'_>,
        input: &Input,
        settings: &Settings,
    ) -> Result<Vec<Micros>, String> {
        let times = input.times();
        let by = |model: &dyn Weigh| {
            let credits = credit_channels_by(table, times, model);
            credits.map(|credits| credits.by_channel).map_err(words)
        };
        let rule = |model: &Model| {
            let credits = credit_channels(table, times, model);
            credits.map(|credits| credits.by_channel).map_err(words)
        };
        match self {
            Self::Last => rule(&Model::Last),
            Self::First => rule(&Model::First),
            Self::LastNonDirect => {
                let direct: ChannelSet = input.channels.id(&settings.direct).into_iter().collect();
                rule(&Model::LastNonDirect { direct })
            }
            Self::Linear => rule(&Model::Linear),
            Self::Position => rule(&Model::POSITION),
            Self::JShape => rule(&Model::J_SHAPE),
            Self::InverseJ => rule(&Model::INVERSE_J),
            Self::TimeDecay => rule(&Model::TimeDecay {
                half_life: settings.half_life,
            }),
            Self::Markov(order) => {
                let counts = MarkovCounts::count(table, order).map_err(words)?;
                counts.fit().map_err(words)?.credit().map_err(words)
            }
            Self::Shapley => by(&ShapleySetValue),
            Self::LeaveOneOut => by(&LeaveOneOut::fit(table)),
            Self::Hazard => by(&hazard(table, input, settings)?),
        }
    }
}

/// The hazard with the half-life that fits best.
fn hazard(table: &Table<'_>, input: &Input, settings: &Settings) -> Result<Hazard, String> {
    let times = input.times().ok_or("no moments are known")?;
    let counts = HazardCounts::count(table, times).map_err(words)?;
    let mut half_lives = vec![Span::hours(6), Span::days(1), Span::days(7), Span::days(30)];
    if !half_lives.contains(&settings.half_life) {
        half_lives.push(settings.half_life);
    }
    Ok(counts.fit(&half_lives).map_err(words)?.model)
}

fn words(error: impl std::error::Error) -> String {
    error.to_string()
}
