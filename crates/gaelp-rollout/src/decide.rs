//! One step's decisions.

use chrono::{DateTime, Utc};
use gaelp_core::{
    AdSetKey, Choice, Decision, DecisionId, EndKind, HourSpan, Level, Micros, Ratio, Reason,
    Rounding, split,
};
use gaelp_guardrails::{Conduct, Verdict, rules};

use crate::ad_set::AdSet;
use crate::facts::{Candidate, Common, Known};
use crate::send::Planned;
use crate::strategy::Raise;
use crate::{
    Action, Alert, AlertKind, Command, ExperienceRecord, Mode, Order, Record, Rollout,
    STATE_SCHEMA, TrialRecord,
};

/// Whoever resumed the ledger; its log knows the name.
const OPERATOR: &str = "operator";

impl Rollout {
    /// Decides about every ad set whose rate is known, in the order of their keys; says what to
    /// ask the ledger to admit, decreases first.
    pub(crate) fn decide(
        &mut self,
        clock: DateTime<Utc>,
        span: HourSpan,
        records: &mut Vec<Record>,
    ) -> Vec<Command> {
        let (mut candidates, account_spent) = self.candidates(span);
        let mut common = Common::new(self, clock, span, &candidates, account_spent);
        let pause = self.watch_conduct(&common, &candidates, records);
        common.note_orders(self);
        common.look_up(self, &mut candidates);
        let mut planned = Vec::new();
        if let Some(given) = self.allow(span) {
            self.decide_paced(&mut common, &candidates, given, records, &mut planned);
        } else {
            self.decide_each(&mut common, &candidates, records, &mut planned);
        }
        planned.sort_by_key(|write: &Planned| write.raise);
        let admissions = planned
            .into_iter()
            .filter_map(|write| self.admit(clock, span, write));
        pause.into_iter().chain(admissions).collect()
    }

    /// Decides about every ad set by itself.
    fn decide_each(
        &mut self,
        common: &mut Common,
        candidates: &[Candidate],
        records: &mut Vec<Record>,
        planned: &mut Vec<Planned>,
    ) {
        for candidate in candidates {
            let Some(chosen) = self.choose(common, candidate) else {
                continue;
            };
            let proposal = Proposal::Multiplied;
            let decided = self.conclude(common, candidate, chosen, proposal, records);
            if let Some(decision) = decided {
                let platform = &candidate.key.platform;
                let campaign = self.campaign(&candidate.key);
                common.note_raise(platform, campaign, decision.current, decision.allowed);
                self.carry_out(decision, candidate, records, planned);
            }
        }
    }

    fn candidates(&self, span: HourSpan) -> (Vec<Candidate>, Micros) {
        let now = span.from;
        let midnight = self.days.today(span).from.min(now);
        let mut candidates = Vec::with_capacity(self.ad_sets.len());
        let mut account_spent = Some(Micros::ZERO);
        for (key, ad_set) in &self.ad_sets {
            let Some(in_force) = ad_set.rate(now) else {
                continue;
            };
            let worst = self.desk.worst_rate(key, in_force);
            let spent = ad_set.spent_since(midnight, now, worst);
            account_spent = account_spent
                .zip(spent)
                .and_then(|(sum, part)| sum.checked_add(part));
            candidates.push(Candidate {
                key: key.clone(),
                in_force,
                spent_today: spent.unwrap_or(Micros::MAX),
                share: Micros::ZERO,
                known: Known::default(),
            });
        }
        // A sum that does not fit is certainly past every cap.
        let account_spent = account_spent.unwrap_or(Micros::MAX);
        let shares = self.shares(&candidates, account_spent);
        for (candidate, share) in candidates.iter_mut().zip(shares) {
            candidate.share = share;
        }
        (candidates, account_spent)
    }

    /// What the account may still spend today, split in proportion to the rates in force, each
    /// taken as at least the floor, so that an ad set at zero can start.
    fn shares(&self, candidates: &[Candidate], account_spent: Micros) -> Vec<Micros> {
        let rules = self.guardrails().config();
        let left = rules
            .daily_cap
            .checked_sub(account_spent)
            .unwrap_or(Micros::ZERO)
            .max(Micros::ZERO);
        let weight = |c: &Candidate| u64::try_from(c.in_force.max(rules.hourly_floor).get());
        let weights: Vec<u64> = candidates.iter().map(|c| weight(c).unwrap_or(0)).collect();
        split(left, &weights)
            .or_else(|_| split(left, &vec![1; candidates.len()]))
            .unwrap_or_default()
    }

