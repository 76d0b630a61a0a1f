//! The pilot on a running platform, with the commands that people give it meanwhile.

mod damage;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use gaelp_market::{Fate, Faults};
use serde_json::Value;

use crate::live_support::{Account, Client, Market, Running};
use crate::program::{Ran, run};
use crate::support::{Desk, assert_sound, count};

/// A market, and a store of a test's own.
struct Scene {
    desk: Desk,
    market: Market,
    account: Account,
}

impl Scene {
    fn new(seed: u64, faults: Faults) -> Self {
        let (desk, market) = (Desk::new(), Market::new(seed, faults));
        let account = Account {
            store: desk.path("live.db"),
            platform: market.address,
        };
        Self {
            desk,
            market,
            account,
        }
    }

    fn client(&self) -> Client {
        self.market.client()
    }

    /// A command that knows the store alone.
    fn tell(&self, name: &str, arguments: &[&str]) -> Ran {
        run(&mut self.account.command(name, arguments).into())
    }

    /// A command that also knows the platform.
    fn reach(&self, name: &str, arguments: &[&str]) -> Ran {
        run(&mut self.account.reaching(name, arguments).into())
    }

    fn store(&self) -> &Path {
        &self.account.store
    }
}

/// The documents on the lines of a run.
fn lines(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a document"))
        .collect()
}

/// The writes that a step sent, as pairs of a budget before and the one sent.
fn raises(steps: &[&Value]) -> usize {
    let decided = steps
        .iter()
        .flat_map(|step| step["decided"].as_array().expect("a list"));
    let raised = |decided: &&Value| {
        let current = decided["current"].as_i64().expect("an amount") * 24;
        decided["sent"].as_i64().is_some_and(|sent| sent > current)
            && decided["status"] == "applied"
    };
    decided.filter(raised).count()
}

#[test]
fn it_decides_hour_by_hour_and_writes_through_the_ledger() {
    let scene = Scene::new(1, Faults::none());
    let ran = scene.account.hours(30, &[]).well();
    assert_eq!(ran.lines[0]["step"], "reconciled");
    assert_eq!(ran.lines[0]["epoch"], 1);
    let steps = ran.steps();
    assert_eq!(steps.len(), 30);
    for (step, hour) in steps.iter().zip(0..) {
        let expected = format!("2026-03-{:02}T{:02}:00:00Z", 2 + hour / 24, hour % 24);
        assert_eq!(step["hour"], expected);
        assert!(step["exposure"].as_i64() <= step["cap"].as_i64(), "{step}");
        assert!(
            step["alerts"].as_array().is_some_and(Vec::is_empty),
            "{step}"
        );
    }
    let audit = scene.client().audit();
    assert!(audit.writes.len() >= 10, "{}", audit.writes.len());
    assert!(audit.writes.iter().all(|write| write.fate == Fate::Applied));
    assert!(
        audit.largest_worst.get() <= 40_000_000,
        "{}",
        audit.largest_worst
    );
    // What was said is what the platform saw, in its order.
    let said: Vec<String> = steps
        .iter()
        .flat_map(|step| step["decided"].as_array().expect("a list"))
        .filter(|decided| decided["status"] == "applied")
        .map(|decided| decided["id"].as_str().expect("an id").to_owned())
        .collect();
    let seen: BTreeSet<String> = audit
        .writes
        .iter()
        .map(|write| write.decision.to_string())
        .collect();
    assert_eq!(said.iter().cloned().collect::<BTreeSet<_>>(), seen);
    let admitted = "SELECT count(*) FROM ledger WHERE payload LIKE '{\"entry\":\"admitted\"%'";
    assert_eq!(
        count(scene.store(), admitted),
        i64::try_from(seen.len()).expect("few")
    );
    assert_eq!(
        count(scene.store(), "SELECT count(*) FROM actions_log"),
        30 * 4
    );
    assert_sound(scene.store());
}

#[test]
fn shadow_mode_decides_the_same_way_and_writes_nothing() {
    let scene = Scene::new(1, Faults::none());
    let ran = scene.account.hours(12, &["--set", "MODE=shadow"]).well();
    assert_eq!(ran.steps().len(), 12);
    let audit = scene.client().audit();
    assert_eq!(audit.writes.len(), 0);
    assert_eq!(count(scene.store(), "SELECT count(*) FROM ledger"), 0);
    let shadow = "SELECT count(*) FROM actions_log WHERE status = 'shadow' AND sent IS NULL";
    assert_eq!(count(scene.store(), shadow), 12 * 4);
}

