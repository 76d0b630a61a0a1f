//! The adapter against platforms that misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gaelp::core::{AccountZone, AdSetKey, Currency, DecisionId, HourSpan, Platform, UtcHour};
use gaelp::platform::{
    AdPlatform, Capabilities, ErrorKind, PlatformError, RevenueSource, SetBudget, WriteOutcome,
};
use serde_json::{Value, json};

use super::{Link, RemotePlatform, RemoteShop};

/// What a platform does with a question.
enum Act {
    Answer(Value),
    /// Ends the connection.
    Close,
    /// Answers half a line and ends the connection.
    Cut,
    /// Says nothing for longer than anyone waits.
    Hang,
}

/// A platform that follows a script, one question after the other, over as many connections as it
/// takes. It gives the questions back.
fn platform(script: Vec<Act>) -> (SocketAddr, JoinHandle<Vec<Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("has one");
    let serve = move || {
        let mut asked = Vec::new();
        let mut script = script.into_iter().peekable();
        while script.peek().is_some() {
            let (stream, _) = listener.accept().expect("connects");
            let mut questions = BufReader::new(&stream);
            let mut out = &stream;
            loop {
                if script.peek().is_none() {
                    break;
                }
                let mut line = String::new();
                if questions.read_line(&mut line).expect("reads") == 0 {
                    break;
                }
                asked.push(serde_json::from_str(&line).expect("a question"));
                match script.next().expect("it was peeked at") {
                    Act::Answer(answer) => writeln!(out, "{answer}").expect("writes"),
                    Act::Close => break,
                    Act::Cut => {
                        out.write_all(b"{\"answer\":").expect("writes");
                        break;
                    }
                    Act::Hang => {
                        thread::sleep(TIMEOUT * 3);
                        break;
                    }
                }
            }
        }
        asked
    };
    (address, thread::spawn(serve))
}

const TIMEOUT: Duration = Duration::from_millis(200);

fn meta() -> Capabilities {
    Capabilities::meta(Currency::USD, AccountZone::UTC)
}

fn described() -> Act {
    Act::Answer(json!({"answer": "market", "accounts": [meta()], "shop": true}))
}

fn now() -> Act {
    Act::Answer(json!({"answer": "now", "now": "2026-03-02T10:00:00Z", "next_hour_ms": 250}))
}

/// A link to a platform that goes on with a script.
fn linked(script: Vec<Act>) -> (Arc<Link>, RemotePlatform, JoinHandle<Vec<Value>>) {
    let mut whole = vec![described(), now()];
    whole.extend(script);
    let (address, server) = platform(whole);
    let (link, accounts, shop) = Link::connect(address, TIMEOUT).expect("connects");
    assert!(shop && accounts == [meta()]);
    let remote = RemotePlatform::new(&link, meta());
    (link, remote, server)
}

fn request() -> SetBudget {
    SetBudget {
        key: AdSetKey::new(Platform::Meta, "one"),
        daily_budget: "5".parse().expect("an amount"),
        decision: DecisionId::new(7),
    }
}

fn write(remote: &RemotePlatform) -> WriteOutcome {
    pollster::block_on(remote.set_budget(&request()))
}

#[test]
fn a_write_that_was_answered_has_the_outcome_that_was_said() {
    let applied = json!({"outcome": "applied", "daily_budget": 5_000_000});
    let rejected = json!({"outcome": "rejected", "kind": "rejected", "message": "too small"});
    let failed = json!({"answer": "failed", "error": {"kind": "auth", "message": "expired"}});
    let (_, remote, server) = linked(vec![
        Act::Answer(json!({"answer": "wrote", "outcome": applied})),
        Act::Answer(json!({"answer": "wrote", "outcome": rejected})),
        Act::Answer(failed),
    ]);
    assert!(matches!(write(&remote), WriteOutcome::Applied { .. }));
    assert!(matches!(write(&remote), WriteOutcome::Rejected(_)));
    let refused = write(&remote);
    assert!(matches!(&refused, WriteOutcome::Rejected(e) if e.kind() == ErrorKind::Auth));
    let asked = server.join().expect("ends");
    assert_eq!(asked[2]["ask"], "set_budget");
    assert_eq!(asked[2]["sent"], "2026-03-02T10:00:00Z");
    assert_eq!(asked[2]["request"]["decision"], format!("{:032x}", 7));
}

