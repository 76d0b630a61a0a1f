//! How intents end: by which answers, by which readings, and when not.

use gaelp_core::Micros;
use gaelp_ledger::{Answer, Change, Refusal, Reply, Request};

use crate::support::{Desk, applied, at, id, key, money, plain};

const NOON: i64 = 43_200;
/// A write proposed at noon must be sent within 10 s, may be under way for 900 s, and clocks may
/// differ by 30 s.
const QUIET: i64 = NOON + 10 + 900 + 30;

fn desk(budgets: &[i64]) -> Desk {
    Desk::new(plain(100), NOON - 10, budgets)
}

fn confirmed(number: usize, ad_set: usize, budget: i64) -> Change {
    Change::Confirmed {
        key: key(ad_set),
        intent: id(number),
        budget: money(budget),
    }
}

fn expired(number: usize, ad_set: usize, budget: i64, may_have_stood: bool) -> Change {
    Change::Expired {
        key: key(ad_set),
        intent: id(number),
        budget: money(budget),
        may_have_stood,
    }
}

fn external(from: i64, to: i64) -> Change {
    Change::External {
        key: key(0),
        from: money(from),
        to: money(to),
    }
}

#[test]
fn i3_an_answer_and_a_later_reading_confirm() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    desk.answer(1, applied(6), NOON + 3);
    assert_eq!(desk.look(NOON + 3, &[6]), []); // began no later than the answer
    assert_eq!((desk.confirmed(0), desk.open(0)), (Some(4), 1));
    assert_eq!(desk.look(NOON + 4, &[6]), [confirmed(1, 0, 6)]);
    assert_eq!((desk.confirmed(0), desk.open(0)), (Some(6), 0));
    assert_eq!(desk.exposure(NOON + 5), 6);
    assert_eq!(desk.look(NOON + 5, &[6]), []);
}

#[test]
fn i3_a_reading_that_differs_from_the_answer_settles_nothing() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    desk.answer(1, applied(6), NOON + 3);
    for second in 4..10 {
        assert_eq!(desk.look(NOON + second, &[4]), []);
    }
    assert_eq!(desk.look(QUIET + 1, &[4]), []);
    // It was applied, so it may have stood.
    assert_eq!(desk.look(QUIET + 2, &[4]), [expired(1, 0, 6, true)]);
    assert_eq!(desk.exposure(QUIET + 3), 6);
    assert_eq!((desk.confirmed(0), desk.open(0)), (Some(4), 0));
}

#[test]
fn i3_without_an_answer_only_quiet_readings_settle() {
    for unknown in [false, true] {
        let mut desk = desk(&[4]);
        desk.admit(1, 0, 6, NOON);
        if unknown {
            assert_eq!(desk.answer(1, Answer::Unknown, NOON + 3), Reply::Answered);
        }
        assert_eq!(desk.look(NOON + 4, &[4]), []);
        assert_eq!(desk.look(NOON + 5, &[4]), []);
        assert_eq!(desk.look(QUIET, &[4]), []); // not after the last moment, but at it
        assert_eq!(desk.look(QUIET + 1, &[4]), []);
        assert_eq!(desk.exposure(QUIET + 1), 6);
        assert_eq!(desk.look(QUIET + 2, &[4]), [expired(1, 0, 6, false)]);
        assert_eq!((desk.exposure(QUIET + 2), desk.open(0)), (4, 0));
    }
}

#[test]
fn i3_quiet_readings_confirm_what_no_answer_did() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    assert_eq!(desk.look(NOON + 4, &[6]), []);
    assert_eq!(desk.look(QUIET + 1, &[6]), []);
    assert_eq!(desk.look(QUIET + 2, &[6]), [confirmed(1, 0, 6)]);
    assert_eq!(desk.confirmed(0), Some(6));
}

#[test]
fn i3_quiet_readings_must_agree() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    for second in 1..7 {
        let budget = if second % 2 == 0 { 4 } else { 6 };
        assert_eq!(desk.look(QUIET + second, &[budget]), []);
    }
    assert_eq!(desk.look(QUIET + 8, &[6]), []);
    assert_eq!(desk.look(QUIET + 9, &[6]), [confirmed(1, 0, 6)]);
}

#[test]
fn i3_the_same_reading_told_twice_is_one() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    for _ in 0..3 {
        assert_eq!(desk.tell(desk.seen(QUIET + 9, QUIET + 5, &[4])), []);
    }
    // Nor does an older one count, though it was told later.
    assert_eq!(desk.tell(desk.seen(QUIET + 9, QUIET + 4, &[4])), []);
    let changes = desk.tell(desk.seen(QUIET + 9, QUIET + 6, &[4]));
    assert_eq!(changes, [expired(1, 0, 6, false)]);
}

