//! What a rollout remembers about one ad set.

mod slots;

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};
use gaelp_core::{
    AudienceId, DecisionId, EndKind, HourSpan, MetricRow, Metrics, Micros, Quantity, Ratio,
    Restated, Rounding, RuleId, UtcHour,
};
use gaelp_guardrails::{GuardrailConfig, Memory, Trailing, TrailingError, UsualSpend, rules};
use gaelp_platform::AdSetDetails;
use serde::{Deserialize, Serialize};

use crate::strategy::Learner;
use crate::{ActionRecord, ExperienceRecord, Lambda, Record, RevenueFrom, State};
use slots::Slots;

/// Hours of a day by which platforms' daily budgets are turned into rates, whatever the clock does.
pub(crate) const HOURS_PER_DAY: i64 = 24;

/// How many writes are remembered: more than any platform takes in an hour.
const MAX_EDITS: usize = 64;

/// For how many hours a contradiction counts at its worst: two of the longest local days.
const DOUBTED_HOURS: i32 = 50;

/// One ad set: what was reported, what is in force, what awaits its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdSet {
    pub(crate) trailing: Trailing,
    pub(crate) memory: Memory,
    /// What the policy on trial remembers.
    #[serde(default, skip_serializing_if = "is_blank")]
    pub(crate) trial_memory: Memory,
    pub(crate) learner: Learner,
    /// The daily budget as last read from the platform.
    pub(crate) budget: Option<Micros>,
    /// What else was read with it.
    #[serde(default, skip_serializing_if = "AdSetDetails::is_unknown")]
    pub(crate) details: AdSetDetails,
    /// Writes that are not settled, oldest first: one, or decreases on top of it.
    pub(crate) in_flight: Vec<ActionRecord>,
    /// The rate at the last decision in which nothing was found wrong.
    pub(crate) known_good: Option<Micros>,
    /// The rate that a spent cap cut, and the day on which it did.
    pub(crate) cap_cut: Option<(NaiveDate, Micros)>,
    /// When somebody else last changed its budget.
    pub(crate) external_edit: Option<UtcHour>,
    /// When its budget was last sent to the platform, within a few hours.
    edits: VecDeque<DateTime<Utc>>,
    /// The rates in force over the last day, oldest first.
    rates: VecDeque<(UtcHour, Micros)>,
    pending: VecDeque<Pending>,
    /// Spans of the last days that were reported with two different figures, and the larger spend.
    #[serde(default, with = "pairs", skip_serializing_if = "BTreeMap::is_empty")]
    doubted: BTreeMap<(UtcHour, UtcHour), Micros>,
    /// Reports and credited orders apart; used only where revenue comes from the shop.
    shop: Slots,
}

/// A decision whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pending {
    experience: Box<ExperienceRecord>,
    lambda: Lambda,
    metrics: Option<Metrics>,
}

impl AdSet {
    pub(crate) fn new(trailing: Trailing, learner: Learner) -> Self {
        Self {
            trailing,
            learner,
            memory: Memory::default(),
            trial_memory: Memory::default(),
            budget: None,
            details: AdSetDetails::default(),
            in_flight: Vec::new(),
            known_good: None,
            cap_cut: None,
            external_edit: None,
            edits: VecDeque::new(),
            rates: VecDeque::new(),
            pending: VecDeque::new(),
            doubted: BTreeMap::new(),
            shop: Slots::default(),
        }
    }

    /// The audience to judge the ad set by, of all that it is shown to: one to which as many of
    /// these rules object as to any, those that count before those that are only observed.
    pub(crate) fn audience(&self, config: &GuardrailConfig) -> Option<&AudienceId> {
        let audiences = &self.details.audiences;
        if audiences.len() < 2 {
            return audiences.first();
        }
        let objections = |audience: &&AudienceId| {
            let listed = config.canary_audiences.as_ref();
            let unlisted = listed.is_some_and(|list| !list.contains(*audience));
            let blocked = config.blocked_audiences.contains(*audience);
            let weight = |objects: bool, rule: &RuleId| {
                let counts = if config.observe.contains(rule) { 1 } else { 3 };
                if objects { counts } else { 0 }
            };
            weight(unlisted, &rules::CANARY_AUDIENCE) + weight(blocked, &rules::BLOCKED_AUDIENCE)
        };
        audiences.iter().max_by_key(objections)
    }

