//! What the rules are told about an ad set.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gaelp_core::{AdSetKey, HourSpan, LocalHour, Micros, Platform, Ratio, Rounding, UtcHour};
use gaelp_guardrails::{
    BreakerPhase, Context, Exploration, Health, LastKnownGood, Operator, Raised, SpentToday, Writes,
};
use gaelp_ledger::Refusal;
use serde::{Deserialize, Serialize};

use crate::ad_set::{AdSet, HOURS_PER_DAY};
use crate::{Mode, Rollout, seeded};

/// An ad set that is to be decided upon.
pub(crate) struct Candidate {
    pub(crate) key: AdSetKey,
    /// The rate in force.
    pub(crate) in_force: Micros,
    pub(crate) spent_today: Micros,
    /// Its part of what the account may still spend.
    pub(crate) share: Micros,
}

/// What holds for all ad sets of a step.
pub(crate) struct Common {
    pub(crate) clock: DateTime<Utc>,
    pub(crate) span: HourSpan,
    pub(crate) local: LocalHour,
    pub(crate) account_spent: Micros,
    pub(crate) platform_spent: BTreeMap<Platform, Micros>,
    /// What was raised so far in this step, as hourly rates.
    pub(crate) raised: Micros,
    pub(crate) platform_raised: BTreeMap<Platform, Micros>,
    killed: bool,
    paused: bool,
    emergency: Option<UtcHour>,
    clock_trouble: bool,
    breakers: BTreeMap<Platform, BreakerPhase>,
    /// By how much each ad set of the canary list may be raised in this phase, as an hourly rate;
    /// `None` where the phase has no bound of its own.
    room: Option<Micros>,
    explored: Explored,
}

/// What explorations put at risk in a local day, over what would have run without them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Explored {
    pub(crate) date: Option<NaiveDate>,
    pub(crate) at_risk: Micros,
}

impl Explored {
    /// Money at risk on a day.
    pub(crate) fn on(self, date: NaiveDate) -> Self {
        if self.date == Some(date) {
            return self;
        }
        Self {
            date: Some(date),
            at_risk: Micros::ZERO,
        }
    }
}

impl Common {
    pub(crate) fn new(
        rollout: &Rollout,
        clock: DateTime<Utc>,
        span: HourSpan,
        candidates: &[Candidate],
        account_spent: Micros,
    ) -> Self {
        let local = rollout.config.zone.local(span.from);
        let mut platform_spent: BTreeMap<Platform, Micros> = BTreeMap::new();
        for candidate in candidates {
            let sum = platform_spent
                .entry(candidate.key.platform.clone())
                .or_default();
            *sum = sum
                .checked_add(candidate.spent_today)
                .unwrap_or(Micros::MAX);
        }
        let sources = rollout.sources.iter();
        let mut common = Self {
            clock,
            span,
            local,
            account_spent,
            platform_spent,
            raised: Micros::ZERO,
            platform_raised: BTreeMap::new(),
            killed: false,
            paused: false,
            emergency: None,
            clock_trouble: rollout.clock.ran_back,
            breakers: sources
                .map(|(p, source)| (p.clone(), source.breaker.phase(clock)))
                .collect(),
            room: room(rollout, candidates),
            explored: rollout.explored.on(local.date),
        };
        common.note_orders(rollout);
        common
    }

    /// Notes what operators said last, and whether there is an emergency.
    pub(crate) fn note_orders(&mut self, rollout: &Rollout) {
        let operator = seeded::ordered(rollout.desk.book().operator());
        self.killed = rollout.told.killed || operator.killed;
        self.paused = rollout.told.paused || operator.paused;
        self.emergency = rollout.emergency.since();
    }

    /// Notes what a decision raised.
    pub(crate) fn note_raise(&mut self, platform: &Platform, from: Micros, to: Micros) {
        let Some(raise) = to.checked_sub(from).filter(|raise| *raise > Micros::ZERO) else {
            return;
        };
        self.raised = self.raised.checked_add(raise).unwrap_or(Micros::MAX);
        let sum = self.platform_raised.entry(platform.clone()).or_default();
        *sum = sum.checked_add(raise).unwrap_or(Micros::MAX);
    }

