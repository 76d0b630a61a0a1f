//! The pilot over real data that is shared beside the checkout, in `../shared/data`.
//!
//! Without that folder the trials are reported as ignored, by name; where `CI=true`, they fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use assert_cmd::Command;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

#[path = "shared/attribution.rs"]
mod attribution;
#[path = "it/program.rs"]
mod program;

use program::{Ran, int, pilot, run, strings};

/// Where the data lie.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/ads");
const MAPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/maps");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

/// What each trial is called, and what it does.
const TRIALS: [(&str, fn()); 11] = [
    ("online_ads_is_replayed_by_the_day", online_ads),
    (
        "online_ads_without_a_currency_is_refused",
        online_ads_without_currency,
    ),
    ("kag_has_totals_and_no_decisions", kag),
    ("kag_says_that_it_has_no_revenue", kag_without_revenue),
    ("kag_beside_orders_is_refused", kag_with_orders),
    ("nab_exchange_2_is_replayed_by_the_hour", nab_2),
    ("nab_exchange_3_is_replayed_by_the_hour", nab_3),
    ("ira_in_roubles_is_replayed_by_the_day", ira),
    ("header_lines_alone_are_refused", headers),
    ("real_paths_are_attributed_to_the_micro", attribution::paths),
    (
        "the_stream_of_events_is_attributed_to_the_micro",
        attribution::events,
    ),
];