#[test]
fn as_many_readings_as_the_settings_say() {
    for read_backs in 1..=4 {
        let mut config = plain(100);
        config.read_backs = read_backs;
        let mut desk = Desk::new(config, NOON - 10, &[4]);
        desk.admit(1, 0, 6, NOON);
        for number in 1..=i64::from(read_backs) {
            let changes = desk.look(QUIET + number, &[4]);
            assert_eq!(!changes.is_empty(), number == i64::from(read_backs));
        }
    }
}

#[test]
fn readings_before_an_intent_do_not_settle_it() {
    let mut desk = desk(&[4]);
    for second in 1..6 {
        desk.look(QUIET + second, &[4]);
    }
    let mut proposal = desk.proposal(1, 0, 3, QUIET + 6);
    proposal.not_after = at(QUIET + 6);
    desk.book.execute(&Request::Admit(proposal));
    let quiet = QUIET + 6 + 930;
    assert_eq!(desk.look(quiet, &[4]), []);
    assert_eq!(desk.look(quiet + 1, &[4]), []);
    assert_eq!(desk.look(quiet + 2, &[4]), [expired(1, 0, 3, false)]);
}

#[test]
fn i3_a_rejected_intent_is_gone_at_once_and_for_good() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    assert_eq!(desk.exposure(NOON + 1), 6);
    assert_eq!(desk.answer(1, Answer::Rejected, NOON + 1), Reply::Answered);
    assert_eq!((desk.exposure(NOON + 1), desk.open(0)), (4, 0));
    for answer in [Answer::Rejected, Answer::Unknown] {
        let (log, reply) = desk
            .book
            .decide(&Request::Answer {
                intent: id(1),
                answer,
                at: at(NOON + 2),
            })
            .unwrap();
        assert_eq!((log, reply), (vec![], Reply::Answered));
    }
    desk.admit(2, 0, 6, NOON + 3);
}

#[test]
fn i2_a_late_word_that_it_was_applied_after_all_counts() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    desk.answer(1, Answer::Rejected, NOON + 1);
    assert_eq!(desk.exposure(NOON + 1), 4);
    assert_eq!(desk.answer(1, applied(6), NOON + 2), Reply::Answered);
    assert_eq!((desk.exposure(NOON + 2), desk.open(0)), (6, 0));
    desk.answer(1, applied(5), NOON + 2); // less than what counts: no news
    assert_eq!(desk.book.last_at(), Some(at(NOON + 2)));
    desk.answer(1, applied(6), NOON + 50);
    assert_eq!(desk.book.last_at(), Some(at(NOON + 2)));
    desk.answer(1, applied(9), NOON + 3);
    assert_eq!(desk.exposure(NOON + 3), 9);
}

#[test]
fn answers_that_say_nothing_new_are_not_taken_down() {
    let mut desk = desk(&[4]);
    let news = |desk: &Desk, answer| {
        let request = Request::Answer {
            intent: id(1),
            answer,
            at: at(NOON + 9),
        };
        desk.book.decide(&request).unwrap().0.len()
    };
    desk.admit(1, 0, 6, NOON);
    assert_eq!(news(&desk, Answer::Unknown), 1);
    desk.answer(1, Answer::Unknown, NOON + 1);
    assert_eq!(news(&desk, Answer::Unknown), 0);
    assert_eq!(news(&desk, Answer::Rejected), 1);
    assert_eq!(news(&desk, applied(6)), 1);
    desk.answer(1, applied(6), NOON + 2);
    assert_eq!(news(&desk, applied(6)), 0);
    assert_eq!(news(&desk, applied(7)), 1);
    // It is said to be applied; that it was rejected is no longer believed.
    assert_eq!(
        (news(&desk, Answer::Rejected), news(&desk, Answer::Unknown)),
        (0, 0)
    );
    desk.answer(1, Answer::Rejected, NOON + 3);
    assert_eq!(desk.open(0), 1);
    assert_eq!(desk.look(NOON + 4, &[6]), [confirmed(1, 0, 6)]);
    assert_eq!((news(&desk, applied(6)), news(&desk, applied(7))), (0, 1));
}

