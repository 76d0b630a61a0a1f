//! The log: what it looks like, that it can be followed, and that nothing else can.

use std::borrow::Borrow;

use gaelp_core::Micros;
use gaelp_ledger::{
    Answer, Book, ChainError, Change, Entry, EntryError, Epoch, GENESIS, Hash, Intent, MAX_AMOUNT,
    Observation, Order, PolicyHash, Sealed, Spent,
};

use crate::support::{Desk, applied, at, id, key, money, plain};

const NOON: i64 = 43_200;

fn empty() -> Book {
    Book::new(plain(10).validate().unwrap())
}

/// One entry of each kind, on top of each other.
fn entries() -> Vec<Entry> {
    let mut desk = Desk::new(plain(10), NOON, &[4]);
    let mut observation = desk.seen(NOON + 1, NOON + 1, &[4]);
    observation.known_good = vec![(key(0), money(3))];
    observation.spent = vec![Spent {
        key: key(0),
        date: at(0).date_naive(),
        upper: money(1),
    }];
    desk.admit(1, 0, 6, NOON + 2);
    let intent = desk.book.open(&key(0))[0].clone();
    let (budget, answer, by) = (money(4), applied(6), "ada".to_owned());
    vec![
        Entry::Taken {
            epoch: Epoch::new(1),
            runner: "eu-1".into(),
            at: at(NOON),
        },
        Entry::Observed {
            observation,
            changes: vec![Change::New {
                key: key(0),
                budget,
            }],
        },
        Entry::Admitted { intent },
        Entry::Answered {
            intent: id(1),
            answer,
            at: at(NOON + 3),
        },
        Entry::Ordered {
            order: Order::Kill,
            by,
            at: at(NOON + 4),
        },
    ]
}

/// The payloads of [`entries`], as they were when the format was laid down.
const GOLDEN: [&str; 5] = [
    r#"{"entry":"taken","epoch":1,"runner":"eu-1","at":"2026-11-22T12:00:00Z"}"#,
    concat!(
        r#"{"entry":"observed","observation":{"epoch":1,"at":"2026-11-22T12:00:01Z","#,
        r#""reads":[{"platform":"meta","began":"2026-11-22T12:00:01Z","budgets":[["a",4]]}],"#,
        r#""spent":[{"key":{"platform":"meta","ad_set":"a"},"date":"2026-11-22","upper":1}],"#,
        r#""known_good":[[{"platform":"meta","ad_set":"a"},3]]},"#,
        r#""changes":[{"change":"new","key":{"platform":"meta","ad_set":"a"},"budget":4}]}"#,
    ),
    concat!(
        r#"{"entry":"admitted","intent":{"id":"00000000000000000000000000000001","#,
        r#""key":{"platform":"meta","ad_set":"a"},"from":4,"to":6,"epoch":1,"#,
        r#""policy":"0707070707070707070707070707070707070707070707070707070707070707","#,
        r#""at":"2026-11-22T12:00:02Z","not_after":"2026-11-22T12:00:12Z"}}"#,
    ),
    concat!(
        r#"{"entry":"answered","intent":"00000000000000000000000000000001","#,
        r#""answer":{"is":"applied","daily_budget":6},"at":"2026-11-22T12:00:03Z"}"#,
    ),
    r#"{"entry":"ordered","order":"kill","by":"ada","at":"2026-11-22T12:00:04Z"}"#,
];

fn log() -> (Book, Vec<Sealed>) {
    let mut book = empty();
    let mut log = Vec::new();
    for entry in entries() {
        let sealed = book.seal(&entry).unwrap();
        book.follow(&sealed).unwrap();
        log.push(sealed);
    }
    (book, log)
}

#[test]
fn i9_the_format_is_the_one_laid_down() {
    assert_eq!(GENESIS.0, *blake3::hash(b"gaelp-ledger log 1").as_bytes());
    let (book, log) = log();
    let mut head = GENESIS.0;
    for (number, (sealed, payload)) in log.iter().zip(GOLDEN).enumerate() {
        let seq = number as u64 + 1;
        assert_eq!((sealed.seq, &*sealed.payload), (seq, payload));
        let text = [&head[..], &seq.to_le_bytes(), payload.as_bytes()].concat();
        head = *blake3::hash(&text).as_bytes();
        assert_eq!(sealed.hash, Hash(head));
    }
    assert_eq!((book.seq(), book.head()), (5, Hash(head)));
    assert_eq!(
        book.head().to_string(),
        blake3::Hash::from(head).to_hex().to_string()
    );
    assert_eq!(format!("{:?}", book.head()), book.head().to_string());
}

