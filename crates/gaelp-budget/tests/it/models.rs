//! Rewards, traffic, evidence and fits, against references of their own.

use gaelp_budget::{
    Curve, CurvePrior, Family, FitError, Observation, Pilot, PilotGroup, RatioBonus, ResponseCurve,
    RewardTerms, StopAtZero, TrafficProfile, conversions_to_tell, fit_curve,
};
use gaelp_core::{
    AccountZone, DecisionId, DecisionKey, LocalHour, Metrics, Micros, PolicyVersion, Quantity,
    Ratio, Seed,
};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::auctions::{TRAFFIC, unit};
use crate::money;

/// A Poisson number, by multiplying uniform ones.
fn poisson(mean: f64, rng: &mut ChaCha8Rng) -> u32 {
    let (mut count, mut product) = (0, unit(rng));
    while product > (-mean).exp() {
        product *= unit(rng);
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Every term against floats, and the total as their exact sum.
    #[test]
    fn rewards_are_what_the_formula_says(
        spend in -1_000_000..50_000_000_i64,
        revenue in -50_000_000..200_000_000_i64,
        ratios in prop::collection::vec(0..3_000_000_i64, 5),
        target in prop::option::of(0..50_000_000_i64),
    ) {
        let ratio = |place: usize| Ratio::from_ppm(ratios[place]);
        let terms = RewardTerms {
            margin: ratio(0),
            roas_weight: ratio(1),
            roas_target: ratio(2),
            overspend_penalty: ratio(3),
            ratio_bonus: None,
        };
        let outcome = Metrics {
            spend: Micros::new(spend),
            revenue: Micros::new(revenue),
            ..Metrics::default()
        };
        let target = target.map(Micros::new);
        let reward = terms.reward(&outcome, ratio(4), target).unwrap();
        let (s, v) = (outcome.spend.to_major_f64(), outcome.revenue.to_major_f64());
        let part = |place: usize| ratio(place).to_f64();
        let over = target.map_or(0.0, |target| (s - target.to_major_f64()).max(0.0));
        let expected = [
            part(0) * v - s,
            -part(4) * s,
            part(1) * (v - part(2) * s),
            -part(3) * over,
        ];
        let found = [reward.profit, reward.price_of_spend, reward.roas, reward.overspend];
        for (found, expected) in found.into_iter().zip(expected) {
            prop_assert!((found.to_major_f64() - expected).abs() < 1.1e-6, "{found} {expected}");
        }
        prop_assert_eq!(Some(reward.total), Micros::checked_sum(found));
        prop_assert_eq!(reward.bonus, Micros::ZERO);
    }
}

#[test]
fn the_ratio_bonus_knows_what_is_undefined() {
    let bonus = RatioBonus {
        weight: money(1.0),
        target: Ratio::from_ppm(2_000_000),
        most: Ratio::from_ppm(1_500_000),
        least_spend: money(0.5),
    };
    let terms = RewardTerms {
        ratio_bonus: Some(bonus),
        ..RewardTerms::default()
    };
    let bonus = |spend: f64, revenue: f64| {
        let outcome = Metrics {
            spend: money(spend),
            revenue: money(revenue),
            ..Metrics::default()
        };
        terms.reward(&outcome, Ratio::ZERO, None).unwrap().bonus
    };
    assert_eq!(bonus(0.0, 40.0), Micros::ZERO); // a conversion without spend: no ratio
    assert_eq!(bonus(0.4, 40.0), Micros::ZERO); // too little to tell
    assert_eq!(bonus(1.0, 2.0), Micros::ZERO);
    assert_eq!(bonus(1.0, 3.0), money(0.5)); // a return of 3 ÷ 2 − 1
    assert_eq!(bonus(1.0, 900.0), money(1.5)); // no more than this
    assert_eq!(bonus(1.0, 0.0), money(-1.0));
    let huge = Metrics {
        spend: Micros::MAX,
        revenue: Micros::MAX,
        ..Metrics::default()
    };
    let terms = RewardTerms {
        roas_weight: Ratio::from_ppm(i64::MAX),
        ..terms
    };
    assert!(terms.reward(&huge, Ratio::ZERO, None).is_err());
}

/// A year of Poisson counts with the shape of a day: the shares are found, also on the days on which
/// the clock is changed.
#[test]
fn profiles_find_the_shape_of_the_day() {
    let zone: AccountZone = "America/New_York".parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut halves = [
        TrafficProfile::flat(4.0).unwrap(),
        TrafficProfile::flat(4.0).unwrap(),
    ];
    let mut whole = TrafficProfile::flat(4.0).unwrap();
    let mut date: chrono::NaiveDate = "2025-01-06".parse().unwrap();
    for day in 0..364 {
        for hour in zone.hours_of_day(date) {
            let local = zone.local(hour);
            let count = poisson(400.0 * TRAFFIC[usize::from(local.hour)], &mut rng);
            // Every tenth hour is never reported.
            if hour.get() % 10 != 0 {
                halves[day % 2].observe(local, count.into());
                whole.observe(local, count.into());
            }
        }
        date = date.succ_opt().unwrap();
    }
    let [mut one, other] = halves;
    one.merge(&other);
    assert_eq!(one, whole);
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(
        serde_json::from_str::<TrafficProfile>(&text).unwrap(),
        whole
    );
    // 47 weeks of 400 a day: a share is known to some 10 %.
    let (hours, shares) = whole.day(zone, "2026-01-14".parse().unwrap());
    assert_eq!(hours.len(), 24);
    for (share, truth) in shares.iter().zip(TRAFFIC) {
        assert!(
            (share - truth).abs() < 0.15 * truth + 0.004,
            "{share} {truth}"
        );
    }
    for (date, count) in [("2026-03-08", 23), ("2026-11-01", 25)] {
        let (hours, shares) = whole.day(zone, date.parse().unwrap());
        assert_eq!((hours.len(), shares.len()), (count, count));
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let locals: Vec<_> = hours.iter().map(|&hour| zone.local(hour).hour).collect();
        if count == 25 {
            // One o'clock is there twice, and has its share twice.
            assert_eq!(locals[1..3], [1, 1]);
            assert!((shares[1] - shares[2]).abs() < 1e-15);
        } else {
            assert!(!locals.contains(&2));
        }
    }
    let samoa: AccountZone = "Pacific/Apia".parse().unwrap();
    assert_eq!(whole.day(samoa, "2011-12-30".parse().unwrap()).0.len(), 0);
}

/// What the prior is worth, in closed form, and what is no prior.
#[test]
fn profiles_shrink_as_they_should() {
    let mut week = [1.0; 168];
    week[0] = 3.0;
    let mut profile = TrafficProfile::with_prior(&week, 2.0).unwrap();
    let at = |hour| LocalHour {
        date: "2026-01-05".parse().unwrap(),
        hour,
    };
    let monday = chrono::Weekday::Mon;
    let before = profile.relative(monday, 0) / profile.relative(monday, 1);
    assert!((before - 3.0).abs() < 1e-12);
    profile.observe(at(0), 90);
    profile.observe(at(1), 90);
    // The level is 180 ÷ (3 + 1) = 45 a slot of 1: (2 · 135 + 90) ÷ 3 and (2 · 45 + 90) ÷ 3.
    let after = profile.relative(monday, 0) / profile.relative(monday, 1);
    assert!((after - 120.0 / 60.0).abs() < 1e-12, "{after}");
    profile.restate(at(1), 90, 0);
    assert!(profile.relative(monday, 0) > profile.relative(monday, 1));
    for wrong in [
        vec![1.0; 167],
        vec![0.0; 168],
        vec![f64::NAN; 168],
        vec![-1.0; 168],
    ] {
        assert!(TrafficProfile::with_prior(&wrong, 1.0).is_err());
    }
    assert!(TrafficProfile::flat(0.0).is_err());
}

/// The rule's error rate, by simulating ad sets that just meet their target.
#[test]
fn stopping_errs_as_often_as_it_says() {
    const RUNS: u32 = 40_000;
    let target = money(10.0);
    for rule in [StopAtZero::default(), StopAtZero::for_error(0.2).unwrap()] {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut stopped = 0;
        for _ in 0..RUNS {
            let mut so_far = Metrics::default();
            // A dollar at a time, judged after each; a conversion every ten on average.
            for _ in 0..100 {
                so_far.spend = so_far.spend.checked_add(money(1.0)).unwrap();
                if poisson(0.1, &mut rng) > 0 {
                    so_far.conversions = Quantity::from_whole(1).unwrap();
                    break;
                }
                if rule.stops(&so_far, target) {
                    stopped += 1;
                    break;
                }
            }
        }
        let found = f64::from(stopped) / f64::from(RUNS);
        // Spend goes by dollars: the rule waits for the next one.
        let dollars = (10.0 * rule.multiple().to_f64()).ceil();
        let expected = (-dollars / 10.0).exp();
        let deviation = (expected * (1.0 - expected) / f64::from(RUNS)).sqrt();
        assert!(
            (found - expected).abs() < 5.0 * deviation,
            "{found} {expected}"
        );
        assert!(expected <= rule.error() + 1e-9);
    }
    let spent = Metrics {
        spend: money(30.0),
        ..Metrics::default()
    };
    assert!(StopAtZero::default().stops(&spent, money(10.0)));
    assert!(!StopAtZero::default().stops(&spent, money(10.000_001)));
    assert!(!StopAtZero::default().stops(&spent, Micros::ZERO));
    assert!(StopAtZero::for_error(f64::NAN).is_err());
}

/// The power that the numbers promise, by simulation with a z-test on the logarithms.
#[test]
fn the_numbers_tell_ad_sets_apart() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let needed = conversions_to_tell(1.6, 0.05, 0.8).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "some hundred")]
    let mean = needed as f64;
    let runs = 4_000;
    // Long means are drawn in parts, whose sum is Poisson again.
    let mut draw = |mean: f64| -> f64 {
        (0..16)
            .map(|_| f64::from(poisson(mean / 16.0, &mut rng)))
            .sum()
    };
    let found = (0..runs).filter(|_| {
        let (one, other) = (draw(mean), draw(mean / 1.6));
        (one / other).ln().abs() / (1.0 / one + 1.0 / other).sqrt() > 1.959_964
    });
    let power = f64::from(u32::try_from(found.count()).unwrap()) / f64::from(runs);
    assert!((power - 0.8).abs() < 0.035, "{power}");
    assert!(conversions_to_tell(1.0, 0.05, 0.8).is_err());
}

