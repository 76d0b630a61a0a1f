//! `attribute`: tables of paths and lists of events in; credits, CSV, JSON and a page out.

mod refusals;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Ran, int, pilot, run, strings};
use crate::support::{Desk, sample};

/// Three paths whose credits can be found on paper.
const PATHS: &str = "path,total_conversions,total_conversion_value,total_null\n\
                     search > email > search,2,10.00,8\n\
                     social,0,0,5\n\
                     social > email,1,3.01,4\n";

fn over(kind: &str, file: &Path, more: &[&str]) -> Ran {
    run(pilot().arg("attribute").arg(kind).arg(file).args(more))
}

/// Credits in micros by model and channel.
fn credits(json: &Value) -> BTreeMap<(String, String), i64> {
    let channels = strings(json, "/channels");
    let mut credits = BTreeMap::new();
    for model in json["models"].as_array().expect("models") {
        let name = model["name"].as_str().expect("a name");
        let amounts = model["credits"].as_array().expect("credits");
        assert_eq!(amounts.len(), channels.len());
        for (channel, amount) in channels.iter().zip(amounts) {
            let amount = amount.as_i64().expect("micros");
            credits.insert((name.to_owned(), channel.clone()), amount);
        }
    }
    credits
}

#[test]
fn credits_are_those_that_paper_gives() {
    let desk = Desk::new();
    let file = desk.file("paths.csv", PATHS);
    let json = over("--paths", &file, &["--json"]).well().json();
    let credits = credits(&json);
    let earned = |model: &str| {
        ["search", "email", "social"].map(|channel| {
            let key = (model.to_owned(), channel.to_owned());
            credits
                .get(&key)
                .copied()
                .unwrap_or_else(|| panic!("{key:?}"))
        })
    };
    assert_eq!(earned("last"), [10_000_000, 3_010_000, 0]);
    assert_eq!(earned("first"), [10_000_000, 0, 3_010_000]);
    assert_eq!(
        earned("linear"),
        [6_666_667, 3_333_333 + 1_505_000, 1_505_000]
    );
    assert_eq!(
        earned("position"),
        [8_000_000, 2_000_000 + 1_505_000, 1_505_000]
    );
    // 3.01 over two touches: a quarter to the first, three quarters to the last.
    assert_eq!(
        earned("j_shape"),
        [8_000_000, 2_000_000 + 2_257_500, 752_500]
    );
    assert_eq!(
        earned("shapley"),
        [5_000_000, 5_000_000 + 1_505_000, 1_505_000]
    );
    for model in ["markov1", "markov2", "markov3", "markov4", "leave_one_out"] {
        assert_eq!(earned(model).iter().sum::<i64>(), 13_010_000, "{model}");
    }
    assert_eq!(int(&json, "/total"), 13_010_000);
    assert_eq!(
        (int(&json, "/journeys"), int(&json, "/conversions")),
        (20, 3)
    );
    let left_out: Vec<_> = json["left_out"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let names: Vec<_> = left_out.iter().map(|pair| pair[0].as_str()).collect();
    assert_eq!(
        names,
        [Some("last_non_direct"), Some("time_decay"), Some("hazard")]
    );
}

/// In a chain of order 1 over these paths, removing a channel leaves what never passes it.
#[test]
fn a_chain_that_paper_can_solve() {
    let desk = Desk::new();
    // Half of a's journeys go on to b; a alone converts 1 in 10, after b 3 in 10.
    let file = desk.file(
        "paths.csv",
        "path,total_conversions,total_conversion_value,total_null\na,1,1,9\na > b,3,3,7\n",
    );
    let json = over("--paths", &file, &["--json", "--models", "markov1"])
        .well()
        .json();
    // Without a nothing is left: 1. Without b 0.05 of 0.2 are left: 3/4. So 4/7 and 3/7 of 4.
    let credits = credits(&json);
    let of = |channel: &str| credits[&("markov1".to_owned(), channel.to_owned())];
    assert!((of("a") - 2_285_714).abs() <= 1, "{}", of("a"));
    assert!((of("b") - 1_714_286).abs() <= 1, "{}", of("b"));
    assert_eq!(of("a") + of("b"), 4_000_000);
}

#[test]
fn the_table_is_aligned_and_sums_up() {
    let desk = Desk::new();
    let file = desk.file("paths.csv", PATHS);
    let models = ["--models", "last,linear,shapley", "--currency", "EUR"];
    let ran = over("--paths", &file, &models).well();
    let lines: Vec<&str> = ran.stdout.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "paths.csv: 3 rows, 20 journeys, 3 of them converted, 13.01 EUR",
            "",
            "Rules of thumb",
            "           last   linear",
            "─────────────────────────",
            " search   10.00     6.67",
            " email     3.01     4.84",
            " social    0.00     1.51",
            " all      13.01    13.01",
            "",
            "Learned from the journeys",
            "          shapley",
            "──────────────────",
            " search      5.00",
            " email       6.51",
            " social      1.51",
            " all        13.01",
            "",
            "None of these models is causal: they describe journeys. Experiments say what ads cause.",
        ]
    );
}

