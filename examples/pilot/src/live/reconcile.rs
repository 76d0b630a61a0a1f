//! Reconcile: take over, read, settle, and say what became of each write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gaelp::core::{AdSetKey, DecisionId, Micros};
use gaelp::ledger::{Book, BudgetsRead, Change, Epoch, Observation, Reply, Request};
use gaelp::platform::{AdPlatform, BudgetReading, Capabilities, ErrorKind};
use serde::Serialize;

use super::LiveError;
use super::args::ReconcileArgs;
use super::link::{Link, RemotePlatform};
use super::place::{Books, Place, connect};
use super::say::say;
use crate::error::PilotError;

/// How often a reading that failed is tried again.
const TRIES: u32 = 20;
/// How long to wait before a reading is tried again, and between readings that wait for settlement.
const NAP: Duration = Duration::from_millis(20);

/// A write and what became of it.
#[derive(Debug, Serialize)]
struct FateLine {
    intent: DecisionId,
    key: AdSetKey,
    to: Micros,
    /// `confirmed`, `expired`, or `open`.
    fate: &'static str,
    /// Until when at least it stays counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_until: Option<DateTime<Utc>>,
}

/// What a reconciliation came to.
#[derive(Debug, Serialize)]
struct Summary {
    epoch: Epoch,
    reconciled: bool,
    open: usize,
    exposure: Micros,
    cap: Micros,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<String>,
}

/// `gaelp-pilot reconcile`.
pub(crate) fn reconcile(args: &ReconcileArgs) -> Result<(), PilotError> {
    let place = Place::new(&args.place)?;
    place.limits(&[])?;
    let (link, accounts, _) = connect(&place, args.platform_at, args.timeout)?;
    let limits = place.limits(&accounts)?;
    let (mut books, accepted) = if args.accept_ledger {
        place.accept(limits)?
    } else {
        (place.books(limits)?, None)
    };
    if let Some(found) = &accepted {
        let words = format!("accepted, although {found}: what is lost is not counted any more");
        say(args.place.json, &Accepted { accepted: found }, &words)?;
    }
    let mut takeover = Takeover::begin(&place, &mut books, link, &accounts, "reconcile")?;
    let before = intents(takeover.books.book());
    let mut changes = takeover.observe()?;
    while args.wait && takeover.books.book().all_open().next().is_some() {
        thread::sleep(NAP);
        changes.extend(takeover.observe()?);
    }
    for change in &changes {
        external(args.place.json, change)?;
    }
    let now = takeover.link.now();
    let book = takeover.books.book();
    for (intent, (key, to)) in before {
        let line = fate(book, &changes, intent, key, to);
        say(args.place.json, &line, &line.words())?;
    }
    let config = book.limits().config();
    let summary = Summary {
        epoch: book.epoch(),
        reconciled: book.reconciled(),
        open: book.all_open().count(),
        exposure: book.exposure(now),
        cap: config.daily_cap,
        accepted,
    };
    say(args.place.json, &summary, &summary.words())
}

#[derive(Debug, Serialize)]
struct Accepted<'a> {
    accepted: &'a str,
}

/// A ledger that this process took over, and the platforms to read.
pub(crate) struct Takeover<'a> {
    pub(crate) place: &'a Place,
    pub(crate) books: &'a mut Books,
    pub(crate) link: Arc<Link>,
    pub(crate) epoch: Epoch,
    pub(crate) platforms: Vec<RemotePlatform>,
    /// The budgets as they were read last. The ledger believes them later, and rightly so.
    pub(crate) read: BTreeMap<AdSetKey, Micros>,
}

impl<'a> Takeover<'a> {
    /// Takes the ledger over: whoever held it before is fenced.
    pub(crate) fn begin(
        place: &'a Place,
        books: &'a mut Books,
        link: Arc<Link>,
        accounts: &[Capabilities],
        who: &str,
    ) -> Result<Self, LiveError> {
        let runner = format!("gaelp-pilot {who} {}", std::process::id());
        let at = link.time()?.now;
        let reply = place.ask(books, Request::Take { runner, at })?;
        let epoch = match reply {
            Reply::Taken { epoch } => epoch,
            _ => books.book().epoch(),
        };
        let platforms = accounts.iter();
        let platforms = platforms.map(|account| RemotePlatform::new(&link, account.clone()));
        Ok(Self {
            platforms: platforms.collect(),
            read: BTreeMap::new(),
            place,
            books,
            link,
            epoch,
        })
    }

