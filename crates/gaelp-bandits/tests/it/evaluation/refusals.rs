//! What a log must not hold, what it cannot carry, and what is said then.

use gaelp_bandits::evaluation::{
    Column, ConfidenceLevel, ConfidenceSequence, Estimator, EvaluationError, IntervalError, Log,
    LogError, Requirements, RewardRange, Shortfall,
};

use super::ALL;

#[test]
fn wrong_values_are_refused_with_their_row() {
    let good = [0.5; 4];
    for bad in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.1,
        0.0,
        1.5,
        1e51,
    ] {
        for row in 0..4 {
            let mut column = good;
            column[row] = bad;
            let expected = |name| {
                Err(LogError::Value {
                    column: name,
                    row,
                    value: bad,
                    further: 0,
                }
                .to_string())
            };
            let found = |result: Result<Log<'_>, LogError>| {
                result.map(|_| ()).map_err(|error| error.to_string())
            };
            let logged = found(Log::new(&good, &column, &good));
            assert_eq!(logged, expected(Column::Logged));
            let target = found(Log::new(&good, &good, &column));
            if bad.to_bits() == 0 {
                assert_eq!(target, Ok(()), "a target may never play an arm");
            } else {
                assert_eq!(target, expected(Column::Target));
            }
            // Rewards and predictions may be any number of a reasonable size.
            let sound = bad.abs() < 2.0;
            let log = Log::new(&good, &good, &good).unwrap();
            for (name, result) in [
                (Column::Reward, Log::new(&column, &good, &good)),
                (Column::Predicted, log.clone().with_model(&column, &good)),
                (Column::Direct, log.clone().with_model(&good, &column)),
            ] {
                let result = found(result);
                assert_eq!(result, if sound { Ok(()) } else { expected(name) });
            }
        }
    }
}

#[test]
fn messages_say_where_and_how_often() {
    let mut logged = vec![0.5; 5000];
    logged[4321] = -1.0;
    logged[4999] = f64::NAN;
    let ones = vec![1.0; 5000];
    let error = Log::new(&ones, &logged, &ones).unwrap_err().to_string();
    assert_eq!(
        error,
        "row 4321: the logged propensity is -1; a probability above 0 and at most 1 is expected \
         (1 further more such values)"
            .replace("1 further more", "1 more")
    );
    assert_eq!(Log::new(&[], &[], &[]).unwrap_err(), LogError::Empty);
    assert_eq!(
        Log::new(&[1.0; 3], &[1.0; 2], &[1.0; 3])
            .unwrap_err()
            .to_string(),
        "the column of logged propensity values holds 2; 3 are expected"
    );
    let log = Log::new(&[1.0; 3], &[1.0; 3], &[1.0; 3]).unwrap();
    assert!(matches!(
        log.with_model(&[1.0; 3], &[1.0; 4]).unwrap_err(),
        LogError::Length {
            column: Column::Direct,
            found: 4,
            expected: 3
        }
    ));
    let tiny = f64::MIN_POSITIVE;
    assert!(matches!(
        Log::new(&[1.0; 2], &[1.0, tiny], &[1.0; 2]).unwrap_err(),
        LogError::Weight { row: 1, .. }
    ));
}

#[test]
fn a_log_that_cannot_carry_an_answer_gives_none() {
    // One row of a thousand holds nearly all of the weight.
    let mut logged = [0.5; 1000];
    logged[700] = 1e-6;
    let log = Log::new(&[1.0; 1000], &logged, &[0.5; 1000]).unwrap();
    for estimator in [Estimator::Ips, Estimator::Snips] {
        let EvaluationError::Refused(refusal) = log
            .evaluate(estimator, &Requirements::default())
            .unwrap_err()
        else {
            panic!("it is not the log's fault");
        };
        assert_eq!(refusal.shortfalls.len(), 3, "{refusal}");
        let message = refusal.to_string();
        assert!(
            message.contains("effective sample size 1.00 of 1000 rows"),
            "{message}"
        );
        assert!(
            message.contains("largest weight 500000.00 with 99.8 % of the sum"),
            "{message}"
        );
        assert!(message.contains("mean weight 500.999"), "{message}");
    }
    let waived = log.evaluate(Estimator::Ips, &Requirements::NONE).unwrap();
    assert!((waived.value() - 500.999).abs() < 1e-9);
}

