//! A platform in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use gaelp_core::{AdSetId, AdSetKey, HourSpan, MetricRow, Micros, UtcHour};
use serde::{Deserialize, Serialize};

use super::locked;
use super::rows::{LoadError, Rows, scale_spend};
use super::script::{Fault, Operation, Player, Script};
use crate::{
    AdPlatform, AdSetDetails, BudgetError, BudgetReading, Capabilities, Delivery, PlatformError,
    Report, SetBudget, WriteOutcome,
};

/// An advertising platform that knows the rows it was given and keeps the budgets it was told:
/// the reference implementation of [`AdPlatform`].
///
/// - It has no clock: [`set_now`](Self::set_now) says which hour has just begun.
/// - A report has the rows that begin in the span and ended at least the reporting delay ago.
/// - A write is rejected where the ad set is unknown, where the budget is below the minimum or not
///   a multiple of the quantum, and, as rate limited, where the ad set's edits of this hour are
///   used up. Every other write is applied and uses up one edit, also where it changes nothing.
/// - A [`Script`] makes calls go wrong.
/// - Every write that was tried is on record, with what the caller was told and what really stood
///   before and after.
///
/// Everything takes `&self`, so a test can keep an `Arc` and change the world between two hours.
///
/// **Cost.** Loading is O(log n) a row, about 150 bytes each; a report is O(log n) and the rows of
/// its span.
///
/// ```
/// use gaelp_core::{AccountZone, AdSetKey, Currency, DecisionId, Micros, Platform, UtcHour};
/// use gaelp_platform::{
///     AdPlatform, Capabilities, Fault, InMemoryPlatform, Script, SetBudget, WriteOutcome,
/// };
///
/// let capabilities = Capabilities::meta(Currency::USD, AccountZone::UTC);
/// let meta = InMemoryPlatform::new(capabilities, UtcHour::new(490_000))
///     .with_ad_set("prospecting", "5".parse()?)?
///     .with_script(Script::new().then(Fault::WriteUnknownApplied));
///
/// let request = SetBudget {
///     key: AdSetKey::new(Platform::Meta, "prospecting"),
///     daily_budget: "5.50".parse()?,
///     decision: DecisionId::new(1),
/// };
/// let outcome = pollster::block_on(meta.set_budget(&request));
/// assert!(matches!(outcome, WriteOutcome::Unknown(_))); // the answer was lost ..
/// let budgets = pollster::block_on(meta.budgets())?;
/// assert_eq!(budgets[0].daily_budget, "5.50".parse()?); // .. and the write was not
/// assert_eq!(meta.writes()[0].before, Some("5".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InMemoryPlatform {
    capabilities: Capabilities,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    now: UtcHour,
    ad_sets: BTreeMap<AdSetId, AdSet>,
    rows: Rows,
    player: Player,
    /// Writes on their way, by the hour of their arrival.
    held_up: BTreeMap<UtcHour, Vec<SetBudget>>,
    writes: Vec<WriteRecord>,
}

#[derive(Debug)]
struct AdSet {
    daily_budget: Micros,
    delivery: Delivery,
    details: AdSetDetails,
    /// How many edits were made in an hour, the last that had any.
    edits: (UtcHour, u32),
}

/// A write that was tried, as the platform itself saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WriteRecord {
    /// The hour of the call.
    pub at: UtcHour,
    /// What was asked for.
    pub request: SetBudget,
    /// What the caller was told.
    pub outcome: WriteOutcome,
    /// What stood before, or nothing where there is no such ad set.
    pub before: Option<Micros>,
    /// What stood right after the call.
    pub after: Option<Micros>,
}

impl InMemoryPlatform {
    /// A platform without ad sets. `now` is the hour that has just begun.
    pub fn new(capabilities: Capabilities, now: UtcHour) -> Self {
        let state = State {
            now,
            ad_sets: BTreeMap::new(),
            rows: Rows::default(),
            player: Player::default(),
            held_up: BTreeMap::new(),
            writes: Vec::new(),
        };
        Self {
            capabilities,
            state: Mutex::new(state),
        }
    }

    /// The platform with one more ad set, active.
    ///
    /// # Errors
    /// [`BudgetError`] where the platform does not take such a budget.
    pub fn with_ad_set(
        self,
        ad_set: impl Into<AdSetId>,
        daily_budget: Micros,
    ) -> Result<Self, BudgetError> {
        self.put_ad_set(ad_set, daily_budget, Delivery::Active)?;
        Ok(self)
    }

    /// The platform with a script.
    #[must_use]
    pub fn with_script(self, script: Script) -> Self {
        self.script(script);
        self
    }

