//! Each kind of export, with the traps that belong to it.

use gaelp_exports::{
    Content, DateOrder, Duplicates, Export, ExportKind, Granularity, InsightRows, NumberFormat,
    ReadOptions, detect, validate,
};

use crate::support::{insights, notes, orders, short, zone};

#[test]
fn meta_hourly_by_day_and_hour() {
    let text = "\
Campaign name,Ad set name,Day,Time of day (ad account time zone),Impressions,Link clicks,Amount spent (EUR),Reporting starts,Reporting ends
Sale,Shoes,2026-09-01,00:00:00 - 00:59:59,1204,31,4.18,2026-09-01,2026-09-02
Sale,Shoes,2026-09-01,23:00:00 - 23:59:59,\"1,204\",,\"1,004.18\",2026-09-01,2026-09-02
,,,,2408,31,1008.36,2026-09-01,2026-09-02
";
    let options = zone("Asia/Kolkata");
    let rows = insights(text, &options).unwrap();
    assert_eq!(
        short(&rows),
        [
            "2 meta/Shoes 2026-08-31T18Z+1 4.18 31/1204 0 0.00",
            "3 meta/Shoes 2026-09-01T17Z+1 1004.18 0/1204 0 0.00",
        ]
    );
    let expected = "1 rows of totals skipped, 1 empty values read as zero";
    assert_eq!(notes(text, &options), expected);
}

#[test]
fn meta_names_change_their_case_with_age_and_results_their_meaning() {
    let text = "\u{feff}\
Reporting Starts,Reporting Ends,Ad Set Name,Time of Day (Ad Account Time Zone),Results,Result Indicator,Impressions,Amount Spent (USD)\r
2019-03-01,2019-03-01,Shoes,07:00:00 - 07:59:59,3,actions:offsite_conversion.fb_pixel_purchase,100,2.00\r
2019-03-01,2019-03-01,Laces,07:00:00 - 07:59:59,70,actions:link_click,100,2.00\r
2019-03-01,2019-03-01,Socks,07:00:00 - 07:59:59,,,100,2.00\r
";
    let rows = insights(text, &zone("")).unwrap();
    let conversions: Vec<u64> = rows
        .iter()
        .map(|r| r.metrics.conversions.millionths())
        .collect();
    assert_eq!(conversions, [3_000_000, 0, 0]);
    let expected = "1 empty values read as zero, 1 results that are not purchases left out";
    assert_eq!(notes(text, &zone("")), expected);
}

#[test]
fn meta_results_are_purchases_only_where_the_file_says_so() {
    let with = "Ad set name,Day,Results,Purchases conversion value,Amount spent (USD)\nA,2026-09-01,2,50,1\n";
    let without = "Ad set name,Day,Results,Amount spent (USD)\nA,2026-09-01,2,1\n";
    let measured = |text: &str| {
        let rows = InsightRows::open("file.csv", text.as_bytes(), &zone("")).unwrap();
        rows.measured().to_string()
    };
    assert_eq!(measured(with), "spend, conversions, revenue");
    assert_eq!(measured(without), "spend");
}

#[test]
fn meta_daily_rows_are_local_days() {
    let text = "\
Reporting starts,Reporting ends,Ad set ID,Ad set name,Amount spent (USD),Website purchases,Website purchases conversion value
2026-03-08,2026-03-08,238,Shoes,10.00,1,29.90
2026-11-01,2026-11-01,238,Shoes,10.00,,-29.90
";
    let rows = insights(text, &zone("America/New_York")).unwrap();
    assert_eq!(
        short(&rows),
        [
            "2 meta/238 2026-03-08T05Z+23 10.00 0/0 1 29.90",
            "3 meta/238 2026-11-01T04Z+25 10.00 0/0 0 -29.90",
        ]
    );
}

#[test]
fn rows_below_an_ad_set_are_its_parts() {
    let duplicates = |header: &str| {
        let text = format!("{header}\n");
        let rows = InsightRows::open("file.csv", text.as_bytes(), &zone("")).unwrap();
        rows.duplicates()
    };
    let refuse = duplicates("Ad set name,Day,Amount spent (USD)");
    assert_eq!(refuse, Duplicates::Refuse);
    let add = duplicates("Ad set name,Ad name,Day,Amount spent (USD)");
    assert_eq!(add, Duplicates::Add);
    assert_eq!(
        duplicates("date_start,date_stop,adset_id,age,spend"),
        Duplicates::Add
    );
    assert_eq!(
        duplicates("stat_time_day,adgroup_id,spend"),
        Duplicates::Refuse
    );
    assert_eq!(
        duplicates("stat_time_day,adgroup_id,ad_id,spend"),
        Duplicates::Add
    );
    assert_eq!(
        duplicates("Day,Campaign,Device,Impr.,Cost"),
        Duplicates::Add
    );
}

