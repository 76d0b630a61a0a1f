//! The loop: every hour one step, until told to end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gaelp::core::{HourSpan, Platform, UtcHour};
use gaelp::ledger::{Book, Epoch, Order};
use gaelp::platform::{Capabilities, RevenueSource};
use gaelp::rollout::{
    AlertKind, DriveError, Event, Journal, Mode, Outside, RevenueFrom, Rollout, RolloutConfig, step,
};
use gaelp_store::{Store, StoreError};

use super::LiveError;
use super::args::HourlyArgs;
use super::latch::Latched;
use super::link::{Link, RemotePlatform, RemoteShop, Time};
use super::place::{Books, Place, connect};
use super::say::say;
use super::watch::{About, StepLine, Watched};
use crate::error::PilotError;

/// How far back reports are read again: platforms correct the last day.
const REREAD_HOURS: u32 = 24;
/// How often in a row another runner may have recorded the same hour first.
const MOST_OVERTAKEN: u32 = 5;
/// The longest that the loop sleeps before it looks for signals again.
const NAP: Duration = Duration::from_millis(200);
/// How long it sleeps where the platform does not say when the next hour begins.
const BLIND_NAP: Duration = Duration::from_millis(20);

/// `gaelp-pilot live`.
pub(crate) fn live(args: &HourlyArgs) -> Result<(), PilotError> {
    let ending = listen_for_signals()?;
    let mut live = Live::open(args)?;
    let mut done = live.reconcile()?;
    let (mut hours, mut overtaken, mut not_before) = (0, 0, None);
    while args.hours.is_none_or(|most| hours < most) && !ending.load(Ordering::SeqCst) {
        if done == Done::Overtaken {
            // A runner that is fenced by now recorded this hour, or a later one. Nothing of ours was
            // written; begin anew, with the next hour.
            overtaken += 1;
            if overtaken > MOST_OVERTAKEN {
                return Err(LiveError::Rival.into());
            }
            live = Live::open(args)?;
            done = live.reconcile()?;
            continue;
        }
        let Some(hour) = live.wait(args, &ending, not_before)? else {
            break;
        };
        not_before = Some(hour.plus(1));
        done = live.hour(hour)?;
        if done == Done::Well {
            (hours, overtaken) = (hours + 1, 0);
        }
    }
    let ended = Ended { ended: true, hours };
    say(
        args.place.json,
        &ended,
        &format!("ended after {hours} hours"),
    )
}

/// The last line.
#[derive(Debug, serde::Serialize)]
struct Ended {
    ended: bool,
    hours: u64,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// To its end.
    Well,
    /// Another runner, fenced meanwhile, had recorded the same hour, or a later one.
    Overtaken,
}

/// SIGINT and SIGTERM ask for an end; a step under way is finished first.
fn listen_for_signals() -> Result<Arc<AtomicBool>, LiveError> {
    let ending = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&ending)).map_err(LiveError::Signals)?;
    }
    Ok(ending)
}

/// Everything that a live run holds.
struct Live {
    place: Place,
    link: Arc<Link>,
    rollout: Rollout,
    platforms: BTreeMap<Platform, Latched<RemotePlatform>>,
    shop: Option<RemoteShop>,
    journal: Watched,
    /// In shadow mode the rollout keeps books of its own: nothing is spent by it.
    books: Option<Books>,
    json: bool,
    /// The epoch that this process was given.
    epoch: Option<Epoch>,
    /// Whether the kill file was there at the last step, in shadow mode.
    was_latched: bool,
}

impl Live {
    /// Opens or restores everything. Nothing is asked of the ledger yet.
    fn open(args: &HourlyArgs) -> Result<Self, PilotError> {
        let place = Place::new(&args.place)?;
        // Wrong settings are said before anything is made or asked.
        place.config(&[])?;
        let (link, accounts, shop) = connect(&place, args.platform_at, args.timeout)?;
        let config = live_config(place.config(&accounts)?, shop);
        let now = UtcHour::containing(link.time()?.now);
        let damaged = |error| LiveError::of_store(&place.store, error);
        let store = Store::open(&place.store).map_err(damaged)?;
        let checkpoint = store.checkpoint(place.run).map_err(damaged)?;
        let rollout = match checkpoint {
            Some(checkpoint) => {
                Rollout::restore(config.clone(), accounts.clone(), checkpoint, now)?
            }
            None => Rollout::new(config.clone(), accounts.clone())?,
        };
        let books = match config.mode {
            Mode::Shadow => None,
            Mode::Pilot => Some(place.open(rollout.limits().clone())?),
        };
        let reached = |account: &Capabilities| {
            let remote = RemotePlatform::new(&link, account.clone());
            let latched = Latched::new(remote, place.latch.clone());
            (account.platform.clone(), latched)
        };
        Ok(Self {
            platforms: accounts.iter().map(reached).collect(),
            shop: shop.then(|| RemoteShop(Arc::clone(&link))),
            journal: Watched::new(store.journal(place.run)),
            json: args.place.json,
            epoch: None,
            was_latched: false,
            place,
            link,
            rollout,
            books,
        })
    }

    /// The first step of a process: take over, read, settle; decide nothing.
    fn reconcile(&mut self) -> Result<Done, PilotError> {
        let at = UtcHour::containing(self.link.now());
        let done = self.step("reconciled", at, Event::Reconciles { at });
        self.epoch = self.books.as_ref().map(|books| books.book().epoch());
        done
    }

