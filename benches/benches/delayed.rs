//! Delayed rewards with ten million touches resident.
//!
//! Events are handed in a thousand at a time, but for the case `one at a time`, and what follows from
//! them is taken before the next. Processor time of one thread, as the peers' scripts take it; criterion's repetitions would each
//! need the ten million again. `GAELP_TOUCHES` sets another number of touches, such as 30 million,
//! and leaves the rest out; `GAELP_MOST` cuts every case to at most so many events, to try it.
#![expect(clippy::print_stdout, reason = "the table is the output")]

#[path = "delayed/sqlite.rs"]
mod sqlite;

use std::hint::black_box;
use std::time::{Duration, Instant};

use gaelp_attribution::delayed::{
    Arrival, DelayedRewards, Durable, Effect, EpisodeId, Limits, MemoryLog, Origin,
};
use gaelp_attribution::{
    ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Model, Rules, RulesConfig,
    Span, Timestamp, Touch, UserId,
};
use gaelp_core::{Currency, DecisionId, Micros, Money};

/// Arrivals that are made at a time, so that making them is not measured.
const BATCH: u64 = 100_000;
/// Arrivals that are handed in at a time; what follows from them is taken before the next.
const HANDED: usize = 1_000;
/// Conversions that are measured.
const CONVERSIONS: u64 = 400_000;

fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

const START: i64 = 1_800_000_000_000_000;

/// Milliseconds from touch to touch, so that ten million fit into five hours.
fn touch(id: u64, users: u64, origin: bool) -> Arrival {
    let at = Timestamp::from_micros(START + id.cast_signed() * 1_700);
    let event = Event::Touch(Touch {
        id: EventId::new(id),
        user: UserId::new(mix(id * 3 + 1) % users),
        at,
        channel: ChannelId::new(u16::try_from(id % 10).expect("below ten")),
        interaction: if id & 1 == 0 {
            Interaction::Click
        } else {
            Interaction::View
        },
    });
    if !origin {
        return Arrival::new(at, event);
    }
    let origin = Origin {
        decision: DecisionId::new(u128::from(id)),
        episode: EpisodeId::new(id >> 6),
        ..Origin::default()
    };
    Arrival::of(at, event, origin)
}

fn rules() -> Rules {
    let rules = RulesConfig::default().validate();
    rules.expect("the rules are sound")
}

fn machine(limits: Limits) -> DelayedRewards<Model> {
    DelayedRewards::new(rules(), vec![Model::Linear], limits).expect("the limits are sound")
}

/// The processor's time of this process.
fn clock() -> Duration {
    // The first field is nanoseconds on the processor; elsewhere than on Linux the wall's clock is
    // taken.
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|field| field.parse().ok());
    nanos.map_or_else(wall, Duration::from_nanos)
}

fn since(start: Duration) -> Duration {
    clock().saturating_sub(start)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn wall() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn per_second(count: u64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let count = count as f64;
    count / time.as_secs_f64() / 1e6
}

fn report(name: &str, count: u64, time: Duration) {
    println!(
        "{name:<44} {:>8.2} M/s  {time:>10.3?}",
        per_second(count, time)
    );
}

/// The megabytes of memory that this process has; none where the system does not say.
fn resident_set() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4_096 / 1_000_000)
}

/// Takes touches in; returns the time without making them.
fn fill(
    machine: &mut DelayedRewards<Model>,
    ids: std::ops::Range<u64>,
    users: u64,
    origin: bool,
    effects: &mut Vec<Effect>,
) -> Duration {
    let mut time = Duration::ZERO;
    let mut next = ids.start;
    while next < ids.end {
        let end = (next + BATCH).min(ids.end);
        let arrivals: Vec<Arrival> = (next..end).map(|id| touch(id, users, origin)).collect();
        let start = clock();
        for handed in arrivals.chunks(HANDED) {
            machine.handle_batch(handed, effects);
            effects.clear();
        }
        time += since(start);
        next = end;
    }
    time
}

/// Conversions of every user in turn, each with about four touches.
fn convert(
    machine: &mut DelayedRewards<Model>,
    touches: u64,
    users: u64,
    effects: &mut Vec<Effect>,
) -> (Duration, u64) {
    let at = Timestamp::from_micros(START + touches.cast_signed() * 1_700);
    let count = CONVERSIONS.min(users / 3);
    let mut time = Duration::ZERO;
    let mut corrections = 0;
    for batch in 0..count.div_ceil(BATCH) {
        let arrivals: Vec<Arrival> = (batch * BATCH..((batch + 1) * BATCH).min(count))
            .map(|step| {
                Arrival::new(
                    at,
                    Event::Conversion(Conversion {
                        id: EventId::new((1 << 40) + step),
                        user: UserId::new(step * 3 % users),
                        at,
                        value: Money::new(
                            Micros::new(100_000_000 + step.cast_signed()),
                            Currency::USD,
                        ),
                        kind: ConversionKind::Purchase,
                    }),
                )
            })
            .collect();
        let start = clock();
        for handed in arrivals.chunks(HANDED) {
            machine.handle_batch(handed, effects);
            let said = effects.iter();
            let said = said.filter(|effect| matches!(effect, Effect::Correction(_)));
            corrections += said.count() as u64;
            effects.clear();
        }
        time += since(start);
    }
    (time, corrections)
}