    /// Reads every budget and tells the ledger.
    pub(crate) fn observe(&mut self) -> Result<Vec<Change>, LiveError> {
        let mut reads = Vec::with_capacity(self.platforms.len());
        for platform in &self.platforms {
            let (began, readings) = read_budgets(&self.link, platform)?;
            for reading in &readings {
                self.read.insert(reading.key.clone(), reading.daily_budget);
            }
            let budget = |reading: BudgetReading| (reading.key.ad_set, reading.daily_budget);
            reads.push(BudgetsRead {
                platform: platform.capabilities().platform.clone(),
                began,
                budgets: readings.into_iter().map(budget).collect(),
            });
        }
        let observation = Observation {
            epoch: self.epoch,
            at: self.link.time()?.now,
            reads,
            spent: Vec::new(),
            known_good: Vec::new(),
        };
        match self
            .place
            .reply(self.books, Request::Observe(observation))?
        {
            Reply::Observed { changes } => Ok(changes),
            Reply::Refused(gaelp::ledger::Refusal::Fenced { .. }) => Err(LiveError::Fenced),
            Reply::Refused(refusal) => Err(LiveError::Refused(Box::new(refusal))),
            _ => Ok(Vec::new()),
        }
    }
}

/// Reads an account's budgets, again and again where the platform is busy; when the reading began.
pub(crate) fn read_budgets(
    link: &Link,
    platform: &RemotePlatform,
) -> Result<(DateTime<Utc>, Vec<BudgetReading>), LiveError> {
    let mut tries = 1;
    loop {
        let began = link.time()?.now;
        match pollster::block_on(platform.budgets()) {
            Ok(readings) => return Ok((began, readings)),
            Err(error) if error.kind() == ErrorKind::Retryable && tries < TRIES => {
                tries += 1;
                thread::sleep(NAP);
            }
            Err(error) => return Err(link.failed(&error)),
        }
    }
}

fn intents(book: &Book) -> BTreeMap<DecisionId, (AdSetKey, Micros)> {
    let open = book.all_open();
    open.map(|intent| (intent.id, (intent.key.clone(), intent.to)))
        .collect()
}

fn fate(
    book: &Book,
    changes: &[Change],
    intent: DecisionId,
    key: AdSetKey,
    to: Micros,
) -> FateLine {
    let settled = changes.iter().find_map(|change| match change {
        Change::Confirmed { intent: id, .. } if *id == intent => Some("confirmed"),
        Change::Expired { intent: id, .. } if *id == intent => Some("expired"),
        _ => None,
    });
    let open = book.open(&key).into_iter().find(|known| known.id == intent);
    let config = book.limits().config();
    let wait = i64::from(config.request_lifetime_secs) + i64::from(config.clock_skew_secs);
    FateLine {
        intent,
        key,
        to,
        fate: settled.unwrap_or("open"),
        counted_until: open.map(|known| known.not_after + TimeDelta::seconds(wait)),
    }
}

/// Says what somebody else changed.
fn external(json: bool, change: &Change) -> Result<(), PilotError> {
    let words = match change {
        Change::External { key, from, to } => {
            format!("{key}: somebody else changed it from {from} to {to} a day; adopted")
        }
        Change::Gone { key, from } => format!("{key}: gone, with {from} a day"),
        Change::New { key, budget } => format!("{key}: new, with {budget} a day"),
        _ => return Ok(()),
    };
    say(json, change, &words)
}

impl FateLine {
    fn words(&self) -> String {
        let Self {
            key, to, intent, ..
        } = self;
        let intent = intent.to_string();
        match (self.fate, self.counted_until) {
            ("open", Some(until)) => format!(
                "{key}: {to} a day ({intent}) is open; it stays counted at least until {until}"
            ),
            (fate, _) => format!("{key}: {to} a day ({intent}) {fate}"),
        }
    }
}

impl Summary {
    fn words(&self) -> String {
        let Self {
            epoch,
            open,
            exposure,
            cap,
            ..
        } = self;
        let state = if self.reconciled {
            "reconciled: raises are possible"
        } else {
            "nothing is raised until what is open is settled"
        };
        format!("epoch {epoch}; {open} open; exposure {exposure} of {cap}; {state}")
    }
}