#[test]
fn propensities_that_do_not_fit_are_seen_in_the_mean_weight() {
    // A log of 1/n propensities, as is sometimes made up, from a policy that played 0.9 and 0.1.
    let played = |row: usize| row % 10 == 9;
    let target: Vec<f64> = (0..10_000)
        .map(|row| if played(row) { 0.9 } else { 0.1 })
        .collect();
    let rewards = vec![1.0; 10_000];
    let even = vec![0.5; 10_000];
    let invented = Log::new(&rewards, &even, &target).unwrap();
    let refused = invented
        .evaluate(Estimator::Snips, &Requirements::default())
        .unwrap_err();
    let EvaluationError::Refused(refusal) = refused else {
        panic!("{refused}");
    };
    assert!(matches!(
        refusal.shortfalls[..],
        [Shortfall::MeanWeight { .. }, Shortfall::Deviation { .. }]
    ));

    let logged: Vec<f64> = (0..10_000)
        .map(|row| if played(row) { 0.1 } else { 0.9 })
        .collect();
    let log = Log::new(&rewards, &logged, &target).unwrap();
    let answer = log
        .evaluate(Estimator::Snips, &Requirements::default())
        .unwrap();
    assert!((answer.diagnostics().mean_weight - 1.0).abs() < 1e-12);
}

#[test]
fn an_answer_that_is_all_clip_or_all_model_is_refused() {
    let log = Log::new(&[1.0; 500], &[0.2; 500], &[0.2; 500]).unwrap();
    let log = log.with_model(&[0.5; 500], &[0.5; 500]).unwrap();
    for estimator in [
        Estimator::ClippedIps { most: 0.1 },
        Estimator::SwitchDr { threshold: 0.5 },
        Estimator::DrOs { lambda: 0.5 },
    ] {
        let error = log
            .evaluate(estimator, &Requirements::default())
            .unwrap_err();
        assert!(
            error.to_string().contains("of the weights are kept"),
            "{error}"
        );
    }
    assert!(
        log.evaluate(Estimator::Dm, &Requirements::default())
            .is_ok()
    );
    assert!(
        log.evaluate(Estimator::DrOs { lambda: 5.0 }, &Requirements::default())
            .is_ok()
    );
}

#[test]
fn a_threshold_that_is_no_number_refuses() {
    let log = Log::new(&[1.0; 500], &[0.2; 500], &[0.2; 500]).unwrap();
    assert!(
        log.evaluate(Estimator::Ips, &Requirements::default())
            .is_ok()
    );
    let nan = Some(f64::NAN);
    for requirements in [
        Requirements {
            least_effective_rows: nan,
            ..Requirements::NONE
        },
        Requirements {
            most_share: nan,
            ..Requirements::NONE
        },
        Requirements {
            mean_weight: Some((f64::NAN, f64::NAN)),
            ..Requirements::NONE
        },
        Requirements {
            most_deviation: nan,
            ..Requirements::NONE
        },
    ] {
        assert!(
            log.evaluate(Estimator::Ips, &requirements).is_err(),
            "{requirements:?}"
        );
    }
}