#[test]
fn meta_dates_in_the_order_that_is_given() {
    let text = "Ad set name,Day,Amount spent (EUR)\nA,01/09/2026,1\n";
    let first = |order| {
        let options = ReadOptions {
            date_order: Some(order),
            ..zone("")
        };
        insights(text, &options).unwrap()[0].span.from.to_string()
    };
    assert_eq!(first(DateOrder::DayFirst), "2026-09-01T00Z");
    assert_eq!(first(DateOrder::MonthFirst), "2026-01-09T00Z");
}

#[test]
fn numbers_in_the_format_that_is_given() {
    let text = "Ad set name,Day,Impressions,Amount spent (EUR)\nA,2026-09-01,1.204,\"1.250,50\"\n";
    let options = ReadOptions {
        numbers: Some(NumberFormat::DotComma),
        ..zone("")
    };
    let rows = insights(text, &options).unwrap();
    assert_eq!(
        short(&rows),
        ["2 meta/A 2026-09-01T00Z+24 1250.50 0/1204 0 0.00"]
    );
}

#[test]
fn meta_api_rows() {
    let text = "\
account_currency,adset_id,date_start,date_stop,hourly_stats_aggregated_by_advertiser_time_zone,spend,impressions,inline_link_clicks
USD,238,2026-09-01,2026-09-01,18:00:00 - 18:59:59,4.18,1204,31
";
    let rows = insights(text, &zone("America/Los_Angeles")).unwrap();
    assert_eq!(
        short(&rows),
        ["2 meta/238 2026-09-02T01Z+1 4.18 31/1204 0 0.00"]
    );
}

#[test]
fn google_report_in_english() {
    let text = "\
Campaign report
\"September 1, 2026 - September 2, 2026\"
Campaign status,Campaign,Day,Hour of the day,Currency code,Cost,Impr.,Clicks,Conversions,Conv. value
Enabled,Total: war,2026-09-01,0,USD,\"1,234.50\",\"12,040\",31,0.50,81.90
Enabled,Brand,2026-09-01,23,USD,0,5,0, --, --
Total: Campaigns, --, --, --,USD,\"1,234.50\",\"12,045\",31,0.50,81.90
Total: Account, --, --, --,USD,\"1,234.50\",\"12,045\",31,0.50,81.90
";
    let rows = insights(text, &zone("")).unwrap();
    assert_eq!(
        short(&rows),
        [
            "4 google/Total: war 2026-09-01T00Z+1 1234.50 31/12040 0.5 81.90",
            "5 google/Brand 2026-09-01T23Z+1 0.00 0/5 0 0.00",
        ]
    );
    let expected = "2 rows of totals skipped, 2 empty values read as zero";
    assert_eq!(notes(text, &zone("")), expected);
}

#[test]
fn google_report_in_german_and_in_utf_16() {
    let text = "\
Kampagnenbericht
\"1. September 2026 - 2. September 2026\"
Tag\tKampagne\tWährungscode\tKosten\tImpr.\tKlicks\tConversions
2026-09-01\tMarke\tEUR\t1.234,56\t12.040\t31\t2,00
Gesamt: Konto\t --\tEUR\t1.234,56\t12.040\t31\t2,00
";
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let found = detect("file.csv", &bytes).unwrap();
    assert_eq!(
        (
            found.kind,
            found.encoding.to_string(),
            found.delimiter.to_string()
        ),
        (
            ExportKind::GoogleAdsGerman,
            "UTF-16LE".to_owned(),
            "tabulators".to_owned()
        )
    );
    let rows = insights(&bytes, &zone("Europe/Berlin")).unwrap();
    assert_eq!(
        short(&rows),
        ["4 google/Marke 2026-08-31T22Z+24 1234.56 31/12040 2 0.00"]
    );
    assert_eq!(
        short(&insights(text, &zone("Europe/Berlin")).unwrap()),
        short(&rows)
    );
}

