//! Each estimator against its formula, written as it is defined and summed as it comes.

use gaelp_bandits::evaluation::{Estimator, Log, Requirements};
use proptest::prelude::*;

use super::{ALL, Sample, close, samples};

/// The estimate row by row, without sharing anything between estimators.
fn by_definition(estimator: Estimator, sample: &Sample) -> f64 {
    let n = sample.rewards.len() as f64;
    let weight_sum: f64 = sample.rows().map(|(_, w, ..)| w).sum();
    match estimator {
        Estimator::Ips => sample.rows().map(|(r, w, ..)| w * r / n).sum(),
        Estimator::ClippedIps { most } => sample
            .rows()
            .map(|(r, w, ..)| if w > most { most * r } else { w * r } / n)
            .sum(),
        Estimator::Snips => sample.rows().map(|(r, w, ..)| w / weight_sum * r).sum(),
        Estimator::Dm => sample.rows().map(|(.., d)| d / n).sum(),
        Estimator::Dr => sample
            .rows()
            .map(|(r, w, q, d)| (d + w * r - w * q) / n)
            .sum(),
        Estimator::Sndr => sample
            .rows()
            .map(|(r, w, q, d)| d / n + w / weight_sum * r - w / weight_sum * q)
            .sum(),
        Estimator::SwitchDr { threshold } => sample
            .rows()
            .map(|(r, w, q, d)| if w > threshold { d } else { d + w * (r - q) } / n)
            .sum(),
        Estimator::DrOs { lambda } => sample
            .rows()
            .map(|(r, w, q, d)| {
                // λ w ÷ (w² + λ) as 1 ÷ (w ÷ λ + 1 ÷ w).
                let shrunk = if w > 0.0 {
                    1.0 / (w / lambda + 1.0 / w)
                } else {
                    0.0
                };
                (d + shrunk * (r - q)) / n
            })
            .sum(),
        _ => unreachable!("{estimator} has no definition here"),
    }
}

