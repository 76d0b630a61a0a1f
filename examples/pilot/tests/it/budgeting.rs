//! Budgets that are planned as a whole: what the report, the JSON and the store say of the plans.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::program::{int, run};
use crate::support::{Desk, count};

/// The plans that a run left in its store, in order.
fn stored(desk: &Desk) -> Vec<Value> {
    let store = Connection::open(desk.path("pilot.db")).expect("the store");
    let mut statement = store
        .prepare("SELECT plan_json FROM plans ORDER BY ts")
        .expect("a table of plans");
    let rows = statement.query_map([], |row| row.get::<_, String>(0));
    let rows = rows.expect("rows").map(|text| text.expect("a text"));
    rows.map(|text| serde_json::from_str(&text).expect("JSON"))
        .collect()
}

#[test]
fn what_is_told_of_the_plans_is_what_the_store_has() {
    let desk = Desk::new();
    let ran = run(desk.readme_run().args(["--budgeting", "paced"])).well();
    let json = ran.json();
    assert_eq!(json["settings"]["BUDGETING"], "paced");
    let plans = stored(&desk);
    let steps = int(&json, "/period/hours");
    assert_eq!(i64::try_from(plans.len()).expect("few"), steps);
    let outcomes = |name: &str| {
        let of = plans
            .iter()
            .filter(|plan| plan["outcome"].get(name).is_some());
        i64::try_from(of.count()).expect("few")
    };
    assert_eq!(int(&json, "/plan/planned"), outcomes("planned"));
    assert_eq!(int(&json, "/plan/infeasible"), outcomes("infeasible"));
    assert!(outcomes("planned") > steps / 2, "{json}");

    // Every plan has its proof.
    for plan in &plans {
        if let Some(proof) = plan["outcome"].get("planned") {
            let figure = |name: &str| proof[name].as_f64().expect("a number");
            assert!(figure("gap").abs() <= 1e-9, "{proof}");
            assert!(figure("best_move") <= 0.0, "{proof}");
        }
    }

    // The days' allowances and λ, summed from the store.
    let days = json["plan"]["days"].as_array().expect("days");
    let told: i64 = days.iter().map(|day| int(day, "/allowance")).sum();
    let kept = "SELECT sum(allowance) FROM plans";
    assert_eq!(told, count(&desk.path("pilot.db"), kept));
    let lambdas: Vec<f64> = plans
        .iter()
        .map(|plan| plan["pace"]["lambda"].as_f64().expect("λ"))
        .collect();
    let most = lambdas.iter().copied().fold(0.0, f64::max);
    let told = days
        .iter()
        .map(|day| day["most_lambda"].as_f64().expect("λ"));
    assert!((told.fold(0.0, f64::max) - most).abs() < 1e-9);

    // The last plan is the last one, and what was allowed of it stands in the log.
    let (last, of) = (&json["plan"]["last"], plans.last().expect("plans"));
    assert_eq!(last["allowance"], of["pace"]["allowance"]);
    assert_eq!(
        last["ad_sets"].as_array().map(Vec::len),
        of["arms"].as_array().map(Vec::len)
    );
    let told = last["ad_sets"].as_array().expect("ad sets");
    let allowed: i64 = told.iter().map(|ad_set| int(ad_set, "/allowed")).sum();
    let guarded =
        "SELECT sum(guarded) FROM actions_log WHERE ts = (SELECT max(ts) FROM actions_log)";
    assert_eq!(allowed, count(&desk.path("pilot.db"), guarded));

    let page = fs::read_to_string(desk.path("report.html")).expect("a report");
    assert!(page.contains("The last plan, and its proof"));
    assert!(page.contains("the duality gap is"));
}

#[test]
fn each_ad_set_by_itself_leaves_no_plans() {
    let desk = Desk::new();
    let json = run(desk.readme_run().args(["--budgeting", "classic"]))
        .well()
        .json();
    assert!(json.get("plan").is_none());
    assert_eq!(stored(&desk).len(), 0);
    let page = fs::read_to_string(desk.path("report.html")).expect("a report");
    assert!(!page.contains("The last plan, and its proof"));
}

#[test]
fn the_rule_that_sets_lambda_is_a_setting() {
    let lambda = |rule: &str| {
        let desk = Desk::new();
        let mut command = desk.readme_run();
        command.args(["--budgeting", "paced", "--set"]);
        let json = run(command.arg(format!("PACING_RULE={rule}")))
            .well()
            .json();
        json["plan"]["last"]["lambda"].as_f64().expect("λ")
    };
    assert!((lambda("fixed") - 0.2).abs() < 1e-9);
    assert!((lambda("guide") - lambda("pid")).abs() > 1e-6);
    let desk = Desk::new();
    for (arguments, said) in [
        (["--budgeting", "cautious"], "classic or paced is expected"),
        (["--set", "PACING_RULE=magic"], "PACING_RULE is \"magic\""),
    ] {
        run(desk.readme_run().args(arguments)).refused(2, &[said]);
    }
}
