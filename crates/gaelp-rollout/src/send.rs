//! From a decision to a write.

use chrono::{DateTime, Duration, Utc};
use gaelp_core::{AdSetKey, Decision, HourSpan, Level, Micros, Platform};
use gaelp_guardrails::rules;
use gaelp_ledger::{Proposal, Request};
use gaelp_platform::SetBudget;

use crate::ad_set::HOURS_PER_DAY;
use crate::desk::Write;
use crate::facts::Candidate;
use crate::{ActionRecord, ActionStatus, Alert, AlertKind, Command, Mode, Record, Rollout, seeded};

/// A write that the ledger is to admit.
pub(crate) struct Planned {
    pub(crate) platform: Platform,
    pub(crate) request: SetBudget,
    /// Whether it asks for more than what stands.
    pub(crate) raise: bool,
}

/// What a decision means for the platform.
enum Sending {
    /// The budget is already there.
    Nothing,
    /// The platform's published limits do not allow it.
    Refused,
    /// Set the daily budget to this.
    Budget(Micros),
}

impl Rollout {
    /// Whether an ad set may be written to.
    pub(crate) fn is_canary(&self, key: &AdSetKey) -> bool {
        let list = self.guardrails().config().canary.as_ref();
        seeded::may_write(list.is_some_and(|list| list.contains(&key.ad_set)))
    }

    /// Logs a decision, and plans its write where this rollout has the authority to.
    pub(crate) fn carry_out(
        &mut self,
        decision: Decision,
        candidate: &Candidate,
        records: &mut Vec<Record>,
        planned: &mut Vec<Planned>,
    ) {
        let key = decision.key.clone();
        let (id, hour) = (decision.id, decision.span.from);
        let mut action = Box::new(ActionRecord {
            decision,
            mode: self.config.mode,
            status: ActionStatus::Shadow,
            sent: None,
            read_back: None,
        });
        let writes = self.config.mode == Mode::Pilot && self.desk.is_current();
        if !writes || !self.is_canary(&key) {
            records.push(Record::Action(action));
            return;
        }
        match self.budget_to_send(&action.decision, candidate) {
            Sending::Nothing => {
                action.status = ActionStatus::Unchanged;
                if let Some(ad_set) = self.ad_sets.get_mut(&key)
                    && ad_set.in_flight.is_empty()
                {
                    ad_set.mark_executed(id);
                }
            }
            Sending::Refused => {
                action.status = ActionStatus::Rejected;
                let (kind, subject) = (AlertKind::WriteRejected, key.to_string());
                records.push(Record::Alert(Alert {
                    at: hour,
                    kind,
                    subject,
                }));
            }
            Sending::Budget(daily_budget) => {
                action.status = ActionStatus::Pending;
                action.sent = Some(daily_budget);
                self.note_pending(&action, candidate.in_force);
                let standing = self.desk.book().confirmed(&key);
                planned.push(Planned {
                    platform: key.platform.clone(),
                    raise: standing.is_none_or(|standing| daily_budget > standing),
                    request: SetBudget {
                        key,
                        daily_budget,
                        decision: id,
                    },
                });
            }
        }
        records.push(Record::Action(action));
    }

    fn note_pending(&mut self, action: &ActionRecord, in_force: Micros) {
        let decision = &action.decision;
        let today = self.config.zone.local(decision.span.from).date;
        let Some(ad_set) = self.ad_sets.get_mut(&decision.key) else {
            return;
        };
        ad_set.in_flight.push(action.clone());
        // What a cap cut today goes back tomorrow, to what really ran.
        if cut_by_cap(decision) {
            ad_set.note_cap_cut(today, in_force);
        }
    }

    fn budget_to_send(&self, decision: &Decision, candidate: &Candidate) -> Sending {
        let found = self
            .ad_sets
            .get(&decision.key)
            .zip(self.sources.get(&decision.key.platform));
        let Some((ad_set, source)) = found else {
            return Sending::Nothing;
        };
        let Some(daily) = decision
            .allowed
            .checked_mul(seeded::hours_per_day(HOURS_PER_DAY))
        else {
            return Sending::Refused;
        };
        // What the ledger has not heard of cannot be lowered: to it, it would be a raise.
        let standing = self.desk.book().confirmed(&decision.key);
        if decision.allowed <= candidate.in_force && standing.is_none_or(|known| daily > known) {
            return Sending::Nothing;
        }
        // While a write is not settled, only what a cap or the kill switch asks for is sent, below
        // everything that may stand: every further write puts off the settling.
        let open = self.desk.book().open(&decision.key);
        let least_open = open.iter().map(|intent| intent.to).min();
        let changed = decision.allowed != candidate.in_force;
        if !changed && least_open.is_none_or(|open| open <= daily) {
            return Sending::Nothing;
        }
        let urgent = decision.level == Level::Kill || cut_by_cap(decision);
        let below_open = |budget: Micros| least_open.is_none_or(|open| urgent && budget < open);
        match source.capabilities.accept(daily) {
            Ok(budget) if Some(budget) == ad_set.budget && least_open.is_none() => Sending::Nothing,
            Ok(budget) if below_open(budget) => Sending::Budget(budget),
            Ok(_) => Sending::Nothing,
            // What must go lower than the platform can goes as low as it can.
            Err(_) => match source
                .capabilities
                .accept(source.capabilities.minimum_daily_budget)
            {
                Ok(least)
                    if below_open(least)
                        && ad_set.budget.is_some_and(|standing| least < standing) =>
                {
                    Sending::Budget(least)
                }
                _ => Sending::Refused,
            },
        }
    }

    /// Asks the ledger for leave to write.
    pub(crate) fn admit(
        &mut self,
        now: DateTime<Utc>,
        span: HourSpan,
        planned: Planned,
    ) -> Option<Command> {
        let within = Duration::seconds(i64::from(self.config.send_within_secs));
        let not_after = (now + within).min(span.to.start());
        let Planned {
            platform, request, ..
        } = planned;
        let proposal = Proposal {
            epoch: self.desk.epoch()?,
            id: request.decision,
            key: request.key.clone(),
            to: request.daily_budget,
            policy: self.policy_hash(),
            at: now,
            not_after,
        };
        let write = Write {
            platform,
            request,
            not_after: seeded::send_by(not_after),
        };
        self.desk.admitting.insert(proposal.id, write);
        Some(Command::Ledger(Box::new(Request::Admit(proposal))))
    }
}

/// Whether what an account or an ad set may still spend today bound a decision.
fn cut_by_cap(decision: &Decision) -> bool {
    let caps = [
        rules::DAILY_CAP,
        rules::ACCOUNT_SHARE,
        rules::AD_SET_DAILY_CAP,
        rules::PLATFORM_DAILY_CAP,
        rules::CAMPAIGN_DAILY_CAP,
    ];
    let binding = decision.binding.as_ref();
    binding.is_some_and(|rule| caps.contains(rule)) && decision.allowed < decision.current
}