    /// Makes an ad set, or replaces it; this is no edit.
    ///
    /// # Errors
    /// [`BudgetError`] where the platform does not take such a budget.
    pub fn put_ad_set(
        &self,
        ad_set: impl Into<AdSetId>,
        daily_budget: Micros,
        delivery: Delivery,
    ) -> Result<(), BudgetError> {
        self.capabilities.check(daily_budget)?;
        let mut state = locked(&self.state);
        let edits = (state.now, 0);
        let new = AdSet {
            daily_budget,
            delivery,
            details: AdSetDetails::default(),
            edits,
        };
        state.ad_sets.insert(ad_set.into(), new);
        Ok(())
    }

    /// Says what else is known of an ad set; `false` where there is no such ad set. This is no edit.
    pub fn describe(&self, ad_set: &str, details: AdSetDetails) -> bool {
        let mut state = locked(&self.state);
        let found = state.ad_sets.get_mut(ad_set);
        found.map(|found| found.details = details).is_some()
    }

    /// Sets a budget as a person does in the platform's own interface: it always succeeds, and it
    /// uses up an edit. An ad set that does not exist is made, active.
    pub fn external_edit(&self, ad_set: impl Into<AdSetId>, to: Micros) {
        locked(&self.state).external_edit(ad_set.into(), to);
    }

    /// Takes rows over, whole or not at all. The highest revision of a row wins, whatever the
    /// order; a row shows in reports as soon as its hours are old enough.
    ///
    /// # Errors
    /// [`LoadError`] where a row belongs to another platform, is about no hours, or contradicts
    /// another.
    pub fn load(&self, rows: impl IntoIterator<Item = MetricRow>) -> Result<(), LoadError> {
        // Collected first: the caller's iterator may use this platform.
        let rows: Vec<MetricRow> = rows.into_iter().collect();
        let mut state = locked(&self.state);
        state.rows.load(&self.capabilities.platform, rows)
    }

    /// The hour that has just begun.
    pub fn now(&self) -> UtcHour {
        locked(&self.state).now
    }

    /// Says which hour has just begun. Writes that were held up until then arrive, the earliest
    /// first.
    pub fn set_now(&self, now: UtcHour) {
        let mut state = locked(&self.state);
        while let Some(entry) = state.held_up.first_entry() {
            let arrival = *entry.key();
            if arrival > now {
                break;
            }
            let requests = entry.remove();
            state.now = arrival;
            for request in requests {
                // Nobody waits for the answer any more.
                let _unheard = state.receive(&self.capabilities, &request);
            }
        }
        state.now = now;
    }

    /// Gives the platform a script in place of the one it had; its calls are counted from now.
    pub fn script(&self, script: Script) {
        locked(&self.state).player = Player::new(script);
    }

    /// The faults of the script that have not happened. A test that scripts a fault and never
    /// meets it proves nothing: assert that this is empty.
    pub fn unplayed(&self) -> Vec<Fault> {
        locked(&self.state).player.unplayed()
    }

    /// The daily budget that really stands, or nothing where there is no such ad set.
    pub fn daily_budget(&self, ad_set: &str) -> Option<Micros> {
        locked(&self.state).standing(ad_set)
    }

    /// Every write that was tried, in order.
    pub fn writes(&self) -> Vec<WriteRecord> {
        locked(&self.state).writes.clone()
    }
}

#[async_trait]
impl AdPlatform for InMemoryPlatform {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
        let mut state = locked(&self.state);
        let faults = state.player.play(Operation::Report);
        let delay = self.capabilities.reporting_delay_hours;
        let late = faults.iter().map(|fault| match fault {
            Fault::ReportLate { hours } => *hours,
            _ => 0,
        });
        let behind = late.fold(delay, u32::saturating_add);
        let complete_before = state.now.plus(-i32::try_from(behind).unwrap_or(i32::MAX));
        for fault in &faults {
            match fault {
                Fault::ReportFails(kind) => return Err(scripted(*kind, "no report")),
                Fault::ReportRestated { spend } => {
                    state.rows.restate(span, complete_before, *spend);
                }
                _ => {}
            }
        }
        let mut rows = state.rows.of(span, complete_before);
        for fault in &faults {
            match fault {
                Fault::ReportMissing(hours) => rows.retain(|row| !hours.contains(row.span.from)),
                Fault::ReportContradicted { spend } => {
                    for row in &mut rows {
                        scale_spend(row, *spend);
                    }
                }
                _ => {}
            }
        }
        Ok(Report {
            rows,
            complete_before,
        })
    }

    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
        let mut state = locked(&self.state);
        let mut failure = None;
        for fault in state.player.play(Operation::Budgets) {
            match fault {
                Fault::BudgetsFail(kind) => failure = Some(scripted(kind, "no budgets")),
                Fault::ExternalEdit { ad_set, to } => state.external_edit(ad_set, to),
                _ => {}
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let platform = &self.capabilities.platform;
        let readings = state.ad_sets.iter().map(|(id, ad_set)| BudgetReading {
            key: AdSetKey::new(platform.clone(), id.clone()),
            daily_budget: ad_set.daily_budget,
            delivery: ad_set.delivery,
            details: ad_set.details.clone(),
        });
        Ok(readings.collect())
    }

    async fn set_budget(&self, request: &SetBudget) -> WriteOutcome {
        let mut state = locked(&self.state);
        let is_ours = request.key.platform == self.capabilities.platform;
        let standing = |state: &State| {
            let found = state.standing(request.key.ad_set.as_str());
            found.filter(|_| is_ours)
        };
        let before = standing(&state);
        let outcome = state.write(&self.capabilities, request);
        let record = WriteRecord {
            at: state.now,
            request: request.clone(),
            outcome: outcome.clone(),
            before,
            after: standing(&state),
        };
        state.writes.push(record);
        outcome
    }
}

