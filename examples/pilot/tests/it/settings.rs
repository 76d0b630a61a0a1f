//! Where settings come from, which wins, and what is said about wrong ones.

use assert_cmd::Command;

use crate::program::{Ran, pilot, run};
use crate::support::{Desk, daily};

/// A run over a tiny report with a configuration file.
fn with_file(desk: &Desk, settings: &str) -> Command {
    desk.file("daily.csv", &daily("One", "USD", "1.00"));
    let path = desk.file("pilot.toml", settings);
    let mut command = desk.over(["daily.csv"]);
    command.arg("--config").arg(path);
    command
}

#[track_caller]
fn setting(ran: Ran, name: &str) -> String {
    let json = ran.well().json();
    json["settings"][name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}"))
        .to_owned()
}

#[test]
fn flag_wins_over_environment_over_file_over_default() {
    let desk = Desk::new();
    let cap = |command: &mut Command| setting(run(command), "DAILY_CAP_TOTAL");
    assert_eq!(cap(&mut with_file(&desk, "")), "10");
    let file = "DAILY_CAP_TOTAL = 20";
    assert_eq!(cap(&mut with_file(&desk, file)), "20");
    assert_eq!(cap(with_file(&desk, "").env("DAILY_CAP_TOTAL", "30")), "30");
    assert_eq!(
        cap(with_file(&desk, file).env("DAILY_CAP_TOTAL", "30")),
        "30"
    );
    assert_eq!(
        cap(with_file(&desk, file).args(["--daily-cap", "40"])),
        "40"
    );
    let set = ["--set", "DAILY_CAP_TOTAL=50"];
    assert_eq!(
        cap(with_file(&desk, file)
            .env("DAILY_CAP_TOTAL", "30")
            .args(set)),
        "50"
    );
    let both = ["--daily-cap=40"];
    assert_eq!(
        cap(with_file(&desk, file)
            .env("DAILY_CAP_TOTAL", "30")
            .args(both)),
        "40"
    );
}

#[test]
fn a_setting_of_each_place_takes_effect() {
    let desk = Desk::new();
    let mut command = with_file(&desk, "seed = 1\nTIMEZONE = \"Europe/Berlin\"");
    command
        .env("SEED", "2")
        .env("MARGIN", "0.25")
        .args(["--lambda-spend", "0.5"]);
    command.args(["--set", "lambda_max = 3"]);
    let json = run(&mut command).well().json();
    assert_eq!(json["zone"], "Europe/Berlin", "from the file");
    assert_eq!(json["seed"], 2, "from the environment");
    assert_eq!(
        json["settings"]["MARGIN"], "0.25",
        "from the environment, beside the file"
    );
    assert!(
        json["kpis"]["account"]["profit"].is_null(),
        "the file states no revenue: profit is undefined, whatever the margin"
    );
    assert_eq!(json["learning"]["lambda_start"], 0.5, "from a flag");
    assert_eq!(
        json["settings"]["LAMBDA_MAX"], "3",
        "from --set, in any case"
    );
}

#[test]
fn every_flag_of_the_issue_reaches_its_setting() {
    let desk = Desk::new();
    let flags = [
        ("--mode", "shadow", "MODE"),
        ("--timezone", "Asia/Tokyo", "TIMEZONE"),
        ("--currency", "USD", "CURRENCY"),
        ("--peak-hours", "9-11", "PEAK_HOURS"),
        ("--daily-cap", "11", "DAILY_CAP_TOTAL"),
        ("--delta-max", "0.2", "BUDGET_DELTA_MAX"),
        ("--canary-list", "One,Two", "CANARY_LIST"),
        ("--lambda-spend", "0.3", "LAMBDA_SPEND"),
        ("--daily-budget-target", "12", "DAILY_BUDGET_TARGET"),
        ("--lagrange-step", "0.07", "LAGRANGE_STEP"),
        ("--seed", "99", "SEED"),
    ];
    let mut command = with_file(&desk, "");
    for (flag, value, _) in flags {
        command.arg(format!("{flag}={value}"));
    }
    let json = run(&mut command).well().json();
    for (flag, value, name) in flags {
        assert_eq!(json["settings"][name], value, "{flag}");
    }
}