#[test]
fn i9_following_the_log_gives_the_same_book() {
    let (book, log) = log();
    let mut applied = empty();
    for entry in entries() {
        applied.apply(&entry).unwrap();
    }
    assert_eq!((applied.seq(), applied.head()), (0, GENESIS));
    let mut followed = empty();
    for (sealed, entry) in log.iter().zip(entries()) {
        followed.follow(sealed).unwrap();
        assert_eq!(
            serde_json::from_str::<Entry>(&sealed.payload).unwrap(),
            entry
        );
        assert_eq!(followed.last_at(), Some(entry.at()));
    }
    assert_eq!(followed, book);
    assert_eq!(format!("{followed:?}"), format!("{book:?}"));
    assert_eq!(applied.exposure(at(NOON + 5)), book.exposure(at(NOON + 5)));
    assert_eq!(book.limits(), &plain(10).validate().unwrap());
}

#[test]
fn i9_no_flipped_bit_is_followed() {
    let (_, log) = log();
    for place in 0..log.len() {
        let mut before = empty();
        for sealed in &log[..place] {
            before.follow(sealed).unwrap();
        }
        let sealed = &log[place];
        for byte in 0..sealed.payload.len() {
            for bit in 0..7 {
                let mut bytes = sealed.payload.clone().into_bytes();
                bytes[byte] ^= 1 << bit;
                let Ok(payload) = String::from_utf8(bytes) else {
                    continue;
                };
                let changed = Sealed {
                    payload,
                    ..sealed.clone()
                };
                refused(&before, &changed, &ChainError::Hash { seq: sealed.seq });
            }
        }
        for bit in 0..256 {
            let mut changed = sealed.clone();
            changed.hash.0[bit / 8] ^= 1 << (bit % 8);
            refused(&before, &changed, &ChainError::Hash { seq: sealed.seq });
        }
        for end in 0..sealed.payload.len() {
            let mut changed = sealed.clone();
            changed.payload.truncate(end);
            refused(&before, &changed, &ChainError::Hash { seq: sealed.seq });
            // Also where the hash was made to fit.
            changed.hash = before.head().then(changed.seq, &changed.payload);
            assert!(matches!(
                before.clone().follow(&changed),
                Err(ChainError::Payload { .. })
            ));
        }
    }
}

fn refused(before: &Book, sealed: &Sealed, error: &ChainError) {
    let mut book = before.clone();
    assert_eq!(book.follow(sealed), Err(error.clone()));
    assert_eq!(&book, before);
}

#[test]
fn i9_no_entry_is_left_out_doubled_or_moved() {
    let (_, log) = log();
    for (first, then) in [(0, 0), (0, 2), (1, 0), (4, 4)] {
        let mut book = empty();
        for sealed in &log[..first] {
            book.follow(sealed).unwrap();
        }
        let expected = first as u64 + 1;
        if then != first {
            let found = then as u64 + 1;
            refused(&book, &log[then], &ChainError::Gap { expected, found });
        }
        book.follow(&log[first]).unwrap();
        let error = ChainError::Gap {
            expected: expected + 1,
            found: expected,
        };
        refused(&book, &log[first], &error);
        let mut renumbered = log[first].clone();
        renumbered.seq += 1;
        refused(&book, &renumbered, &ChainError::Hash { seq: expected + 1 });
    }
}

#[test]
fn payloads_that_are_no_entries_are_refused_where_they_stop_making_sense() {
    let book = empty();
    for (payload, line, column) in [("", 1, 0), ("{}", 1, 2), ("[\n}", 2, 1)] {
        let sealed = Sealed {
            seq: 1,
            payload: payload.to_owned(),
            hash: GENESIS.then(1, payload),
        };
        let seq = 1;
        refused(&book, &sealed, &ChainError::Payload { seq, line, column });
    }
    let wrong = GOLDEN[0].replace("\"epoch\":1", "\"epoch\":2");
    let sealed = Sealed {
        seq: 1,
        hash: GENESIS.then(1, &wrong),
        payload: wrong,
    };
    let (current, found) = (Epoch::NONE, Epoch::new(2));
    let error = EntryError::Epoch { current, found };
    refused(&book, &sealed, &ChainError::Entry { seq: 1, error });
}

