//! Who plays: a market, a configuration and a plan, all drawn from one seed.

use std::collections::BTreeSet;

use gaelp_budget::{Controller, DualSubgradient, EntropicMirror, Guide, Pi, Pid};
use gaelp_core::{AccountZone, AdSetKey, Currency, Micros, Platform, Ratio, Seed, UtcHour};
use gaelp_guardrails::{GuardrailConfig, OnFreeze, RaiseCaps, Taper};
use gaelp_platform::{Capabilities, CapabilitiesConfig};
use gaelp_rollout::{Budgeting, Mode, PacedConfig, RevenueFrom, RolloutConfig};

mod facts;

use crate::{AdSetConfig, DayLimit, Dice, FaultKind, Market, Pacing, Plan, Traffic, WorldConfig};

/// The stream of a seed that scenarios are drawn from.
const SCENARIO: u64 = 12;
/// The stream of a seed that says how budgets come about: its own, so that everything else of a seed
/// is as it was before there was a choice.
const BUDGETING: u64 = 14;

/// Zones with the days before one of their clock changes of 2026, or whose midnights lie within a
/// UTC hour.
const UNEVEN: [(&str, i32); 9] = [
    ("America/New_York", 492_487), // 8 March
    ("America/New_York", 498_198), // 1 November
    ("Europe/Berlin", 492_985),    // 29 March
    ("Europe/Berlin", 498_025),    // 25 October
    ("Africa/Cairo", 493_606),     // 24 April: midnight is skipped
    ("America/Santiago", 493_155), // 5 April: midnight is repeated
    ("America/Nuuk", 492_985),     // 28 March: 23 o'clock is skipped
    ("Asia/Kolkata", 492_000),
    ("Australia/Lord_Howe", 493_143), // 5 April: by half an hour
];
/// January: nothing changes.
const EVEN: i32 = 490_896;

/// All that a run begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What everything is drawn from.
    pub seed: Seed,
    /// For how many hours.
    pub hours: u32,
    /// For how many hours the market ran before.
    pub history: u32,
    /// The market.
    pub world: WorldConfig,
    /// The rollout, in pilot mode.
    pub rollout: RolloutConfig,
    /// What goes wrong.
    pub plan: Plan,
}

impl Scenario {
    /// The scenario of a seed.
    ///
    /// ```
    /// use gaelp_core::Seed;
    /// use gaelp_sim::Scenario;
    ///
    /// let scenario = Scenario::drawn(Seed::new(1), 168);
    /// assert!(scenario.world.ad_sets.len() >= 2);
    /// assert_eq!(scenario, Scenario::drawn(Seed::new(1), 168));
    /// ```
    pub fn drawn(seed: Seed, hours: u32) -> Self {
        let plan = Plan::drawn(seed, hours);
        Self::with_plan(seed, hours, plan)
    }

    /// The scenario of a seed with another plan.
    pub fn with_plan(seed: Seed, hours: u32, plan: Plan) -> Self {
        let mut dice = Dice::new(seed, SCENARIO);
        let (zone, begin) = place(&plan, &mut dice);
        let platforms = platforms(zone, &mut dice);
        let ad_sets = ad_sets(&platforms, &mut dice);
        let world = WorldConfig {
            platforms,
            ad_sets,
            ..WorldConfig::empty(begin, zone)
        };
        let rollout = rollout(seed, &world, &plan, &mut dice);
        let (world, rollout, history) = facts::add(seed, world, rollout, &plan);
        Self {
            seed,
            hours,
            history,
            world,
            rollout,
            plan,
        }
    }
}

fn place(plan: &Plan, dice: &mut Dice) -> (AccountZone, UtcHour) {
    let within_days = i32::try_from(dice.between(0, 4 * 24)).unwrap_or(0);
    if plan.kinds().contains(FaultKind::UnevenDay) {
        let &(name, change) = dice.pick(&UNEVEN).unwrap_or(&UNEVEN[0]);
        let zone = name.parse().unwrap_or(AccountZone::UTC);
        return (zone, UtcHour::new(change - 30 - within_days / 2));
    }
    let zone = match dice.below(3) {
        0 => AccountZone::UTC,
        1 => "America/New_York".parse().unwrap_or(AccountZone::UTC),
        _ => "Asia/Tokyo".parse().unwrap_or(AccountZone::UTC),
    };
    (zone, UtcHour::new(EVEN + within_days))
}

