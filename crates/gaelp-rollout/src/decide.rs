//! One step's decisions.

use chrono::{DateTime, Duration, Utc};
use gaelp_core::{
    AdSetKey, Decision, DecisionId, EndKind, HourSpan, Level, Micros, Operand, Platform, Reason,
    Rounding, RuleId, split,
};
use gaelp_guardrails::{Context, LastKnownGood, Verdict, rules};
use gaelp_ledger::{Proposal, Request};
use gaelp_platform::SetBudget;

use crate::ad_set::HOURS_PER_DAY;
use crate::desk::Write;
use crate::strategy::Raise;
use crate::{
    Action, ActionRecord, ActionStatus, Alert, AlertKind, Command, ExperienceRecord, Mode, Record,
    Rollout, STATE_SCHEMA,
};

/// No raise while the result of an earlier write is not known.
pub const UNRESOLVED_WRITE: RuleId = RuleId::new("unresolved_write");

/// A write that the ledger is to admit.
struct Planned {
    platform: Platform,
    request: SetBudget,
    /// Whether it asks for more than what stands.
    raise: bool,
}

/// What the account has spent today, and an ad set's part of what is left.
struct Spent {
    account: Micros,
    share: Micros,
}

/// An ad set that is to be decided upon.
struct Candidate {
    key: AdSetKey,
    current: Micros,
    spent_today: Micros,
}

impl Rollout {
    /// Decides about every ad set whose rate is known, in the order of their keys; says what to
    /// ask the ledger to admit, decreases first.
    pub(crate) fn decide(
        &mut self,
        clock: DateTime<Utc>,
        span: HourSpan,
        records: &mut Vec<Record>,
    ) -> Vec<Command> {
        let now = span.from;
        let mut writes = Vec::new();
        let midnight = self.days.today(span).from.min(now);
        let mut candidates = Vec::with_capacity(self.ad_sets.len());
        let mut account_spent = Some(Micros::ZERO);
        for (key, ad_set) in &self.ad_sets {
            let Some(current) = ad_set.rate(now) else {
                continue;
            };
            let spent = ad_set.spent_since(midnight, now, ad_set.worst_rate(current));
            account_spent = account_spent
                .zip(spent)
                .and_then(|(sum, part)| sum.checked_add(part));
            let spent_today = spent.unwrap_or(Micros::MAX);
            candidates.push(Candidate {
                key: key.clone(),
                current,
                spent_today,
            });
        }
        // A sum that does not fit is certainly past every cap.
        let account_spent = account_spent.unwrap_or(Micros::MAX);
        let shares = self.shares(&candidates, account_spent);
        for (candidate, share) in candidates.into_iter().zip(shares) {
            let spent = Spent {
                account: account_spent,
                share,
            };
            let decision = self.decide_one(clock, span, &candidate, &spent, records);
            if let Some(decision) = decision {
                self.carry_out(decision, records, &mut writes);
            }
        }
        writes.sort_by_key(|write| write.raise);
        writes
            .into_iter()
            .filter_map(|write| self.admit(clock, span, write))
            .collect()
    }

    /// Asks the ledger for leave to write.
    fn admit(&mut self, now: DateTime<Utc>, span: HourSpan, write: Planned) -> Option<Command> {
        let within = Duration::seconds(i64::from(self.config.send_within_secs));
        let not_after = (now + within).min(span.to.start());
        let request = Request::Admit(Proposal {
            epoch: self.desk.epoch()?,
            id: write.request.decision,
            key: write.request.key.clone(),
            to: write.request.daily_budget,
            policy: self.policy,
            at: now,
            not_after,
        });
        let write = Write {
            platform: write.platform,
            request: write.request,
            not_after,
        };
        self.desk.admitting.insert(write.request.decision, write);
        Some(Command::Ledger(Box::new(request)))
    }

    /// What the account may still spend today, split in proportion to the rates in force, each
    /// taken as at least the floor, so that an ad set at zero can start.
    fn shares(&self, candidates: &[Candidate], account_spent: Micros) -> Vec<Micros> {
        let rules = self.guardrails.config();
        let left = rules
            .daily_cap
            .checked_sub(account_spent)
            .unwrap_or(Micros::ZERO)
            .max(Micros::ZERO);
        let weight = |c: &Candidate| u64::try_from(c.current.max(rules.hourly_floor).get());
        let weights: Vec<u64> = candidates.iter().map(|c| weight(c).unwrap_or(0)).collect();
        split(left, &weights)
            .or_else(|_| split(left, &vec![1; candidates.len()]))
            .unwrap_or_default()
    }

