//! The asynchronous shell: it feeds the machine from the traits.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use chrono::{DateTime, Utc};
use gaelp_core::{HourSpan, Platform};
use gaelp_ledger::{Ledger, LedgerError, LedgerStore, MemoryLedger, Request};
use gaelp_platform::{AdPlatform, PlatformError, RevenueSource, SetBudget, WriteOutcome};

use crate::{
    Command, Event, Journal, LedgerAnswer, LedgerCall, LedgerTrouble, Rollout, RolloutError,
};

/// Everything outside of a rollout.
pub struct Outside<'a, P, J, S> {
    /// The platforms, each under its name.
    pub platforms: &'a BTreeMap<Platform, P>,
    /// The shop; needed where revenue comes from it.
    pub shop: Option<&'a dyn RevenueSource>,
    /// Where records go.
    pub journal: &'a mut J,
    /// The account's spend ledger; needed in pilot mode.
    pub ledger: Option<&'a mut Ledger<S>>,
    /// The time; `None` for recordings, in which every hour begins on time.
    pub clock: Option<&'a (dyn Fn() -> DateTime<Utc> + Sync)>,
}

impl<'a, P, J> Outside<'a, P, J, MemoryLedger> {
    /// What shadow mode needs: no ledger, and the time of a recording.
    pub fn shadow(
        platforms: &'a BTreeMap<Platform, P>,
        shop: Option<&'a dyn RevenueSource>,
        journal: &'a mut J,
    ) -> Self {
        Self {
            platforms,
            shop,
            journal,
            ledger: None,
            clock: None,
        }
    }
}

impl<P, J, S> fmt::Debug for Outside<'_, P, J, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

/// Drives a rollout over steps, one after the other, and ends it.
///
/// Everything recorded is committed before anything is written to a platform, and at the end. It
/// needs no runtime of its own: any executor can poll it.
///
/// **Cost.** One report, one budget reading and one order reading per platform and step.
///
/// # Errors
/// As [`step`].
pub async fn drive<P, J, S>(
    rollout: &mut Rollout,
    mut outside: Outside<'_, P, J, S>,
    steps: impl IntoIterator<Item = HourSpan>,
) -> Result<(), DriveError<J::Error>>
where
    P: AdPlatform,
    J: Journal,
    S: LedgerStore,
{
    let mut end = None;
    for span in steps {
        end = Some(span.to);
        step(rollout, &mut outside, Event::StepBegins { span }).await?;
    }
    if let Some(at) = end {
        step(rollout, &mut outside, Event::Ends { at }).await?;
    }
    outside.journal.commit().await.map_err(DriveError::Journal)
}

/// Hands one event to a rollout and carries out all that follows from it, to the end.
///
/// A live loop calls it once an hour with [`Event::StepBegins`], and first of all with
/// [`Event::Reconciles`]. What was recorded is committed before a write, not at the end: commit
/// the journal when the loop pauses.
///
/// # Errors
/// [`DriveError::Journal`] where a record cannot be kept: it stops, because what cannot be logged
/// must not be done. Errors of a platform or of the ledger do not stop it; the machine decides
/// without.
pub async fn step<P, J, S>(
    rollout: &mut Rollout,
    outside: &mut Outside<'_, P, J, S>,
    event: Event,
) -> Result<(), DriveError<J::Error>>
where
    P: AdPlatform,
    J: Journal,
    S: LedgerStore,
{
    let recorded = match &event {
        Event::StepBegins { span } => span.from.start(),
        Event::Reconciles { at } | Event::Ends { at } => at.start(),
        _ => DateTime::UNIX_EPOCH,
    };
    let now = |outside: &Outside<'_, P, J, S>| outside.clock.map_or(recorded, |clock| clock());
    let mut commands = VecDeque::from(rollout.handle(now(outside), event)?);
    while let Some(command) = commands.pop_front() {
        let answer = match command {
            Command::Record(records) => {
                let append = outside.journal.append(records);
                append.await.map_err(DriveError::Journal)?;
                continue;
            }
            Command::ReadReport { platform, span } => {
                match find(outside.platforms, &platform)?.report(span).await {
                    Ok(report) => Event::Reported { platform, report },
                    Err(error) => Event::ReportFailed {
                        platform,
                        kind: error.kind(),
                    },
                }
            }
            Command::ReadBudgets { platform } => {
                match find(outside.platforms, &platform)?.budgets().await {
                    Ok(readings) => Event::Budgets { platform, readings },
                    Err(error) => Event::BudgetsFailed {
                        platform,
                        kind: error.kind(),
                    },
                }
            }
            Command::ReadOrders { span } => {
                let shop = outside.shop.ok_or(DriveError::NoShop)?;
                match shop.orders(span).await {
                    Ok(events) => Event::Orders { events },
                    Err(error) => Event::OrdersFailed { kind: error.kind() },
                }
            }
            Command::Ledger(request) => {
                // Whatever the ledger admits must be explained by what is written down.
                outside
                    .journal
                    .commit()
                    .await
                    .map_err(DriveError::Journal)?;
                ask(&mut outside.ledger, *request).await?
            }
            Command::Write {
                platform,
                request,
                not_after,
            } => {
                let platform = find(outside.platforms, &platform)?;
                let late = now(outside) > not_after;
                write(platform, request, late).await
            }
        };
        commands.extend(rollout.handle(now(outside), answer)?);
    }
    Ok(())
}

async fn ask<S: LedgerStore, E: std::error::Error + 'static>(
    ledger: &mut Option<&mut Ledger<S>>,
    request: Request,
) -> Result<Event, DriveError<E>> {
    let ledger = ledger.as_mut().ok_or(DriveError::NoLedger)?;
    let call = LedgerCall::of(&request);
    let answer = match ledger.execute(request).await {
        Ok(reply) => Ok(LedgerAnswer {
            reply,
            book: Box::new(ledger.book().clone()),
        }),
        Err(LedgerError::Store(_)) => Err(LedgerTrouble::Unavailable),
        Err(_) => Err(LedgerTrouble::Damaged),
    };
    Ok(Event::Ledger { call, answer })
}

async fn write<P: AdPlatform>(platform: &P, request: SetBudget, late: bool) -> Event {
    let outcome = if late {
        let error = PlatformError::rejected("it was too late to send it");
        WriteOutcome::Rejected(error)
    } else {
        platform.set_budget(&request).await
    };
    Event::Wrote {
        key: request.key,
        decision: request.decision,
        outcome,
    }
}

fn find<'a, P, E>(
    platforms: &'a BTreeMap<Platform, P>,
    platform: &Platform,
) -> Result<&'a P, DriveError<E>>
where
    E: std::error::Error + 'static,
{
    platforms
        .get(platform)
        .ok_or_else(|| DriveError::NoPlatform {
            platform: platform.clone(),
        })
}

/// Why a drive stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriveError<E: std::error::Error + 'static> {
    /// The machine refused an event.
    #[error(transparent)]
    Rollout(#[from] RolloutError),
    /// A record could not be kept.
    #[error("the journal failed: {0}")]
    Journal(#[source] E),
    /// The rollout knows a platform that was not handed over.
    #[error("no adapter was given for platform {platform}")]
    NoPlatform {
        /// Which one.
        platform: Platform,
    },
    /// The rollout takes revenue from a shop that was not handed over.
    #[error("revenue comes from the shop, but no shop was given")]
    NoShop,
    /// The rollout writes, and no spend ledger was handed over.
    #[error("pilot mode writes budgets, but no spend ledger was given")]
    NoLedger,
}
