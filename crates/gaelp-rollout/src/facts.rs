//! What the rules are told about an ad set.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gaelp_core::{AdSetKey, HourSpan, LocalHour, Micros, Platform, Ratio, Rounding, UtcHour};
use gaelp_guardrails::{
    Bid, BreakerPhase, Context, Expected, Exploration, Health, LastKnownGood, Operator, Policy,
    Raised, SpentToday, Traffic, UsualSpend, Window, Writes,
};
use gaelp_ledger::{Outlook, Refusal};
use gaelp_platform::CampaignId;
use serde::{Deserialize, Serialize};

use crate::ad_set::{AdSet, HOURS_PER_DAY};
use crate::campaigns::{self, ByCampaign};
use crate::trial::spike_weeks;
use crate::{Mode, Rollout, seeded};

/// An ad set that is to be decided upon.
pub(crate) struct Candidate {
    pub(crate) key: AdSetKey,
    /// The rate in force.
    pub(crate) in_force: Micros,
    pub(crate) spent_today: Micros,
    /// Its part of what the account may still spend.
    pub(crate) share: Micros,
    /// What does not change while a step decides.
    pub(crate) known: Known,
}

/// What is known of an ad set before anything is decided.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known {
    writes: Writes,
    usual: Option<UsualSpend>,
    window: Option<Window>,
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
    /// By campaign, where a rule asks.
    campaign_spent: Option<ByCampaign>,
    campaign_raised: Option<ByCampaign>,
    traffic: Option<Traffic>,
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
        let mut rules = rollout.policies().map(Policy::config);
        let campaigns = rules.any(campaigns::are_asked);
        let mut campaign_spent = campaigns.then(ByCampaign::default);
        for candidate in candidates {
            if let Some(sums) = &mut campaign_spent {
                let (key, spent) = (&candidate.key, candidate.spent_today);
                sums.add(&key.platform, rollout.campaign(key), seeded::spent(spent));
            }
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
            campaign_spent,
            campaign_raised: campaigns.then(ByCampaign::default),
            traffic: rollout.traffic(span),
            killed: false,
            paused: false,
            emergency: None,
            clock_trouble: rollout.clock.ran_back,
            breakers: sources
                .map(|(p, source)| (p.clone(), source.breaker.phase(clock)))
                .collect(),
            room: room(rollout, clock, candidates),
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
    pub(crate) fn note_raise(
        &mut self,
        platform: &Platform,
        campaign: Option<&CampaignId>,
        from: Micros,
        to: Micros,
    ) {
        let Some(raise) = to.checked_sub(from).filter(|raise| *raise > Micros::ZERO) else {
            return;
        };
        self.raised = self.raised.checked_add(raise).unwrap_or(Micros::MAX);
        let sum = self.platform_raised.entry(platform.clone()).or_default();
        *sum = sum.checked_add(raise).unwrap_or(Micros::MAX);
        if let Some(sums) = &mut self.campaign_raised {
            sums.add(platform, campaign, seeded::raised(raise));
        }
    }

    /// How far an ad set may go back to what it had before a cap cut it: what the phase leaves.
    pub(crate) fn may_return_to(&self, candidate: &Candidate, before: Micros) -> Micros {
        let most = self.room.map(|room| candidate.in_force.checked_add(room));
        most.map_or(before, |most| before.min(most.unwrap_or(before)))
    }

    /// What is known for certain to have been spent by an ad set's campaign. What may belong to it
    /// stops raises; only this can be a violation.
    pub(crate) fn certain_of_campaign(&self, key: &AdSetKey, ad_set: &AdSet) -> Option<Micros> {
        let campaign = ad_set.details.campaign.as_ref()?;
        let sums = self.campaign_spent.as_ref()?;
        Some(sums.certain(&key.platform, campaign))
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
        let campaign = ad_set.details.campaign.as_ref();
        let of_campaign = |sums: &Option<ByCampaign>| {
            let (sums, name) = sums.as_ref().zip(campaign)?;
            Some(sums.most(platform, name))
        };
        let rules = rollout.guardrails().config();
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
                campaign: of_campaign(&self.campaign_spent),
                ad_set: Some(candidate.spent_today),
            },
            share: Some(candidate.share),
            target_today: Some(rollout.config.daily_budget_target),
            raised: Raised {
                account: Some(self.raised),
                platform: self.platform_raised.get(platform).copied().or(zero),
                campaign: of_campaign(&self.campaign_raised),
                // It is decided once in an hour.
                ad_set: zero,
            },
            writes: candidate.known.writes,
            traffic: self.traffic,
            expected: Expected {
                cpa: rollout.config.target_cpa,
                ..Expected::default()
            },
            usual: candidate.known.usual,
            window: candidate.known.window,
            // Nothing but budgets is proposed.
            bid: ad_set.details.bid.map(|bid| Bid {
                current: bid,
                proposed: bid,
            }),
            audience: ad_set.audience(rules),
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

    /// What [`Guardrails::exceeded`](gaelp_guardrails::Guardrails::exceeded) looks at.
    pub(crate) fn spent_context<'a>(
        &self,
        candidate: &'a Candidate,
        ad_set: &'a AdSet,
    ) -> Context<'a> {
        let platform = &candidate.key.platform;
        Context {
            spent: SpentToday {
                account: Some(self.account_spent),
                platform: self.platform_spent.get(platform).copied(),
                campaign: self.certain_of_campaign(&candidate.key, ad_set),
                ad_set: Some(candidate.spent_today),
            },
            ..Context::new(
                &candidate.key,
                self.span,
                self.local,
                candidate.in_force,
                &ad_set.trailing,
                self.span.from,
            )
        }
    }

    /// Looks up what does not change while a step decides.
    pub(crate) fn look_up(&self, rollout: &Rollout, candidates: &mut [Candidate]) {
        let outlook = rollout.desk.book().outlook(self.clock);
        let rules = rollout.guardrails().config();
        let weeks = spike_weeks(rules);
        for candidate in candidates {
            if let Some(ad_set) = rollout.ad_sets.get(&candidate.key) {
                candidate.known = Known {
                    writes: self.writes(rollout, outlook, candidate, ad_set),
                    usual: ad_set.usual_spend(weeks),
                    window: Some(
                        ad_set
                            .trailing
                            .window(self.span.from, rules.roas_window_hours),
                    ),
                };
            }
        }
    }

    fn writes(
        &self,
        rollout: &Rollout,
        outlook: Outlook<'_>,
        candidate: &Candidate,
        ad_set: &AdSet,
    ) -> Writes {
        let key = &candidate.key;
        let book = rollout.desk.book();
        let sent = book.open(key).iter().map(|intent| intent.to).min();
        let barred = outlook.raise_barred(key);
        let admitted = match barred {
            None => headroom(outlook, key),
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

/// The highest hourly rate that the ledger would admit for an ad set that may be raised.
fn headroom(outlook: Outlook<'_>, key: &AdSetKey) -> Option<Micros> {
    let most = outlook.ceiling_where_raised(key)?;
    most.checked_div(HOURS_PER_DAY, Rounding::Down)
}

/// What the phase leaves to each ad set of the canary list, beyond what it has. A write that is not
/// settled counts as done.
fn room(rollout: &Rollout, clock: DateTime<Utc>, candidates: &[Candidate]) -> Option<Micros> {
    let share = rollout.config.phase.share_of_cap();
    let cap = rollout.guardrails().config().daily_cap;
    if rollout.config.mode != Mode::Pilot || share >= Ratio::ONE {
        return None;
    }
    let named = candidates
        .iter()
        .filter(|candidate| rollout.is_canary(&candidate.key));
    let mut runs: BTreeMap<&AdSetKey, Micros> = BTreeMap::new();
    for candidate in named {
        let daily = candidate.in_force.checked_mul(HOURS_PER_DAY);
        runs.insert(&candidate.key, daily.unwrap_or(Micros::MAX));
    }
    let count = i64::try_from(runs.len()).unwrap_or(i64::MAX);
    for (key, standing) in rollout.desk.book().lines(clock) {
        let most = seeded::counted(&standing);
        if let Some(most) = most.filter(|_| rollout.is_canary(key)) {
            let daily = runs.entry(key).or_default();
            *daily = most.max(*daily);
        }
    }
    // What does not fit leaves nothing.
    let sum = Micros::checked_sum(runs.into_values());
    let left = cap
        .checked_scale(share, Rounding::Down)
        .zip(sum)
        .and_then(|(may, runs)| may.checked_sub(runs))
        .and_then(|left| {
            left.checked_div(HOURS_PER_DAY.checked_mul(count.max(1))?, Rounding::Down)
        });
    Some(left.unwrap_or_default().max(Micros::ZERO))
}
