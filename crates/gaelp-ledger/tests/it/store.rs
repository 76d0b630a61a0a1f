//! The ledger over its store: several processes, failures, and stores that break their promise.

use async_trait::async_trait;
use gaelp_ledger::contract::{self, Breach, StoreError};
use gaelp_ledger::{
    Answer, Book, ChainError, Decide, Epoch, Ledger, LedgerError, LedgerStore, MemoryLedger, Order,
    Refusal, Reply, Request, Sealed, StoreFailed, StoreFault,
};
use pollster::block_on;

use crate::support::{Desk, at, id, key, plain};

const NOON: i64 = 43_200;

fn open(store: &MemoryLedger) -> Ledger<MemoryLedger> {
    block_on(Ledger::open(plain(10).validate().unwrap(), store.clone())).unwrap()
}

fn ask(ledger: &mut Ledger<MemoryLedger>, request: Request) -> Reply {
    block_on(ledger.execute(request)).unwrap()
}

fn take(second: i64) -> Request {
    Request::Take {
        runner: "test".into(),
        at: at(second),
    }
}

/// A ledger that was taken over and read, and a desk that only writes requests.
fn ready(store: &MemoryLedger) -> (Ledger<MemoryLedger>, Desk) {
    let mut ledger = open(store);
    ask(&mut ledger, take(NOON));
    let mut desk = Desk {
        book: ledger.book().clone(),
        epoch: ledger.book().epoch(),
    };
    let seen = desk.seen(NOON + 1, NOON + 1, &[4, 3]);
    ask(&mut ledger, Request::Observe(seen));
    desk.epoch = ledger.book().epoch();
    (ledger, desk)
}

#[test]
fn memory_keeps_its_promise() {
    let store = MemoryLedger::new();
    assert!(store.is_empty() && store.log().is_empty());
    block_on(contract::keeps(|| store.clone())).unwrap();
    // Seven payloads one by one, and four times three.
    assert!(!store.is_empty());
    assert_eq!((store.len(), store.log().len()), (19, 19));
    let places = store.log().into_iter().map(|sealed| sealed.seq);
    assert!(places.eq(1..=19));
    let used = block_on(contract::keeps(|| store.clone()));
    assert_eq!(used, Err(StoreError::Broken(Breach::NotEmpty)));
    let store = MemoryLedger::new();
    store.fail_next(StoreFault::Before);
    let failed = block_on(contract::keeps(|| store.clone()));
    assert_eq!(
        failed,
        Err(StoreError::Failed(StoreFailed(StoreFault::Before)))
    );
}

/// A way to break the promise.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    Forgets,
    Truncates,
    Trims,
    HandsAll,
    HandsBackwards,
    SkipsOne,
    KeepsFirstOnly,
    AppendsNothing,
    AppendsTwice,
    LosesHashes,
    NeverAsks,
    OwnLog,
}

#[derive(Clone, Debug)]
struct Flawed {
    flaw: Flaw,
    store: MemoryLedger,
}

#[async_trait]
impl LedgerStore for Flawed {
    type Error = StoreFailed;

    async fn transact(&mut self, after: u64, decide: Decide<'_>) -> Result<(), StoreFailed> {
        let flaw = self.flaw;
        if matches!(flaw, Flaw::NeverAsks) {
            return Ok(());
        }
        let after = match flaw {
            Flaw::HandsAll => 0,
            Flaw::SkipsOne if after > 0 => after + 1,
            _ => after,
        };
        let mut flawed = |mut entries: Vec<Sealed>| {
            if matches!(flaw, Flaw::HandsBackwards) {
                entries.reverse();
            }
            let mut appended = decide(entries);
            match flaw {
                Flaw::Truncates => {
                    for sealed in &mut appended {
                        sealed.payload.truncate(1 << 16);
                    }
                }
                Flaw::Trims => {
                    for sealed in &mut appended {
                        sealed.payload = sealed.payload.trim().to_owned();
                    }
                }
                Flaw::KeepsFirstOnly => appended.truncate(1),
                Flaw::AppendsNothing => appended.clear(),
                Flaw::AppendsTwice => appended.extend(appended.clone()),
                Flaw::LosesHashes => {
                    for sealed in &mut appended {
                        sealed.hash.0[31] = 0;
                    }
                }
                _ => {}
            }
            appended
        };
        self.store.transact(after, &mut flawed).await
    }
}

