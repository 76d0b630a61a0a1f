//! The account's days: what a midnight forgets, and what it must not.

use chrono::{DateTime, Utc};
use gaelp_core::{AccountZone, Platform, Ratio};
use gaelp_ledger::{Answer, LedgerConfig, Refusal, Reply, Spent};

use crate::support::{Desk, applied, at, id, key, money, plain};

const MIDNIGHT: i64 = 86_400;

/// An ad set that stood at 8 and stands at 2, an hour before midnight.
fn lowered() -> Desk {
    let mut desk = Desk::new(plain(100), MIDNIGHT - 3_700, &[8]);
    desk.admit(1, 0, 2, MIDNIGHT - 3_650);
    desk.answer(1, applied(2), MIDNIGHT - 3_640);
    desk.look(MIDNIGHT - 3_600, &[2]);
    desk
}

#[test]
fn i1_a_day_begins_with_what_stands_once_the_skew_is_over() {
    let desk = lowered();
    for (second, expected) in [
        (-3_600, 8),
        (-31, 8),
        (-30, 8),
        (0, 8),
        (29, 8),
        (30, 2),
        (3_600, 2),
    ] {
        assert_eq!(desk.exposure(MIDNIGHT + second), expected, "{second}");
    }
}

#[test]
fn i1_both_days_count_within_the_skew_of_midnight() {
    let mut desk = lowered();
    // For clocks that are ahead it is the new day: what stands now counts for it too.
    desk.look(MIDNIGHT - 30, &[5]);
    desk.look(MIDNIGHT - 29, &[3]);
    for (second, expected) in [
        (-29, 8),
        (29, 8),
        (30, 5),
        (3_600, 5),
        (86_369, 5),
        (86_430, 3),
    ] {
        assert_eq!(desk.exposure(MIDNIGHT + second), expected, "{second}");
    }
    // And for clocks that are behind it is the old day.
    desk.look(MIDNIGHT + 29, &[9]);
    desk.look(MIDNIGHT + 30, &[1]);
    assert_eq!(desk.exposure(MIDNIGHT + 30), 9);
    desk.look(MIDNIGHT - 31, &[1]); // the clock runs back to the day before
    assert_eq!(desk.exposure(MIDNIGHT - 31), 9);
}

#[test]
fn i1_before_the_skew_a_raise_counts_for_the_old_day_only() {
    let mut desk = lowered();
    desk.look(MIDNIGHT - 31, &[5]);
    desk.look(MIDNIGHT - 30, &[3]);
    // The new day began with 5, which stood when it may have begun.
    assert_eq!(desk.exposure(MIDNIGHT + 30), 5);
    let mut desk = lowered();
    desk.look(MIDNIGHT - 32, &[5]);
    desk.look(MIDNIGHT - 31, &[3]);
    desk.look(MIDNIGHT - 30, &[3]);
    assert_eq!(desk.exposure(MIDNIGHT + 30), 3);
}

#[test]
fn i1_open_intents_go_on_into_the_new_day() {
    let mut desk = lowered();
    desk.admit(2, 0, 7, MIDNIGHT - 100);
    assert_eq!(desk.exposure(MIDNIGHT + 3_600), 7);
    desk.look(MIDNIGHT + 3_600, &[2]);
    assert_eq!(desk.exposure(MIDNIGHT + 3_600), 7);
    desk.answer(2, Answer::Rejected, MIDNIGHT + 3_601);
    assert_eq!(desk.exposure(MIDNIGHT + 3_601), 2);
}

#[test]
fn i1_a_settled_write_counts_in_the_new_day_while_it_may_show() {
    // Confirmed, then lowered again; the first request may be delivered once more after midnight.
    let settled = |second: i64| {
        let mut desk = Desk::new(plain(100), MIDNIGHT - 2_000, &[2]);
        let mut proposal = desk.proposal(1, 0, 7, MIDNIGHT - 1_500);
        proposal.not_after = at(MIDNIGHT - 930 + second);
        desk.book.execute(&gaelp_ledger::Request::Admit(proposal));
        desk.answer(1, applied(7), MIDNIGHT - 1_490);
        desk.look(MIDNIGHT - 1_480, &[7]);
        desk.admit(2, 0, 2, MIDNIGHT - 1_470);
        desk.answer(2, applied(2), MIDNIGHT - 1_460);
        desk.look(MIDNIGHT - 100, &[2]);
        desk
    };
    let desk = settled(-99);
    assert_eq!((desk.open(0), desk.exposure(MIDNIGHT + 30)), (0, 7));
    let desk = settled(-100); // it was over at the last entry of the old day
    assert_eq!((desk.open(0), desk.exposure(MIDNIGHT + 30)), (0, 2));
}