/// The standard error by the infinitesimal jackknife: what a small change of one row's share of the
/// log does to the estimate, by finite differences; times n ÷ (n − 1), as sample variances have it.
fn by_jackknife(estimator: Estimator, sample: &Sample) -> f64 {
    let n = sample.rewards.len();
    let value = |row: usize, step: f64| {
        let share = |i: usize| (1.0 - step) / n as f64 + if i == row { step } else { 0.0 };
        let weighted = |term: &dyn Fn(f64, f64, f64, f64) -> f64| -> f64 {
            let rows = sample.rows().enumerate();
            rows.map(|(i, (r, w, q, d))| share(i) * term(r, w, q, d))
                .sum()
        };
        match estimator {
            Estimator::Snips => weighted(&|r, w, _, _| w * r) / weighted(&|_, w, _, _| w),
            Estimator::Sndr => {
                weighted(&|_, _, _, d| d)
                    + weighted(&|r, w, q, _| w * (r - q)) / weighted(&|_, w, _, _| w)
            }
            Estimator::Ips => weighted(&|r, w, _, _| w * r),
            Estimator::Dr => weighted(&|r, w, q, d| d + w * (r - q)),
            _ => unreachable!("{estimator} is not checked"),
        }
    };
    let step = 1e-5;
    let squares: f64 = (0..n)
        .map(|row| ((value(row, step) - value(row, -step)) / (2.0 * step)).powi(2))
        .sum();
    (squares / (n as f64 * (n as f64 - 1.0))).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn estimators_are_what_they_are_defined_as(
        sample in samples(1..200),
        most in 0.1..20.0_f64,
        lambda in 0.01..100.0_f64,
    ) {
        let log = sample.log();
        let estimators = ALL.map(|estimator| match estimator {
            Estimator::ClippedIps { .. } => Estimator::ClippedIps { most },
            Estimator::SwitchDr { .. } => Estimator::SwitchDr { threshold: most },
            Estimator::DrOs { .. } => Estimator::DrOs { lambda },
            other => other,
        });
        for estimator in estimators {
            if estimator.is_self_normalised() && log.diagnostics().mean_weight <= 0.0 {
                prop_assert!(log.evaluate(estimator, &Requirements::NONE).is_err());
                continue;
            }
            let found = log.evaluate(estimator, &Requirements::NONE).unwrap().value();
            let expected = by_definition(estimator, &sample);
            prop_assert!(close(found, expected, 1e-11), "{estimator}: {found} for {expected}");
        }
    }

    #[test]
    fn standard_errors_are_those_of_the_jackknife(sample in samples(3..40)) {
        let log = sample.log();
        prop_assume!(log.diagnostics().mean_weight > 0.05);
        for estimator in [Estimator::Ips, Estimator::Snips, Estimator::Dr, Estimator::Sndr] {
            let answer = log.evaluate(estimator, &Requirements::NONE).unwrap();
            let (found, expected) = (answer.standard_error(), by_jackknife(estimator, &sample));
            prop_assert!(close(found, expected, 1e-4), "{estimator}: {found} for {expected}");
        }
    }

    #[test]
    fn diagnostics_are_what_they_are_defined_as(sample in samples(2..300)) {
        let weights: Vec<f64> = sample.rows().map(|(_, w, ..)| w).collect();
        let found = *sample.log().diagnostics();
        let n = weights.len() as f64;
        let mean = weights.iter().sum::<f64>() / n;
        // The effective sample size as n ÷ (1 + the squared coefficient of variation).
        let variance = weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / n;
        let most = weights.iter().copied().fold(0.0, f64::max);
        prop_assert!(close(found.mean_weight, mean, 1e-12));
        prop_assert_eq!(found.largest_weight.to_bits(), most.to_bits());
        prop_assert!((found.mean_weight_error - (variance / (n - 1.0)).sqrt()).abs() < 1e-7 * (1.0 + mean));
        if mean > 0.0 {
            prop_assert!(close(found.effective_rows, n / (1.0 + variance / mean / mean), 1e-11));
            prop_assert!(close(found.largest_share, most / (n * mean), 1e-12));
        } else {
            prop_assert!(found.effective_rows == 0.0 && found.largest_share == 0.0);
        }
    }

    /// To the last bit, and whatever is summed: the order of the rows is nothing to an estimate.
    #[test]
    fn the_order_of_rows_does_not_matter(
        (sample, order) in samples(1..3000).prop_flat_map(|sample| {
            let order: Vec<usize> = (0..sample.rewards.len()).collect();
            (Just(sample), Just(order).prop_shuffle())
        }),
    ) {
        let log = sample.log();
        let shuffled: Sample = order
            .iter()
            .map(|&row| [
                sample.rewards[row],
                sample.logged[row],
                sample.target[row],
                sample.predicted[row],
                sample.direct[row],
            ])
            .collect();
        let other = shuffled.log();
        prop_assert_eq!(log.diagnostics(), other.diagnostics());
        for estimator in ALL {
            let Ok(one) = log.evaluate(estimator, &Requirements::NONE) else { continue };
            let two = other.evaluate(estimator, &Requirements::NONE).unwrap();
            prop_assert_eq!(one.value().to_bits(), two.value().to_bits(), "{}", estimator);
            prop_assert_eq!(one.standard_error().to_bits(), two.standard_error().to_bits());
        }
    }

    #[test]
    fn limits_meet_their_neighbours(sample in samples(1..200)) {
        let log = sample.log();
        prop_assume!(log.diagnostics().mean_weight > 0.0);
        let value = |estimator| log.evaluate(estimator, &Requirements::NONE).unwrap().value();
        let most = log.diagnostics().largest_weight;
        let scale = 1e-12 * (1.0 + most);
        for (limit, neighbour) in [
            (Estimator::DrOs { lambda: 0.0 }, Estimator::Dm),
            (Estimator::DrOs { lambda: 1e30 }, Estimator::Dr),
            (Estimator::SwitchDr { threshold: 0.0 }, Estimator::Dm),
            (Estimator::SwitchDr { threshold: most }, Estimator::Dr),
            (Estimator::ClippedIps { most }, Estimator::Ips),
        ] {
            let (found, expected) = (value(limit), value(neighbour));
            prop_assert!(close(found, expected, scale), "{limit}: {found} for {expected}");
        }

        // Without predictions worth the name, doubly robust is inverse propensity.
        let zeros = vec![0.0; sample.rewards.len()];
        let bare = Log::new(&sample.rewards, &sample.logged, &sample.target).unwrap();
        let bare = bare.with_model(&zeros, &zeros).unwrap();
        let of_bare = |estimator| bare.evaluate(estimator, &Requirements::NONE).unwrap().value();
        prop_assert_eq!(of_bare(Estimator::Dr).to_bits(), value(Estimator::Ips).to_bits());
        prop_assert_eq!(of_bare(Estimator::Sndr).to_bits(), value(Estimator::Snips).to_bits());

        // Where the target policy plays nothing of what was logged, it is the direct method.
        let never = Log::new(&sample.rewards, &sample.logged, &zeros).unwrap();
        let never = never.with_model(&sample.predicted, &sample.direct).unwrap();
        let of_never = never.evaluate(Estimator::Dr, &Requirements::NONE).unwrap().value();
        prop_assert_eq!(of_never.to_bits(), value(Estimator::Dm).to_bits());
    }
}