#[test]
fn google_api_rows() {
    let text = "\
segments.date,segments.hour,campaign.id,campaign.name,customer.currency_code,metrics.cost_micros,metrics.impressions,metrics.clicks,metrics.conversions,metrics.conversions_value
2026-09-01,7,179,Brand,USD,4180000,1204,31,0.333333333333,12.340000000000002
";
    let rows = insights(text, &zone("")).unwrap();
    assert_eq!(
        short(&rows),
        ["2 google/179 2026-09-01T07Z+1 4.18 31/1204 0.333333 12.34"]
    );
}

#[test]
fn tiktok_rows() {
    let hourly = "\
stat_time_hour,campaign_id,adgroup_id,spend,impressions,clicks,conversion,complete_payment
2026-09-01 18:00:00,170,171,4.18,1204,31,9,-
";
    let rows = insights(hourly, &zone("")).unwrap();
    assert_eq!(
        short(&rows),
        ["2 tiktok/171 2026-09-01T18Z+1 4.18 31/1204 0 0.00"]
    );
    let daily = "\
adgroup_id,stat_time_day,spend,complete_payment,total_complete_payment_rate
171,2026-09-01 00:00:00,4.18,2,59.80
";
    let rows = insights(daily, &zone("")).unwrap();
    assert_eq!(
        short(&rows),
        ["2 tiktok/171 2026-09-01T00Z+24 4.18 0/0 2 59.80"]
    );
}

