//! Budgets that are paced, beside those that each ad set sets by itself: in the market, without
//! faults, over two weeks.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use gaelp_core::{AccountZone, AdSetKey, Currency, HourSpan, Micros, Platform, Ratio, Seed};
use gaelp_core::{Rounding, UtcHour};
use gaelp_guardrails::GuardrailConfig;
use gaelp_ledger::{Ledger, MemoryLedger};
use gaelp_platform::{
    AdPlatform, BudgetReading, Capabilities, PlatformError, Report, SetBudget, WriteOutcome,
};
use gaelp_rollout::{
    Budgeting, MemoryJournal, Mode, Outside, PacedConfig, PlanOutcome, Record, Rollout,
    RolloutConfig, drive,
};
use gaelp_sim::{AdSetConfig, Dice, Market, Traffic, World, WorldConfig};

/// 2026-01-01T05Z, midnight in New York.
const BEGIN: UtcHour = UtcHour::new(490_901);
const DAYS: usize = 14;

/// A platform of the world, as a rollout reads and writes it.
struct Live<'a> {
    world: &'a Mutex<World>,
    capabilities: Capabilities,
}

#[async_trait]
impl AdPlatform for Live<'_> {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
        Ok(self.world.lock().unwrap().report(&self.capabilities, span))
    }

    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
        Ok(self.world.lock().unwrap().budgets(&self.capabilities))
    }

    async fn set_budget(&self, request: &SetBudget) -> WriteOutcome {
        match self.world.lock().unwrap().set_budget(request) {
            Ok(daily_budget) => WriteOutcome::Applied { daily_budget },
            Err(error) => WriteOutcome::Rejected(error),
        }
    }
}

/// What two weeks came to.
struct Fortnight {
    /// Money spent on each day, in shares of the target.
    spent: Vec<f64>,
    /// The most that any day's budgets could have cost, in shares of the cap.
    most: f64,
    /// What was earned on the last ten days: margin × revenue − spend, in the market's expectation.
    profit: f64,
    records: Vec<Record>,
}

impl Fortnight {
    /// The mean distance from the target, as a share of it, after the first days.
    fn off_target(&self) -> f64 {
        let settled = &self.spent[4..];
        let off = settled.iter().map(|share| (share - 1.0).abs());
        off.sum::<f64>() / f64::from(u32::try_from(settled.len()).unwrap())
    }
}

fn world(seed: u64, budget: i64) -> WorldConfig {
    let zone: AccountZone = "America/New_York".parse().unwrap();
    let platforms = vec![
        Capabilities::meta(Currency::USD, zone),
        Capabilities::google(Currency::USD, zone),
    ];
    let mut dice = Dice::new(Seed::new(seed), 71);
    let ad_sets = (0..4_usize).map(|number| {
        let platform = platforms[number % 2].platform.clone();
        let key = AdSetKey::new(platform, format!("set-{number}"));
        let mut ad_set = AdSetConfig::new(key, Micros::new(budget * 10_000));
        ad_set.market = Market {
            most_clicks: Ratio::from_ppm(dice.between(3_000_000, 9_000_000)),
            conversion: Ratio::from_ppm(dice.between(20_000, 80_000)),
            traffic: *dice.pick(&[Traffic::EVENING, Traffic::OFFICE]).unwrap(),
            ..Market::default()
        };
        ad_set
    });
    WorldConfig {
        ad_sets: ad_sets.collect(),
        platforms: platforms.clone(),
        ..WorldConfig::empty(BEGIN, zone)
    }
}

