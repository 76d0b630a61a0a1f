//! What is admitted, what is refused, and why; each bound to the micro and to the second.

use gaelp_core::{AccountZone, AdSetKey, Micros, Platform, Ratio};
use gaelp_ledger::{Epoch, LedgerConfig, MAX_AMOUNT, Order, Refusal, Reply, Request, Spent, What};

use crate::support::{Desk, applied, at, id, key, money, plain};

/// Noon: far from any midnight.
const NOON: i64 = 43_200;

#[test]
fn i1_a_raise_is_admitted_up_to_the_micro_that_the_cap_leaves() {
    let mut desk = Desk::new(plain(10), NOON, &[4, 3]);
    assert_eq!(desk.exposure(NOON + 2), 7);
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 2)), Some(money(7)));
    let refusal = desk.refused(1, 0, 8, NOON + 2);
    let (exposure, cap, most) = (money(11), money(10), money(7));
    assert_eq!(
        refusal,
        Refusal::Headroom {
            exposure,
            cap,
            most
        }
    );
    desk.admit(1, 0, 7, NOON + 2);
    assert_eq!(desk.exposure(NOON + 2), 10);
    assert_eq!(desk.book.ceiling(&key(1), at(NOON + 2)), Some(money(3)));
    let refusal = desk.refused(2, 1, 4, NOON + 2);
    let (exposure, most) = (money(11), money(3));
    assert_eq!(
        refusal,
        Refusal::Headroom {
            exposure,
            cap,
            most
        }
    );
}

#[test]
fn i1_overdelivery_is_rounded_up_and_the_ceiling_follows() {
    // 1.5 × 3 = 4.5, which is 5; 1.5 × 4 = 6.
    let config = LedgerConfig::new(AccountZone::UTC, money(5))
        .with_platform(Platform::Meta, Ratio::from_ppm(1_500_000));
    let mut desk = Desk::new(config, NOON, &[1]);
    assert_eq!(desk.exposure(NOON + 2), 2);
    assert_eq!(desk.book.exposure_of(&key(0), at(NOON + 2)), money(2));
    assert_eq!(desk.book.exposure_of(&key(1), at(NOON + 2)), Micros::ZERO);
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 2)), Some(money(3)));
    let refusal = desk.refused(1, 0, 4, NOON + 2);
    let (exposure, cap, most) = (money(6), money(5), money(3));
    assert_eq!(
        refusal,
        Refusal::Headroom {
            exposure,
            cap,
            most
        }
    );
    desk.admit(1, 0, 3, NOON + 2);
    assert_eq!(desk.exposure(NOON + 2), 5);
}

#[test]
fn i1_over_the_cap_nothing_is_raised_even_where_it_costs_nothing_more() {
    let mut desk = Desk::new(plain(10), NOON, &[8, 4]);
    desk.admit(1, 0, 2, NOON + 2);
    desk.answer(1, applied(2), NOON + 3);
    desk.look(NOON + 4, &[2, 4]);
    // The day's highest budgets stay 8 and 4.
    assert_eq!(desk.exposure(NOON + 5), 12);
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 5)), Some(money(2)));
    let refusal = desk.refused(2, 0, 3, NOON + 5);
    let (exposure, cap, most) = (money(12), money(10), money(2));
    assert_eq!(
        refusal,
        Refusal::Headroom {
            exposure,
            cap,
            most
        }
    );
}

#[test]
fn i1_a_raise_below_the_days_highest_budget_costs_nothing() {
    let mut desk = Desk::new(plain(10), NOON, &[6, 4]);
    desk.admit(1, 0, 2, NOON + 2);
    desk.answer(1, applied(2), NOON + 3);
    desk.look(NOON + 4, &[2, 4]);
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 5)), Some(money(6)));
    desk.admit(2, 0, 6, NOON + 5);
    assert_eq!(desk.exposure(NOON + 5), 10);
}