#[test]
fn a_restart_goes_on_where_the_last_process_stopped() {
    let scene = Scene::new(2, Faults::none());
    let first = scene.account.hours(5, &[]).well();
    let second = scene.account.hours(5, &["--set", "SEED=9"]).well();
    let hours: Vec<&Value> = first
        .steps()
        .into_iter()
        .chain(second.steps())
        .map(|step| &step["hour"])
        .collect();
    let distinct: BTreeSet<&str> = hours.iter().filter_map(|hour| hour.as_str()).collect();
    assert_eq!(distinct.len(), 10, "{hours:?}");
    assert_eq!(second.lines[0]["epoch"], 2);
    assert_eq!(count(scene.store(), "SELECT count(*) FROM runs"), 1);
    assert_eq!(
        count(scene.store(), "SELECT count(*) FROM actions_log"),
        10 * 4
    );
    // Under another name, another run; the ledger is the account's.
    let other = scene.account.hours(1, &["--run-name", "other"]).well();
    assert_eq!(other.lines[0]["epoch"], 3);
    assert_eq!(count(scene.store(), "SELECT count(*) FROM runs"), 2);
    // Hours that passed while nobody ran are not decided.
    scene.client().advance(5 * 3600);
    let late = scene.account.hours(1, &[]).well();
    assert_eq!(late.steps()[0]["hour"], "2026-03-02T16:00:00Z");
}

#[test]
fn a_pause_holds_raises_until_it_is_ended() {
    let scene = Scene::new(3, Faults::none());
    scene.account.hours(1, &[]).well();
    let paused = scene.tell("pause", &["--by", "ada"]).well();
    assert_eq!(lines(&paused)[0]["paused"], true);
    let quiet = scene.account.hours(26, &[]).well();
    assert!(quiet.steps().iter().all(|step| step["paused"] == true));
    assert_eq!(raises(&quiet.steps()), 0);
    let status = lines(&scene.tell("status", &[]).well()).remove(0);
    assert_eq!(status["ledger"]["paused"], true);
    let resumed = scene.tell("resume", &[]).well();
    assert_eq!(lines(&resumed)[0]["paused"], false);
    let going = scene.account.hours(26, &[]).well();
    assert!(going.steps().iter().all(|step| step["paused"] == false));
    assert!(
        raises(&going.steps()) > 0,
        "the pause must not have been the only quiet"
    );
    let who = "SELECT count(*) FROM ledger WHERE payload LIKE '%\"order\":\"pause\"%ada at %'";
    assert_eq!(count(scene.store(), who), 1);
}

/// Lets a live process run until it has said so many lines, with time passing.
fn running(scene: &Scene, said: usize) -> Running {
    let mut running = Running::start(scene.account.reaching("live", &[]));
    let mut client = scene.client();
    for _ in 0..said {
        let line = running.line().expect("it runs");
        if line["step"] == "hour" {
            client.advance(3600);
        }
    }
    running
}

/// A live process that has decided an hour and waits for the next.
fn idle(scene: &Scene) -> Running {
    let mut running = Running::start(scene.account.reaching("live", &[]));
    while running.line().expect("it runs")["step"] != "hour" {}
    running
}

/// The lines until one fits; time passes meanwhile.
fn until(scene: &Scene, running: &mut Running, fits: impl Fn(&Value) -> bool) -> Value {
    let mut client = scene.client();
    for _ in 0..50 {
        let line = running.line().expect("it runs");
        if fits(&line) {
            return line;
        }
        if line["step"] == "hour" {
            client.advance(3600);
        }
    }
    panic!("fifty lines did not fit");
}

#[test]
fn orders_are_heard_while_another_process_runs() {
    let scene = Scene::new(4, Faults::none());
    let mut live = running(&scene, 3);
    scene.tell("pause", &[]).well();
    until(&scene, &mut live, |line| line["paused"] == true);
    scene.client().advance(3600);
    scene.tell("resume", &[]).well();
    until(&scene, &mut live, |line| line["paused"] == false);
    // A kill without the platform: the runner goes on, and raises nothing.
    scene.client().advance(3600);
    scene.tell("kill", &["--by", "ada"]).well();
    assert!(scene.account.kill_file().exists());
    until(&scene, &mut live, |line| line["killed"] == true);
    let status = lines(&scene.tell("status", &[]).well()).remove(0);
    assert_eq!(status["ledger"]["killed"], true);
    assert!(
        status["kill_file"]
            .as_str()
            .is_some_and(|path| path.ends_with("live.db.kill"))
    );
    scene.client().advance(3600);
    scene.tell("rearm", &["--by", "ada"]).well();
    assert!(!scene.account.kill_file().exists());
    until(&scene, &mut live, |line| line["killed"] == false);
}

