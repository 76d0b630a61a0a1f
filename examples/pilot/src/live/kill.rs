//! Kill: forbid raises, tell the ledger, lower every budget. Each part works without the next.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use gaelp::core::{AdSetKey, DecisionId, Micros, Rounding};
use gaelp::ledger::{Answer, Order, PolicyHash, Proposal, Refusal, Reply, Request, Standing};
use gaelp::platform::{AdPlatform, Capabilities, SetBudget, WriteOutcome};
use serde::Serialize;

use super::LiveError;
use super::args::KillArgs;
use super::latch::{Latch, Line};
use super::link::{Link, RemotePlatform};
use super::place::{Place, connect, wall_clock};
use super::reconcile::{Takeover, read_budgets};
use super::say::say;
use crate::error::PilotError;

/// How often what did not go through is tried again.
const TRIES: u32 = 5;
/// How long to wait before that.
const NAP: Duration = Duration::from_millis(20);

/// `gaelp-pilot kill`.
pub(crate) fn kill(args: &KillArgs) -> Result<(), PilotError> {
    let json = args.order.place.json;
    let place = match Place::new(&args.order.place) {
        Ok(place) => place,
        Err(error) => {
            // Settings that cannot be read must not keep anyone from stopping.
            if let Some(store) = args.order.place.named_store() {
                latch(&Latch::of(&store), &args.order.by, json)?;
            }
            return Err(error);
        }
    };
    latch(&place.latch, &args.order.by, json)?;
    let told = tell_ledger(&place, &args.order.by);
    let (ledger, problem) = match &told {
        Ok(()) => ("killed", None),
        Err(error) => ("not told", Some(error.to_string())),
    };
    let words = match &problem {
        None => "the spend ledger is killed: every runner hears it at its next request".to_owned(),
        Some(problem) => format!("the spend ledger could not be told: {problem}"),
    };
    say(json, &Told { ledger, problem }, &words)?;
    if let Some(address) = args.platform_at {
        match lower(&place, args, address, told.is_ok()) {
            Err(error) if told.is_ok() => return Err(error),
            // What is wrong with the store is said below, and counts more.
            Err(error) => say(json, &Failed::new(&error), &error.to_string())?,
            Ok(()) => {}
        }
    }
    told
}

#[derive(Debug, Serialize)]
struct Told {
    ledger: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Failed {
    failed: String,
}

impl Failed {
    fn new(error: &PilotError) -> Self {
        Self {
            failed: error.to_string(),
        }
    }
}

/// A budget that was lowered, or could not be.
#[derive(Clone, Debug, Serialize)]
struct Lowered {
    key: AdSetKey,
    /// What stood, and what is to stand.
    from: Micros,
    to: Micros,
    /// What was read last.
    stands: Micros,
}

fn latch(latch: &Latch, by: &str, json: bool) -> Result<(), PilotError> {
    #[derive(Debug, Serialize)]
    struct Latched<'a> {
        latched: &'a std::path::Path,
    }
    let line = Line::Killed {
        by: by.to_owned(),
        at: wall_clock(),
    };
    let path = latch.path();
    latch.write(&line).map_err(|source| LiveError::Latch {
        path: path.to_owned(),
        source,
    })?;
    let words = format!("raises are forbidden by {}", path.display());
    say(json, &Latched { latched: path }, &words)
}

fn tell_ledger(place: &Place, by: &str) -> Result<(), PilotError> {
    let mut books = place.books(place.limits(&[])?)?;
    Ok(place.order(&mut books, Order::Kill, by)?)
}

/// Lowers every budget: through the ledger, or, where there is none to trust, to the least that the
/// platform takes.
fn lower(
    place: &Place,
    args: &KillArgs,
    address: SocketAddr,
    by_ledger: bool,
) -> Result<(), PilotError> {
    let (link, accounts, _) = connect(place, address, args.timeout)?;
    let lowered = if by_ledger {
        lower_by_ledger(place, &link, &accounts)?
    } else {
        lower_blindly(place, &link, &accounts)?
    };
    for line in lowered.values() {
        say(args.order.place.json, line, &line.words())?;
    }
    let missed = lowered
        .values()
        .filter(|line| line.stands > line.to)
        .count();
    if missed > 0 {
        let all = lowered.len();
        return Err(LiveError::Incomplete { missed, all }.into());
    }
    Ok(())
}

