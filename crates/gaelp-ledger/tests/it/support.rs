//! What several tests use.

use chrono::{DateTime, TimeDelta, Utc};
use gaelp_core::{AccountZone, AdSetKey, DecisionId, Micros, Platform, Ratio};
use gaelp_ledger::{
    Answer, Book, BudgetsRead, Change, Epoch, LedgerConfig, Observation, Order, PolicyHash,
    Proposal, Refusal, Reply, Request,
};

/// An instant by its seconds from a midnight in UTC.
pub(crate) fn at(second: i64) -> DateTime<Utc> {
    const MIDNIGHT: i64 = 1_795_305_600; // 2026-11-22
    DateTime::from_timestamp(MIDNIGHT + second, 0).unwrap()
}

/// Some milliseconds after that.
pub(crate) fn at_milli(second: i64, millis: i64) -> DateTime<Utc> {
    at(second) + TimeDelta::milliseconds(millis)
}

/// The ad set of a number.
pub(crate) fn key(number: usize) -> AdSetKey {
    AdSetKey::new(Platform::Meta, ["a", "b", "c"][number])
}

pub(crate) fn id(number: usize) -> DecisionId {
    DecisionId::new(number as u128)
}

pub(crate) fn money(micros: i64) -> Micros {
    Micros::new(micros)
}

/// One platform that never exceeds its budgets.
pub(crate) fn plain(cap: i64) -> LedgerConfig {
    let mut config =
        LedgerConfig::new(AccountZone::UTC, money(cap)).with_platform(Platform::Meta, Ratio::ONE);
    config.gone_after_secs = 0;
    config
}

/// How many cases to try: as many as said, or fewer where `GAELP_CASES` says so.
pub(crate) fn cases(all: u64) -> u64 {
    let said = std::env::var("GAELP_CASES").ok();
    said.map_or(all, |text| text.parse::<u64>().unwrap().min(all))
}

/// A book without a store, asked in few words.
pub(crate) struct Desk {
    pub(crate) book: Book,
    pub(crate) epoch: Epoch,
}

impl Desk {
    /// Taken over at a time, with budgets read a second later.
    pub(crate) fn new(config: LedgerConfig, second: i64, budgets: &[i64]) -> Self {
        let mut desk = Self {
            book: Book::new(config.validate().unwrap()),
            epoch: Epoch::NONE,
        };
        desk.take(second);
        desk.look(second + 1, budgets);
        desk
    }

    pub(crate) fn take(&mut self, second: i64) {
        let request = Request::Take {
            runner: "test".into(),
            at: at(second),
        };
        let Reply::Taken { epoch } = self.book.execute(&request) else {
            panic!("a takeover is answered by an epoch");
        };
        self.epoch = epoch;
    }

    /// What an observation would say; nothing is told yet.
    pub(crate) fn seen(&self, second: i64, began: i64, budgets: &[i64]) -> Observation {
        let budgets = budgets.iter().enumerate();
        Observation {
            epoch: self.epoch,
            at: at(second),
            reads: vec![BudgetsRead {
                platform: Platform::Meta,
                began: at(began),
                budgets: budgets
                    .filter(|(_, budget)| **budget >= 0) // below: not listed
                    .map(|(n, budget)| (key(n).ad_set, money(*budget)))
                    .collect(),
            }],
            spent: Vec::new(),
            known_good: Vec::new(),
        }
    }

    /// Reads and tells at once.
    pub(crate) fn look(&mut self, second: i64, budgets: &[i64]) -> Vec<Change> {
        self.tell(self.seen(second, second, budgets))
    }

    pub(crate) fn tell(&mut self, observation: Observation) -> Vec<Change> {
        match self.book.execute(&Request::Observe(observation)) {
            Reply::Observed { changes } => changes,
            reply => panic!("{reply:?}"),
        }
    }

    /// What would be replied; nothing is done.
    pub(crate) fn would(&self, request: &Request) -> Reply {
        match self.book.decide(request) {
            Ok((_, reply)) => reply,
            Err(refusal) => Reply::Refused(refusal),
        }
    }

    /// A proposal, to be sent within ten seconds.
    pub(crate) fn proposal(&self, number: usize, ad_set: usize, to: i64, second: i64) -> Proposal {
        Proposal {
            epoch: self.epoch,
            id: id(number),
            key: key(ad_set),
            to: money(to),
            policy: PolicyHash([7; 32]),
            at: at(second),
            not_after: at(second + 10),
        }
    }

    pub(crate) fn propose(&mut self, number: usize, ad_set: usize, to: i64, second: i64) -> Reply {
        let proposal = self.proposal(number, ad_set, to, second);
        self.book.execute(&Request::Admit(proposal))
    }

    pub(crate) fn admit(&mut self, number: usize, ad_set: usize, to: i64, second: i64) {
        let reply = self.propose(number, ad_set, to, second);
        assert!(matches!(reply, Reply::Admitted(_)), "{reply:?}");
    }

    pub(crate) fn refused(
        &mut self,
        number: usize,
        ad_set: usize,
        to: i64,
        second: i64,
    ) -> Refusal {
        match self.propose(number, ad_set, to, second) {
            Reply::Refused(refusal) => refusal,
            reply => panic!("{reply:?}"),
        }
    }

    pub(crate) fn answer(&mut self, number: usize, answer: Answer, second: i64) -> Reply {
        self.book.execute(&Request::Answer {
            intent: id(number),
            answer,
            at: at(second),
        })
    }

    pub(crate) fn order(&mut self, order: Order, second: i64) -> Reply {
        self.book.execute(&Request::Order {
            order,
            by: "ada".into(),
            at: at(second),
        })
    }

    pub(crate) fn exposure(&self, second: i64) -> i64 {
        self.book.exposure(at(second)).get()
    }

    pub(crate) fn open(&self, ad_set: usize) -> usize {
        self.book.open(&key(ad_set)).len()
    }

    pub(crate) fn confirmed(&self, ad_set: usize) -> Option<i64> {
        self.book.confirmed(&key(ad_set)).map(Micros::get)
    }
}

pub(crate) fn applied(budget: i64) -> Answer {
    Answer::Applied {
        daily_budget: money(budget),
    }
}