fn main() -> ExitCode {
    let there = Path::new(DATA).is_dir();
    let required = std::env::var("CI").is_ok_and(|value| value == "true");
    let trial = |(name, test): (&str, fn())| {
        let body = move || {
            if there {
                test();
                return Ok(());
            }
            Err(Failed::from(format!(
                "the shared data are not in {DATA}, and CI=true needs them"
            )))
        };
        Trial::test(name, body).with_ignored_flag(!there && !required)
    };
    let trials = TRIALS.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn data(name: &str) -> PathBuf {
    Path::new(DATA).join(name)
}

/// The program over a file of the data with one of the bundled maps; nothing is kept.
fn over(name: &str, map: &str, more: &[&str]) -> Command {
    let mut command = pilot();
    command.arg("--insights").arg(data(name));
    command.arg("--map").arg(Path::new(MAPS).join(map));
    command
        .args(["--store", ":memory:", "--json", "--quiet"])
        .args(more);
    command
}

/// Settings for an account that spends thousands a day.
const LARGE: [&str; 6] = [
    "--daily-cap",
    "5000",
    "--daily-budget-target",
    "2000",
    "--set",
    "ADSET_MAX_HOURLY=1000",
];

/// Runs it twice, with a report each: the same bytes, and a page that stands by itself.
fn replayed(command: impl Fn() -> Command) -> (Ran, Value, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let once = |name: &str| {
        let page = dir.path().join(name);
        let ran = run(command().arg("--report").arg(&page)).well();
        assert_eq!(ran.stderr, format!("report: {}\n", page.display()));
        (
            ran,
            fs::read_to_string(page).expect("the report was written"),
        )
    };
    let (first, page) = once("first.html");
    let (second, again) = once("second.html");
    assert_eq!(first.stdout, second.stdout, "the JSON of a second run");
    assert_eq!(page, again, "the report of a second run");
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    for outside in ["http://", "https://", " src=", "<link", "<script"] {
        assert!(!page.contains(outside), "{outside:?} is in the report");
    }
    let json = first.json();
    (first, json, page)
}

/// The sums over all ad sets, and that the ad sets' own sums add up to them.
#[track_caller]
fn account(json: &Value, metric: &str) -> i64 {
    let sum = int(json, &format!("/kpis/account/metrics/{metric}"));
    let ad_sets = json["kpis"]["ad_sets"].as_array().expect("a list");
    let parts: i64 = ad_sets
        .iter()
        .map(|set| int(set, &format!("/1/metrics/{metric}")))
        .sum();
    assert_eq!(parts, sum, "{metric} of the ad sets, added up");
    sum
}

/// That decisions were made, all of them logged only, and all counted once.
#[track_caller]
fn shadowed(json: &Value) -> i64 {
    let decisions = int(json, "/effect/decisions");
    assert!(decisions > 0, "no decision");
    assert_eq!(int(json, "/effect/statuses/shadow"), decisions);
    let parts = ["raised", "lowered", "held"].map(|part| int(json, &format!("/effect/{part}")));
    assert_eq!(parts.iter().sum::<i64>(), decisions);
    decisions
}

// The totals below were added up with Python's `csv` and `decimal`, straight from the files.

fn online_ads() {
    let with_currency = [&LARGE[..], &["--currency", "USD"]].concat();
    let (_, json, _) = replayed(|| over("online_ads_camp1.csv", "online_ads.toml", &with_currency));
    assert_eq!(int(&json, "/inputs/0/rows"), 6_873);
    assert_eq!(account(&json, "spend"), 150_688_122_500);
    assert_eq!(account(&json, "revenue"), 31_012_644_729_800);
    assert_eq!(account(&json, "impressions"), 143_309_064);
    assert_eq!(account(&json, "clicks"), 1_409_126);
    assert_eq!(account(&json, "conversions"), 633_082_000_000);
    assert_eq!(json["granularity"], "daily");
    assert_eq!(json["period"]["first_day"], "2020-04-01");
    assert_eq!(json["period"]["last_day"], "2020-06-30");
    assert_eq!(json["days"].as_array().map(Vec::len), Some(91));
    // Three campaigns with up to eight banners each stand in one file as eight ad sets.
    assert_eq!(json["ad_sets"].as_array().map(Vec::len), Some(8));
    // One decision a day and ad set at most.
    assert!(shadowed(&json) <= 8 * 91);
    assert!(
        strings(&json, "/limits")
            .iter()
            .any(|limit| limit.contains("daily"))
    );
    assert_eq!(
        json["heatmap"].as_array().map(Vec::len),
        Some(0),
        "days have no hours"
    );
}

fn online_ads_without_currency() {
    let mut command = over("online_ads_camp1.csv", "online_ads.toml", &LARGE);
    run(&mut command).refused(3, &["no file states its currency", "--currency USD"]);
}

fn kag() {
    let of = || {
        over(
            "KAG_conversion_data.csv",
            "kag_totals.toml",
            &["--currency", "USD"],
        )
    };
    let (_, json, page) = replayed(of);
    assert_eq!(int(&json, "/inputs/0/rows"), 1_143);
    // Each of the 1,143 amounts rounded to micros, half to even; exactly it is 58,705.229958205.
    assert_eq!(account(&json, "spend"), 58_705_229_957);
    assert_eq!(account(&json, "conversions"), 1_079_000_000);
    assert_eq!(account(&json, "impressions"), 213_434_828);
    assert_eq!(account(&json, "clicks"), 38_165);
    assert_eq!(json["granularity"], "total");
    assert_eq!(json["period"], Value::Null);
    assert_eq!(int(&json, "/effect/decisions"), 0);
    for list in ["ad_sets", "days", "heatmap", "trailing", "alerts"] {
        assert_eq!(json[list].as_array().map(Vec::len), Some(0), "{list}");
    }
    let limits = strings(&json, "/limits");
    for word in [
        "no dates",
        "Sums and ratios can be shown",
        "no suggestions",
        "by day and hour",
    ] {
        assert!(
            limits.iter().any(|limit| limit.contains(word)),
            "{word:?} is not in {limits:?}"
        );
    }
    assert!(page.contains("no dates"), "the report says it, too");

    let mut table = of();
    table.args(["--report", "none"]);
    // Without --json, a person reads the same.
    let arguments: Vec<_> = table
        .get_args()
        .filter(|a| *a != "--json")
        .map(Into::into)
        .collect();
    let table = run(pilot().args::<_, std::ffi::OsString>(arguments))
        .well()
        .stdout;
    for word in [
        "58,705.23",
        "213,434,828",
        "1,143 rows",
        "no dates",
        "no suggestions",
    ] {
        assert!(table.contains(word), "{word:?} is not in:\n{table}");
    }
}

/// The file has no revenue at all: that must be said, and must not count as zero.
fn kag_without_revenue() {
    let more = ["--currency", "USD", "--report", "none"];
    let json = run(&mut over(
        "KAG_conversion_data.csv",
        "kag_totals.toml",
        &more,
    ))
    .well()
    .json();
    let limits = strings(&json, "/limits");
    assert!(
        limits.iter().any(|limit| limit.contains("revenue")),
        "{limits:?}"
    );
}

fn kag_with_orders() {
    let mut command = over(
        "KAG_conversion_data.csv",
        "kag_totals.toml",
        &["--currency", "USD"],
    );
    command
        .arg("--orders")
        .arg(Path::new(SAMPLES).join("shopify_orders.csv"));
    run(&mut command).refused(3, &["KAG_conversion_data.csv", "without dates", "orders"]);
}

fn nab(name: &str, rows: i64, spend: i64) -> Value {
    let (_, json, _) = replayed(|| over(name, "nab_cpc.toml", &["--currency", "USD"]));
    assert_eq!(int(&json, "/inputs/0/rows"), rows);
    assert_eq!(account(&json, "spend"), spend);
    assert_eq!(account(&json, "clicks"), rows);
    assert_eq!(json["granularity"], "hourly");
    assert!(shadowed(&json) > 1_000);
    // Prices alone: a person is told what they do not say.
    assert!(
        strings(&json, "/limits")
            .iter()
            .any(|limit| limit.contains("No file states revenue"))
    );
    assert_eq!(
        json["kpis"]["account"]["ctr"],
        Value::Null,
        "no impressions, no rate"
    );
    assert_eq!(
        json["kpis"]["account"]["cpa"],
        Value::Null,
        "no conversions, no cost of one"
    );
    json
}

fn nab_2() {
    // One hour stands twice in it; 165.3599087528604 before rounding.
    let json = nab("nab_exchange-2_cpc.csv", 1_624, 165_359_885);
    assert_eq!(json["period"]["from"], "2011-07-01T00Z");
    assert_eq!(int(&json, "/period/hours"), 1_648);
}

fn nab_3() {
    // 211.1047601807715 before rounding.
    let json = nab("nab_exchange-3_cpc.csv", 1_538, 211_104_746);
    assert_eq!(int(&json, "/period/hours"), 1_647);
}

fn ira() {
    let zone = [&LARGE[..], &["--timezone", "America/Los_Angeles"]].concat();
    let name = "ira_facebook_ads_2015_2017_numeric.csv";
    let (_, json, _) = replayed(|| over(name, "ira_rub.toml", &zone));
    assert_eq!(json["currency"], "RUB");
    assert_eq!(int(&json, "/inputs/0/rows"), 2_532);
    assert_eq!(account(&json, "spend"), 5_822_190_050_000);
    assert_eq!(account(&json, "impressions"), 40_269_996);
    assert_eq!(account(&json, "clicks"), 3_707_812);
    let notes = strings(&json, "/inputs/0/notes");
    for note in [
        "965 × rows in another currency",
        "1 × rows without a date",
        "1 × rows with more",
    ] {
        assert!(
            notes.iter().any(|n| n.starts_with(note)),
            "{note:?} is not in {notes:?}"
        );
    }
    assert_eq!(json["granularity"], "daily");
    assert!(shadowed(&json) > 1_000);
    assert!(
        strings(&json, "/limits")
            .iter()
            .any(|limit| limit.contains("No file states revenue"))
    );
}

fn headers() {
    let none = "there is no row below the header; export a period that has data";
    let known = [
        (
            "google_ads_campaign_report.csv",
            "line 3: no column says on which day a row was",
        ),
        ("google_ads_campaign_report_de.csv", none),
        ("meta_ads_manager_daily.csv", none),
        ("meta_ads_manager_daily_purchases.csv", none),
        ("meta_ads_manager_hourly.csv", none),
        ("meta_ads_manager_hourly_2019_style.csv", none),
        ("shopify_orders_export.csv", none),
    ];
    let mut found: Vec<_> = fs::read_dir(data("headers"))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        known.map(|(name, _)| name),
        "every header file has its message here"
    );
    for (name, message) in known {
        let file = data("headers").join(name);
        let mut command = pilot();
        command.args([
            "--store",
            ":memory:",
            "--report",
            "none",
            "--json",
            "--insights",
        ]);
        let is_orders = name.starts_with("shopify");
        if is_orders {
            command
                .arg(Path::new(SAMPLES).join("google_hourly.csv"))
                .arg("--orders");
        }
        run(command.arg(file)).refused(3, &[name, message]);
    }
}
