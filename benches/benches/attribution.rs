//! A million journeys: what each channel earned, under every model.
//!
//! `GAELP_JOURNEYS` sets another number of journeys. With `--table` it prints the CPU time of each case, the median of several runs on one thread,
//! as the figures of other packages are taken; `benches/attribution.sh` puts them side by side.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group};
use gaelp_attribution::{
    Hazard, HazardCounts, Journeys, LeaveOneOut, MarkovCounts, Model, Order, PathReader, PathTable,
    SetCounts, ShapleySetValue, Span, Times, credit_channels,
};
use gaelp_benches::journeys::Synthetic;
use rustix::time::{ClockId, clock_gettime};

const JOURNEYS: u64 = 1_000_000;
/// How long a case of the table is run, after three times.
const ENOUGH: Duration = Duration::from_secs(2);

/// A case by name, ready to run.
type Case<'a> = (&'static str, Box<dyn Fn() + 'a>);

/// Journeys with what is derived from them once.
struct Set {
    channels: u8,
    made: Synthetic,
    paths: Vec<String>,
    /// Values as if every journey had converted.
    all_values: Vec<i64>,
    touched: Vec<i64>,
    ends: Vec<i64>,
}

impl Set {
    fn new(channels: u8, seed: u64) -> Self {
        let journeys = std::env::var("GAELP_JOURNEYS").ok();
        let journeys = journeys.and_then(|journeys| journeys.parse().ok());
        let made = Synthetic::generate(journeys.unwrap_or(JOURNEYS), channels, seed);
        let value = |row: i64| 5_000_000 + row * 7_919 % 195_000_000;
        Self {
            channels,
            paths: made.paths(),
            all_values: (0..).map(value).take(made.values.len()).collect(),
            touched: made.before_end.iter().map(|s| -s * 1_000_000).collect(),
            ends: vec![0; made.values.len()],
            made,
        }
    }

    fn table(&self) -> PathTable<'_, u8, u32> {
        self.with_values(&self.made.values)
    }

    fn with_values<'a>(&'a self, values: &'a [i64]) -> PathTable<'a, u8, u32> {
        let made = &self.made;
        let journeys = Journeys::new(&made.channels, &made.offsets, usize::from(self.channels));
        let journeys = journeys.expect("the set is well-formed");
        PathTable::new(journeys, &made.conversions, values, &made.nulls)
            .expect("the set is well-formed")
    }

    /// Every case by name, ready to run.
    fn cases(&self) -> Vec<Case<'_>> {
        let mut cases: Vec<Case<'_>> = vec![
            (
                "check",
                Box::new(|| {
                    black_box(self.table());
                }),
            ),
            ("linear", Box::new(|| self.heuristic(&Model::Linear))),
            ("last", Box::new(|| self.heuristic(&Model::Last))),
            ("position", Box::new(|| self.heuristic(&Model::POSITION))),
            ("decay", Box::new(|| self.heuristic(&Model::TIME_DECAY))),
            ("linear_all", Box::new(|| self.all(&Model::Linear))),
            ("position_all", Box::new(|| self.all(&Model::POSITION))),
            ("decay_all", Box::new(|| self.all(&Model::TIME_DECAY))),
            ("linear_text", Box::new(|| self.text())),
            (
                "shapley_set",
                Box::new(|| {
                    black_box(ShapleySetValue::earned(&self.table()));
                }),
            ),
            (
                "shapley_counts",
                Box::new(|| {
                    black_box(SetCounts::count(&self.table()));
                }),
            ),
            (
                "leave_one_out",
                Box::new(|| {
                    black_box(LeaveOneOut::fit(&self.table()).conversions());
                }),
            ),
            (
                "hazard",
                Box::new(|| {
                    black_box(self.hazard());
                }),
            ),
        ];
        for (name, order) in ["counts1", "counts2", "counts3", "counts4"]
            .into_iter()
            .zip(Order::ALL)
        {
            let count = move || MarkovCounts::count(&self.table(), order);
            cases.push((name, Box::new(move || drop(black_box(count())))));
        }
        for (name, order) in ["markov1", "markov2", "markov3", "markov4"]
            .into_iter()
            .zip(Order::ALL)
        {
            cases.push((name, Box::new(move || self.markov(order))));
        }
        cases
    }

    fn heuristic(&self, model: &Model) {
        let times = Some(Times::new(&self.touched, &self.ends));
        let credits = credit_channels(&self.table(), times, model);
        black_box(credits.expect("heuristics have weights"));
    }

    fn all(&self, model: &Model) {
        let times = Some(Times::new(&self.touched, &self.ends));
        let credits = credit_channels(&self.with_values(&self.all_values), times, model);
        black_box(credits.expect("heuristics have weights"));
    }

    fn text(&self) {
        let mut reader = PathReader::default();
        reader.read(&self.paths).expect("there are few channels");
        let made = &self.made;
        let journeys = reader.journeys();
        let table = PathTable::new(journeys, &made.conversions, &made.values, &made.nulls)
            .expect("the set is well-formed");
        black_box(credit_channels(&table, None, &Model::Linear).expect("linear has weights"));
    }

    fn markov(&self, order: Order) {
        let counts = MarkovCounts::count(&self.table(), order).expect("there are few channels");
        black_box(counts.fit().expect("there are journeys"));
    }

    fn hazard(&self) -> Hazard {
        let times = Times::new(&self.touched, &self.ends);
        let counts = HazardCounts::count(&self.table(), times).expect("times fit");
        counts
            .fit(&[Span::days(1), Span::days(7)])
            .expect("there are conversions")
            .model
    }
}

fn sets() -> [Set; 2] {
    [Set::new(10, 42), Set::new(50, 43)]
}

fn models(c: &mut Criterion) {
    for set in &sets() {
        let mut group = c.benchmark_group("attribution");
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(3));
        for (name, case) in set.cases() {
            let id = BenchmarkId::new(name, format!("1M/{}", set.channels));
            group.bench_function(id, |b| b.iter(&case));
        }
        group.finish();
    }
}

/// The CPU time that this thread has used.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time that was used is not negative")
}

/// Prints `case/channels median least` in milliseconds of CPU time, a line each.
#[expect(clippy::print_stdout, reason = "a program's answer")]
fn table(only: &str) {
    for set in &sets() {
        for (name, case) in set.cases() {
            let name = format!("{name}/{}", set.channels);
            if !name.contains(only) {
                continue;
            }
            let (mut runs, mut spent) = (Vec::new(), Duration::ZERO);
            while runs.len() < 3 || (runs.len() < 41 && spent < ENOUGH) {
                let start = cpu_time();
                case();
                let run = cpu_time().saturating_sub(start);
                spent += run;
                runs.push(run.as_secs_f64() * 1e3);
            }
            runs.sort_by(f64::total_cmp);
            println!("{name} {:.3} {:.3}", runs[runs.len() / 2], runs[0]);
        }
    }
}

criterion_group!(benches, models);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--table") {
        let only = arguments.get(place + 1).map_or("", String::as_str);
        table(if only == "--bench" { "" } else { only });
    } else {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
