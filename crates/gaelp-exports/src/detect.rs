//! Which export a file is, from its first lines.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::file::unreadable;
use crate::header::Header;
use crate::record::{Fault, Record, RecordError, Records};
use crate::source::{Source, SourceError};
use crate::{Content, ExportError, Place};

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportKind {
    /// What Meta Ads Manager exports as CSV.
    MetaAdsManager,
    /// Insights of the Meta Marketing API, written as CSV.
    MetaApi,
    /// A report of the Google Ads website, in English.
    GoogleAds,
    /// The same in German.
    GoogleAdsGerman,
    /// Rows of the Google Ads API, written as CSV.
    GoogleAdsApi,
    /// Rows of the TikTok reporting API, written as CSV.
    #[serde(rename = "tiktok_api")]
    TikTokApi,
    /// Orders exported from a Shopify shop.
    ShopifyOrders,
    /// Any table, described by a [`ColumnMap`](crate::ColumnMap).
    Mapped,
}

impl ExportKind {
    /// The name in one word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MetaAdsManager => "meta_ads_manager",
            Self::MetaApi => "meta_api",
            Self::GoogleAds => "google_ads",
            Self::GoogleAdsGerman => "google_ads_german",
            Self::GoogleAdsApi => "google_ads_api",
            Self::TikTokApi => "tiktok_api",
            Self::ShopifyOrders => "shopify_orders",
            Self::Mapped => "mapped",
        }
    }

    /// What such a file is about; a mapped one may hold totals instead.
    pub const fn content(self) -> Content {
        match self {
            Self::ShopifyOrders => Content::Orders,
            _ => Content::Insights,
        }
    }
}

impl fmt::Display for ExportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MetaAdsManager => "a Meta Ads Manager export",
            Self::MetaApi => "a Meta API table",
            Self::GoogleAds => "a Google Ads report",
            Self::GoogleAdsGerman => "a Google Ads report in German",
            Self::GoogleAdsApi => "a Google Ads API table",
            Self::TikTokApi => "a TikTok API table",
            Self::ShopifyOrders => "a Shopify orders export",
            Self::Mapped => "a table read by a column map",
        })
    }
}

/// How the text of a file is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, low byte first, with a byte order mark: what Excel calls Unicode text.
    Utf16Le,
    /// UTF-16, high byte first, with a byte order mark.
    Utf16Be,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        })
    }
}

/// What separates the fields of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`, as Excel writes where the comma is the decimal sign.
    Semicolon,
    /// A tabulator.
    Tab,
}

impl Delimiter {
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Tab => "tabulators",
        })
    }
}

/// What a file was found to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Detection {
    /// Which export.
    pub kind: ExportKind,
    /// How its text is encoded.
    pub encoding: Encoding,
    /// What separates its fields.
    pub delimiter: Delimiter,
    /// The line of the header, counted from 1.
    pub header_line: u64,
    /// Why it was found to be that, as a sentence for people.
    pub reason: String,
}

/// How much of a file is needed at most to tell what it is.
pub const HEAD_BYTES: usize = 64 * 1024;

/// The lines among which the header is looked for: Google puts two above it.
pub(crate) const SEARCHED_LINES: usize = 10;

/// Tells what a file is from its first bytes; [`HEAD_BYTES`] are enough, fewer may be.
///
/// The readers do this by themselves. It is for a program that wants to say so before it reads,
/// or that sorts files.
///
/// ```
/// use gaelp_exports::{ExportKind, detect};
///
/// let head = b"Campaign report\nAll time\nDay,Campaign,Currency code,Cost,Impr.,Clicks\n";
/// let found = detect("report.csv", head)?;
/// assert_eq!(found.kind, ExportKind::GoogleAds);
/// assert_eq!(found.header_line, 3);
/// assert_eq!(
///     found.reason,
///     "the header on line 3, below a preamble of 2 lines, has the columns `Campaign` and \
///      `Currency code`: a Google Ads report",
/// );
/// # Ok::<(), gaelp_exports::ExportError>(())
/// ```
///
/// # Errors
/// [`ExportError::UnknownKind`] and [`ExportError::Empty`], or what makes the first lines
/// unreadable.
pub fn detect(name: &str, head: &[u8]) -> Result<Detection, ExportError> {
    let file: Arc<str> = name.into();
    let io = |source| ExportError::Io {
        at: Place::file(&file),
        source,
    };
    let source = Source::open(head).map_err(io)?;
    search(&file, &source)
}

