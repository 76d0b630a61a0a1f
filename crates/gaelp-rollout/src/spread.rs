//! The hour's allowance, spread over the ad sets.

use std::collections::BTreeMap;

use gaelp_budget::{
    ArmLimits, CapTree, Change, Curve, CurveForm, Goal, GroupId, Plan, ResponseCurve, allocate,
};
use gaelp_core::{AdSetKey, HourSpan, Level, Metrics, Micros, Ratio, Rounding};

use crate::ad_set::HOURS_PER_DAY;
use crate::allowance::Given;
use crate::decide::{Chosen, Proposal};
use crate::facts::{Candidate, Common};
use crate::send::Planned;
use crate::{
    Alert, AlertKind, Budgeting, Mode, PacedConfig, PlanOutcome, PlanRecord, PlannedArm, Proof,
    Record, Rollout,
};

/// What daily budgets are divided into: the smallest amount there is, so that what does not change
/// stays exactly as it is. Platforms round to their own units at the border.
const QUANTUM: Micros = Micros::new(1);
/// What a curve is shifted by, as a share of the spend it goes through, so that its first unit
/// brings something finite.
const SHIFT: f64 = 0.01;
/// The least daily spend that a curve goes through.
const LEAST_SPEND: f64 = 0.01;
/// The longest reason that an alert gives, in characters.
const LONGEST: usize = 300;

/// An ad set before the plan.
struct Arm<'a> {
    candidate: &'a Candidate,
    chosen: Chosen,
    /// What is permitted: between these two rates.
    least: Micros,
    most: Micros,
    /// Whether nothing about it may be changed.
    fixed: bool,
    /// Spend and revenue of the hours that its curve is made from.
    seen: Metrics,
    /// How many hours they are.
    hours: u32,
}

/// What the curves are made of.
struct Evidence {
    /// The account's return, where anything was spent.
    pooled: Option<f64>,
    /// How much spend at that return is added to each ad set.
    prior: f64,
    elasticity: f64,
    margin: f64,
    /// What the next unit must bring.
    level: f64,
}

impl Rollout {
    /// Decides about every ad set at once: chooses, plans, and lets the rules judge.
    pub(crate) fn decide_paced(
        &mut self,
        common: &mut Common,
        candidates: &[Candidate],
        given: Given,
        records: &mut Vec<Record>,
        planned: &mut Vec<Planned>,
    ) {
        self.lambda = self.lambda.at(given.pace.lambda);
        let Budgeting::Paced(config) = self.config.budgeting.clone() else {
            return;
        };
        let arms: Vec<_> = candidates
            .iter()
            .filter_map(|candidate| self.arm(common, candidate, &config))
            .collect();
        let (record, proposals) = self.plan(common.span, given, &arms, &config);
        self.tell_infeasible(&record, records);
        records.push(Record::Plan(Box::new(record)));
        let mut runs = Some(Micros::ZERO);
        for (arm, proposal) in arms.into_iter().zip(proposals) {
            let candidate = arm.candidate;
            let decided = self.conclude(common, candidate, arm.chosen, proposal, records);
            let Some(decision) = decided else { continue };
            let rate = self.may_run(candidate, decision.allowed);
            runs = runs.and_then(|sum| sum.checked_add(rate));
            let campaign = self.campaign(&candidate.key);
            let platform = &candidate.key.platform;
            common.note_raise(platform, campaign, decision.current, decision.allowed);
            self.carry_out(decision, candidate, records, planned);
        }
        if let Some(allowance) = &mut self.allowance {
            allowance.runs(common.span.from, runs.unwrap_or(Micros::MAX));
        }
    }

    /// The highest rate that may run after a decision.
    fn may_run(&self, candidate: &Candidate, allowed: Micros) -> Micros {
        let worst = self.desk.worst_rate(&candidate.key, candidate.in_force);
        if self.config.mode == Mode::Pilot && self.is_canary(&candidate.key) {
            return worst.max(allowed);
        }
        worst
    }

