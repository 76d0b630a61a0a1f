//! What is admitted, what is refused, and why; each bound to the micro and to the second.

mod barred;
mod domain;
mod headroom;

use gaelp_ledger::{Refusal, Reply, Request};

use crate::support::{Desk, at, id, key, money, plain};

/// Noon: far from any midnight.
const NOON: i64 = 43_200;

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
