//! What is not taken: the exit code, the words, and that nothing is left behind.

use std::fs;

use crate::program::{int, pilot, run, strings};
use crate::support::{Desk, SAMPLES, content, count, daily, sample};

/// Columns of an hourly report of Meta Ads Manager, with one row.
fn hourly(ad_set: &str) -> String {
    format!(
        "Campaign name,Ad set name,Day,Time of day (ad account time zone),Impressions,Link clicks,\
         Amount spent (USD),Reporting starts,Reporting ends\n\
         Autumn,{ad_set},2026-10-12,09:00:00 - 09:59:59,8,0,0.07,2026-10-12,2026-10-12\n"
    )
}

/// A daily report in which a row stands twice.
fn doubled() -> String {
    let text = daily("One", "USD", "1.00");
    let row = text.lines().last().expect("a row").to_owned();
    format!("{text}{row}\n")
}

#[test]
fn files_that_cannot_be_taken_say_which_and_why() {
    let desk = Desk::new();
    desk.file("daily.csv", &daily("One", "USD", "1.00"));
    desk.file("euros.csv", &daily("Two", "EUR", "1.00"));
    desk.file("hourly.csv", &hourly("One"));
    desk.file("doubled.csv", &doubled());
    desk.file("negative.csv", &daily("One", "USD", "-1.00"));
    desk.file("nan.csv", &daily("One", "USD", "NaN"));
    desk.file(
        "viewer.csv",
        &hourly("One").replace("ad account", "viewer's"),
    );
    desk.file(
        "summed.csv",
        &hourly("One")
            .replace(",Day,", ",Week,")
            .replace("12\n", "18\n"),
    );
    desk.file(
        "cut.csv",
        daily("One", "USD", "1.00").trim_end_matches(",2026-10-12\n"),
    );
    desk.file(
        "narrow.csv",
        &format!("{}One,1\n", daily("One", "USD", "1.00")),
    );
    desk.file("empty.csv", "");
    desk.file("poem.csv", "roses,violets\nred,blue\n");
    let orders = sample("shopify_orders.csv");
    let orders = orders.to_str().expect("a path");
    let tiktok = sample("tiktok_hourly.csv");
    let tiktok = tiktok.to_str().expect("a path");

    let table: &[(&[&str], &[&str])] = &[
        (&["none-such.csv"], &["none-such.csv: No such file"]),
        (&["."], &["cannot be read", "directory"]),
        (
            &["daily.csv", "--orders", "none-such.csv"],
            &["none-such.csv: No such file"],
        ),
        (
            &["daily.csv", "--orders", "."],
            &["cannot be read", "directory"],
        ),
        (
            &["daily.csv", "--orders", "daily.csv"],
            &["daily.csv holds an ad platform's", "--insights"],
        ),
        (
            &[orders],
            &["shopify_orders.csv holds a shop's orders", "use --orders"],
        ),
        (
            &["hourly.csv", "daily.csv"],
            &["daily.csv is", "hourly.csv is", "hours and days"],
        ),
        (
            &["daily.csv", "euros.csv"],
            &["euros.csv is in EUR", "daily.csv in USD", "not convert"],
        ),
        (
            &["daily.csv", "--currency", "EUR"],
            &["daily.csv, line 1", "in USD, not in EUR"],
        ),
        (
            &[tiktok],
            &["no file states its currency", "--currency USD"],
        ),
        (
            &["doubled.csv"],
            &[
                "doubled.csv, line 3: a second row for meta/One",
                "remove one",
            ],
        ),
        (
            &["negative.csv"],
            &["negative.csv, line 2", "Amount spent (USD)", "below zero"],
        ),
        (
            &["nan.csv"],
            &["nan.csv, line 2", "Amount spent (USD)", "NaN"],
        ),
        (
            &["viewer.csv"],
            &["viewer.csv, line 1", "viewer's time zone"],
        ),
        (
            &["summed.csv"],
            &["summed.csv, line 2", "sums an hour", "\"Day\" breakdown"],
        ),
        (&["cut.csv"], &["cut.csv, line 2", "it was cut"]),
        (&["narrow.csv"], &["narrow.csv, line 3"]),
        (&["empty.csv"], &["empty.csv", "empty"]),
        (&["poem.csv"], &["poem.csv: this is no known export"]),
    ];
    for (arguments, words) in table {
        let ran = run(&mut desk.over(*arguments));
        assert_eq!(ran.code, Some(3), "{arguments:?}: {}", ran.stderr);
        ran.refused(3, words);
    }
}

#[test]
fn a_last_line_without_its_end_is_taken_with_a_note() {
    let desk = Desk::new();
    desk.file("open.csv", daily("One", "USD", "1.00").trim_end());
    let json = run(&mut desk.over(["open.csv"])).well().json();
    let notes = strings(&json, "/inputs/0/notes");
    assert!(
        notes.iter().any(|note| note.contains("line break")),
        "{notes:?}"
    );
}