#[test]
fn i1_what_was_last_read_counts_in_the_new_day() {
    let mut desk = lowered();
    desk.admit(2, 0, 1, MIDNIGHT - 1_000);
    desk.look(MIDNIGHT - 900, &[6]); // not adopted while the intent is open
    assert_eq!(desk.confirmed(0), Some(2));
    assert_eq!(desk.exposure(MIDNIGHT + 3_600), 6);
    desk.look(MIDNIGHT + 3_600, &[1]);
    assert_eq!(desk.exposure(MIDNIGHT + 3_600), 6);
}

#[test]
fn i1_a_late_word_counts_for_the_new_day_too() {
    let mut desk = lowered();
    desk.admit(2, 0, 7, MIDNIGHT - 1_000);
    desk.answer(2, Answer::Rejected, MIDNIGHT - 990);
    desk.answer(2, applied(7), MIDNIGHT - 700); // so it may show until 230 s after midnight
    assert_eq!(desk.exposure(MIDNIGHT + 60), 7);
    assert_eq!(desk.exposure(MIDNIGHT + 3_600), 7);
    // The last entry before midnight decides: then nothing could show any more.
    desk.look(MIDNIGHT - 1, &[2]);
    let mut over = lowered();
    over.admit(2, 0, 7, MIDNIGHT - 3_000);
    over.answer(2, Answer::Rejected, MIDNIGHT - 2_990);
    over.answer(2, applied(7), MIDNIGHT - 2_980);
    over.look(MIDNIGHT - 2_050, &[2]);
    assert_eq!(over.exposure(MIDNIGHT + 60), 2);
}

#[test]
fn spend_counts_for_its_day() {
    let mut desk = Desk::new(plain(100), MIDNIGHT - 3_700, &[2]);
    let tell = |desk: &mut Desk, second, spent: &[(i64, i64)]| {
        let mut seen = desk.seen(MIDNIGHT + second, MIDNIGHT + second, &[2]);
        for &(day, upper) in spent {
            seen.spent.push(Spent {
                key: key(0),
                date: at(MIDNIGHT * day).date_naive(),
                upper: money(upper),
            });
        }
        desk.tell(seen);
    };
    tell(&mut desk, -3_600, &[(0, 5), (1, 50), (-1, 60)]);
    assert_eq!(desk.exposure(MIDNIGHT - 3_600), 5);
    assert_eq!(desk.exposure(MIDNIGHT + 29), 5);
    assert_eq!(desk.exposure(MIDNIGHT + 30), 2);
    tell(&mut desk, 10, &[(1, 3)]);
    assert_eq!(desk.exposure(MIDNIGHT + 10), 5);
    tell(&mut desk, 20, &[(0, 6)]);
    assert_eq!(desk.exposure(MIDNIGHT + 20), 6);
    assert_eq!(desk.exposure(MIDNIGHT + 30), 3);
    let (_, standing) = desk.book.lines(at(MIDNIGHT + 29)).next().unwrap();
    assert_eq!(standing.spent, money(6));
}

#[test]
fn a_clock_that_ran_ahead_loses_nothing_of_the_day() {
    let mut desk = lowered();
    let ahead = MIDNIGHT + 40_000;
    desk.look(ahead, &[2]);
    assert_eq!(desk.exposure(ahead), 2);
    // Back on the day before, it counts what it counted then, before and after the next entry.
    assert_eq!(desk.exposure(MIDNIGHT - 3_000), 8);
    desk.take(MIDNIGHT - 3_000);
    assert_eq!(desk.exposure(MIDNIGHT - 3_000), 8);
    desk.look(MIDNIGHT - 2_000, &[3]);
    assert_eq!(desk.exposure(MIDNIGHT - 2_000), 8);
    desk.look(MIDNIGHT + 3_600, &[3]);
    assert_eq!(desk.exposure(MIDNIGHT + 3_600), 3);
}

#[test]
fn days_without_an_entry_are_passed_over() {
    let desk = lowered();
    assert_eq!(desk.exposure(MIDNIGHT * 5), 2);
    let mut desk = lowered();
    desk.look(MIDNIGHT * 5, &[2]); // within the skew of a midnight, but the day before is unknown
    assert_eq!(desk.exposure(MIDNIGHT * 5), 2);
}

