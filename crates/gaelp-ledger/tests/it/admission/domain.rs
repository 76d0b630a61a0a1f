//! Amounts, times and observations that cannot be.

use gaelp_core::{AdSetKey, Platform};
use gaelp_ledger::{MAX_AMOUNT, Order, Refusal, Reply, Request, Spent, What};

use super::NOON;
use crate::support::{Desk, applied, at, id, key, money, plain};

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
            let reply = desk.would(&request);
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
    let ask = |observation| desk.would(&Request::Observe(observation));
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
    assert_eq!(desk.would(&Request::Admit(proposal)), foreign);
}
