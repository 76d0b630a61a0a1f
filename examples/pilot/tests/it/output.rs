//! What comes out: a page for reading offline, JSON for machines, a table, samples.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::program::{int, pilot, run, strings};
use crate::support::{Desk, SAMPLES, daily, sample};

/// The most that the report of the samples may weigh.
const MOST_BYTES: usize = 1 << 20;

#[test]
fn the_report_is_one_file_that_needs_nothing_else() {
    let desk = Desk::new();
    run(&mut desk.readme_run()).well();
    let page = fs::read_to_string(desk.path("report.html")).expect("a report in UTF-8");
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    let without_names = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for outside in [
        "http://", "https://", "//cdn", " src=", "<link", "<script", "@import", "url(",
    ] {
        assert!(
            !without_names.contains(outside),
            "{outside:?} is in the report"
        );
    }
    for inside in [
        "<svg",
        "<style",
        "Lookalike buyers 2%",
        "Broad US 25-54",
        "853.44",
    ] {
        assert!(page.contains(inside), "{inside:?} is not in the report");
    }
    let made: Vec<_> = fs::read_dir(desk.path("")).expect("a folder").collect();
    assert_eq!(
        made.len(),
        2,
        "the store and the report, and nothing beside them: {made:?}"
    );
}

#[test]
fn names_from_files_are_text_in_the_report() {
    const EVIL: &str = "<script>alert(\"x\")</script> & 'co' 🎯";
    const IMAGE: &str = "<img src=x onerror=alert(1)>";
    let desk = Desk::new();
    let mut table = daily("plain", "USD", "1.00");
    for day in 12..26 {
        for name in [EVIL, IMAGE, "</title></style></svg>{{ 7 * 7 }}"] {
            let name = name.replace('"', "\"\"");
            let row = format!("Autumn,\"{name}\",2026-10-{day},10,1,2.00,2026-10-12,2026-10-25\n");
            table.push_str(&row);
        }
    }
    let file = desk.file("<b>bold.csv", &table);
    let mut command = pilot();
    command
        .arg("--insights")
        .arg(file)
        .args(["--store", ":memory:", "--json"]);
    let json = run(command.arg("--report").arg(desk.path("page.html")))
        .well()
        .json();
    let names: Vec<_> = json["kpis"]["ad_sets"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    assert!(
        names.iter().any(|set| set[0]["ad_set"] == EVIL),
        "the JSON has it as it is"
    );
    let page = fs::read_to_string(desk.path("page.html")).expect("a report");
    for raw in [
        "<script",
        "<img",
        "onerror=alert(1)>",
        "</svg>{{",
        "<b>bold",
        "'co'",
    ] {
        assert!(
            !page.contains(raw),
            "{raw:?} stands in the report as markup"
        );
    }
    let unescape = [
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    let text = unescape
        .iter()
        .fold(page, |text, (from, to)| text.replace(from, to));
    for name in [EVIL, IMAGE, "{{ 7 * 7 }}", "<b>bold.csv"] {
        assert!(text.contains(name), "{name:?} is readable in the report");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let desk = Desk::new();
    let config = format!("{SAMPLES}/pilot.toml");
    let store = desk.path("pilot.db");
    let store = store.to_str().expect("a path");
    let run = [
        "--config", &config, "--store", store, "--report", "none", "--quiet",
    ];
    let with_json = [&run[..], &["--json"]].concat();
    for (arguments, read) in [
        (&run[..], 10),
        (&with_json[..], 10),
        (&with_json[..], 0),
        (&["settings"][..], 0),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gaelp-pilot"))
            .env_clear()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut out = child.stdout.take().expect("a pipe");
        let mut few = vec![0; read];
        out.read_exact(&mut few).expect("so much there is");
        drop(out);
        let output = child.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_said() {
    let desk = Desk::new();
    desk.file("daily.csv", &daily("One", "USD", "1.00"));
    let full = fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let output = Command::new(env!("CARGO_BIN_EXE_gaelp-pilot"))
        .env_clear()
        .current_dir(desk.path(""))
        .args([
            "--insights",
            "daily.csv",
            "--store",
            ":memory:",
            "--report",
            "none",
            "--json",
        ])
        .stdout(full)
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("standard output"), "{said}");
}

#[test]
fn the_table_says_what_the_json_says() {
    let desk = Desk::new();
    let json = run(&mut desk.readme_run()).well().json();
    let mut command = pilot();
    command.args([
        "--config",
        &format!("{SAMPLES}/pilot.toml"),
        "--store",
        ":memory:",
    ]);
    let ran = run(command.args(["--report", "none"])).well();
    assert_eq!(ran.stderr, "", "no bar where there is no terminal");
    let spend = int(&json, "/kpis/account/metrics/spend");
    assert_eq!(spend % 10_000, 0, "whole cents");
    let spend = format!("{}.{:02}", spend / 1_000_000, spend / 10_000 % 100);
    for words in [
        "gaelp pilot, shadow mode",
        "2026-10-12 to 2026-11-08, America/New_York time",
        &spend,
        "853.44",
        "2,688 decisions",
        "peak_hours",
        "2,688 actions shadow",
        "an estimate",
    ] {
        assert!(
            ran.stdout.contains(words),
            "{words:?} is not in:\n{}",
            ran.stdout
        );
    }
    assert!(
        !ran.stdout.contains('\u{1b}'),
        "no colours where there is no terminal"
    );
}

#[test]
fn the_json_has_its_parts() {
    let desk = Desk::new();
    let json = run(&mut desk.readme_run()).well().json();
    assert_eq!(json["format"], 1);
    assert_eq!(json["currency"], "USD");
    assert_eq!(json["zone"], "America/New_York");
    assert_eq!(json["run"].as_str().map(str::len), Some(64));
    let windows = json["trailing"].as_array().expect("a list");
    let days = windows
        .iter()
        .map(|w| w["days"].as_i64().expect("days"))
        .collect::<Vec<_>>();
    assert_eq!(days, [7, 14, 30]);
    let heatmap = json["heatmap"].as_array().expect("a list");
    assert_eq!(heatmap.len(), 7);
    assert!(
        heatmap
            .iter()
            .all(|day| day.as_array().map(Vec::len) == Some(24))
    );
    let cells = || {
        heatmap
            .iter()
            .flat_map(|day| day.as_array().expect("a list"))
    };
    let spend: i64 = cells().map(|cell| int(cell, "/spend")).sum();
    assert_eq!(
        spend,
        int(&json, "/kpis/account/metrics/spend"),
        "the heat map's cells, added up"
    );
    let days = json["days"].as_array().expect("a list");
    assert_eq!(days.len(), 28);
    let spend: i64 = days.iter().map(|day| int(day, "/actual")).sum();
    assert_eq!(
        spend,
        int(&json, "/kpis/account/metrics/spend"),
        "the days, added up"
    );
    assert!(days.iter().all(|day| int(day, "/target") == 10_000_000));
}

#[test]
fn samples_are_written_and_can_be_flown() {
    let desk = Desk::new();
    let out = desk.path("samples");
    run(pilot().arg("sample").arg("--out").arg(&out)).well();
    let names = [
        "meta_hourly.csv",
        "google_hourly.csv",
        "tiktok_hourly.csv",
        "shopify_orders.csv",
    ];
    for name in names {
        let written = fs::read(out.join(name)).expect("it was written");
        assert!(
            written == fs::read(sample(name)).expect("it is bundled"),
            "{name} is as bundled"
        );
    }
    let readme = fs::read_to_string(out.join("README.md")).expect("it was written");
    assert!(readme.contains("generated") && readme.contains("simulated"));
    let bundled = run(&mut desk.readme_run()).well();
    let mut command = desk.readme_run();
    command
        .arg("--insights")
        .args(names[..3].iter().map(|name| out.join(name)));
    command.arg("--orders").arg(out.join(names[3]));
    assert_eq!(run(&mut command).well().stdout, bundled.stdout);
}

#[test]
fn samples_do_not_overwrite_what_may_be_real() {
    let desk = Desk::new();
    desk.file("meta_hourly.csv", &daily("Real", "USD", "1.00"));
    let ran = run(pilot().arg("sample").arg("--out").arg(desk.path("")));
    ran.refused(5, &["meta_hourly.csv", "real export"]);
    let kept = fs::read_to_string(desk.path("meta_hourly.csv")).expect("it is there");
    assert_eq!(kept, daily("Real", "USD", "1.00"));
    let file = desk.path("meta_hourly.csv");
    run(pilot().arg("sample").arg("--out").arg(file)).refused(5, &["cannot write"]);
    let none = pilot()
        .args(["sample", "--rows", "0", "--out"])
        .arg(desk.path("x"))
        .output();
    assert_eq!(
        none.expect("runs").status.code(),
        Some(2),
        "a wrong call, not a wrong disk"
    );
}

#[test]
fn files_that_overlap_say_which_one_counts() {
    let desk = Desk::new();
    let old = desk.file("old.csv", &daily("a", "USD", "5.00"));
    let new = desk.file("new.csv", &daily("a", "USD", "7.00"));
    for (files, spend) in [([&old, &new], 7_000_000), ([&new, &old], 5_000_000)] {
        let json = run(&mut desk.over(files)).well().json();
        assert_eq!(json["kpis"]["account"]["metrics"]["spend"], spend);
        let limits = strings(&json, "/limits");
        let said =
            |limit: &String| limit.starts_with("Files overlap.") && limit.contains("hours: 1.");
        assert!(limits.iter().any(said), "{limits:?}");
    }
    let alone = run(&mut desk.over([&new])).well().json();
    let limits = strings(&alone, "/limits");
    assert!(
        !limits.iter().any(|limit| limit.contains("overlap")),
        "{limits:?}"
    );
}
