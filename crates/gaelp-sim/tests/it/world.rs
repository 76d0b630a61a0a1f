//! The market keeps its books: money, reports, orders, days.

use std::collections::BTreeMap;

use gaelp_core::{
    AccountZone, AdSetKey, Currency, DecisionId, HourSpan, Micros, Platform, Ratio, Revision, Seed,
    UtcHour,
};
use gaelp_platform::{Capabilities, Delivery, ErrorKind, OrderKind, SetBudget};
use gaelp_sim::{
    AdSetConfig, Author, DayLimit, Dice, Edit, Market, Pacing, Traffic, World, WorldConfig,
    WorldError,
};

const BEGIN: UtcHour = UtcHour::new(490_008);
const ZONES: [&str; 6] = [
    "UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Europe/Berlin",
    "Africa/Cairo",
    "Australia/Lord_Howe",
];

fn micros(text: &str) -> Micros {
    text.parse().unwrap()
}

fn platforms(zone: AccountZone) -> Vec<Capabilities> {
    vec![
        Capabilities::meta(Currency::USD, zone),
        Capabilities::google(Currency::USD, zone),
    ]
}

fn key(number: usize) -> AdSetKey {
    let platform = if number.is_multiple_of(2) {
        Platform::Meta
    } else {
        Platform::Google
    };
    AdSetKey::new(platform, format!("set-{number}"))
}

/// A world in which nearly everything is drawn.
fn drawn(seed: u64) -> World {
    let mut dice = Dice::new(Seed::new(seed), 99);
    let zone: AccountZone = dice.pick(&ZONES).unwrap().parse().unwrap();
    // Around the changes of the clocks in spring 2026.
    let begin = UtcHour::containing("2026-03-01T00:00:00Z".parse().unwrap());
    let begin = begin.plus(i32::try_from(dice.between(0, 24 * 60)).unwrap());
    let ad_sets = (0..4).map(|number| {
        let mut config =
            AdSetConfig::new(key(number), Micros::new(dice.between(100, 3_000) * 10_000));
        config.pacing = *dice
            .pick(&[Pacing::Even, Pacing::Fast, Pacing::Late])
            .unwrap();
        config.limit = *dice.pick(&[DayLimit::Current, DayLimit::Highest]).unwrap();
        config.market.volume = Micros::new(dice.between(100_000, 20_000_000));
        config.market.traffic = *dice
            .pick(&[Traffic::FLAT, Traffic::EVENING, Traffic::OFFICE])
            .unwrap();
        config
    });
    let config = WorldConfig {
        platforms: platforms(zone),
        ad_sets: ad_sets.collect(),
        ..WorldConfig::empty(begin, zone)
    };
    World::new(config, Seed::new(seed)).unwrap()
}

/// Five days of a drawn world with drawn writes, edits and pauses at odd moments.
fn lived(seed: u64) -> World {
    let mut world = drawn(seed);
    let mut dice = Dice::new(Seed::new(seed), 100);
    for step in 0..200_u32 {
        world.advance(u32::try_from(dice.between(0, 4_300)).unwrap());
        let number = usize::try_from(dice.below(4)).unwrap();
        let budget = Micros::new(dice.between(100, 4_000) * 10_000);
        match dice.below(5) {
            0 => {
                world.human(&key(number), &Edit::Budget(budget));
            }
            1 => {
                let delivery = *dice.pick(&[Delivery::Active, Delivery::Paused]).unwrap();
                world.human(&key(number), &Edit::Delivery(delivery));
            }
            2 => {
                let at = world.now() + chrono::Duration::seconds(dice.between(0, 900));
                world.set_budget_later(&request(number, budget, step), at);
            }
            _ => {
                let _refused = world.set_budget(&request(number, budget, step));
            }
        }
    }
    world
}

fn request(number: usize, daily_budget: Micros, decision: u32) -> SetBudget {
    SetBudget {
        key: key(number),
        daily_budget,
        decision: DecisionId::new(decision.into()),
    }
}

