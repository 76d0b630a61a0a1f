//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use gaelp_core::{AdSetKey, DecisionId, Level, Micros, RuleId, Seed, UtcHour};

use crate::Injected;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Of which seed.
    pub seed: Seed,
    /// A digest of everything that was decided, written and spent: equal runs have equal digests.
    pub hash: [u8; 32],
    /// A digest of what was decided alone.
    pub decided: [u8; 32],
    /// What occurred, and how often.
    pub counters: Counters,
    /// What must not have happened.
    pub violations: Vec<Violation>,
}

/// What occurred, and how often. A programme that never meets a branch proves nothing about it.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Faults that struck.
    pub injected: Injected,
    /// Simulated hours.
    pub hours: u64,
    /// Commands carried out.
    pub steps: u64,
    /// Decisions by level.
    pub levels: BTreeMap<Level, u64>,
    /// Rules that objected.
    pub rules: BTreeMap<RuleId, u64>,
    /// Verdicts of policies on trial by level.
    pub tried: BTreeMap<Level, u64>,
    /// Everything else: what the ledger said, what became of writes, alerts, recoveries.
    pub branches: BTreeMap<&'static str, u64>,
}

impl Counters {
    /// Counts a branch.
    pub fn branch(&mut self, name: &'static str) {
        *self.branches.entry(name).or_insert(0) += 1;
    }

    /// How often a branch was taken.
    pub fn of(&self, name: &str) -> u64 {
        self.branches.get(name).copied().unwrap_or(0)
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.injected.add(&other.injected);
        self.hours += other.hours;
        self.steps += other.steps;
        for (level, count) in &other.levels {
            *self.levels.entry(*level).or_insert(0) += count;
        }
        for (level, count) in &other.tried {
            *self.tried.entry(*level).or_insert(0) += count;
        }
        for (rule, count) in &other.rules {
            *self.rules.entry(rule.clone()).or_insert(0) += count;
        }
        for (name, count) in &other.branches {
            *self.branches.entry(name).or_insert(0) += count;
        }
    }
}

/// Something that must not happen, by the invariant that forbids it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// I1: the budgets that stood on a day can cost more than the cap and what people added.
    Cap {
        /// The day.
        date: NaiveDate,
        /// What they can cost.
        most: Micros,
        /// The cap, and what people's own edits explain.
        allowed: Micros,
    },
    /// I1: more was really spent.
    Spend {
        /// The day.
        date: NaiveDate,
        /// What was spent.
        spent: Micros,
        /// The cap, and what people's own edits explain.
        allowed: Micros,
    },
    /// I1: the ledger admitted a raise that its own exposure forbids.
    Exposure {
        /// For which ad set.
        key: AdSetKey,
        /// The exposure after it.
        exposure: Micros,
        /// The cap.
        cap: Micros,
    },
    /// I2: more stands than the ledger knows of.
    Live {
        /// Where.
        key: AdSetKey,
        /// What stands.
        live: Micros,
        /// The most that the ledger knows of.
        known: Micros,
        /// When.
        at: UtcHour,
    },
    /// I3: a write without an intent that was durable before, or not as the intent says.
    NoIntent {
        /// To which ad set.
        key: AdSetKey,
        /// For which decision.
        decision: DecisionId,
    },
    /// I3: an intent that was admitted has not come to an end, or to more than one.
    Ends {
        /// Which.
        decision: DecisionId,
        /// How many ends it had.
        ends: u32,
    },
    /// I3: an entry that was acknowledged is not in the log.
    LostEntry {
        /// How many should be there.
        acknowledged: u64,
        /// How many are.
        found: u64,
    },
    /// I4: more was sent than a rule's ceiling.
    Ceiling {
        /// To which ad set.
        key: AdSetKey,
        /// Whose ceiling.
        rule: RuleId,
        /// The daily budget sent.
        sent: Micros,
        /// The ceiling, per hour.
        ceiling: Micros,
    },
    /// I5: an intent was accepted under an epoch that was not current.
    OldEpoch {
        /// Which.
        decision: DecisionId,
    },
    /// I6: a raise while raises are barred.
    Raised {
        /// Where.
        key: AdSetKey,
        /// By what.
        barred: Barred,
        /// When.
        at: UtcHour,
    },
    /// I3: sent when its intent said that it must not be any more.
    SentLate {
        /// To which ad set.
        key: AdSetKey,
        /// For which decision.
        decision: DecisionId,
    },
    /// I2: a reading is said to have begun after it was asked for.
    ReadAhead,
    /// I4: a raise that uses up the edit which is kept for decreases.
    Edits {
        /// Of which ad set.
        key: AdSetKey,
    },
    /// I7: still above what the kill switch allows, hours after it was pulled.
    StillUp {
        /// Where.
        key: AdSetKey,
        /// What stands.
        live: Micros,
        /// What may.
        allowed: Micros,
    },
    /// I8: credits do not sum to the orders.
    Credits {
        /// What came in.
        orders: Micros,
        /// What was credited.
        credited: Micros,
    },
    /// I9: the same events, or the same log, gave something else.
    Replay {
        /// What was replayed.
        what: &'static str,
    },
    /// I10: a write outside of the canary list.
    Authority {
        /// Where.
        key: AdSetKey,
    },
    /// I10: the canary list was raised to more than the phase's share of the cap.
    Phase {
        /// With a raise of which ad set.
        key: AdSetKey,
        /// What they may all cost, as daily budgets.
        budgets: Micros,
        /// What the phase lets them.
        most: Micros,
    },
    /// I4: more was allowed than its campaign may still spend today.
    Campaign {
        /// To which ad set.
        key: AdSetKey,
        /// The rate that was allowed.
        allowed: Micros,
        /// What the campaign has left, in micros.
        left: i64,
    },
    /// I4: the ad sets of a campaign were raised by more in an hour than they may be together.
    CampaignRaises {
        /// An ad set of the campaign.
        key: AdSetKey,
        /// By how much, in micros.
        raised: i64,
        /// The most.
        most: Micros,
    },
    /// A policy was on trial, and was not asked about a decision, or was without being there.
    Trial {
        /// Of which ad set.
        key: AdSetKey,
    },
    /// I11: faster than the bounds on changes.
    TooFast {
        /// Where.
        key: AdSetKey,
        /// The daily budget sent.
        sent: Micros,
        /// The most that the bounds allow.
        bound: Micros,
    },
    /// The rollout refused an event that the calling rule allows.
    OutOfTurn {
        /// What it said.
        what: &'static str,
    },
    /// A configuration, checkpoint or platform was accepted that must be refused.
    Accepted {
        /// What.
        what: &'static str,
    },
    /// The platform's access token is in a record.
    Token,
    /// It could not be begun at all.
    Start,
    /// Hours without a fault, and it still does not work.
    Stuck {
        /// What does not.
        what: &'static str,
    },
}

/// What bars raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Barred {
    /// The kill switch.
    Killed,
    /// A pause.
    Paused,
    /// The newest report is too old.
    Stale,
    /// Too few of the last hours were reported.
    Thin,
    /// A rule's objection.
    Frozen,
    /// Another open intent of the ad set.
    Open,
    /// Another runner's take-over.
    Fenced,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
