//! The columns of Meta.
//!
//! Both tables leave clicks, results and values empty where there were none; they are read as
//! zero, and counted. Spend and impressions are never empty.

use gaelp_core::{Currency, Platform};

use super::{
    AdSetColumns, Cell, CurrencyColumn, DateColumns, HourColumn, Plan, Totals, WhenColumns,
    duplicates,
};
use crate::error::Excerpt;
use crate::file::Frame;
use crate::number::Numbers;
use crate::{ExportError, Granularity, ReadOptions, Undated, ValueProblem};

/// Columns that break an ad set down: its rows are parts.
const FINER: [&str; 15] = [
    "ad id",
    "ad name",
    "age",
    "gender",
    "country",
    "region",
    "dma region",
    "platform",
    "placement",
    "device platform",
    "impression device",
    "media type",
    "product id",
    "currency",
    "conversion device",
];
const API_FINER: [&str; 12] = [
    "ad_id",
    "ad_name",
    "age",
    "gender",
    "country",
    "region",
    "dma",
    "publisher_platform",
    "platform_position",
    "device_platform",
    "impression_device",
    "product_id",
];

/// What Ads Manager exports.
pub(super) fn ads_manager(frame: &Frame, options: &ReadOptions) -> Result<Plan, ExportError> {
    let header = &frame.header;
    let numbers = options.numbers.map_or(Numbers::Evident, Numbers::Format);
    let mut hour = None;
    for column in header.starting_with("time of day (") {
        let name = header.name(column).map_or("", |name| name);
        if !name.to_lowercase().contains("ad account") {
            return Err(ExportError::ViewersClock {
                at: frame.at_header(Some(column)),
            });
        }
        hour = Some(HourColumn::Range(column));
    }
    let (spend, currency) = amount_spent(frame)?;
    let id = header.find("ad set id");
    let ad_set = id.or_else(|| header.find("ad set name"));
    let ad_set = ad_set.ok_or_else(|| frame.missing("Ad set ID"))?;
    let campaign = header.find_first(&["campaign id", "campaign name"]);
    let order = options.date_order;
    let day = header.find("day");
    let date = match (
        day,
        header.find("reporting starts"),
        header.find("reporting ends"),
    ) {
        (Some(column), _, _) => DateColumns::One { column, order },
        (None, Some(first), Some(last)) => DateColumns::Range { first, last, order },
        _ => {
            return Err(ExportError::Undated {
                at: frame.at_header(None),
                wanted: "the \"Day\" breakdown",
            });
        }
    };
    let names = [
        "ad set id",
        "ad set name",
        "campaign id",
        "campaign name",
        "ad id",
        "ad name",
    ];
    let named = names.iter().filter_map(|name| header.find(name));
    let broken_down = day.into_iter().chain(hour.map(HourColumn::index));
    let revenue = [
        "purchases conversion value",
        "website purchases conversion value",
    ];
    let revenue = header.find_first(&revenue);
    let (conversions, results) = conversions(frame, revenue.is_some());
    let zero = |column| Cell::blank_is_zero(column, numbers);
    Ok(Plan {
        platform: Platform::Meta,
        granularity: if hour.is_some() {
            Granularity::Hour
        } else {
            Granularity::Day
        },
        duplicates: duplicates(frame, &FINER),
        zone: options.zone,
        when: WhenColumns::Dated { date, hour },
        undated: Undated::Refuse,
        ad_set: AdSetColumns::one(ad_set),
        campaign: campaign.filter(|_| id.is_none()),
        spend: Cell::needed(spend, numbers),
        impressions: header
            .find("impressions")
            .map(|column| Cell::needed(column, numbers)),
        clicks: header
            .find_first(&["link clicks", "clicks (all)"])
            .map(zero),
        conversions: conversions.map(zero),
        revenue: revenue.map(zero),
        results,
        currency,
        totals: Totals::Unnamed {
            columns: named.chain(broken_down).collect(),
        },
        missing: ["-", "—", "–"].map(Into::into).into(),
    })
}