/// In a surge everything that is left of the day goes, as far as the market takes it; without one
/// the pace is kept. What may be spent in a day is the same.
#[test]
fn a_surge_is_a_spike_of_spend() {
    let first_hours = |surges: Ratio| {
        let mut config = AdSetConfig::new(key(0), micros("24"));
        config.market.surges = surges;
        config.market.traffic = Traffic::FLAT;
        config.market.noise = Ratio::ZERO;
        config.market.volume = micros("2");
        let world = WorldConfig {
            platforms: platforms(AccountZone::UTC),
            ad_sets: vec![config],
            restated: Ratio::ZERO,
            ..WorldConfig::empty(BEGIN, AccountZone::UTC)
        };
        let mut world = World::new(world, Seed::new(5)).unwrap();
        world.advance(24 * 3_600);
        let spend = |hour| world.true_hour(&key(0), BEGIN.plus(hour)).unwrap().spend;
        let day = world.truth().days()[0].account_spent();
        assert!(day <= world.truth().days()[0].account_most());
        (spend(0), spend(1), day)
    };
    let (first, second, even) = first_hours(Ratio::ZERO);
    assert!((first.get() - second.get()).abs() <= 2);
    assert!(first < micros("1.80"), "{first}");
    // Four times the volume of 2.00, twice, out of at most 42.00 and at least 16.80.
    let (first, second, day) = first_hours(Ratio::ONE);
    assert_eq!((first, second), (micros("8"), micros("8")));
    // Nothing of the rest was drawn by who surges always: the day aims at the same.
    assert!(day >= micros("16.80") && even >= micros("16.80"));
}

/// The day's highest budget is recomputed from the log of changes, and ω in floating point.
#[test]
fn no_day_costs_more_than_the_overdelivery_of_its_highest_budget() {
    let (mut days, mut full) = (0, 0);
    for seed in 0..300 {
        let world = lived(seed);
        let first = drawn(seed);
        let keys: Vec<AdSetKey> = world.keys().cloned().collect();
        for (slot, key) in keys.iter().enumerate() {
            let omega = if key.platform == Platform::Meta {
                1.75
            } else {
                2.0
            };
            let mut standing = first.standing(key).unwrap();
            let mut changes = world
                .truth()
                .changes()
                .iter()
                .filter(|c| c.slot == slot)
                .peekable();
            for day in world.truth().days() {
                let mut high = standing;
                while let Some(change) = changes.next_if(|c| c.at.timestamp() < day.end) {
                    assert_eq!(change.from, standing);
                    assert!(change.at.timestamp() >= day.begin);
                    standing = change.to;
                    high = high.max(standing);
                }
                assert_eq!(day.high[slot], high);
                let most = high.to_major_f64() * omega;
                let spent = day.spent[slot].to_major_f64();
                assert!(spent <= most + 1e-6, "seed {seed} {key}: {spent} of {most}");
                assert!((day.most[slot].to_major_f64() - most).abs() < 2e-6);
                days += 1;
                full += usize::from(spent > 0.98 * most);
            }
            assert_eq!(world.standing(key), Some(standing));
        }
    }
    // The bound is reached, so that it is one.
    assert!(
        full > days / 20,
        "{full} of {days} days came near their bound"
    );
}

#[test]
fn an_hour_by_hour_account_of_spend_is_the_days() {
    for seed in 0..100 {
        let mut world = lived(seed);
        // To the end of an hour, so that every second lies in a booked hour.
        let rest = 3_600 - world.now().timestamp().rem_euclid(3_600);
        world.advance(u32::try_from(rest).unwrap());
        let begin = drawn(seed).hour();
        let keys: Vec<AdSetKey> = world.keys().cloned().collect();
        for (slot, key) in keys.iter().enumerate() {
            let hours = HourSpan::new(begin, world.hour()).iter();
            let by_hour: i64 = hours
                .map(|hour| world.true_hour(key, hour).unwrap().spend.get())
                .sum();
            let by_day: i64 = world
                .truth()
                .days()
                .iter()
                .map(|day| day.spent[slot].get())
                .sum();
            assert_eq!(by_hour, by_day);
        }
    }
}

