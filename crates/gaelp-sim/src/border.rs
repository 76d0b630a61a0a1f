//! The border between the world and whoever reads it and writes to it: where calls go wrong.

use chrono::Duration;
use gaelp_core::{
    AdSetKey, HourSpan, MetricRow, Micros, Quantity, Ratio, Revision, Rounding, Seed, UtcHour,
};
use gaelp_platform::{
    BudgetReading, Capabilities, ErrorKind, OrderEvent, PlatformError, Report, SetBudget,
    WriteOutcome,
};

use crate::{Dice, FaultKind, FaultSet, Planned, World};

/// What no record may contain.
pub const TOKEN: &str = "EAAB-secret-access-token";

/// Corrections by the border have revisions from here on, above all that the world gives.
const CORRECTED: u32 = 1_000;
/// Rows of a report that is too large.
const HUGE_ROWS: i64 = 300;

/// How often each kind of fault really struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected([u64; FaultKind::ALL.len()]);

impl Default for Injected {
    fn default() -> Self {
        Self([0; FaultKind::ALL.len()])
    }
}

impl Injected {
    /// How often a kind struck.
    pub fn of(&self, kind: FaultKind) -> u64 {
        self.0[kind.index()]
    }

    /// Counts one more.
    pub fn count(&mut self, kind: FaultKind) {
        let count = &mut self.0[kind.index()];
        *count = count.saturating_add(1);
    }

