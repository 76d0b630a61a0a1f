//! Where a live run is kept, and the ledger in it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use gaelp::core::Currency;
use gaelp::ledger::{Book, Ledger, Limits, Order, Reply, Request};
use gaelp::platform::Capabilities;
use gaelp::rollout::RolloutConfig;
use gaelp_store::{RunId, SqliteLedger};

use super::LiveError;
use super::args::{PlaceArgs, TimeoutArgs};
use super::latch::Latch;
use super::link::Link;
use crate::error::PilotError;
use crate::settings::Settings;

/// The ledger's name in the store.
const ACCOUNT: &str = "live";

/// The ledger of a store.
pub(crate) type Books = Ledger<SqliteLedger>;

/// A store, its settings, its kill file.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) settings: Settings,
    pub(crate) store: PathBuf,
    pub(crate) latch: Latch,
    pub(crate) run: RunId,
}

impl Place {
    pub(crate) fn new(args: &PlaceArgs) -> Result<Self, PilotError> {
        let settings = args.settings()?;
        let store = settings.store()?.ok_or(LiveError::NoFile)?;
        Ok(Self {
            latch: Latch::of(&store),
            run: run_id(&args.run_name),
            settings,
            store,
        })
    }

    /// The configuration in the currency of the platforms, or of the settings.
    pub(crate) fn config(&self, accounts: &[Capabilities]) -> Result<RolloutConfig, PilotError> {
        let theirs = accounts.first().map(|account| account.currency);
        let currency = theirs
            .or(self.settings.currency()?)
            .unwrap_or(Currency::USD);
        let config = self.settings.rollout(currency)?;
        config.validate()?;
        Ok(config)
    }

    /// What the ledger is opened with: the figures that the platforms state, or, where none was
    /// asked, the documented ones of those that are known.
    pub(crate) fn limits(&self, accounts: &[Capabilities]) -> Result<Limits, PilotError> {
        let config = self.config(accounts)?;
        let (currency, zone) = (config.currency, config.zone);
        let documented = [
            Capabilities::meta(currency, zone),
            Capabilities::google(currency, zone),
            Capabilities::tiktok(currency, zone),
        ];
        let accounts = if accounts.is_empty() {
            &documented
        } else {
            accounts
        };
        Ok(config.limits(accounts)?)
    }

    /// Opens the ledger; a store must be there.
    pub(crate) fn books(&self, limits: Limits) -> Result<Books, LiveError> {
        self.must_exist()?;
        self.open(limits)
    }

    /// Opens the ledger, and makes a store where there is none.
    pub(crate) fn open(&self, limits: Limits) -> Result<Books, LiveError> {
        let log = SqliteLedger::open(&self.store, ACCOUNT);
        let log = log.map_err(|error| LiveError::of_store(&self.store, error))?;
        let opened = pollster::block_on(Ledger::open(limits, log));
        opened.map_err(|error| LiveError::of_ledger(&self.store, error))
    }

    /// Opens a ledger whose anchor is damaged, as it is; says in words what was found.
    pub(crate) fn accept(&self, limits: Limits) -> Result<(Books, Option<String>), LiveError> {
        self.must_exist()?;
        let accepted = SqliteLedger::accept(&self.store, ACCOUNT);
        let (log, accepted) = accepted.map_err(|error| LiveError::of_store(&self.store, error))?;
        let opened = pollster::block_on(Ledger::open(limits, log));
        let books = opened.map_err(|error| LiveError::of_ledger(&self.store, error))?;
        Ok((books, accepted.found.map(|damage| damage.to_string())))
    }

    fn must_exist(&self) -> Result<(), LiveError> {
        // Where nobody can tell, opening it says what is wrong.
        if self.store.try_exists().unwrap_or(true) {
            return Ok(());
        }
        let path = self.store.clone();
        Err(LiveError::Missing { path })
    }

    /// Puts a request to the ledger; a refusal is an error.
    pub(crate) fn ask(&self, books: &mut Books, request: Request) -> Result<Reply, LiveError> {
        match self.reply(books, request)? {
            Reply::Refused(refusal) => Err(LiveError::Refused(Box::new(refusal))),
            reply => Ok(reply),
        }
    }

    /// Puts a request to the ledger.
    pub(crate) fn reply(&self, books: &mut Books, request: Request) -> Result<Reply, LiveError> {
        let reply = pollster::block_on(books.execute(request));
        reply.map_err(|error| LiveError::of_ledger(&self.store, error))
    }

    /// Puts a person's word into the ledger.
    pub(crate) fn order(&self, books: &mut Books, order: Order, by: &str) -> Result<(), LiveError> {
        let at = as_of(books.book());
        // Who, and when by the system's clock: the ledger's own time is that of the platform.
        let by = format!("{by} at {}", wall_clock().format("%Y-%m-%dT%H:%M:%SZ"));
        let request = Request::Order { order, by, at };
        self.ask(books, request).map(drop)
    }
}

/// The time that a book has come to. Commands that ask no platform use it: a time of their own,
/// ahead of the platform's, would hold up every raise until the platform's clock has caught up.
pub(crate) fn as_of(book: &Book) -> DateTime<Utc> {
    book.last_at().unwrap_or_else(wall_clock)
}

/// The system's clock.
pub(crate) fn wall_clock() -> DateTime<Utc> {
    #[expect(
        clippy::disallowed_methods,
        reason = "when a person gave an order is a fact of the outside world"
    )]
    SystemTime::now().into()
}

/// A link to the platform process, with its accounts in the settings' zone.
pub(crate) fn connect(
    place: &Place,
    address: std::net::SocketAddr,
    timeout: TimeoutArgs,
) -> Result<(Arc<Link>, Vec<Capabilities>, bool), PilotError> {
    let (link, accounts, shop) = Link::connect(address, timeout.timeout())?;
    let zone = place.settings.zone()?;
    let problem = match accounts.first() {
        None => Some("has no accounts".to_owned()),
        Some(_) => accounts
            .iter()
            .find(|account| account.zone != zone)
            .map(|account| {
                let (platform, theirs) = (&account.platform, account.zone.name());
                format!(
                    "has an account on {platform} in {theirs}, but TIMEZONE is {}",
                    zone.name()
                )
            }),
    };
    match problem {
        Some(problem) => Err(LiveError::Accounts { address, problem }.into()),
        None => Ok((link, accounts, shop)),
    }
}

/// A live run is named, not derived: it goes on under other settings.
fn run_id(name: &str) -> RunId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"gaelp-pilot live\0").update(name.as_bytes());
    RunId::new(*hasher.finalize().as_bytes())
}