#[test]
fn reports_come_late_and_in_instalments_and_end_at_the_truth() {
    let (mut partial, mut restated, mut grown) = (0, 0, 0);
    for seed in 0..60 {
        let mut world = drawn(seed);
        let begin = world.hour();
        let span = HourSpan::new(begin, begin.plus(48));
        let all = platforms(AccountZone::UTC);
        let mut known: BTreeMap<(AdSetKey, UtcHour), (Revision, gaelp_core::Metrics)> =
            BTreeMap::new();
        for _ in 0..130 {
            world.advance(3_600);
            for platform in &all {
                let report = world.report(platform, span);
                let delay = i32::try_from(platform.reporting_delay_hours).unwrap();
                assert_eq!(report.complete_before, world.hour().plus(-delay));
                for row in report.rows {
                    assert!(row.span.to <= report.complete_before && span.contains(row.span.from));
                    let place = (row.key.clone(), row.span.from);
                    let new = (row.revision, row.metrics);
                    if let Some((revision, metrics)) = known.insert(place, new) {
                        assert!(row.revision >= revision);
                        // Another figure is another revision.
                        assert_eq!(row.revision == revision, row.metrics == metrics);
                        restated += usize::from(row.metrics.spend != metrics.spend);
                        grown += usize::from(row.metrics.conversions > metrics.conversions);
                    } else {
                        assert_eq!(row.revision, Revision::new(0));
                        let truth = world.true_hour(&row.key, row.span.from).unwrap();
                        partial += usize::from(row.metrics != truth);
                    }
                }
            }
        }
        assert_eq!(known.len(), 4 * 48);
        for ((key, hour), (_, metrics)) in known {
            let truth = world.true_hour(&key, hour).unwrap();
            assert_eq!(metrics.spend, truth.spend);
            if key.platform == Platform::Google {
                assert_eq!(metrics, truth);
            } else {
                // Meta's hourly breakdown leaves out what happens elsewhere.
                assert!(metrics.conversions.is_zero() && metrics.revenue.is_zero());
            }
        }
    }
    assert!(
        partial > 500 && restated > 500 && grown > 40,
        "{partial} {restated} {grown}"
    );
}

#[test]
fn the_shop_sells_what_the_clicks_brought_and_what_no_ad_did() {
    let mut world = drawn(7);
    let begin = world.hour();
    let mut seen = Vec::new();
    for hour in 0..240 {
        world.advance(3_600);
        seen.extend(world.orders(HourSpan::hour(begin.plus(hour))));
    }
    let all = world.orders(HourSpan::new(begin, begin.plus(240)));
    assert_eq!(seen, all, "read hour by hour or at once");
    assert!(all.is_sorted_by_key(|event| event.at));
    assert!(
        world
            .orders(HourSpan::new(begin.plus(240), begin.plus(500)))
            .is_empty()
    );
    let sales: Vec<_> = all
        .iter()
        .filter(|event| event.kind == OrderKind::Sale)
        .collect();
    let keys: Vec<AdSetKey> = world.keys().cloned().collect();
    // Clicks of the first days have all been followed by their orders.
    let brought: u64 = (0..190)
        .flat_map(|hour| keys.iter().map(move |key| (key, begin.plus(hour))))
        .map(|(key, hour)| world.true_hour(key, hour).unwrap().conversions.millionths() / 1_000_000)
        .sum();
    let sold = u64::try_from(sales.len()).unwrap();
    assert!(
        sold >= brought && brought > 20,
        "{sold} sold, {brought} brought"
    );
    assert!(all.len() > sales.len(), "nothing came back");
    for refund in all.iter().filter(|event| event.kind == OrderKind::Refund) {
        let sale = sales
            .iter()
            .find(|sale| sale.order == refund.order)
            .unwrap();
        assert!(sale.at < refund.at);
        assert!(refund.amount <= Micros::ZERO && refund.amount.get() >= -sale.amount.get());
    }
}

#[test]
fn the_same_seed_and_calls_make_the_same_world() {
    for seed in [1, 2, 3] {
        let (one, other) = (lived(seed), lived(seed));
        assert_eq!(one.truth(), other.truth());
        let span = HourSpan::new(drawn(seed).hour(), one.hour());
        for platform in platforms(AccountZone::UTC) {
            assert_eq!(one.report(&platform, span), other.report(&platform, span));
            assert_eq!(one.budgets(&platform), other.budgets(&platform));
        }
        assert_eq!(one.orders(span), other.orders(span));
        assert_ne!(one.truth(), lived(seed + 10).truth());
    }
}

