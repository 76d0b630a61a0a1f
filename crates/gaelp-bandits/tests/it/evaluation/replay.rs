//! Replay against the policy running by itself, over every log that a small world can make.

use std::collections::BTreeMap;

use gaelp_bandits::evaluation::{Replay, ReplayError};
use gaelp_core::{ArmId, Choice, PolicyVersion, Propensity, PropensityMethod};

const EARNS: [f64; 2] = [0.3, 0.8];

/// Stays where it won and leaves where it lost; begins with arm 0.
fn next(history: &[(u32, bool)]) -> u32 {
    match history.last() {
        None => 0,
        Some(&(arm, true)) => arm,
        Some(&(arm, false)) => 1 - arm,
    }
}

fn chance(arm: u32, won: bool) -> f64 {
    let earns = EARNS[arm as usize];
    if won { earns } else { 1.0 - earns }
}

fn even(arm: u32) -> Choice {
    Choice {
        arm: ArmId::new(arm),
        propensity: Propensity::new(0.5).unwrap(),
        method: PropensityMethod::Exact,
        policy: PolicyVersion::default(),
    }
}

/// Theorem 1 of Li et al. (2011): what remains of an even log has the law of the policy's own runs.
#[test]
fn what_remains_is_as_if_the_policy_had_run() {
    const ROWS: u32 = 8;
    let mut laws: BTreeMap<Vec<(u32, bool)>, f64> = BTreeMap::new();
    let mut total = 0.0;
    for log in 0..1_u32 << (2 * ROWS) {
        let mut replay = Replay::default();
        let (mut history, mut likely, mut earned) = (Vec::new(), 1.0, 0.0);
        for row in 0..ROWS {
            let (arm, won) = (log >> (2 * row) & 1, log >> (2 * row + 1) & 1 == 1);
            likely *= 0.5 * chance(arm, won);
            let reward = f64::from(u8::from(won));
            if replay
                .offer(&even(arm), 2, ArmId::new(next(&history)), reward)
                .unwrap()
            {
                history.push((arm, won));
                earned += reward;
            }
        }
        if let Ok(replayed) = replay.finish(2) {
            assert_eq!((replayed.accepted, replayed.offered), (history.len(), 8));
            assert!((replayed.value - earned / history.len() as f64).abs() < 1e-15);
            history.truncate(2);
            *laws.entry(history).or_default() += likely;
            total += likely;
        }
    }
    assert_eq!(laws.len(), 4);
    for (history, law) in laws {
        let alone: f64 = (0..2)
            .map(|step| {
                let (arm, won) = history[step];
                assert_eq!(arm, next(&history[..step]));
                chance(arm, won)
            })
            .product();
        assert!(
            (law / total - alone).abs() < 1e-12,
            "{history:?}: {} for {alone}",
            law / total
        );
    }
}

#[test]
fn errors_are_those_of_a_mean() {
    let mut replay = Replay::default();
    for reward in [1.0, 2.0, 4.0] {
        assert!(replay.offer(&even(1), 2, ArmId::new(1), reward).unwrap());
        assert!(!replay.offer(&even(1), 2, ArmId::new(0), 100.0).unwrap());
    }
    let replayed = replay.finish(3).unwrap();
    assert!((replayed.value - 7.0 / 3.0).abs() < 1e-15);
    // The sample variance of 1, 2, 4 is 7/3.
    assert!((replayed.standard_error - (7.0_f64 / 9.0).sqrt()).abs() < 1e-15);
    assert_eq!(
        replay.finish(4).unwrap_err().to_string(),
        "the log cannot carry a replay: 3 of 6 rows agree with the policy, at least 4 are required"
    );
    assert!(Replay::default().finish(0).is_err());
}

#[test]
fn uneven_logs_and_wrong_rewards_are_refused() {
    let mut replay = Replay::default();
    let uneven = replay.offer(&even(1), 3, ArmId::new(1), 1.0).unwrap_err();
    assert!(matches!(
        uneven,
        ReplayError::Uneven {
            row: 0,
            eligible: 3,
            ..
        }
    ));
    for bad in [f64::NAN, f64::INFINITY, 1e51] {
        let wrong = replay.offer(&even(1), 2, ArmId::new(1), bad);
        assert!(matches!(wrong, Err(ReplayError::Reward(_))));
    }
    assert_eq!(replay, Replay::default());
}