#[test]
fn every_flaw_is_found() {
    for flaw in [
        Flaw::Truncates,
        Flaw::Trims,
        Flaw::HandsAll,
        Flaw::HandsBackwards,
        Flaw::SkipsOne,
        Flaw::KeepsFirstOnly,
        Flaw::AppendsNothing,
        Flaw::AppendsTwice,
        Flaw::LosesHashes,
    ] {
        let store = MemoryLedger::new();
        let open = || Flawed {
            flaw,
            store: store.clone(),
        };
        let found = block_on(contract::keeps(open));
        assert_eq!(found, Err(StoreError::Broken(Breach::Handed)), "{flaw:?}");
    }
    let flaw = Flaw::NeverAsks;
    let store = MemoryLedger::new();
    let found = block_on(contract::keeps(|| Flawed {
        flaw,
        store: store.clone(),
    }));
    assert_eq!(found, Err(StoreError::Broken(Breach::NotAsked)));
    // Each handle its own log.
    let flaw = Flaw::OwnLog;
    let found = block_on(contract::keeps(|| Flawed {
        flaw,
        store: MemoryLedger::new(),
    }));
    assert_eq!(found, Err(StoreError::Broken(Breach::Handed)));
    // The third handle finds nothing.
    let flaw = Flaw::Forgets;
    let (store, mut opened) = (MemoryLedger::new(), 0);
    let found = block_on(contract::keeps(|| {
        opened += 1;
        let store = if opened < 3 {
            store.clone()
        } else {
            MemoryLedger::new()
        };
        Flawed { flaw, store }
    }));
    assert_eq!(found, Err(StoreError::Broken(Breach::NotKept)));
}

#[test]
fn i5_a_second_process_fences_the_first() {
    let store = MemoryLedger::new();
    let (mut one, desk) = ready(&store);
    let mut two = open(&store);
    assert_eq!(two.book(), one.book());
    let epoch = Epoch::new(2);
    assert_eq!(ask(&mut two, take(NOON + 2)), Reply::Taken { epoch });
    // The first has not heard of it, and is told by the transaction.
    assert_eq!(one.book().epoch(), Epoch::new(1));
    let reply = ask(&mut one, Request::Admit(desk.proposal(1, 0, 3, NOON + 3)));
    assert_eq!(reply, Reply::Refused(Refusal::Fenced { current: epoch }));
    assert_eq!(one.book(), two.book());
    // Its answers are facts all the same, and so is an operator's word.
    let kill = Request::Order {
        order: Order::Kill,
        by: "ada".into(),
        at: at(NOON + 4),
    };
    assert_eq!(ask(&mut one, kill), Reply::Ordered);
    assert!(!two.book().operator().killed);
    assert!(block_on(two.refresh()).unwrap().operator().killed);
    assert_eq!(store.len(), 4);
}

#[test]
fn i3_after_a_failure_the_request_can_be_repeated() {
    for (fault, appended) in [
        (StoreFault::Before, false),
        (StoreFault::Torn, false),
        (StoreFault::After, true),
    ] {
        let store = MemoryLedger::new();
        let (mut ledger, desk) = ready(&store);
        let (before, length) = (ledger.book().clone(), store.len());
        let request = Request::Admit(desk.proposal(1, 0, 6, NOON + 3));
        store.fail_next(fault);
        let failed = block_on(ledger.execute(request.clone()));
        assert_eq!(failed, Err(LedgerError::Store(StoreFailed(fault))));
        assert_eq!(ledger.book(), &before);
        assert_eq!(store.len(), length + usize::from(appended), "{fault:?}");
        let mut restarted = open(&store);
        assert_eq!(restarted.book().open(&key(0)).len(), usize::from(appended));
        let reply = ask(&mut ledger, request);
        if appended {
            assert_eq!(reply, Reply::Refused(Refusal::Known { intent: id(1) }));
        } else {
            assert!(matches!(reply, Reply::Admitted(_)), "{reply:?}");
        }
        assert_eq!(ledger.book().open(&key(0)).len(), 1);
        assert_eq!(ledger.book(), block_on(restarted.refresh()).unwrap());
        assert_eq!(store.len(), length + 1);
    }
}

