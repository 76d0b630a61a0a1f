//! The command line of `attribute`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gaelp::attribution::{RulesConfig, Scope, Span, Windows};
use gaelp::core::Currency;

use super::AttributeError;
use super::models::{ModelName, NAMES};

/// What the files hold.
const FILES: &str = "\
--paths FILE: a row for each path, with a header.
  path                    channels by ` > `, oldest first: `search > email > search`
  total_conversions       how many journeys of this path converted
  total_conversion_value  what these conversions were worth together
  total_null              how many did not convert (may be left out; the models that learn from
                          them then are too)

--events FILE: a row for each event in the order of arrival, with a header.
  kind          touch, conversion, adjust, merge or advance
  event_id      of the touch, conversion or adjustment; the first event of an id counts
  user          whose; numbers or texts, as all ids
  ts_ms         milliseconds since 1970, or a column `ts` such as 2026-11-21T10:00:00Z
  channel       of a touch
  touch_kind    click or view; a click where it is empty or left out
  value_micros  of a conversion or adjustment in millionths, or a column `value` such as 12.50
  conv_id       which conversion an adjustment sets to a new value, such as 0 for a refund
  into_user     into which user a merge turns its user
An advance says that events up to its time are complete: what is three days older is late.

Exit codes: 0 done; 2 a wrong call; 3 the file was refused; 5 an output could not be written.";

/// What each channel earned, under every model side by side.
///
/// Reads a table of paths or a list of events, and splits the value of every conversion over the
/// channels before it: by rules of thumb, by what would be lost without a channel (Markov chains of
/// order 1 to 4, Shapley value, leave-one-out), and by a fitted hazard. Credits are whole micros and
/// sum exactly to the value. None of the models is causal: they describe journeys.
#[derive(Debug, Args)]
#[command(after_long_help = FILES)]
pub(crate) struct AttributeArgs {
    /// A table of paths.
    #[arg(long, value_name = "FILE", conflicts_with = "events")]
    pub(super) paths: Option<PathBuf>,
    /// A list of events.
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    /// The models by their names and commas; all that the file allows where it is left out.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    models: Vec<String>,
    /// After which time a touch counts half: such as 12h or 7d. Default 24h. Events only.
    #[arg(long, value_name = "SPAN")]
    half_life: Option<String>,
    /// How long a click may precede its conversion. Default 7d. Events only.
    #[arg(long, value_name = "SPAN")]
    click_window: Option<String>,
    /// How long a view may precede its conversion. Default 1d. Events only.
    #[arg(long, value_name = "SPAN")]
    view_window: Option<String>,
    /// A conversion ends a journey: the next one starts anew. Events only.
    #[arg(long)]
    since_previous: bool,
    /// The channel of direct traffic, for the last touch that is not direct.
    #[arg(long, value_name = "CHANNEL", default_value = "direct")]
    direct: String,
    /// Split what conversions were worth, or how many there were.
    #[arg(long, value_enum, value_name = "WHAT")]
    of: Option<Of>,
    /// The currency, for the heading.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Where an HTML report with a chart goes.
    #[arg(long, value_name = "PATH")]
    pub(super) report: Option<PathBuf>,
    /// Where a CSV file with the credits goes, exact to the micro.
    #[arg(long, value_name = "PATH")]
    pub(super) csv: Option<PathBuf>,
    /// Print JSON instead of the table; amounts are micros, millionths.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Of {
    /// The value; the default where there is any.
    Value,
    /// One for each conversion.
    Conversions,
}

/// The arguments, checked.
#[derive(Debug)]
pub(super) struct Settings {
    /// `None` for all that the file allows.
    pub(super) models: Option<Vec<ModelName>>,
    pub(super) half_life: Span,
    pub(super) rules: RulesConfig,
    pub(super) direct: String,
    pub(super) of: Option<Of>,
    pub(super) currency: Option<Currency>,
}

/// The touch of yesterday counts half of today's.
const HALF_LIFE: Span = Span::hours(24);