#[test]
fn how_time_is_cut_does_not_change_when_things_happen() {
    let mut fine = drawn(5);
    let mut coarse = drawn(5);
    for _ in 0..48 * 60 {
        fine.advance(60);
    }
    coarse.advance(48 * 3_600);
    assert_eq!(fine.now(), coarse.now());
    for (a, b) in fine.truth().days().iter().zip(coarse.truth().days()) {
        assert_eq!((a.date, a.begin, a.end), (b.date, b.begin, b.end));
        for (a, b) in a.spent.iter().zip(&b.spent) {
            // The pace is found anew at each look, so that rounding differs, and no more.
            let apart = (a.get() - b.get()).abs();
            assert!(apart <= 20_000 + b.get() / 50, "{a} and {b}");
        }
    }
}

fn small() -> World {
    let config = WorldConfig {
        platforms: platforms(AccountZone::UTC),
        ad_sets: (0..2)
            .map(|n| AdSetConfig::new(key(n), micros("10")))
            .collect(),
        ..WorldConfig::empty(BEGIN, AccountZone::UTC)
    };
    World::new(config, Seed::new(1)).unwrap()
}

#[test]
fn platforms_refuse_what_their_limits_say() {
    let mut world = small();
    let kind =
        |outcome: Result<Micros, gaelp_platform::PlatformError>| outcome.map_err(|e| e.kind());
    assert_eq!(
        kind(world.set_budget(&request(8, micros("5"), 0))),
        Err(ErrorKind::Rejected)
    );
    assert_eq!(
        kind(world.set_budget(&request(0, micros("0.99"), 0))),
        Err(ErrorKind::Rejected)
    );
    assert_eq!(
        kind(world.set_budget(&request(0, micros("5.005"), 0))),
        Err(ErrorKind::Rejected)
    );
    for cents in 1..=4 {
        let budget = Micros::new(5_000_000 + cents * 10_000);
        assert_eq!(kind(world.set_budget(&request(0, budget, 0))), Ok(budget));
    }
    let limited = kind(world.set_budget(&request(0, micros("6"), 0))).unwrap_err();
    assert!(matches!(limited, ErrorKind::RateLimited { .. }));
    assert_eq!(world.standing(&key(0)), Some(micros("5.04")));
    // Google counts no edits, and Meta counts anew in the next hour.
    assert!((0..9).all(|_| world.set_budget(&request(1, micros("6"), 0)).is_ok()));
    world.advance(3_600);
    assert_eq!(
        kind(world.set_budget(&request(0, micros("6"), 0))),
        Ok(micros("6"))
    );
    assert_eq!(world.truth().changes().len(), 4 + 9 + 1);
}

#[test]
fn a_held_up_write_arrives_to_the_second_over_what_was_set_since() {
    let mut world = small();
    let at = world.now() + chrono::Duration::seconds(5_000);
    world.set_budget_later(&request(0, micros("8"), 77), at);
    world.advance(100);
    world.set_budget(&request(0, micros("3"), 78)).unwrap();
    world.advance(4_899);
    assert_eq!(
        (world.standing(&key(0)), world.on_their_way().count()),
        (Some(micros("3")), 1)
    );
    world.advance(1);
    assert_eq!(
        (world.standing(&key(0)), world.on_their_way().count()),
        (Some(micros("8")), 0)
    );
    let last = world.truth().changes().last().unwrap();
    assert_eq!(
        (last.at, last.by),
        (at, Author::Decision(DecisionId::new(77)))
    );
}