#[test]
fn faults_come_in_the_order_they_were_asked_for() {
    let store = MemoryLedger::new();
    store.pass_next();
    store.fail_next(StoreFault::After);
    let mut ledger = open(&store); // passes
    assert!(block_on(ledger.execute(take(NOON))).is_err());
    let epoch = Epoch::new(2);
    assert_eq!(ask(&mut ledger, take(NOON)), Reply::Taken { epoch });
    store.fail_next(StoreFault::Before);
    assert!(block_on(ledger.refresh()).is_err());
    assert!(block_on(ledger.refresh()).is_ok());
    assert_eq!(
        StoreFailed(StoreFault::Torn).to_string(),
        "the store failed: Torn"
    );
}

#[test]
fn i9_a_damaged_log_is_refused_and_nothing_is_added() {
    let store = MemoryLedger::new();
    let (mut ledger, desk) = ready(&store);
    ask(
        &mut ledger,
        Request::Admit(desk.proposal(1, 0, 6, NOON + 3)),
    );
    let log = ledger.into_store().log();
    for place in 0..log.len() {
        let mut damaged = log.clone();
        damaged[place].payload = damaged[place].payload.replacen("2026", "2025", 1);
        let store = MemoryLedger::with_log(damaged.clone());
        let opened = block_on(Ledger::open(plain(10).validate().unwrap(), store.clone()));
        let seq = place as u64 + 1;
        let expected = ChainError::Hash { seq };
        assert_eq!(opened.unwrap_err(), LedgerError::Chain(expected.clone()));
        // The same for a ledger that has followed the log up to there.
        let good = MemoryLedger::with_log(log[..place].to_vec());
        let mut book = Book::new(plain(10).validate().unwrap());
        for sealed in &log[..place] {
            book.follow(sealed).unwrap();
        }
        let mut ledger = open(&good);
        assert_eq!(ledger.book(), &book);
        let mut shared = good;
        let mut damage = |_: Vec<Sealed>| damaged[place..].to_vec();
        block_on(shared.transact(0, &mut damage)).unwrap();
        let error = block_on(ledger.execute(take(NOON + 9))).unwrap_err();
        assert_eq!(error, LedgerError::Chain(expected.clone()));
        assert_eq!(
            block_on(ledger.refresh()).unwrap_err(),
            LedgerError::Chain(expected)
        );
        assert_eq!((ledger.book(), shared.len()), (&book, log.len()));
    }
}

#[test]
fn a_store_that_does_nothing_is_found_out() {
    let flawed = Flawed {
        flaw: Flaw::NeverAsks,
        store: MemoryLedger::new(),
    };
    let opened = block_on(Ledger::open(plain(10).validate().unwrap(), flawed.clone()));
    assert_eq!(opened.unwrap_err(), LedgerError::NotDecided);
    let flawed = Flawed {
        flaw: Flaw::Forgets,
        ..flawed
    };
    let mut ledger = block_on(Ledger::open(plain(10).validate().unwrap(), flawed)).unwrap();
    block_on(ledger.execute(take(NOON))).unwrap();
    let mut store = ledger.into_store();
    store.flaw = Flaw::NeverAsks;
    let mut nothing = |entries| entries;
    assert_eq!(block_on(store.transact(0, &mut nothing)), Ok(()));
}

#[test]
fn stores_work_behind_pointers() {
    let store = MemoryLedger::new();
    let mut boxed: Box<dyn LedgerStore<Error = StoreFailed>> = Box::new(store.clone());
    let limits = plain(10).validate().unwrap();
    let mut ledger = block_on(Ledger::open(limits.clone(), &mut boxed)).unwrap();
    block_on(ledger.execute(take(NOON))).unwrap();
    assert_eq!(store.len(), 1);
    let ledger = block_on(Ledger::open(limits, boxed)).unwrap();
    assert_eq!(ledger.book().epoch(), Epoch::new(1));
}

#[test]
fn refusals_add_nothing_and_still_catch_up() {
    let store = MemoryLedger::new();
    let (mut one, desk) = ready(&store);
    let mut two = open(&store);
    ask(&mut two, Request::Admit(desk.proposal(1, 0, 6, NOON + 3)));
    let unknown = Request::Answer {
        intent: id(9),
        answer: Answer::Unknown,
        at: at(NOON + 4),
    };
    let length = store.len();
    let reply = ask(&mut one, unknown);
    assert_eq!(
        reply,
        Reply::Refused(Refusal::UnknownIntent { intent: id(9) })
    );
    assert_eq!((store.len(), one.book()), (length, two.book()));
}
