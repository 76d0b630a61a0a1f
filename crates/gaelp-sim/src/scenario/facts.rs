//! What platforms know besides budgets, the rules that ask for it, phases, and policies on trial.

use gaelp_budget::TrafficProfile;
use gaelp_core::{AudienceId, Micros, Ratio, Rounding, Seed};
use gaelp_guardrails::{GuardrailConfig, rules};
use gaelp_platform::{AdSetDetails, CampaignId};
use gaelp_rollout::{Phase, RolloutConfig};

use crate::{Dice, FaultKind, Plan, Traffic, WorldConfig};

/// The stream of a seed that they are drawn from.
const FACTS: u64 = 14;

/// Hours that a market has run where usual spend is compared: a week and a day.
const HISTORY: u32 = 8 * 24;

const CAMPAIGNS: [&str; 2] = ["summer", "winter"];
/// What a campaign may be raised by in an hour, as an hourly rate, of all daily budgets.
const CAMPAIGN_RAISES: Ratio = Ratio::from_ppm(2_000);
const AUDIENCES: [&str; 3] = ["everybody", "lookalike", "visitors"];

/// Draws the facts of a scenario and the rules that look at them; how many hours the market ran
/// before.
pub(super) fn add(
    seed: Seed,
    mut world: WorldConfig,
    mut rollout: RolloutConfig,
    plan: &Plan,
) -> (WorldConfig, RolloutConfig, u32) {
    let mut dice = Dice::new(seed, FACTS);
    // Most integrators say something, some nothing.
    if dice.chance(percent(70)) {
        for ad_set in &mut world.ad_sets {
            ad_set.details = details(&mut dice);
        }
        let budgets = Micros::checked_sum(world.ad_sets.iter().map(|ad_set| ad_set.daily_budget));
        lists(
            &mut rollout.guardrails,
            budgets.unwrap_or_default(),
            &mut dice,
        );
    }
    results(&mut rollout, &world, &mut dice);
    if dice.chance(percent(15)) {
        let phases = [Phase::Canary, Phase::Quarter, Phase::Half, Phase::Half];
        rollout.phase = dice.pick(&phases).copied().unwrap_or_default();
    }
    let history = if dice.chance(percent(8)) {
        spikes(&mut rollout.guardrails, &mut world, &mut dice);
        HISTORY
    } else {
        0
    };
    world.begin = world.begin.plus(-i32::try_from(history).unwrap_or(0));
    // Only who reads again sees what was restated.
    if plan.kinds().contains(FaultKind::Restatement) {
        rollout.reread_hours = rollout.reread_hours.max(26);
    }
    rollout.guardrails.observe = observed(&mut dice);
    if dice.chance(percent(25)) {
        rollout.candidate = Some(candidate(&rollout.guardrails, &mut dice));
    }
    (world, rollout, history)
}

fn percent(percent: i64) -> Ratio {
    Ratio::from_ppm(percent * 10_000)
}

fn part(amount: Micros, of: i64) -> Micros {
    let part = amount.checked_scale(percent(of), Rounding::Up);
    part.unwrap_or(amount)
}

fn details(dice: &mut Dice) -> AdSetDetails {
    let campaign = if dice.chance(percent(5)) {
        None
    } else {
        dice.pick(&CAMPAIGNS).map(|name| CampaignId::from(*name))
    };
    let mut audiences = std::collections::BTreeSet::new();
    for _ in 0..dice.between(0, 3).min(2) {
        audiences.extend(dice.pick(&AUDIENCES).map(|name| AudienceId::from(*name)));
    }
    // Now and then an adapter says what cannot be.
    let bid = if dice.chance(Ratio::from_ppm(2_000)) {
        Micros::new(-1)
    } else {
        Micros::new(dice.between(10, 200) * 10_000)
    };
    AdSetDetails {
        campaign,
        audiences,
        bid: dice.chance(percent(80)).then_some(bid),
    }
}

