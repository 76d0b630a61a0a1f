//! A run: files into the store, the store through the rollout, records into a summary.

use std::collections::BTreeMap;
use std::iter;

use async_trait::async_trait;
use gaelp::core::{AccountZone, Currency, HourSpan, Micros, Platform, Rounding, UtcHour};
use gaelp::ledger::{Ledger, MemoryLedger};
use gaelp::platform::{AdPlatform, Capabilities, Delivery, InMemoryPlatform, RevenueSource};
use gaelp::rollout::{Journal, Mode, Outside, Record, RevenueFrom, Rollout, RolloutConfig, drive};
use gaelp_store::{Coverage, RunId, RunJournal, Store, StoreError};

use crate::error::PilotError;
use crate::import::{self, InputError, Taken};
use crate::observe::Observer;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::stats::Stats;
use crate::summarise;
use crate::summary::{Granularity, Summary};

/// How many records are committed at once.
const BATCH: usize = 20_000;

/// Reads, decides, keeps, and says what came of it.
pub(crate) fn run(
    settings: &Settings,
    progress: Progress,
    stats: &mut Stats,
) -> Result<Summary, PilotError> {
    // Whatever is wrong with the settings is said before any file is read or made.
    let trial = settings.rollout(settings.currency()?.unwrap_or(Currency::USD))?;
    trial.validate()?;
    if settings.insights().is_empty() {
        return Err(PilotError::NoInput);
    }
    settings.check_outputs()?;
    let store = match settings.store()? {
        None => Store::open_in_memory()?,
        Some(path) => Store::open(path)?,
    };
    let mut taken = import::take(settings, &store, progress, stats)?;
    let config = settings.rollout(taken.currency)?;
    let run = run_id(&config, &taken);
    let mut observer = Observer::new(&config);
    if taken.granularity == Granularity::Total {
        return Ok(summarise::totals(settings, &config, run, taken));
    }
    let coverage = store.coverage(&taken.reports)?;
    taken.restated = coverage.superseded;
    let steps = steps(config.zone, taken.granularity, &coverage)?;
    let mut journal = Tee {
        journal: store.journal(run),
        observer: &mut observer,
        uncommitted: 0,
    };
    let ran = Replay {
        store: &store,
        taken: &taken,
        config: &config,
        coverage: &coverage,
    };
    stats.time("deciding", "decisions", || {
        ran.drive(&steps, &mut journal, progress)?;
        Ok::<_, PilotError>(((), journal.observer.decisions.all))
    })?;
    Ok(summarise::run(
        settings, &config, run, taken, &observer, &steps,
    ))
}

/// A run is the same run where configuration, program version and input are the same.
fn run_id(config: &RolloutConfig, taken: &Taken) -> RunId {
    let mut hasher = blake3::Hasher::new();
    let config = serde_json::to_vec(config).unwrap_or_default();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher
        .update(&(config.len() as u64).to_le_bytes())
        .update(&config);
    hasher.update(taken.digest.as_bytes());
    RunId::new(*hasher.finalize().as_bytes())
}

/// The steps from the first to the last reported hour.
fn steps(
    zone: AccountZone,
    granularity: Granularity,
    coverage: &Coverage,
) -> Result<Vec<HourSpan>, PilotError> {
    let span = coverage.span.ok_or(InputError::Empty)?;
    if granularity == Granularity::Hourly {
        return Ok(span.iter().map(HourSpan::hour).collect());
    }
    let last = zone.local(span.to.plus(-1)).date;
    let dates = zone
        .local(span.from)
        .date
        .iter_days()
        .take_while(|date| *date <= last);
    Ok(dates.filter_map(|date| zone.day(date)).collect())
}

/// What a replay needs.
struct Replay<'a> {
    store: &'a Store,
    taken: &'a Taken,
    config: &'a RolloutConfig,
    coverage: &'a Coverage,
}

