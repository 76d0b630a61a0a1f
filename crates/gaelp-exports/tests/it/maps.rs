//! Tables that only a column map can read: small samples of public data sets' formats.

use gaelp_exports::{
    ColumnMap, Content, Duplicates, Export, InsightRows, ReadOptions, TotalRows, validate,
};

use crate::support::{insights, notes, short};

fn mapped(text: &str) -> ReadOptions {
    ReadOptions {
        map: Some(ColumnMap::from_toml("map.toml", text).unwrap()),
        ..ReadOptions::default()
    }
}

const ONLINE_ADS: &str = r##"
platform = "display"
granularity = "day"
date = { year = 2020, month = "month", day = "day" }
ad_set = ["campaign_number", "banner"]
spend = "cost"
impressions = "displays"
clicks = "clicks"
conversions = "post_click_conversions"
revenue = "post_click_sales_amount"
missing = ["#N/A"]
duplicates = "add"
"##;

#[test]
fn a_year_that_the_file_does_not_say() {
    let text = "\
month,day,campaign_number,user_engagement,banner,placement,displays,cost,clicks,revenue,post_click_conversions,post_click_sales_amount
April,1,camp 1,High,160 x 600,abc,4,0.006,1,0.0018,0,0
June,30,camp 1,High,160 x 600,#N/A,20170,26.7824,158,28.9717,23,1972.4602
";
    let options = mapped(ONLINE_ADS);
    let rows = insights(text, &options).unwrap();
    assert_eq!(
        short(&rows),
        [
            "2 display/camp 1 / 160 x 600 2020-04-01T00Z+24 0.006 1/4 0 0.00",
            "3 display/camp 1 / 160 x 600 2020-06-30T00Z+24 26.7824 158/20170 23 1972.4602",
        ]
    );
    let rows = InsightRows::open("file.csv", text.as_bytes(), &options).unwrap();
    assert_eq!(rows.duplicates(), Duplicates::Add);
    assert_eq!(rows.currency(), None);
}

#[test]
fn totals_without_dates_are_no_days() {
    let map = r#"
        platform = "meta"
        granularity = "total"
        ad_set = ["ad_id"]
        spend = "Spent"
        impressions = "Impressions"
        clicks = "Clicks"
        conversions = "Approved_Conversion"
        decimals = "round"
    "#;
    let text = "\
ad_id,xyz_campaign_id,fb_campaign_id,age,gender,interest,Impressions,Clicks,Spent,Total_Conversion,Approved_Conversion
708746,916,103916,30-34,M,15,7350,1,1.429999948,2,1
708749,916,103917,30-34,M,16,17861,2,1.820000023,2,0
";
    let options = mapped(map);
    let rows: Result<Vec<_>, _> = TotalRows::open("file.csv", text.as_bytes(), &options)
        .unwrap()
        .collect();
    let rows = rows.unwrap();
    assert_eq!(rows[0].key.to_string(), "meta/708746");
    assert_eq!(rows[0].metrics.spend.to_string(), "1.43");
    assert_eq!(rows[1].metrics.spend.to_string(), "1.82");
    let summary = validate("file.csv", text.as_bytes(), &options).unwrap();
    assert_eq!((summary.content, summary.span), (Content::Totals, None));

    let error = InsightRows::open("file.csv", text.as_bytes(), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "file.csv, line 1: this is a table read by a column map with totals without dates, not \
         dated insights; read it as totals without dates"
    );
    let export = Export::open("file.csv", text.as_bytes(), &options).unwrap();
    assert_eq!(export.content(), Content::Totals);
}

#[test]
fn a_price_by_the_hour() {
    let map = r#"
        platform = "exchange"
        granularity = "hour"
        zone = "UTC"
        date = { column = "timestamp", format = "%Y-%m-%d %H:%M:%S" }
        ad_set = { constant = "exchange-2" }
        spend = "value"
        clicks = { constant = 1 }
        duplicates = "add"
        decimals = "round"
    "#;
    let text =
        "timestamp,value\r\n2011-07-01 00:00:01,0.0819647355164\r\n2011-07-01 01:15:01,0.25\r\n";
    let rows = insights(text, &mapped(map)).unwrap();
    assert_eq!(
        short(&rows),
        [
            "2 exchange/exchange-2 2011-07-01T00Z+1 0.081965 1/0 0 0.00",
            "3 exchange/exchange-2 2011-07-01T01Z+1 0.25 1/0 0 0.00",
        ]
    );
}

#[test]
fn instants_are_booked_on_the_accounts_day() {
    let map = r#"
        platform = "meta"
        granularity = "day"
        zone = "America/Los_Angeles"
        date = { column = "created", format = "rfc3339" }
        undated = "skip"
        ad_set = ["id"]
        currency = { column = "spend_currency", only = "RUB" }
        spend = "spend_amount"
        impressions = "impressions"
        clicks = "clicks"
    "#;
    let text = "\
id,created,ended,impressions,clicks,spend_amount,spend_currency
1,2015-10-25T23:28:33-07:00,2015-10-27T23:59:00-07:00,358,6,161.23,RUB
5,2015-10-26T06:28:33+00:00,,3,7,1,RUB
6,2016-05-12T04:06:17-07:00,,0,0,0.00,USD
7,,,0,0,3.00,RUB
";
    let options = mapped(map);
    assert_eq!(
        short(&insights(text, &options).unwrap()),
        [
            "2 meta/1 2015-10-25T07Z+24 161.23 6/358 0 0.00",
            "3 meta/5 2015-10-25T07Z+24 1.00 7/3 0 0.00",
        ]
    );
    assert_eq!(
        notes(text, &options),
        "1 rows in another currency skipped, 1 rows without a date skipped, 1 rows with more \
         clicks than impressions"
    );
}

