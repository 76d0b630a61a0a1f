//! Watches the records of a rollout go by and adds them up, in memory that grows with days and ad
//! sets but not with rows.

use std::collections::{BTreeMap, VecDeque};

use chrono::NaiveDate;
use gaelp::core::{
    AccountZone, AdSetKey, DecisionId, HourSpan, Level, Metrics, Micros, PropensityMethod,
    Quantity, Ratio, Rounding, RuleId, UtcHour,
};
use gaelp::rollout::{
    ActionRecord, ActionStatus, AlertKind, BudgetState, Credit, Mode, PlanOutcome, PlanRecord,
    Record, RevenueFrom, RolloutConfig, TrialRecord,
};

use crate::summary::{Cell, Example};

/// How many decisions of an ad set may await their report: a week of hours.
const AWAITED: usize = 24 * 7;

/// The sums of a run.
#[derive(Debug)]
pub(crate) struct Observer {
    zone: AccountZone,
    revenue: RevenueFrom,
    elasticity: f64,
    pub(crate) ad_sets: BTreeMap<AdSetKey, Seen>,
    pub(crate) days: BTreeMap<NaiveDate, DaySums>,
    /// Weekday × hour; only hourly rows count.
    pub(crate) week: Vec<Vec<Cell>>,
    pub(crate) decisions: Decisions,
    pub(crate) binding: BTreeMap<RuleId, u64>,
    pub(crate) objections: BTreeMap<RuleId, u64>,
    pub(crate) levels: BTreeMap<Level, u64>,
    pub(crate) examples: BTreeMap<RuleId, Example>,
    pub(crate) statuses: BTreeMap<&'static str, u64>,
    /// Writes that were not read back yet: at most one per ad set, and those that never will be.
    under_way: BTreeMap<DecisionId, ActionStatus>,
    pub(crate) alerts: BTreeMap<AlertKind, (u64, UtcHour, String)>,
    /// What of the shop's revenue was credited to ad sets.
    pub(crate) credited: Micros,
    pub(crate) plans: Plans,
    pub(crate) trial: Trial,
    pub(crate) experiences: u64,
    pub(crate) truncated: u64,
    pub(crate) least_propensity: Option<f64>,
    pub(crate) estimated_propensities: u64,
}

/// What had no say.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// How often each rule objected that is only observed.
    pub(crate) observed: BTreeMap<RuleId, u64>,
    /// The candidate's digest.
    pub(crate) policy: Option<String>,
    /// Decisions that it was asked about; in how many it would have allowed more or less.
    pub(crate) decisions: u64,
    pub(crate) more: u64,
    pub(crate) less: u64,
    /// What was allowed, and what it would have allowed: rates, summed over the decisions.
    pub(crate) allowed: Micros,
    pub(crate) would_allow: Micros,
    /// How often each of its rules objected.
    pub(crate) objections: BTreeMap<RuleId, u64>,
    /// What it said of the decision that is recorded next.
    next: Option<(DecisionId, Micros)>,
}

/// What was planned.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    pub(crate) planned: u64,
    pub(crate) infeasible: u64,
    pub(crate) fixed: u64,
    pub(crate) days: BTreeMap<NaiveDate, PlannedDay>,
    pub(crate) last: Option<PlanRecord>,
    /// What was allowed of the last one.
    pub(crate) allowed: BTreeMap<AdSetKey, Micros>,
}

/// What the steps of a day were given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PlannedDay {
    pub(crate) steps: u64,
    pub(crate) allowance: Micros,
    pub(crate) least: Ratio,
    pub(crate) most: Ratio,
    /// The sum of λ, in millionths.
    pub(crate) sum: i128,
}

/// What was decided, over all ad sets.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    pub(crate) all: u64,
    pub(crate) raised: u64,
    pub(crate) lowered: u64,
    pub(crate) held: u64,
    pub(crate) compared: u64,
    /// The actual figures of the hours that were decided and reported.
    pub(crate) actual: Metrics,
    pub(crate) suggested_spend: f64,
    pub(crate) suggested_revenue: f64,
}