#[test]
fn paths_in_a_file_are_relative_to_it_and_others_to_the_working_directory() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("conf")).expect("makes a folder");
    desk.file("conf/daily.csv", &daily("In conf", "USD", "1.00"));
    desk.file("daily.csv", &daily("Here", "USD", "1.00"));
    let text = "INSIGHTS = [\"daily.csv\"]\nSTORE = \"kept.db\"\nREPORT = \"page.html\"";
    desk.file("conf/pilot.toml", text);
    let mut command = pilot();
    command
        .current_dir(desk.path(""))
        .args(["--config", "conf/pilot.toml", "--json"]);
    let json = run(&mut command).well().json();
    assert_eq!(json["kpis"]["ad_sets"][0][0]["ad_set"], "In conf");
    assert!(desk.path("conf/kept.db").exists() && desk.path("conf/page.html").exists());
    assert!(!desk.path("kept.db").exists() && !desk.path("page.html").exists());
    let json = run(command
        .env("INSIGHTS", "daily.csv")
        .env("REPORT", "page.html"))
    .well()
    .json();
    assert_eq!(json["kpis"]["ad_sets"][0][0]["ad_set"], "Here");
    assert!(desk.path("page.html").exists());
}

#[test]
fn memory_in_a_file_is_memory() {
    let desk = Desk::new();
    desk.file("daily.csv", &daily("One", "USD", "1.00"));
    desk.file(
        "pilot.toml",
        "STORE = \":memory:\"\nREPORT = \"none\"\nINSIGHTS = \"daily.csv\"",
    );
    let mut command = pilot();
    run(command
        .current_dir("/")
        .arg("--config")
        .arg(desk.path("pilot.toml")))
    .well();
    let mut names: Vec<_> = std::fs::read_dir(desk.path(""))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["daily.csv", "pilot.toml"], "nothing was kept");
}

#[test]
fn a_file_whose_name_has_a_comma_can_be_named() {
    let desk = Desk::new();
    desk.file("October, November.csv", &daily("One", "USD", "1.00"));
    let json = run(&mut desk.over(["October, November.csv"])).well().json();
    assert_eq!(json["inputs"][0]["name"], "October, November.csv");
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let desk = Desk::new();
    let close = [
        "\"DAILY_CAPS_TOTAL\"",
        "did you mean DAILY_CAP_TOTAL?",
        "gaelp-pilot settings",
    ];
    let ran = run(&mut with_file(&desk, "DAILY_CAPS_TOTAL = 20"));
    ran.refused(2, &[&close[..], &["pilot.toml"]].concat());
    let ran = run(with_file(&desk, "").args(["--set", "DAILY_CAPS_TOTAL=20"]));
    ran.refused(2, &[&close[..], &["on the command line"]].concat());
    run(with_file(&desk, "").args(["--set", "WEATHER=fine"])).refused(2, &["\"WEATHER\""]);
    run(with_file(&desk, "").args(["--set", "SEED"])).refused(2, &["\"SEED\"", "NAME=VALUE"]);
    run(with_file(&desk, "").arg("--frobnicate")).refused(2, &["--frobnicate"]);
}