#[test]
fn shopify_orders() {
    let text = "\
Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem name,Notes,Cancelled at,Refunded Amount,Id
#6,f@example.com,paid,2026-05-14 11:24:00 +0100,GBP,80.00,2026-05-14 11:23:45 +0100,Shoes,\"left
at the \"\"door\"\"\",,0.00,900006
#6,f@example.com,,,,,2026-05-14 11:23:45 +0100,Laces,,,,
#5,e@example.com,partially_refunded,x,GBP,50.00,2026-05-13 23:59:59 -0100,Shoes,,,20.00,900005
#4,d@example.com,refunded,x,GBP,50.00,2026-05-13 09:00:00 +0100,Shoes,,,50.00,900004
#3,c@example.com,paid,x,GBP,50.00,2026-05-12 09:00:00 +0100,Shoes,,2026-05-12 10:00:00 +0100,0.00,900003
#2,b@example.com,pending,,GBP,50.00,2026-05-11 09:00:00 +0100,Shoes,,,0.00,900002
#1,a@example.com,voided,,GBP,50.00,2026-05-10 09:00:00 +0100,Shoes,,2026-05-10 10:00:00 +0100,0.00,900001
";
    let rows = orders(text).unwrap();
    let short: Vec<String> = rows
        .iter()
        .map(|o| {
            format!(
                "{} {} {} {} - {}",
                o.line, o.order, o.at, o.total, o.refunded
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            "2 900006 2026-05-14 10:23:45 UTC 80.00 - 0.00",
            "5 900005 2026-05-14 00:59:59 UTC 50.00 - 20.00",
            "6 900004 2026-05-13 08:00:00 UTC 50.00 - 50.00",
        ]
    );
    assert_eq!(
        notes(text, &zone("")),
        "1 further lines of an order, 1 cancelled orders skipped, 1 pending orders skipped, \
         1 voided orders skipped"
    );
    let summary = validate("file.csv", text.as_bytes(), &zone("")).unwrap();
    assert_eq!(summary.content, Content::Orders);
    assert_eq!(summary.metrics.revenue.to_string(), "110.00");
    assert_eq!(summary.metrics.conversions.to_string(), "3");
    assert_eq!(
        summary.currency.map(|c| c.to_string()).as_deref(),
        Some("GBP")
    );
}

#[test]
fn an_hour_that_the_clock_shows_twice() {
    let header = "Ad set name,Day,Time of day (ad account time zone),Amount spent (USD)\n";
    let row = |ad_set: &str, hour: u8, spend: u8| {
        format!("{ad_set},2026-11-01,{hour:02}:00:00 - {hour:02}:59:59,{spend}\n")
    };
    let options = zone("America/New_York");
    let hours = |text: &str| -> Vec<String> {
        let rows = insights(text, &options).unwrap();
        rows.iter()
            .map(|r| format!("{} {}", r.key.ad_set, r.span.from))
            .collect()
    };
    // One row stands for both, and is booked on the first.
    let one = [header, &row("A", 0, 1), &row("A", 1, 2), &row("A", 2, 3)].concat();
    assert_eq!(
        hours(&one),
        ["A 2026-11-01T04Z", "A 2026-11-01T05Z", "A 2026-11-01T07Z"]
    );
    assert_eq!(
        notes(&one, &options),
        "1 rows of an hour that the clock showed twice, booked on its first"
    );
    // Two rows are both, whether the file is sorted by ad set or by hour.
    let by_hour = [
        row("A", 1, 1),
        row("B", 1, 1),
        row("A", 1, 1),
        row("B", 1, 1),
    ]
    .concat();
    assert_eq!(
        hours(&[header, &by_hour].concat()),
        [
            "A 2026-11-01T05Z",
            "B 2026-11-01T05Z",
            "A 2026-11-01T06Z",
            "B 2026-11-01T06Z"
        ]
    );
    // The ads of an ad set are no second hour.
    let ads = "Ad set name,Ad name,Day,Time of day (ad account time zone),Amount spent (USD)\n\
               A,x,2026-11-01,01:00:00 - 01:59:59,1\nA,y,2026-11-01,01:00:00 - 01:59:59,1\n";
    assert_eq!(hours(ads), ["A 2026-11-01T05Z", "A 2026-11-01T05Z"]);
}

#[test]
fn what_is_odd_but_true_is_noted() {
    let text =
        "date_start,date_stop,adset_id,spend,impressions,clicks\n2026-09-01,2026-09-01,7,1,3,5";
    assert_eq!(
        notes(text, &zone("")),
        "1 rows with more clicks than impressions, 1 last lines without a line break"
    );
}

#[test]
fn delimiters_blank_lines_and_quotes() {
    let text =
        "\n\nAd set name;Day;Amount spent (EUR)\n\n\"Shoes; \"\"blue\"\"\";2026-09-01;1.5\n\n";
    let rows = insights(text, &zone("")).unwrap();
    assert_eq!(rows[0].line, 5);
    assert_eq!(rows[0].key.ad_set.as_str(), "Shoes; \"blue\"");
    let old_mac = "Ad set name,Day,Amount spent (EUR)\rA,2026-09-01,1.5\rB,2026-09-01,1.5\r";
    let rows = insights(old_mac, &zone("")).unwrap();
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn every_header_that_was_seen_is_recognised() {
    for (kind, granularity, header) in [
        (
            ExportKind::MetaAdsManager,
            Granularity::Day,
            "Campaign name,Ad set name,Ad name,Day,Reach,Impressions,Link clicks,Website landing page views,Website leads,Amount spent (USD),Reporting starts,Reporting ends",
        ),
        (
            ExportKind::MetaAdsManager,
            Granularity::Day,
            "Reporting starts,Reporting ends,Ad set name,Amount spent (USD),Website purchases conversion value,Results",
        ),
        (
            ExportKind::MetaAdsManager,
            Granularity::Hour,
            "Campaign name,Ad set name,Time of day (ad account time zone),Impressions,Link clicks,Website landing page views,Amount spent (USD),Reporting starts,Reporting ends",
        ),
        (
            ExportKind::MetaAdsManager,
            Granularity::Hour,
            "Reporting Starts,Reporting Ends,Ad Set Name,Time of Day (Ad Account Time Zone),Ad Set Delivery,Results,Result Indicator,Reach,Impressions,Cost per Results,Ad Set Budget,Ad Set Budget Type,Amount Spent (USD),Ends,Starts,Frequency",
        ),
        (
            ExportKind::GoogleAdsGerman,
            Granularity::Day,
            "Kampagnenbericht\n\"1. September 2026 - 2. September 2026\"\nTag,Kampagne,Währungscode,Kosten,Impr.,Klicks,Conversions",
        ),
    ] {
        let export = Export::open("file.csv", header.as_bytes(), &zone("")).unwrap();
        assert_eq!(export.detection().kind, kind);
        let Export::Insights(rows) = export else {
            panic!("insights are expected")
        };
        assert_eq!(rows.granularity(), granularity, "{header}");
    }
    let google = "Campaign report\nAll time\nCampaign status,Campaign,Budget,Currency code,Status,Conv. value / cost,Conv. value,Impr.,Conversions,Clicks,CTR,Conv. value / Cost (Platform Comparable),Avg. CPM,Cost\n";
    assert_eq!(
        detect("file.csv", google.as_bytes()).unwrap().kind,
        ExportKind::GoogleAds
    );
}
