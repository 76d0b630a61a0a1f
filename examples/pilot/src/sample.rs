//! Sample exports: a simulated shop, written in the formats in which platforms export.
//!
//! [`write()`] fills a folder with what a person would download: the hourly reports of Meta, Google
//! and TikTok, the orders of a Shopify shop, and a text that says that all of it is simulated and
//! what was put in. With [`SampleConfig::rows`] it writes as many rows as a measurement needs.
//!
//! The same configuration gives the same bytes. A test compares the bundled samples with what the
//! code writes, so that no change of either goes unseen.

mod basket;
mod csv;
mod dice;
mod file;
mod insights;
mod market;
mod month;
mod order;
mod readme;
mod scale;
mod shopify;
mod truth;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{Datelike, Days, NaiveDate};
use gaelp::core::{AccountZone, UtcHour};
use serde::{Deserialize, Serialize};

pub(crate) use file::WrittenFile;

/// The hourly report of Meta Ads Manager.
pub(crate) const META_FILE: &str = "meta_hourly.csv";
/// The hourly report of the Google Ads API.
pub(crate) const GOOGLE_FILE: &str = "google_hourly.csv";
/// The hourly report of the TikTok API.
pub(crate) const TIKTOK_FILE: &str = "tiktok_hourly.csv";
/// The orders of the shop.
pub(crate) const SHOPIFY_FILE: &str = "shopify_orders.csv";
/// Everything that may be written.
const FILES: [&str; 5] = [
    META_FILE,
    GOOGLE_FILE,
    TIKTOK_FILE,
    SHOPIFY_FILE,
    readme::FILE,
];

/// What to simulate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SampleConfig {
    /// The seed of all draws.
    pub(crate) seed: u64,
    /// The first local day. Default: 2026-10-12, so that summer time ends in the third week.
    pub(crate) start: NaiveDate,
    /// How many local days, 1 to 366. Default: 28, four of each weekday. Not used with `rows`,
    /// which take the days they need.
    pub(crate) days: u32,
    /// The clock of the accounts and of the shop. Default: New York.
    pub(crate) zone: AccountZone,
    /// Writes so many hourly rows of Meta ad sets, and their orders, instead of the small shop.
    pub(crate) rows: Option<u64>,
    /// The ad sets that `rows` are spread over, 1 to 10,000. Default: 50. The small shop has four.
    pub(crate) ad_sets: u32,
}

/// The seed of the bundled samples: of four that were tried the one whose month lies closest to the
/// rates that were put in. The text beside them says so.
const DEFAULT_SEED: u64 = 3;
const DEFAULT_DAYS: u32 = 28;
const DEFAULT_AD_SETS: u32 = 50;
/// A year's small shop fits into memory many times.
const MOST_DAYS: u32 = 366;
/// Each ad set keeps a generator and a day of hours in memory.
const MOST_AD_SETS: u32 = 10_000;
/// A century is enough to measure with, and keeps dates in four digits.
const MOST_SCALE_DAYS: u64 = 36_500;
/// Years in which to start.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

impl Default for SampleConfig {
    fn default() -> Self {
        Self {
            seed: DEFAULT_SEED,
            start: NaiveDate::from_ymd_opt(2026, 10, 12).expect("October has a 12th"),
            days: DEFAULT_DAYS,
            zone: "America/New_York"
                .parse()
                .expect("New York is in the time zone database"),
            rows: None,
            ad_sets: DEFAULT_AD_SETS,
        }
    }
}

/// What is wrong with a [`SampleConfig`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SampleViolation {
    /// No days, or too many.
    #[error("days is {days}: 1 to {MOST_DAYS} can be simulated")]
    Days {
        /// What was asked for.
        days: u32,
    },
    /// No ad sets, or too many.
    #[error("ad_sets is {ad_sets}: rows can be spread over 1 to {MOST_AD_SETS}")]
    AdSets {
        /// What was asked for.
        ad_sets: u32,
    },
    /// No rows.
    #[error("rows is 0: leave it out for the small shop")]
    NoRows,
    /// So many rows of so few ad sets take more than a century.
    #[error("rows is {rows}: with {ad_sets} ad sets, {most} are a century and the most")]
    Rows {
        /// What was asked for.
        rows: u64,
        /// The ad sets they are spread over.
        ad_sets: u32,
        /// The most that are possible with them.
        most: u64,
    },
    /// A start that is far away.
    #[error("start is {start}: a year from {} to {} is expected", YEARS.start(), YEARS.end())]
    Start {
        /// What was asked for.
        start: NaiveDate,
    },
}