#[test]
fn a_wrong_value_says_which_where_and_why() {
    let desk = Desk::new();
    let ran = run(&mut with_file(&desk, "SEED = \"seven\""));
    ran.refused(2, &["SEED is \"seven\"", "pilot.toml"]);
    let ran = run(with_file(&desk, "").env("SEED", "seven"));
    ran.refused(2, &["SEED is \"seven\"", "in the environment"]);
    let on_the_line = [
        ("--daily-cap=ten", "DAILY_CAP_TOTAL is \"ten\""),
        ("--delta-max=10%", "BUDGET_DELTA_MAX is \"10%\""),
        ("--lambda-spend=NaN", "LAMBDA_SPEND is \"NaN\""),
        ("--lagrange-step=1e-3", "LAGRANGE_STEP is \"1e-3\""),
        ("--mode=fly", "shadow or pilot is expected"),
        ("--timezone=Mars/Base", "TIMEZONE is \"Mars/Base\""),
        ("--currency=dollars", "three capital letters"),
        ("--peak-hours=25-30", "PEAK_HOURS is \"25-30\""),
        ("--seed=-1", "SEED is \"-1\""),
        ("--set=MULTIPLIERS=0.5,x", "MULTIPLIERS is \"0.5,x\""),
        (
            "--set=ROAS_WINDOW_HOURS=1.5",
            "ROAS_WINDOW_HOURS is \"1.5\"",
        ),
        ("--set=DATE_ORDER=sideways", "DATE_ORDER is \"sideways\""),
    ];
    for (flag, words) in on_the_line {
        run(with_file(&desk, "").arg(flag)).refused(2, &[words, "on the command line"]);
    }
}

#[test]
fn all_values_out_of_their_ranges_are_said_at_once() {
    let desk = Desk::new();
    let mut command = with_file(&desk, "");
    command.args([
        "--daily-cap=-5",
        "--delta-max=0",
        "--lambda-spend=-1",
        "--mode=pilot",
    ]);
    command.args([
        "--set",
        "MULTIPLIERS=0.5,0.5",
        "--set",
        "ADSET_MAX_HOURLY=0.10",
    ]);
    let names = [
        "daily_cap",
        "delta_max",
        "lambda_spend",
        "multipliers",
        "hourly_ceiling",
        "canary",
    ];
    run(&mut command).refused(2, &names);
}

#[test]
fn settings_are_checked_before_anything_is_made() {
    let desk = Desk::new();
    let mut command = pilot();
    command
        .current_dir(desk.path(""))
        .args(["--insights", "none-such.csv", "--daily-cap=-5"]);
    run(&mut command).refused(2, &["daily_cap"]);
    assert!(!desk.path("gaelp-pilot.db").exists(), "no store was made");
}

#[test]
fn settings_lists_every_setting_with_its_default() {
    let desk = Desk::new();
    let listed = run(pilot().arg("settings")).well().stdout;
    let lines: Vec<&str> = listed.lines().filter(|line| line.contains("  ")).collect();
    let listed = |name: &str| {
        lines
            .iter()
            .find(|line| line.starts_with(&format!("{name} ")))
    };
    let json = run(&mut with_file(&desk, "")).well().json();
    let in_force = json["settings"].as_object().expect("a table");
    assert!(in_force.len() > 30, "{in_force:?}");
    for (name, value) in in_force {
        let line = listed(name).unwrap_or_else(|| panic!("{name} is not listed"));
        let default = value.as_str().expect("a text");
        assert!(
            line.contains(if default.is_empty() { "-" } else { default }),
            "{line}"
        );
    }
    for (name, default) in [
        ("INSIGHTS", "-"),
        ("ORDERS", "-"),
        ("MAP", "-"),
        ("STORE", "gaelp-pilot.db"),
        ("REPORT", "gaelp-report.html"),
        ("DAILY_CAP_TOTAL", "10"),
        ("ADSET_MIN_HOURLY", "0.50"),
        ("ADSET_MAX_HOURLY", "2.00"),
        ("BUDGET_DELTA_MAX", "0.10"),
        ("PEAK_HOURS", "18-22"),
        ("FREEZE_IF_ROAS_LT", "1.5"),
    ] {
        let line = listed(name).unwrap_or_else(|| panic!("{name} is not listed"));
        assert_eq!(line.split_whitespace().nth(1), Some(default), "{line}");
    }
}

#[test]
fn help_documents_precedence_and_exit_codes() {
    let help = run(pilot().arg("--help")).well().stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("command line, the environment, a TOML file"),
        "{help}"
    );
    for code in [
        "0 done",
        "2 a wrong call",
        "3 a file",
        "4 the store",
        "5 an output",
    ] {
        assert!(words.contains(code), "{code:?} is not in: {help}");
    }
}