#[test]
fn i1_spend_counts_where_it_is_more() {
    let mut desk = Desk::new(plain(10), NOON, &[4, 3]);
    let mut seen = desk.seen(NOON + 2, NOON + 2, &[4, 3]);
    let date = at(NOON).date_naive();
    let spent = |ad_set, upper| Spent {
        key: key(ad_set),
        date,
        upper: money(upper),
    };
    seen.spent = vec![spent(0, 6), spent(1, 2)];
    desk.tell(seen.clone());
    assert_eq!(desk.exposure(NOON + 3), 9);
    // Up to 7 the raise costs at most one more than what is spent already.
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 3)), Some(money(7)));
    let standings: Vec<_> = desk.book.lines(at(NOON + 3)).map(|(_, s)| s).collect();
    assert_eq!(standings[0].spent, money(6));
    assert_eq!(
        (standings[1].spent, standings[1].high),
        (money(2), money(3))
    );
    // The newest figure counts; an ad set that is not listed still costs what it cost.
    seen.spent = vec![spent(0, 5), spent(2, 1)];
    seen.at = at(NOON + 4);
    desk.tell(seen);
    assert_eq!(desk.exposure(NOON + 4), 9);
    assert_eq!(desk.confirmed(2), None);
    assert_eq!(
        desk.refused(1, 2, 0, NOON + 5),
        Refusal::UnknownAdSet { key: key(2) }
    );
    assert_eq!(desk.book.ceiling(&key(2), at(NOON + 5)), None);
}

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

#[test]
fn a_write_must_be_sent_in_time() {
    let mut desk = Desk::new(plain(10), NOON, &[4]);
    let mut proposal = desk.proposal(1, 0, 1, NOON + 2);
    proposal.not_after = at(NOON + 1);
    let reply = desk.book.execute(&Request::Admit(proposal.clone()));
    let not_after = at(NOON + 1);
    assert_eq!(reply, Reply::Refused(Refusal::TooLate { not_after }));
    proposal.not_after = at(NOON + 2);
    let reply = desk.book.execute(&Request::Admit(proposal.clone()));
    let Reply::Admitted(intent) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (intent.id, intent.to, intent.from),
        (id(1), money(1), Some(money(4)))
    );
    assert_eq!((intent.at, intent.not_after), (at(NOON + 2), at(NOON + 2)));
    assert_eq!(
        (intent.epoch, intent.policy, &intent.key),
        (desk.epoch, proposal.policy, &key(0))
    );
    assert_eq!(desk.book.open(&key(0)), [&intent]);
    assert_eq!(desk.book.all_open().collect::<Vec<_>>(), [&intent]);
}

#[test]
fn i3_no_decision_is_admitted_twice() {
    let mut desk = Desk::new(plain(10), NOON, &[4, 3]);
    desk.admit(1, 0, 3, NOON + 2);
    let known = Refusal::Known { intent: id(1) };
    assert_eq!(desk.refused(1, 0, 3, NOON + 2), known);
    assert_eq!(desk.refused(1, 1, 2, NOON + 2), known);
    desk.answer(1, gaelp_ledger::Answer::Rejected, NOON + 3);
    assert_eq!(desk.open(0), 0);
    assert_eq!(desk.refused(1, 0, 3, NOON + 4), known);
}

#[test]
fn i3_the_last_sixty_four_of_an_ad_set_are_remembered() {
    let mut desk = Desk::new(plain(10), NOON, &[4, 3]);
    for number in 0..65 {
        desk.admit(number, 0, 3, NOON + 2);
        desk.answer(number, gaelp_ledger::Answer::Rejected, NOON + 2);
        let first = desk.answer(0, gaelp_ledger::Answer::Rejected, NOON + 2);
        let remembered = first == Reply::Answered;
        assert_eq!(remembered, number < 64, "{number}");
    }
    assert_eq!(
        desk.refused(1, 0, 3, NOON + 3),
        Refusal::Known { intent: id(1) }
    );
    let refusal = Refusal::UnknownIntent { intent: id(0) };
    let reply = desk.answer(0, gaelp_ledger::Answer::Unknown, NOON + 3);
    assert_eq!(reply, Reply::Refused(refusal));
}