    /// An ad set's choice, and what that and the rules permit.
    fn arm<'a>(
        &mut self,
        common: &Common,
        candidate: &'a Candidate,
        config: &PacedConfig,
    ) -> Option<Arm<'a>> {
        let mut chosen = self.choose(common, candidate)?;
        let ad_set = self.ad_sets.get(&candidate.key)?;
        let ask = |chosen: &Chosen, proposal: Proposal| {
            self.judge(common, candidate, ad_set, chosen, proposal)
        };
        let held = Proposal::Rate(chosen.current);
        if chosen.restored && ask(&chosen, held).1 {
            chosen.give_up(candidate.in_force);
        }
        let (hold, _) = ask(&chosen, Proposal::Rate(chosen.current));
        let (change, _) = ask(&chosen, Proposal::Multiplied);
        let denied = hold.level.max(change.level) >= Level::Deny;
        let foreign = self.config.mode == Mode::Pilot && !self.is_canary(&candidate.key);
        let window = ad_set
            .trailing
            .window(common.span.from, config.evidence_hours);
        Some(Arm {
            candidate,
            least: hold.allowed.min(change.allowed),
            most: hold.allowed.max(change.allowed),
            fixed: denied || foreign,
            chosen,
            seen: window.metrics,
            hours: window.covered_hours,
        })
    }

    /// The plan, as it is written down and as proposals.
    fn plan(
        &self,
        span: HourSpan,
        given: Given,
        arms: &[Arm<'_>],
        config: &PacedConfig,
    ) -> (PlanRecord, Vec<Proposal>) {
        let fixed = arms.iter().filter(|arm| arm.fixed);
        let fixed = Micros::checked_sum(fixed.map(|arm| daily(arm.candidate.in_force)));
        let fixed = fixed.unwrap_or(Micros::MAX);
        let evidence = self.evidence(arms, config);
        let curves: Vec<_> = arms.iter().map(|arm| evidence.curve(arm)).collect();
        let mut record = PlanRecord {
            span,
            pace: given.pace,
            daily: given.daily,
            fixed,
            outcome: PlanOutcome::Fixed,
            arms: Vec::with_capacity(arms.len()),
        };
        let left = given.daily.checked_sub(fixed).unwrap_or(Micros::ZERO);
        let found = self.spread(left.max(Micros::ZERO), arms, &curves);
        let mut spend = Vec::new();
        match found {
            Some(Ok(plan)) => {
                record.outcome = PlanOutcome::Planned(proof(&plan));
                spend = plan.arms;
            }
            Some(Err(why)) => record.outcome = PlanOutcome::Infeasible { why },
            None => {}
        }
        let mut spend = spend.into_iter();
        let mut proposals = Vec::with_capacity(arms.len());
        for (arm, curve) in arms.iter().zip(&curves) {
            let allotted = if arm.fixed { None } else { spend.next() };
            let current = arm.chosen.current;
            let proposal = match (&allotted, &record.outcome) {
                (Some(allotted), _) => {
                    Proposal::Rate(arm.rate(allotted.spend, given.pace.binds, config))
                }
                (None, PlanOutcome::Infeasible { .. }) => Proposal::Multiplied,
                (None, _) => Proposal::Rate(current),
            };
            let proposed = proposal.rate(current, arm.chosen.multiplier);
            record.arms.push(PlannedArm {
                key: arm.candidate.key.clone(),
                multiplier: arm.chosen.multiplier,
                current,
                least: arm.least,
                most: arm.most,
                proposed,
                marginal_profit: evidence.next_profit(curve.as_ref(), proposed),
                binding: allotted.map(|allotted| allotted.binding),
            });
            proposals.push(proposal);
        }
        (record, proposals)
    }

    /// Spreads a daily budget over the ad sets that may be changed, those with the best next unit
    /// first; `None` where there is none, and why there is no plan.
    fn spread(
        &self,
        budget: Micros,
        arms: &[Arm<'_>],
        curves: &[Option<ResponseCurve>],
    ) -> Option<Result<Plan, String>> {
        let free = || arms.iter().zip(curves).filter(|(arm, _)| !arm.fixed);
        free().next()?;
        let rules = self.guardrails().config();
        let mut tree: CapTree<&AdSetKey> = CapTree::new("the account");
        let mut groups = BTreeMap::new();
        for (platform, cap) in &rules.platform_daily_caps {
            let here = |arm: &&Arm<'_>| arm.fixed && arm.candidate.key.platform == *platform;
            let taken = arms.iter().filter(here);
            let taken = Micros::checked_sum(taken.map(|arm| daily(arm.candidate.in_force)));
            let left = cap.checked_sub(taken.unwrap_or(Micros::MAX));
            let left = left.unwrap_or(Micros::ZERO).max(Micros::ZERO);
            let name = platform.to_string();
            match tree.group(GroupId::WHOLE, name, Micros::ZERO, Some(left)) {
                Ok(group) => groups.insert(platform, group),
                Err(wrong) => return Some(Err(wrong.to_string())),
            };
        }
        for (arm, curve) in free() {
            let key = &arm.candidate.key;
            let group = groups.get(&key.platform).copied();
            let Some(curve) = curve.clone() else {
                return Some(Err(format!("nothing can be said of what {key} brings")));
            };
            let limits = arm.limits(rules.hourly_floor);
            if let Err(wrong) = tree.arm(group.unwrap_or(GroupId::WHOLE), key, curve, limits) {
                return Some(Err(wrong.to_string()));
            }
        }
        let margin = priced(self.config.margin, self.lambda.price());
        let plan = allocate(&tree, budget, QUANTUM, &[Goal::MaxProfit { margin }]);
        Some(plan.map_err(|why| why.to_string()))
    }

    fn evidence(&self, arms: &[Arm<'_>], config: &PacedConfig) -> Evidence {
        let sum = |of: fn(&Metrics) -> Micros| {
            let all = arms.iter().map(|arm| of(&arm.seen).to_major_f64());
            all.sum::<f64>()
        };
        let (spend, revenue) = (sum(|seen| seen.spend), sum(|seen| seen.revenue));
        let margin = self.config.margin.to_f64();
        Evidence {
            pooled: (spend > 0.0).then(|| revenue.max(0.0) / spend),
            prior: config.pooled_days.to_f64() * self.config.daily_budget_target.to_major_f64(),
            elasticity: self.config.response_elasticity.to_f64(),
            margin,
            level: self.lambda.price().to_f64() / margin,
        }
    }

    /// Says once that there is no plan, until there is one again. A cap that is all but spent is no
    /// news: the rules hold it.
    fn tell_infeasible(&mut self, record: &PlanRecord, records: &mut Vec<Record>) {
        let Some(allowance) = &mut self.allowance else {
            return;
        };
        let PlanOutcome::Infeasible { why } = &record.outcome else {
            allowance.told_infeasible = false;
            return;
        };
        let capped = record.pace.binds == gaelp_budget::Binds::Cap;
        if !capped && !std::mem::replace(&mut allowance.told_infeasible, true) {
            records.push(Record::Alert(Alert {
                at: record.span.from,
                kind: AlertKind::NoPlan,
                subject: why.chars().take(LONGEST).collect(),
            }));
        }
    }
}

impl Arm<'_> {
    /// What it may spend in a day. What it permits to fall is a limit on changes, which gives way
    /// where the budget is below it; the rules' floor does not.
    fn limits(&self, floor: Micros) -> ArmLimits {
        let current = self.chosen.current;
        let down = i128::from(current.get()) - i128::from(self.least.get());
        let down = (down * 1_000_000).checked_div(i128::from(current.get()));
        let down = down.and_then(|ppm| i64::try_from(ppm.max(0)).ok());
        ArmLimits {
            change: down.map(|ppm| Change {
                from: daily(current),
                down: Ratio::from_ppm(ppm),
                up: Ratio::from_ppm(i64::MAX / 2),
            }),
            ..ArmLimits::between(daily(floor.min(self.least)), daily(self.most))
        }
    }

    /// What is proposed where the plan gives it this a day: the current rate, where that is nearly
    /// the same.
    fn rate(&self, spend: Micros, binds: gaelp_budget::Binds, config: &PacedConfig) -> Micros {
        let current = self.chosen.current;
        let rate = spend.checked_div(HOURS_PER_DAY, Rounding::Down);
        let rate = rate.unwrap_or(current);
        let near = current.checked_scale(config.dead_band, Rounding::Down);
        let apart = rate.get().abs_diff(current.get());
        let is_near = near.is_some_and(|near| apart <= near.get().unsigned_abs());
        let permitted = (self.least..=self.most).contains(&current);
        let capped = binds == gaelp_budget::Binds::Cap && rate < current;
        if is_near && permitted && !capped {
            return current;
        }
        rate
    }
}

impl Evidence {
    /// What an ad set's daily spend brings: a power of it with the configured elasticity, through
    /// what was seen, drawn towards the account's return.
    fn curve(&self, arm: &Arm<'_>) -> Option<ResponseCurve> {
        let (spend, revenue) = (arm.seen.spend.to_major_f64(), arm.seen.revenue);
        let days = f64::from(arm.hours) / 24.0;
        let through = if spend > 0.0 && days > 0.0 {
            spend / days
        } else {
            daily(arm.chosen.current).to_major_f64()
        };
        let through = through.max(LEAST_SPEND);
        let base: ResponseCurve = CurveForm::Power {
            factor: 1.0,
            exponent: self.elasticity,
            shift: SHIFT * through,
        }
        .try_into()
        .ok()?;
        let scale = match self.pooled {
            Some(pooled) => {
                let revenue = revenue.to_major_f64().max(0.0);
                let roas = (revenue + self.prior * pooled) / (spend + self.prior);
                roas * through / base.value(through)
            }
            // Nothing was spent by anybody: what runs is taken to be just worth it.
            None => self.level / base.marginal(through),
        };
        base.scaled(scale).ok()
    }

    /// What the next unit leaves at a rate.
    fn next_profit(&self, curve: Option<&ResponseCurve>, rate: Micros) -> f64 {
        let at = daily(rate).to_major_f64();
        curve.map_or(0.0, |curve| curve.marginal(at) * self.margin - 1.0)
    }
}

/// The daily budget of a rate.
fn daily(rate: Micros) -> Micros {
    rate.checked_mul(HOURS_PER_DAY).unwrap_or(Micros::MAX)
}

/// The margin with spent money counted at its price; at least a millionth.
fn priced(margin: Ratio, price: Ratio) -> Ratio {
    let ppm = i128::from(margin.ppm()) * 1_000_000 / i128::from(price.ppm().max(1));
    Ratio::from_ppm(i64::try_from(ppm.max(1)).unwrap_or(1))
}

fn proof(plan: &Plan) -> Proof {
    Proof {
        total: plan.total,
        level: plan.level,
        ends: plan.ends,
        value: plan.certificate.value,
        bound: plan.certificate.bound,
        gap: plan.certificate.gap,
        best_move: plan.certificate.best_move,
        falls_freed: plan.falls_freed,
    }
}
