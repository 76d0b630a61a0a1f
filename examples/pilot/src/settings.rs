//! Settings: command line before environment before file before default.

mod file;
mod names;
mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use gaelp::budget::{Controller, DualSubgradient, EntropicMirror, Guide, Pi, Pid};
use gaelp::core::{AccountZone, AdSetId, Currency, Micros, Ratio, Seed};
use gaelp::guardrails::{GuardrailConfig, HourRange};
use gaelp::rollout::{Budgeting, Mode, PacedConfig, RevenueFrom, RolloutConfig};
use gaelp_exports::{DateOrder, NumberFormat};

use self::file::read_file;
pub(crate) use self::names::SETTINGS;
use self::names::{NONE, known};
use self::rules::Overlay;

/// Rules that have settings of their own.
const OWN_SETTINGS: [(&str, &str); 19] = [
    ("daily_cap", "DAILY_CAP_TOTAL"),
    ("ad_set_daily_cap", "ADSET_DAILY_CAP"),
    ("hourly_floor", "ADSET_MIN_HOURLY"),
    ("hourly_ceiling", "ADSET_MAX_HOURLY"),
    ("delta_max", "BUDGET_DELTA_MAX"),
    ("delta_max_24h", "BUDGET_DELTA_MAX_24H"),
    ("peak_hours", "PEAK_HOURS"),
    ("freeze_roas_below", "FREEZE_IF_ROAS_LT"),
    ("unfreeze_roas_at", "UNFREEZE_IF_ROAS_GE"),
    ("roas_window_hours", "ROAS_WINDOW_HOURS"),
    ("freeze_cpa_above", "FREEZE_IF_CPA_GT"),
    ("unfreeze_cpa_at", "UNFREEZE_IF_CPA_LE"),
    (
        "freeze_without_conversion_hours",
        "FREEZE_IF_NO_CONVERSION_HOURS",
    ),
    ("minimum_window_spend", "FREEZE_MIN_SPEND"),
    ("freeze_after_evaluations", "FREEZE_AFTER"),
    ("dwell_hours", "FREEZE_DWELL_HOURS"),
    ("max_data_age_hours", "MAX_DATA_AGE_HOURS"),
    ("min_coverage", "MIN_COVERAGE"),
    ("canary", "CANARY_LIST"),
];

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Flag,
    Environment,
    File(PathBuf),
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("on the command line"),
            Self::Environment => f.write_str("in the environment"),
            Self::File(path) => write!(f, "in {}", path.display()),
            Self::Default => f.write_str("by default"),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    /// A value that is not what the setting takes.
    #[error("{name} is {value:?} ({origin}): {problem}")]
    Value {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// Where it came from, in words.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A name that is no setting.
    #[error("{name:?} {place} is not a setting{hint}; `gaelp-pilot settings` lists them")]
    Unknown {
        /// The name.
        name: String,
        /// Where it stands.
        place: String,
        /// The nearest name there is.
        hint: String,
    },
    /// A `--set` without `=`.
    #[error("--set {0:?}: NAME=VALUE is expected")]
    NotAssigned(String),
    /// The configuration file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of rules says what cannot be.
    #[error("{}: {field}: {problem}", path.display())]
    Rule {
        /// Which.
        path: PathBuf,
        /// The rule's name.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// A file is no TOML.
    #[error("{}: {source}", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
}

/// A value as it was given: a text, whose parts stand between commas where a list is wanted, or a
/// list by itself, whose parts may hold commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    text: String,
    parts: Option<Vec<String>>,
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self {
            text: text.trim().to_owned(),
            parts: None,
        }
    }
}

impl From<Vec<String>> for Given {
    fn from(parts: Vec<String>) -> Self {
        Self {
            text: parts.join(","),
            parts: Some(parts),
        }
    }
}

/// All settings as they were given, each with its source.
#[derive(Debug)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, (Given, Source)>,
}

/// A report file and the map it is read with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InsightsFile {
    pub(crate) path: PathBuf,
    pub(crate) map: Option<PathBuf>,
}