#[test]
fn a_write_without_an_answer_is_unknown() {
    for act in [
        Act::Close,
        Act::Cut,
        Act::Hang,
        Act::Answer(json!({"answer": "nonsense"})),
        Act::Answer(json!({"answer": "orders", "events": []})),
    ] {
        let (_, remote, server) = linked(vec![act]);
        let outcome = write(&remote);
        assert!(matches!(outcome, WriteOutcome::Unknown(_)), "{outcome:?}");
        drop(remote);
        assert_eq!(server.join().expect("ends").len(), 3);
    }
}

#[test]
fn a_write_that_cannot_leave_is_certainly_not_made() {
    let (_, remote, server) = linked(Vec::new());
    server.join().expect("ends");
    // The platform is gone. The first write may have left on the connection that was open ..
    let first = write(&remote);
    assert!(matches!(first, WriteOutcome::Unknown(_)), "{first:?}");
    // .. the second finds nobody to connect to.
    let second = write(&remote);
    let kind = second.error().map(PlatformError::kind);
    assert!(matches!(second, WriteOutcome::Rejected(_)));
    assert_eq!(kind, Some(ErrorKind::Retryable));
}

#[test]
fn nothing_is_sent_while_the_time_cannot_be_read() {
    let (link, remote, server) = linked(vec![Act::Close, now(), Act::Close]);
    let before = link.now();
    assert_eq!(
        before,
        "2026-03-02T10:00:00Z"
            .parse::<DateTime<Utc>>()
            .expect("a time")
    );
    assert!(matches!(write(&remote), WriteOutcome::Rejected(_)));
    assert!(link.time().is_ok());
    assert!(matches!(write(&remote), WriteOutcome::Unknown(_)));
    let asked = server.join().expect("ends");
    let writes = asked
        .iter()
        .filter(|ask| ask["ask"] == "set_budget")
        .count();
    assert_eq!(writes, 1);
}

#[test]
fn readings_that_fail_may_be_tried_again_on_a_new_connection() {
    let span = HourSpan::hour(UtcHour::new(490_000));
    let busy = json!({"answer": "failed", "error": {"kind": "retryable", "message": "busy"}});
    let report = json!({"rows": [], "complete_before": 490_001});
    let (link, remote, server) = linked(vec![
        Act::Close,
        Act::Answer(json!({"answer": "report", "report": report})),
        Act::Answer(busy),
        Act::Answer(json!({"answer": "orders", "events": []})),
        Act::Answer(json!({"answer": "budgets", "readings": []})),
    ]);
    let read = |remote: &RemotePlatform| pollster::block_on(remote.report(span));
    let broken = read(&remote).expect_err("the connection ended");
    assert_eq!(broken.kind(), ErrorKind::Retryable);
    assert_eq!(
        read(&remote).expect("answered").complete_before,
        UtcHour::new(490_001)
    );
    let busy = pollster::block_on(remote.budgets()).expect_err("busy");
    assert_eq!(
        (busy.kind(), busy.message()),
        (ErrorKind::Retryable, "busy")
    );
    let shop = RemoteShop(Arc::clone(&link));
    assert!(
        pollster::block_on(shop.orders(span))
            .expect("answered")
            .is_empty()
    );
    // An answer to another question is none.
    let confused = pollster::block_on(remote.report(span)).expect_err("budgets came");
    assert_eq!(confused.kind(), ErrorKind::Other);
    assert_eq!(server.join().expect("ends").len(), 7);
}

#[test]
fn a_platform_that_does_not_answer_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("has one");
    drop(listener);
    let error = Link::connect(address, TIMEOUT).expect_err("nobody is there");
    assert_eq!(error.exit_code(), 6);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
