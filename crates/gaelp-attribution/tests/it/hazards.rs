//! Hazard models on journeys of which the truth is known.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and moments of tests are small"
)]

use gaelp_attribution::{
    ChannelId, ConversionKind, Hazard, HazardCounts, Journey, Span, Times, Timestamp, Weigh,
};
use gaelp_core::{DecisionId, DecisionKey, PolicyVersion, Seed};
use rand_chacha::rand_core::Rng;

use crate::chains::Rows;

const HOUR: i64 = 3_600_000_000;

/// Journeys drawn from a base rate, effects of three channels and a half-life of a day.
fn journeys(count: usize, seed: u64) -> (Rows, Vec<i64>, Vec<i64>) {
    const BASE: f64 = 0.000_5;
    const EFFECTS: [f64; 3] = [0.010, 0.002, 0.0];
    let key = DecisionKey {
        seed: Seed::new(seed),
        policy: PolicyVersion::default(),
        decision: DecisionId::new(1),
    };
    let mut random = key.generator();
    let mut uniform = move || ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let (mut rows, mut moments, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        let touches = 1 + (uniform() * 4.0) as usize;
        let mut at = 0.0;
        let mut path = Vec::new();
        for _ in 0..touches {
            path.push((at, (uniform() * 3.0) as u16));
            at += uniform() * 30.0;
        }
        // Watched for ten days from the first touch, a step of six minutes at a time.
        let (step, mut hour, mut converted) = (0.1, 0.0, false);
        while hour < 240.0 && !converted {
            let of_touch = |&(then, channel): &(f64, u16)| {
                let age = hour + step / 2.0 - then;
                if age > 0.0 {
                    EFFECTS[usize::from(channel)] * (-age / 24.0).exp2()
                } else {
                    0.0
                }
            };
            let rate = BASE + path.iter().map(of_touch).sum::<f64>();
            converted = uniform() < rate * step;
            hour += step;
        }
        path.retain(|&(then, _)| then < hour);
        moments.extend(path.iter().map(|&(then, _)| (then * HOUR as f64) as i64));
        ends.push((hour * HOUR as f64) as i64);
        let channels: Vec<u16> = path.iter().map(|&(_, channel)| channel).collect();
        rows.push((channels, i64::from(converted), 0, i64::from(!converted)));
    }
    (Rows::of(3, &rows), moments, ends)
}

#[test]
fn the_truth_is_found_again() {
    let (rows, moments, ends) = journeys(20_000, 3);
    let counts = HazardCounts::count(&rows.table(), Times::new(&moments, &ends)).unwrap();
    let half_lives = [6, 12, 24, 48, 96].map(Span::hours);
    let fit = counts.fit(&half_lives).unwrap();
    assert_eq!(fit.model.half_life(), Span::hours(24));
    let effects = fit.model.effects();
    // Some 7,000 conversions: standard errors are about a thirtieth of the effects.
    assert!((effects[0] / 0.010 - 1.0).abs() < 0.1, "{effects:?}");
    assert!((effects[1] / 0.002 - 1.0).abs() < 0.25, "{effects:?}");
    assert!(effects[2] < 0.000_4, "{effects:?}");
    assert!(
        (fit.model.base() / 0.000_5 - 1.0).abs() < 0.3,
        "{}",
        fit.model.base()
    );
    let channels = [0, 1, 2].map(ChannelId::new);
    let at = |hours: i64| Timestamp::from_micros(hours * HOUR);
    let moments = [at(0), at(24), at(24)];
    let journey = Journey::new(&channels, &moments, at(24), ConversionKind::default()).unwrap();
    let mut weights = Vec::new();
    fit.model.weigh(&journey, &mut weights);
    let ratio = weights[1] as f64 / weights[0] as f64;
    assert!(
        (ratio - 2.0 * effects[1] / effects[0]).abs() < 1e-9,
        "{weights:?}"
    );
}

#[test]
fn no_other_rates_are_likelier() {
    let (rows, moments, ends) = journeys(300, 4);
    let counts = HazardCounts::count(&rows.table(), Times::new(&moments, &ends)).unwrap();
    let fit = counts.fit(&[Span::hours(24)]).unwrap();
    let rates: Vec<f64> = [fit.model.base()]
        .into_iter()
        .chain(fit.model.effects().iter().copied())
        .collect();
    let best = likelihood(&rows, &moments, &ends, &rates);
    // The classes of recency are the model's only difference to this likelihood.
    assert!(
        (best - fit.log_likelihood).abs() < 0.01 * best.abs(),
        "{best} {}",
        fit.log_likelihood
    );
    for rate in 0..rates.len() {
        for factor in [0.5, 2.0] {
            let mut other = rates.clone();
            other[rate] = (other[rate] * factor).max(1e-4);
            assert!(
                likelihood(&rows, &moments, &ends, &other) < best,
                "{rate} {factor}"
            );
        }
    }
}

/// The logarithm of the likelihood with exact ages.
fn likelihood(rows: &Rows, moments: &[i64], ends: &[i64], rates: &[f64]) -> f64 {
    let (mut log, mut begin) = (0.0, 0);
    for (row, path) in rows.paths().into_iter().enumerate() {
        let hours = |moment: i64| moment as f64 / HOUR as f64;
        let (mut rate, mut sum) = (rates[0], rates[0] * hours(ends[row] - moments[begin]));
        for (touch, channel) in path.iter().enumerate() {
            let left = (-hours(ends[row] - moments[begin + touch]) / 24.0).exp2();
            let effect = rates[usize::from(*channel) + 1];
            rate += effect * left;
            sum += effect * 24.0 / std::f64::consts::LN_2 * (1.0 - left);
        }
        begin += path.len();
        log += rows.conversions[row] as f64 * rate.ln() - sum;
    }
    log
}

#[test]
fn counts_merge_exactly_and_are_restored() {
    let (a, a_moments, a_ends) = journeys(200, 5);
    let (b, b_moments, b_ends) = journeys(300, 6);
    let count = |rows: &Rows, moments: &[i64], ends: &[i64]| {
        HazardCounts::count(&rows.table(), Times::new(moments, ends)).unwrap()
    };
    let mut all = Vec::new();
    for rows in [&a, &b] {
        for (row, path) in rows.paths().into_iter().enumerate() {
            all.push((path.to_vec(), rows.conversions[row], 0, rows.nulls[row]));
        }
    }
    let all = count(
        &Rows::of(3, &all),
        &[a_moments.clone(), b_moments.clone()].concat(),
        &[a_ends.clone(), b_ends.clone()].concat(),
    );
    let (some, more) = (
        count(&a, &a_moments, &a_ends),
        count(&b, &b_moments, &b_ends),
    );
    assert_eq!(some.merge(&more).unwrap(), all);
    assert_eq!(more.merge(&some).unwrap(), all);
    let json = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<HazardCounts>(&json).unwrap(), all);
    let model = all.fit(&[Span::days(1)]).unwrap().model;
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<Hazard>(&json).unwrap(), model);
    let broken = json.replace("\"base\":", "\"base\":-");
    assert!(serde_json::from_str::<Hazard>(&broken).is_err());
    assert!(all.fit(&[]).is_err() && all.fit(&[Span::ZERO]).is_err());
}
