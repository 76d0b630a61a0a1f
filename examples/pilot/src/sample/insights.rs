//! The hourly reports of the ad platforms.

use chrono::NaiveDate;
use gaelp::core::Micros;

use super::csv::Csv;
use super::market::Hour;
use super::truth::AdSet;

/// Meta Ads Manager, broken down by day and by time of day.
pub(crate) const META_HEADER: &str = "Campaign name,Ad set name,Day,\
Time of day (ad account time zone),Impressions,Link clicks,Amount spent (USD),\
Reporting starts,Reporting ends";

/// Google Ads API, campaigns by date and hour.
pub(crate) const GOOGLE_HEADER: &str = "customer.id,customer.currency_code,campaign.id,\
campaign.name,segments.date,segments.hour,metrics.impressions,metrics.clicks,\
metrics.cost_micros,metrics.conversions,metrics.conversions_value";

/// TikTok reporting API, ad groups by hour.
pub(crate) const TIKTOK_HEADER: &str = "stat_time_hour,campaign_id,adgroup_id,spend,\
impressions,clicks,conversion,complete_payment";

/// Whose account the Google report is about.
const GOOGLE_CUSTOMER: &str = "1000000017";

/// How Meta writes the hours of a day.
const TIMES_OF_DAY: [&str; 24] = [
    "00:00:00 - 00:59:59",
    "01:00:00 - 01:59:59",
    "02:00:00 - 02:59:59",
    "03:00:00 - 03:59:59",
    "04:00:00 - 04:59:59",
    "05:00:00 - 05:59:59",
    "06:00:00 - 06:59:59",
    "07:00:00 - 07:59:59",
    "08:00:00 - 08:59:59",
    "09:00:00 - 09:59:59",
    "10:00:00 - 10:59:59",
    "11:00:00 - 11:59:59",
    "12:00:00 - 12:59:59",
    "13:00:00 - 13:59:59",
    "14:00:00 - 14:59:59",
    "15:00:00 - 15:59:59",
    "16:00:00 - 16:59:59",
    "17:00:00 - 17:59:59",
    "18:00:00 - 18:59:59",
    "19:00:00 - 19:59:59",
    "20:00:00 - 20:59:59",
    "21:00:00 - 21:59:59",
    "22:00:00 - 22:59:59",
    "23:00:00 - 23:59:59",
];

/// A row of the Meta export. `date` is the day as text, which a caller formats once a day.
pub(crate) fn meta(
    csv: &mut Csv,
    campaign: &str,
    ad_set: &str,
    date: &str,
    local: u8,
    hour: &Hour,
) {
    csv.text(campaign).text(ad_set).text(date);
    csv.text(TIMES_OF_DAY[usize::from(local)]);
    csv.value(hour.impressions).value(hour.clicks);
    csv.value(hour.spend).text(date).text(date).end();
}

/// A row of the Google table.
pub(crate) fn google(csv: &mut Csv, ad_set: &AdSet, date: NaiveDate, local: u8, hour: &Hour) {
    csv.text(GOOGLE_CUSTOMER).text("USD");
    csv.text(ad_set.campaign_id).text(ad_set.campaign);
    csv.value(date).value(local);
    csv.value(hour.impressions).value(hour.clicks);
    csv.value(hour.spend.get());
    csv.value(conversions(hour.claimed))
        .value(hour.claimed_value)
        .end();
}

/// A row of the TikTok table.
pub(crate) fn tiktok(csv: &mut Csv, ad_set: &AdSet, date: NaiveDate, local: u8, hour: &Hour) {
    csv.value(format_args!("{date} {local:02}:00:00"));
    csv.text(ad_set.campaign_id).text(ad_set.id);
    csv.value(hour.spend);
    csv.value(hour.impressions).value(hour.clicks);
    // The event that it optimises for is the payment, and it counts whole ones.
    let conversions = hour.claimed / 100;
    csv.value(conversions).value(conversions).end();
}

/// Hundredths of a conversion as a decimal number, which prints as an amount of money does.
pub(crate) fn conversions(hundredths: u64) -> Micros {
    let hundredths = i64::try_from(hundredths).unwrap_or(i64::MAX);
    Micros::new(hundredths.saturating_mul(super::truth::CENT))
}