impl Settings {
    /// Gathers the settings from their four places.
    pub(crate) fn gather(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        flags: Vec<(&'static str, Option<Given>)>,
        assignments: &[String],
    ) -> Result<Self, SettingError> {
        let mut values: BTreeMap<_, _> = SETTINGS
            .iter()
            .map(|&(name, default, _)| (name, (Given::from(default.to_owned()), Source::Default)))
            .collect();
        if let Some(path) = file {
            for (name, value) in read_file(path)? {
                let place = format!("in {}", path.display());
                let name = known(&name, &place)?;
                values.insert(name, (value, Source::File(path.to_owned())));
            }
        }
        for &(name, ..) in SETTINGS {
            if let Some(value) = environment(name) {
                values.insert(name, (value.into(), Source::Environment));
            }
        }
        for assignment in assignments {
            let (name, value) = assignment
                .split_once('=')
                .ok_or_else(|| SettingError::NotAssigned(assignment.clone()))?;
            let name = known(name.trim(), "on the command line")?;
            values.insert(name, (value.to_owned().into(), Source::Flag));
        }
        for (name, value) in flags {
            if let Some(value) = value {
                values.insert(name, (value, Source::Flag));
            }
        }
        Ok(Self { values })
    }

    fn text(&self, name: &'static str) -> &str {
        self.values
            .get(name)
            .map_or("", |(value, _)| value.text.as_str())
    }

    /// All values that shape the result, for the report.
    pub(crate) fn shown(&self) -> BTreeMap<&'static str, String> {
        let places = ["INSIGHTS", "ORDERS", "MAP", "STORE", "REPORT"];
        let shown = |(&name, (value, _)): (&&'static str, &(Given, Source))| {
            // What a file of rules says matters, not where it lies.
            let said = ["RULES", "CANDIDATE"].contains(&name).then(|| {
                let path = self.file(name)?;
                Overlay::read(&path).ok().map(|overlay| overlay.to_string())
            });
            let text = said.flatten().unwrap_or_else(|| value.text.clone());
            (!places.contains(&name)).then_some((name, text))
        };
        self.values.iter().filter_map(shown).collect()
    }

    fn get<T: FromStr<Err: fmt::Display>>(&self, name: &'static str) -> Result<T, SettingError> {
        let text = self.text(name);
        text.parse()
            .map_err(|problem: T::Err| self.wrong(name, problem.to_string()))
    }

    /// `None` for an empty value and for `none`.
    fn optional<T: FromStr<Err: fmt::Display>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, SettingError> {
        match self.text(name) {
            "" | NONE => Ok(None),
            _ => self.get(name).map(Some),
        }
    }

    fn ratio(&self, name: &'static str) -> Result<Ratio, SettingError> {
        let Decimal(ratio) = self.get(name)?;
        Ok(ratio)
    }

