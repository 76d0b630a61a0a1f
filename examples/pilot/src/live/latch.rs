//! The kill file: it stops raises without a store, and for every process that can see it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use gaelp::core::{AdSetId, AdSetKey, DecisionId, HourSpan, Micros};
use gaelp::platform::{
    AdPlatform, BudgetReading, Capabilities, PlatformError, Report, SetBudget, WriteOutcome,
};
use serde::{Deserialize, Serialize};

/// A file whose presence is the kill. Its lines say who, when, and what was written without a
/// ledger.
#[derive(Clone, Debug)]
pub(crate) struct Latch {
    path: PathBuf,
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The kill itself.
    Killed {
        by: String,
        /// By the system's clock.
        at: DateTime<Utc>,
    },
    /// A decrease that is about to be sent and that no ledger could take down.
    Intent {
        id: DecisionId,
        key: AdSetKey,
        to: Micros,
        at: DateTime<Utc>,
    },
    /// What became of it.
    Outcome {
        id: DecisionId,
        outcome: WriteOutcome,
    },
}

impl Latch {
    /// The kill file of a store.
    pub(crate) fn of(store: &Path) -> Self {
        let mut name = store.as_os_str().to_owned();
        name.push(".kill");
        Self { path: name.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there. Where nobody can tell, it is taken to be.
    pub(crate) fn is_set(&self) -> bool {
        self.path.try_exists().unwrap_or(true)
    }

    /// Adds a line, and makes the file with it where it is not there. The line is on the disk when
    /// this returns.
    pub(crate) fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path)?;
        file.write_all(&text)?;
        file.sync_all()?;
        self.sync_folder()
    }

    /// Moves it aside, so that what it says is kept; where to.
    pub(crate) fn lift(&self, at: DateTime<Utc>) -> io::Result<Option<PathBuf>> {
        if !self.path.try_exists()? {
            return Ok(None);
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!("ed-{}", at.format("%Y%m%dT%H%M%S%6fZ")));
        let aside = PathBuf::from(name);
        std::fs::rename(&self.path, &aside)?;
        self.sync_folder()?;
        Ok(Some(aside))
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }
}

/// A platform to which no raise is sent while the kill file is there, whatever the ledger said a
/// moment before.
#[derive(Debug)]
pub(crate) struct Latched<P> {
    inner: P,
    latch: Latch,
    /// The least that may stand, as far as was read and sent.
    least: Mutex<BTreeMap<AdSetId, Micros>>,
}

impl<P> Latched<P> {
    pub(crate) fn new(inner: P, latch: Latch) -> Self {
        Self {
            inner,
            latch,
            least: Mutex::default(),
        }
    }

    fn least(&self) -> MutexGuard<'_, BTreeMap<AdSetId, Micros>> {
        self.least.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<P: AdPlatform> AdPlatform for Latched<P> {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
        self.inner.report(span).await
    }

    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
        let readings = self.inner.budgets().await?;
        let read = |reading: &BudgetReading| (reading.key.ad_set.clone(), reading.daily_budget);
        *self.least() = readings.iter().map(read).collect();
        Ok(readings)
    }

    async fn set_budget(&self, request: &SetBudget) -> WriteOutcome {
        let ad_set = &request.key.ad_set;
        let least = self.least().get(ad_set).copied();
        let is_raise = least.is_none_or(|least| request.daily_budget > least);
        if is_raise && self.latch.is_set() {
            let path = self.latch.path().display();
            let message = format!("not sent: {path} forbids raises");
            return WriteOutcome::Rejected(PlatformError::rejected(message));
        }
        let outcome = self.inner.set_budget(request).await;
        if outcome.may_have_changed() {
            let mut known = self.least();
            let least = known.entry(ad_set.clone()).or_insert(request.daily_budget);
            *least = (*least).min(request.daily_budget);
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
