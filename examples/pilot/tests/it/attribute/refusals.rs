//! Bad files and wrong calls: named with their place, and with an exit code of their own.

use std::fs;

use super::{PATHS, over};
use crate::program::{Ran, pilot, run};
use crate::support::Desk;

fn attribute(arguments: &[&str]) -> Ran {
    run(pilot().arg("attribute").args(arguments))
}

#[test]
fn bad_tables_are_refused_with_their_place() {
    let desk = Desk::new();
    let paths = |from: &str, to: &str| desk.file("p.csv", &PATHS.replace(from, to));
    let cases: [(&str, &str, &[&str]); 12] = [
        (
            "1,3.01",
            "x,3.01",
            &[
                "p.csv, line 4, column total_conversions",
                "\"x\"",
                "whole number",
            ],
        ),
        (
            "1,3.01",
            "-1,3.01",
            &["line 4, column total_conversions", "\"-1\""],
        ),
        (
            "1,3.01",
            ",3.01",
            &["line 4, column total_conversions", "\"\""],
        ),
        (
            "3.01",
            "3;01",
            &["line 4, column total_conversion_value", "\"3;01\"", "12.50"],
        ),
        ("3.01", "1e3", &["line 4, column total_conversion_value"]),
        (
            "0,0,5",
            "0,7,5",
            &[
                "line 3, column total_conversion_value",
                "without conversions",
            ],
        ),
        (
            "0,0,5",
            "0,0",
            &["p.csv, line 3: 3 columns, but the header has 4"],
        ),
        (
            "0,0,5",
            "0,0,5,6",
            &["line 3: 5 columns, but the header has 4"],
        ),
        (
            "total_conversion_value",
            "revenue",
            &["line 1: no column total_conversion_value", "revenue"],
        ),
        ("total_null", "path", &["the column path is there twice"]),
        (
            "3.01",
            "99999999999999",
            &["line 4, column total_conversion_value"],
        ),
        (
            "3.01",
            "9223372036854",
            &["line 4: the sums of the columns do not fit"],
        ),
    ];
    for (from, to, words) in cases {
        over("--paths", &paths(from, to), &[]).refused(3, words);
    }
    let header = "path,total_conversions,total_conversion_value\n";
    let file = |text: &str| desk.file("q.csv", text);
    over("--paths", &file(""), &[]).refused(3, &["q.csv: the file is empty"]);
    over("--paths", &file(header), &[]).refused(3, &["no rows under the header"]);
    over("--paths", &file(&format!("{header}a,0,0\n")), &[]).refused(3, &["no conversion"]);
    over("--paths", &file(&format!("{header},1,1\n")), &[]).refused(3, &["no touch"]);
    over("--paths", &desk.path("none.csv"), &[]).refused(3, &["none.csv", "No such file"]);
    fs::write(
        desk.path("latin.csv"),
        b"path,total_conversions,total_conversion_value\ncaf\xe9,1,1\n",
    )
    .expect("writes");
    over("--paths", &desk.path("latin.csv"), &[])
        .refused(3, &["latin.csv, line 2, column path", "UTF-8"]);
}

#[test]
fn bad_events_are_refused_with_their_place() {
    let desk = Desk::new();
    let events = |row: &str| {
        let header = "kind,event_id,user,ts_ms,channel,touch_kind,conv_id,value_micros,into_user";
        desk.file("e.csv", &format!("{header}\n{row}\n"))
    };
    let cases: [(&str, &[&str]); 9] = [
        (
            "click,1,1,5,a,,,,",
            &["e.csv, line 2, column kind", "\"click\"", "conversion"],
        ),
        ("touch,,1,5,a,,,,", &["line 2, column event_id"]),
        ("touch,1,,5,a,,,,", &["line 2, column user"]),
        (
            "touch,1,1,soon,a,,,,",
            &["line 2, column ts_ms", "\"soon\""],
        ),
        (
            "touch,1,1,9223372036854775807,a,,,,",
            &["line 2, column ts_ms"],
        ),
        ("touch,1,1,5,,,,,", &["line 2, column channel"]),
        (
            "touch,1,1,5,a,tap,,,",
            &["line 2, column touch_kind", "click or view"],
        ),
        (
            "conversion,1,1,5,,,,12.5,",
            &["line 2, column value_micros"],
        ),
        ("adjust,1,1,5,,,,1,", &["line 2, column conv_id"]),
    ];
    for (row, words) in cases {
        over("--events", &events(row), &[]).refused(3, words);
    }
}

#[test]
fn wrong_calls_are_refused() {
    let desk = Desk::new();
    let file = desk.file("paths.csv", PATHS);
    attribute(&[]).refused(2, &["--paths FILE or --events FILE"]);
    attribute(&["--paths", "a", "--events", "b"]).refused(2, &["cannot be used with"]);
    let cases: [(&[&str], &str); 9] = [
        (&["--half-life", "7d"], "--half-life needs --events"),
        (&["--since-previous"], "--since-previous needs --events"),
        (
            &["--models", "lst"],
            "--models is \"lst\": expected one of last, ",
        ),
        (&["--models", "hazard"], "the model hazard cannot be used"),
        (
            &["--models", "last_non_direct"],
            "no channel is called \"direct\"",
        ),
        (&["--currency", "dollar"], "--currency is \"dollar\""),
        (&["--of", "clicks"], "--of <WHAT>"),
        (&["--view-window", "1w"], "--view-window needs --events"),
        (&["--unknown"], "--unknown"),
    ];
    for (arguments, words) in cases {
        over("--paths", &file, arguments).refused(2, &[words]);
    }
    let events = desk.file("e.csv", "kind\n");
    for (argument, value) in [
        ("--half-life", "0d"),
        ("--half-life", "1w"),
        ("--click-window", "99999d"),
    ] {
        over("--events", &events, &[argument, value]).refused(2, &[]);
    }
    let nowhere = desk.path("missing/page.html");
    let ran = run(pilot()
        .args(["attribute", "--paths"])
        .arg(&file)
        .arg("--report")
        .arg(nowhere));
    ran.refused(5, &["page.html", "No such file"]);
}