#[test]
fn ad_sets_that_are_long_gone_are_forgotten() {
    let mut desk = Desk::new(plain(100), 1_000, &[4, 3]);
    desk.admit(1, 1, 2, 1_001);
    desk.answer(1, Answer::Rejected, 1_002);
    desk.look(1_003, &[4, -1]);
    desk.look(1_004, &[4, -1]);
    assert_eq!(desk.book.lines(at(1_005)).count(), 2);
    desk.look(MIDNIGHT + 1_000, &[4, -1]); // yesterday it stood
    assert_eq!(desk.book.lines(at(MIDNIGHT + 1_000)).count(), 2);
    desk.look(2 * MIDNIGHT + 1_000, &[4, -1]);
    assert_eq!(desk.book.lines(at(2 * MIDNIGHT + 1_000)).count(), 1);
    let forgotten = Refusal::UnknownIntent { intent: id(1) };
    assert_eq!(
        desk.answer(1, applied(9), 2 * MIDNIGHT + 1_001),
        Reply::Refused(forgotten)
    );
    // Not while something of it may matter: an intent, or a spend.
    let mut desk = Desk::new(plain(100), 1_000, &[4, 0]);
    desk.admit(1, 1, 0, 1_001);
    for day in 1..4 {
        desk.take(day * MIDNIGHT + 1_000);
        assert_eq!(desk.open(1), 1);
    }
    assert_eq!(desk.confirmed(1), Some(0));
}

/// Found by chance: the answer was decided on an ad set that its own new day let go.
#[test]
fn a_late_word_on_an_ad_set_that_is_gone_can_be_applied() {
    let mut desk = Desk::new(plain(100), 1_000, &[4, 3]);
    desk.admit(1, 1, 2, 1_001);
    desk.answer(1, Answer::Rejected, 1_002);
    desk.look(1_003, &[4, -1]);
    desk.look(1_004, &[4, -1]);
    desk.take(MIDNIGHT + 1_000);
    desk.answer(1, applied(9), 2 * MIDNIGHT + 1_000);
    assert_eq!(desk.exposure(2 * MIDNIGHT + 1_000), 13);
}

#[test]
fn the_day_is_the_accounts() {
    let zoned = |zone: &str, budgets: &[i64], start: DateTime<Utc>| {
        let zone: AccountZone = zone.parse().unwrap();
        let config = LedgerConfig::new(zone, money(100)).with_platform(Platform::Meta, Ratio::ONE);
        let second = (start - at(0)).num_seconds();
        let mut desk = Desk::new(config, second, budgets);
        desk.admit(1, 0, 2, second + 2);
        desk.answer(1, applied(2), second + 3);
        desk.look(second + 4, &[2]);
        desk
    };
    let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    for (zone, start, before, after) in [
        // Berlin's midnight is 23:00 in winter and 22:00 in summer.
        (
            "Europe/Berlin",
            "2026-11-22T12:00:00Z",
            "2026-11-22T23:00:29Z",
            "2026-11-22T23:00:30Z",
        ),
        (
            "Europe/Berlin",
            "2026-07-22T12:00:00Z",
            "2026-07-22T22:00:29Z",
            "2026-07-22T22:00:30Z",
        ),
        // India's is 18:30, though its hour is keyed by 18:00.
        (
            "Asia/Kolkata",
            "2026-11-22T12:00:00Z",
            "2026-11-22T18:30:29Z",
            "2026-11-22T18:30:30Z",
        ),
        (
            "Asia/Kathmandu",
            "2026-11-22T12:00:00Z",
            "2026-11-22T18:15:29Z",
            "2026-11-22T18:15:30Z",
        ),
        (
            "America/St_Johns",
            "2026-11-22T12:00:00Z",
            "2026-11-23T03:30:29Z",
            "2026-11-23T03:30:30Z",
        ),
    ] {
        let desk = zoned(zone, &[8], time(start));
        assert_eq!(desk.book.exposure(time(before)), money(8), "{zone}");
        assert_eq!(desk.book.exposure(time(after)), money(2), "{zone}");
    }
    // Where hours are keyed by UTC, India's day begins at 18:00: from 30 s before that on, what
    // stands counts for it.
    for (lowered, expected) in [("17:59:29", 2), ("17:59:31", 5)] {
        let mut desk = zoned("Asia/Kolkata", &[8], time("2026-11-22T12:00:00Z"));
        let second = (time(&format!("2026-11-22T{lowered}Z")) - at(0)).num_seconds();
        desk.look(second - 1, &[5]);
        desk.look(second, &[2]);
        desk.look(second + 60, &[2]);
        assert_eq!(
            desk.book.exposure(time("2026-11-22T18:30:30Z")),
            money(expected),
            "{lowered}"
        );
    }
}