impl AttributeArgs {
    /// # Errors
    /// [`AttributeError::Argument`] for the first one that is wrong.
    pub(super) fn settings(&self) -> Result<Settings, AttributeError> {
        self.check_kind()?;
        let usual = Windows::default();
        let mut rules = RulesConfig::default();
        let click = span("--click-window", self.click_window.as_deref())?;
        let view = span("--view-window", self.view_window.as_deref())?;
        rules.windows.usual = Windows {
            click: click.unwrap_or(usual.click),
            view: view.unwrap_or(usual.view),
        };
        if self.since_previous {
            rules.scope = Scope::SincePrevious;
        }
        // Whoever looks back for 90 days must accept refunds for longer.
        let longest = rules.windows.usual.click.max(rules.windows.usual.view);
        let least = Span::from_micros(longest.micros().saturating_add(rules.lateness.micros()));
        rules.refund_horizon = rules.refund_horizon.max(least.unwrap_or(Span::MAX));
        let half_life = span("--half-life", self.half_life.as_deref())?.unwrap_or(HALF_LIFE);
        if half_life == Span::ZERO {
            return Err(wrong("--half-life", "0", "more than no time"));
        }
        if let Some(code) = &self.currency {
            let parsed = code.parse();
            rules.currency = parsed
                .map_err(|_| wrong("--currency", code, "three capital letters, as in USD"))?;
        }
        // All violations of windows that cannot be kept are found here, before a file is read.
        rules.clone().validate().map_err(AttributeError::Rules)?;
        Ok(Settings {
            models: self.models()?,
            half_life,
            currency: self.currency.is_some().then_some(rules.currency),
            rules,
            direct: self.direct.clone(),
            of: self.of,
        })
    }

    /// Refuses what means nothing for a table of paths.
    fn check_kind(&self) -> Result<(), AttributeError> {
        if self.events.is_some() {
            return Ok(());
        }
        let spans = [
            ("--half-life", &self.half_life),
            ("--click-window", &self.click_window),
            ("--view-window", &self.view_window),
        ];
        for (argument, value) in spans {
            if value.is_some() {
                return Err(AttributeError::Timeless { argument });
            }
        }
        if self.since_previous {
            let argument = "--since-previous";
            return Err(AttributeError::Timeless { argument });
        }
        Ok(())
    }

    fn models(&self) -> Result<Option<Vec<ModelName>>, AttributeError> {
        if self.models.is_empty() {
            return Ok(None);
        }
        let mut chosen = Vec::new();
        for name in &self.models {
            let name = name.trim();
            let known = NAMES.iter().find(|model| model.code() == name);
            let list: Vec<&str> = NAMES.iter().map(|model| model.code()).collect();
            let allowed = format!("one of {}", list.join(", "));
            let model = *known.ok_or_else(|| wrong("--models", name, &allowed))?;
            if !chosen.contains(&model) {
                chosen.push(model);
            }
        }
        Ok(Some(chosen))
    }
}

fn wrong(argument: &'static str, found: &str, expected: &str) -> AttributeError {
    AttributeError::Argument {
        argument,
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

/// A span such as `12h` or `7d`.
fn span(argument: &'static str, text: Option<&str>) -> Result<Option<Span>, AttributeError> {
    let Some(text) = text else { return Ok(None) };
    let parse = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = digits.then(|| number.parse().ok()).flatten()?;
        match unit {
            "d" => Some(Span::days(number)),
            "h" => Some(Span::hours(number)),
            _ => None,
        }
    };
    let expected = "whole hours or days, as in 12h or 7d";
    parse()
        .map(Some)
        .ok_or_else(|| wrong(argument, text, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_hours_and_days() {
        let read = |text| span("--x", Some(text)).ok().flatten();
        assert_eq!(read("12h"), Some(Span::hours(12)));
        assert_eq!(read("7d"), Some(Span::days(7)));
        assert_eq!(read("0d"), Some(Span::ZERO));
        for wrong in [
            "",
            "d",
            "7",
            "7w",
            "-1d",
            "+1d",
            "1.5d",
            "7 d",
            "ä",
            "99999999999d",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(matches!(span("--x", None), Ok(None)));
    }
}
