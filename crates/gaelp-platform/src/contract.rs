//! Checks that an implementer runs on an adapter, against a test account.
//!
//! They hold an adapter to what the traits promise, as far as that can be seen from outside. They
//! stop at the first breach. Passing them does not prove an adapter right; failing them proves it
//! wrong.
//!
//! ```
//! use gaelp_core::{AccountZone, AdSetKey, Currency, HourSpan, Platform, UtcHour};
//! use gaelp_platform::{Capabilities, InMemoryPlatform, contract};
//!
//! let now = UtcHour::new(490_000);
//! let meta = InMemoryPlatform::new(Capabilities::meta(Currency::USD, AccountZone::UTC), now)
//!     .with_ad_set("for-tests", "5".parse()?)?;
//! pollster::block_on(contract::reads(&meta, HourSpan::new(now.plus(-48), now)))?;
//! pollster::block_on(contract::writes(&meta, &AdSetKey::new(Platform::Meta, "for-tests")))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod breach;

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::{
    AdSetKey, AudienceId, DecisionId, HourSpan, MetricRow, Micros, OrderId, Restated, UtcHour,
};

pub use breach::{Breach, ContractError};

use crate::{
    AdPlatform, BudgetReading, CampaignId, OrderError, OrderEvent, PlatformError, RevenueSource,
    SetBudget, WriteOutcome,
};

/// Checks the reading half of a platform: its reports for a span, twice, and its list of budgets.
/// Nothing is changed.
///
/// # Errors
/// [`ContractError::Broken`] with the first breach; [`ContractError::NotFinished`] where a call
/// fails.
pub async fn reads<P: AdPlatform + ?Sized>(
    platform: &P,
    span: HourSpan,
) -> Result<(), ContractError> {
    let nothing = HourSpan::new(span.from, span.from);
    rows_of(platform, nothing).await?;
    let mut known = rows_of(platform, span).await?;
    for (_, row) in rows_of(platform, span).await? {
        let name = name_of(&row);
        let Some(before) = known.get_mut(&name) else {
            continue;
        };
        match before.restate(&row) {
            Restated::Newer | Restated::Known => {}
            Restated::Older => {
                return Err(Breach::RevisionFell {
                    before: before.revision,
                    after: row.revision,
                    key: row.key,
                    span: row.span,
                }
                .into());
            }
            Restated::Contradicted => {
                return Err(Breach::ReportContradicted {
                    key: row.key,
                    span: row.span,
                    revision: row.revision,
                }
                .into());
            }
        }
    }
    readings(platform).await?;
    Ok(())
}

/// Checks the writing half of a platform on one ad set.
///
/// **It writes.** It moves the ad set's daily budget by one quantum and back, three edits in all,
/// and tries writes that must be rejected: too small, off the quantum, to an ad set that does not
/// exist. What else is known of the ad set must be the same
/// afterwards. It puts the budget back also after a breach, as far as the platform lets it. Give it an
/// ad set of a test account.
///
/// # Errors
/// [`ContractError::Broken`] with the first breach; [`ContractError::NotFinished`] where a call
/// fails or a write stays unknown; [`ContractError::Unsuitable`] where the ad set's own budget
/// could not be put back.
pub async fn writes<P: AdPlatform + ?Sized>(
    platform: &P,
    key: &AdSetKey,
) -> Result<(), ContractError> {
    let before = reading(platform, key).await?;
    let original = before.daily_budget;
    if let Err(error) = platform.capabilities().check(original) {
        return Err(ContractError::Unsuitable {
            key: key.clone(),
            error,
        });
    }
    let found = try_writes(platform, key, original).await;
    let back = applied(platform, key, original).await;
    found.and(back)?;
    if reading(platform, key).await?.details != before.details {
        return Err(Breach::DetailsChanged { key: key.clone() }.into());
    }
    Ok(())
}