#[test]
fn i1_a_raise_just_before_midnight_leaves_the_next_day_within_the_cap() {
    let mut desk = Desk::new(plain(10), MIDNIGHT - 3_700, &[6, 4]);
    desk.admit(1, 0, 0, MIDNIGHT - 3_600);
    desk.answer(1, applied(0), MIDNIGHT - 3_590);
    desk.look(MIDNIGHT - 3_580, &[0, 4]);
    assert_eq!(
        desk.book.ceiling(&key(1), at(MIDNIGHT + 29)),
        Some(money(4))
    );
    assert_eq!(
        desk.book.ceiling(&key(1), at(MIDNIGHT + 30)),
        Some(money(10))
    );
    assert!(matches!(
        desk.propose(2, 1, 5, MIDNIGHT + 29),
        Reply::Refused(_)
    ));
    desk.admit(3, 1, 10, MIDNIGHT + 30);
    assert_eq!(desk.exposure(MIDNIGHT + 30), 10);
}

/// Found by simulation: a clock that had run back by hours showed the old day for hours into the
/// new one, and what stood then was counted for the wrong day.
#[test]
fn i1_a_clock_that_ran_back_may_be_behind() {
    let behind = 5_400;
    let noon = MIDNIGHT / 2;
    let back = |second: i64| second - behind;
    let mut desk = Desk::new(plain(10), noon, &[4, 4]);
    desk.look(back(noon + 60), &[4, 4]);
    // An hour after midnight by the platforms' clock, and before it by ours.
    desk.admit(1, 0, 1, back(MIDNIGHT + 3_600));
    desk.answer(1, applied(1), back(MIDNIGHT + 3_601));
    desk.look(back(MIDNIGHT + 3_700), &[1, 4]);
    // The first stood at 4 in the new day too: the second may go to 6, and no higher.
    let later = back(MIDNIGHT + 7_200);
    assert_eq!(desk.exposure(later), 8);
    assert_eq!(desk.book.ceiling(&key(1), at(later)), Some(money(6)));
    let (first, last) = desk.book.dates(at(back(MIDNIGHT + 3_600)));
    assert_eq!(last, first.succ_opt().unwrap());
    // Two days later it is believed again.
    let (first, last) = desk.book.dates(at(back(3 * MIDNIGHT)));
    assert_eq!(first, last);
    // However far it runs back, it may be two dates and not three.
    let mut desk = Desk::new(plain(10), 9 * MIDNIGHT, &[4, 4]);
    desk.take(5 * MIDNIGHT + 6 * 3_600);
    let (first, last) = desk.book.dates(at(5 * MIDNIGHT + 6 * 3_600));
    assert_eq!(first, last);
    let (first, last) = desk.book.dates(at(5 * MIDNIGHT + 13 * 3_600));
    assert_eq!(last, first.succ_opt().unwrap());
}

#[test]
fn a_clock_is_doubted_for_two_days_and_only_beyond_the_skew() {
    let two_dates = |desk: &Desk, second: i64| {
        let (first, last) = desk.book.dates(at(second));
        first != last
    };
    let late = 6 * MIDNIGHT - 60; // a minute before midnight
    let mut desk = Desk::new(plain(10), 5 * MIDNIGHT, &[4]);
    desk.take(5 * MIDNIGHT + 1 - 30); // by the skew, that is, not at all
    assert!(!two_dates(&desk, late));
    desk.take(5 * MIDNIGHT - 29 - 31);
    assert!(two_dates(&desk, late));
    // It is doubted for two days, to the second. A minute before midnight it is doubted last.
    let since = 4 * MIDNIGHT - 60;
    let mut desk = Desk::new(plain(10), since + 599, &[4]);
    desk.take(since);
    assert!(two_dates(&desk, since + 2 * MIDNIGHT - 1));
    assert!(!two_dates(&desk, since + 2 * MIDNIGHT));
}
