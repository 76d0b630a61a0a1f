//! Rules from files: those in force, and those on trial.

use assert_cmd::Command;
use rusqlite::Connection;
use serde_json::Value;

use crate::program::{int, run};
use crate::support::Desk;

/// The README's run with files of rules.
fn with(desk: &Desk, rules: Option<&str>, candidate: Option<&str>) -> Command {
    let mut command = desk.readme_run();
    for (setting, name, text) in [
        ("RULES", "rules.toml", rules),
        ("CANDIDATE", "candidate.toml", candidate),
    ] {
        if let Some(text) = text {
            let path = desk.file(name, text);
            command
                .arg("--set")
                .arg(format!("{setting}={}", path.display()));
        }
    }
    command
}

/// How often a rule objected.
fn objections(json: &Value, rule: &str) -> i64 {
    let all = json["guardrails"]["objections"].as_array().expect("a list");
    let found = all.iter().find(|pair| pair[0] == rule);
    found.map_or(0, |pair| pair[1].as_i64().expect("a count"))
}

#[test]
fn rules_of_a_file_are_in_force() {
    let desk = Desk::new();
    let plain = run(&mut desk.readme_run()).well().json();
    let rules = "blocked = [\"Broad US 25-54\"]\n\
                 restricted_hours = \"0-24\"\n\
                 platform_daily_caps = { google = 0.25 }\n\
                 observe = [\"freeze_roas\"]\n";
    let ruled = run(&mut with(&desk, Some(rules), None)).well().json();
    for rule in ["blocked", "restricted_hours", "platform_daily_cap"] {
        assert_eq!(objections(&plain, rule), 0, "{rule}");
        assert!(objections(&ruled, rule) > 0, "{rule}");
    }
    assert_eq!(int(&ruled, "/effect/raised"), 0, "no hour is left for it");
    // What is only observed no longer objects, and is told.
    assert!(objections(&plain, "freeze_roas") > 0);
    assert_eq!(objections(&ruled, "freeze_roas"), 0);
    assert_eq!(ruled["guardrails"]["observed"][0][0], "freeze_roas");
    assert!(plain["guardrails"].get("observed").is_none());
    // What the file says is among the settings, and where it lies is not.
    let said = ruled["settings"]["RULES"].as_str().expect("a text");
    assert!(
        said.contains("platform_daily_caps = {\"google\":250000}"),
        "{said}"
    );
    assert!(!said.contains(".toml"), "{said}");
    assert_ne!(plain["run"], ruled["run"]);
}

#[test]
fn a_candidate_is_judged_beside_and_changes_nothing() {
    let desk = Desk::new();
    let alone = run(&mut desk.readme_run()).well().json();
    let candidate = "hourly_ceiling = 0.05\nfreeze_roas_below = \"none\"\n";
    let tried = run(&mut with(&desk, None, Some(candidate))).well();
    let json = tried.json();
    for part in [
        "effect",
        "guardrails",
        "days",
        "ad_sets",
        "kpis",
        "learning",
    ] {
        assert_eq!(alone[part], json[part], "{part}");
    }
    assert!(alone.get("candidate").is_none());
    let decisions = int(&json, "/effect/decisions");
    assert_eq!(int(&json, "/candidate/decisions"), decisions);
    assert!(int(&json, "/candidate/less") > 0);
    assert!(int(&json, "/candidate/would_allow") < int(&json, "/candidate/allowed"));
    assert!(int(&json, "/candidate/would_allow") <= 50_000);
    let rows = json["candidate"]["objections"].as_array().expect("a list");
    let of = |rule: &str| {
        let row = rows.iter().find(|row| row[0] == rule).expect("it objected");
        (
            row[1].as_i64().expect("a count"),
            row[2].as_i64().expect("a count"),
        )
    };
    assert_eq!(of("freeze_roas").1, 0, "it is switched off on trial");
    assert_eq!(of("freeze_roas").0, objections(&alone, "freeze_roas"));
    assert!(of("hourly_ceiling").1 > of("hourly_ceiling").0);

    // Summed anew from what the store kept.
    let store = Connection::open(desk.path("pilot.db")).expect("the store");
    let mut statement = store
        .prepare(
            "SELECT a.guarded, t.guarded FROM trials t JOIN actions_log a \
             ON a.run = t.run AND a.decision_id = t.decision_id",
        )
        .expect("tables of trials and actions");
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .expect("rows");
    let (mut number, mut less, mut more) = (0, 0, 0);
    for row in rows {
        let (allowed, would) = row.expect("a row");
        number += 1;
        less += i64::from(would < allowed);
        more += i64::from(would > allowed);
    }
    assert_eq!(number, decisions);
    assert_eq!(less, int(&json, "/candidate/less"));
    assert_eq!(more, int(&json, "/candidate/more"));

    // The page says it too, and a second run the same.
    let page = std::fs::read_to_string(desk.path("report.html")).expect("a report");
    assert!(page.contains("A policy on trial"));
    let again = run(&mut with(&desk, None, Some(candidate))).well();
    assert_eq!(again.stdout, tried.stdout);
}

#[test]
fn what_a_file_of_rules_cannot_say_is_named() {
    let desk = Desk::new();
    let cases = [
        (
            "campain_daily_cap = \"5\"",
            "campain_daily_cap: unknown field",
        ),
        (
            "campaign_daily_cap = true",
            "campaign_daily_cap: \"true\" is no decimal number",
        ),
        (
            "hourly_raise_caps = { account = \"1,5\" }",
            "hourly_raise_caps: \"1,5\" is no decimal number",
        ),
        ("spike_min_weeks = 1.5", "spike_min_weeks: invalid type"),
        (
            "daily_cap = 20",
            "daily_cap: it has a setting of its own, DAILY_CAP_TOTAL",
        ),
        ("restricted_hours = \"22\"", "restricted_hours: "),
        ("campaign_daily_cap = ", "rules.toml"),
        // What can be said and cannot be.
        ("campaign_daily_cap = -1", "campaign_daily_cap is -1.00"),
        ("observe = [\"kill_switch\"]", "kill_switch"),
    ];
    for (text, words) in cases {
        let ran = run(&mut with(&desk, Some(text), None));
        ran.refused(2, &[words]);
    }
    // A candidate may say what has a setting; it is checked like the rules in force.
    let ran = run(&mut with(&desk, None, Some("daily_cap = -20")));
    ran.refused(2, &["candidate", "daily_cap"]);
    let mut command = desk.readme_run();
    command.args(["--set", "RULES=nowhere.toml"]);
    run(&mut command).refused(2, &["nowhere.toml"]);
}