impl Replay<'_> {
    fn drive(
        &self,
        steps: &[HourSpan],
        journal: &mut Tee<'_>,
        progress: Progress,
    ) -> Result<(), PilotError> {
        let bar = progress.steps(steps.len() as u64);
        let counted = steps.iter().copied().inspect(|_| bar.inc(1));
        let shop = self.store.recorded_shop(&self.taken.orders);
        let shop =
            (self.config.revenue == RevenueFrom::Shop).then_some(&shop as &dyn RevenueSource);
        match self.config.mode {
            Mode::Shadow => {
                let recorded = |capabilities: Capabilities| {
                    let platform = capabilities.platform.clone();
                    (
                        platform,
                        self.store.recorded(&self.taken.reports, capabilities),
                    )
                };
                let platforms: BTreeMap<_, _> =
                    self.capabilities()?.into_iter().map(recorded).collect();
                self.drive_on(&platforms, shop, journal, counted)?;
            }
            Mode::Pilot => {
                let platforms = self.rehearsal(steps)?;
                let clock = |now: UtcHour| platforms.values().for_each(|p| p.set_now(now));
                let end = steps.last().map_or(UtcHour::new(0), |span| span.to);
                let ticking = counted
                    .inspect(|span| clock(span.from))
                    .chain(iter::from_fn(|| {
                        clock(end);
                        None
                    }));
                self.drive_on(&platforms, shop, journal, ticking)?;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn drive_on<P: AdPlatform>(
        &self,
        platforms: &BTreeMap<Platform, P>,
        shop: Option<&dyn RevenueSource>,
        journal: &mut Tee<'_>,
        steps: impl Iterator<Item = HourSpan>,
    ) -> Result<(), PilotError> {
        let capabilities = platforms
            .values()
            .map(|p| p.capabilities().clone())
            .collect();
        let mut rollout = Rollout::new(self.config.clone(), capabilities)?;
        let limits = rollout.limits().clone();
        let opened = pollster::block_on(Ledger::open(limits, MemoryLedger::new()));
        // A rehearsal spends no money, so its ledger need not outlive it.
        let mut ledger = opened.map_err(|error| PilotError::Rehearsal(error.into()))?;
        let outside = Outside {
            platforms,
            shop,
            journal,
            ledger: Some(&mut ledger),
            clock: None,
        };
        pollster::block_on(drive(&mut rollout, outside, steps))?;
        Ok(())
    }

    /// What the platforms of the files can do. A recording has no delay: it is complete.
    fn capabilities(&self) -> Result<Vec<Capabilities>, PilotError> {
        let (currency, zone) = (self.config.currency, self.config.zone);
        let of = |platform: &Platform| {
            let known = match platform {
                Platform::Meta => Capabilities::meta(currency, zone),
                Platform::Google => Capabilities::google(currency, zone),
                Platform::TikTok => Capabilities::tiktok(currency, zone),
                other => Capabilities::other(other.clone(), currency, zone),
            };
            known
                .with(|config| config.reporting_delay_hours = 0)
                .map_err(|error| PilotError::Rehearsal(error.into()))
        };
        self.coverage
            .platforms
            .iter()
            .map(|found| of(&found.platform))
            .collect()
    }

    /// Platforms in memory that hold the recorded reports and take writes.
    fn rehearsal(
        &self,
        steps: &[HourSpan],
    ) -> Result<BTreeMap<Platform, InMemoryPlatform>, PilotError> {
        let setup = |error: Box<dyn std::error::Error + Send + Sync>| PilotError::Rehearsal(error);
        let start = steps.first().map_or(UtcHour::new(0), |span| span.from);
        let mut platforms: BTreeMap<Platform, InMemoryPlatform> = self
            .capabilities()?
            .into_iter()
            .map(|c| (c.platform.clone(), InMemoryPlatform::new(c, start)))
            .collect();
        let mut spent: BTreeMap<gaelp::core::AdSetKey, (Micros, i64)> = BTreeMap::new();
        for row in self.store.rows(&self.taken.reports)? {
            let row = row?;
            let sum = spent.entry(row.key.clone()).or_default();
            sum.0 = sum.0.checked_add(row.metrics.spend).unwrap_or(Micros::MAX);
            sum.1 += i64::from(row.span.len());
            if let Some(platform) = platforms.get(&row.key.platform) {
                platform.load([row]).map_err(|error| setup(error.into()))?;
            }
        }
        for (key, (total, hours)) in spent {
            let Some(platform) = platforms.get_mut(&key.platform) else {
                continue;
            };
            // The budget it would have needed to spend what it spent.
            let mean = total
                .checked_mul(24)
                .and_then(|t| t.checked_div(hours, Rounding::Down));
            let capabilities = platform.capabilities();
            let minimum = capabilities.minimum_daily_budget;
            let budget = capabilities
                .accept(mean.unwrap_or(minimum))
                .unwrap_or(minimum);
            platform
                .put_ad_set(key.ad_set, budget, Delivery::Active)
                .map_err(|error| setup(error.into()))?;
        }
        Ok(platforms)
    }
}

/// Shows every record to the observer, and keeps those that the store does not have yet.
struct Tee<'a> {
    journal: RunJournal,
    observer: &'a mut Observer,
    uncommitted: usize,
}

#[async_trait]
impl Journal for Tee<'_> {
    type Error = StoreError;

    async fn append(&mut self, mut records: Vec<Record>) -> Result<(), StoreError> {
        for record in &records {
            self.observer.take(record);
        }
        // Reports were imported from the files, under the files' names.
        records.retain(|record| !matches!(record, Record::Metrics(_)));
        self.uncommitted += records.len();
        self.journal.append(records).await?;
        if self.uncommitted >= BATCH {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.uncommitted = 0;
        self.journal.commit().await
    }
}
