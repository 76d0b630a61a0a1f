//! The protocol on a socket.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gaelp_core::{AccountZone, Currency, UtcHour};
use gaelp_market::{Answer, Faults, MarketConfig, Pace, World, serve};
use serde_json::{Value, json};

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Self(BufReader::new(stream))
    }

    fn line(&mut self, line: &str) -> Option<Value> {
        self.0.get_mut().write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        (!answer.is_empty()).then(|| serde_json::from_str(&answer).unwrap())
    }

    fn ask(&mut self, ask: &Value) -> Option<Value> {
        self.line(&format!("{ask}\n"))
    }
}

/// Runs a test against a market on a port of its own, and stops it.
fn with_market(faults: Faults, pace: Pace, test: impl FnOnce(SocketAddr)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let begin = UtcHour::new(493_000).start();
    let config = MarketConfig::sample(1, begin, AccountZone::UTC, Currency::USD, faults).unwrap();
    let world = World::new(config).unwrap();
    let server = thread::spawn(move || serve(&listener, world, pace, Duration::ZERO));
    test(address);
    let done = Client::new(address).ask(&json!({"ask": "stop"}));
    assert_eq!(done, Some(json!({"answer": "done"})));
    server.join().unwrap().unwrap();
}

#[test]
fn questions_are_answered_line_by_line() {
    with_market(Faults::none(), Pace::OnRequest, |address| {
        let mut client = Client::new(address);
        let market = client.ask(&json!({"ask": "describe"})).unwrap();
        assert_eq!(market["accounts"][0]["platform"], "meta");
        assert_eq!(market["shop"], true);
        let now = client.ask(&json!({"ask": "now"})).unwrap();
        assert_eq!(now["now"], "2026-03-29T16:00:00Z");
        assert_eq!(now["next_hour_ms"], Value::Null);
        let later = client
            .ask(&json!({"ask": "advance", "seconds": 7200}))
            .unwrap();
        assert_eq!(later["now"], "2026-03-29T18:00:00Z");
        let span = json!({"from": 493_000, "to": 493_002});
        let ask = json!({"ask": "report", "platform": "meta", "span": span});
        let report = client.ask(&ask).unwrap();
        // Of the hour before, the platform does not know yet.
        assert_eq!(report["report"]["rows"].as_array().unwrap().len(), 2);
        let orders = client.ask(&json!({"ask": "orders", "span": span})).unwrap();
        assert_eq!(orders["answer"], "orders");
    });
}

#[test]
fn what_is_no_question_is_answered_and_the_next_one_too() {
    with_market(Faults::none(), Pace::OnRequest, |address| {
        let mut client = Client::new(address);
        for nonsense in ["\n", "{}\n", "null\n", "{\"ask\":\"why\"}\n", "[[[[\n"] {
            let answer = client.line(nonsense).unwrap();
            assert_eq!(answer["answer"], "failed", "{nonsense:?}");
            assert_eq!(answer["error"]["kind"], "rejected");
        }
        assert_eq!(client.ask(&json!({"ask": "now"})).unwrap()["answer"], "now");
    });
}

#[test]
fn a_lost_answer_ends_the_connection_and_nothing_else() {
    with_market(Faults::rough(), Pace::OnRequest, |address| {
        let (mut lost, mut answered) = (0, 0);
        for number in 0..60 {
            let mut client = Client::new(address);
            client
                .ask(&json!({"ask": "advance", "seconds": 3600}))
                .unwrap();
            let now = client.ask(&json!({"ask": "now"})).unwrap();
            let sent: DateTime<Utc> = serde_json::from_value(now["now"].clone()).unwrap();
            let key = json!({"platform": "meta", "ad_set": "prospecting"});
            let decision = format!("{number:032x}");
            let request = json!({"key": key, "daily_budget": 5_000_000, "decision": decision});
            let ask = json!({"ask": "set_budget", "sent": sent, "request": request});
            match client.ask(&ask) {
                None => lost += 1,
                Some(answer) => {
                    let answer: Answer = serde_json::from_value(answer).unwrap();
                    assert!(matches!(answer, Answer::Wrote { .. }), "{answer:?}");
                    answered += 1;
                }
            }
        }
        assert!(
            lost >= 3 && answered >= 20,
            "{lost} lost, {answered} answered"
        );
        let audit = Client::new(address).ask(&json!({"ask": "audit"})).unwrap();
        let tried = audit["audit"]["counts"]["set_budget"].as_i64();
        assert_eq!(tried, Some(60));
    });
}

#[test]
fn time_passes_by_itself() {
    let pace = Pace::Hour(Duration::from_millis(20));
    with_market(Faults::none(), pace, |address| {
        let mut client = Client::new(address);
        let mut hours = Vec::new();
        for _ in 0..5 {
            let now = client.ask(&json!({"ask": "now"})).unwrap();
            let left = now["next_hour_ms"].as_u64().unwrap();
            assert!(left <= 20, "{left}");
            let at: DateTime<Utc> = serde_json::from_value(now["now"].clone()).unwrap();
            hours.push(UtcHour::containing(at).get());
            thread::sleep(Duration::from_millis(25));
        }
        assert!(hours.windows(2).all(|pair| pair[0] < pair[1]), "{hours:?}");
    });
}
