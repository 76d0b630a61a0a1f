//! The same input, configuration and seed give the same bytes, wherever and however often.

use std::fs;

use crate::program::{pilot, run};
use crate::support::{Desk, SAMPLES, assert_sound, content};

#[test]
fn a_second_run_gives_the_same_bytes_and_changes_nothing() {
    let desk = Desk::new();
    let (store, page) = (desk.path("pilot.db"), desk.path("report.html"));
    let first = run(&mut desk.readme_run()).well();
    let (kept, report) = (content(&store), fs::read(&page).expect("a report"));
    assert!(kept["actions_log"].0 > 0 && kept["metrics_hourly"].0 > 0 && kept["orders"].0 > 0);
    let second = run(&mut desk.readme_run()).well();
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(
        content(&store),
        kept,
        "what is in the store after a second run"
    );
    assert_eq!(fs::read(&page).expect("a report"), report);
    assert_sound(&store);
}

#[test]
fn a_fresh_store_and_no_store_give_the_same_bytes() {
    let (desk, other) = (Desk::new(), Desk::new());
    let first = run(&mut desk.readme_run()).well();
    let fresh = run(&mut other.readme_run()).well();
    assert_eq!(first.stdout, fresh.stdout);
    assert_eq!(
        content(&desk.path("pilot.db")),
        content(&other.path("pilot.db"))
    );
    let mut in_memory = pilot();
    in_memory.args([
        "--config",
        &format!("{SAMPLES}/pilot.toml"),
        "--json",
        "--quiet",
    ]);
    in_memory.args(["--store", ":memory:", "--report", "none"]);
    assert_eq!(first.stdout, run(&mut in_memory).well().stdout);
}

#[test]
fn another_working_directory_gives_the_same_bytes() {
    let desk = Desk::new();
    let absolute = run(desk.readme_run().current_dir("/")).well();
    let mut relative = pilot();
    relative
        .current_dir(SAMPLES)
        .args(["--config", "pilot.toml", "--json", "--quiet"]);
    relative.arg("--store").arg(desk.path("other.db"));
    relative.arg("--report").arg(desk.path("other.html"));
    assert_eq!(absolute.stdout, run(&mut relative).well().stdout);
    assert_eq!(
        content(&desk.path("pilot.db")),
        content(&desk.path("other.db"))
    );
    let page = |name| fs::read(desk.path(name)).expect("a report");
    assert_eq!(page("report.html"), page("other.html"));
}

#[test]
fn copies_of_the_files_elsewhere_give_the_same_bytes() {
    let desk = Desk::new();
    let original = run(&mut desk.readme_run()).well();
    for entry in fs::read_dir(SAMPLES).expect("the samples") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        fs::copy(entry.path(), desk.path(&name)).expect("copies");
    }
    let mut copied = desk.readme_run();
    copied.current_dir(desk.path("")).arg("--insights");
    copied.args(["meta_hourly.csv", "google_hourly.csv", "tiktok_hourly.csv"]);
    copied.args(["--orders", "shopify_orders.csv"]);
    assert_eq!(original.stdout, run(&mut copied).well().stdout);
}

#[test]
fn another_seed_decides_otherwise_and_is_kept_beside() {
    let desk = Desk::new();
    let seven = run(&mut desk.readme_run()).well();
    let before = content(&desk.path("pilot.db"));
    let eight = run(desk.readme_run().args(["--seed", "8"])).well();
    let (a, b) = (seven.json(), eight.json());
    assert_ne!(a["run"], b["run"]);
    assert_ne!(a["effect"], b["effect"]);
    assert_eq!(
        a["kpis"], b["kpis"],
        "what happened does not depend on the seed"
    );
    let after = content(&desk.path("pilot.db"));
    assert_eq!(after["actions_log"].0, 2 * before["actions_log"].0);
    assert_eq!(
        after["metrics_hourly"], before["metrics_hourly"],
        "files are kept once"
    );
    assert_eq!(after["orders"], before["orders"]);
    // The first run is still the first run.
    assert_eq!(run(&mut desk.readme_run()).well().stdout, seven.stdout);
    assert_eq!(content(&desk.path("pilot.db")), after);
}

#[test]
fn a_file_that_is_named_twice_counts_once() {
    let desk = Desk::new();
    let meta = format!("{SAMPLES}/meta_hourly.csv");
    let once = run(&mut desk.over([&meta])).well().json();
    let twice = run(&mut desk.over([&meta, &meta])).well().json();
    assert_eq!(once["kpis"], twice["kpis"]);
    assert_eq!(once["effect"], twice["effect"]);
}