/// Checks a source of revenue: its events for a span, twice.
///
/// # Errors
/// [`ContractError::Broken`] with the first breach; [`ContractError::NotFinished`] where a call
/// fails.
pub async fn orders<S: RevenueSource + ?Sized>(
    source: &S,
    span: HourSpan,
) -> Result<(), ContractError> {
    let nothing = HourSpan::new(span.from, span.from);
    events_of(source, nothing).await?;
    let first = events_of(source, span).await?;
    for (name, event) in events_of(source, span).await? {
        if first.get(&name).is_some_and(|known| *known != event) {
            let (order, number) = name;
            return Err(Breach::Order(OrderError::Contradicted { order, number }).into());
        }
    }
    Ok(())
}

type RowName = (AdSetKey, UtcHour, UtcHour);

fn name_of(row: &MetricRow) -> RowName {
    (row.key.clone(), row.span.from, row.span.to)
}

async fn rows_of<P: AdPlatform + ?Sized>(
    platform: &P,
    span: HourSpan,
) -> Result<BTreeMap<RowName, MetricRow>, ContractError> {
    let report = platform.report(span).await?;
    let mut rows = BTreeMap::new();
    for row in report.rows {
        let (key, of) = (row.key.clone(), row.span);
        if key.platform != platform.capabilities().platform {
            return Err(Breach::ForeignKey { key }.into());
        }
        if of.is_empty() || !span.contains(of.from) {
            return Err(Breach::RowOutsideSpan { key, span: of }.into());
        }
        if rows.insert(name_of(&row), row).is_some() {
            return Err(Breach::DuplicateRow { key, span: of }.into());
        }
    }
    Ok(rows)
}

async fn events_of<S: RevenueSource + ?Sized>(
    source: &S,
    span: HourSpan,
) -> Result<BTreeMap<(OrderId, u32), OrderEvent>, ContractError> {
    let mut events = BTreeMap::new();
    for event in source.orders(span).await? {
        let event = event.checked().map_err(Breach::Order)?;
        let (order, number) = (event.order.clone(), event.number);
        if !span.contains(UtcHour::containing(event.at)) {
            return Err(Breach::OrderOutsideSpan { order, number }.into());
        }
        if events.insert((order.clone(), number), event).is_some() {
            return Err(Breach::DuplicateOrder { order, number }.into());
        }
    }
    Ok(events)
}

async fn readings<P: AdPlatform + ?Sized>(
    platform: &P,
) -> Result<Vec<BudgetReading>, ContractError> {
    let readings = platform.budgets().await?;
    let mut seen = BTreeSet::new();
    for reading in &readings {
        let key = reading.key.clone();
        if key.platform != platform.capabilities().platform {
            return Err(Breach::ForeignKey { key }.into());
        }
        if !seen.insert(&reading.key) {
            return Err(Breach::DuplicateBudget { key }.into());
        }
        sound(reading)?;
    }
    Ok(readings)
}

/// What is not known is left out; it is no empty name and no bid below zero.
fn sound(reading: &BudgetReading) -> Result<(), Breach> {
    let (key, details) = (&reading.key, &reading.details);
    if let Some(bid) = details.bid.filter(|bid| bid.is_negative()) {
        return Err(Breach::NegativeBid {
            key: key.clone(),
            bid,
        });
    }
    let campaign = details.campaign.iter().map(CampaignId::as_str);
    let mut names = campaign.chain(details.audiences.iter().map(AudienceId::as_str));
    if names.any(str::is_empty) {
        return Err(Breach::EmptyName { key: key.clone() });
    }
    Ok(())
}

async fn reading<P: AdPlatform + ?Sized>(
    platform: &P,
    key: &AdSetKey,
) -> Result<BudgetReading, ContractError> {
    let mut readings = readings(platform).await?.into_iter();
    match readings.find(|reading| reading.key == *key) {
        Some(reading) => Ok(reading),
        None => Err(Breach::NoBudget { key: key.clone() }.into()),
    }
}