/// Looks for a known header in what a source has ready.
pub(crate) fn search<R: std::io::Read>(
    file: &Arc<str>,
    source: &Source<R>,
) -> Result<Detection, ExportError> {
    let mut first_error = None;
    for delimiter in [Delimiter::Comma, Delimiter::Tab, Delimiter::Semicolon] {
        match search_with(source, delimiter) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => {
                // A head may be cut inside of a quote.
                let cut = matches!(error.fault, Fault::UnclosedQuote)
                    && source.ready().len() >= HEAD_BYTES;
                if !cut {
                    first_error.get_or_insert(error);
                }
            }
        }
    }
    if let Some(error) = first_error {
        return Err(unreadable(file, None, error));
    }
    if source.is_broken() {
        return Err(ExportError::BrokenUtf16 {
            at: Place::file(file),
        });
    }
    let at = Place::file(file);
    if source.ready().trim_ascii().is_empty() {
        return Err(ExportError::Empty { at });
    }
    Err(ExportError::UnknownKind {
        at,
        searched: SEARCHED_LINES,
    })
}

fn search_with<R: std::io::Read>(
    source: &Source<R>,
    delimiter: Delimiter,
) -> Result<Option<Detection>, RecordError> {
    let text = Source::open(source.ready()).map_err(|error| RecordError {
        line: 1,
        field: None,
        fault: Fault::Source(SourceError::Io(error)),
    })?;
    let mut records = Records::new(text, delimiter);
    let mut record = Record::default();
    for above in 0..SEARCHED_LINES {
        if !records.read(&mut record)? {
            return Ok(None);
        }
        let header = Header::new(&record);
        let Some((kind, shown)) = known(&header, above) else {
            continue;
        };
        let name = |index| header.name(index).map_or("", |name| name);
        let preamble = match above {
            0 => String::new(),
            1 => ", below a preamble of one line,".to_owned(),
            _ => format!(", below a preamble of {above} lines,"),
        };
        return Ok(Some(Detection {
            kind,
            encoding: source.encoding(),
            delimiter,
            header_line: record.line(),
            reason: format!(
                "the header on line {}{preamble} has the columns `{}` and `{}`: {kind}",
                record.line(),
                name(shown[0]),
                name(shown[1]),
            ),
        }));
    }
    Ok(None)
}

/// Two columns of a header that tell its kind.
type Telling = [usize; 2];
type Tell = fn(&Header) -> Option<Telling>;

/// The kind of a header, with the two columns that tell it. `above` is the number of lines above.
fn known(header: &Header, above: usize) -> Option<(ExportKind, Telling)> {
    let google = google(header, above);
    // Only Google writes something above the header.
    if google.is_some() || above > 0 {
        return google;
    }
    let kinds: [(ExportKind, Tell); 5] = [
        (ExportKind::ShopifyOrders, shopify),
        (ExportKind::MetaAdsManager, |header| {
            let names = [
                "ad set name",
                "ad set id",
                "reporting starts",
                "reporting ends",
            ];
            two_of(header, &names, &["amount spent", "time of day ("])
        }),
        (ExportKind::MetaApi, |header| {
            let names = ["date_start", "date_stop", "adset_id", "adset_name"];
            two_of(header, &names, &["hourly_stats_aggregated_by_"])
        }),
        (ExportKind::GoogleAdsApi, |header| {
            two_of(header, &[], &["metrics.", "segments."])
        }),
        (ExportKind::TikTokApi, |header| {
            let names = ["adgroup_id", "complete_payment"];
            two_of(header, &names, &["stat_time_"])
        }),
    ];
    let found = |(kind, tell): (ExportKind, Tell)| tell(header).map(|columns| (kind, columns));
    kinds.into_iter().find_map(found)
}

fn google(header: &Header, above: usize) -> Option<(ExportKind, Telling)> {
    let english = || {
        let campaign = header.find_first(&["campaign", "campaign id"])?;
        // A column of costs alone does not make a report of Google; below a preamble it does.
        let cost = || header.find("cost").filter(|_| above > 0);
        let other = header
            .find_first(&["currency code", "impr."])
            .or_else(cost)?;
        Some((ExportKind::GoogleAds, [campaign, other]))
    };
    let german = || {
        let campaign = header.find_first(&["kampagne", "kampagnen-id"])?;
        let other = header.find_first(&["währungscode", "kosten"])?;
        Some((ExportKind::GoogleAdsGerman, [campaign, other]))
    };
    english().or_else(german)
}

fn shopify(header: &Header) -> Option<Telling> {
    let status = header.find("financial status")?;
    let others = ["lineitem quantity", "created at", "paid at", "total"];
    Some([status, header.find_first(&others)?])
}

/// The first two of the columns that have one of the names, or that begin so.
fn two_of(header: &Header, names: &[&str], starts: &[&str]) -> Option<Telling> {
    let named = names.iter().filter_map(|name| header.find(name));
    let started = starts.iter().flat_map(|start| header.starting_with(start));
    let mut found: Vec<usize> = named.chain(started).collect();
    found.sort_unstable();
    match found[..] {
        [first, second, ..] => Some([first, second]),
        _ => None,
    }
}