fn resident(touches: u64, origin: bool) {
    let users = touches / 4;
    let name = |what: &str| {
        let with = if origin { "origins" } else { "bare" };
        format!("delayed/{what}/{}M/{with}", touches / 1_000_000)
    };
    let limits = Limits {
        touches: u32::try_from(touches).map_or(u32::MAX >> 1, |touches| touches + 10_000_000),
        ..Limits::default()
    };
    let mut machine = machine(limits);
    let mut effects = Vec::new();
    let time = fill(&mut machine, 0..touches, users, origin, &mut effects);
    report(&name("store/filling"), touches, time);
    let memory = machine.memory();
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let each = memory.total() as f64 / machine.pending() as f64;
    println!("{:<44} {each:>8.2} bytes", name("memory per pending touch"));
    if let Some(megabytes) = resident_set() {
        println!(
            "{:<44} {megabytes:>8} MB",
            name("resident set of the process")
        );
    }
    let added = touches.min(1_000_000);
    let time = fill(
        &mut machine,
        touches..touches + added,
        users,
        origin,
        &mut effects,
    );
    report(&name("store/resident"), added, time);

    let (time, corrections) = convert(&mut machine, touches + added, users, &mut effects);
    let count = CONVERSIONS.min(users / 3);
    report(&name("conversions attributed"), count, time);
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let each = corrections as f64 / count as f64;
    println!("{:<44} {each:>8.2}", name("touches per conversion"));

    let start = clock();
    let snapshot = machine.snapshot();
    report(&name("snapshot"), machine.pending(), since(start));
    println!(
        "{:<44} {:>8} MB",
        name("snapshot size"),
        snapshot.len() / 1_000_000
    );
    drop(black_box(snapshot));

    let pending = machine.pending();
    let mut time = Duration::ZERO;
    // Ten days after the first touches, the watermark passes a quarter of an hour at a time.
    for step in 0..12 * 24 * 4 {
        let at = Timestamp::from_micros(START).plus(Span::seconds(step * 900));
        let start = clock();
        let advance = Arrival::new(at, Event::Advance(at));
        machine.handle_batch(&[advance], &mut effects);
        time += since(start);
        effects.clear();
    }
    report(&name("matured"), pending, time);
    assert_eq!(machine.pending(), 0);
}

/// One at a time, as a service without batches would.
fn singly(touches: u64) {
    let users = touches / 4;
    let mut machine = machine(Limits::default());
    let mut effects = Vec::new();
    fill(&mut machine, 0..touches, users, false, &mut effects);
    let added = touches.min(500_000);
    let arrivals: Vec<Arrival> = (touches..touches + added)
        .map(|id| touch(id, users, false))
        .collect();
    let start = clock();
    for arrival in &arrivals {
        machine.handle(arrival, &mut effects).expect("it is new");
    }
    let name = format!("delayed/store/one at a time/{}M", touches / 1_000_000);
    report(&name, added, since(start));
}

/// At the limit: every touch evicts one.
fn evicting(touches: u64) {
    let limits = Limits {
        touches: u32::try_from(touches).expect("a bench's size"),
        ..Limits::default()
    };
    let users = touches / 4;
    let mut machine = machine(limits);
    let mut effects = Vec::new();
    fill(&mut machine, 0..touches, users, false, &mut effects);
    let added = touches.min(1_000_000);
    let time = fill(
        &mut machine,
        touches..touches + added,
        users,
        false,
        &mut effects,
    );
    let name = format!("delayed/store/evicting/{}M", touches / 1_000_000);
    report(&name, added, time);
    assert_eq!(machine.statistics().evicted, added);
}

/// With a log in memory before it.
fn durable(touches: u64) {
    let mut effects = Vec::new();
    let mut durable = Durable::open(
        MemoryLog::default(),
        rules(),
        vec![Model::Linear],
        Limits::default(),
        &mut effects,
    )
    .expect("an empty log opens");
    let arrivals: Vec<Arrival> = (0..touches)
        .map(|id| touch(id, touches / 4, true))
        .collect();
    let start = clock();
    for batch in arrivals.chunks(1_000) {
        for arrival in batch {
            durable.offer(*arrival);
        }
        durable
            .commit(&mut effects)
            .expect("memory is always there");
    }
    let name = format!("delayed/durable/memory log/{}M", touches / 1_000_000);
    report(&name, touches, since(start));
}

fn main() {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    if let Some(touches) = number("GAELP_TOUCHES") {
        resident(touches, false);
        return;
    }
    let most = number("GAELP_MOST").unwrap_or(u64::MAX);
    resident(most.min(1_000_000), false);
    resident(most.min(10_000_000), false);
    resident(most.min(10_000_000), true);
    singly(most.min(10_000_000));
    evicting(most.min(10_000_000));
    durable(most.min(1_000_000));
    sqlite::all(most);
}