/// An entry that breaks a rule after some that do not.
fn breaks(after: usize, entry: impl Borrow<Entry>, error: &EntryError) {
    let entry = entry.borrow();
    let mut book = empty();
    for entry in &entries()[..after] {
        book.apply(entry).unwrap();
    }
    let before = book.clone();
    assert_eq!(book.apply(entry), Err(error.clone()), "{entry:?}");
    assert_eq!(book, before);
}

fn observed(change: impl FnOnce(&mut Observation, &mut Vec<Change>)) -> Entry {
    let Entry::Observed {
        mut observation,
        mut changes,
    } = entries().swap_remove(1)
    else {
        unreachable!("the second entry is an observation");
    };
    change(&mut observation, &mut changes);
    Entry::Observed {
        observation,
        changes,
    }
}

fn admitted(change: impl FnOnce(&mut Intent)) -> Entry {
    let Entry::Admitted { mut intent } = entries().swap_remove(2) else {
        unreachable!("the third entry is an intent");
    };
    change(&mut intent);
    Entry::Admitted { intent }
}

#[test]
fn entries_that_break_the_rules_are_refused() {
    let far = chrono::DateTime::from_timestamp(253_402_300_800, 0).unwrap();
    let calendar = EntryError::OutOfCalendar { at: far };
    let epoch = |current, found| EntryError::Epoch {
        current: Epoch::new(current),
        found: Epoch::new(found),
    };
    for found in [0, 1, 3] {
        let entry = Entry::Taken {
            epoch: Epoch::new(found),
            runner: "x".into(),
            at: at(NOON),
        };
        breaks(1, entry, &epoch(1, found));
    }
    let entry = Entry::Taken {
        epoch: Epoch::new(2),
        runner: "x".into(),
        at: far,
    };
    breaks(1, entry, &calendar);

    breaks(0, observed(|_, _| ()), &epoch(0, 1));
    breaks(
        0,
        observed(|seen, _| seen.epoch = Epoch::NONE),
        &epoch(0, 0),
    );
    breaks(
        1,
        observed(|seen, _| seen.epoch = Epoch::new(2)),
        &epoch(1, 2),
    );
    breaks(1, observed(|seen, _| seen.at = far), &calendar);
    let early = chrono::DateTime::from_timestamp(-1, 0).unwrap();
    let before = EntryError::OutOfCalendar { at: early };
    breaks(1, observed(|seen, _| seen.reads[0].began = early), &before);
    let future = observed(|seen, _| seen.reads[0].began = at(NOON + 9));
    breaks(1, future, &EntryError::Observation);
    for value in [money(-1), money(MAX_AMOUNT.get() + 1)] {
        let amount = EntryError::Amount { value };
        breaks(
            1,
            observed(|seen, _| seen.reads[0].budgets[0].1 = value),
            &amount,
        );
        breaks(1, observed(|seen, _| seen.spent[0].upper = value), &amount);
        breaks(1, observed(|seen, _| seen.known_good[0].1 = value), &amount);
        breaks(2, admitted(|intent| intent.to = value), &amount);
        let entry = Entry::Answered {
            intent: id(1),
            answer: applied(value.get()),
            at: at(NOON + 3),
        };
        breaks(3, entry, &amount);
    }
    let twice = observed(|seen, _| seen.spent.push(seen.spent[0].clone()));
    breaks(1, twice, &EntryError::Observation);
}