fn lower_by_ledger(
    place: &Place,
    link: &Arc<Link>,
    accounts: &[Capabilities],
) -> Result<BTreeMap<AdSetKey, Lowered>, PilotError> {
    let mut books = place.books(place.limits(accounts)?)?;
    let within = TimeDelta::seconds(place.config(accounts)?.send_within_secs.into());
    let mut lowered: BTreeMap<AdSetKey, Lowered> = BTreeMap::new();
    let mut takeover = Takeover::begin(place, &mut books, Arc::clone(link), accounts, "kill")?;
    for attempt in 0..TRIES {
        match takeover.observe() {
            Ok(_) => {}
            // A runner that was started in between took over. It obeys, but this goes first.
            Err(LiveError::Fenced) => {
                let link = Arc::clone(link);
                takeover = Takeover::begin(place, takeover.books, link, accounts, "kill")?;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        let mut due = Vec::new();
        for (key, target) in targets(&takeover, accounts) {
            let line = lowered.entry(key.clone()).or_insert(Lowered {
                key: key.clone(),
                from: target.stands,
                to: target.to,
                stands: target.stands,
            });
            line.to = line.to.min(target.to);
            line.stands = target.stands;
            // What is under way and higher is written over once; it stays counted in any case.
            let higher = attempt == 0 && target.open.is_some_and(|open| open > line.to);
            if line.stands > line.to || higher {
                due.push((key, line.to));
            }
        }
        if due.is_empty() {
            break;
        }
        for (key, to) in due {
            let name = format!("{} {attempt}", takeover.epoch);
            let id = decision(&["kill", &name], &key);
            lower_one(&mut takeover, &key, to, id, within)?;
        }
        thread::sleep(NAP);
    }
    // How the last attempt came out.
    if let Ok(()) = takeover.observe().map(drop) {
        for (key, line) in &mut lowered {
            line.stands = takeover.read.get(key).copied().unwrap_or(line.stands);
        }
    }
    Ok(lowered)
}

/// What is to stand.
struct Target {
    /// What was read.
    stands: Micros,
    to: Micros,
    /// The largest budget that a write under way may yet set.
    open: Option<Micros>,
}

/// For each ad set the least of what stands, what was last known good, and its share of the cap.
fn targets(takeover: &Takeover<'_>, accounts: &[Capabilities]) -> Vec<(AdSetKey, Target)> {
    let book = takeover.books.book();
    let now = takeover.link.now();
    let known: Vec<(&AdSetKey, Standing)> = book.lines(now).collect();
    let number = i64::try_from(known.len()).unwrap_or(i64::MAX).max(1);
    let cap = book.limits().config().daily_cap;
    let share = cap.checked_div(number, Rounding::Down).unwrap_or_default();
    let mut targets = Vec::with_capacity(known.len());
    for (key, line) in known {
        let account = accounts
            .iter()
            .find(|account| account.platform == key.platform);
        let (Some(account), Some(standing)) = (account, line.confirmed) else {
            continue;
        };
        let open = line.open.iter().map(|intent| intent.to);
        let share = budget_of_share(account, share);
        let good = line.known_good.unwrap_or(standing);
        let least = open
            .clone()
            .fold(standing.min(good).min(share), Micros::min);
        // Where the platform takes nothing as small, it gets the smallest, but never a raise.
        let least = account
            .accept(least)
            .unwrap_or(account.minimum_daily_budget);
        let to = open.clone().fold(least.min(standing), Micros::min);
        let stands = takeover.read.get(key).copied().unwrap_or(standing);
        let open = open.max();
        targets.push((key.clone(), Target { stands, to, open }));
    }
    targets
}

/// The daily budget that can make the account pay no more than a share.
fn budget_of_share(account: &Capabilities, share: Micros) -> Micros {
    let scaled = i128::from(share.get()) * 1_000_000 / i128::from(account.overdelivery.ppm());
    Micros::new(i64::try_from(scaled).unwrap_or(share.get()))
}

/// One write: taken down, sent, and its outcome taken down.
fn lower_one(
    takeover: &mut Takeover<'_>,
    key: &AdSetKey,
    to: Micros,
    id: DecisionId,
    within: TimeDelta,
) -> Result<(), PilotError> {
    let at = takeover.link.time()?.now;
    let not_after = at + within;
    let proposal = Proposal {
        epoch: takeover.epoch,
        id,
        key: key.clone(),
        to,
        policy: PolicyHash(*blake3::hash(b"gaelp-pilot kill").as_bytes()),
        at,
        not_after,
    };
    match takeover
        .place
        .reply(takeover.books, Request::Admit(proposal))?
    {
        Reply::Admitted(_) => {}
        // The next attempt takes over again.
        Reply::Refused(Refusal::Fenced { .. }) => return Ok(()),
        Reply::Refused(refusal) => return Err(LiveError::Refused(Box::new(refusal)).into()),
        _ => return Ok(()),
    }
    let platform = takeover.platforms.iter();
    let platform = platform
        .into_iter()
        .find(|p| p.capabilities().platform == key.platform);
    let request = SetBudget {
        key: key.clone(),
        daily_budget: to,
        decision: id,
    };
    let answer = match platform {
        // Too late is certainly not sent.
        Some(platform) if takeover.link.now() <= not_after => {
            match pollster::block_on(platform.set_budget(&request)) {
                WriteOutcome::Applied { daily_budget } => Answer::Applied { daily_budget },
                WriteOutcome::Rejected(_) => Answer::Rejected,
                WriteOutcome::Unknown(_) => Answer::Unknown,
            }
        }
        _ => Answer::Rejected,
    };
    let at = takeover.link.now();
    let answered = Request::Answer {
        intent: id,
        answer,
        at,
    };
    takeover.place.ask(takeover.books, answered)?;
    Ok(())
}

/// Without a ledger: each write is put into the kill file before it is sent, and is the least that
/// the platform takes, which no raise can be.
fn lower_blindly(
    place: &Place,
    link: &Arc<Link>,
    accounts: &[Capabilities],
) -> Result<BTreeMap<AdSetKey, Lowered>, PilotError> {
    let mut lowered: BTreeMap<AdSetKey, Lowered> = BTreeMap::new();
    let written = |line: &Line| {
        place.latch.write(line).map_err(|source| LiveError::Latch {
            path: place.latch.path().to_owned(),
            source,
        })
    };
    for _ in 0..TRIES {
        let mut due = Vec::new();
        for account in accounts {
            let platform = RemotePlatform::new(link, account.clone());
            for reading in read_budgets(link, &platform)?.1 {
                let to = reading.daily_budget.min(account.minimum_daily_budget);
                let line = lowered.entry(reading.key.clone()).or_insert(Lowered {
                    key: reading.key.clone(),
                    from: reading.daily_budget,
                    to,
                    stands: reading.daily_budget,
                });
                line.stands = reading.daily_budget;
                if line.stands > line.to {
                    due.push((platform.clone(), reading.key, to));
                }
            }
        }
        if due.is_empty() {
            break;
        }
        for (platform, key, to) in due {
            let at = wall_clock();
            let id = decision(&["kill file", &at.to_rfc3339()], &key);
            let request = SetBudget {
                key: key.clone(),
                daily_budget: to,
                decision: id,
            };
            written(&Line::Intent { id, key, to, at })?;
            let _ = link.now();
            let outcome = pollster::block_on(platform.set_budget(&request));
            written(&Line::Outcome { id, outcome })?;
        }
        thread::sleep(NAP);
    }
    Ok(lowered)
}

fn decision(what: &[&str], key: &AdSetKey) -> DecisionId {
    let key = key.to_string();
    let parts: Vec<&[u8]> = what
        .iter()
        .map(|part| part.as_bytes())
        .chain([key.as_bytes()])
        .collect();
    DecisionId::derive(&parts)
}

impl Lowered {
    fn words(&self) -> String {
        let Self {
            key,
            from,
            to,
            stands,
        } = self;
        if stands > to {
            format!("{key}: NOT lowered: {stands} a day stands, {to} was asked for")
        } else if from == stands {
            format!("{key}: {stands} a day stays")
        } else {
            format!("{key}: lowered from {from} to {stands} a day")
        }
    }
}