    /// Waits for an hour that is not decided yet; `None` where it shall end.
    fn wait(
        &self,
        args: &HourlyArgs,
        ending: &AtomicBool,
        not_before: Option<UtcHour>,
    ) -> Result<Option<UtcHour>, PilotError> {
        let mut silent_since = None;
        while !ending.load(Ordering::SeqCst) {
            let nap = match self.link.time() {
                Ok(Time { now, next_hour }) => {
                    silent_since = None;
                    let hour = UtcHour::containing(now);
                    // Hours that passed while no one ran are not decided any more.
                    let from = self.rollout.decided_to().max(not_before);
                    if from.is_none_or(|from| from <= hour) {
                        return Ok(Some(hour));
                    }
                    next_hour.unwrap_or(BLIND_NAP)
                }
                Err(error) => {
                    let since = *silent_since.get_or_insert_with(instant);
                    if since.elapsed() > Duration::from_millis(args.patience_ms) {
                        return Err(error.into());
                    }
                    BLIND_NAP
                }
            };
            thread::sleep(nap.clamp(Duration::from_millis(1), NAP));
        }
        Ok(None)
    }

    /// Decides about an hour.
    fn hour(&mut self, hour: UtcHour) -> Result<Done, PilotError> {
        let span = HourSpan::hour(hour);
        self.step("hour", hour, Event::StepBegins { span })
    }

    fn step(
        &mut self,
        name: &'static str,
        hour: UtcHour,
        event: Event,
    ) -> Result<Done, PilotError> {
        self.heed_latch()?;
        let link = Arc::clone(&self.link);
        let clock = move || link.now();
        let shop = self.shop.as_ref().map(|shop| shop as &dyn RevenueSource);
        let mut outside = Outside {
            platforms: &self.platforms,
            shop,
            journal: &mut self.journal,
            ledger: self.books.as_mut(),
            clock: Some(&clock),
        };
        let stepped = pollster::block_on(async {
            step(&mut self.rollout, &mut outside, event).await?;
            outside.journal.commit().await.map_err(DriveError::Journal)
        });
        match stepped {
            Ok(()) => self.report(name, hour).map(|()| Done::Well),
            Err(DriveError::Journal(
                StoreError::Conflict { .. } | StoreError::OlderCheckpoint { .. },
            )) => self.rival(),
            Err(DriveError::Journal(source)) => {
                Err(LiveError::of_store(&self.place.store, source).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Another process recorded the same hour, or a later one. What is not recorded is not written,
    /// so that nothing of this step reached a platform; whether to go on is the ledger's word.
    fn rival(&mut self) -> Result<Done, PilotError> {
        let Some(books) = &mut self.books else {
            return Err(LiveError::Rival.into());
        };
        let refreshed = pollster::block_on(books.refresh());
        let current = refreshed.map(Book::epoch);
        let current = current.map_err(|error| LiveError::of_ledger(&self.place.store, error))?;
        if Some(current) == self.epoch {
            return Ok(Done::Overtaken);
        }
        Err(LiveError::Fenced.into())
    }

    /// Says what the step did, and ends the run where it may not go on.
    fn report(&mut self, name: &'static str, hour: UtcHour) -> Result<(), PilotError> {
        let seen = self.journal.take();
        let damaged = seen.alerted(AlertKind::LedgerDamaged);
        let config = self.rollout.config();
        let about = About {
            step: name,
            hour,
            zone: config.zone,
            book: self.books.as_ref().map(gaelp::ledger::Ledger::book),
            now: self.link.now(),
            cap: config.guardrails.daily_cap,
            lambda: self.rollout.lambda().get(),
        };
        let line = StepLine::new(&about, seen);
        say(self.json, &line, &line.words())?;
        if self.rollout.is_fenced() {
            return Err(LiveError::Fenced.into());
        }
        if damaged {
            // Opening it says what is wrong with it.
            self.place.books(self.rollout.limits().clone())?;
        }
        Ok(())
    }

    /// The kill file counts like a kill in the ledger, also where that never got there.
    fn heed_latch(&mut self) -> Result<(), PilotError> {
        let latched = self.place.latch.is_set();
        if let Some(books) = &mut self.books {
            if latched && !books.book().operator().killed {
                match self.place.order(books, Order::Kill, "the kill file") {
                    Err(error) if error.is_damage() => return Err(error.into()),
                    // A ledger that does not answer now is told next time; the file suffices.
                    _ => {}
                }
            }
            return Ok(());
        }
        if latched != self.was_latched {
            self.was_latched = latched;
            let order = if latched {
                gaelp::rollout::Order::Kill
            } else {
                gaelp::rollout::Order::Rearm
            };
            // In shadow mode the rollout keeps the books itself: there is nobody to ask.
            let now = self.link.now();
            drop(self.rollout.handle(now, Event::Operator(order))?);
        }
        Ok(())
    }
}

/// What a live run needs beyond the settings of a replay.
fn live_config(config: RolloutConfig, shop: bool) -> RolloutConfig {
    RolloutConfig {
        revenue: if shop {
            RevenueFrom::Shop
        } else {
            RevenueFrom::Platform
        },
        reread_hours: REREAD_HOURS,
        checkpoints: true,
        runner: format!("gaelp-pilot {}", std::process::id()),
        ..config
    }
}

fn instant() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a platform is silent is measured on this machine"
    )]
    Instant::now()
}
