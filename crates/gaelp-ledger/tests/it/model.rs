//! The protocol, explored exhaustively within bounds.
//!
//! The whole of it takes a few minutes of one core; a small `GAELP_CASES` leaves the smallest worlds,
//! and `cargo test --release -p gaelp-ledger -- --ignored` explores larger ones.

use std::collections::BTreeMap;

use stateright::{Checker, Model, Path};

use crate::protocol::{ALL, Bounds, I1_BOOK, I1_TRUTH, I2, I5, Protocol, Weakness};
use crate::support::cases;

/// Two runners, two ad sets, every budget: the old day's last second and the new one's first two.
const WORLD: Bounds = Bounds {
    live: [1, 0],
    time: (-1, 1),
    lifetime: 1,
    send_within: 0,
    read_backs: 1,
    proposals: ALL,
    intents: 2,
    takes: 1,
    crashes: 0,
    orders: 0,
    stale_reads: true,
    rejections: true,
    timeouts: false,
    weakness: Weakness::None,
};

/// Worlds that are explored in a second or two.
const SMALL: [Bounds; 2] = [
    Bounds {
        takes: 0,
        orders: 1,
        stale_reads: false,
        ..WORLD
    },
    Bounds {
        intents: 1,
        crashes: 1,
        stale_reads: false,
        timeouts: true,
        ..WORLD
    },
];

const WHOLE: [Bounds; 4] = [
    WORLD,
    // Killed and rearmed, paused and resumed, with decreases that overlap.
    Bounds {
        takes: 0,
        orders: 2,
        ..WORLD
    },
    Bounds {
        intents: 1,
        crashes: 1,
        orders: 1,
        timeouts: true,
        ..WORLD
    },
    Bounds {
        intents: 1,
        takes: 2,
        crashes: 1,
        ..WORLD
    },
];

const LARGE: [Bounds; 4] = [
    Bounds {
        time: (-1, 2),
        ..WORLD
    },
    Bounds {
        takes: 0,
        intents: 3,
        ..WORLD
    },
    Bounds {
        takes: 0,
        read_backs: 2,
        time: (-1, 3),
        ..WORLD
    },
    Bounds {
        crashes: 1,
        ..WORLD
    },
];

type Counts = BTreeMap<&'static str, u64>;

/// Every state of some worlds: how many there are, and how often what happened on the way.
fn explore(worlds: &[Bounds]) -> (usize, Counts) {
    let (mut states, mut counts) = (0, Counts::new());
    for &bounds in worlds {
        let model = Protocol::new(bounds);
        let seen = model.clone();
        let checker = model.checker().spawn_dfs().join();
        println!("{} states of {bounds:?}", checker.unique_state_count());
        for name in [I1_TRUTH, I1_BOOK, I2, I5] {
            let way = checker.discovery(name).map(Path::into_actions);
            assert_eq!(way, None, "{name} does not hold");
        }
        assert!(checker.is_done());
        states += checker.unique_state_count();
        for (name, times) in seen.seen() {
            *counts.entry(name).or_default() += times;
        }
    }
    println!("{states} states in all: {counts:#?}");
    (states, counts)
}

fn must_have_occurred(counts: &Counts, names: &[&'static str]) {
    for name in names {
        assert!(counts.contains_key(name), "{name} never occurred");
    }
}

const ALWAYS: [&str; 20] = [
    "tick",
    "take",
    "crash",
    "propose",
    "send",
    "drop",
    "arrive",
    "reject",
    "time out",
    "hear",
    "order",
    "confirmed",
    "expired",
    "raise admitted",
    "decrease admitted",
    "refused: fenced",
    "refused: killed",
    "refused: paused",
    "refused: unreconciled",
    "refused: headroom",
];

#[test]
fn i1_i2_i5_hold_in_every_state() {
    let (states, counts) = explore(&SMALL);
    assert!(states > 100_000, "{states}");
    must_have_occurred(&counts, &ALWAYS);
    if cases(1_000_000) < 1_000_000 {
        return;
    }
    let (states, counts) = explore(&WHOLE);
    assert!(states >= 2_000_000, "{states}");
    must_have_occurred(&counts, &ALWAYS);
    let more = [
        "read",
        "tell",
        "expired, and may have stood",
        "overlapping decrease admitted",
        "decrease admitted when killed",
        "refused: open",
    ];
    must_have_occurred(&counts, &more);
}

#[test]
#[ignore = "takes tens of minutes"]
fn i1_i2_i5_hold_in_every_state_of_large_worlds() {
    explore(&LARGE);
}