/// Two weeks at a target of 20 a day and a cap of 80.
fn fortnight(seed: u64, budget: i64, budgeting: Budgeting) -> Fortnight {
    let target = Micros::new(20_000_000);
    let cap = Micros::new(80_000_000);
    let config = world(seed, budget);
    let names = config.ad_sets.iter().map(|set| set.key.ad_set.clone());
    let rollout = RolloutConfig {
        mode: Mode::Pilot,
        zone: config.zone,
        seed: Seed::new(seed),
        daily_budget_target: target,
        margin: Ratio::from_ppm(700_000),
        reread_hours: 48,
        budgeting,
        guardrails: GuardrailConfig {
            daily_cap: cap,
            hourly_floor: Micros::new(50_000),
            peak_hours: None,
            freeze_roas_below: None,
            canary: Some(names.collect()),
            ..GuardrailConfig::default()
        },
        ..RolloutConfig::default()
    };
    let mut rollout = Rollout::new(rollout, config.platforms.clone()).unwrap();
    let limits = rollout.limits().clone();
    let opened = pollster::block_on(Ledger::open(limits, MemoryLedger::new()));
    let mut ledger = opened.unwrap();
    let world = Mutex::new(World::new(config.clone(), Seed::new(seed)).unwrap());
    let platforms: BTreeMap<Platform, Live<'_>> = config
        .platforms
        .iter()
        .map(|capabilities| {
            let live = Live {
                world: &world,
                capabilities: capabilities.clone(),
            };
            (capabilities.platform.clone(), live)
        })
        .collect();
    let clock = || -> DateTime<Utc> { world.lock().unwrap().now() };
    let hours = i32::try_from(24 * DAYS).unwrap();
    let steps = (0..hours).map(|hour| {
        if hour > 0 {
            world.lock().unwrap().advance(3_600);
        }
        HourSpan::hour(BEGIN.plus(hour))
    });
    let mut journal = MemoryJournal::new();
    let outside = Outside {
        platforms: &platforms,
        shop: None,
        journal: &mut journal,
        ledger: Some(&mut ledger),
        clock: Some(&clock),
    };
    pollster::block_on(drive(&mut rollout, outside, steps)).unwrap();
    world.lock().unwrap().advance(3_600);
    let world = world.into_inner().unwrap();
    let days = world.truth().days().iter().take(DAYS);
    let share = |amount: Micros, of: Micros| amount.to_major_f64() / of.to_major_f64();
    let mut profit = 0.0;
    for hour in 24 * 4..hours {
        for ad_set in &config.ad_sets {
            let at = BEGIN.plus(hour);
            let spend = world.true_hour(&ad_set.key, at).unwrap().spend;
            let local = config.zone.local(at).hour;
            let revenue = ad_set.market.expected_revenue(spend, local);
            let earned = revenue.checked_scale(Ratio::from_ppm(700_000), Rounding::Down);
            profit += earned.unwrap().to_major_f64() - spend.to_major_f64();
        }
    }
    Fortnight {
        spent: days
            .clone()
            .map(|day| share(day.account_spent(), target))
            .collect(),
        most: days
            .map(|day| share(day.account_most(), cap))
            .fold(0.0, f64::max),
        profit: profit / 10.0,
        records: journal.records().to_vec(),
    }
}

/// Budgets to start from, each ad set's, in cents: below, at and above the target.
const STARTS: [i64; 3] = [300, 500, 900];
const SEEDS: u64 = 8;

/// The means of a way of budgeting over all starts and seeds.
#[derive(Clone, Copy, Debug, Default)]
struct Means {
    off_target: f64,
    profit: f64,
    spent: f64,
}

fn means(budgeting: &Budgeting) -> Means {
    let mut means = Means::default();
    let runs = 24.0;
    for budget in STARTS {
        for seed in 0..SEEDS {
            let run = fortnight(seed, budget, budgeting.clone());
            assert!(run.most <= 1.0, "budgets could cost {} caps", run.most);
            means.off_target += run.off_target() / runs;
            means.profit += run.profit / runs;
            means.spent += run.spent[4..].iter().sum::<f64>() / 10.0 / runs;
            let planned = run.records.iter().any(|record| match record {
                Record::Plan(plan) => matches!(plan.outcome, PlanOutcome::Planned(_)),
                _ => false,
            });
            assert_eq!(planned, *budgeting != Budgeting::Classic);
        }
    }
    means
}

#[test]
fn paced_budgets_keep_nearer_to_the_target_and_under_the_cap() {
    let classic = means(&Budgeting::Classic);
    let paced = means(&Budgeting::Paced(PacedConfig::default()));
    println!("days 5 to 14 of 24 runs    off target   spent/target   profit a day");
    for (name, means) in [("classic", classic), ("paced", paced)] {
        let Means {
            off_target,
            profit,
            spent,
        } = means;
        println!("{name:<24} {off_target:>12.3} {spent:>14.3} {profit:>14.2}");
    }
    assert!(paced.off_target <= classic.off_target);
    assert!(paced.off_target < 0.25, "{paced:?}");
    // A dollar that keeps to the target earns more than one that does not.
    assert!(paced.profit / paced.spent > classic.profit / classic.spent);
}