#[test]
fn a_kill_lowers_every_budget_and_fences_whoever_runs() {
    for faults in [Faults::none(), Faults::rough()] {
        let scene = Scene::new(5, faults);
        scene.account.hours(20, &[]);
        let live = idle(&scene);
        let mut client = scene.client();
        let (before, tried) = (client.budgets(), client.audit().writes.len());
        let mut killed = scene.reach("kill", &["--by", "ada"]);
        // On a rough network a kill may have to be given again; it says so.
        for _ in 0..10 {
            if killed.code == Some(0) {
                break;
            }
            assert_eq!(killed.code, Some(1), "{}", killed.stderr);
            assert!(killed.stderr.contains("could not be lowered; kill again"));
            client.advance(3600);
            killed = scene.reach("kill", &["--by", "ada"]);
        }
        let said = lines(&killed.well());
        client.advance(3600);
        let (code, stderr) = live.end();
        assert_eq!(code, Some(7), "{stderr}");
        assert!(
            stderr.contains("another runner took the spend ledger over"),
            "{stderr}"
        );
        // Whoever sent it: nothing that came in since was a raise, but for what was under way.
        let writes = client.audit().writes;
        assert!(
            writes.len() > tried,
            "a kill that sends nothing shows nothing"
        );
        for write in &writes[tried..] {
            let raised = write.before.is_some_and(|before| write.to > before);
            assert!(!raised || write.fate == Fate::Arrived, "{write:?}");
        }
        let after = client.budgets();
        for ((name, before), (same, after)) in before.iter().zip(&after) {
            assert_eq!(name, same);
            assert!(
                after <= before,
                "{name} was raised from {before} to {after}"
            );
            let line = said
                .iter()
                .find(|line| line["key"]["ad_set"] == name.as_str());
            let line = line.expect("each ad set is named");
            assert!(*after <= line["to"].as_i64().expect("an amount"), "{line}");
            // The cap's equal share, at ω of 1.75 or 2.
            assert!(*after <= 40_000_000 / 4 * 100 / 175, "{name}: {after}");
        }
        // Who starts again is killed too, and raises nothing.
        let quiet = scene.account.hours(3, &[]).well();
        assert!(
            quiet.steps().iter().all(|step| step["killed"] == true),
            "{:?}",
            quiet.lines
        );
        assert_eq!(raises(&quiet.steps()), 0);
        let rearmed = lines(&scene.tell("rearm", &["--by", "grace"]).well()).remove(0);
        assert_eq!(rearmed["killed"], false);
        let aside = rearmed["lifted"].as_str().expect("a path");
        assert!(
            fs::read_to_string(aside)
                .expect("is kept")
                .contains("\"by\":\"ada\"")
        );
        let awake = scene.account.hours(1, &[]).well();
        assert!(awake.steps().iter().all(|step| step["killed"] == false));
    }
}

#[test]
fn the_kill_file_alone_stops_raises() {
    let scene = Scene::new(3, Faults::none());
    scene.account.hours(2, &[]).well();
    fs::write(scene.account.kill_file(), "").expect("writes");
    let quiet = scene.account.hours(26, &[]).well();
    assert_eq!(raises(&quiet.steps()), 0);
    assert!(quiet.steps().iter().all(|step| step["killed"] == true));
    // In shadow mode there is nothing to stop, but it decides as if.
    let mut shadow = scene
        .account
        .hours(2, &["--set", "MODE=shadow", "--run-name", "s"]);
    shadow = shadow.well();
    let levels: BTreeSet<&str> = shadow
        .steps()
        .iter()
        .flat_map(|step| step["decided"].as_array().expect("a list"))
        .filter_map(|decided| decided["level"].as_str())
        .collect();
    assert_eq!(levels, BTreeSet::from(["kill"]));
}

