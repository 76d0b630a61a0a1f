//! Status: where everything stands, and in words what is wrong.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use gaelp::core::{AdSetKey, DecisionId, Micros, Platform, UtcHour};
use gaelp::guardrails::{Breaker, BreakerPhase, Emergency};
use gaelp::ledger::Book;
use gaelp::rollout::{Alert, Checkpoint};
use gaelp_store::Store;
use serde::{Deserialize, Serialize};

use super::LiveError;
use super::args::StatusArgs;
use super::place::{Place, as_of};
use super::say::say;
use crate::error::PilotError;

/// How many of the last alerts are shown.
const ALERTS: usize = 5;

/// Everything that is known.
#[derive(Debug, Serialize)]
struct Status {
    store: String,
    /// What is wrong with the store; empty for a sound one.
    problems: Vec<String>,
    /// The kill file, where it is there.
    kill_file: Option<String>,
    ledger: Option<LedgerStatus>,
    /// The first hour that is not decided.
    decided_to: Option<DateTime<Utc>>,
    /// Since when the run is in emergency: caps were exceeded several times in a row.
    emergency_since: Option<DateTime<Utc>>,
    /// Platforms to which nothing is raised because too many calls failed.
    breakers: Vec<BreakerLine>,
    /// The last alerts of the run, newest last.
    alerts: Vec<Alert>,
}

#[derive(Debug, Serialize)]
struct LedgerStatus {
    entries: u64,
    head: String,
    epoch: u64,
    /// The time of the last entry, for which the figures are.
    as_of: DateTime<Utc>,
    killed: bool,
    paused: bool,
    reconciled: bool,
    /// What the account could be made to pay on its day.
    exposure: Micros,
    cap: Micros,
    ad_sets: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    key: AdSetKey,
    confirmed: Option<Micros>,
    high: Micros,
    spent: Micros,
    known_good: Option<Micros>,
    exposure: Micros,
    open: Vec<Open>,
}

#[derive(Debug, Serialize)]
struct Open {
    intent: DecisionId,
    to: Micros,
    epoch: u64,
    admitted: DateTime<Utc>,
    /// Until when at least it stays counted, whatever is read.
    counted_until: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
struct BreakerLine {
    platform: Platform,
    phase: BreakerPhase,
}

/// What a checkpoint says about the run's health.
#[derive(Debug, Deserialize)]
struct Health {
    emergency: Emergency,
    breakers: Vec<(Platform, Breaker)>,
}

impl Health {
    fn of(checkpoint: &Checkpoint) -> Option<Self> {
        serde_json::from_value(serde_json::to_value(checkpoint).ok()?).ok()
    }
}

/// `gaelp-pilot status`.
pub(crate) fn status(args: &StatusArgs) -> Result<(), PilotError> {
    let place = Place::new(&args.place)?;
    let limits = place.limits(&[])?;
    let set = place.latch.is_set();
    let mut status = Status {
        store: place.store.display().to_string(),
        problems: Vec::new(),
        kill_file: set.then(|| place.latch.path().display().to_string()),
        ledger: None,
        decided_to: None,
        emergency_since: None,
        breakers: Vec::new(),
        alerts: Vec::new(),
    };
    let mut worst = None;
    let mut note = |status: &mut Status, error: LiveError| {
        let said = error.to_string();
        if !status.problems.contains(&said) {
            status.problems.push(said);
        }
        if worst
            .as_ref()
            .is_none_or(|worst: &LiveError| !worst.is_damage())
        {
            worst = Some(error);
        }
    };
    match place.books(limits) {
        Ok(books) => status.ledger = Some(LedgerStatus::of(books.book())),
        Err(error) => note(&mut status, error),
    }
    if place.store.try_exists().unwrap_or(true)
        && let Err(error) = look_into(&place, &mut status)
    {
        note(&mut status, error);
    }
    say(args.place.json, &status, &status.words())?;
    worst.map_or(Ok(()), |error| Err(error.into()))
}

/// What the rest of the store holds.
fn look_into(place: &Place, status: &mut Status) -> Result<(), LiveError> {
    let damaged = |error| LiveError::of_store(&place.store, error);
    let store = Store::open(&place.store).map_err(damaged)?;
    store.check_integrity().map_err(damaged)?;
    let checkpoint = store.checkpoint(place.run).map_err(damaged)?;
    if let Some(checkpoint) = checkpoint {
        status.decided_to = checkpoint.decided_to().map(UtcHour::start);
        if let Some(health) = Health::of(&checkpoint) {
            status.emergency_since = health.emergency.since().map(UtcHour::start);
            let at = status
                .ledger
                .as_ref()
                .map_or(DateTime::UNIX_EPOCH, |ledger| ledger.as_of);
            let line = |(platform, breaker): (Platform, Breaker)| BreakerLine {
                phase: breaker.phase(at),
                platform,
            };
            status.breakers = health.breakers.into_iter().map(line).collect();
            status
                .breakers
                .retain(|line| line.phase != BreakerPhase::Closed);
        }
    }
    let mut alerts = Vec::new();
    for alert in store.alerts(place.run) {
        alerts.push(alert.map_err(damaged)?);
    }
    status.alerts = alerts.split_off(alerts.len().saturating_sub(ALERTS));
    Ok(())
}

impl LedgerStatus {
    fn of(book: &Book) -> Self {
        let config = book.limits().config();
        let wait = i64::from(config.request_lifetime_secs) + i64::from(config.clock_skew_secs);
        let at = as_of(book);
        let line = |(key, line): (&AdSetKey, gaelp::ledger::Standing)| Line {
            key: key.clone(),
            confirmed: line.confirmed,
            high: line.high,
            spent: line.spent,
            known_good: line.known_good,
            exposure: line.exposure,
            open: line
                .open
                .iter()
                .map(|intent| Open {
                    intent: intent.id,
                    to: intent.to,
                    epoch: intent.epoch.get(),
                    admitted: intent.at,
                    counted_until: intent.not_after + TimeDelta::seconds(wait),
                })
                .collect(),
        };
        let operator = book.operator();
        Self {
            entries: book.seq(),
            head: book.head().to_string(),
            epoch: book.epoch().get(),
            as_of: at,
            killed: operator.killed,
            paused: operator.paused,
            reconciled: book.reconciled(),
            exposure: book.exposure(at),
            cap: config.daily_cap,
            ad_sets: book.lines(at).map(line).collect(),
        }
    }

