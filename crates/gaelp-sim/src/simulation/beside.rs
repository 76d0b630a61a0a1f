//! What the auditor sums by itself: campaigns, phases, policies on trial.

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::{AdSetKey, DecisionId, HourSpan, Micros, Rounding, UtcHour};
use gaelp_guardrails::rules;
use gaelp_rollout::{ActionRecord, Record, TrialRecord};

use super::perform::is_first;
use super::{Runner, Simulation};
use crate::Violation;
use crate::spent::Campaign;

impl Simulation {
    /// Looks at the records of a step: what was taken in, what was decided, what was tried.
    pub(super) fn check_beside(&mut self, runner: &mut Runner, records: &[Record]) {
        let rules = &self.scenario.rollout.guardrails;
        let caps = (rules.campaign_daily_cap, rules.hourly_raise_caps.campaign);
        let mut tried = BTreeSet::new();
        let mut raised: BTreeMap<(UtcHour, AdSetKey), i64> = BTreeMap::new();
        for record in records {
            match record {
                Record::Metrics(row) if caps.0.is_some() => runner.spent.note(row),
                Record::Trial(trial) => {
                    tried.insert(trial.decision);
                    self.note_trial(trial);
                }
                Record::Action(action) if is_first(action) => {
                    self.check_trial(action, &tried);
                    if caps == (None, None) {
                        continue;
                    }
                    let decision = &action.decision;
                    let Some(campaign) = Campaign::of(&self.scenario.world, &decision.key) else {
                        continue;
                    };
                    if let Some(cap) = caps.0 {
                        self.check_campaign(runner, action, &campaign, cap);
                    }
                    if let Some(name) = campaign.name() {
                        let more = decision.allowed.get() - decision.current.get();
                        let place = (decision.span.from, name.clone());
                        *raised.entry(place).or_default() += more.max(0);
                    }
                }
                _ => {}
            }
        }
        for ((_, key), raised) in raised {
            if let Some(most) = caps.1.filter(|most| raised > most.get()) {
                let found = Violation::CampaignRaises { key, raised, most };
                self.violations.push(found);
            }
        }
        runner.spent.forget_before(self.border.world().hour());
    }

    /// I4: what a campaign is known to have spent today, and an hour of what is allowed, are at
    /// most its cap.
    fn check_campaign(
        &mut self,
        runner: &Runner,
        action: &ActionRecord,
        campaign: &Campaign,
        cap: Micros,
    ) {
        let decision = &action.decision;
        let zone = self.scenario.rollout.zone;
        let now = decision.span.from;
        let Some(day) = zone.day(zone.local(now).date) else {
            return;
        };
        let spent = runner.spent.of(campaign, HourSpan::new(day.from, now));
        let left = (cap.get() - spent).max(0);
        self.counters.branch("campaign/checked");
        // Of an ad set that was in no list yet nobody knows a campaign: it is only not raised.
        let held = !runner.spent.knows(&decision.key) && decision.allowed <= decision.current;
        if decision.allowed.get() > left && !held {
            self.violations.push(Violation::Campaign {
                key: decision.key.clone(),
                allowed: decision.allowed,
                left,
            });
        }
    }

    fn note_trial(&mut self, trial: &TrialRecord) {
        for reason in &trial.observed {
            self.counters.branch("trial/observed");
            if rules::ALWAYS_ENFORCED.contains(&reason.rule) {
                let key = trial.key.clone();
                self.violations.push(Violation::Trial { key });
            }
        }
        if let Some(tried) = &trial.candidate {
            *self.counters.tried.entry(tried.verdict.level).or_insert(0) += 1;
        }
    }

    /// Whoever is on trial is asked about every decision, before it is carried out.
    fn check_trial(&mut self, action: &ActionRecord, tried: &BTreeSet<DecisionId>) {
        let on_trial = self.scenario.rollout.candidate.is_some();
        if on_trial && !tried.contains(&action.decision.id) {
            let key = action.decision.key.clone();
            self.violations.push(Violation::Trial { key });
        }
    }

    /// I10: after a raise, what may stand for the canary list is within the phase.
    pub(super) fn check_phase(&mut self, runner: &Runner, key: &AdSetKey) {
        let config = &self.scenario.rollout;
        let share = config.phase.share_of_cap();
        let cap = config.guardrails.daily_cap;
        let Some(most) = cap.checked_scale(share, Rounding::Down) else {
            return;
        };
        if most >= cap {
            return;
        }
        let listed = config.guardrails.canary.as_ref();
        let named = |key: &AdSetKey| listed.is_some_and(|list| list.contains(&key.ad_set));
        let at = runner.now(self.border.world().now());
        let mut sum = Micros::ZERO;
        for (key, standing) in runner.book().lines(at) {
            let open = standing.open.iter().map(|intent| intent.to);
            let budget = open.chain(standing.confirmed).max().unwrap_or_default();
            if named(key) {
                sum = sum.checked_add(budget).unwrap_or(Micros::MAX);
            }
        }
        self.counters.branch("phase/checked");
        if sum > most {
            self.violations.push(Violation::Phase {
                key: key.clone(),
                budgets: sum,
                most,
            });
        }
    }
}