#[test]
fn i8_amounts_outside_of_the_domain_are_refused() {
    let largest = MAX_AMOUNT.get();
    for value in [-1, largest + 1, i64::MIN, i64::MAX] {
        let mut desk = Desk::new(plain(largest), NOON, &[4]);
        let value = money(value);
        let what = What::Budget;
        let amount = Refusal::Amount { what, value };
        assert_eq!(desk.refused(1, 0, value.get(), NOON + 2), amount);
        desk.admit(2, 0, 4, NOON + 2);
        assert_eq!(
            desk.answer(2, applied(value.get()), NOON + 2),
            Reply::Refused(amount.clone())
        );
        let mut seen = desk.seen(NOON + 3, NOON + 3, &[4]);
        seen.reads[0].budgets[0].1 = value;
        let reply = desk.book.execute(&Request::Observe(seen));
        assert_eq!(reply, Reply::Refused(amount));
        let mut seen = desk.seen(NOON + 3, NOON + 3, &[4]);
        let (key, date) = (key(0), at(NOON).date_naive());
        seen.known_good = vec![(key.clone(), value)];
        let reply = desk.book.execute(&Request::Observe(seen.clone()));
        let what = What::KnownGood;
        assert_eq!(reply, Reply::Refused(Refusal::Amount { what, value }));
        seen.known_good.clear();
        seen.spent = vec![Spent {
            key,
            date,
            upper: value,
        }];
        let reply = desk.book.execute(&Request::Observe(seen));
        let what = What::Spent;
        assert_eq!(reply, Reply::Refused(Refusal::Amount { what, value }));
    }
    let mut desk = Desk::new(plain(largest), NOON, &[0]);
    desk.admit(1, 0, largest, NOON + 2);
    desk.answer(1, applied(largest), NOON + 3);
    desk.look(NOON + 4, &[largest]);
    desk.admit(2, 0, 0, NOON + 5);
    assert_eq!(desk.exposure(NOON + 5), largest);
    let texts = [What::Budget, What::Spent, What::KnownGood].map(|what| what.to_string());
    assert_eq!(texts, ["a budget", "a spend", "a last known good budget"]);
}

#[test]
fn i8_more_than_64_bits_hold_is_more_than_any_cap() {
    let ten = Ratio::from_ppm(10_000_000);
    let config = LedgerConfig::new(AccountZone::UTC, MAX_AMOUNT).with_platform(Platform::Meta, ten);
    let mut desk = Desk::new(config, NOON, &[]);
    let mut seen = desk.seen(NOON + 2, NOON + 2, &[]);
    seen.reads[0].budgets = (0..922)
        .map(|n| (n.to_string().into(), MAX_AMOUNT))
        .collect();
    desk.tell(seen.clone());
    assert_eq!(desk.exposure(NOON + 2), 9_220_000_000_000_000_000);
    seen.at = at(NOON + 3);
    seen.reads[0].began = at(NOON + 3);
    seen.reads[0].budgets.push(("more".into(), MAX_AMOUNT));
    seen.reads[0].budgets.push(("small".into(), money(1)));
    desk.tell(seen);
    assert_eq!(desk.book.exposure(at(NOON + 3)), Micros::MAX);
    let mut proposal = desk.proposal(1, 0, 2, NOON + 4);
    proposal.key = AdSetKey::new(Platform::Meta, "small");
    let reply = desk.book.execute(&Request::Admit(proposal));
    let (exposure, cap, most) = (Micros::MAX, MAX_AMOUNT, money(1));
    assert_eq!(
        reply,
        Reply::Refused(Refusal::Headroom {
            exposure,
            cap,
            most
        })
    );
}

#[test]
fn i8_no_ceiling_is_above_the_largest_amount() {
    let config =
        LedgerConfig::new(AccountZone::UTC, MAX_AMOUNT).with_platform(Platform::Meta, Ratio::ONE);
    let desk = Desk::new(config, NOON, &[1]);
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 2)), Some(MAX_AMOUNT));
}

#[test]
fn times_outside_of_the_calendar_are_refused() {
    let last = 253_402_300_799;
    let time = |second| chrono::DateTime::from_timestamp(second, 0).unwrap();
    for (second, fits) in [(-1, false), (0, true), (last, true), (last + 1, false)] {
        let mut desk = Desk::new(plain(10), NOON, &[4]);
        let at = time(second);
        let wrong = (!fits).then_some(Reply::Refused(Refusal::OutOfCalendar { at }));
        let order = Request::Order {
            order: Order::Kill,
            by: "ada".into(),
            at,
        };
        let take = Request::Take {
            runner: "r".into(),
            at,
        };
        let mut late = desk.proposal(1, 0, 4, NOON + 2);
        late.not_after = at;
        let mut early = desk.proposal(1, 0, 4, NOON + 2);
        early.at = at;
        let mut observed = desk.seen(NOON + 2, NOON + 2, &[4]);
        observed.at = at;
        let mut began = desk.seen(NOON + 2, NOON + 2, &[4]);
        began.reads[0].began = at;
        desk.admit(5, 0, 4, NOON + 2);
        let answer = Request::Answer {
            intent: id(5),
            answer: applied(4),
            at,
        };
        for request in [
            order,
            take,
            Request::Admit(late),
            Request::Admit(early),
            Request::Observe(observed),
            Request::Observe(began),
            answer,
        ] {
            let reply = match desk.book.decide(&request) {
                Ok((_, reply)) => reply,
                Err(refusal) => Reply::Refused(refusal),
            };
            if let Some(wrong) = &wrong {
                assert_eq!(&reply, wrong, "{request:?}");
            } else {
                let outside = matches!(reply, Reply::Refused(Refusal::OutOfCalendar { .. }));
                assert!(!outside, "{request:?}");
            }
        }
    }
}