    /// A step in which a day's cap was found exceeded is a violation; several in a row are an
    /// emergency. It pauses the ledger too, so that whoever resumes that ends the emergency; in
    /// shadow mode it ends with its day.
    fn watch_conduct(
        &mut self,
        common: &Common,
        candidates: &[Candidate],
        records: &mut Vec<Record>,
    ) -> Option<Command> {
        if let Some(since) = self.emergency.since() {
            let resumed = self.desk.is_current() && !self.desk.book().operator().paused;
            // In shadow mode others hold the budgets, and nobody is asked to say that it is over:
            // a day that exceeded its cap says nothing about the next.
            let over = self.config.mode == Mode::Shadow
                && self.config.zone.local(since).date < common.local.date;
            if over {
                self.pass_on(common.clock, Order::Resume);
            }
            if over || (resumed && self.told.emergency_paused) {
                self.told.emergency_paused = false;
                self.emergency.rearm(OPERATOR.into(), common.span.from);
            }
        }
        let exceeded = candidates.iter().any(|candidate| {
            let Some(ad_set) = self.ad_sets.get(&candidate.key) else {
                return false;
            };
            let context = common.spent_context(candidate, ad_set);
            self.guardrails().exceeded(&context).is_some()
        });
        let conduct = if exceeded {
            Conduct::Violation
        } else {
            Conduct::Safe
        };
        let (before, at) = (self.emergency.since(), common.span.from);
        self.emergency.record(conduct, at);
        if before.is_some() || self.emergency.since().is_none() {
            return None;
        }
        let (kind, subject) = (AlertKind::Emergency, "account".to_owned());
        records.push(Record::Alert(Alert { at, kind, subject }));
        self.told.emergency_paused = self.desk.is_current();
        self.pass_on(common.clock, Order::Pause)
    }

    /// Lets an ad set's bandit choose its multiplier.
    pub(crate) fn choose(&mut self, common: &Common, candidate: &Candidate) -> Option<Chosen> {
        let key = &candidate.key;
        let (now, local) = (common.span.from, common.local);
        // Changes count from what is in force, or, after a day whose cap cut, from before that.
        let ad_set = self.ad_sets.get_mut(key)?;
        let restored = ad_set
            .before_the_cap(candidate.in_force, local.date)
            .map(|before| common.may_return_to(candidate, before));
        let current = restored.unwrap_or(candidate.in_force);
        ad_set.note_rate(now, current);

        let ad_set = self.ad_sets.get(key)?;
        let context = common.context(self, candidate, ad_set, current, false);
        let raise = if self.guardrails().may_raise(&context) {
            Raise::Allowed
        } else {
            Raise::Forbidden
        };
        let id = decision_id(key, common.span);
        let ad_set = self.ad_sets.get_mut(key)?;
        let choice = ad_set
            .learner
            .select(&self.strategy, raise, self.config.seed, id);
        Some(Chosen {
            id,
            current,
            restored: restored.is_some(),
            multiplier: self.strategy.multiplier(choice.arm),
            explores: self.strategy.explores(&ad_set.learner, choice.arm),
            choice,
        })
    }

    /// What the rules say of a proposal, and whether they found anything wrong.
    pub(crate) fn judge(
        &self,
        common: &Common,
        candidate: &Candidate,
        ad_set: &AdSet,
        chosen: &Chosen,
        proposal: Proposal,
    ) -> (Verdict, bool) {
        let context = common.context(self, candidate, ad_set, chosen.current, chosen.explores);
        let proposed = proposal.rate(chosen.current, chosen.multiplier);
        let verdict = self.guardrails().evaluate(&context, proposed);
        let found_wrong = verdict.reasons.iter().any(is_wrong);
        (verdict, found_wrong)
    }