#[test]
fn events_are_attributed_with_windows_refunds_and_merges() {
    let desk = Desk::new();
    let file = desk.file(
        "events.csv",
        "kind,event_id,user,ts,channel,touch_kind,conv_id,value,into_user\n\
         touch,t1,ann,2026-10-01T00:00:00Z,search,click,,,\n\
         touch,t2,ann@work,2026-10-03T00:00:00Z,display,view,,,\n\
         touch,t1,ann,2026-10-01T00:00:00Z,search,click,,,\n\
         touch,t3,ann,2026-10-05T00:00:00Z,email,,,,\n\
         merge,,ann@work,,,,,,ann\n\
         conversion,o1,ann,2026-10-05T12:00:00+00:00,,,,12.00,\n\
         conversion,o2,bob,2026-10-05T12:00:00Z,,,,5.00,\n\
         adjust,r1,ann,2026-10-07T00:00:00Z,,,o1,9.00,\n",
    );
    let json = over("--events", &file, &["--json", "--half-life", "7d"])
        .well()
        .json();
    let earned = credits(&json);
    let of = |model: &str, channel: &str| earned[&(model.to_owned(), channel.to_owned())];
    // The view is older than a day. A half-life of 7 days over 4 days: 1 to 0.673.
    assert_eq!(
        (of("linear", "search"), of("linear", "email")),
        (4_500_000, 4_500_000)
    );
    assert_eq!(of("linear", "display"), 0);
    let decayed = (of("time_decay", "search"), of("time_decay", "email"));
    assert_eq!(decayed, (3_620_282, 5_379_718));
    assert_eq!(int(&json, "/total"), 14_000_000);
    let unattributed = int(&json, "/models/0/unattributed");
    assert_eq!(unattributed, 5_000_000, "bob's order has no touch");
    let notes = strings(&json, "/notes");
    assert_eq!(notes, ["1 touches came twice and count once"]);

    // A longer window for views, and one each instead of values.
    let more = [
        "--json",
        "--view-window",
        "3d",
        "--models",
        "linear",
        "--of",
        "conversions",
    ];
    let counted = over("--events", &file, &more).well().json();
    let earned = credits(&counted);
    let of = |channel: &str| earned[&("linear".to_owned(), channel.to_owned())];
    assert_eq!(
        ["search", "display", "email"].map(of),
        [333_334, 333_333, 333_333]
    );
    assert_eq!(int(&counted, "/total"), 2_000_000);
}

#[test]
fn the_samples_of_the_readme_work_and_the_csv_is_exact() {
    let desk = Desk::new();
    for (kind, name) in [
        ("--paths", "attribution_paths.csv"),
        ("--events", "attribution_events.csv"),
    ] {
        let (csv, page) = (desk.path("out.csv"), desk.path("page.html"));
        let ran = run(pilot()
            .args(["attribute", "--json", kind])
            .arg(sample(name))
            .arg("--csv")
            .arg(&csv)
            .arg("--report")
            .arg(&page))
        .well();
        assert!(ran.stderr.starts_with("report: "), "{}", ran.stderr);
        let json = ran.json();
        let total = int(&json, "/total");
        assert!(total > 1_000_000_000);
        for model in json["models"].as_array().expect("models") {
            let credits = model["credits"].as_array().expect("credits");
            let sum: i64 = credits.iter().filter_map(Value::as_i64).sum();
            let whole = sum + model["unattributed"].as_i64().expect("micros");
            assert_eq!(whole, total, "{}", model["name"]);
        }
        // Every cell of the CSV is the figure of the JSON.
        let text = fs::read_to_string(&csv).expect("a file");
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().expect("a header");
        let rows: BTreeMap<&str, Vec<&str>> =
            lines.map(|row| (row[0], row[1..].to_vec())).collect();
        for ((model, channel), micros) in credits(&json) {
            let column = header
                .iter()
                .position(|name| *name == model)
                .expect("a column")
                - 1;
            let (whole, fraction) = rows[channel.as_str()][column]
                .split_once('.')
                .expect("decimals");
            let digits = format!("{whole}{fraction:0<6}");
            assert_eq!(digits.parse::<i64>(), Ok(micros), "{model} {channel}");
        }
        let page = fs::read_to_string(&page).expect("a page");
        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
        assert_eq!(page.matches("<svg").count(), 2, "for desks and for phones");
        let dots = page.matches("<circle").count();
        let models = json["models"].as_array().expect("models").len();
        assert_eq!(dots, 2 * models * strings(&json, "/channels").len());
        for outside in [
            "http://", "https://", " src=", "<link", "<script", "@import", "url(",
        ] {
            assert!(!page.contains(outside), "{outside:?} is in the page");
        }
    }
}

