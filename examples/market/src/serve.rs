//! The process: connections, and the time that passes while nobody asks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use gaelp_core::UtcHour;
use gaelp_platform::PlatformError;

use crate::{Answer, Ask, World};

/// A question longer than this is nobody's.
const LONGEST: u64 = 64 * 1024;

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// On request only: [`Ask::Advance`].
    OnRequest,
    /// By itself: an hour in so much real time.
    Hour(Duration),
}

/// Serves a market until it is told to [stop](Ask::Stop), each connection on a thread of its own.
///
/// `latency` passes before a write is looked at, and as much again before it is answered: so long is
/// a request under way.
///
/// # Errors
/// Where the listener has no address.
pub fn serve(
    listener: &TcpListener,
    world: World,
    pace: Pace,
    latency: Duration,
) -> io::Result<()> {
    let shared = Arc::new(Shared {
        began: (instant(), world.now()),
        world: Mutex::new(world),
        pace,
        latency,
        address: listener.local_addr()?,
        stopped: AtomicBool::new(false),
    });
    for connection in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        // A client that was killed while it connected is no reason to end.
        let Ok(connection) = connection else { continue };
        let shared = Arc::clone(&shared);
        thread::spawn(move || drop(shared.converse(&connection)));
    }
    Ok(())
}

struct Shared {
    world: Mutex<World>,
    began: (Instant, DateTime<Utc>),
    pace: Pace,
    latency: Duration,
    address: SocketAddr,
    stopped: AtomicBool,
}

impl Shared {
    /// Answers a connection's questions until it ends, or until the network loses an answer.
    fn converse(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let mut questions = BufReader::new(connection);
        loop {
            let mut line = String::new();
            let read = questions.by_ref().take(LONGEST).read_line(&mut line)?;
            if read == 0 || !line.ends_with('\n') {
                // What was cut off by the end of a connection never came in.
                return Ok(());
            }
            if self.stopped.load(Ordering::SeqCst) {
                return Ok(());
            }
            let (answer, last) = self.answer(&line);
            let Some(answer) = answer else { return Ok(()) };
            let mut text = serde_json::to_string(&answer)?;
            text.push('\n');
            let mut out = connection;
            out.write_all(text.as_bytes())?;
            if last {
                self.stopped.store(true, Ordering::SeqCst);
                // The listener waits for a connection; this is its last.
                TcpStream::connect(self.address)?;
                return Ok(());
            }
        }
    }

    fn answer(&self, line: &str) -> (Option<Answer>, bool) {
        let ask: Ask = match serde_json::from_str(line) {
            Ok(ask) => ask,
            Err(error) => {
                let error = PlatformError::rejected(format!("not a question: {error}"));
                return (Some(Answer::Failed { error }), false);
            }
        };
        let (stops, writes) = (ask == Ask::Stop, matches!(ask, Ask::SetBudget { .. }));
        if writes {
            thread::sleep(self.latency);
        }
        let mut answer = self.world().answer(ask);
        if writes {
            thread::sleep(self.latency);
        }
        if let Some(Answer::Now { now, next_hour_ms }) = &mut answer {
            *next_hour_ms = self.until_next_hour(*now);
        }
        (answer, stops)
    }

    /// The market, at the present.
    fn world(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere leaves a market that is in one piece: every change is.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        if let Pace::Hour(hour) = self.pace {
            let (began, at) = self.began;
            world.advance_to(at + scaled(began.elapsed(), hour));
        }
        world
    }

    fn until_next_hour(&self, now: DateTime<Utc>) -> Option<u64> {
        let Pace::Hour(hour) = self.pace else {
            return None;
        };
        let next = UtcHour::containing(now).plus(1).start();
        let left = u128::try_from((next - now).num_milliseconds()).unwrap_or(0);
        u64::try_from(left * hour.as_millis() / 3_600_000).ok()
    }
}

/// How much time passes in the market in so much real time, in whole milliseconds.
fn scaled(real: Duration, hour: Duration) -> TimeDelta {
    let millis = real.as_micros() * 3_600_000 / hour.as_micros().max(1);
    TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(i64::MAX / 1_000_000))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process that simulates the passing of time needs a clock"
)]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::scaled;

    #[test]
    fn an_hour_passes_in_an_hours_real_time() {
        let hour = Duration::from_millis(50);
        assert_eq!(scaled(hour, hour), TimeDelta::hours(1));
        assert_eq!(scaled(hour * 240, hour), TimeDelta::days(10));
        assert_eq!(
            scaled(Duration::from_micros(25), hour),
            TimeDelta::milliseconds(1800)
        );
        assert_eq!(scaled(Duration::ZERO, hour), TimeDelta::zero());
    }
}