/// `Amount spent (USD)`: the spend, and the currency of the file.
fn amount_spent(frame: &Frame) -> Result<(usize, CurrencyColumn), ExportError> {
    let header = &frame.header;
    let mut found: Option<(usize, Option<Currency>)> = None;
    for column in header.starting_with("amount spent") {
        let name = header.name(column).map_or("", |name| name);
        let code = name
            .split_once('(')
            .and_then(|(_, rest)| rest.strip_suffix(')'));
        let stated = match code.map(str::parse::<Currency>) {
            None => None,
            Some(Ok(currency)) => Some(currency),
            Some(Err(_)) => {
                return Err(ExportError::Value {
                    at: frame.at_header(Some(column)),
                    value: Excerpt::shown(code.unwrap_or_default()),
                    problem: ValueProblem::NotACurrency,
                });
            }
        };
        match (found, stated) {
            (Some((_, Some(expected))), Some(found)) => {
                return Err(ExportError::Currency {
                    at: frame.at_header(Some(column)),
                    expected,
                    found,
                });
            }
            (Some((_, Some(_))), None) => {}
            _ => found = Some((column, stated)),
        }
    }
    let (column, stated) = found.ok_or_else(|| frame.missing("Amount spent"))?;
    let currency = CurrencyColumn {
        stated,
        ..CurrencyColumn::default()
    };
    Ok((column, currency))
}

/// Purchases, and the column that tells whether they are.
///
/// `Results` counts whatever a campaign is optimised for. It is taken row by row where `Result
/// indicator` or `Result type` says that they are purchases, and as a whole in a file that has the
/// value of purchases and nothing to the contrary; otherwise the file does not state conversions.
fn conversions(frame: &Frame, has_value: bool) -> (Option<usize>, Option<usize>) {
    let header = &frame.header;
    let purchases = header.find_first(&["purchases", "website purchases"]);
    if purchases.is_some() {
        return (purchases, None);
    }
    let indicator = header.find_first(&["result indicator", "result type"]);
    let results = header.find("results");
    let usable = results.filter(|_| indicator.is_some() || has_value);
    (usable, indicator.filter(|_| usable.is_some()))
}

/// What a program writes that reads the Marketing API.
pub(super) fn api(frame: &Frame, options: &ReadOptions) -> Result<Plan, ExportError> {
    let header = &frame.header;
    let numbers = options.numbers.map_or(Numbers::PLAIN, Numbers::Format);
    let mut hour = None;
    for column in header.starting_with("hourly_stats_aggregated_by_") {
        if header.find("hourly_stats_aggregated_by_advertiser_time_zone") != Some(column) {
            return Err(ExportError::ViewersClock {
                at: frame.at_header(Some(column)),
            });
        }
        hour = Some(HourColumn::Range(column));
    }
    let need = |name: &'static str| header.find(name).ok_or_else(|| frame.missing(name));
    let id = header.find("adset_id");
    let ad_set = id.or_else(|| header.find("adset_name"));
    let ad_set = ad_set.ok_or_else(|| frame.missing("adset_id"))?;
    let campaign = header.find_first(&["campaign_id", "campaign_name"]);
    let purchases = [
        "actions:omni_purchase",
        "actions:purchase",
        "purchases",
        "purchase",
    ];
    let values = [
        "action_values:omni_purchase",
        "action_values:purchase",
        "purchase_value",
    ];
    let zero = |column| Cell::blank_is_zero(column, numbers);
    Ok(Plan {
        platform: Platform::Meta,
        granularity: if hour.is_some() {
            Granularity::Hour
        } else {
            Granularity::Day
        },
        duplicates: duplicates(frame, &API_FINER),
        zone: options.zone,
        when: WhenColumns::Dated {
            date: DateColumns::Range {
                first: need("date_start")?,
                last: need("date_stop")?,
                order: options.date_order,
            },
            hour,
        },
        undated: Undated::Refuse,
        ad_set: AdSetColumns::one(ad_set),
        campaign: campaign.filter(|_| id.is_none()),
        spend: Cell::needed(need("spend")?, numbers),
        impressions: header
            .find("impressions")
            .map(|column| Cell::needed(column, numbers)),
        clicks: header
            .find_first(&["inline_link_clicks", "clicks"])
            .map(zero),
        conversions: header.find_first(&purchases).map(zero),
        revenue: header.find_first(&values).map(zero),
        results: None,
        currency: CurrencyColumn {
            column: header.find("account_currency"),
            ..CurrencyColumn::default()
        },
        totals: Totals::None,
        missing: Vec::new(),
    })
}
