//! The columns of TikTok's reporting API.
//!
//! `conversion` counts whatever an ad group is optimised for and is not read; purchases are
//! `complete_payment`, and their value is, despite its name, `total_complete_payment_rate`.

use gaelp_core::Platform;

use super::{AdSetColumns, Cell, CurrencyColumn, Plan, Totals, WhenColumns, duplicates};
use crate::file::Frame;
use crate::number::Numbers;
use crate::{ExportError, Granularity, ReadOptions, Undated};

/// Columns that break an ad group down: its rows are parts.
const FINER: [&str; 11] = [
    "ad_id",
    "ad_name",
    "age",
    "gender",
    "country_code",
    "province_id",
    "language",
    "platform",
    "placement",
    "device_brand_id",
    "interest_category",
];

/// What a program writes that reads the API.
pub(super) fn api(frame: &Frame, options: &ReadOptions) -> Result<Plan, ExportError> {
    let header = &frame.header;
    let numbers = options.numbers.map_or(Numbers::PLAIN, Numbers::Format);
    let need = |name: &'static str| header.find(name).ok_or_else(|| frame.missing(name));
    let (granularity, when) = match (header.find("stat_time_hour"), header.find("stat_time_day")) {
        (Some(column), _) => (Granularity::Hour, WhenColumns::StampedHour(column)),
        (None, Some(column)) => (Granularity::Day, WhenColumns::StampedDay(column)),
        (None, None) => {
            return Err(ExportError::Undated {
                at: frame.at_header(None),
                wanted: "the dimension stat_time_hour or stat_time_day",
            });
        }
    };
    let needed = |column| Cell::needed(column, numbers);
    let zero = |column| Cell::blank_is_zero(column, numbers);
    Ok(Plan {
        platform: Platform::TikTok,
        granularity,
        duplicates: duplicates(frame, &FINER),
        zone: options.zone,
        when,
        undated: Undated::Refuse,
        ad_set: AdSetColumns::one(need("adgroup_id")?),
        campaign: None,
        spend: needed(need("spend")?),
        impressions: header.find("impressions").map(needed),
        clicks: header.find("clicks").map(needed),
        conversions: header.find("complete_payment").map(zero),
        revenue: header.find("total_complete_payment_rate").map(zero),
        results: None,
        currency: CurrencyColumn {
            column: header.find("currency"),
            ..CurrencyColumn::default()
        },
        totals: Totals::None,
        missing: ["-".into()].into(),
    })
}
