//! What a run found out: the one source of the table, the JSON and the HTML report.
//!
//! Amounts are integer micros of the account's currency, hours are UTC instants in ISO 8601, days
//! are local dates. Nothing in it depends on the clock or the machine, so the same input, seed and
//! configuration give the same bytes.

use std::collections::BTreeMap;

use gaelp::budget::{Binding, Binds};
use gaelp::core::{
    AccountZone, AdSetKey, Currency, Level, Metrics, Micros, Platform, Ratio, RuleId, Seed,
};
use gaelp::rollout::{AlertKind, Mode, Proof};
use serde::Serialize;

/// The whole summary.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    /// The version of this layout.
    pub(crate) format: u32,
    /// The program's version.
    pub(crate) gaelp: &'static str,
    /// The identity of the run: configuration, seed and the content of the files.
    pub(crate) run: String,
    pub(crate) mode: Mode,
    pub(crate) currency: Currency,
    pub(crate) zone: AccountZone,
    pub(crate) seed: Seed,
    pub(crate) granularity: Granularity,
    /// The hours that were replayed; `None` where no file has dates.
    pub(crate) period: Option<Period>,
    pub(crate) inputs: Vec<Input>,
    /// The settings in force, by their names in the configuration file.
    pub(crate) settings: BTreeMap<&'static str, String>,
    pub(crate) kpis: Kpis,
    pub(crate) trailing: Vec<Trailing>,
    pub(crate) effect: Effect,
    pub(crate) guardrails: Guardrails,
    pub(crate) days: Vec<Day>,
    /// 7 rows of 24 hours, Monday first; empty where the data are daily.
    pub(crate) heatmap: Vec<Vec<Cell>>,
    pub(crate) ad_sets: Vec<AdSetStory>,
    pub(crate) alerts: Vec<AlertCount>,
    pub(crate) learning: Learning,
    /// How the hours' money was planned; `None` where each ad set went by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Planning>,
    /// The policy that was tried out beside the one in force; `None` where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) candidate: Option<Candidate>,
    /// What the program could not do with this input, in sentences.
    pub(crate) limits: Vec<String>,
}

/// How fine the data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Granularity {
    Hourly,
    Daily,
    /// Lifetime totals without dates.
    Total,
}

/// From the first hour to the one after the last, as local labels and UTC instants.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Period {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) first_day: String,
    pub(crate) last_day: String,
    pub(crate) hours: u32,
}

/// A file that was read.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Input {
    /// The file's name without its folder.
    pub(crate) name: String,
    /// What it was taken for.
    pub(crate) kind: String,
    /// Why it was taken for that.
    pub(crate) reason: String,
    pub(crate) rows: u64,
    /// What was noticed, in sentences: skipped totals, filtered rows, repeated hours.
    pub(crate) notes: Vec<String>,
}

/// Sums and what follows from them.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Kpi {
    pub(crate) metrics: Metrics,
    pub(crate) profit: Option<Micros>,
    pub(crate) roas: Option<f64>,
    pub(crate) cpa: Option<f64>,
    pub(crate) ctr: Option<f64>,
    pub(crate) cvr: Option<f64>,
}

/// KPIs over the whole period.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Kpis {
    pub(crate) account: Kpi,
    pub(crate) platforms: Vec<(Platform, Kpi)>,
    pub(crate) ad_sets: Vec<(AdSetKey, Kpi)>,
}

/// The last so many days of the period beside as many before them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trailing {
    pub(crate) days: u32,
    /// How many of the days have data.
    pub(crate) covered: u32,
    pub(crate) current: Kpi,
    /// `None` where the period does not reach back so far.
    pub(crate) previous: Option<Kpi>,
}

/// What the suggestions would have changed.
///
/// Spend is taken to follow the suggested rate, revenue to follow spend with diminishing returns:
/// spend × m brings revenue × m^elasticity. These are estimates; nothing was tried.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Effect {
    pub(crate) elasticity: Ratio,
    pub(crate) decisions: u64,
    pub(crate) raised: u64,
    pub(crate) lowered: u64,
    pub(crate) held: u64,
    /// Decisions whose hours were reported, so that suggested can be held against actual.
    pub(crate) compared: u64,
    pub(crate) actual_spend: Micros,
    pub(crate) suggested_spend: Micros,
    pub(crate) actual_revenue: Micros,
    pub(crate) suggested_revenue: Micros,
    pub(crate) actual_profit: Micros,
    pub(crate) suggested_profit: Micros,
    /// Writes by status, in pilot mode.
    pub(crate) statuses: BTreeMap<&'static str, u64>,
}

/// What the rules did.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Guardrails {
    /// How often each rule bound the result, most often first.
    pub(crate) binding: Vec<(RuleId, u64)>,
    /// How often each rule had an objection, binding or not, most often first.
    pub(crate) objections: Vec<(RuleId, u64)>,
    /// How many decisions ended at each level.
    pub(crate) levels: Vec<(Level, u64)>,
    /// One example of each binding rule, as the log has it.
    pub(crate) examples: Vec<Example>,
    /// How often rules objected that are only observed, most often first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) observed: Vec<(RuleId, u64)>,
}