#[test]
fn intents_answers_and_orders_that_break_the_rules_are_refused() {
    let far = chrono::DateTime::from_timestamp(253_402_300_800, 0).unwrap();
    let calendar = EntryError::OutOfCalendar { at: far };
    let (current, found) = (Epoch::new(1), Epoch::new(2));
    breaks(1, admitted(|_| ()), &EntryError::Intent { intent: id(1) });
    breaks(
        2,
        admitted(|intent| intent.from = None),
        &EntryError::Intent { intent: id(1) },
    );
    breaks(
        2,
        admitted(|intent| intent.from = Some(money(5))),
        &EntryError::Intent { intent: id(1) },
    );
    breaks(
        2,
        admitted(|intent| intent.not_after = at(NOON + 1)),
        &EntryError::Intent { intent: id(1) },
    );
    breaks(2, admitted(|intent| intent.not_after = far), &calendar);
    breaks(
        2,
        admitted(|intent| intent.epoch = Epoch::new(2)),
        &EntryError::Epoch { current, found },
    );
    breaks(3, admitted(|_| ()), &EntryError::Known { intent: id(1) });
    let mut book = empty();
    for entry in &entries()[..2] {
        book.apply(entry).unwrap();
    }
    book.apply(&admitted(|intent| intent.not_after = intent.at))
        .unwrap();

    let unknown = EntryError::NotOpen { intent: id(2) };
    let answered = |number, answer| Entry::Answered {
        intent: id(number),
        answer,
        at: at(NOON + 5),
    };
    breaks(3, answered(2, Answer::Rejected), &unknown);
    breaks(
        4,
        answered(1, applied(6)),
        &EntryError::NotOpen { intent: id(1) },
    );

    for (order, by) in [
        (Order::Kill, "ada"),
        (Order::Rearm, " "),
        (Order::Resume, "ada"),
    ] {
        let (by, at) = (by.to_owned(), at(NOON + 5));
        breaks(5, Entry::Ordered { order, by, at }, &EntryError::Order);
    }
}

#[test]
fn changes_that_do_not_fit_are_refused() {
    let (first, second) = (key(0), key(1));
    let unfit = EntryError::Change { key: first.clone() };
    let with = |changes: Vec<Change>| {
        observed(|seen, all| {
            seen.at = at(NOON + 9);
            *all = changes;
        })
    };
    let (budget, from, to) = (money(6), money(4), money(5));
    let confirmed = |number, budget| Change::Confirmed {
        key: first.clone(),
        intent: id(number),
        budget,
    };
    let expired = |number, budget| Change::Expired {
        key: first.clone(),
        intent: id(number),
        budget,
        may_have_stood: true,
    };
    let external = |from, to| Change::External {
        key: first.clone(),
        from,
        to,
    };
    let gone = |from| Change::Gone {
        key: first.clone(),
        from,
    };
    let new = Change::New {
        key: first.clone(),
        budget,
    };
    for changes in [
        vec![confirmed(1, from)],
        vec![confirmed(2, budget)],
        vec![confirmed(1, budget), confirmed(1, budget)],
        vec![confirmed(1, budget), expired(1, budget)],
        vec![expired(1, from)],
        vec![expired(2, budget)],
        vec![external(to, from)],
        vec![external(from, from)],
        vec![external(from, to), external(from, to)],
        vec![gone(to)],
        vec![gone(from), gone(from)],
        vec![new.clone()],
    ] {
        breaks(3, with(changes), &unfit);
    }
    let foreign = Change::Gone {
        key: second.clone(),
        from,
    };
    breaks(3, with(vec![foreign]), &EntryError::Change { key: second });
    for changes in [
        vec![confirmed(1, budget)],
        vec![expired(1, budget), external(from, to)],
        vec![expired(1, budget), gone(from), new],
    ] {
        let mut book = empty();
        for entry in &entries()[..3] {
            book.apply(entry).unwrap();
        }
        book.apply(&with(changes)).unwrap();
        assert!(book.all_open().next().is_none());
    }
}

#[test]
fn a_log_can_be_followed_under_other_limits() {
    let (_, log) = log();
    let mut config = plain(1); // less than was admitted
    config.overdelivery.clear();
    let two = gaelp_core::Ratio::from_ppm(2_000_000);
    config
        .overdelivery
        .insert(gaelp_core::Platform::Google, two);
    let mut book = Book::new(config.validate().unwrap());
    for sealed in &log {
        book.follow(sealed).unwrap();
    }
    // A platform that the settings do not know is counted at the worst factor there is.
    assert_eq!(book.exposure(at(NOON + 5)), Micros::new(60));
    assert_eq!(book.ceiling(&key(0), at(NOON + 5)), Some(money(4)));
}

#[test]
fn policies_are_named_by_their_digest() {
    let hash = PolicyHash([0xab; 32]);
    assert_eq!(hash.to_string(), "ab".repeat(32));
    assert_eq!(format!("{hash:?}"), hash.to_string());
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(json, format!("\"{hash}\""));
    assert_eq!(serde_json::from_str::<PolicyHash>(&json).unwrap(), hash);
    for wrong in ["\"\"", "\"ab\"", "\"zz\"", "7"] {
        assert!(
            serde_json::from_str::<PolicyHash>(wrong).is_err(),
            "{wrong}"
        );
    }
}