/// An ad set's sums.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) metrics: Metrics,
    pub(crate) decisions: u64,
    pub(crate) raised: u64,
    pub(crate) lowered: u64,
    pub(crate) held: u64,
    pub(crate) frozen: u64,
    pub(crate) suggested_spend: f64,
    pub(crate) binding: BTreeMap<RuleId, u64>,
    /// By arm: how often chosen, and the sum of its propensities.
    pub(crate) arms: BTreeMap<u32, (u64, f64)>,
    pub(crate) days: BTreeMap<NaiveDate, SeenDay>,
    /// The rate at the first decision: what recorded figures were bought with.
    initial: Option<Micros>,
    /// Suggested ÷ actual rate of decisions whose hours are not fully reported.
    awaited: VecDeque<(HourSpan, f64)>,
}

/// An ad set's day.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SeenDay {
    pub(crate) spend: Micros,
    pub(crate) revenue: Micros,
    pub(crate) suggested: f64,
}

/// The account's day.
#[derive(Debug, Default)]
pub(crate) struct DaySums {
    pub(crate) metrics: Metrics,
    pub(crate) platforms: BTreeMap<gaelp::core::Platform, Metrics>,
    pub(crate) suggested: f64,
    pub(crate) state: Option<BudgetState>,
    pub(crate) levels: [u64; 5],
    pub(crate) binding: BTreeMap<RuleId, u64>,
}

impl Observer {
    pub(crate) fn new(config: &RolloutConfig) -> Self {
        Self {
            zone: config.zone,
            revenue: config.revenue,
            elasticity: config.response_elasticity.to_f64(),
            ad_sets: BTreeMap::new(),
            days: BTreeMap::new(),
            week: vec![vec![Cell::default(); 24]; 7],
            decisions: Decisions::default(),
            binding: BTreeMap::new(),
            objections: BTreeMap::new(),
            levels: BTreeMap::new(),
            examples: BTreeMap::new(),
            statuses: BTreeMap::new(),
            under_way: BTreeMap::new(),
            alerts: BTreeMap::new(),
            credited: Micros::ZERO,
            plans: Plans::default(),
            trial: Trial::default(),
            experiences: 0,
            truncated: 0,
            least_propensity: None,
            estimated_propensities: 0,
        }
    }

    pub(crate) fn take(&mut self, record: &Record) {
        match record {
            Record::Metrics(row) => {
                let mut metrics = row.metrics;
                if self.revenue == RevenueFrom::Shop {
                    // The shop's own figures arrive as credits.
                    (metrics.revenue, metrics.conversions) = (Micros::ZERO, Quantity::ZERO);
                }
                self.reported(&row.key, row.span, &metrics);
            }
            Record::Credit(Credit {
                key,
                span,
                revenue,
                orders,
                ..
            }) => {
                self.credited = sum(self.credited, *revenue);
                let metrics = Metrics {
                    revenue: *revenue,
                    conversions: *orders,
                    ..Metrics::default()
                };
                self.reported(key, *span, &metrics);
            }
            Record::Plan(plan) => self.planned(plan),
            Record::Trial(trial) => self.tried(trial),
            Record::Action(action) => self.decided(action),
            Record::Experience(experience) => {
                self.experiences += 1;
                self.truncated += u64::from(experience.next_state.is_none());
            }
            Record::BudgetState(state) if state.platform.is_none() => {
                self.days.entry(state.date).or_default().state = Some(state.clone());
            }
            Record::Alert(alert) => {
                let first = || (0, alert.at, alert.subject.clone());
                self.alerts.entry(alert.kind).or_insert_with(first).0 += 1;
            }
            _ => {}
        }
    }

