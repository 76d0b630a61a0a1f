//! Pilot mode, which rehearses writes on a platform in memory, beside shadow mode.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::program::{int, run, strings};
use crate::support::{Desk, assert_sound, content, count, counts, daily};

const CANARY: &str = "Lookalike buyers 2%";

/// The statuses that the JSON counts.
fn statuses(json: &Value) -> BTreeMap<String, i64> {
    let statuses = json["effect"]["statuses"].as_object().expect("a table");
    statuses
        .iter()
        .map(|(name, n)| (name.clone(), n.as_i64().expect("a count")))
        .collect()
}

const BY_STATUS: &str = "SELECT status, count(*) FROM actions_log GROUP BY 1";

#[test]
fn shadow_mode_writes_nothing() {
    let desk = Desk::new();
    let json = run(&mut desk.readme_run()).well().json();
    let store = desk.path("pilot.db");
    assert_eq!(json["mode"], "shadow");
    assert_eq!(statuses(&json), counts(&store, BY_STATUS));
    assert_eq!(statuses(&json).into_keys().collect::<Vec<_>>(), ["shadow"]);
    let sent = "SELECT count(*) FROM actions_log WHERE sent IS NOT NULL OR read_back IS NOT NULL";
    assert_eq!(count(&store, sent), 0);
    assert!(
        !strings(&json, "/limits")
            .iter()
            .any(|limit| limit.contains("rehearsal"))
    );
}

#[test]
fn pilot_mode_changes_the_listed_ad_sets_alone() {
    let desk = Desk::new();
    let pilot = || {
        let mut command = desk.readme_run();
        command.args(["--mode", "pilot", "--canary-list", CANARY]);
        command
    };
    let first = run(&mut pilot()).well();
    let json = first.json();
    let store = desk.path("pilot.db");
    assert_eq!(json["mode"], "pilot");
    assert!(
        strings(&json, "/limits")
            .iter()
            .any(|limit| limit.contains("rehearsal"))
    );

    let written = "SELECT adset_external_id, count(*) FROM actions_log \
                   WHERE sent IS NOT NULL OR status <> 'shadow' GROUP BY 1";
    let written = counts(&store, written);
    assert_eq!(written.keys().collect::<Vec<_>>(), [CANARY]);
    let all = "SELECT adset_external_id, count(*) FROM actions_log GROUP BY 1";
    assert_eq!(
        counts(&store, all).len(),
        4,
        "the others are decided on and logged all the same"
    );
    let applied = "SELECT count(*) FROM actions_log WHERE status = 'applied'";
    assert!(count(&store, applied) > 0);
    let unlike = "SELECT count(*) FROM actions_log WHERE status = 'applied' \
                  AND (sent IS NULL OR read_back IS NOT sent)";
    assert_eq!(
        count(&store, unlike),
        0,
        "what was applied was read back as it was sent"
    );
    assert_eq!(
        count(
            &store,
            "SELECT count(*) FROM actions_log WHERE status = 'pending'"
        ),
        0
    );

    // A decision has one status in the end, and is counted under it once.
    assert_eq!(statuses(&json), counts(&store, BY_STATUS));
    assert_eq!(
        statuses(&json).values().sum::<i64>(),
        int(&json, "/effect/decisions")
    );

    let kept = content(&store);
    assert_eq!(run(&mut pilot()).well().stdout, first.stdout);
    assert_eq!(content(&store), kept, "a second run changes nothing");
    assert_sound(&store);
}

#[test]
fn the_reports_of_a_rehearsal_are_those_of_the_files() {
    let desk = Desk::new();
    let shadow = run(&mut desk.readme_run()).well().json();
    let pilot = run(desk
        .readme_run()
        .args(["--mode", "pilot", "--canary-list", CANARY]));
    let pilot = pilot.well().json();
    assert_eq!(shadow["kpis"], pilot["kpis"]);
    assert_eq!(shadow["period"], pilot["period"]);
    assert_eq!(shadow["heatmap"], pilot["heatmap"]);
    assert_ne!(shadow["run"], pilot["run"]);
}

#[test]
fn pilot_mode_without_a_list_is_refused() {
    let desk = Desk::new();
    desk.file("daily.csv", &daily("One", "USD", "1.00"));
    for nobody in [&[][..], &["--canary-list", "none"], &["--canary-list", ""]] {
        let mut command = desk.over(["daily.csv"]);
        command.args(["--mode", "pilot"]).args(nobody);
        run(&mut command).refused(
            2,
            &["canary", "pilot mode changes only those that are named"],
        );
    }
}
