//! What a request costs, in memory.

use std::time::Instant;

use gaelp_ledger::{Ledger, MemoryLedger, Request};
use pollster::block_on;

use crate::support::{Desk, applied, at, id, plain};

/// An hour of three ad sets: a reading, three proposals, three answers.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
#[ignore = "a measurement: run it in release mode, alone"]
fn what_a_request_costs() {
    let store = MemoryLedger::new();
    let mut ledger = block_on(Ledger::open(plain(1_000).validate().unwrap(), store)).unwrap();
    let take = Request::Take {
        runner: "x".into(),
        at: at(0),
    };
    block_on(ledger.execute(take)).unwrap();
    let desk = Desk {
        book: ledger.book().clone(),
        epoch: ledger.book().epoch(),
    };
    let (hours, start) = (20_000, Instant::now());
    let mut requests = 0;
    for hour in 0..hours {
        let second = 10 + hour * 3_600;
        let budget = 100 + hour % 2;
        let seen = desk.seen(second, second, &[budget; 3]);
        block_on(ledger.execute(Request::Observe(seen))).unwrap();
        for ad_set in 0..3 {
            let number = usize::try_from(hour).unwrap() * 3 + ad_set;
            let proposal = desk.proposal(number, ad_set, 100 + (hour + 1) % 2, second + 1);
            block_on(ledger.execute(Request::Admit(proposal))).unwrap();
            let answer = Request::Answer {
                intent: id(number),
                answer: applied(100 + (hour + 1) % 2),
                at: at(second + 2),
            };
            block_on(ledger.execute(answer)).unwrap();
        }
        requests += 7;
    }
    println!("{requests} requests: {:?} each", start.elapsed() / requests);
    let store = ledger.into_store();
    let start = Instant::now();
    let entries = u32::try_from(store.len()).unwrap();
    let again = block_on(Ledger::open(plain(1_000).validate().unwrap(), store)).unwrap();
    println!(
        "{entries} entries followed: {:?} each",
        start.elapsed() / entries
    );
    assert_eq!(again.book().all_open().count(), 3);
}
