//! The columns of Google Ads. What holds a budget there is the campaign.
//!
//! Google writes zero as zero and ` --` where a figure has no meaning. For conversions and their
//! value, which a campaign may not have, that is read as zero, and counted; elsewhere it is an
//! error.

use gaelp_core::Platform;

use super::{
    AdSetColumns, Cell, CellSource, CurrencyColumn, DateColumns, HourColumn, Plan, Totals,
    WhenColumns, duplicates,
};
use crate::file::Frame;
use crate::number::Numbers;
use crate::{ExportError, Granularity, NumberFormat, ReadOptions, Undated};

/// The names of a report's columns in one language.
pub(super) struct Names {
    campaign_id: &'static str,
    campaign: &'static str,
    day: &'static str,
    hour: [&'static str; 2],
    currency: &'static str,
    cost: &'static str,
    impressions: [&'static str; 2],
    clicks: &'static str,
    conversions: &'static str,
    value: [&'static str; 2],
    finer: &'static [&'static str],
    totals: &'static [&'static str],
    numbers: NumberFormat,
    undated: &'static str,
}

pub(super) const ENGLISH: Names = Names {
    campaign_id: "Campaign ID",
    campaign: "Campaign",
    day: "Day",
    hour: ["Hour of the day", "Hour of day"],
    currency: "Currency code",
    cost: "Cost",
    impressions: ["Impr.", "Impressions"],
    clicks: "Clicks",
    conversions: "Conversions",
    value: ["Conv. value", "Total conv. value"],
    finer: &[
        "ad group",
        "ad group id",
        "asset group",
        "ad",
        "ad id",
        "keyword",
        "search keyword",
        "search term",
        "device",
        "network",
        "network (with search partners)",
    ],
    totals: &["Total:", "Totals:"],
    numbers: NumberFormat::CommaDot,
    undated: "the segment \"Day\"",
};

pub(super) const GERMAN: Names = Names {
    campaign_id: "Kampagnen-ID",
    campaign: "Kampagne",
    day: "Tag",
    hour: ["Stunde des Tages", "Stunde"],
    currency: "Währungscode",
    cost: "Kosten",
    impressions: ["Impr.", "Impressionen"],
    clicks: "Klicks",
    conversions: "Conversions",
    value: ["Conv.-Wert", "Conversion-Wert"],
    finer: &[
        "anzeigengruppe",
        "anzeigengruppen-id",
        "asset-gruppe",
        "anzeige",
        "keyword",
        "suchbegriff",
        "gerät",
        "netzwerk",
    ],
    totals: &["Gesamt:", "Insgesamt:", "Summe:"],
    numbers: NumberFormat::DotComma,
    undated: "the segment \"Tag\" (day)",
};

/// A report of the website.
pub(super) fn report(
    frame: &Frame,
    options: &ReadOptions,
    names: &Names,
) -> Result<Plan, ExportError> {
    let header = &frame.header;
    let numbers = Numbers::Format(options.numbers.unwrap_or(names.numbers));
    let ad_set = header.find_first(&[names.campaign_id, names.campaign]);
    let ad_set = ad_set.ok_or_else(|| frame.missing(names.campaign))?;
    let day = header.find(names.day).ok_or_else(|| ExportError::Undated {
        at: frame.at_header(None),
        wanted: names.undated,
    })?;
    let hour = header.find_first(&names.hour).map(HourColumn::Number);
    let spend = header
        .find(names.cost)
        .ok_or_else(|| frame.missing(names.cost))?;
    let needed = |column| Cell::needed(column, numbers);
    let zero = |column| Cell::blank_is_zero(column, numbers);
    let identity = [
        header.find(names.campaign_id),
        header.find(names.campaign),
        Some(day),
    ];
    Ok(Plan {
        platform: Platform::Google,
        granularity: if hour.is_some() {
            Granularity::Hour
        } else {
            Granularity::Day
        },
        duplicates: duplicates(frame, names.finer),
        zone: options.zone,
        when: WhenColumns::Dated {
            date: DateColumns::One {
                column: day,
                order: options.date_order,
            },
            hour,
        },
        undated: Undated::Refuse,
        ad_set: AdSetColumns::one(ad_set),
        campaign: None,
        spend: needed(spend),
        impressions: header.find_first(&names.impressions).map(needed),
        clicks: header.find(names.clicks).map(needed),
        conversions: header.find(names.conversions).map(zero),
        revenue: header.find_first(&names.value).map(zero),
        results: None,
        currency: CurrencyColumn {
            column: header.find(names.currency),
            ..CurrencyColumn::default()
        },
        totals: Totals::Named {
            starts: names.totals,
            // The first column holds the name of the total itself.
            columns: identity
                .into_iter()
                .flatten()
                .filter(|&column| column > 0)
                .collect(),
        },
        missing: ["--".into()].into(),
    })
}

/// What a program writes that reads the API.
pub(super) fn api(frame: &Frame, options: &ReadOptions) -> Result<Plan, ExportError> {
    let header = &frame.header;
    let numbers = options.numbers.map_or(Numbers::PLAIN, Numbers::Format);
    let need = |name: &'static str| header.find(name).ok_or_else(|| frame.missing(name));
    let ad_set = header.find_first(&["campaign.id", "campaign.name"]);
    let ad_set = ad_set.ok_or_else(|| frame.missing("campaign.id"))?;
    let date = header
        .find("segments.date")
        .ok_or_else(|| ExportError::Undated {
            at: frame.at_header(None),
            wanted: "segments.date",
        })?;
    let hour = header.find("segments.hour").map(HourColumn::Number);
    let needed = |column| Cell::needed(column, numbers);
    // Counts and values of modelled conversions are binary floats of Google's own arithmetic.
    let modelled = |column| Cell::blank_is_zero(column, numbers).rounded();
    let finer = [
        "ad_group.id",
        "ad_group.name",
        "ad_group_ad.ad.id",
        "ad_group_criterion.criterion_id",
        "asset_group.id",
        "segments.device",
        "segments.ad_network_type",
        "segments.click_type",
    ];
    Ok(Plan {
        platform: Platform::Google,
        granularity: if hour.is_some() {
            Granularity::Hour
        } else {
            Granularity::Day
        },
        duplicates: duplicates(frame, &finer),
        zone: options.zone,
        when: WhenColumns::Dated {
            date: DateColumns::One {
                column: date,
                order: options.date_order,
            },
            hour,
        },
        undated: Undated::Refuse,
        ad_set: AdSetColumns::one(ad_set),
        campaign: None,
        spend: Cell {
            from: CellSource::Micros(need("metrics.cost_micros")?),
            ..needed(0)
        },
        impressions: header.find("metrics.impressions").map(needed),
        clicks: header.find("metrics.clicks").map(needed),
        conversions: header.find("metrics.conversions").map(modelled),
        revenue: header.find("metrics.conversions_value").map(modelled),
        results: None,
        currency: CurrencyColumn {
            column: header.find("customer.currency_code"),
            ..CurrencyColumn::default()
        },
        totals: Totals::None,
        missing: Vec::new(),
    })
}