#[test]
fn hours_of_instants_follow_the_clock_of_half_hour_zones() {
    let map = r#"
        platform = "x"
        granularity = "hour"
        zone = "Asia/Kolkata"
        date = { column = "at", format = "rfc3339" }
        ad_set = ["a"]
        spend = "s"
    "#;
    // 10:45 in India lies in the hour that began at 04:30Z.
    let rows = insights("a,at,s\nA,2026-09-01T05:15:00Z,1\n", &mapped(map)).unwrap();
    assert_eq!(rows[0].span.from.to_string(), "2026-09-01T04Z");
}

#[test]
fn an_hour_beside_the_date_another_delimiter_and_other_numbers() {
    let map = r#"
        platform = "x"
        granularity = "hour"
        date = { column = "Tag", format = "%d.%m.%Y" }
        hour = "Stunde"
        ad_set = ["Gruppe"]
        spend = "Kosten"
        conversions = { column = "Käufe", blank = "zero" }
        numbers = "dot_comma"
        delimiter = "semicolon"
        currency = "EUR"
    "#;
    let text = "Tag;Stunde;Gruppe;Kosten;KÄUFE\n01.09.2026;7;A;1.250,5;\n";
    let rows = insights(text, &mapped(map)).unwrap();
    assert_eq!(short(&rows), ["2 x/A 2026-09-01T07Z+1 1250.50 0/0 0 0.00"]);
    assert_eq!(notes(text, &mapped(map)), "1 empty values read as zero");
}

#[test]
fn a_map_says_all_that_is_wrong_with_it() {
    let error = |text: &str| {
        ColumnMap::from_toml("map.toml", text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(
            "platform = 'x'\ngranularity = 'day'\nad_set = ['']\nhour = 'h'\n\
             date = { year = 1066, month = 'm', day = 'd' }\n\
             spend = { constant = '-1' }\nclicks = { constant = '0.5' }"
        ),
        "map.toml: `hour` has no use where `granularity` is day; the `year` 1066 is not between \
         1970 and 2199; the constant of `spend` is -1.00: an amount that is not below zero is \
         needed; the constant of `clicks` is 0.50: a whole number that is not below zero is \
         needed; `ad_set` has an empty name"
    );
    let base = "platform = 'x'\nad_set = ['a']\nspend = 's'\n";
    let with = |more: &str| error(&[base, more].concat());
    for (more, expected) in [
        (
            "granularity = 'hour'\ndate = { column = 'd' }",
            "`granularity` is hour, but neither `hour` nor the `format` of `date` tells the hour",
        ),
        (
            "granularity = 'hour'\nhour = 'h'\ndate = { column = 'd', format = 'rfc3339' }",
            "both `hour` and the `format` of `date` tell the hour; keep one",
        ),
        (
            "granularity = 'total'\nundated = 'skip'\ndate = { column = 'd' }",
            "`date` has no use where `granularity` is total; `undated` has no use where `granularity` is total",
        ),
        (
            "granularity = 'day'\ndate = { column = 'd', day = 'e' }",
            "`date` needs either `column`, with a `format` or without, or all of `year`, `month` and `day`",
        ),
        (
            "granularity = 'day'\ndate = { column = 'd', format = '%H:%M' }",
            "the `format` \"%H:%M\" reads no date: rfc3339 or a pattern such as %d.%m.%Y is needed",
        ),
        (
            "granularity = 'day'\ndate = { column = 'd', format = '%Q' }",
            "the `format` \"%Q\" reads no date: rfc3339 or a pattern such as %d.%m.%Y is needed",
        ),
        (
            "granularity = 'day'\ndate = { column = 'd', format = '%d.%m.' }",
            "the `format` \"%d.%m.\" reads no date: rfc3339 or a pattern such as %d.%m.%Y is needed",
        ),
    ] {
        assert_eq!(with(more), format!("map.toml: {expected}"));
    }
    for (more, expected) in [
        (
            "granularity = 'week'",
            "unknown variant `week`, expected one of `hour`, `day`, `total`",
        ),
        ("color = 'red'", "unknown field `color`"),
        (
            "revenue = 1",
            "invalid type: integer `1`, expected the name of a column or a table { column, blank } or { constant }",
        ),
        (
            "revenue = { column = 'r', constant = 1 }",
            "either `column`, with `blank` or without, or `constant` is needed",
        ),
        (
            "currency = 'euro'",
            "\"euro\" is not a currency code: three capital letters, such as USD, are expected",
        ),
        ("zone = 'Berlin'", "\"Berlin\" is not an IANA time zone"),
        (
            "clicks = { constant = 0.5 }",
            "invalid type: floating point `0.5`, expected an integer, or a decimal number as text such as \"0.5\"",
        ),
    ] {
        let said = with(more);
        assert!(
            said.starts_with("map.toml: ") && said.contains(expected),
            "{said}"
        );
    }
}

#[test]
fn maps_and_options_survive_toml() {
    let options = mapped(ONLINE_ADS);
    let map = options.map.clone().unwrap();
    let text = toml::to_string(map.config()).unwrap();
    assert_eq!(ColumnMap::from_toml("map.toml", &text).unwrap(), map);
    let text = toml::to_string(&options).unwrap();
    assert_eq!(toml::from_str::<ReadOptions>(&text).unwrap(), options);
    assert_eq!(
        toml::from_str::<ReadOptions>("").unwrap(),
        ReadOptions::default()
    );
}