    fn decide_one(
        &mut self,
        clock: DateTime<Utc>,
        span: HourSpan,
        candidate: &Candidate,
        spent: &Spent,
        records: &mut Vec<Record>,
    ) -> Option<Decision> {
        let now = span.from;
        let local = self.config.zone.local(now);
        let killed = self.told.killed || self.desk.book().operator().killed;
        let (margin, lambda) = (self.config.margin, self.lambda);
        let ad_set = self.ad_sets.get_mut(&candidate.key)?;
        let current = ad_set.base(candidate.current, local.date);
        let day_ago = ad_set.note_rate(now, current);
        let known_good = ad_set.known_good.unwrap_or(current);
        let context = Context {
            key: &candidate.key,
            span,
            local,
            current,
            day_ago,
            account_spent_today: spent.account,
            account_share: spent.share,
            ad_set_spent_today: candidate.spent_today,
            trailing: &ad_set.trailing,
            now,
            memory: ad_set.memory,
            kill: killed.then_some(LastKnownGood { rate: known_good }),
        };
        let open = self.desk.book().open(&candidate.key);
        let unresolved = open.iter().map(|intent| intent.to).min();
        let raise = if unresolved.is_none() && self.guardrails.may_raise(&context) {
            Raise::Allowed
        } else {
            Raise::Forbidden
        };
        let id = decision_id(&candidate.key, span);
        let choice = ad_set
            .learner
            .select(&self.strategy, raise, self.config.seed, id);
        let multiplier = self.strategy.multiplier(choice.arm);
        let proposed = current
            .checked_scale(multiplier, Rounding::Down)
            .unwrap_or(current);
        let mut verdict = self.guardrails.evaluate(&context, proposed);
        if let Some(sent) = unresolved {
            hold_while_unresolved(&mut verdict, current, sent);
        }
        ad_set.memory = verdict.memory;
        // Being outside of the peak hours says nothing against a rate.
        let wrong = |r: &Reason| r.level >= Level::Freeze && r.rule != rules::PEAK_HOURS;
        if !verdict.reasons.iter().any(wrong) {
            ad_set.known_good = Some(current);
        }
        let action = Action {
            multiplier,
            allowed: verdict.allowed,
            executed: false,
        };
        let decision = Decision {
            id,
            key: candidate.key.clone(),
            span,
            choice,
            current,
            proposed,
            normalised: verdict.normalised,
            allowed: verdict.allowed,
            level: verdict.level,
            binding: verdict.binding,
            reasons: verdict.reasons,
        };
        let experience = Box::new(ExperienceRecord {
            decision: id,
            key: candidate.key.clone(),
            span,
            choice,
            state: ad_set.state(now, local, current, spent.account, lambda),
            action,
            reward: Micros::ZERO,
            cost: Micros::ZERO,
            next_state: None,
            end: EndKind::Truncated,
            schema: STATE_SCHEMA,
            touchpoints: Vec::new(),
        });
        ad_set.await_outcome(experience, lambda, margin, records);
        Some(decision)
    }

