//! Going on after a process ended, and beside another one.

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::{AdSetId, HourSpan, Micros, Platform};
use gaelp_guardrails::GuardrailConfig;
use gaelp_ledger::{Ledger, MemoryLedger, StoreFault};
use gaelp_platform::{Fault, InMemoryPlatform, Script};
use gaelp_rollout::{
    ActionStatus, AlertKind, Checkpoint, CheckpointError, Event, MemoryJournal, Mode, Outside,
    Record, Rollout, RolloutConfig, RolloutError, step,
};

use crate::support::{START, actions, alerts, meta, open_rules, platform, row};

fn config() -> RolloutConfig {
    RolloutConfig {
        mode: Mode::Pilot,
        checkpoints: true,
        guardrails: GuardrailConfig {
            canary: Some(BTreeSet::from([AdSetId::from("canary")])),
            ..open_rules()
        },
        ..RolloutConfig::default()
    }
}

fn world() -> BTreeMap<Platform, InMemoryPlatform> {
    let platform = platform(&[("canary", "24"), ("other", "12")]);
    for name in ["canary", "other"] {
        platform
            .load((0..96).map(|h| row(name, START.plus(h), "0.80", "3")))
            .unwrap();
    }
    BTreeMap::from([(Platform::Meta, platform)])
}

/// A process: a rollout with its own view of the shared ledger.
struct Runner {
    rollout: Rollout,
    ledger: Ledger<MemoryLedger>,
    journal: MemoryJournal,
}

impl Runner {
    fn new(rollout: Rollout, store: &MemoryLedger) -> Self {
        let limits = rollout.limits().clone();
        let ledger = pollster::block_on(Ledger::open(limits, store.clone())).unwrap();
        let journal = MemoryJournal::new();
        Self {
            rollout,
            ledger,
            journal,
        }
    }

    fn fresh(store: &MemoryLedger) -> Self {
        Self::new(Rollout::new(config(), vec![meta()]).unwrap(), store)
    }

    fn tell(&mut self, world: &BTreeMap<Platform, InMemoryPlatform>, event: Event) {
        let mut outside = Outside {
            platforms: world,
            shop: None,
            journal: &mut self.journal,
            ledger: Some(&mut self.ledger),
            clock: None,
        };
        pollster::block_on(step(&mut self.rollout, &mut outside, event)).unwrap();
    }

    fn hour(&mut self, world: &BTreeMap<Platform, InMemoryPlatform>, hour: i32) {
        let at = START.plus(hour);
        world[&Platform::Meta].set_now(at);
        let span = HourSpan::hour(at);
        self.tell(world, Event::StepBegins { span });
    }