async fn try_writes<P: AdPlatform + ?Sized>(
    platform: &P,
    key: &AdSetKey,
    original: Micros,
) -> Result<(), ContractError> {
    let capabilities = platform.capabilities();
    let quantum = capabilities.budget_quantum;
    let lower = original.checked_sub(quantum);
    let other = lower
        .filter(|&lower| capabilities.check(lower).is_ok()) // down where it can: it costs nothing
        .or_else(|| original.checked_add(quantum));

    if let Some(too_small) = capabilities.minimum_daily_budget.checked_sub(quantum) {
        refused(platform, key, too_small, original).await?;
    }
    let between = original.checked_add(Micros::new(1));
    if let Some(between) = between.filter(|&between| capabilities.check(between).is_err()) {
        refused(platform, key, between, original).await?;
    }
    let nobody = AdSetKey::new(
        key.platform.clone(),
        format!("{}-that-does-not-exist", key.ad_set),
    );
    match platform.set_budget(&request(&nobody, original)).await {
        WriteOutcome::Rejected(error) => finished(error)?,
        WriteOutcome::Unknown(error) => return Err(ContractError::NotFinished(error)),
        WriteOutcome::Applied { .. } => return Err(Breach::AppliedToNobody { key: nobody }.into()),
    }
    if let Some(other) = other {
        applied(platform, key, other).await?;
        applied(platform, key, other).await?;
    }
    Ok(())
}

/// Sets an acceptable budget, and reads it back.
async fn applied<P: AdPlatform + ?Sized>(
    platform: &P,
    key: &AdSetKey,
    asked: Micros,
) -> Result<(), ContractError> {
    match platform.set_budget(&request(key, asked)).await {
        WriteOutcome::Applied { daily_budget } if daily_budget == asked => {}
        WriteOutcome::Applied { daily_budget } => {
            let confirmed = daily_budget;
            return Err(Breach::AppliedOther { asked, confirmed }.into());
        }
        WriteOutcome::Rejected(error) => {
            finished(error.clone())?;
            return Err(Breach::NotApplied { asked, error }.into());
        }
        WriteOutcome::Unknown(error) => return Err(ContractError::NotFinished(error)),
    }
    stands(platform, key, asked).await
}

/// Tries a budget that is not acceptable, and reads back that nothing changed.
async fn refused<P: AdPlatform + ?Sized>(
    platform: &P,
    key: &AdSetKey,
    asked: Micros,
    standing: Micros,
) -> Result<(), ContractError> {
    match platform.set_budget(&request(key, asked)).await {
        WriteOutcome::Rejected(error) => finished(error)?,
        WriteOutcome::Unknown(error) => return Err(ContractError::NotFinished(error)),
        WriteOutcome::Applied { daily_budget } => {
            let confirmed = daily_budget;
            return Err(Breach::NotRefused { asked, confirmed }.into());
        }
    }
    stands(platform, key, standing).await
}

async fn stands<P: AdPlatform + ?Sized>(
    platform: &P,
    key: &AdSetKey,
    expected: Micros,
) -> Result<(), ContractError> {
    let read = reading(platform, key).await?.daily_budget;
    if read == expected {
        Ok(())
    } else {
        Err(Breach::ReadBack { expected, read }.into())
    }
}

/// A rejection that may pass away says nothing about the contract.
fn finished(error: PlatformError) -> Result<(), ContractError> {
    if error.kind() == crate::ErrorKind::Rejected {
        Ok(())
    } else {
        Err(ContractError::NotFinished(error))
    }
}

fn request(key: &AdSetKey, daily_budget: Micros) -> SetBudget {
    let amount = daily_budget.get().to_be_bytes();
    let ad_set = key.ad_set.as_str().as_bytes();
    SetBudget {
        key: key.clone(),
        daily_budget,
        decision: DecisionId::derive(&[b"gaelp-platform/contract", ad_set, &amount]),
    }
}