/// A policy on trial: what it would have said, which changed nothing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Candidate {
    /// Its digest.
    pub(crate) policy: String,
    pub(crate) decisions: u64,
    /// Decisions in which it would have allowed more, and less.
    pub(crate) more: u64,
    pub(crate) less: u64,
    /// The mean hourly rate that was allowed, and that it would have allowed.
    pub(crate) allowed: Micros,
    pub(crate) would_allow: Micros,
    /// Each rule that objected under either policy: how often in force, how often on trial.
    pub(crate) objections: Vec<(RuleId, u64, u64)>,
}

/// One decision that a rule bound.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Example {
    pub(crate) rule: RuleId,
    pub(crate) ad_set: AdSetKey,
    /// The local hour.
    pub(crate) at: String,
    pub(crate) proposed: Micros,
    pub(crate) allowed: Micros,
    /// The rule's own words.
    pub(crate) reason: String,
}

/// A local day.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Day {
    pub(crate) date: String,
    /// The target; the same every day.
    pub(crate) target: Micros,
    pub(crate) actual: Micros,
    pub(crate) suggested: Micros,
    pub(crate) revenue: Micros,
    /// λ after the day; `None` where the day was not closed.
    pub(crate) lambda: Option<Ratio>,
    /// Decisions of the day by level, from allow to kill.
    pub(crate) levels: [u64; 5],
    /// Binding rules of the day with their counts, most often first.
    pub(crate) binding: Vec<(RuleId, u64)>,
}

/// An hour of the week.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Cell {
    /// How many such hours were reported.
    pub(crate) hours: u32,
    pub(crate) spend: Micros,
    pub(crate) revenue: Micros,
    pub(crate) conversions: f64,
}

/// An ad set: what it did, what was suggested, what was learnt.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AdSetStory {
    pub(crate) key: AdSetKey,
    pub(crate) decisions: u64,
    pub(crate) raised: u64,
    pub(crate) lowered: u64,
    pub(crate) held: u64,
    pub(crate) frozen: u64,
    pub(crate) suggested_spend: Micros,
    /// The rule that bound it most often.
    pub(crate) main_rule: Option<(RuleId, u64)>,
    /// The multipliers, with how often each was chosen and with what mean propensity.
    pub(crate) arms: Vec<Arm>,
    /// Suggested against actual by local day.
    pub(crate) series: Vec<Point>,
}

/// A multiplier of an ad set.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Arm {
    pub(crate) multiplier: Ratio,
    pub(crate) chosen: u64,
    pub(crate) mean_propensity: Option<f64>,
}

/// A day of an ad set.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) date: String,
    pub(crate) actual: Micros,
    pub(crate) suggested: Micros,
    pub(crate) revenue: Micros,
}

/// How often something was noticed that a person should know.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AlertCount {
    pub(crate) kind: AlertKind,
    pub(crate) count: u64,
    pub(crate) first_at: String,
    pub(crate) example: String,
}

/// What was kept for learning.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Learning {
    pub(crate) experiences: u64,
    pub(crate) truncated: u64,
    /// The smallest propensity that was logged.
    pub(crate) least_propensity: Option<f64>,
    pub(crate) lambda_start: Ratio,
    pub(crate) lambda_end: Ratio,
}

/// How the hours' money was planned.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Planning {
    /// Steps with a plan.
    pub(crate) planned: u64,
    /// Steps in which minimums and caps left no room for one.
    pub(crate) infeasible: u64,
    /// Steps in which nothing might be changed.
    pub(crate) fixed: u64,
    pub(crate) days: Vec<PlanDay>,
    pub(crate) last: LastPlan,
}

/// What a local day's steps were given.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlanDay {
    pub(crate) date: String,
    pub(crate) steps: u64,
    /// What they might spend, together.
    pub(crate) allowance: Micros,
    pub(crate) least_lambda: Ratio,
    pub(crate) mean_lambda: Ratio,
    pub(crate) most_lambda: Ratio,
}

/// The last plan, with its proof.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LastPlan {
    /// The local hour.
    pub(crate) at: String,
    pub(crate) lambda: Ratio,
    /// What the step might spend, what bounds that, and the daily budget that spends it.
    pub(crate) allowance: Micros,
    pub(crate) binds: Binds,
    pub(crate) daily: Micros,
    /// What is held back for hours that were not reported.
    pub(crate) reserve: Micros,
    /// Daily budgets that may not be changed.
    pub(crate) fixed: Micros,
    /// The certificate.
    pub(crate) proof: Option<Proof>,
    /// What stood in the way, where there is no plan.
    pub(crate) why_not: Option<String>,
    pub(crate) ad_sets: Vec<PlannedAdSet>,
}

/// An ad set in the last plan. Rates are per hour.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlannedAdSet {
    pub(crate) key: AdSetKey,
    pub(crate) current: Micros,
    pub(crate) least: Micros,
    pub(crate) most: Micros,
    pub(crate) proposed: Micros,
    /// What the guardrails left of it.
    pub(crate) allowed: Option<Micros>,
    /// What the next dollar is expected to leave.
    pub(crate) marginal_profit: f64,
    pub(crate) binding: Option<Binding>,
    /// The same in words.
    pub(crate) reason: &'static str,
}