    /// Lets the rules judge a proposal, and makes a decision of what they allow.
    pub(crate) fn conclude(
        &mut self,
        common: &Common,
        candidate: &Candidate,
        mut chosen: Chosen,
        proposal: Proposal,
        records: &mut Vec<Record>,
    ) -> Option<Decision> {
        let key = &candidate.key;
        let (now, local) = (common.span.from, common.local);
        let ad_set = self.ad_sets.get(key)?;
        let (mut verdict, mut wrong) = self.judge(common, candidate, ad_set, &chosen, proposal);
        if wrong && chosen.restored {
            // Going back to before the cap is a raise, and nothing is raised now.
            chosen.give_up(candidate.in_force);
            (verdict, wrong) = self.judge(common, candidate, ad_set, &chosen, proposal);
        } else if chosen.restored {
            self.ad_sets.get_mut(key)?.cap_cut = None;
        }
        let Chosen {
            id,
            current,
            choice,
            multiplier,
            explores,
            ..
        } = chosen;
        let ad_set = self.ad_sets.get(key)?;
        let context = || common.context(self, candidate, ad_set, current, explores);
        let trial = TrialRecord {
            decision: id,
            key: key.clone(),
            span: common.span,
            observed: std::mem::take(&mut verdict.observed),
            candidate: self.tried(ad_set, context, verdict.proposed),
        };
        self.note_trial(trial, records);
        if explores {
            self.note_exploration(common, current, verdict.allowed);
        }
        let ad_set = self.ad_sets.get_mut(key)?;
        ad_set.memory = verdict.memory;
        // Only what ran is known, not where a decision counts from.
        let ran = candidate.in_force.min(current);
        if !wrong {
            ad_set.known_good = Some(ran);
        } else if verdict.level == Level::Kill {
            // It latches: what a person raises afterwards goes back to where it came down to.
            ad_set.known_good = ad_set.known_good.map(|good| good.min(ran)).or(Some(ran));
        }
        let decision = decision(id, candidate, common.span, choice, current, verdict);
        let action = Action {
            multiplier,
            allowed: decision.allowed,
            executed: false,
        };
        let lambda = self.lambda;
        let experience = Box::new(ExperienceRecord {
            decision: id,
            key: key.clone(),
            span: common.span,
            choice,
            state: ad_set.state(now, local, current, common.account_spent, lambda),
            action,
            reward: Micros::ZERO,
            cost: Micros::ZERO,
            next_state: None,
            end: EndKind::Truncated,
            schema: STATE_SCHEMA,
            touchpoints: Vec::new(),
        });
        ad_set.await_outcome(experience, lambda, self.config.margin, records);
        Some(decision)
    }

    /// An exploration risks what it spends over what would have run, until midnight.
    fn note_exploration(&mut self, common: &Common, current: Micros, allowed: Micros) {
        let mut explored = self.explored.on(common.local.date);
        let hours = self
            .days
            .today(common.span)
            .to
            .since(common.span.from)
            .max(1);
        let more = allowed
            .checked_sub(current)
            .and_then(|more| more.max(Micros::ZERO).checked_mul(hours));
        let sum = more.and_then(|more| explored.at_risk.checked_add(more));
        explored.at_risk = sum.unwrap_or(Micros::MAX);
        self.explored = explored;
    }
}

/// What an ad set's bandit chose, and what that counts from.
pub(crate) struct Chosen {
    id: DecisionId,
    pub(crate) current: Micros,
    /// Whether that is the rate from before a cap cut it.
    pub(crate) restored: bool,
    pub(crate) choice: Choice,
    pub(crate) multiplier: Ratio,
    pub(crate) explores: bool,
}

impl Chosen {
    /// Counts from what is in force after all.
    pub(crate) fn give_up(&mut self, in_force: Micros) {
        (self.current, self.restored) = (in_force, false);
    }
}

/// What is proposed to the rules.
#[derive(Clone, Copy)]
pub(crate) enum Proposal {
    /// The rate that changes count from, times the multiplier.
    Multiplied,
    /// A rate.
    Rate(Micros),
}

impl Proposal {
    /// The rate.
    pub(crate) fn rate(self, current: Micros, multiplier: Ratio) -> Micros {
        match self {
            Self::Multiplied => {
                let proposed = current.checked_scale(multiplier, Rounding::Down);
                proposed.unwrap_or(current)
            }
            Self::Rate(rate) => rate,
        }
    }
}

/// Whether a reason says something against the ad set's rate. Being outside of the peak hours does
/// not.
fn is_wrong(reason: &Reason) -> bool {
    reason.level >= Level::Freeze
        && reason.rule != rules::PEAK_HOURS
        && reason.rule != rules::RESTRICTED_HOURS
}

fn decision(
    id: DecisionId,
    candidate: &Candidate,
    span: HourSpan,
    choice: Choice,
    current: Micros,
    verdict: Verdict,
) -> Decision {
    Decision {
        id,
        key: candidate.key.clone(),
        span,
        choice,
        current,
        proposed: verdict.proposed,
        normalised: verdict.normalised,
        allowed: verdict.allowed,
        level: verdict.level,
        binding: verdict.binding,
        reasons: verdict.reasons,
    }
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
