//! The rollout's side of the spend ledger: what is asked of it, and what it last said.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros, Platform, Rounding};
use gaelp_ledger::{Book, Epoch, Limits, Refusal, Reply, Request};
use gaelp_platform::SetBudget;

use crate::ad_set::HOURS_PER_DAY;
use crate::{Command, Mode, RolloutConfig};

/// Whose word counts about money: the ledger's, as it was last heard.
///
/// In shadow mode the book is the rollout's own, so that what shadow shows is what pilot does. In
/// pilot mode it is a copy of the one that all runners share.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    book: Book,
    own: bool,
    epoch: Option<Epoch>,
    /// Whether this step's figures are in the book.
    current: bool,
    /// Whether another runner took over.
    fenced: bool,
    /// Asked, and not yet admitted.
    pub(crate) admitting: BTreeMap<DecisionId, Write>,
    /// Sent, and not yet answered.
    pub(crate) writing: BTreeMap<DecisionId, Write>,
    /// What became of these the ledger is being told.
    pub(crate) answering: BTreeSet<DecisionId>,
}

/// A write on its way.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) platform: Platform,
    pub(crate) request: SetBudget,
    pub(crate) not_after: DateTime<Utc>,
}

impl Desk {
    pub(crate) fn new(limits: Limits, config: &RolloutConfig) -> Self {
        Self {
            book: Book::new(limits),
            own: config.mode == Mode::Shadow,
            epoch: None,
            current: false,
            fenced: false,
            admitting: BTreeMap::new(),
            writing: BTreeMap::new(),
            answering: BTreeSet::new(),
        }
    }

    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    /// Whether the book is the rollout's own.
    pub(crate) fn is_own(&self) -> bool {
        self.own
    }

    /// The epoch under which this runner may ask; `None` where it may not.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.epoch.filter(|_| !self.fenced)
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.fenced
    }

    /// Whether the ledger knows this step's figures.
    pub(crate) fn is_current(&self) -> bool {
        self.current && self.epoch().is_some()
    }

    /// Whether nothing was asked that is not answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.admitting.is_empty() && self.writing.is_empty() && self.answering.is_empty()
    }

    /// Takes the ledger over, where this process has not yet.
    pub(crate) fn begin_step(
        &mut self,
        now: DateTime<Utc>,
        config: &RolloutConfig,
    ) -> Option<Command> {
        self.current = false;
        if self.epoch.is_some() || self.fenced {
            return None;
        }
        let runner = config.runner.clone();
        self.ask(Request::Take { runner, at: now })
    }

    /// A request as a command, or carried out at once where the book is the rollout's own.
    pub(crate) fn ask(&mut self, request: Request) -> Option<Command> {
        if !self.own {
            return Some(Command::Ledger(Box::new(request)));
        }
        self.carry_out(&request);
        None
    }

    /// Carries a request out on the rollout's own book.
    pub(crate) fn carry_out(&mut self, request: &Request) -> Reply {
        let reply = self.book.execute(request);
        self.hear(&reply);
        reply
    }

    /// Takes over what the shared ledger said.
    pub(crate) fn hear_shared(&mut self, reply: &Reply, book: Book) {
        self.book = book;
        self.hear(reply);
    }

    fn hear(&mut self, reply: &Reply) {
        match reply {
            Reply::Taken { epoch } => self.epoch = Some(*epoch),
            Reply::Observed { .. } => self.current = true,
            Reply::Refused(Refusal::Fenced { .. }) => self.fenced = true,
            _ => {}
        }
    }

    /// The highest rate that may be in force: a write that is not settled counts as done and as not
    /// done.
    pub(crate) fn worst_rate(&self, key: &AdSetKey, in_force: Micros) -> Micros {
        let open = self.book.open(key);
        let most = open.iter().map(|intent| intent.to).max();
        let rate = most.and_then(|budget| budget.checked_div(HOURS_PER_DAY, Rounding::Up));
        rate.map_or(in_force, |rate| rate.max(in_force))
    }
}