#[test]
fn rules_of_a_file_look_at_what_the_platform_tells() {
    let scene = Scene::new(9, Faults::none());
    let rules = "blocked_audiences = [\"visitors\"]\n\
                 hourly_raise_caps = { campaign = 0.01 }\n";
    let rules = format!("RULES={}", scene.desk.file("rules.toml", rules).display());
    let ran = scene.account.hours(48, &["--set", &rules]).well();
    let decided: Vec<&Value> = ran
        .steps()
        .into_iter()
        .flat_map(|step| step["decided"].as_array().expect("a list"))
        .collect();
    let says = |decided: &Value, rule: &str| {
        let reasons = decided["reasons"].as_array().expect("a list");
        let mut reasons = reasons.iter().filter_map(Value::as_str);
        reasons.any(|reason| reason.contains(rule))
    };
    let of_visitors = |decided: &&&Value| decided["key"]["ad_set"] == "retargeting";
    assert!(
        decided
            .iter()
            .filter(of_visitors)
            .all(|d| says(d, "blocked_audience"))
    );
    assert!(
        decided
            .iter()
            .filter(of_visitors)
            .all(|d| d["sent"].is_null())
    );
    let others = decided.iter().filter(|d| !of_visitors(d));
    assert!(others.clone().all(|d| !says(d, "blocked_audience")));
    // A campaign's raises of an hour are a cent together.
    let raised = |step: &&Value, campaign: [&str; 2]| {
        let decided = step["decided"].as_array().expect("a list").iter();
        let of = decided.filter(|d| campaign.contains(&d["key"]["ad_set"].as_str().unwrap_or("")));
        let by =
            |d: &Value| d["allowed"].as_i64().unwrap_or(0) - d["current"].as_i64().unwrap_or(0);
        of.map(|d| by(d).max(0)).sum::<i64>()
    };
    let most = ran
        .steps()
        .iter()
        .map(|step| raised(step, ["brand", "generic"]))
        .max();
    assert!(
        most.is_some_and(|most| (1..=10_000).contains(&most)),
        "{most:?}"
    );
    assert!(others.clone().any(|d| says(d, "campaign_raises")));
}

#[test]
fn the_last_runner_holds_the_ledger() {
    let scene = Scene::new(6, Faults::none());
    let mut first = running(&scene, 2);
    let second = scene.account.hours(3, &[]).well();
    assert_eq!(second.lines[0]["epoch"], 2);
    // It finds out with its next hour.
    let mut client = scene.client();
    while first.line_or(|| client.advance(3600)).is_some() {}
    let (code, stderr) = first.end();
    assert_eq!(code, Some(7), "{stderr}");
    let audit = scene.client().audit();
    assert!(audit.largest_worst.get() <= 40_000_000);
}

#[test]
fn a_signal_ends_it_after_the_step() {
    for signal in ["-TERM", "-INT"] {
        let scene = Scene::new(7, Faults::none());
        let live = running(&scene, 3);
        let id = live.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &id])
            .status();
        assert!(sent.expect("the shell's kill").success());
        let (code, stderr) = live.end();
        assert_eq!(code, Some(0), "{stderr}");
        let next = scene.account.hours(1, &[]).well();
        assert_eq!(next.lines[0]["step"], "reconciled");
    }
}

#[test]
fn reconciling_settles_what_a_rough_network_left_open() {
    let scene = Scene::new(8, Faults::rough());
    let (mut settled, mut opened) = (BTreeSet::new(), 0);
    for _ in 0..12 {
        // It may end with an order that is not answered, but not otherwise.
        scene.account.hours(4, &[]).well();
        let ran = scene.reach("reconcile", &[]).well();
        let said = lines(&ran);
        opened += said.iter().filter(|line| line["fate"] == "open").count();
        // With the time that requests may be under way, everything settles.
        let waiting = Running::start(scene.account.reaching("reconcile", &["--wait"]));
        let mut client = scene.client();
        let done = std::sync::atomic::AtomicBool::new(false);
        let said = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    client.advance(600);
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
            });
            let mut waiting = waiting;
            let mut said = Vec::new();
            while let Some(line) = waiting.line() {
                said.push(line);
            }
            let (code, stderr) = waiting.end();
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            assert_eq!(code, Some(0), "{stderr}");
            said
        });
        for line in &said {
            settled.extend(line["fate"].as_str().map(str::to_owned));
        }
        let summary = said.last().expect("a summary");
        assert_eq!(
            (&summary["open"], &summary["reconciled"]),
            (&0.into(), &true.into())
        );
    }
    // Which fates occur depends on what the network does to few writes.
    assert!(
        opened > 0 || !settled.is_empty(),
        "nothing was ever open or settled"
    );
    assert!(scene.client().audit().largest_worst.get() <= 40_000_000);
}

