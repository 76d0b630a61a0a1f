//! Cross-fitting and the two plain reward models.

use gaelp_bandits::evaluation::{
    ActionRows, ArmMeans, CrossFitError, Estimator, Folds, ModelError, Observations, Requirements,
    RewardModel, Ridge, Training, cross_fit,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{close, uniform};

/// numpy 1.23.5: `lstsq` of each arm's rows, with √0.7 × the unit matrix below them; row, q̂ of the
/// chosen arm, d.
const RIDGE: [(usize, f64, f64); 6] = [
    (0, 1.040_471_692_691_213_9, 0.876_560_642_189_221_9),
    (1, 1.520_354_766_489_194, 2.143_415_023_771_995),
    (5, 1.353_737_160_027_690_4, 1.377_549_565_061_966_2),
    (10, 1.733_851_857_437_615, 1.466_308_082_502_12),
    (17, 0.176_370_997_274_531_32, 0.522_194_940_273_654_5),
    (23, 2.710_212_122_010_734_7, 2.500_223_671_399_053_3),
];

#[test]
fn ridge_agrees_with_numpy() {
    let rows = 24_u32;
    let features: Vec<f64> = (0..rows)
        .flat_map(|i| {
            [
                f64::from((7 * i + 3) % 11) / 4.0 - 1.0,
                f64::from((5 * i + 2) % 13) / 6.0 - 1.0,
            ]
        })
        .collect();
    let chosen: Vec<u32> = (0..rows)
        .map(|i| if i % 5 == 0 { 2 } else { i % 2 })
        .collect();
    let rewards: Vec<f64> = (0..rows)
        .map(|i| {
            let arm = f64::from(chosen[i as usize]);
            f64::from((11 * i + 4) % 17) / 8.0 + 0.5 * features[2 * i as usize] * arm
        })
        .collect();
    let target = [0.2, 0.3, 0.5].repeat(24);
    let observations = Observations {
        arms: 3,
        chosen: &chosen,
        rewards: &rewards,
        width: 2,
        features: &features,
    };
    let mut model: Box<dyn RewardModel> = Box::new(Ridge::new(0.7).unwrap());
    let found = cross_fit(&mut model, &observations, &target, Folds::Interleaved(3)).unwrap();
    for (row, chosen, direct) in RIDGE {
        assert!(
            close(found.chosen[row], chosen, 1e-13),
            "{row}: {}",
            found.chosen[row]
        );
        assert!(
            close(found.direct[row], direct, 1e-13),
            "{row}: {}",
            found.direct[row]
        );
    }
}

/// Each row's prediction from the means of the other folds' rows, counted anew for every row.
#[test]
fn no_row_sees_its_own_fold() {
    const ROWS: usize = 50;
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let chosen: Vec<u32> = (0..ROWS)
        .map(|_| u32::from(uniform(&mut rng) < 0.3))
        .collect();
    let rewards: Vec<f64> = (0..ROWS).map(|_| uniform(&mut rng)).collect();
    let target = [0.4, 0.6].repeat(ROWS);
    let observations = Observations {
        arms: 2,
        chosen: &chosen,
        rewards: &rewards,
        width: 0,
        features: &[],
    };
    let given: Vec<u32> = (0..ROWS)
        .map(|row| if row < 10 { 2 } else { row as u32 % 2 })
        .collect();
    let runs: Vec<u32> = (0..ROWS)
        .map(|row| {
            if row < 13 {
                0
            } else if row < 25 {
                1
            } else if row < 38 {
                2
            } else {
                3
            }
        })
        .collect();
    let interleaved: Vec<u32> = (0..ROWS).map(|row| row as u32 % 5).collect();
    for (folds, of) in [
        (Folds::Given(&given), &given),
        (Folds::Runs(4), &runs),
        (Folds::Interleaved(5), &interleaved),
    ] {
        let mut model = ArmMeans::new(2.0).unwrap();
        let found = cross_fit(&mut model, &observations, &target, folds).unwrap();
        for row in 0..ROWS {
            let others = || (0..ROWS).filter(|other| of[*other] != of[row]);
            let overall = others().map(|i| rewards[i]).sum::<f64>() / others().count() as f64;
            let mean = |arm: u32| {
                let its: Vec<f64> = others()
                    .filter(|i| chosen[*i] == arm)
                    .map(|i| rewards[i])
                    .collect();
                (its.iter().sum::<f64>() + 2.0 * overall) / (its.len() as f64 + 2.0)
            };
            assert!(
                close(found.chosen[row], mean(chosen[row]), 1e-13),
                "{folds:?} {row}"
            );
            assert!(close(
                found.direct[row],
                0.4 * mean(0) + 0.6 * mean(1),
                1e-13
            ));
        }
    }
}

/// A model that learns every row by heart makes DR repeat the log's own noise unless it is
/// cross-fitted: here the truth is known, and only cross-fitted predictions are uncorrelated with the
/// residuals that they left out.
#[test]
fn cross_fitting_takes_the_log_s_own_noise_out() {
    const ROWS: usize = 400;
    const LOGS: u64 = 300;
    let (mut crossed, mut square) = (0.0, 0.0);
    for seed in 0..LOGS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let chosen: Vec<u32> = (0..ROWS)
            .map(|_| u32::from(uniform(&mut rng) < 0.5))
            .collect();
        // Twenty features of pure noise, so that a fit has much to learn by heart.
        let features: Vec<f64> = (0..ROWS * 20).map(|_| uniform(&mut rng) - 0.5).collect();
        let rewards: Vec<f64> = chosen
            .iter()
            .map(|arm| f64::from(*arm) * 0.2 + uniform(&mut rng))
            .collect();
        let target = [0.2, 0.8].repeat(ROWS);
        let observations = Observations {
            arms: 2,
            chosen: &chosen,
            rewards: &rewards,
            width: 20,
            features: &features,
        };
        let mut model = Ridge::new(1e-3).unwrap();
        let predictions =
            cross_fit(&mut model, &observations, &target, Folds::Interleaved(4)).unwrap();
        let rows = ActionRows {
            arms: 2,
            chosen: &chosen,
            target: &target,
        };
        let mut folded = rows.fold(None).unwrap();
        folded.predictions = Some(predictions);
        let log = folded.log(&rewards, &[0.5; ROWS]).unwrap();
        let answer = log
            .evaluate(Estimator::Dr, &Requirements::default())
            .unwrap();
        let off = (answer.value() - (0.8 * 0.2 + 0.5)) / answer.standard_error();
        crossed += off / LOGS as f64;
        square += off * off / LOGS as f64;
    }
    // Unbiased, and its standard error is what it says: 5 standard errors of 300 logs.
    assert!(crossed.abs() < 5.0 / (LOGS as f64).sqrt(), "{crossed}");
    assert!(
        (square - 1.0).abs() < 5.0 * (2.0 / LOGS as f64).sqrt(),
        "{square}"
    );
}