    fn list(&self, name: &'static str) -> Vec<&str> {
        let given = self.values.get(name).map(|(value, _)| value);
        if let Some(parts) = given.and_then(|value| value.parts.as_ref()) {
            return parts.iter().map(String::as_str).collect();
        }
        let parts = self.text(name).split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).collect()
    }

    fn wrong(&self, name: &'static str, problem: String) -> SettingError {
        let (value, source) = self
            .values
            .get(name)
            .cloned()
            .unwrap_or((Given::default(), Source::Default));
        SettingError::Value {
            name,
            value: value.text,
            origin: source.to_string(),
            problem,
        }
    }

    /// A path; one that a configuration file names is relative to that file.
    fn path(&self, name: &'static str, text: &str) -> PathBuf {
        match self.values.get(name) {
            Some((_, Source::File(file))) => {
                file.parent().unwrap_or_else(|| Path::new("")).join(text)
            }
            _ => PathBuf::from(text),
        }
    }

    pub(crate) fn insights(&self) -> Vec<InsightsFile> {
        let shared = self.map();
        let split = |entry: &str| {
            let (path, map) = match entry.rsplit_once('@') {
                Some((path, map)) if Path::new(map).extension() == Some("toml".as_ref()) => {
                    (path, Some(map))
                }
                _ => (entry, None),
            };
            InsightsFile {
                path: self.path("INSIGHTS", path),
                map: map
                    .map(|map| self.path("INSIGHTS", map))
                    .or_else(|| shared.clone()),
            }
        };
        self.list("INSIGHTS").into_iter().map(split).collect()
    }

    pub(crate) fn orders(&self) -> Vec<PathBuf> {
        self.list("ORDERS")
            .into_iter()
            .map(|path| self.path("ORDERS", path))
            .collect()
    }

    fn map(&self) -> Option<PathBuf> {
        self.file("MAP")
    }

    /// A file that may be left out.
    fn file(&self, name: &'static str) -> Option<PathBuf> {
        match self.text(name) {
            "" | NONE => None,
            path => Some(self.path(name, path)),
        }
    }

    /// Where everything is kept; `None` keeps it in memory.
    pub(crate) fn store(&self) -> Result<Option<PathBuf>, SettingError> {
        match self.text("STORE") {
            "" => Err(self.wrong("STORE", "a file, or :memory: to keep nothing".to_owned())),
            ":memory:" => Ok(None),
            path => Ok(Some(self.path("STORE", path))),
        }
    }

    /// Refuses to write over what is read.
    pub(crate) fn check_outputs(&self) -> Result<(), SettingError> {
        let reports = self
            .insights()
            .into_iter()
            .flat_map(|file| [Some(file.path), file.map]);
        let orders = self.orders().into_iter().map(Some);
        let inputs: Vec<PathBuf> = reports
            .chain(orders)
            .flatten()
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        let outputs = [("REPORT", self.report()), ("STORE", self.store()?)];
        for (name, path) in outputs {
            let there = path.and_then(|path| path.canonicalize().ok());
            if there.is_some_and(|path| inputs.contains(&path)) {
                return Err(self.wrong(name, "that is one of the files to read".to_owned()));
            }
        }
        Ok(())
    }

    pub(crate) fn report(&self) -> Option<PathBuf> {
        self.file("REPORT")
    }

    pub(crate) fn zone(&self) -> Result<AccountZone, SettingError> {
        self.get("TIMEZONE")
    }

    pub(crate) fn currency(&self) -> Result<Option<Currency>, SettingError> {
        self.optional("CURRENCY")
    }

    pub(crate) fn date_order(&self) -> Result<Option<DateOrder>, SettingError> {
        self.optional("DATE_ORDER")
    }

    pub(crate) fn numbers(&self) -> Result<Option<NumberFormat>, SettingError> {
        self.optional("NUMBERS")
    }

    /// The rollout's configuration in a currency.
    pub(crate) fn rollout(&self, currency: Currency) -> Result<RolloutConfig, SettingError> {
        let mode = match self.text("MODE") {
            "shadow" => Mode::Shadow,
            "pilot" => Mode::Pilot,
            _ => return Err(self.wrong("MODE", "shadow or pilot is expected".to_owned())),
        };
        let multipliers = self
            .list("MULTIPLIERS")
            .into_iter()
            .map(|part| part.parse().map(|Decimal(ratio)| ratio))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| self.wrong("MULTIPLIERS", problem))?;
        let seed: u64 = self.get("SEED")?;
        let guardrails = self.guardrails()?;
        let candidate = self.candidate(&guardrails)?;
        Ok(RolloutConfig {
            mode,
            zone: self.zone()?,
            currency,
            seed: Seed::new(seed),
            margin: self.ratio("MARGIN")?,
            lambda_spend: self.ratio("LAMBDA_SPEND")?,
            lagrange_step: self.ratio("LAGRANGE_STEP")?,
            lambda_max: self.ratio("LAMBDA_MAX")?,
            daily_budget_target: self.get("DAILY_BUDGET_TARGET")?,
            multipliers,
            response_elasticity: self.ratio("RESPONSE_ELASTICITY")?,
            revenue: if self.orders().is_empty() {
                RevenueFrom::Platform
            } else {
                RevenueFrom::Shop
            },
            budgeting: self.budgeting()?,
            reread_hours: 0,
            settle_hours: self.get("SETTLE_HOURS")?,
            send_within_secs: self.get("SEND_WITHIN_SECS")?,
            request_lifetime_secs: self.get("REQUEST_LIFETIME_SECS")?,
            clock_skew_secs: self.get("CLOCK_SKEW_SECS")?,
            read_backs: self.get("READ_BACKS")?,
            gone_after_secs: self.get("GONE_AFTER_SECS")?,
            guardrails,
            candidate,
            ..RolloutConfig::default()
        })
    }

    fn budgeting(&self) -> Result<Budgeting, SettingError> {
        let guide = Guide {
            step: self.ratio("LAGRANGE_STEP")?,
            most: self.ratio("LAMBDA_MAX")?,
            ..Guide::default()
        };
        let controller = match self.text("PACING_RULE") {
            "entropic_mirror" => EntropicMirror::default().into(),
            "dual_subgradient" => DualSubgradient::default().into(),
            "guide" => guide.into(),
            "pi" => Pi::default().into(),
            "pid" => Pid::default().into(),
            "fixed" => Controller::Fixed,
            _ => {
                let problem = "entropic_mirror, dual_subgradient, guide, pi, pid or fixed is \
                               expected";
                return Err(self.wrong("PACING_RULE", problem.to_owned()));
            }
        };
        match self.text("BUDGETING") {
            "classic" => Ok(Budgeting::Classic),
            "paced" => Ok(Budgeting::Paced(PacedConfig {
                controller,
                ..PacedConfig::default()
            })),
            _ => Err(self.wrong("BUDGETING", "classic or paced is expected".to_owned())),
        }
    }

    fn guardrails(&self) -> Result<GuardrailConfig, SettingError> {
        let canary = match self.text("CANARY_LIST") {
            "" | NONE => None,
            _ => Some(
                self.list("CANARY_LIST")
                    .into_iter()
                    .map(AdSetId::from)
                    .collect(),
            ),
        };
        let optional_ratio = |name| {
            self.optional::<Decimal>(name)
                .map(|found| found.map(|Decimal(ratio)| ratio))
        };
        let config = GuardrailConfig {
            daily_cap: self.get::<Micros>("DAILY_CAP_TOTAL")?,
            ad_set_daily_cap: self.optional("ADSET_DAILY_CAP")?,
            hourly_floor: self.get("ADSET_MIN_HOURLY")?,
            hourly_ceiling: self.get("ADSET_MAX_HOURLY")?,
            delta_max: self.ratio("BUDGET_DELTA_MAX")?,
            delta_max_24h: self.ratio("BUDGET_DELTA_MAX_24H")?,
            peak_hours: self.optional::<HourRange>("PEAK_HOURS")?,
            freeze_roas_below: optional_ratio("FREEZE_IF_ROAS_LT")?,
            unfreeze_roas_at: optional_ratio("UNFREEZE_IF_ROAS_GE")?,
            roas_window_hours: self.get("ROAS_WINDOW_HOURS")?,
            freeze_cpa_above: self.optional("FREEZE_IF_CPA_GT")?,
            unfreeze_cpa_at: self.optional("UNFREEZE_IF_CPA_LE")?,
            freeze_without_conversion_hours: self.optional("FREEZE_IF_NO_CONVERSION_HOURS")?,
            minimum_window_spend: self.get("FREEZE_MIN_SPEND")?,
            freeze_after_evaluations: self.get("FREEZE_AFTER")?,
            dwell_hours: self.get("FREEZE_DWELL_HOURS")?,
            max_data_age_hours: self.get("MAX_DATA_AGE_HOURS")?,
            min_coverage: self.ratio("MIN_COVERAGE")?,
            canary,
            ..GuardrailConfig::default()
        };
        let Some(path) = self.file("RULES") else {
            return Ok(config);
        };
        let rules = Overlay::read(&path)?;
        rules.refuse(&OWN_SETTINGS)?;
        rules.over(config)
    }

    /// The rules to try out: those in force, with what differs.
    fn candidate(&self, live: &GuardrailConfig) -> Result<Option<GuardrailConfig>, SettingError> {
        let path = self.file("CANDIDATE");
        path.map(|path| Overlay::read(&path)?.over(live.clone()))
            .transpose()
    }
}

/// A ratio written as a decimal number, read exactly.
struct Decimal(Ratio);

impl FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let micros: Micros = text
            .parse()
            .map_err(|problem| format!("a decimal number is expected, such as 0.1: {problem}"))?;
        Ok(Self(Ratio::from_ppm(micros.get())))
    }
}