#[test]
fn people_edit_pause_remove_and_create() {
    let mut world = small();
    let meta = platforms(AccountZone::UTC).remove(0);
    assert!(world.human(&key(0), &Edit::Budget(micros("30"))));
    assert_eq!(world.truth().today().high[0], micros("30"));
    assert_eq!(world.truth().today().most[0], micros("52.5"));
    assert!(world.human(&key(0), &Edit::Delivery(Delivery::Paused)));
    let before = world.truth().today().spent[0];
    world.advance(7_200);
    assert_eq!(
        world.truth().today().spent[0],
        before,
        "a paused ad set spends nothing"
    );
    assert_eq!(world.budgets(&meta)[0].delivery, Delivery::Paused);
    assert!(world.human(&key(0), &Edit::Remove));
    assert!(world.budgets(&meta).is_empty());
    assert!(!world.human(&key(0), &Edit::Budget(micros("1"))));
    world.create(AdSetConfig::new(key(2), micros("4"))).unwrap();
    assert_eq!(world.budgets(&meta)[0].key, key(2));
    let again = world.create(AdSetConfig::new(key(2), micros("4")));
    assert_eq!(again, Err(WorldError::AdSet { key: key(2) }));
    assert_eq!(world.truth().changes().last().unwrap().by, Author::Human);
}

#[test]
fn a_lowered_budget_stops_spend_only_where_the_platform_counts_the_present_one() {
    let spent_after = |limit| {
        let mut config = AdSetConfig::new(key(1), micros("20"));
        (config.limit, config.pacing) = (limit, Pacing::Fast);
        config.least_delivery = Ratio::from_ppm(2_000_000);
        config.market = Market {
            traffic: Traffic::FLAT,
            ..config.market
        };
        let config = WorldConfig {
            platforms: platforms(AccountZone::UTC),
            ad_sets: vec![config],
            ..WorldConfig::empty(BEGIN, AccountZone::UTC)
        };
        let mut world = World::new(config, Seed::new(3)).unwrap();
        world.advance(3 * 3_600);
        let early = world.truth().today().spent[0];
        world.set_budget(&request(1, micros("0.01"), 1)).unwrap();
        world.advance(20 * 3_600);
        (early, world.truth().today().spent[0])
    };
    let (early, late) = spent_after(DayLimit::Current);
    assert_eq!(early, late);
    let (_, late) = spent_after(DayLimit::Highest);
    assert_eq!(late, micros("40"), "twice the highest");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let empty = WorldConfig::empty(BEGIN, AccountZone::UTC);
    let world = |config| World::new(config, Seed::new(1)).map(|_| ());
    let meta = platforms(AccountZone::UTC).remove(0);
    let twice = WorldConfig {
        platforms: vec![meta.clone(), meta.clone()],
        ..empty.clone()
    };
    assert_eq!(
        world(twice),
        Err(WorldError::Platform {
            platform: Platform::Meta
        })
    );
    let euro = meta
        .with(|config| config.currency = "EUR".parse().unwrap())
        .unwrap();
    let foreign = WorldConfig {
        platforms: vec![euro],
        ..empty.clone()
    };
    assert_eq!(
        world(foreign),
        Err(WorldError::Platform {
            platform: Platform::Meta
        })
    );
    let homeless = WorldConfig {
        ad_sets: vec![AdSetConfig::new(key(0), micros("1"))],
        ..empty.clone()
    };
    assert_eq!(world(homeless), Err(WorldError::AdSet { key: key(0) }));
    let negative = WorldConfig {
        platforms: vec![meta],
        ad_sets: vec![AdSetConfig::new(key(0), micros("-1"))],
        ..empty
    };
    assert_eq!(world(negative), Err(WorldError::AdSet { key: key(0) }));
}

/// Days have 23, 24, 24½ and 25 hours, and begin at local midnight to the second.
#[test]
fn days_follow_the_accounts_clock() {
    let mut lengths = BTreeMap::new();
    for seed in 0..200 {
        let mut world = drawn(seed);
        world.advance(20 * 24 * 3_600);
        let days = world.truth().days();
        assert!(
            days.windows(2)
                .all(|pair| pair[0].end == pair[1].begin && pair[0].date < pair[1].date)
        );
        for day in days {
            *lengths.entry((day.end - day.begin) / 1_800).or_insert(0) += 1;
        }
    }
    let found: Vec<i64> = lengths.keys().copied().collect();
    assert_eq!(found, [46, 48, 49], "in half hours: {lengths:?}");
}