    /// What is left of it: its last checkpoint, as text.
    fn remains(&self) -> Checkpoint {
        let mut records = self.journal.records().iter().rev();
        let last = records
            .find_map(|record| match record {
                Record::Checkpoint(checkpoint) => Some(checkpoint),
                _ => None,
            })
            .unwrap();
        let text = serde_json::to_string(last).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn decisions(journal: &MemoryJournal) -> Vec<(i64, String, Micros, Option<Micros>)> {
    actions(journal.records())
        .iter()
        .filter(|a| a.read_back.is_none() && a.status != ActionStatus::Applied)
        .map(|a| {
            let decision = &a.decision;
            (
                decision.span.from.since(START),
                decision.key.to_string(),
                decision.allowed,
                a.sent,
            )
        })
        .collect()
}

#[test]
fn i9_a_restored_rollout_goes_on_as_if_nothing_had_happened() {
    let (calm_world, calm_store) = (world(), MemoryLedger::new());
    let mut calm = Runner::fresh(&calm_store);
    for hour in 0..60 {
        calm.hour(&calm_world, hour);
    }
    let (world, store) = (world(), MemoryLedger::new());
    let mut all = MemoryJournal::new();
    let mut runner = Runner::fresh(&store);
    for hour in 0..60 {
        runner.hour(&world, hour);
        if hour % 7 == 3 {
            let at = START.plus(hour);
            let rollout = Rollout::restore(config(), vec![meta()], runner.remains(), at).unwrap();
            let records = runner.journal.records().to_vec();
            pollster::block_on(gaelp_rollout::Journal::append(&mut all, records)).unwrap();
            runner = Runner::new(rollout, &store);
            runner.tell(&world, Event::Reconciles { at });
        }
    }
    let records = runner.journal.records().to_vec();
    pollster::block_on(gaelp_rollout::Journal::append(&mut all, records)).unwrap();
    let (calm, disturbed) = (decisions(&calm.journal), decisions(&all));
    assert!(calm.iter().filter(|(.., sent)| sent.is_some()).count() > 10);
    assert_eq!(disturbed, calm);
    let writes = |world: &BTreeMap<Platform, InMemoryPlatform>| {
        let writes = world[&Platform::Meta].writes();
        writes
            .iter()
            .map(|w| w.request.daily_budget)
            .collect::<Vec<_>>()
    };
    assert_eq!(writes(&world), writes(&calm_world));
}

#[test]
fn an_hour_is_not_decided_twice_after_a_restart() {
    let (world, store) = (world(), MemoryLedger::new());
    let mut runner = Runner::fresh(&store);
    for hour in 0..5 {
        runner.hour(&world, hour);
    }
    let now = START.plus(4);
    let mut restored = Rollout::restore(config(), vec![meta()], runner.remains(), now).unwrap();
    assert_eq!(restored.decided_to(), Some(START.plus(5)));
    let again = Event::StepBegins {
        span: HourSpan::hour(now),
    };
    assert!(matches!(
        restored.handle(now.start(), again),
        Err(RolloutError::OutOfTurn { .. })
    ));
}

#[test]
fn i5_a_runner_that_was_taken_over_from_writes_no_more() {
    let (world, store) = (world(), MemoryLedger::new());
    let mut first = Runner::fresh(&store);
    for hour in 0..6 {
        first.hour(&world, hour);
    }
    let mut second = Runner::fresh(&store);
    second.tell(&world, Event::Reconciles { at: START.plus(6) });
    let writes = world[&Platform::Meta].writes().len();
    for hour in 6..12 {
        first.hour(&world, hour);
    }
    assert!(first.rollout.is_fenced());
    assert_eq!(world[&Platform::Meta].writes().len(), writes);
    assert_eq!(alerts(first.journal.records(), AlertKind::Fenced).len(), 1);
    // It still decides and logs, as in shadow.
    let later = actions(first.journal.records())
        .iter()
        .filter(|a| a.decision.span.from >= START.plus(7))
        .all(|a| a.status == ActionStatus::Shadow);
    assert!(later);
    for hour in 12..24 {
        second.hour(&world, hour);
    }
    assert!(world[&Platform::Meta].writes().len() > writes);
}

#[test]
fn i3_without_its_ledger_it_writes_nothing() {
    let (world, store) = (world(), MemoryLedger::new());
    let mut runner = Runner::fresh(&store);
    for hour in 0..3 {
        runner.hour(&world, hour);
    }
    for hour in 3..6 {
        let before = world[&Platform::Meta].writes().len();
        store.fail_next(StoreFault::Before);
        runner.hour(&world, hour);
        assert_eq!(world[&Platform::Meta].writes().len(), before);
    }
    let alerts = alerts(runner.journal.records(), AlertKind::LedgerUnavailable);
    assert_eq!(alerts.len(), 3);
    for hour in 6..24 {
        runner.hour(&world, hour);
    }
    let last = actions(runner.journal.records());
    assert!(
        last.iter()
            .any(|a| a.decision.span.from > START.plus(6) && a.sent.is_some())
    );
}

#[test]
fn a_write_that_was_open_at_the_end_is_settled_by_the_next_process() {
    let (world, store) = (world(), MemoryLedger::new());
    let mut runner = Runner::fresh(&store);
    world[&Platform::Meta].script(Script::new().then(Fault::WriteUnknownApplied));
    let mut hour = 0;
    while alerts(runner.journal.records(), AlertKind::WriteUnknown).is_empty() {
        runner.hour(&world, hour);
        hour += 1;
        assert!(hour < 48, "no write was lost");
    }
    // The process ends before it heard of the loss: its last checkpoint is from before the write.
    let open = runner.ledger.book().all_open().count();
    assert_eq!(open, 1);
    let now = START.plus(hour);
    let rollout = Rollout::restore(config(), vec![meta()], runner.remains(), now).unwrap();
    let mut next = Runner::new(rollout, &store);
    for later in hour..hour + 4 {
        next.hour(&world, later);
    }
    assert_eq!(
        next.ledger
            .book()
            .all_open()
            .filter(|i| i.at < now.start())
            .count(),
        0
    );
    let settled = actions(next.journal.records()).iter().any(|a| {
        a.status == ActionStatus::Applied && a.read_back.is_some() && a.read_back == a.sent
    });
    assert!(settled);
}

#[test]
fn a_poisoned_checkpoint_is_refused() {
    let (world, store) = (world(), MemoryLedger::new());
    let mut runner = Runner::fresh(&store);
    for hour in 0..30 {
        runner.hour(&world, hour);
    }
    let now = START.plus(29);
    let good = serde_json::to_value(runner.remains()).unwrap();
    let restore = |change: &dyn Fn(&mut serde_json::Value), config: RolloutConfig| {
        let mut poisoned = good.clone();
        change(&mut poisoned);
        let checkpoint = serde_json::from_value::<Checkpoint>(poisoned).ok()?;
        match Rollout::restore(config, vec![meta()], checkpoint, now) {
            Ok(_) => panic!("it was restored"),
            Err(RolloutError::Checkpoint(error)) => Some(error),
            Err(error) => panic!("{error}"),
        }
    };
    let format = restore(&|c| c["format"] = 2.into(), config());
    assert_eq!(format, Some(CheckpointError::Format { found: 2 }));
    let future = restore(&|c| c["decided_to"] = (START.get() + 40).into(), config());
    assert!(matches!(future, Some(CheckpointError::Future { .. })));
    let lambda = restore(&|c| c["lambda"] = (-1).into(), config());
    assert!(matches!(lambda, Some(CheckpointError::Lambda { .. })));
    let budget = restore(&|c| c["ad_sets"][0][1]["budget"] = (-1).into(), config());
    assert!(matches!(
        budget,
        Some(CheckpointError::Implausible {
            what: "daily budget",
            ..
        })
    ));
    let other_arms = RolloutConfig {
        multipliers: vec![gaelp_core::Ratio::ONE],
        ..config()
    };
    assert!(matches!(
        restore(&|_| {}, other_arms),
        Some(CheckpointError::Arms { .. })
    ));
    // What is no checkpoint at all does not even become one.
    let extra = restore(&|c| c["surprise"] = 1.into(), config());
    assert_eq!(extra, None);
    let trailing = restore(
        &|c| c["ad_sets"][0][1]["trailing"]["rows"][0]["metrics"]["spend"] = (-5).into(),
        config(),
    );
    assert_eq!(trailing, None);
}