fn platforms(zone: AccountZone, dice: &mut Dice) -> Vec<Capabilities> {
    let meta = Capabilities::meta(Currency::USD, zone);
    let google = Capabilities::google(Currency::USD, zone);
    let small = Platform::new("classifieds");
    let mut small = CapabilitiesConfig::other(small, Currency::USD, zone);
    small.reporting_delay_hours = 2;
    small.overdelivery = Ratio::from_ppm(1_250_000);
    let small = Capabilities::try_from(small).ok();
    match dice.below(5) {
        0 => vec![meta],
        1 => vec![google],
        2 => [meta].into_iter().chain(small).collect(),
        3 => vec![meta, google],
        _ => [meta, google].into_iter().chain(small).collect(),
    }
}

fn ad_sets(platforms: &[Capabilities], dice: &mut Dice) -> Vec<AdSetConfig> {
    let count = if dice.chance(Ratio::from_ppm(300_000)) {
        3
    } else {
        2
    };
    let count = count.max(platforms.len());
    (0..count)
        .filter_map(|number| {
            let platform = platforms.get(number % platforms.len().max(1))?;
            let key = AdSetKey::new(platform.platform.clone(), format!("set-{number}"));
            let mut config = AdSetConfig::new(key, Micros::new(dice.between(200, 1_200) * 10_000));
            config.pacing = *dice.pick(&[Pacing::Even, Pacing::Fast, Pacing::Late])?;
            config.limit = *dice.pick(&[DayLimit::Current, DayLimit::Highest])?;
            config.market = market(dice);
            Some(config)
        })
        .collect()
}

fn market(dice: &mut Dice) -> Market {
    let traffic = [Traffic::FLAT, Traffic::EVENING, Traffic::OFFICE];
    Market {
        // Some sell hardly anything, some a lot: both freezes and raises must occur.
        conversion: Ratio::from_ppm(dice.between(0, 120_000)),
        order_value: Micros::new(dice.between(10_000_000, 60_000_000)),
        volume: Micros::new(dice.between(300_000, 6_000_000)),
        traffic: *dice.pick(&traffic).unwrap_or(&Traffic::FLAT),
        ..Market::default()
    }
}

fn rollout(seed: Seed, world: &WorldConfig, plan: &Plan, dice: &mut Dice) -> RolloutConfig {
    let mut exposed = Micros::ZERO;
    let mut budgets = Micros::ZERO;
    for ad_set in &world.ad_sets {
        let mut platforms = world.platforms.iter();
        let platform = platforms.find(|p| p.platform == ad_set.key.platform);
        let most = platform.and_then(|p| p.worst_case_day_spend(ad_set.daily_budget));
        exposed = most
            .and_then(|most| exposed.checked_add(most))
            .unwrap_or(exposed);
        budgets = budgets.checked_add(ad_set.daily_budget).unwrap_or(budgets);
    }
    let scaled = |amount: Micros, percent: i64| {
        let ratio = Ratio::from_ppm(percent * 10_000);
        amount
            .checked_scale(ratio, gaelp_core::Rounding::Up)
            .unwrap_or(amount)
    };
    // Little room in most accounts, so that the cap binds; plenty in some.
    let room = if dice.chance(Ratio::from_ppm(700_000)) {
        dice.between(101, 115)
    } else {
        dice.between(115, 250)
    };
    let all = world.ad_sets.iter().map(|ad_set| ad_set.key.ad_set.clone());
    let mut canary: BTreeSet<_> = all.collect();
    if dice.chance(Ratio::from_ppm(200_000)) {
        canary.pop_last();
    }
    let guardrails = GuardrailConfig {
        daily_cap: scaled(exposed, room),
        hourly_floor: Micros::new(10_000),
        peak_hours: if dice.chance(Ratio::from_ppm(250_000)) {
            "17-23".parse().ok()
        } else {
            None
        },
        freeze_roas_below: dice
            .chance(Ratio::from_ppm(500_000))
            .then_some(Ratio::from_ppm(1_500_000)),
        max_data_age_hours: 5,
        canary: Some(canary),
        ..GuardrailConfig::default()
    };
    let guardrails = more_rules(guardrails, world, budgets, dice);
    RolloutConfig {
        mode: Mode::Pilot,
        zone: world.zone,
        currency: world.currency,
        seed,
        daily_budget_target: scaled(budgets, dice.between(70, 140)),
        revenue: if dice.chance(Ratio::from_ppm(500_000)) {
            RevenueFrom::Shop
        } else {
            RevenueFrom::Platform
        },
        reread_hours: *dice.pick(&[0, 0, 0, 0, 6, 26]).unwrap_or(&0),
        settle_hours: *dice.pick(&[0, 4]).unwrap_or(&0),
        budgeting: budgeting(&mut Dice::new(seed, BUDGETING)),
        guardrails,
        checkpoints: plan.kinds().iter().any(FaultKind::is_crash),
        ..RolloutConfig::default()
    }
}

