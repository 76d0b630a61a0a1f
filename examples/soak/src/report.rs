//! What is printed at the end.

use std::time::Duration;

use gaelp_sim::{Counters, FaultKind};

/// What was run.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) from: u64,
    pub(crate) seeds: u64,
    pub(crate) threads: usize,
    pub(crate) took: Duration,
    pub(crate) counters: &'a Counters,
    /// Whether every counter is printed.
    pub(crate) all: bool,
}

#[expect(clippy::cast_precision_loss, reason = "figures to be read")]
pub(crate) fn print(run: &Run<'_>) {
    let counters = run.counters;
    let seconds = run.took.as_secs_f64().max(1e-9);
    let faults: u64 = FaultKind::ALL
        .iter()
        .map(|kind| counters.injected.of(*kind))
        .sum();
    println!(
        "seeds        {} from {}, {} simulated hours",
        run.seeds, run.from, counters.hours
    );
    println!("took         {seconds:.1} s on {} threads", run.threads);
    println!(
        "throughput   {:.0} simulated hours per second",
        counters.hours as f64 / seconds
    );
    println!("commands     {}", counters.steps);
    println!(
        "faults       {faults} of {} kinds",
        counters.injected.kinds().len()
    );
    for kind in FaultKind::ALL {
        println!("  {:<22} {}", kind.as_str(), counters.injected.of(*kind));
    }
    if run.all {
        for (level, count) in &counters.levels {
            println!("level  {level:<32} {count}");
        }
        for (rule, count) in &counters.rules {
            println!("rule   {rule:<32} {count}");
        }
        for (name, count) in &counters.branches {
            println!("branch {name:<32} {count}");
        }
    }
    if run.seeds > 0 {
        println!(
            "bound        without a failure, fewer than {:.1e} of such weeks fail (95 %)",
            3.0 / run.seeds as f64
        );
    }
}
