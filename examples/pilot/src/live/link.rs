//! A platform process at the end of a socket, as an ad platform, a shop and a clock.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use gaelp::core::HourSpan;
use gaelp::platform::{
    AdPlatform, BudgetReading, Capabilities, OrderEvent, PlatformError, Report, RevenueSource,
    SetBudget, WriteOutcome,
};

use super::LiveError;
use super::wire::{Answer, Ask};

/// No answer is longer.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A connection, made anew when it breaks. It blocks: one question at a time.
#[derive(Debug)]
pub(crate) struct Link {
    address: SocketAddr,
    timeout: Duration,
    stream: Mutex<Option<BufReader<TcpStream>>>,
    clock: Mutex<Reading>,
}

/// The last time that was read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    now: DateTime<Utc>,
    /// Whether the last attempt to read it failed.
    lost: bool,
}

/// The time, and how long it takes until the next hour begins, where the platform says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) now: DateTime<Utc>,
    pub(crate) next_hour: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nothing was sent.
    NotSent(io::Error),
    /// It may have been sent; what came of it is not known.
    Unanswered(io::Error),
    /// The platform says that it cannot.
    Failed(PlatformError),
}

impl Link {
    /// A link to a platform process that answers, and what it offers.
    pub(crate) fn connect(
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<(Arc<Self>, Vec<Capabilities>, bool), LiveError> {
        let link = Self {
            address,
            timeout,
            stream: Mutex::new(None),
            clock: Mutex::new(Reading {
                now: DateTime::UNIX_EPOCH,
                lost: true,
            }),
        };
        let described = link.ask(&Ask::Describe);
        let unreachable = |trouble: Trouble| link.unreachable(&trouble);
        let Answer::Market { accounts, shop } = described.map_err(unreachable)? else {
            return Err(link.unreachable(&confused()));
        };
        link.time()?;
        Ok((Arc::new(link), accounts, shop))
    }

    /// The time.
    pub(crate) fn time(&self) -> Result<Time, LiveError> {
        let answer = self.ask(&Ask::Now);
        let mut clock = locked(&self.clock);
        match answer {
            Ok(Answer::Now { now, next_hour_ms }) => {
                *clock = Reading { now, lost: false };
                let next_hour = next_hour_ms.map(Duration::from_millis);
                Ok(Time { now, next_hour })
            }
            other => {
                clock.lost = true;
                let trouble = other.err().unwrap_or_else(confused);
                Err(self.unreachable(&trouble))
            }
        }
    }

    /// The time for a loop that must go on: the last that was read, where it cannot be read now.
    /// Nothing is written then.
    ///
    /// With a real platform this would be the system's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let read = self.time().map(|time| time.now);
        read.unwrap_or_else(|_| locked(&self.clock).now)
    }

    fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Trouble> {
        let mut text = serde_json::to_string(ask)
            .map_err(|error| Trouble::NotSent(io::Error::other(error)))?;
        text.push('\n');
        let mut held = locked(&self.stream);
        let mut stream = match held.take() {
            Some(stream) => stream,
            None => BufReader::new(self.open().map_err(Trouble::NotSent)?),
        };
        // From here on the question may have left, whatever the error.
        let answer = converse(&mut stream, &text).map_err(Trouble::Unanswered)?;
        *held = Some(stream);
        match answer {
            Answer::Failed { error } => Err(Trouble::Failed(error)),
            answer => Ok(answer),
        }
    }

    fn open(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, self.timeout)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn unreachable(&self, trouble: &Trouble) -> LiveError {
        LiveError::Unreachable {
            address: self.address,
            problem: trouble.to_string(),
        }
    }

    /// An account's answer that is an error, for a command that cannot go on without.
    pub(crate) fn failed(&self, error: &PlatformError) -> LiveError {
        LiveError::Unreachable {
            address: self.address,
            problem: error.to_string(),
        }
    }

    fn read<T>(&self, ask: &Ask<'_>, of: fn(Answer) -> Option<T>) -> Result<T, PlatformError> {
        match self.ask(ask) {
            Ok(answer) => of(answer).ok_or_else(|| PlatformError::other(CONFUSED)),
            Err(Trouble::Failed(error)) => Err(error),
            Err(trouble) => Err(PlatformError::retryable(trouble.to_string())),
        }
    }
}

fn converse(stream: &mut BufReader<TcpStream>, text: &str) -> io::Result<Answer> {
    stream.get_mut().write_all(text.as_bytes())?;
    let mut line = String::new();
    let read = stream.by_ref().take(LONGEST).read_line(&mut line)?;
    if read == 0 || !line.ends_with('\n') {
        let cut = io::ErrorKind::UnexpectedEof;
        return Err(io::Error::new(
            cut,
            "the connection ended without an answer",
        ));
    }
    Ok(serde_json::from_str(&line)?)
}

const CONFUSED: &str = "the platform answered another question";

fn confused() -> Trouble {
    Trouble::Unanswered(io::Error::other(CONFUSED))
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(error) => write!(f, "it cannot be reached: {error}"),
            Self::Unanswered(error) => write!(f, "no answer: {error}"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// An account on the platform process.
#[derive(Clone, Debug)]
pub(crate) struct RemotePlatform {
    link: Arc<Link>,
    capabilities: Capabilities,
}

impl RemotePlatform {
    pub(crate) fn new(link: &Arc<Link>, capabilities: Capabilities) -> Self {
        Self {
            link: Arc::clone(link),
            capabilities,
        }
    }
}

#[async_trait]
impl AdPlatform for RemotePlatform {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
        let platform = &self.capabilities.platform;
        self.link
            .read(&Ask::Report { platform, span }, |answer| match answer {
                Answer::Report { report } => Some(report),
                _ => None,
            })
    }

    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
        let platform = &self.capabilities.platform;
        self.link
            .read(&Ask::Budgets { platform }, |answer| match answer {
                Answer::Budgets { readings } => Some(readings),
                _ => None,
            })
    }

    /// Says with the request when it was sent: the time that was last read, at which the caller
    /// found that it was not too late.
    async fn set_budget(&self, request: &SetBudget) -> WriteOutcome {
        let clock = *locked(&self.link.clock);
        if clock.lost {
            let error = PlatformError::retryable("not sent: the time cannot be read");
            return WriteOutcome::Rejected(error);
        }
        let sent = clock.now;
        match self.link.ask(&Ask::SetBudget { sent, request }) {
            Ok(Answer::Wrote { outcome }) => outcome,
            Ok(_) => WriteOutcome::Unknown(PlatformError::other(CONFUSED)),
            // The platform read the request and turned it down.
            Err(Trouble::Failed(error)) => WriteOutcome::Rejected(error),
            Err(trouble @ Trouble::NotSent(_)) => {
                WriteOutcome::Rejected(PlatformError::retryable(trouble.to_string()))
            }
            Err(trouble @ Trouble::Unanswered(_)) => {
                WriteOutcome::Unknown(PlatformError::retryable(trouble.to_string()))
            }
        }
    }
}

/// The shop of the platform process.
#[derive(Clone, Debug)]
pub(crate) struct RemoteShop(pub(crate) Arc<Link>);

#[async_trait]
impl RevenueSource for RemoteShop {
    async fn orders(&self, span: HourSpan) -> Result<Vec<OrderEvent>, PlatformError> {
        self.0.read(&Ask::Orders { span }, |answer| match answer {
            Answer::Orders { events } => Some(events),
            _ => None,
        })
    }
}

/// The state behind a lock, also after a panic elsewhere: every change is made in one piece.
fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