    /// Logs a decision, and sends it where this rollout has the authority to.
    fn carry_out(
        &mut self,
        decision: Decision,
        records: &mut Vec<Record>,
        writes: &mut Vec<Planned>,
    ) {
        let key = decision.key.clone();
        let canary = &self.guardrails.config().canary;
        let named = canary
            .as_ref()
            .is_some_and(|list| list.contains(&key.ad_set));
        let mut action = Box::new(ActionRecord {
            decision,
            mode: self.config.mode,
            status: ActionStatus::Shadow,
            sent: None,
            read_back: None,
        });
        if self.config.mode == Mode::Pilot && named && self.desk.is_current() {
            let now = action.decision.span.from;
            match self.budget_to_send(&action.decision) {
                Sending::Nothing => {
                    action.status = ActionStatus::Unchanged;
                    let decision = &action.decision;
                    if let Some(ad_set) = self.ad_sets.get_mut(&key)
                        && ad_set.in_flight.is_none()
                    {
                        ad_set.mark_executed(decision.id);
                    }
                }
                Sending::Refused => {
                    action.status = ActionStatus::Rejected;
                    let (kind, subject) = (AlertKind::WriteRejected, key.to_string());
                    records.push(Record::Alert(Alert {
                        at: now,
                        kind,
                        subject,
                    }));
                }
                Sending::Budget(daily_budget) => {
                    action.status = ActionStatus::Pending;
                    action.sent = Some(daily_budget);
                    let decision = action.decision.id;
                    let local = self.config.zone.local(now).date;
                    if let Some(ad_set) = self.ad_sets.get_mut(&key) {
                        ad_set.in_flight = Some(action.clone());
                        // What a cap cut today is remembered until a later day has lifted it.
                        if cut_by_cap(&action.decision) && ad_set.cap_cut.is_none() {
                            ad_set.cap_cut = Some((local, action.decision.current));
                        }
                    }
                    let raise = self
                        .desk
                        .book()
                        .confirmed(&key)
                        .is_none_or(|standing| daily_budget > standing);
                    let platform = key.platform.clone();
                    let request = SetBudget {
                        key,
                        daily_budget,
                        decision,
                    };
                    writes.push(Planned {
                        platform,
                        request,
                        raise,
                    });
                }
            }
        }
        records.push(Record::Action(action));
    }

    fn budget_to_send(&self, decision: &Decision) -> Sending {
        let Some(ad_set) = self.ad_sets.get(&decision.key) else {
            return Sending::Nothing;
        };
        let Some(source) = self.source(&decision.key.platform) else {
            return Sending::Nothing;
        };
        // One open intent per ad set: what an unresolved write did must be known first.
        let changed = Some(decision.allowed) != ad_set.rate(decision.span.from);
        if !changed || ad_set.in_flight.is_some() {
            return Sending::Nothing;
        }
        let Some(daily) = decision.allowed.checked_mul(HOURS_PER_DAY) else {
            return Sending::Refused;
        };
        match source.capabilities.accept(daily) {
            Ok(budget) if Some(budget) == ad_set.budget => Sending::Nothing,
            Ok(budget) => Sending::Budget(budget),
            // What must go lower than the platform can goes as low as it can.
            Err(_) => match source
                .capabilities
                .accept(source.capabilities.minimum_daily_budget)
            {
                Ok(least) if ad_set.budget.is_some_and(|standing| least < standing) => {
                    Sending::Budget(least)
                }
                _ => Sending::Refused,
            },
        }
    }
}

/// Whether what an account or an ad set may still spend today bound a decision.
fn cut_by_cap(decision: &Decision) -> bool {
    let caps = [
        rules::DAILY_CAP,
        rules::ACCOUNT_SHARE,
        rules::AD_SET_DAILY_CAP,
    ];
    decision
        .binding
        .as_ref()
        .is_some_and(|rule| caps.contains(rule))
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

fn hold_while_unresolved(verdict: &mut Verdict, current: Micros, sent: Micros) {
    let sent_rate = sent
        .checked_div(HOURS_PER_DAY, Rounding::Down)
        .unwrap_or(current);
    let ceiling = current.min(sent_rate);
    if verdict.allowed > ceiling {
        verdict.allowed = ceiling;
        verdict.binding = Some(UNRESOLVED_WRITE);
    }
    verdict.level = verdict.level.max(Level::Freeze);
    verdict.reasons.push(Reason {
        rule: UNRESOLVED_WRITE,
        level: Level::Freeze,
        ceiling: Some(ceiling),
        observed: Operand::Money(sent_rate),
        threshold: Operand::Money(current),
    });
}

/// The same ad set and hours always have the same decision id.
fn decision_id(key: &AdSetKey, span: HourSpan) -> DecisionId {
    let parts: [&[u8]; 4] = [
        key.platform.as_str().as_bytes(),
        key.ad_set.as_str().as_bytes(),
        &span.from.get().to_le_bytes(),
        &span.to.get().to_le_bytes(),
    ];
    DecisionId::derive_at(span.from, &parts)
}