    fn planned(&mut self, plan: &PlanRecord) {
        let date = self.zone.local(plan.span.from).date;
        let plans = &mut self.plans;
        match plan.outcome {
            PlanOutcome::Infeasible { .. } => plans.infeasible += 1,
            PlanOutcome::Fixed => plans.fixed += 1,
            _ => plans.planned += 1,
        }
        let day = plans.days.entry(date).or_default();
        let lambda = plan.pace.lambda;
        day.least = if day.steps == 0 {
            lambda
        } else {
            day.least.min(lambda)
        };
        day.most = day.most.max(lambda);
        day.steps += 1;
        day.sum += i128::from(lambda.ppm());
        day.allowance = sum(day.allowance, plan.pace.allowance);
        plans.allowed.clear();
        plans.last = Some(plan.clone());
    }

    fn tried(&mut self, record: &TrialRecord) {
        let trial = &mut self.trial;
        for reason in &record.observed {
            *trial.observed.entry(reason.rule.clone()).or_default() += 1;
        }
        let Some(tried) = &record.candidate else {
            return;
        };
        trial.policy.get_or_insert_with(|| tried.policy.to_string());
        for reason in &tried.verdict.reasons {
            *trial.objections.entry(reason.rule.clone()).or_default() += 1;
        }
        trial.next = Some((record.decision, tried.verdict.allowed));
    }

    fn decided(&mut self, action: &ActionRecord) {
        let decision = &action.decision;
        if !self.is_first_record(action) {
            return;
        }
        let trial = &mut self.trial;
        // It was recorded before the decision.
        if let Some((_, would)) = trial.next.take().filter(|(id, _)| *id == decision.id) {
            trial.decisions += 1;
            trial.more += u64::from(would > decision.allowed);
            trial.less += u64::from(would < decision.allowed);
            trial.allowed = sum(trial.allowed, decision.allowed);
            trial.would_allow = sum(trial.would_allow, would);
        }
        if self
            .plans
            .last
            .as_ref()
            .is_some_and(|plan| plan.span == decision.span)
        {
            let key = decision.key.clone();
            self.plans.allowed.insert(key, decision.allowed);
        }
        let direction = decision.allowed.cmp(&decision.current);
        let seen = self.ad_sets.entry(decision.key.clone()).or_default();
        for (all, own) in [
            (&mut self.decisions.all, &mut seen.decisions),
            match direction {
                std::cmp::Ordering::Greater => (&mut self.decisions.raised, &mut seen.raised),
                std::cmp::Ordering::Less => (&mut self.decisions.lowered, &mut seen.lowered),
                std::cmp::Ordering::Equal => (&mut self.decisions.held, &mut seen.held),
            },
        ] {
            *all += 1;
            *own += 1;
        }
        seen.frozen += u64::from(decision.level >= Level::Freeze);
        let propensity = decision.choice.propensity.get();
        let arm = seen.arms.entry(decision.choice.arm.get()).or_default();
        *arm = (arm.0 + 1, arm.1 + propensity);
        let least = self.least_propensity.unwrap_or(1.0).min(propensity);
        self.least_propensity = Some(least);
        let estimated = matches!(decision.choice.method, PropensityMethod::MonteCarlo { .. });
        self.estimated_propensities += u64::from(estimated);
        let initial = *seen.initial.get_or_insert(decision.current);
        // A rehearsal's rate moves with what was written; the recorded figures do not.
        let actual = match action.mode {
            Mode::Shadow => decision.current,
            Mode::Pilot => initial,
        };
        if let Some(ratio) = rate_ratio(decision.allowed, actual) {
            seen.awaited.push_back((decision.span, ratio));
            if seen.awaited.len() > AWAITED {
                seen.awaited.pop_front();
            }
        }
        let local = self.zone.local(decision.span.from);
        let day = self.days.entry(local.date).or_default();
        day.levels[decision.level as usize] += 1;
        *self.levels.entry(decision.level).or_default() += 1;
        for reason in &decision.reasons {
            *self.objections.entry(reason.rule.clone()).or_default() += 1;
        }
        let Some(rule) = &decision.binding else {
            return;
        };
        *self.binding.entry(rule.clone()).or_default() += 1;
        *day.binding.entry(rule.clone()).or_default() += 1;
        *seen.binding.entry(rule.clone()).or_default() += 1;
        if !self.examples.contains_key(rule) {
            let said = decision.reasons.iter().find(|reason| reason.rule == *rule);
            let example = Example {
                rule: rule.clone(),
                ad_set: decision.key.clone(),
                at: local.to_string(),
                proposed: decision.proposed,
                allowed: decision.allowed,
                reason: said.map(ToString::to_string).unwrap_or_default(),
            };
            self.examples.insert(rule.clone(), example);
        }
    }