#[test]
fn pilots_are_planned() {
    let group = |name: &str, minimum: f64| PilotGroup {
        name: name.to_owned(),
        minimum: money(minimum),
    };
    let groups = [
        group("hats", 20.0),
        group("socks", 5.0),
        group("shoes", 4.0),
    ];
    let plan = |budget: f64| Pilot::plan(money(budget), &groups, money(12.5)).to_string();
    assert_eq!(
        plan(30.0),
        "30.00 a day can run all 3 ad groups. At 12.50 a conversion that is 2 a day: \
         after 2 days without any, stop (wrong once in 20 times)"
    );
    assert!(plan(10.0).starts_with("10.00 a day can run 2 of 3 ad groups: shoes, socks."));
    assert_eq!(
        plan(0.0),
        "0.00 a day cannot run any of 3 ad groups every day"
    );
}

/// The fit against a grid over both parameters, for what it minimises.
#[test]
fn fits_find_the_least_squares() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let truth = ResponseCurve::hill(50.0, 15.0).unwrap();
    let seen: Vec<_> = (0..200)
        .map(|_| {
            let spend = 30.0 * unit(&mut rng);
            Observation {
                spend,
                value: poisson(truth.value(spend), &mut rng).into(),
            }
        })
        .collect();
    let prior = CurvePrior::around(2.0, 10.0);
    let fitted = fit_curve(Family::Hill, &seen, prior).unwrap();
    assert!(
        (fitted.dispersion() - 1.0).abs() < 0.3,
        "{}",
        fitted.dispersion()
    );
    let found = fitted.curve().unwrap();
    // The fit's own weights: the expected values of its own curve.
    let loss = |slope: f64, scale: f64| -> f64 {
        let curve = ResponseCurve::hill(slope * scale, scale).unwrap();
        let squares = seen.iter().map(|seen| {
            let error = seen.value - curve.value(seen.spend);
            error * error / (fitted.dispersion() * found.value(seen.spend).max(1e-9))
        });
        let believed = (slope / 2.0).ln().powi(2) + ((scale / 10.0).ln() / 1.5).powi(2);
        squares.sum::<f64>() + believed
    };
    let mut best = (f64::INFINITY, 0.0, 0.0);
    for i in 0..200 {
        for j in 0..200 {
            let (slope, scale) = (1.5 + f64::from(i) * 0.02, 5.0 + f64::from(j) * 0.2);
            let loss = loss(slope, scale);
            if loss < best.0 {
                best = (loss, slope, scale);
            }
        }
    }
    let curve = ResponseCurve::hill(best.1 * best.2, best.2).unwrap();
    for spend in [5.0, 15.0, 28.0] {
        let (ours, theirs) = (found.value(spend), curve.value(spend));
        assert!((ours / theirs - 1.0).abs() < 5e-3, "{ours} {theirs}");
    }
}