/// Half of the accounts pace their budgets, most of them with other settings than the usual ones.
fn budgeting(dice: &mut Dice) -> Budgeting {
    if dice.chance(Ratio::from_ppm(500_000)) {
        return Budgeting::Classic;
    }
    let usual = PacedConfig::default();
    let controllers = [
        Controller::default(),
        EntropicMirror::default().into(),
        DualSubgradient::default().into(),
        Guide::default().into(),
        Pi::default().into(),
        Pid::default().into(),
    ];
    let mut share = |low, high| Ratio::from_ppm(dice.between(low, high) * 10_000);
    let paced = PacedConfig {
        band: share(5, 100),
        dead_band: share(0, 10),
        pooled_days: share(5, 300),
        overdelivery: share(100, 200),
        grows: share(0, 30),
        ..usual.clone()
    };
    Budgeting::Paced(PacedConfig {
        controller: *dice.pick(&controllers).unwrap_or(&usual.controller),
        unattended_hours: u32::try_from(dice.between(0, 4)).unwrap_or(0),
        evidence_hours: u32::try_from(dice.between(24, 336)).unwrap_or(24),
        ..paced
    })
}

/// Rules that most accounts leave off, each on in some: those whose facts a rollout has.
fn more_rules(
    mut rules: GuardrailConfig,
    world: &WorldConfig,
    budgets: Micros,
    dice: &mut Dice,
) -> GuardrailConfig {
    let mut on = |percent: i64| dice.chance(Ratio::from_ppm(percent * 10_000));
    let percent = |amount: Micros, percent: i64| {
        let ratio = Ratio::from_ppm(percent * 10_000);
        amount
            .checked_scale(ratio, gaelp_core::Rounding::Up)
            .unwrap_or(amount)
    };
    let first = world.ad_sets.first();
    if on(8) {
        rules
            .blocked
            .extend(first.map(|ad_set| ad_set.key.ad_set.clone()));
    }
    if on(30) {
        rules.max_edits_per_hour = Some(if on(50) { 2 } else { 3 });
    }
    if on(15) {
        let most = percent(rules.daily_cap, 75);
        rules
            .platform_daily_caps
            .extend(first.map(|ad_set| (ad_set.key.platform.clone(), most)));
    }
    if on(15) {
        rules.ad_set_daily_cap = Some(percent(budgets, 80));
    }
    if on(20) {
        rules.taper = Some(Taper {
            from: Ratio::from_ppm(500_000),
            least: Ratio::from_ppm(300_000),
        });
    }
    if on(20) {
        rules.hourly_raise_caps = RaiseCaps {
            account: on(50).then(|| percent(budgets, 1)),
            platform: on(50).then(|| percent(budgets, 1)),
            ad_set: on(70).then(|| percent(budgets, 1)),
            ..RaiseCaps::default()
        };
    }
    if on(15) {
        rules.exploration_daily_cap = Some(percent(budgets, 3));
    }
    if on(12) {
        rules.restricted_hours = "1-5".parse().ok();
    }
    if on(15) {
        rules.freeze_cpa_above = Some(Micros::new(15_000_000));
    }
    if on(15) {
        rules.freeze_without_conversion_hours = Some(30);
    }
    if on(15) {
        // So that the age of data counts by itself.
        rules.min_coverage = Ratio::from_ppm(200_000);
    }
    rules.on_freeze = if on(20) {
        OnFreeze::StepDown(Ratio::from_ppm(50_000))
    } else if on(10) {
        OnFreeze::Pause
    } else {
        OnFreeze::Hold
    };
    rules
}