    /// Everything that the rules look at, with changes counted from `current`.
    pub(crate) fn context<'a>(
        &self,
        rollout: &Rollout,
        candidate: &'a Candidate,
        ad_set: &'a AdSet,
        current: Micros,
        explores: bool,
    ) -> Context<'a> {
        let platform = &candidate.key.platform;
        let zero = Some(Micros::ZERO);
        let last_good = || LastKnownGood {
            rate: ad_set.known_good.unwrap_or(candidate.in_force),
        };
        Context {
            day_ago: ad_set.rate_a_day_before(self.span.from),
            memory: ad_set.memory,
            spent: SpentToday {
                account: Some(self.account_spent),
                platform: self.platform_spent.get(platform).copied(),
                campaign: None,
                ad_set: Some(candidate.spent_today),
            },
            share: Some(candidate.share),
            target_today: Some(rollout.config.daily_budget_target),
            raised: Raised {
                account: Some(self.raised),
                platform: self.platform_raised.get(platform).copied().or(zero),
                campaign: None,
                // It is decided once in an hour.
                ad_set: zero,
            },
            writes: self.writes(rollout, candidate, ad_set),
            usual: ad_set.usual_spend(rollout.spike_weeks()),
            exploration: explores.then_some(Exploration {
                at_risk_today: self.explored.at_risk,
            }),
            operator: Operator {
                kill: self.killed.then(last_good),
                paused: self.paused,
                emergency: self.emergency,
            },
            health: Health {
                breaker: self.breakers.get(platform).copied(),
                clock_trouble: self.clock_trouble,
            },
            ..Context::new(
                &candidate.key,
                self.span,
                self.local,
                current,
                &ad_set.trailing,
                self.span.from,
            )
        }
    }

    fn writes(&self, rollout: &Rollout, candidate: &Candidate, ad_set: &AdSet) -> Writes {
        let book = rollout.desk.book();
        let sent = book
            .open(&candidate.key)
            .iter()
            .map(|intent| intent.to)
            .min();
        let barred = book.raise_barred(&candidate.key, self.clock);
        let admitted = match barred {
            None => rollout.desk.headroom(&candidate.key, self.clock),
            Some(_) => None,
        };
        let phase = self
            .room
            .and_then(|room| candidate.in_force.checked_add(room));
        let pilot = rollout.config.mode == Mode::Pilot;
        Writes {
            headroom: [admitted, phase].into_iter().flatten().min(),
            unresolved: sent.and_then(|sent| sent.checked_div(HOURS_PER_DAY, Rounding::Down)),
            reconciled: pilot.then(|| {
                let unseen = matches!(
                    barred,
                    Some(Refusal::Unreconciled | Refusal::UnknownAdSet { .. })
                );
                rollout.desk.is_current() && !unseen
            }),
            external_edit: ad_set.external_edit,
            edits_last_hour: Some(ad_set.edits_since(self.clock - TimeDelta::hours(1))),
        }
    }
}

/// What the phase leaves to each ad set of the canary list, beyond what it has.
fn room(rollout: &Rollout, candidates: &[Candidate]) -> Option<Micros> {
    let share = rollout.config.phase.share_of_cap();
    let cap = rollout.guardrails().config().daily_cap;
    if rollout.config.mode != Mode::Pilot || share >= Ratio::ONE {
        return None;
    }
    let named = candidates
        .iter()
        .filter(|candidate| rollout.is_canary(&candidate.key));
    let (mut count, mut runs) = (0_i64, Some(Micros::ZERO));
    for candidate in named {
        count += 1;
        let daily = candidate.in_force.checked_mul(HOURS_PER_DAY);
        runs = runs
            .zip(daily)
            .and_then(|(sum, daily)| sum.checked_add(daily));
    }
    let may = cap.checked_scale(share, Rounding::Down)?;
    let left = may
        .checked_sub(runs?)
        .unwrap_or(Micros::ZERO)
        .max(Micros::ZERO);
    left.checked_div(HOURS_PER_DAY * count.max(1), Rounding::Down)
}