/// Nine of ten 90 % bounds hold the truth, for every family, and draws have the law that is said.
#[test]
fn bounds_cover_the_truth() {
    const RUNS: u64 = 200;
    let families = [
        (Family::Hill, ResponseCurve::hill(40.0, 12.0).unwrap()),
        (Family::Log, ResponseCurve::log(25.0, 8.0).unwrap()),
    ];
    for (family, truth) in families {
        let mut inside = 0;
        for seed in 0..RUNS {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let seen: Vec<_> = (0..60)
                .map(|_| {
                    let spend = 25.0 * unit(&mut rng);
                    // Orders of three: the dispersion is 3.
                    let orders = poisson(truth.value(spend) / 3.0, &mut rng);
                    Observation {
                        spend,
                        value: 3.0 * f64::from(orders),
                    }
                })
                .collect();
            let fitted = fit_curve(family, &seen, CurvePrior::around(2.0, 10.0)).unwrap();
            let at = 14.0;
            let (low, high) = (
                fitted.lower(1.645, at).unwrap(),
                fitted.upper(1.645, at).unwrap(),
            );
            inside +=
                u32::from(low.value(at) <= truth.value(at) && truth.value(at) <= high.value(at));
        }
        let cover = f64::from(inside) / 200.0;
        // Five standard deviations of 200 tosses at 0.9 are 0.106.
        assert!((0.82..=0.97).contains(&cover), "{family:?}: {cover}");
    }
}

