//! Stores that are damaged, or not there.

use std::fs;
use std::path::Path;

use gaelp_market::Faults;
use serde_json::Value;

use super::{Scene, lines};
use crate::live_support::beside;

/// What is done to a store.
type Harm = fn(&Path);

fn flip(store: &Path) {
    let mut bytes = fs::read(store).expect("reads");
    for byte in &mut bytes[4_000..9_000] {
        *byte ^= 0x5a;
    }
    fs::write(store, bytes).expect("writes");
}

fn truncate(store: &Path) {
    let file = fs::OpenOptions::new()
        .write(true)
        .open(store)
        .expect("opens");
    let length = file.metadata().expect("has some").len();
    file.set_len(length / 2).expect("cuts");
}

fn overwrite(store: &Path) {
    fs::write(store, "this is no database").expect("writes");
}

fn lose_head(store: &Path) {
    fs::remove_file(beside(store, ".head")).expect("removes");
}

fn spoil_head(store: &Path) {
    let head = beside(store, ".head");
    let mut bytes = fs::read(&head).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(head, bytes).expect("writes");
}

/// The store as it was two hours before, with the head that came after.
fn put_back(store: &Path) {
    fs::copy(beside(store, ".copy"), store).expect("copies");
    for end in ["-wal", "-shm"] {
        drop(fs::remove_file(beside(store, end)));
    }
}

const HARMS: [(&str, Harm, bool); 6] = [
    ("flipped bytes", flip, false),
    ("half a file", truncate, false),
    ("another file", overwrite, false),
    ("no head", lose_head, true),
    ("a changed head", spoil_head, true),
    ("an older copy", put_back, true),
];

#[test]
fn a_damaged_store_is_named_is_not_used_and_can_be_killed() {
    for (name, harm, acceptable) in HARMS {
        let scene = Scene::new(10, Faults::none());
        let store = scene.store();
        scene.account.hours(3, &[]).well();
        checkpointed(store);
        fs::copy(store, beside(store, ".copy")).expect("copies");
        scene.account.hours(2, &[]).well();
        checkpointed(store);
        harm(store);
        let status = scene.tell("status", &[]);
        let code = status.code.expect("it ends by itself");
        assert!([3, 4].contains(&code), "{name}: {code} {}", status.stderr);
        // What was never a database of ours is not "damaged", but as unusable.
        assert!(
            code == 3 || name == "another file",
            "{name}: {}",
            status.stderr
        );
        let said = lines(&status).remove(0);
        assert!(
            !said["problems"].as_array().expect("a list").is_empty(),
            "{name}"
        );
        assert!(
            status.stderr.contains("live.db"),
            "{name}: {}",
            status.stderr
        );
        for command in ["pause", "resume"] {
            assert_eq!(
                scene.tell(command, &[]).code,
                Some(code),
                "{name}: {command}"
            );
        }
        let live = scene.account.hours(1, &[]);
        assert_eq!(live.code, Some(code), "{name}: {}", live.stderr);
        assert_eq!(
            scene.tell("rearm", &["--by", "ada"]).code,
            Some(code),
            "{name}"
        );
        let plain = scene.reach("reconcile", &[]);
        assert_eq!(plain.code, Some(code), "{name}: {}", plain.stderr);
        let tried = scene.client().audit().writes.len();

        let killed = scene.reach("kill", &["--by", "ada"]);
        assert_eq!(killed.code, Some(code), "{name}: {}", killed.stderr);
        let budgets = scene.client().budgets();
        for (ad_set, budget) in budgets {
            let least = if ["brand", "generic"].contains(&ad_set.as_str()) {
                10_000
            } else {
                1_000_000
            };
            assert_eq!(budget, least, "{name}: {ad_set}");
        }
        // Each write was in the kill file before it was sent, and what came of it after.
        let file = fs::read_to_string(scene.account.kill_file()).expect("reads");
        let written: Vec<Value> = file
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect();
        assert_eq!(written[0]["killed"]["by"], "ada");
        let audit = scene.client().audit();
        assert_eq!(audit.writes.len() - tried, 4);
        for write in &audit.writes[tried..] {
            let id = write.decision.to_string();
            let at = |kind: &str| {
                written
                    .iter()
                    .position(|line| line[kind]["id"] == id.as_str())
            };
            let (intent, outcome) = (at("intent"), at("outcome"));
            assert!(intent.is_some() && intent < outcome, "{name}: {file}");
        }

        let accepted = scene.reach("reconcile", &["--accept-ledger"]);
        if acceptable {
            let said = lines(&accepted.well());
            assert!(said[0]["accepted"].is_string(), "{name}: {said:?}");
            scene.tell("status", &[]).well();
            // The kill was not in the ledger; the file alone holds it, until it is lifted.
            let quiet = scene.account.hours(1, &[]).well();
            assert_eq!(quiet.steps()[0]["killed"], true, "{name}");
            scene.tell("rearm", &["--by", "ada"]).well();
            let awake = scene.account.hours(1, &[]).well();
            assert_eq!(awake.steps()[0]["killed"], false, "{name}");
        } else {
            assert_eq!(accepted.code, Some(code), "{name}: {}", accepted.stderr);
        }
    }
}

/// Brings everything into the database file itself.
fn checkpointed(store: &Path) {
    let connection = rusqlite::Connection::open(store).expect("opens");
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("checkpoints");
}

#[test]
fn without_a_store_there_is_nothing_to_tell_but_a_kill_works() {
    let scene = Scene::new(11, Faults::none());
    for command in ["pause", "resume", "status"] {
        let ran = scene.tell(command, &[]);
        assert_eq!(ran.code, Some(4), "{command}: {}", ran.stderr);
        assert!(ran.stderr.contains("there is no store"), "{}", ran.stderr);
    }
    assert_eq!(scene.tell("rearm", &["--by", "ada"]).code, Some(4));
    assert_eq!(scene.reach("reconcile", &[]).code, Some(4));
    assert!(!scene.store().exists(), "asking must not make one");
    let killed = scene.reach("kill", &[]);
    assert_eq!(killed.code, Some(4), "{}", killed.stderr);
    assert!(scene.account.kill_file().exists() && !scene.store().exists());
    let budgets: i64 = scene
        .client()
        .budgets()
        .iter()
        .map(|(_, budget)| budget)
        .sum();
    assert_eq!(budgets, 2 * 1_000_000 + 2 * 10_000);
    // A runner that starts now takes the kill over into its new ledger.
    let quiet = scene.account.hours(1, &[]).well();
    assert_eq!(quiet.steps()[0]["killed"], true);
}
