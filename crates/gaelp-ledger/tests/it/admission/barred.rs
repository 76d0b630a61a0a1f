//! What bars raises, and whom: orders, epochs, clocks, what is not reconciled.

use gaelp_core::{Platform, Ratio};
use gaelp_ledger::{Epoch, Order, Refusal, Reply, Request};

use super::NOON;
use crate::support::{Desk, at, id, key, money, plain};

/// What bars raises.
type Bar<'a> = &'a dyn Fn(&mut Desk);

#[test]
fn i6_decreases_pass_where_raises_do_not() {
    let killed = |desk: &mut Desk| drop(desk.order(Order::Kill, NOON + 2));
    let paused = |desk: &mut Desk| drop(desk.order(Order::Pause, NOON + 2));
    let unread = |desk: &mut Desk| desk.take(NOON + 2);
    let open = |desk: &mut Desk| desk.admit(9, 0, 4, NOON + 2);
    let behind = |desk: &mut Desk| drop(desk.order(Order::Pause, NOON + 100));
    let cases: [(&str, Bar<'_>); 5] = [
        ("killed", &killed),
        ("paused", &paused),
        ("unread", &unread),
        ("open", &open),
        ("behind", &behind),
    ];
    for (name, bar) in cases {
        let mut desk = Desk::new(plain(10), NOON, &[4, 3]);
        bar(&mut desk);
        if name == "behind" {
            desk.order(Order::Resume, NOON + 100);
        }
        let expected = match name {
            "killed" => Refusal::Killed,
            "paused" => Refusal::Paused,
            "unread" => Refusal::Unreconciled,
            "open" => Refusal::Open { intent: id(9) },
            _ => Refusal::Clock {
                at: at(NOON + 5),
                last: at(NOON + 100),
            },
        };
        let barred = desk.book.raise_barred(&key(0), at(NOON + 5));
        assert_eq!(barred, Some(expected.clone()), "{name}");
        assert_eq!(
            desk.book.ceiling(&key(0), at(NOON + 5)),
            Some(money(4)),
            "{name}"
        );
        assert_eq!(desk.refused(1, 0, 5, NOON + 5), expected, "{name}");
        desk.admit(1, 0, 3, NOON + 5);
        desk.admit(2, 0, 3, NOON + 5);
        desk.admit(3, 0, 0, NOON + 5);
        // Above the lowest that may stand it is a raise, though it is below what is confirmed.
        desk.propose(4, 0, 1, NOON + 5);
        assert_eq!(desk.open(0), if name == "open" { 4 } else { 3 }, "{name}");
    }
    let desk = Desk::new(plain(10), NOON, &[4, 3]);
    assert_eq!(desk.book.raise_barred(&key(0), at(NOON + 5)), None);
    let unknown = Refusal::UnknownAdSet { key: key(2) };
    assert_eq!(desk.book.raise_barred(&key(2), at(NOON + 5)), Some(unknown));
}

#[test]
fn i6_another_ad_sets_open_intent_bars_nothing() {
    let mut desk = Desk::new(plain(10), NOON, &[4, 3]);
    desk.admit(1, 0, 5, NOON + 2);
    desk.admit(2, 1, 4, NOON + 2);
    assert_eq!(desk.exposure(NOON + 2), 9);
}

#[test]
fn i6_the_clock_may_run_back_by_the_skew() {
    let mut desk = Desk::new(plain(10), NOON, &[4]);
    desk.order(Order::Pause, NOON + 50);
    desk.order(Order::Resume, NOON + 50);
    let (now, last) = (at(NOON + 19), at(NOON + 50));
    assert_eq!(
        desk.refused(1, 0, 5, NOON + 19),
        Refusal::Clock { at: now, last }
    );
    desk.admit(1, 0, 5, NOON + 20);
    // What counts is the last entry, so that one wrong clock does not stop all others for long.
    assert_eq!(desk.book.last_at(), Some(at(NOON + 20)));
}

#[test]
fn i6_every_platform_must_be_read_in_the_epoch() {
    let config = plain(100).with_platform(Platform::Google, Ratio::ONE);
    let mut desk = Desk::new(config, NOON, &[4]);
    assert!(desk.book.reconciled());
    let mut seen = desk.seen(NOON + 2, NOON + 2, &[4]);
    seen.reads[0].platform = Platform::Google;
    desk.tell(seen.clone());
    assert!(desk.book.reconciled());
    desk.take(NOON + 10);
    assert!(!desk.book.reconciled());
    let read = |desk: &mut Desk, platform: Platform, began| {
        let mut seen = desk.seen(NOON + 25, began, &[4]);
        seen.reads[0].platform = platform;
        desk.tell(seen);
    };
    read(&mut desk, Platform::Meta, NOON + 10);
    assert!(!desk.book.reconciled());
    read(&mut desk, Platform::Google, NOON + 9); // began before the takeover
    assert!(!desk.book.reconciled());
    read(&mut desk, Platform::Google, NOON + 10);
    assert!(desk.book.reconciled());
    desk.admit(1, 0, 5, NOON + 21);
    // An intent of an earlier epoch bars the raises of all ad sets.
    desk.take(NOON + 22);
    read(&mut desk, Platform::Meta, NOON + 22);
    read(&mut desk, Platform::Google, NOON + 22);
    assert!(!desk.book.reconciled());
    desk.answer(1, gaelp_ledger::Answer::Rejected, NOON + 23);
    assert!(desk.book.reconciled());
}

#[test]
fn i5_only_the_current_epoch_may_propose_and_observe() {
    let mut desk = Desk::new(plain(10), NOON, &[4]);
    desk.take(NOON + 2);
    desk.look(NOON + 3, &[4]);
    let current = Epoch::new(2);
    assert_eq!(desk.book.epoch(), current);
    for wrong in [0, 1, 3] {
        desk.epoch = Epoch::new(wrong);
        assert_eq!(desk.refused(1, 0, 1, NOON + 4), Refusal::Fenced { current });
        let seen = desk.seen(NOON + 4, NOON + 4, &[4]);
        let reply = desk.book.execute(&Request::Observe(seen));
        assert_eq!(reply, Reply::Refused(Refusal::Fenced { current }));
    }
    desk.epoch = current;
    desk.admit(1, 0, 1, NOON + 4);
}

#[test]
fn i5_before_anybody_took_over_nobody_may() {
    let mut desk = Desk {
        book: gaelp_ledger::Book::new(plain(10).validate().unwrap()),
        epoch: Epoch::NONE,
    };
    let current = Epoch::NONE;
    assert!(!desk.book.reconciled());
    assert_eq!(desk.refused(1, 0, 1, NOON), Refusal::Fenced { current });
    let seen = desk.seen(NOON, NOON, &[4]);
    let reply = desk.book.execute(&Request::Observe(seen));
    assert_eq!(reply, Reply::Refused(Refusal::Fenced { current }));
    assert_eq!(Epoch::new(u64::MAX).next(), None);
    assert_eq!(
        (Epoch::new(7).get(), Epoch::new(7).to_string()),
        (7, "7".to_owned())
    );
}

#[test]
fn i7_a_kill_latches_until_somebody_rearms_it_by_name() {
    let mut desk = Desk::new(plain(10), NOON, &[4]);
    assert_eq!(desk.order(Order::Kill, NOON + 2), Reply::Ordered);
    for order in [Order::Resume, Order::Pause, Order::Kill] {
        assert_eq!(desk.order(order, NOON + 3), Reply::Ordered);
        assert!(desk.book.operator().killed, "{order:?}");
    }
    desk.take(NOON + 4);
    desk.look(NOON + 5, &[4]);
    assert_eq!(desk.refused(1, 0, 5, NOON + 6), Refusal::Killed);
    let nameless = Request::Order {
        order: Order::Rearm,
        by: " \t".into(),
        at: at(NOON + 7),
    };
    assert_eq!(
        desk.book.execute(&nameless),
        Reply::Refused(Refusal::Nameless)
    );
    assert!(desk.book.operator().killed);
    desk.order(Order::Rearm, NOON + 8);
    assert!(!desk.book.operator().killed && desk.book.operator().paused);
    assert_eq!(desk.refused(1, 0, 5, NOON + 9), Refusal::Paused);
    // Everybody may stop it without a name.
    for order in [Order::Resume, Order::Kill] {
        let by = String::new();
        let at = at(NOON + 9);
        assert_eq!(
            desk.book.execute(&Request::Order { order, by, at }),
            Reply::Ordered
        );
    }
    assert!(desk.book.operator().killed && !desk.book.operator().paused);
}

#[test]
fn i7_orders_are_taken_down_once() {
    let desk = Desk::new(plain(10), NOON, &[4]);
    for (order, entries) in [
        (Order::Kill, 1),
        (Order::Rearm, 0),
        (Order::Pause, 1),
        (Order::Resume, 0),
    ] {
        let (by, at) = ("ada".to_owned(), at(NOON));
        let (log, reply) = desk.book.decide(&Request::Order { order, by, at }).unwrap();
        assert_eq!((log.len(), reply), (entries, Reply::Ordered), "{order:?}");
    }
}