    fn words(&self, text: &mut String) {
        let Self {
            epoch,
            entries,
            as_of,
            exposure,
            cap,
            ..
        } = self;
        let _ = writeln!(
            text,
            "ledger: epoch {epoch}, {entries} entries, as of {as_of}"
        );
        let _ = writeln!(text, "exposure: {exposure} of {cap} a day");
        if self.killed {
            text.push_str("KILLED: nothing is raised until `gaelp-pilot rearm --by NAME`\n");
        }
        if self.paused {
            text.push_str("paused: nothing is raised until `gaelp-pilot resume`\n");
        }
        if !self.reconciled {
            text.push_str(
                "not reconciled: nothing is raised until every platform was read and what is open \
                 from an earlier process is settled\n",
            );
        }
        for line in &self.ad_sets {
            let confirmed = line
                .confirmed
                .map_or("gone".to_owned(), |b| format!("{b} a day"));
            let (key, high, spent) = (&line.key, line.high, line.spent);
            let _ = writeln!(
                text,
                "  {key}: {confirmed}, highest today {high}, spent at most {spent}, exposure {}",
                line.exposure
            );
            for open in &line.open {
                let Open {
                    intent,
                    to,
                    counted_until,
                    ..
                } = open;
                let _ = writeln!(
                    text,
                    "    open: {to} a day ({intent}), counted at least until {counted_until}"
                );
            }
        }
    }
}

impl Status {
    fn words(&self) -> String {
        let mut text = format!("store: {}\n", self.store);
        for problem in &self.problems {
            let _ = writeln!(text, "PROBLEM: {problem}");
        }
        if let Some(path) = &self.kill_file {
            let _ = writeln!(text, "KILLED by the file {path}: no runner raises anything");
        }
        if let Some(ledger) = &self.ledger {
            ledger.words(&mut text);
        }
        match self.decided_to {
            Some(to) => drop(writeln!(text, "decided up to {to}")),
            None => text.push_str("nothing was decided yet\n"),
        }
        if let Some(since) = self.emergency_since {
            let _ = writeln!(
                text,
                "EMERGENCY since {since}: caps were exceeded several times in a row; nothing is \
                 raised until `gaelp-pilot resume`"
            );
        }
        for BreakerLine { platform, phase } in &self.breakers {
            let _ = writeln!(
                text,
                "{platform}: too many calls failed; its breaker is {phase:?}"
            );
        }
        for Alert { at, kind, subject } in &self.alerts {
            let _ = writeln!(text, "alert: {} {} ({subject})", at.start(), kind.as_str());
        }
        text.truncate(text.trim_end().len());
        text
    }
}