#[test]
fn observations_that_contradict_themselves_are_refused() {
    let desk = Desk::new(plain(10), NOON, &[4, 3]);
    let ask = |observation| match desk.book.decide(&Request::Observe(observation)) {
        Ok((_, reply)) => reply,
        Err(refusal) => Reply::Refused(refusal),
    };
    let seen = || desk.seen(NOON + 5, NOON + 5, &[4, 3]);
    let twice = Reply::Refused(Refusal::Twice { key: key(1) });
    let date = at(NOON).date_naive();

    let mut two_in_a_list = seen();
    two_in_a_list.reads[0]
        .budgets
        .push((key(1).ad_set, money(3)));
    assert_eq!(ask(two_in_a_list), twice);
    let mut two_lists = seen();
    two_lists.reads.push(seen().reads[0].clone());
    two_lists.reads[1].budgets.remove(0);
    assert_eq!(ask(two_lists), twice);
    let spent = Spent {
        key: key(1),
        date,
        upper: money(1),
    };
    let mut spent_twice = seen();
    spent_twice.spent = vec![spent.clone(), spent.clone()];
    assert_eq!(ask(spent_twice), twice);
    let mut two_days = seen();
    two_days.spent = vec![
        spent.clone(),
        Spent {
            date: date.pred_opt().unwrap(),
            ..spent.clone()
        },
    ];
    assert_eq!(ask(two_days), Reply::Observed { changes: vec![] });
    let mut good_twice = seen();
    good_twice.known_good = vec![(key(1), money(1)), (key(1), money(2))];
    assert_eq!(ask(good_twice), twice);
    let mut future = seen();
    future.reads[0].began = at(NOON + 6);
    let (began, now) = (at(NOON + 6), at(NOON + 5));
    assert_eq!(
        ask(future),
        Reply::Refused(Refusal::Future { began, at: now })
    );

    let platform = Platform::TikTok;
    let foreign = Reply::Refused(Refusal::UnknownPlatform {
        platform: platform.clone(),
    });
    let mut read = seen();
    read.reads[0].platform = platform.clone();
    assert_eq!(ask(read), foreign);
    let elsewhere = AdSetKey::new(platform, "x");
    let mut of_spent = seen();
    of_spent.spent = vec![Spent {
        key: elsewhere.clone(),
        ..spent
    }];
    assert_eq!(ask(of_spent), foreign);
    let mut of_good = seen();
    of_good.known_good = vec![(elsewhere.clone(), money(1))];
    assert_eq!(ask(of_good), foreign);
    let mut proposal = desk.proposal(1, 0, 1, NOON + 6);
    proposal.key = elsewhere;
    assert_eq!(
        desk.book
            .decide(&Request::Admit(proposal))
            .map_err(Reply::Refused)
            .unwrap_err(),
        foreign
    );
}

#[test]
fn the_last_known_good_budget_is_kept() {
    let mut desk = Desk::new(plain(10), NOON, &[4]);
    let mut seen = desk.seen(NOON + 2, NOON + 2, &[4]);
    seen.known_good = vec![(key(0), money(2)), (key(1), money(1))];
    desk.tell(seen);
    assert_eq!(desk.book.known_good(&key(0)), Some(money(2)));
    assert_eq!(desk.book.known_good(&key(1)), None); // of no ad set that is known
    let (_, standing) = desk.book.lines(at(NOON + 3)).next().unwrap();
    assert_eq!(
        (standing.known_good, standing.confirmed),
        (Some(money(2)), Some(money(4)))
    );
    assert_eq!((standing.exposure, standing.open.len()), (money(4), 0));
    desk.look(NOON + 4, &[4]);
    assert_eq!(desk.book.known_good(&key(0)), Some(money(2)));
}