/// A caller's own model, and its error.
#[derive(Debug)]
struct Sulking;

impl RewardModel for Sulking {
    fn fit(&mut self, training: &Training<'_>) -> Result<(), ModelError> {
        if training.rows().any(|(_, reward, _)| reward > 1.0) {
            return Err(ModelError::Other("too good to be true".into()));
        }
        Ok(())
    }

    fn predict(&self, _: &[f64], predictions: &mut [f64]) {
        predictions.fill(0.25);
    }
}

#[test]
fn a_caller_s_model_and_its_errors_come_through() {
    let rewards = [0.0, 0.0, 0.0, 2.0];
    let observations = Observations {
        arms: 1,
        chosen: &[0; 4],
        rewards: &rewards,
        width: 0,
        features: &[],
    };
    let error = cross_fit(&mut Sulking, &observations, &[1.0; 4], Folds::Runs(2)).unwrap_err();
    assert!(matches!(error, CrossFitError::Model { fold: 0, .. }));
    assert_eq!(error.to_string(), "without fold 0: too good to be true");
    let calm = Observations {
        rewards: &rewards[..3],
        chosen: &[0; 3],
        ..observations
    };
    let found = cross_fit(&mut Sulking, &calm, &[1.0; 3], Folds::Runs(3)).unwrap();
    assert_eq!(found.direct, [0.25; 3]);

    assert!(Ridge::new(0.0).is_err() && Ridge::new(f64::NAN).is_err());
    assert!(ArmMeans::new(-1.0).is_err());
}

/// Long rows, many arms and the seams between blocks: folding is a look-up and a sum.
#[test]
fn folding_is_a_look_up_and_a_sum() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for (arms, rows) in [(1, 3000), (2, 1025), (10, 333), (1023, 5), (1500, 3)] {
        let chosen: Vec<u32> = (0..rows)
            .map(|_| (uniform(&mut rng) * f64::from(arms)) as u32)
            .collect();
        let mut target = Vec::new();
        for _ in 0..rows {
            let row: Vec<f64> = (0..arms).map(|_| uniform(&mut rng) + 1e-3).collect();
            let sum: f64 = row.iter().sum();
            target.extend(row.iter().map(|p| p / sum));
        }
        let predictions: Vec<f64> = target.iter().map(|_| uniform(&mut rng) - 0.5).collect();
        let arms = arms as usize;
        let folded = ActionRows {
            arms,
            chosen: &chosen,
            target: &target,
        }
        .fold(Some(&predictions))
        .unwrap();
        let columns = folded.predictions.unwrap();
        for (row, arm) in chosen.iter().enumerate() {
            let place = row * arms + *arm as usize;
            assert_eq!(folded.target[row].to_bits(), target[place].to_bits());
            assert_eq!(columns.chosen[row].to_bits(), predictions[place].to_bits());
            let direct: f64 = (row * arms..(row + 1) * arms)
                .rev()
                .map(|place| target[place] * predictions[place])
                .sum();
            assert!((columns.direct[row] - direct).abs() < 1e-14);
        }
        assert_eq!(folded.target.len(), rows);
    }
}