/// Why samples could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SampleError {
    /// The configuration makes no sense; these are all reasons.
    #[error("{}", Listed(violations))]
    Config {
        /// What is wrong with it.
        violations: Vec<SampleViolation>,
    },
    /// The folder has a file of that name that may be a real export.
    #[error(
        "{} is there already, and the folder has no README.md of simulated samples: it may be \
         somebody's real export. Choose another folder",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SampleError {
    fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, source }
    }
}

/// Violations, one after the other.
struct Listed<'a>(&'a [SampleViolation]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{violation}")?;
        }
        Ok(())
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub(crate) struct Written {
    /// The files.
    pub(crate) files: Vec<WrittenFile>,
}

impl fmt::Display for Written {
    /// A line per file: its path, its rows and its size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, file) in self.files.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: ", file.path.display())?;
            if let Some(rows) = file.rows {
                write!(f, "{rows} rows, ")?;
            }
            write!(f, "{} bytes", file.bytes)?;
        }
        Ok(())
    }
}

/// Simulates a shop and writes its exports into a folder, which is made where it is missing.
///
/// Samples that were written before are replaced; anything else of the same name is refused.
///
/// **Cost.** The small shop is held in memory, some 100 kB for a week. With
/// [`SampleConfig::rows`] memory does not grow with the rows.
///
/// # Errors
/// [`SampleError`]; nothing was written where it is [`SampleError::Config`] or
/// [`SampleError::Foreign`].
pub(crate) fn write(dir: &Path, config: &SampleConfig) -> Result<Written, SampleError> {
    let plan = Plan::try_from(config)?;
    file::prepare(dir)?;
    let files = match plan.extent {
        Extent::Rows { rows, ad_sets } => scale::write(dir, &plan, rows, ad_sets)?,
        Extent::Month { days } => month::render(&plan, days)
            .iter()
            .map(|ready| file::OutFile::whole(dir, ready.name, ready.rows, &ready.text))
            .collect::<Result<_, _>>()?,
    };
    Ok(Written { files })
}

/// A [`SampleConfig`] that makes sense.
#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    first: NaiveDate,
    zone: AccountZone,
    extent: Extent,
}

#[derive(Clone, Copy, Debug)]
enum Extent {
    /// The small shop.
    Month { days: u32 },
    /// Many rows.
    Rows { rows: u64, ad_sets: u32 },
}

impl TryFrom<&SampleConfig> for Plan {
    type Error = SampleError;

    fn try_from(config: &SampleConfig) -> Result<Self, SampleError> {
        let SampleConfig {
            seed,
            start,
            days,
            zone,
            rows,
            ad_sets,
        } = *config;
        // Changes of the clock move the end by some days, which does not matter to this limit.
        let most = u64::from(ad_sets) * 24 * MOST_SCALE_DAYS;
        let checks = [
            (!(1..=MOST_DAYS).contains(&days)).then_some(SampleViolation::Days { days }),
            (!(1..=MOST_AD_SETS).contains(&ad_sets)).then_some(SampleViolation::AdSets { ad_sets }),
            (!YEARS.contains(&start.year())).then_some(SampleViolation::Start { start }),
            match rows {
                Some(0) => Some(SampleViolation::NoRows),
                Some(rows) if rows > most && ad_sets > 0 => Some(SampleViolation::Rows {
                    rows,
                    ad_sets,
                    most,
                }),
                _ => None,
            },
        ];
        let violations: Vec<_> = checks.into_iter().flatten().collect();
        if !violations.is_empty() {
            return Err(SampleError::Config { violations });
        }
        Ok(Self {
            seed,
            first: start,
            zone,
            extent: rows.map_or(Extent::Month { days }, |rows| Extent::Rows {
                rows,
                ad_sets,
            }),
        })
    }
}

impl Plan {
    /// The hour after a local day.
    fn end_of(&self, date: NaiveDate) -> UtcHour {
        // A zone may have skipped the day, but not two.
        date.pred_opt()
            .into_iter()
            .chain([date])
            .filter_map(|date| self.zone.day(date))
            .next_back()
            .expect("no zone skipped two days")
            .to
    }

    /// The hour after so many days, when the files are exported.
    fn end(&self, days: u32) -> UtcHour {
        let after_first = Days::new(u64::from(days.saturating_sub(1)));
        let last = self.first.checked_add_days(after_first);
        self.end_of(last.expect("a year after 2100 is within the calendar"))
    }

    /// Whether it is the plan of the bundled samples.
    fn is_default(&self) -> bool {
        let default = SampleConfig::default();
        let days = matches!(self.extent, Extent::Month { days } if days == default.days);
        days && (self.seed, self.first, self.zone) == (default.seed, default.start, default.zone)
    }
}

#[cfg(test)]
mod tests;