#[test]
fn i2_another_budget_than_asked_is_counted_and_not_believed() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    desk.answer(1, applied(8), NOON + 1);
    assert_eq!(desk.exposure(NOON + 1), 8);
    assert_eq!(desk.look(NOON + 2, &[8]), []);
    assert_eq!(desk.look(NOON + 3, &[6]), []); // once another was said, only readings settle it
    desk.answer(1, applied(6), NOON + 4);
    assert_eq!(desk.look(NOON + 5, &[6]), []);
    assert_eq!(desk.exposure(NOON + 5), 8);
    desk.look(QUIET + 1, &[8]);
    let changes = desk.look(QUIET + 2, &[8]);
    assert_eq!(changes, [expired(1, 0, 6, true), external(4, 8)]);
    assert_eq!(desk.confirmed(0), Some(8));
}

#[test]
fn i2_a_lower_budget_than_asked_makes_the_asked_one_a_raise() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 3, NOON);
    desk.answer(1, applied(1), NOON + 1);
    assert_eq!(
        desk.refused(2, 0, 2, NOON + 2),
        Refusal::Open { intent: id(1) }
    );
    desk.admit(2, 0, 1, NOON + 2);
}

#[test]
fn overlapping_writes_are_settled_by_quiet_readings_only() {
    let mut desk = desk(&[8]);
    desk.admit(1, 0, 6, NOON);
    desk.admit(2, 0, 2, NOON + 5);
    desk.answer(2, applied(2), NOON + 6);
    assert_eq!(desk.look(NOON + 7, &[2]), []);
    assert_eq!(desk.look(NOON + 8, &[2]), []);
    // Quiet for the first, not for the second.
    assert_eq!(desk.look(QUIET + 1, &[2]), []);
    assert_eq!(desk.look(QUIET + 5, &[2]), []);
    assert_eq!(desk.look(QUIET + 6, &[2]), []);
    let changes = desk.look(QUIET + 7, &[2]);
    assert_eq!(changes, [expired(1, 0, 6, true), confirmed(2, 0, 2)]);
    assert_eq!((desk.confirmed(0), desk.open(0)), (Some(2), 0));
    assert_eq!(desk.exposure(QUIET + 8), 8); // the day's highest
}

#[test]
fn an_overlapping_raise_that_may_have_stood_counts_for_the_day() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 9, NOON);
    desk.admit(2, 0, 4, NOON + 1); // back again, while it is not known
    desk.look(QUIET + 2, &[4]);
    let changes = desk.look(QUIET + 3, &[4]);
    assert_eq!(changes, [expired(1, 0, 9, true), confirmed(2, 0, 4)]);
    assert_eq!(desk.exposure(QUIET + 4), 9);
}

#[test]
fn once_the_other_is_rejected_an_answer_settles_again() {
    let mut desk = desk(&[8]);
    desk.admit(1, 0, 6, NOON);
    desk.admit(2, 0, 2, NOON + 1);
    desk.answer(2, applied(2), NOON + 2);
    desk.answer(1, Answer::Rejected, NOON + 3);
    assert_eq!(desk.look(NOON + 4, &[2]), [confirmed(2, 0, 2)]);
}

#[test]
fn what_no_intent_explains_was_somebody_else() {
    let mut desk = desk(&[4]);
    assert_eq!(desk.look(NOON, &[9]), [external(4, 9)]);
    assert_eq!((desk.confirmed(0), desk.exposure(NOON)), (Some(9), 9));
    assert_eq!(desk.look(NOON + 1, &[3]), [external(9, 3)]);
    assert_eq!((desk.confirmed(0), desk.exposure(NOON + 1)), (Some(3), 9));
    // A reading from before the last one says nothing of now, but that it stood.
    assert_eq!(desk.tell(desk.seen(NOON + 9, NOON + 1, &[12])), []);
    assert_eq!((desk.confirmed(0), desk.exposure(NOON + 9)), (Some(3), 12));
}

#[test]
fn while_an_intent_is_open_what_is_read_counts_and_is_not_adopted() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    assert_eq!(desk.look(NOON + 1, &[9]), []);
    assert_eq!((desk.confirmed(0), desk.exposure(NOON + 1)), (Some(4), 9));
    desk.look(QUIET + 1, &[9]);
    let changes = desk.look(QUIET + 2, &[9]);
    assert_eq!(changes, [expired(1, 0, 6, true), external(4, 9)]);
}