impl State {
    fn standing(&self, ad_set: &str) -> Option<Micros> {
        self.ad_sets.get(ad_set).map(|found| found.daily_budget)
    }

    fn external_edit(&mut self, ad_set: AdSetId, to: Micros) {
        let now = self.now;
        let found = self.ad_sets.entry(ad_set).or_insert(AdSet {
            daily_budget: to,
            delivery: Delivery::Active,
            details: AdSetDetails::default(),
            edits: (now, 0),
        });
        found.edit(now, to);
    }

    /// A write with what the script does to it. Of several faults the first decides.
    fn write(&mut self, capabilities: &Capabilities, request: &SetBudget) -> WriteOutcome {
        match self.player.play(Operation::Write).first() {
            Some(Fault::WriteRejected(kind)) => {
                WriteOutcome::Rejected(scripted(*kind, "the write was turned down"))
            }
            Some(Fault::WriteUnknownApplied) => {
                let _unheard = self.receive(capabilities, request);
                no_answer()
            }
            Some(Fault::WriteUnknownLost) => no_answer(),
            Some(Fault::WriteUnknownLate { hours }) => {
                let arrival = self.now.plus(i32::try_from(*hours).unwrap_or(i32::MAX));
                let arriving = self.held_up.entry(arrival).or_default();
                arriving.push(request.clone());
                no_answer()
            }
            _ => match self.receive(capabilities, request) {
                Ok(daily_budget) => WriteOutcome::Applied { daily_budget },
                Err(error) => WriteOutcome::Rejected(error),
            },
        }
    }

    /// What the platform does with a write that arrives.
    fn receive(
        &mut self,
        capabilities: &Capabilities,
        request: &SetBudget,
    ) -> Result<Micros, PlatformError> {
        let key = &request.key;
        let now = self.now;
        if key.platform != capabilities.platform {
            return Err(no_such(key));
        }
        let found = self
            .ad_sets
            .get_mut(&key.ad_set)
            .ok_or_else(|| no_such(key))?;
        if let Err(error) = capabilities.check(request.daily_budget) {
            let message = format!("{key}: {error}");
            return Err(PlatformError::rejected(message).with_source(error));
        }
        if let Some(limit) = capabilities.edits_per_hour
            && found.edits_in(now) >= limit.get()
        {
            let wait = Some(Duration::from_hours(1));
            let message = format!("{key}: {limit} edits in this hour");
            return Err(PlatformError::rate_limited(wait, message));
        }
        found.edit(now, request.daily_budget);
        Ok(request.daily_budget)
    }
}

impl AdSet {
    fn edits_in(&self, hour: UtcHour) -> u32 {
        match self.edits {
            (of, edits) if of == hour => edits,
            _ => 0,
        }
    }

    fn edit(&mut self, now: UtcHour, to: Micros) {
        self.edits = (now, self.edits_in(now).saturating_add(1));
        self.daily_budget = to;
    }
}

fn scripted(kind: crate::ErrorKind, what: &str) -> PlatformError {
    PlatformError::new(kind, format!("{what} (scripted)"))
}

fn no_answer() -> WriteOutcome {
    WriteOutcome::Unknown(PlatformError::retryable(
        "the write was not answered (scripted)",
    ))
}

fn no_such(key: &AdSetKey) -> PlatformError {
    PlatformError::rejected(format!("there is no ad set {key}"))
}
