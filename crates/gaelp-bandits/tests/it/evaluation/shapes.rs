//! Rows and columns that do not fit together.

use gaelp_bandits::evaluation::{
    ActionRows, ArmMeans, Column, Columns, CrossFitError, Folds, LogError, Observations, cross_fit,
};
use gaelp_core::{ArmId, Choice, PolicyVersion, Propensity, PropensityMethod};

#[test]
fn rows_of_probabilities_are_checked() {
    let fold = |chosen: &[u32], target: &[f64], predictions: Option<&[f64]>| {
        ActionRows {
            arms: 2,
            chosen,
            target,
        }
        .fold(predictions)
    };
    assert!(fold(&[0, 1], &[0.5; 4], Some(&[1.0; 4])).is_ok());
    assert!(matches!(
        fold(&[0, 2], &[0.5; 4], None),
        Err(LogError::Arm {
            row: 1,
            arm: 2,
            arms: 2
        })
    ));
    assert!(matches!(
        fold(&[0, 1], &[0.5, 0.5, 0.5, 0.6], None),
        Err(LogError::Sum { row: 1, .. })
    ));
    assert!(matches!(
        fold(&[0, 1], &[0.5, 0.5, 1.5, -0.5], None),
        Err(LogError::Value {
            column: Column::TargetRows,
            row: 1,
            further: 1,
            ..
        })
    ));
    assert!(matches!(
        fold(&[0, 1], &[0.5, 0.5, f64::NAN, 0.5], None),
        Err(LogError::Value {
            column: Column::TargetRows,
            row: 1,
            ..
        })
    ));
    assert!(matches!(
        fold(&[0, 1], &[0.5; 4], Some(&[1.0, 1.0, 1.0, f64::INFINITY])),
        Err(LogError::Value {
            column: Column::PredictionRows,
            row: 1,
            ..
        })
    ));
    assert!(matches!(
        fold(&[0, 1], &[0.5; 6], None),
        Err(LogError::Length {
            column: Column::TargetRows,
            found: 6,
            expected: 4
        })
    ));
    assert!(matches!(
        ActionRows {
            arms: 0,
            chosen: &[],
            target: &[]
        }
        .fold(None),
        Err(LogError::Parameter(_))
    ));
}

#[test]
fn cross_fitting_refuses_what_it_cannot_divide() {
    let mut model = ArmMeans::new(1.0).unwrap();
    let mut fit = |chosen: &[u32], rewards: &[f64], folds: Folds<'_>| {
        let observations = Observations {
            arms: 2,
            chosen,
            rewards,
            width: 0,
            features: &[],
        };
        cross_fit(&mut model, &observations, &[0.5; 8], folds)
    };
    let four = [0, 1, 0, 1];
    assert!(fit(&four, &[1.0; 4], Folds::Runs(2)).is_ok());
    assert!(fit(&four, &[1.0; 4], Folds::Given(&[0, 0, 1, 2])).is_ok());
    for folds in [
        Folds::Runs(0),
        Folds::Interleaved(1),
        Folds::Runs(5),
        Folds::Given(&[0, 0, 0, 0]),
        Folds::Given(&[0, 1]),
    ] {
        assert!(fit(&four, &[1.0; 4], folds).is_err(), "{folds:?}");
    }
    // All rows are of one fold: without it nothing is left.
    let one = fit(&four, &[1.0; 4], Folds::Given(&[1, 1, 1, 1]));
    assert!(matches!(one, Err(CrossFitError::Log(LogError::Empty))));
    let arm = fit(&[0, 1, 0, 7], &[1.0; 4], Folds::Runs(2));
    assert!(matches!(
        arm,
        Err(CrossFitError::Log(LogError::Arm { row: 3, arm: 7, .. }))
    ));
    let reward = fit(&four, &[1.0, f64::NAN, 1.0, 1.0], Folds::Runs(2));
    assert!(matches!(
        reward,
        Err(CrossFitError::Log(LogError::Value { row: 1, .. }))
    ));
}

#[test]
fn simulated_propensities_are_counted() {
    let mut columns = Columns::default();
    let choice = |method| Choice {
        arm: ArmId::new(1),
        propensity: Propensity::new(0.25).unwrap(),
        method,
        policy: PolicyVersion::default(),
    };
    columns.push(
        &choice(PropensityMethod::Exact),
        Some(Propensity::new(0.5).unwrap()),
        2.0,
    );
    columns.push(
        &choice(PropensityMethod::MonteCarlo { draws: 100 }),
        None,
        3.0,
    );
    assert_eq!(columns.simulated(), 1);
    let log = columns.log().unwrap();
    assert_eq!(log.weights().collect::<Vec<_>>(), [2.0, 0.0]);
    assert_eq!(log.rewards(), [2.0, 3.0]);
}
