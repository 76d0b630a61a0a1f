//! The one asynchronous function: it feeds the machine from the traits.

use std::collections::BTreeMap;

use gaelp_core::{HourSpan, Platform};
use gaelp_platform::{AdPlatform, RevenueSource};

use crate::{Command, Event, Journal, Rollout, RolloutError};

/// Drives a rollout over steps, one after the other, and ends it.
///
/// For each span it begins a step, carries out what the machine asks for and hands the answers
/// back. Everything recorded is committed before anything is written to a platform, and at the
/// end. It needs no runtime of its own: any executor can poll it.
///
/// **Cost.** One report, one budget reading and one order reading per platform and step.
///
/// # Errors
/// [`DriveError::Journal`] where a record cannot be kept: the drive stops, because what cannot be
/// logged must not be done. A platform's errors do not stop it; the machine decides without.
pub async fn drive<P, J>(
    rollout: &mut Rollout,
    platforms: &BTreeMap<Platform, P>,
    shop: Option<&dyn RevenueSource>,
    journal: &mut J,
    steps: impl IntoIterator<Item = HourSpan>,
) -> Result<(), DriveError<J::Error>>
where
    P: AdPlatform,
    J: Journal,
{
    let mut end = None;
    for span in steps {
        end = Some(span.to);
        run(
            rollout,
            Event::StepBegins { span },
            platforms,
            shop,
            journal,
        )
        .await?;
    }
    if let Some(at) = end {
        run(rollout, Event::Ends { at }, platforms, shop, journal).await?;
    }
    journal.commit().await.map_err(DriveError::Journal)
}

async fn run<P: AdPlatform, J: Journal>(
    rollout: &mut Rollout,
    first: Event,
    platforms: &BTreeMap<Platform, P>,
    shop: Option<&dyn RevenueSource>,
    journal: &mut J,
) -> Result<(), DriveError<J::Error>> {
    let mut commands = std::collections::VecDeque::from(rollout.handle(first)?);
    while let Some(command) = commands.pop_front() {
        let answer = match command {
            Command::Record(records) => {
                journal.append(records).await.map_err(DriveError::Journal)?;
                continue;
            }
            Command::ReadReport { platform, span } => {
                let source = find(platforms, &platform)?;
                match source.report(span).await {
                    Ok(report) => Event::Reported { platform, report },
                    Err(error) => Event::ReportFailed {
                        platform,
                        kind: error.kind(),
                    },
                }
            }
            Command::ReadBudgets { platform } => {
                let source = find(platforms, &platform)?;
                match source.budgets().await {
                    Ok(readings) => Event::Budgets { platform, readings },
                    Err(error) => Event::BudgetsFailed {
                        platform,
                        kind: error.kind(),
                    },
                }
            }
            Command::ReadOrders { span } => {
                let shop = shop.ok_or(DriveError::NoShop)?;
                match shop.orders(span).await {
                    Ok(events) => Event::Orders { events },
                    Err(error) => Event::OrdersFailed { kind: error.kind() },
                }
            }
            Command::Write { platform, request } => {
                journal.commit().await.map_err(DriveError::Journal)?;
                let outcome = find(platforms, &platform)?.set_budget(&request).await;
                Event::Wrote {
                    key: request.key,
                    decision: request.decision,
                    outcome,
                }
            }
        };
        commands.extend(rollout.handle(answer)?);
    }
    Ok(())
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
}