    /// Follows an action's status. An action is recorded when it is decided, again when its write
    /// comes back, and again when it is read back; it counts once, under its last status.
    fn is_first_record(&mut self, action: &ActionRecord) -> bool {
        let id = action.decision.id;
        let before = match (action.status, action.sent) {
            (ActionStatus::Pending, _) | (_, None) => None,
            _ => self.under_way.get(&id).copied(),
        };
        if action.sent.is_some() {
            match action.read_back {
                Some(_) => self.under_way.remove(&id),
                None => self.under_way.insert(id, action.status),
            };
        }
        if let Some(before) = before
            && let Some(count) = self.statuses.get_mut(before.as_str())
        {
            *count -= 1;
        }
        *self.statuses.entry(action.status.as_str()).or_default() += 1;
        self.statuses.retain(|_, count| *count > 0);
        before.is_none()
    }

    fn reported(&mut self, key: &AdSetKey, span: HourSpan, metrics: &Metrics) {
        let local = self.zone.local(span.from);
        let seen = self.ad_sets.entry(key.clone()).or_default();
        add(&mut seen.metrics, metrics);
        let own = seen.days.entry(local.date).or_default();
        own.spend = sum(own.spend, metrics.spend);
        own.revenue = sum(own.revenue, metrics.revenue);
        let day = self.days.entry(local.date).or_default();
        add(&mut day.metrics, metrics);
        add(
            day.platforms.entry(key.platform.clone()).or_default(),
            metrics,
        );
        if span.len() == 1 {
            let weekday = local.weekday().num_days_from_monday() as usize;
            let cell = &mut self.week[weekday][usize::from(local.hour)];
            cell.hours += u32::from(!metrics.spend.is_zero() || metrics.impressions > 0);
            cell.spend = sum(cell.spend, metrics.spend);
            cell.revenue = sum(cell.revenue, metrics.revenue);
            cell.conversions += metrics.conversions.to_f64();
        }
        let Some(&(_, ratio)) = seen.awaited.iter().find(|(awaited, _)| *awaited == span) else {
            return;
        };
        let spend = metrics.spend.to_major_f64() * ratio;
        self.decisions.compared += u64::from(metrics.impressions > 0 || !metrics.spend.is_zero());
        add(&mut self.decisions.actual, metrics);
        self.decisions.suggested_spend += spend;
        let response = ratio.powf(self.elasticity);
        self.decisions.suggested_revenue += metrics.revenue.to_major_f64() * response;
        seen.suggested_spend += spend;
        own.suggested += spend;
        day.suggested += spend;
    }
}

/// What was allowed, as a multiple of what was really spent at.
fn rate_ratio(allowed: Micros, actual: Micros) -> Option<f64> {
    let actual = actual.to_major_f64();
    (actual > 0.0).then(|| allowed.to_major_f64() / actual)
}

fn add(sum: &mut Metrics, more: &Metrics) {
    // A total past nine trillion would be refused by the readers before.
    *sum = sum.merge(more).unwrap_or(*sum);
}

fn sum(a: Micros, b: Micros) -> Micros {
    a.checked_add(b).unwrap_or(Micros::MAX)
}

/// An estimate in major units as micros.
pub(crate) fn micros(major: f64) -> Micros {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates at the ends, as is meant"
    )]
    Micros::new((major * 1e6).round() as i64)
}

/// Profit of some metrics.
pub(crate) fn profit(revenue: Micros, spend: Micros, margin: Ratio) -> Option<Micros> {
    revenue
        .checked_scale(margin, Rounding::Down)?
        .checked_sub(spend)
}