#[test]
fn questions_out_of_range_are_refused() {
    let log = Log::new(&[1.0; 500], &[0.2; 500], &[0.2; 500]).unwrap();
    for estimator in ALL {
        let answer = log.evaluate(estimator, &Requirements::default());
        let needs = matches!(answer, Err(EvaluationError::NoModel { .. }));
        assert_eq!(needs, estimator.needs_model(), "{estimator}");
    }
    let log = log.with_model(&[0.0; 500], &[0.0; 500]).unwrap();
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        for estimator in [
            Estimator::ClippedIps { most: bad },
            Estimator::SwitchDr { threshold: bad },
            Estimator::DrOs { lambda: bad },
        ] {
            let answer = log.evaluate(estimator, &Requirements::NONE);
            assert!(
                matches!(answer, Err(EvaluationError::Parameter(_))),
                "{estimator}"
            );
        }
    }
    let never = Log::new(&[1.0; 5], &[0.2; 5], &[0.0; 5]).unwrap();
    let answer = never.evaluate(Estimator::Snips, &Requirements::NONE);
    assert!(matches!(answer, Err(EvaluationError::NoWeight { .. })));
}

#[test]
fn intervals_ask_for_what_they_rest_on() {
    let level = ConfidenceLevel::default();
    let log = Log::new(&[0.5; 500], &[0.2; 500], &[0.2; 500]).unwrap();
    let log = log.with_model(&[0.5; 500], &[2.0; 500]).unwrap();
    let interval = |estimator, range, weight| {
        let answer = log.evaluate(estimator, &Requirements::default()).unwrap();
        answer.empirical_bernstein(range, weight, level)
    };
    let unit = RewardRange::UNIT;
    assert!(matches!(
        interval(Estimator::Snips, unit, Some(5.0)),
        Err(IntervalError::NotAMean { .. })
    ));
    assert!(matches!(
        interval(Estimator::Ips, unit, None),
        Err(IntervalError::WeightsUnbounded { .. })
    ));
    assert!(matches!(
        interval(Estimator::Ips, unit, Some(0.9)),
        Err(IntervalError::WeightAboveBound { .. })
    ));
    assert!(matches!(
        interval(
            Estimator::Ips,
            RewardRange::new(0.6, 1.0).unwrap(),
            Some(5.0)
        ),
        Err(IntervalError::OutOfRange {
            column: Column::Reward,
            ..
        })
    ));
    assert!(matches!(
        interval(Estimator::Dr, unit, Some(5.0)),
        Err(IntervalError::OutOfRange {
            column: Column::Direct,
            ..
        })
    ));
    assert!(interval(Estimator::ClippedIps { most: 5.0 }, unit, None).is_ok());
    assert!(interval(Estimator::Ips, unit, Some(f64::NAN)).is_err());
    for bad in [0.0, 1.0, f64::NAN, 0.49] {
        assert!(ConfidenceLevel::new(bad).is_err());
    }
    for (least, most) in [
        (0.0, 0.0),
        (1.0, 0.0),
        (f64::NAN, 1.0),
        (0.0, f64::INFINITY),
    ] {
        assert!(RewardRange::new(least, most).is_err(), "{least} {most}");
    }
}

#[test]
fn a_sequence_refuses_and_is_unchanged() {
    let level = ConfidenceLevel::default();
    let mut sequence = ConfidenceSequence::new(RewardRange::UNIT, None, level).unwrap();
    sequence.observe(1.0, 0.5).unwrap();
    let before = sequence.clone();
    for (weight, reward) in [
        (f64::NAN, 0.5),
        (-1.0, 0.5),
        (f64::INFINITY, 0.5),
        (1.0, 1.1),
        (1.0, f64::NAN),
    ] {
        assert!(sequence.observe(weight, reward).is_err());
        assert_eq!(sequence, before);
    }
    assert!(ConfidenceSequence::new(RewardRange::UNIT, Some(0.0), level).is_err());
    // Rewards of 1 with weights of 3: no value from 0 to 1 explains that.
    for _ in 0..2000 {
        sequence.observe(3.0, 1.0).unwrap();
        sequence.observe(3.0, 0.0).unwrap();
    }
    assert!(matches!(
        sequence.interval(),
        Err(IntervalError::Contradiction { .. })
    ));
}
