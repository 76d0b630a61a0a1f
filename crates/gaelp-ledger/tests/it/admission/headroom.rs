//! What the cap leaves room for, to the micro.

use gaelp_core::{AccountZone, AdSetKey, Micros, Platform, Ratio};
use gaelp_ledger::{LedgerConfig, MAX_AMOUNT, Refusal, Reply, Request, Spent};

use super::NOON;
use crate::support::{Desk, applied, at, key, money, plain};

/// The refusal of a raise that could cost too much.
fn headroom(exposure: i64, cap: i64, most: i64) -> Refusal {
    Refusal::Headroom {
        exposure: money(exposure),
        cap: money(cap),
        most: money(most),
    }
}

#[test]
fn i1_a_raise_is_admitted_up_to_the_micro_that_the_cap_leaves() {
    let mut desk = Desk::new(plain(10), NOON, &[4, 3]);
    assert_eq!(desk.exposure(NOON + 2), 7);
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 2)), Some(money(7)));
    assert_eq!(desk.refused(1, 0, 8, NOON + 2), headroom(11, 10, 7));
    desk.admit(1, 0, 7, NOON + 2);
    assert_eq!(desk.exposure(NOON + 2), 10);
    assert_eq!(desk.book.ceiling(&key(1), at(NOON + 2)), Some(money(3)));
    assert_eq!(desk.refused(2, 1, 4, NOON + 2), headroom(11, 10, 3));
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
    assert_eq!(desk.refused(1, 0, 4, NOON + 2), headroom(6, 5, 3));
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
    assert_eq!(desk.refused(2, 0, 3, NOON + 5), headroom(12, 10, 2));
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
    let refusal = headroom(Micros::MAX.get(), MAX_AMOUNT.get(), 1);
    assert_eq!(reply, Reply::Refused(refusal));
}

#[test]
fn i8_no_ceiling_is_above_the_largest_amount() {
    let config =
        LedgerConfig::new(AccountZone::UTC, MAX_AMOUNT).with_platform(Platform::Meta, Ratio::ONE);
    let desk = Desk::new(config, NOON, &[1]);
    assert_eq!(desk.book.ceiling(&key(0), at(NOON + 2)), Some(MAX_AMOUNT));
}