#[test]
fn broken_maps_are_wrong_settings() {
    let desk = Desk::new();
    desk.file("daily.csv", &daily("One", "USD", "1.00"));
    desk.file("poor.toml", "platform = \"x\"");
    desk.file("broken.toml", "platform = ");
    desk.file(
        "elsewhere.toml",
        "platform = \"x\"\ngranularity = \"day\"\nspends = \"cost\"",
    );
    let table: &[(&[&str], &[&str])] = &[
        (
            &["--map", "poor.toml"],
            &["poor.toml", "`granularity`", "`ad_set`", "`spend`"],
        ),
        (&["--map", "broken.toml"], &["broken.toml", "line 1"]),
        (&["--map", "elsewhere.toml"], &["elsewhere.toml", "spends"]),
    ];
    for (arguments, words) in table {
        run(desk.over(["daily.csv"]).args(*arguments)).refused(2, words);
    }
    // One file's own map.
    run(&mut desk.over(["daily.csv@poor.toml"])).refused(2, &["poor.toml", "`granularity`"]);
}

#[test]
fn wrong_calls_are_refused() {
    let desk = Desk::new();
    run(pilot().current_dir(desk.path(""))).refused(2, &["nothing to read", "--insights FILE"]);
    run(pilot().args(["--config", "none-such.toml"])).refused(2, &["none-such.toml: No such file"]);
    let broken = desk.file("broken.toml", "SEED = ");
    run(pilot().arg("--config").arg(broken)).refused(2, &["broken.toml", "line 1"]);
    run(pilot().arg("sample")).refused(2, &["--out <DIR>"]);
    run(pilot().args(["settings", "--json"])).refused(2, &["--json"]);
    assert_eq!(
        fs::read_dir(desk.path("")).expect("a folder").count(),
        1,
        "nothing was made"
    );
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let desk = Desk::new();
    let one = desk.file("one.csv", &daily("One", "USD", "1.00"));
    let two = desk.file("two.csv", &daily("Two", "USD", "2.00"));
    // The first is found while files are checked, the second only while they are stored.
    for (name, text) in [
        ("negative.csv", daily("Three", "USD", "-1.00")),
        ("double.csv", doubled()),
    ] {
        let bad = desk.file(name, &text);
        let store = desk.path(&format!("{name}.db"));
        let batch = |last: &std::path::Path| {
            let mut command = pilot();
            command
                .args(["--report", "none", "--json", "--quiet", "--store"])
                .arg(&store);
            command.arg("--insights").args([one.as_path(), &two, last]);
            command.arg("--orders").arg(sample("shopify_orders.csv"));
            command
        };
        run(&mut batch(&bad)).refused(3, &[name]);
        for table in [
            "files",
            "metrics_hourly",
            "orders",
            "recordings",
            "actions_log",
            "runs",
        ] {
            let rows = count(&store, &format!("SELECT count(*) FROM {table}"));
            assert_eq!(rows, 0, "{table} after {name}");
        }
        // With the file put right, the same store takes the batch.
        let right = desk.file("right.csv", &daily("Three", "USD", "4.00"));
        let json = run(&mut batch(&right)).well().json();
        assert_eq!(int(&json, "/kpis/account/metrics/spend"), 7_000_000);
        // And a refusal leaves what is there as it is.
        let before = content(&store);
        run(&mut batch(&bad)).refused(3, &[name]);
        assert_eq!(content(&store), before);
    }
}

#[test]
fn a_store_that_is_none_of_ours_is_left_alone() {
    let desk = Desk::new();
    let daily = desk.file("daily.csv", &daily("One", "USD", "1.00"));
    let text = desk.file(
        "letter.txt",
        &"Dear Sir or Madam, this is not a database.\n".repeat(200),
    );
    let other = desk.path("other.db");
    let database = rusqlite::Connection::open(&other).expect("makes");
    database
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .expect("writes");
    drop(database);
    let table = [
        (text, "database"),
        (other, "database of another program"),
        (desk.path(""), "cannot open the database"),
        (desk.path("no/such/folder.db"), "cannot open the database"),
    ];
    for (store, words) in table {
        let before = fs::read(&store).ok();
        let mut command = pilot();
        command
            .arg("--insights")
            .arg(&daily)
            .arg("--store")
            .arg(&store);
        command.args(["--report", "none", "--json"]);
        run(&mut command).refused(4, &[words]);
        assert_eq!(fs::read(&store).ok(), before, "{}", store.display());
    }
}

#[test]
fn a_damaged_store_is_refused() {
    let desk = Desk::new();
    run(&mut desk.readme_run()).well();
    let store = desk.path("pilot.db");
    let mut bytes = fs::read(&store).expect("reads");
    let half = bytes.len() / 2;
    bytes[100..half].fill(0xa5);
    fs::write(&store, bytes).expect("writes");
    run(&mut desk.readme_run()).refused(4, &["database"]);
}

#[test]
fn a_report_that_cannot_be_written_costs_the_report_alone() {
    let desk = Desk::new();
    let unwritable = desk.path("no/such/folder.html");
    let mut command = pilot();
    command.args([
        "--config",
        &format!("{SAMPLES}/pilot.toml"),
        "--json",
        "--quiet",
    ]);
    command
        .arg("--store")
        .arg(desk.path("pilot.db"))
        .arg("--report")
        .arg(&unwritable);
    let ran = run(&mut command);
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    for words in ["folder.html", "the run itself is complete and in the store"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let before = content(&desk.path("pilot.db"));
    assert_eq!(before["actions_log"].0, 2_688, "the run is complete");
    run(&mut desk.readme_run()).well();
    assert_eq!(content(&desk.path("pilot.db")), before);
}