/// Campaigns, audiences and bids.
fn lists(rules: &mut GuardrailConfig, budgets: Micros, dice: &mut Dice) {
    if dice.chance(percent(20)) {
        let cap = part(budgets, dice.between(40, 100));
        rules.campaign_daily_cap = Some(cap.min(rules.daily_cap));
    }
    if dice.chance(percent(20)) {
        // As an hourly rate: about what one ad set of three may be raised by at once.
        rules.hourly_raise_caps.campaign = budgets.checked_scale(CAMPAIGN_RAISES, Rounding::Up);
    }
    if dice.chance(percent(5)) {
        let listed = ["lookalike", "visitors"].map(AudienceId::from);
        rules.canary_audiences = Some(listed.into());
    }
    if dice.chance(percent(5)) {
        rules.blocked_audiences = ["everybody".into()].into();
    }
    if dice.chance(percent(20)) {
        rules.bid_floor = Some(Micros::new(300_000));
        rules.bid_ceiling = Some(Micros::new(1_500_000));
    }
}

/// The cost of conversions, and changes beside the day's traffic.
fn results(rollout: &mut RolloutConfig, world: &WorldConfig, dice: &mut Dice) {
    let rules = &mut rollout.guardrails;
    if dice.chance(percent(12)) {
        rules.max_cpa_multiplier = Some(percent(150));
        rollout.target_cpa = Some(Micros::new(dice.between(5, 25) * 1_000_000));
    }
    if dice.chance(percent(8)) {
        rules.delta_max_normalised = dice.chance(percent(70)).then(|| percent(30));
        rules.delta_max_24h_normalised = dice.chance(percent(70)).then(|| percent(25));
        let shape = world.ad_sets.first().map(|ad_set| ad_set.market.traffic);
        if let Some(shape) = shape.filter(|_| dice.chance(percent(50))) {
            rollout.traffic = profile(&shape);
        }
    }
}

/// The shape of a week whose days are alike.
fn profile(shape: &Traffic) -> Option<TrafficProfile> {
    let hours = (0..7 * 24_u8).map(|hour| shape.at(hour % 24).to_f64());
    let week: Vec<f64> = hours.collect();
    TrafficProfile::with_prior(&week, 1.0).ok()
}

fn spikes(rules: &mut GuardrailConfig, world: &mut WorldConfig, dice: &mut Dice) {
    rules.max_spike = Some(percent(dice.between(150, 400)));
    rules.spike_min_weeks = 1;
    rules.spike_minimum_spend = Micros::new(200_000);
    for ad_set in &mut world.ad_sets {
        ad_set.market.surges = Ratio::from_ppm(dice.between(0, 20_000));
    }
}

/// Rules that are only watched in some accounts. None of them is one that the auditor holds raises
/// to by itself.
fn observed(dice: &mut Dice) -> std::collections::BTreeSet<gaelp_core::RuleId> {
    let may = [
        rules::HOURLY_CEILING,
        rules::TAPER,
        rules::FREEZE_ROAS,
        rules::BID_BOUNDS,
        rules::ACCOUNT_RAISES,
        rules::EXPLORATION_RISK,
    ];
    let mut observed = std::collections::BTreeSet::new();
    if dice.chance(percent(10)) {
        observed.extend(dice.pick(&may).cloned());
    }
    observed
}

/// A policy to try out: stricter here, looser there.
fn candidate(live: &GuardrailConfig, dice: &mut Dice) -> GuardrailConfig {
    let mut rules = GuardrailConfig {
        canary: None,
        ..live.clone()
    };
    if dice.chance(percent(50)) {
        rules.delta_max = percent(dice.between(2, 30));
        rules.delta_max_24h = percent(dice.between(5, 60));
    }
    if dice.chance(percent(50)) {
        rules.daily_cap = part(rules.daily_cap, dice.between(100, 150));
        rules.hourly_ceiling = part(rules.hourly_ceiling, dice.between(20, 200));
    }
    if dice.chance(percent(30)) {
        rules.freeze_roas_below = Some(percent(dice.between(50, 300)));
    }
    if dice.chance(percent(30)) {
        rules.max_spike = Some(percent(200));
        rules.spike_min_weeks = 1;
    }
    if dice.chance(percent(30)) {
        rules.delta_max_normalised = Some(percent(20));
    }
    if dice.chance(percent(30)) {
        rules.observe.clear();
    }
    rules
}