#[test]
fn names_from_files_are_text_in_the_page() {
    const EVIL: &str = "<script>alert('x')</script> & \u{202e}co";
    let desk = Desk::new();
    let table = PATHS.replace("social", &format!("\"{EVIL}\"").replace('"', ""));
    let file = desk.file("<b>bold.csv", &table);
    let page = desk.path("page.html");
    let ran = run(pilot()
        .args(["attribute", "--paths"])
        .arg(&file)
        .arg("--report")
        .arg(&page));
    ran.well();
    let page = fs::read_to_string(&page).expect("a page");
    for raw in ["<script", "<b>bold", "\u{202e}"] {
        assert!(!page.contains(raw), "{raw:?} stands in the page");
    }
    assert!(page.contains("script"));
}

#[test]
fn what_a_file_lacks_leaves_models_out() {
    let desk = Desk::new();
    let file = desk.file(
        "paths.csv",
        "\u{feff}Path,Total_Conversions,total_conversion_value\n direct > a ,2,0\r\nb,1,0\n",
    );
    let ran = over("--paths", &file, &["--json"]).well();
    let json = ran.json();
    let earned = credits(&json);
    let of = |model: &str, channel: &str| earned[&(model.to_owned(), channel.to_owned())];
    // Without values, conversions are split.
    assert_eq!(json["of"], "conversions");
    assert_eq!(
        (of("linear", "direct"), of("linear", "a")),
        (1_000_000, 1_000_000)
    );
    assert_eq!(
        (of("last_non_direct", "a"), of("last_non_direct", "direct")),
        (2_000_000, 0)
    );
    let names: Vec<_> = json["left_out"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|pair| pair[0].clone())
        .collect();
    assert_eq!(
        names,
        [
            "time_decay",
            "markov1",
            "markov2",
            "markov3",
            "markov4",
            "leave_one_out",
            "hazard"
        ]
    );
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    let desk = Desk::new();
    let bytes = |name: &str| {
        let page = desk.path(name);
        let ran = run(pilot()
            .args(["attribute", "--paths"])
            .arg(sample("attribution_paths.csv"))
            .arg("--report")
            .arg(&page))
        .well();
        (ran.stdout, fs::read(page).expect("a page"))
    };
    assert_eq!(bytes("one.html"), bytes("two.html"));
}

/// Under the default a touch of the day before counts half.
#[test]
fn the_help_says_what_the_files_hold_and_the_default_half_life_is_a_day() {
    let help = run(pilot().args(["attribute", "--help"])).well().stdout;
    for word in [
        "total_conversion_value",
        "value_micros",
        "into_user",
        "Exit codes",
        "24h",
    ] {
        assert!(help.contains(word), "{word} is not in: {help}");
    }
    let desk = Desk::new();
    let file = desk.file(
        "events.csv",
        "kind,event_id,user,ts_ms,channel,value_micros\ntouch,1,1,0,a,\ntouch,2,1,86400000,b,\n\
         conversion,3,1,90000000,,3000000\n",
    );
    let json = over("--events", &file, &["--json", "--models", "time_decay"])
        .well()
        .json();
    let credits = credits(&json);
    let of = |channel: &str| credits[&("time_decay".to_owned(), channel.to_owned())];
    assert_eq!((of("a"), of("b")), (1_000_000, 2_000_000));
}