    /// The amounts that a decision starts from.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = (&'static str, Micros)> {
        let budget = self.budget.map(|amount| ("daily budget", amount));
        let good = self
            .known_good
            .map(|amount| ("last known good rate", amount));
        let cut = self
            .cap_cut
            .map(|(_, amount)| ("rate before the cap", amount));
        let rates = self.rates.iter().map(|&(_, amount)| ("rate", amount));
        budget.into_iter().chain(good).chain(cut).chain(rates)
    }

    /// Takes in what a platform reported. What it contradicts is not believed, and counts at its
    /// worst where money is counted.
    pub(crate) fn report(
        &mut self,
        row: &MetricRow,
        revenue: RevenueFrom,
    ) -> Result<Restated, TrailingError> {
        let newest = self.trailing.newest_end();
        let contradicts = match revenue {
            RevenueFrom::Platform => self.trailing.contradicts(row),
            RevenueFrom::Shop => self.shop.contradicts(row),
        };
        // What is known is doubted, and gone, once it is contradicted.
        let known = if contradicts && newest.is_some_and(|newest| row.span.to <= newest) {
            self.trailing.window(row.span.to, row.span.len()).metrics
        } else {
            Metrics::default()
        };
        let outcome = self.take(row, revenue)?;
        let span = (row.span.from, row.span.to);
        match outcome {
            Restated::Contradicted => {
                let most = self.doubted.entry(span).or_default();
                *most = row.metrics.spend.max(known.spend).max(*most);
            }
            Restated::Newer => {
                self.doubted.remove(&span);
            }
            Restated::Known | Restated::Older => {}
        }
        if let Some(newest) = newest.filter(|_| !self.doubted.is_empty()) {
            let from = newest.plus(-DOUBTED_HOURS);
            self.doubted.retain(|(_, to), _| *to > from);
        }
        Ok(outcome)
    }

    fn take(&mut self, row: &MetricRow, revenue: RevenueFrom) -> Result<Restated, TrailingError> {
        match revenue {
            RevenueFrom::Platform => {
                let outcome = self.trailing.record(row)?;
                if outcome == Restated::Newer {
                    self.settle(row.span, row.metrics);
                }
                Ok(outcome)
            }
            RevenueFrom::Shop => self.report_beside_shop(row),
        }
    }

    fn report_beside_shop(&mut self, row: &MetricRow) -> Result<Restated, TrailingError> {
        let slot = self.shop.at((row.span.from, row.span.to));
        let outcome = slot.report(row);
        if outcome != Restated::Newer {
            return Ok(outcome);
        }
        let composed = slot.compose();
        self.keep(composed)
    }

    /// Credits orders to the hours of `span`.
    pub(crate) fn credit(
        &mut self,
        span: HourSpan,
        revenue: Micros,
        orders: Quantity,
    ) -> Result<HourSpan, TrailingError> {
        // Hours without delivery have no row; what was sold in them counts with the last row before.
        let last = (span.from, span.to);
        let at = self.shop.last_reported(last).unwrap_or(last);
        let slot = self.shop.at(at);
        let sums = (
            slot.revenue.checked_add(revenue),
            slot.orders.checked_add(orders),
        );
        let (Some(revenue), Some(orders)) = sums else {
            return Err(TrailingError::Implausible {
                field: "revenue",
                value: u64::MAX,
            });
        };
        (slot.revenue, slot.orders) = (revenue, orders);
        let composed = slot.compose();
        self.keep(composed)?;
        Ok(HourSpan::new(at.0, at.1))
    }

    fn keep(&mut self, composed: Option<MetricRow>) -> Result<Restated, TrailingError> {
        let Some(row) = composed else {
            return Ok(Restated::Newer);
        };
        let outcome = self.trailing.record(&row)?;
        self.settle(row.span, row.metrics);
        if let Some(newest) = self.trailing.newest_end() {
            let retain = i32::try_from(self.trailing.retain_hours()).unwrap_or(i32::MAX);
            self.shop.forget_before(newest.plus(-retain));
        }
        Ok(outcome)
    }

    /// Hands the outcome of a span to the decision that awaits it.
    fn settle(&mut self, span: HourSpan, metrics: Metrics) {
        if let Some(pending) = self.pending.iter_mut().find(|p| p.experience.span == span) {
            pending.metrics = Some(metrics);
        }
    }

    /// The hourly rate in force: the budget's, or what was really spent over the last reported
    /// day where no budget can be read.
    pub(crate) fn rate(&self, now: UtcHour) -> Option<Micros> {
        if let Some(budget) = self.budget {
            return budget.checked_div(HOURS_PER_DAY, Rounding::Down);
        }
        let day = self.trailing.window(now, 24);
        day.metrics
            .spend
            .checked_div(i64::from(day.covered_hours), Rounding::Down)
    }

    /// The rate before a spent cap cut it, on the day after: a cap bounds its day and must not leak
    /// into the next. What could not go back then stays: much may have happened since.
    pub(crate) fn before_the_cap(&self, in_force: Micros, today: NaiveDate) -> Option<Micros> {
        let (_, before) = self
            .cap_cut
            .filter(|(day, _)| day.succ_opt() == Some(today))?;
        Some(before.max(in_force))
    }

    /// Notes that a spent cap cuts a rate: the first cut of a day counts.
    pub(crate) fn note_cap_cut(&mut self, today: NaiveDate, before: Micros) {
        if self.cap_cut.is_none_or(|(day, _)| day < today) {
            self.cap_cut = Some((today, before));
        }
    }

    /// Notes a write to the platform.
    pub(crate) fn note_edit(&mut self, at: DateTime<Utc>) {
        while self.edits.len() >= MAX_EDITS {
            self.edits.pop_front();
        }
        self.edits.push_back(at);
    }

    /// How many writes there were after a moment.
    pub(crate) fn edits_since(&self, moment: DateTime<Utc>) -> u32 {
        let count = self.edits.iter().filter(|at| **at > moment).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// What was spent in the hour reported last, and in the same hour of the weeks before.
    pub(crate) fn usual_spend(&self, weeks: Option<u32>) -> Option<UsualSpend> {
        let end = self.trailing.newest_end()?;
        let hour = |end: UtcHour| {
            let seen = self.trailing.window(end, 1);
            (seen.rows == 1 && seen.covered_hours == 1).then_some(seen.metrics.spend)
        };
        let mut seen = (0_i64, Micros::ZERO);
        for week in 1..=i32::try_from(weeks?).ok()? {
            if let Some(spend) = hour(end.plus(-7 * 24 * week)) {
                seen = (seen.0 + 1, seen.1.checked_add(spend)?);
            }
        }
        Some(UsualSpend {
            last_hour: hour(end)?,
            usual: seen.1.checked_div(seen.0, Rounding::HalfEven)?,
            weeks: u32::try_from(seen.0).ok()?,
        })
    }

    /// Takes a write out of those that are not settled.
    pub(crate) fn landed(&mut self, decision: DecisionId) -> Option<ActionRecord> {
        let mut flying = self.in_flight.iter();
        let at = flying.position(|action| action.decision.id == decision)?;
        Some(self.in_flight.remove(at))
    }

    /// Notes that a decision is really in force, so that its outcome is the outcome of its action.
    pub(crate) fn mark_executed(&mut self, decision: DecisionId) {
        let mut pending = self.pending.iter_mut();
        if let Some(pending) = pending.find(|p| p.experience.decision == decision) {
            pending.experience.action.executed = true;
        }
    }

    /// Remembers the rate in force.
    pub(crate) fn note_rate(&mut self, now: UtcHour, rate: Micros) {
        let yesterday = now.plus(-24);
        while self
            .rates
            .get(1)
            .is_some_and(|&(hour, _)| hour <= yesterday)
        {
            self.rates.pop_front();
        }
        if self.rates.back().is_none_or(|&(_, last)| last != rate) {
            self.rates.push_back((now, rate));
        }
    }

    /// The rate of a day before; until a day has passed, the oldest there is, so that a bound per
    /// day holds from the start.
    pub(crate) fn rate_a_day_before(&self, now: UtcHour) -> Option<Micros> {
        let yesterday = now.plus(-24);
        let known = self
            .rates
            .iter()
            .take_while(|(hour, _)| *hour <= yesterday)
            .last();
        known.or(self.rates.front()).map(|&(_, rate)| rate)
    }

    /// Money spent since `midnight` as reported, at the rate in force for hours not reported, and at
    /// the larger of two figures that contradict each other.
    pub(crate) fn spent_since(
        &self,
        midnight: UtcHour,
        now: UtcHour,
        rate: Micros,
    ) -> Option<Micros> {
        let hours = u32::try_from(now.since(midnight)).unwrap_or(0);
        let reported = self.trailing.window(now, hours).metrics.spend;
        let known_to = self
            .trailing
            .newest_end()
            .map_or(midnight, |end| end.max(midnight));
        let unreported = now.since(known_to).max(0);
        let mut sum = reported.checked_add(rate.checked_mul(unreported)?)?;
        for (&(from, to), &spend) in self.doubted.range((midnight, midnight)..) {
            let span = HourSpan::new(from, to);
            if to <= now && self.trailing.window(to, span.len()).rows == 0 {
                sum = sum.checked_add(spend)?;
            }
        }
        Some(sum)
    }

    /// Lets a decision await its outcome, and completes those that it follows.
    pub(crate) fn await_outcome(
        &mut self,
        experience: Box<ExperienceRecord>,
        lambda: Lambda,
        margin: Ratio,
        records: &mut Vec<Record>,
    ) {
        for earlier in &mut self.pending {
            let follows = earlier.experience.span.to == experience.span.from;
            if follows && earlier.experience.next_state.is_none() {
                earlier.experience.next_state = Some(experience.state);
                earlier.experience.end = EndKind::Continuing;
            }
        }
        self.release(Until::Complete, margin, records);
        self.pending.push_back(Pending {
            experience,
            lambda,
            metrics: None,
        });
    }

    /// Hands out experiences whose reward is known.
    pub(crate) fn release(&mut self, until: Until, margin: Ratio, records: &mut Vec<Record>) {
        let newest = self.pending.back().map(|p| p.experience.span.from);
        let mut kept = VecDeque::with_capacity(self.pending.len());
        for mut pending in self.pending.drain(..) {
            let complete = pending.experience.next_state.is_some() || until == Until::Ended;
            let Some(metrics) = pending.metrics.filter(|_| complete) else {
                let age = newest.map_or(0, |n| n.since(pending.experience.span.from));
                // A row that never comes is not learnt from.
                if until == Until::Complete && age <= Pending::PATIENCE_HOURS {
                    kept.push_back(pending);
                }
                continue;
            };
            let priced = metrics
                .spend
                .checked_scale(pending.lambda.price(), Rounding::Up);
            let earned = metrics.revenue.checked_scale(margin, Rounding::Down);
            let reward = earned
                .zip(priced)
                .and_then(|(earned, cost)| earned.checked_sub(cost));
            if let Some(reward) = reward {
                pending.experience.reward = reward;
                pending.experience.cost = metrics.spend;
                records.push(Record::Experience(pending.experience));
            }
        }
        self.pending = kept;
    }
}

/// Which experiences to hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Those whose next state is known too.
    Complete,
    /// All with a reward; nothing follows.
    Ended,
}

impl Pending {
    /// How long a decision awaits its report: a week.
    const PATIENCE_HOURS: i64 = 24 * 7;
}

impl AdSet {
    /// What is known now, as features.
    pub(crate) fn state(
        &self,
        now: UtcHour,
        local: gaelp_core::LocalHour,
        current: Micros,
        account_spent_today: Micros,
        lambda: Lambda,
    ) -> State {
        let day = self.trailing.window(now, 24).metrics;
        State {
            hour: local.hour,
            weekday: u8::try_from(local.weekday().num_days_from_monday())
                .expect("a weekday is below 7"),
            current,
            spend_24h: day.spend,
            revenue_24h: day.revenue,
            clicks_24h: day.clicks,
            conversions_24h: day.conversions.millionths(),
            account_spent_today,
            lambda: lambda.get(),
        }
    }
}

/// Whether nothing is remembered.
fn is_blank(memory: &Memory) -> bool {
    *memory == Memory::default()
}

/// A map whose keys are no texts, stored as pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}