#[test]
fn an_ad_set_is_gone_when_lists_agree_that_it_is() {
    let mut desk = desk(&[4, 3]);
    assert_eq!(desk.look(NOON, &[4, -1]), []);
    assert_eq!(desk.confirmed(1), Some(3));
    let missing = Refusal::UnknownAdSet { key: key(1) };
    assert_eq!(desk.refused(1, 1, 5, NOON + 1), missing); // it may be gone: no raise
    assert_eq!(desk.book.ceiling(&key(1), at(NOON + 1)), Some(money(3)));
    assert_eq!(desk.look(NOON + 2, &[4, 3]), []); // it was a hole in the list
    assert_eq!(desk.book.raise_barred(&key(1), at(NOON + 2)), None);
    assert_eq!(desk.look(NOON + 3, &[4, -1]), []);
    let (key, from) = (key(1), money(3));
    let gone = Change::Gone {
        key: key.clone(),
        from,
    };
    assert_eq!(gone.key(), &key);
    assert_eq!(desk.look(NOON + 4, &[4, -1]), [gone]);
    assert_eq!((desk.confirmed(1), desk.exposure(NOON + 4)), (None, 7)); // it stood today
    assert_eq!(desk.look(NOON + 5, &[4, -1]), []);
    assert_eq!(
        desk.refused(2, 1, 0, NOON + 5),
        Refusal::UnknownAdSet { key: key.clone() }
    );
    let budget = money(2);
    assert_eq!(desk.look(NOON + 6, &[4, 2]), [Change::New { key, budget }]);
    assert_eq!(desk.confirmed(1), Some(2));
}

#[test]
fn an_ad_set_that_is_gone_takes_its_intents_along() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    for second in 1..5 {
        assert_eq!(desk.look(NOON + second, &[]), []);
    }
    assert_eq!(desk.look(QUIET + 1, &[]), []);
    let (key, from) = (key(0), money(6)); // as it may have stood
    let gone = Change::Gone { key, from };
    assert_eq!(desk.look(QUIET + 2, &[]), [expired(1, 0, 6, true), gone]);
    assert_eq!((desk.open(0), desk.confirmed(0)), (0, None));
}

#[test]
fn answers_come_from_any_epoch() {
    let mut desk = desk(&[4]);
    desk.admit(1, 0, 6, NOON);
    desk.take(NOON + 1);
    desk.answer(1, applied(6), NOON + 2);
    assert_eq!(desk.look(NOON + 3, &[6]), [confirmed(1, 0, 6)]);
    assert!(desk.book.reconciled());
    let refusal = Refusal::UnknownIntent { intent: id(7) };
    assert_eq!(
        desk.answer(7, Answer::Rejected, NOON + 4),
        Reply::Refused(refusal)
    );
}

#[test]
fn changes_name_their_ad_set() {
    let budget = Micros::ZERO;
    for change in [
        confirmed(1, 1, 2),
        expired(1, 1, 2, true),
        Change::External {
            key: key(1),
            from: budget,
            to: budget,
        },
        Change::New {
            key: key(1),
            budget,
        },
    ] {
        assert_eq!(change.key(), &key(1));
    }
}

/// Found by simulation: a platform's lists left an ad set out for hours, and it went on spending.
#[test]
fn i1_what_the_lists_leave_out_counts_for_days() {
    let days = |days: i64| NOON + days * 86_400;
    let mut config = plain(100);
    config.gone_after_secs = 3 * 86_400;
    let mut desk = Desk::new(config, NOON - 10, &[4, 3]);
    desk.admit(1, 1, 6, NOON);
    desk.answer(1, applied(6), NOON + 1);
    assert_eq!(desk.look(QUIET + 1, &[4, -1]), []);
    // It may have come to 6, and nobody sees whether it did.
    assert_eq!(desk.look(QUIET + 2, &[4, -1]), [expired(1, 1, 6, true)]);
    assert_eq!((desk.confirmed(1), desk.exposure(QUIET + 2)), (Some(6), 10));
    for day in 1..3 {
        assert_eq!(desk.look(days(day), &[4, -1]), []);
        assert_eq!(desk.exposure(days(day)), 10);
        assert_eq!(
            desk.refused(2, 1, 7, days(day) + 1),
            Refusal::UnknownAdSet { key: key(1) }
        );
        desk.admit(2 + usize::try_from(day).unwrap(), 1, 6, days(day) + 2); // not a raise
        desk.answer(
            2 + usize::try_from(day).unwrap(),
            Answer::Rejected,
            days(day) + 3,
        );
    }
    assert_eq!(desk.look(days(3) - 10, &[4, -1]), []);
    let (key, from) = (key(1), money(6));
    assert_eq!(
        desk.look(days(3) - 9, &[4, -1]), // three days after the last list with it began
        [Change::Gone { key, from }]
    );
    assert_eq!(desk.exposure(days(4)), 4);
}