#[test]
fn somebody_elses_change_is_adopted_and_said() {
    let scene = Scene::new(9, Faults::none());
    scene.account.hours(2, &[]).well();
    // What the last hour wrote is confirmed first; until then it explains any budget.
    scene.client().advance(60);
    scene.reach("reconcile", &[]).well();
    scene.client().advance(60);
    let edit = serde_json::json!({"ask": "edit", "platform": "google", "ad_set": "brand",
        "daily_budget": 1_230_000});
    assert_eq!(scene.client().ask(&edit)["answer"], "done");
    let said = lines(&scene.reach("reconcile", &[]).well());
    let external = said.iter().find(|line| line["change"] == "external");
    let external = external.expect("it is said");
    assert_eq!(external["key"]["ad_set"], "brand");
    assert_eq!(external["to"], 1_230_000);
    let status = lines(&scene.tell("status", &[]).well()).remove(0);
    let ad_sets = status["ledger"]["ad_sets"].as_array().expect("a list");
    let brand = ad_sets.iter().find(|line| line["key"]["ad_set"] == "brand");
    assert_eq!(brand.expect("is known")["confirmed"], 1_230_000);
}

#[test]
fn status_says_in_words_where_everything_stands() {
    let scene = Scene::new(1, Faults::none());
    scene.account.hours(8, &[]).well();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gaelp-pilot"));
    command
        .env_clear()
        .args(["status", "--config", crate::live_support::CONFIG]);
    command.arg("--store").arg(scene.store());
    let said = run(&mut command.into()).well().stdout;
    for words in [
        "epoch 1",
        "exposure: ",
        " of 40",
        "meta/prospecting",
        "decided up to 2026-03-02 08",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let status = lines(&scene.tell("status", &[]).well()).remove(0);
    let as_of = status["ledger"]["as_of"].as_str().expect("a time");
    let as_of: DateTime<Utc> = as_of.parse().expect("a time");
    assert!(as_of <= scene.client().now());
    assert_eq!(status["decided_to"], "2026-03-02T08:00:00Z");
    assert_eq!(status["problems"], serde_json::json!([]));
}

#[test]
fn wrong_calls_say_what_where_and_what_to_do() {
    let scene = Scene::new(12, Faults::none());
    let zone = scene.reach("live", &["--set", "TIMEZONE=America/New_York"]);
    zone.refused(
        2,
        &[
            "has an account on",
            "in UTC",
            "TIMEZONE is America/New_York",
        ],
    );
    let nobody = scene.reach("live", &["--set", "CANARY_LIST=none"]);
    nobody.refused(
        2,
        &["canary", "pilot mode changes only those that are named"],
    );
    let nowhere = Account {
        store: ":memory:".into(),
        ..scene.account.clone()
    };
    let memory = run(&mut nowhere.reaching("live", &[]).into());
    memory.refused(2, &["must be kept", "--store PATH"]);
    scene.tell("rearm", &[]).refused(2, &["--by <NAME>"]);
    scene.tell("reconcile", &[]).refused(2, &["--platform-at"]);
    scene
        .tell("live", &["--platform-at", "nowhere"])
        .refused(2, &["--platform-at"]);
    let gone = scene.tell("live", &["--platform-at", "127.0.0.1:9"]);
    gone.refused(6, &["127.0.0.1:9", "cannot be reached"]);
    assert!(!scene.store().exists(), "a refused call makes nothing");
    // Settings that cannot be read do not keep anyone from stopping.
    let broken = scene
        .desk
        .file("broken.toml", "DAILY_CAP_TOTAL = \"ten\"\nNONSENSE = 1\n");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gaelp-pilot"));
    command.env_clear().arg("kill").arg("--config").arg(broken);
    command.arg("--store").arg(scene.store());
    let killed = run(&mut command.into());
    assert_eq!(killed.code, Some(2), "{}", killed.stderr);
    assert!(
        killed.stdout.contains("raises are forbidden by"),
        "{}",
        killed.stdout
    );
    assert!(scene.account.kill_file().exists());
}

#[test]
fn a_platform_that_goes_away_ends_it_when_patience_is_over() {
    let scene = Scene::new(13, Faults::none());
    let mut command = scene.account.reaching("live", &["--patience-ms", "300"]);
    command.args(["--timeout-ms", "500"]);
    let mut live = Running::start(command);
    assert_eq!(live.line().expect("it runs")["step"], "reconciled");
    assert_eq!(live.line().expect("it runs")["step"], "hour");
    let Scene { market, desk, .. } = scene;
    drop(market);
    let (code, stderr) = live.end();
    assert_eq!(code, Some(6), "{stderr}");
    drop(desk);
}