#[test]
fn draws_follow_the_posterior() {
    let days = [3.0, 8.0, 14.0, 20.0, 31.0].map(|spend| Observation {
        spend,
        value: 30.0 * spend / (spend + 10.0) + if spend > 10.0 { 1.5 } else { -1.0 },
    });
    let fitted = fit_curve(Family::Hill, &days, CurvePrior::around(2.0, 10.0)).unwrap();
    let key = |decision| DecisionKey {
        seed: Seed::new(1),
        policy: PolicyVersion::new(0),
        decision: DecisionId::new(decision),
    };
    assert_eq!(fitted.draw(&key(7)), fitted.draw(&key(7)));
    let at = 9.0;
    let mode = fitted.curve().unwrap().value(at).ln();
    let logs: Vec<f64> = (0..4_000)
        .map(|decision| fitted.draw(&key(decision)).unwrap().value(at).ln() - mode)
        .collect();
    let count = 4_000.0;
    let mean = logs.iter().sum::<f64>() / count;
    let spread = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / count).sqrt();
    let said = fitted.upper(1.0, at).unwrap().value(at).ln() - mode;
    assert!(
        mean.abs() < 0.1 * said + 5.0 * said / count.sqrt(),
        "{mean} of {said}"
    );
    assert!((spread / said - 1.0).abs() < 0.1, "{spread} for {said}");
}

/// Nothing, zeros, `NaN`, refunds: an answer or an error, never a panic.
#[test]
fn odd_observations() {
    let prior = CurvePrior::around(2.0, 10.0);
    let fit = |seen: &[(f64, f64)]| {
        let seen: Vec<_> = seen
            .iter()
            .map(|&(spend, value)| Observation { spend, value })
            .collect();
        fit_curve(Family::Hill, &seen, prior)
    };
    // Nothing seen: what is believed.
    let believed = fit(&[]).unwrap().curve().unwrap();
    assert!((believed.value(10.0) / 10.0 - 1.0).abs() < 1e-6); // 20 · 10 ÷ (10 + 10)
    let nothing_came = fit(&[(10.0, 0.0); 30]).unwrap().curve().unwrap();
    assert!(nothing_came.value(10.0) < 0.5 * believed.value(10.0));
    assert!(fit(&[(0.0, 0.0), (0.0, 5.0), (4.0, -3.0), (9.0, 12.0)]).is_ok());
    assert_eq!(
        fit(&[(1.0, f64::NAN)]).unwrap_err(),
        FitError::Observation { place: 0 }
    );
    assert_eq!(
        fit(&[(1.0, 1.0), (-1.0, 1.0)]).unwrap_err(),
        FitError::Observation { place: 1 }
    );
    let wrong = CurvePrior {
        slope: 0.0,
        ..prior
    };
    assert!(matches!(
        fit_curve(Family::Log, &[], wrong),
        Err(FitError::Prior(_))
    ));
}