    /// The kinds that struck.
    pub fn kinds(&self) -> FaultSet {
        let struck = |kind: &FaultKind| self.of(*kind) > 0;
        FaultKind::ALL.iter().copied().filter(struck).collect()
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// A world behind a border at which calls go wrong.
///
/// Faults are [`begin`](Self::begin)un and last for some hours, or lie in wait for the next writes.
/// What was injected is counted when it strikes, not when it is planned.
#[derive(Clone, Debug)]
pub struct Border {
    world: World,
    active: Vec<Active>,
    /// Corrections that stay: their hours, what spend is multiplied by, their revision.
    restated: Vec<(HourSpan, Ratio, Revision)>,
    injected: Injected,
    /// How long after it was sent a write may still be applied.
    longest: Duration,
    dice: Dice,
}

#[derive(Clone, Copy, Debug)]
struct Active {
    kind: FaultKind,
    /// The first hour in which it is over.
    until: UtcHour,
    /// How often it may strike.
    left: u32,
}

impl Border {
    /// The stream of a seed that details are drawn from.
    const DETAILS: u64 = 11;

    /// A border around a world. A write that is held up arrives at most `longest` after it was
    /// sent.
    pub fn new(world: World, longest: Duration, seed: Seed) -> Self {
        Self {
            world,
            active: Vec::new(),
            restated: Vec::new(),
            injected: Injected::default(),
            longest,
            dice: Dice::new(seed, Self::DETAILS),
        }
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to let time pass and people act.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// What struck so far.
    pub fn injected(&self) -> &Injected {
        &self.injected
    }

    /// Counts a fault that struck elsewhere.
    pub fn count(&mut self, kind: FaultKind) {
        self.injected.count(kind);
    }

    /// A fault begins. Kinds that do not concern reading and writing are ignored.
    pub fn begin(&mut self, fault: Planned) {
        use FaultKind::{LateApply, OtherAmount, TimeoutAfterApply, TimeoutBeforeApply};
        let waits = matches!(
            fault.kind,
            LateApply | OtherAmount | TimeoutAfterApply | TimeoutBeforeApply
        );
        let hours = i32::try_from(fault.lasts).unwrap_or(i32::MAX);
        let now = self.world.hour();
        self.active.push(Active {
            kind: fault.kind,
            until: if waits {
                UtcHour::new(i32::MAX)
            } else {
                now.plus(hours)
            },
            left: if waits { fault.lasts.min(3) } else { u32::MAX },
        });
        if fault.kind == FaultKind::Restatement {
            let back = i32::try_from(fault.details % 30).unwrap_or(0);
            let share = i64::try_from(fault.details % 900_000).unwrap_or(0) + 500_000;
            let number = u32::try_from(self.restated.len()).unwrap_or(0);
            let span = HourSpan::new(now.plus(-back - hours), now.plus(-back));
            let revision = Revision::new(CORRECTED + number);
            self.restated.push((span, Ratio::from_ppm(share), revision));
        }
    }

    /// Nothing goes wrong any more.
    pub fn calm(&mut self) {
        self.active.clear();
    }

    /// Whether something goes wrong with reading or writing now.
    pub fn is_calm(&self) -> bool {
        let now = self.world.hour();
        self.active
            .iter()
            .all(|fault| fault.until <= now || fault.left == 0)
    }

    /// Whether a fault strikes now; counts it.
    fn strikes(&mut self, kind: FaultKind) -> bool {
        let now = self.world.hour();
        let mut active = self.active.iter_mut();
        let fault = active.find(|fault| fault.kind == kind && fault.until > now && fault.left > 0);
        let Some(fault) = fault else {
            return false;
        };
        fault.left = fault.left.saturating_sub(1);
        self.injected.count(kind);
        true
    }

    /// An error, which perhaps says too much.
    fn error(&mut self, kind: ErrorKind) -> PlatformError {
        if self.strikes(FaultKind::TokenInError) {
            return PlatformError::new(
                kind,
                format!("401 for https://x.test/?access_token={TOKEN}"),
            );
        }
        PlatformError::new(kind, "no answer")
    }

    /// Reads a report.
    ///
    /// # Errors
    /// As the faults will it.
    pub fn report(
        &mut self,
        platform: &Capabilities,
        span: HourSpan,
    ) -> Result<Report, PlatformError> {
        // A token in an error is an error of its own: it need not wait for another.
        let refused = self.strikes(FaultKind::TokenInError);
        if refused | self.strikes(FaultKind::Outage) | self.strikes(FaultKind::StaleReport) {
            return Err(self.error(ErrorKind::Retryable));
        }
        let mut report = self.world.report(platform, span);
        if self.active.is_empty() && self.restated.is_empty() {
            return Ok(report);
        }
        for row in &mut report.rows {
            for (hours, share, revision) in &self.restated {
                if hours.contains(row.span.from) {
                    scale(&mut row.metrics.spend, *share);
                    row.revision = *revision;
                }
            }
        }
        if report
            .rows
            .iter()
            .any(|row| row.revision.get() >= CORRECTED)
        {
            self.injected.count(FaultKind::Restatement);
        }
        self.disturb(&mut report);
        Ok(report)
    }

    /// Lets faults strike the rows of a report.
    fn disturb(&mut self, report: &mut Report) {
        if self.strikes(FaultKind::LateReport) {
            let behind = i32::try_from(self.dice.between(2, 8)).unwrap_or(2);
            report.complete_before = report.complete_before.plus(-behind);
            let complete = report.complete_before;
            report.rows.retain(|row| row.span.to <= complete);
        }
        if !report.rows.is_empty() {
            if self.strikes(FaultKind::MissingRows) {
                let dice = &mut self.dice;
                report
                    .rows
                    .retain(|_| dice.chance(Ratio::from_ppm(500_000)));
            }
            if self.strikes(FaultKind::DuplicateRows) {
                report.rows.extend_from_within(..);
            }
            if self.strikes(FaultKind::Contradiction) {
                let other = report.rows.iter().map(|row| {
                    let mut other = row.clone();
                    other.metrics.clicks += 1;
                    scale(&mut other.metrics.spend, Ratio::from_ppm(1_300_000));
                    other
                });
                let other: Vec<MetricRow> = other.collect();
                report.rows.extend(other);
            }
            if self.strikes(FaultKind::ReorderedRows) {
                self.reorder(&mut report.rows);
            }
            if self.strikes(FaultKind::MalformedFigures)
                && let Some(row) = self.any_row(&mut report.rows)
            {
                row.metrics.spend = Micros::new(-7_000_000);
            }
            if self.strikes(FaultKind::OverflowFigures) {
                let huge = [i64::MAX, 1_000_000_000_000_001, i64::MAX / 2];
                let huge = self.dice.pick(&huge).copied().unwrap_or(i64::MAX);
                if let Some(row) = self.any_row(&mut report.rows) {
                    row.metrics.spend = Micros::new(huge);
                    row.metrics.conversions = Quantity::from_millionths(u64::MAX);
                    row.metrics.clicks = u64::MAX;
                }
            }
            if self.strikes(FaultKind::HugeInput) {
                inflate(&mut report.rows);
            }
        }
    }

    fn any_row<'a>(&mut self, rows: &'a mut [MetricRow]) -> Option<&'a mut MetricRow> {
        let count = u64::try_from(rows.len()).unwrap_or(0);
        let index = usize::try_from(self.dice.below(count)).unwrap_or(0);
        rows.get_mut(index)
    }

    /// Older revisions after newer ones, and everything in any order.
    fn reorder(&mut self, rows: &mut Vec<MetricRow>) {
        let older = rows.iter().filter_map(|row| {
            let mut older = row.clone();
            older.revision = Revision::new(row.revision.get().checked_sub(1)?);
            scale(&mut older.metrics.spend, Ratio::from_ppm(100_000));
            Some(older)
        });
        let older: Vec<MetricRow> = older.collect();
        rows.extend(older);
        for last in (1..rows.len()).rev() {
            let bound = u64::try_from(last + 1).unwrap_or(1);
            let other = usize::try_from(self.dice.below(bound)).unwrap_or(0);
            rows.swap(last, other);
        }
    }

    /// Reads the budgets of a platform.
    ///
    /// # Errors
    /// As the faults will it.
    pub fn budgets(
        &mut self,
        platform: &Capabilities,
    ) -> Result<Vec<BudgetReading>, PlatformError> {
        if self.strikes(FaultKind::Outage) | self.strikes(FaultKind::BudgetsFail) {
            return Err(self.error(ErrorKind::Retryable));
        }
        let mut budgets = self.world.budgets(platform);
        if !budgets.is_empty() && self.strikes(FaultKind::BudgetHoles) {
            let count = u64::try_from(budgets.len()).unwrap_or(0);
            let index = usize::try_from(self.dice.below(count)).unwrap_or(0);
            budgets.remove(index);
        }
        Ok(budgets)
    }

    /// Reads the shop's orders.
    ///
    /// # Errors
    /// As the faults will it.
    pub fn orders(&mut self, span: HourSpan) -> Result<Vec<OrderEvent>, PlatformError> {
        if self.strikes(FaultKind::StaleReport) {
            return Err(self.error(ErrorKind::Retryable));
        }
        Ok(self.world.orders(span))
    }

    /// Writes a budget, and says what the writer hears.
    pub fn set_budget(&mut self, request: &SetBudget) -> WriteOutcome {
        if self.strikes(FaultKind::RateLimit) {
            let kind = ErrorKind::RateLimited { retry_after: None };
            return WriteOutcome::Rejected(self.error(kind));
        }
        if self.strikes(FaultKind::TimeoutBeforeApply) {
            return WriteOutcome::Unknown(self.error(ErrorKind::Retryable));
        }
        if self.strikes(FaultKind::TimeoutAfterApply) {
            return self.unheard(request);
        }
        if self.strikes(FaultKind::LateApply) {
            return self.held_up(request);
        }
        if self.strikes(FaultKind::OtherAmount) {
            return self.less(request);
        }
        let outage = self.strikes(FaultKind::Outage);
        if outage || self.strikes(FaultKind::PartialApply) {
            match self.dice.below(5) {
                0 => return self.unheard(request),
                1 => return self.held_up(request),
                2 => return WriteOutcome::Unknown(self.error(ErrorKind::Retryable)),
                3 => return WriteOutcome::Rejected(self.error(ErrorKind::Rejected)),
                _ if outage => return WriteOutcome::Unknown(self.error(ErrorKind::Retryable)),
                _ => {}
            }
        }
        match self.world.set_budget(request) {
            Ok(daily_budget) => WriteOutcome::Applied { daily_budget },
            Err(error) => WriteOutcome::Rejected(error),
        }
    }

    fn unheard(&mut self, request: &SetBudget) -> WriteOutcome {
        let _unheard = self.world.set_budget(request);
        WriteOutcome::Unknown(self.error(ErrorKind::Retryable))
    }

    fn held_up(&mut self, request: &SetBudget) -> WriteOutcome {
        // Often close to the longest, where it hurts most.
        let longest = self.longest.num_seconds();
        let seconds = if self.dice.chance(Ratio::from_ppm(500_000)) {
            self.dice.between(longest * 9 / 10, longest)
        } else {
            self.dice.between(1, longest)
        };
        let at = self.world.now() + Duration::seconds(seconds);
        self.world.set_budget_later(request, at);
        WriteOutcome::Unknown(self.error(ErrorKind::Retryable))
    }

    /// The platform takes less than what was asked where it can.
    fn less(&mut self, request: &SetBudget) -> WriteOutcome {
        let share = Ratio::from_ppm(self.dice.between(900_000, 999_999));
        let less = request.daily_budget.checked_scale(share, Rounding::Down);
        let platform = self.world.platforms().iter();
        let accepted = less.and_then(|less| {
            let mut ours = platform.filter(|p| p.platform == request.key.platform);
            ours.find_map(|p| p.accept(less).ok())
        });
        let less = SetBudget {
            daily_budget: accepted.unwrap_or(request.daily_budget),
            ..request.clone()
        };
        match self.world.set_budget(&less) {
            Ok(daily_budget) => WriteOutcome::Applied { daily_budget },
            Err(error) => WriteOutcome::Rejected(error),
        }
    }
}

fn scale(spend: &mut Micros, by: Ratio) {
    *spend = spend
        .checked_scale(by, Rounding::Down)
        .unwrap_or(Micros::MAX);
}

/// Ad sets that nobody knows, and hours that have not come.
fn inflate(rows: &mut Vec<MetricRow>) {
    let Some(pattern) = rows.first().cloned() else {
        return;
    };
    for number in 0..HUGE_ROWS {
        let mut row = pattern.clone();
        let ahead = i32::try_from(number * 7).unwrap_or(0);
        if number % 4 == 0 {
            row.span = HourSpan::hour(pattern.span.from.plus(ahead + 24));
        } else {
            let name = format!("unknown-{}", number % 3);
            row.key = AdSetKey::new(pattern.key.platform.clone(), name);
            row.span = HourSpan::hour(pattern.span.from.plus(-ahead));
        }
        rows.push(row);
    }
}
