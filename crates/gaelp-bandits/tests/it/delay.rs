//! Feedback in any order, late, twice and corrected.

use gaelp_bandits::{
    Bandit, BetaBernoulli, BetaPrior, BetaThompson, Delayed, FeedbackError, LagDistribution,
    Outcome, Policy, Receipt, Report, ReportError, Stage, Ucb1, UnitReward,
};
use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{ids, outcome, unit};

fn report(
    decision: u32,
    revision: u32,
    stage: Stage,
    arm: u32,
    at: i32,
    reward: f64,
) -> Report<UnitReward> {
    Report {
        decision: DecisionId::new(decision.into()),
        revision,
        stage,
        outcome: Outcome {
            at: UtcHour::new(at),
            ..outcome(arm, unit(reward))
        },
    }
}

fn delayed(lag: &[f64]) -> Delayed<Bandit<BetaBernoulli>> {
    let bandit = Bandit::new(BetaBernoulli::default(), ids(3)).unwrap();
    Delayed::new(bandit, LagDistribution::new(lag).unwrap())
}

fn bits(policy: &Delayed<Bandit<BetaBernoulli>>) -> Vec<(u64, u64)> {
    let arms = policy.policy().arms();
    arms.map(|(_, seen)| (seen.trials.to_bits(), seen.amount.to_bits()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// However reports come, the highest revision of each decision is what was learnt, once.
    #[test]
    fn any_order_any_batches_any_repeats(
        decisions in prop::collection::vec(
            (0..3_u32, 0..20_i32, prop::collection::vec((0.0..=1.0_f64, any::<bool>()), 1..4)),
            1..12,
        ),
        shuffle in any::<u64>(),
        batch in 1..7_usize,
    ) {
        let mut all = Vec::new();
        let mut last = Vec::new();
        for (decision, (arm, at, revisions)) in (0..).zip(&decisions) {
            let mut latest = None;
            for (revision, (reward, done)) in (0..).zip(revisions) {
                let stage = if *done { Stage::Final } else { Stage::Provisional };
                let one = report(decision, revision, stage, *arm, *at, *reward);
                all.extend([one, one]);
                latest = Some(one);
            }
            last.extend(latest);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(shuffle);
        for place in (1..all.len()).rev() {
            let other = rng.next_u32() as usize % (place + 1);
            all.swap(place, other);
        }
        let lag = [0.25, 0.5, 0.75];
        let (mut mixed, mut plain) = (delayed(&lag), delayed(&lag));
        for (round, reports) in (0..).zip(all.chunks(batch)) {
            mixed.receive(reports).unwrap();
            mixed.advance(UtcHour::new(round));
        }
        mixed.advance(UtcHour::new(500));
        plain.advance(UtcHour::new(500));
        plain.receive(&last).unwrap();
        prop_assert_eq!(bits(&mixed), bits(&plain));
        prop_assert_eq!(mixed.open(), decisions.len());
        // Again: nothing changes.
        let held = bits(&mixed);
        mixed.receive(&all).unwrap();
        prop_assert_eq!(bits(&mixed), held);
    }
}

#[test]
fn receipts_and_refusals() {
    use Receipt::{Corrected, Learnt, Outdated, Repeated};
    let mut policy = delayed(&[0.5]);
    policy.advance(UtcHour::new(10));
    let first = report(1, 1, Stage::Provisional, 0, 10, 0.25);
    let batch = [
        first,
        first,
        report(1, 0, Stage::Provisional, 0, 10, 0.0),
        report(1, 2, Stage::Final, 0, 10, 1.0),
    ];
    assert_eq!(
        policy.receive(&batch).unwrap(),
        [Learnt, Repeated, Outdated, Corrected]
    );
    let held = bits(&policy);
    let decision = DecisionId::new(1);
    for (wrong, error) in [
        (
            report(1, 2, Stage::Final, 0, 10, 0.5),
            ReportError::Contradiction {
                decision,
                revision: 2,
            },
        ),
        (
            report(1, 3, Stage::Final, 1, 10, 0.5),
            ReportError::OtherChoice { decision },
        ),
        (
            report(2, 0, Stage::Final, 9, 10, 0.5),
            FeedbackError::UnknownArm { arm: ArmId::new(9) }.into(),
        ),
    ] {
        let good = report(7, 0, Stage::Final, 1, 10, 1.0);
        assert_eq!(policy.receive(&[good, wrong]), Err(error));
        assert_eq!(bits(&policy), held);
        assert_eq!(policy.open(), 1);
    }
    // A refund after the final report is a correction like any other.
    policy
        .receive(&[report(1, 3, Stage::Final, 0, 10, 0.0)])
        .unwrap();
    assert_eq!(
        policy.policy().arms().next().unwrap().1.amount.to_bits(),
        0f64.to_bits()
    );
    policy.close(UtcHour::new(11));
    assert_eq!(policy.open(), 0);
    assert_eq!(
        policy.receive(&[report(1, 4, Stage::Final, 0, 10, 1.0)]),
        Err(ReportError::Closed { decision })
    );
    assert!(LagDistribution::new(&[0.5, 0.4]).is_err());
    assert!(
        LagDistribution::new(&[1.5]).is_err() && LagDistribution::from_counts(&[0, 0]).is_err()
    );
}

#[test]
fn a_retired_arm_lets_go_of_what_is_open() {
    let mut policy = delayed(&[0.5]);
    policy.advance(UtcHour::new(0));
    policy
        .receive(&[report(1, 0, Stage::Provisional, 2, 0, 0.0)])
        .unwrap();
    policy.policy_mut().retire(ArmId::new(2)).unwrap();
    let late = policy.receive(&[report(1, 1, Stage::Final, 2, 0, 1.0)]);
    assert!(matches!(
        late,
        Err(ReportError::Feedback(FeedbackError::Retired { .. }))
    ));
    policy.advance(UtcHour::new(5));
    assert_eq!(policy.open(), 0);
}

/// Trials weighted by the lag keep the estimate true where counting them in full halves it.
#[test]
fn waiting_does_not_look_like_failing() {
    const RATE: f64 = 0.3;
    const PER_HOUR: u32 = 40;
    // Half of the conversions come within 20 hours; three days are seen.
    let lag: Vec<f64> = (1..200)
        .map(|age| 1.0 - 0.5_f64.powf(f64::from(age) / 20.0))
        .collect();
    let mut policy = delayed(&lag);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut uniform = move || (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
    let (mut converted, mut all) = (0.0, 0.0);
    policy.advance(UtcHour::new(72));
    for hour in 0..72_u32 {
        for pull in 0..PER_HOUR {
            let age = 72 - hour as usize;
            let seen = uniform() < RATE && uniform() < lag[age];
            let reward = if seen { 1.0 } else { 0.0 };
            let decision = hour * PER_HOUR + pull;
            let at = i32::try_from(hour).unwrap();
            policy
                .receive(&[report(decision, 0, Stage::Provisional, 0, at, reward)])
                .unwrap();
            converted += reward;
            all += 1.0;
        }
    }
    let seen = policy.policy().arms().next().unwrap().1;
    let weighted = seen.mean().unwrap();
    // The sum of conversions is binomial with mean RATE × trials: five standard deviations.
    let sigma = (RATE / seen.trials).sqrt();
    assert!((weighted - RATE).abs() < 5.0 * sigma, "{weighted}");
    let naive: f64 = converted / all;
    assert!(naive < RATE - 5.0 * sigma, "{naive} is not even biased");
}

/// Chapelle & Li (2011), table 1: ten items, one retired and replaced every thousand steps, and
/// feedback every δ steps.
fn chapelle_li(
    mut policy: impl FnMut(u128, &[Option<(ArmId, bool)>], Option<ArmId>) -> ArmId,
    delta: u32,
    steps: u32,
    seed: u64,
) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut beta44 = {
        let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
        // The fourth smallest of seven uniform numbers is Beta(4, 4).
        move || {
            let mut seven: [u32; 7] = std::array::from_fn(|_| rng.next_u32());
            seven.sort_unstable();
            f64::from(seven[3]) / 4_294_967_296.0
        }
    };
    let mut means: [f64; 10] = std::array::from_fn(|_| beta44());
    let (mut pending, mut regret, mut retired) = (Vec::new(), 0.0, None);
    for step in 1..=steps {
        let fed: Vec<_> = if (step - 1) % delta == 0 {
            std::mem::take(&mut pending)
        } else {
            Vec::new()
        };
        let arm = policy(step.into(), &fed, retired.take());
        let place = arm.get() as usize;
        regret += means.iter().copied().fold(0.0, f64::max) - means[place];
        let won = f64::from(rng.next_u32()) < means[place] * 4_294_967_296.0;
        pending.push(Some((arm, won)));
        if rng.next_u32() % 1000 == 0 {
            let place = rng.next_u32() % 10;
            means[place as usize] = beta44();
            let gone = ArmId::new(place);
            retired = Some(gone);
            for fed in &mut pending {
                *fed = fed.filter(|(arm, _)| *arm != gone);
            }
        }
    }
    regret
}

fn thompson(delta: u32, steps: u32, seed: u64) -> f64 {
    let mut policy = BetaThompson::new(ids(10).map(|arm| (arm, BetaPrior::default()))).unwrap();
    let all = policy.all();
    chapelle_li(
        |step, fed, retired| {
            // What was chosen before the retirement is fed back first, or was dropped with it.
            if let Some(arm) = retired {
                policy.retire(arm).unwrap();
                policy.add(arm, BetaPrior::default()).unwrap();
            }
            let won = |won: bool| {
                if won {
                    UnitReward::SUCCESS
                } else {
                    UnitReward::FAILURE
                }
            };
            let batch: Vec<_> = fed
                .iter()
                .flatten()
                .map(|&(arm, w)| gaelp_bandits::Feedback {
                    arm,
                    reward: won(w),
                })
                .collect();
            policy.update(&batch).unwrap();
            policy.draw(&all, Seed::new(seed), DecisionId::new(step))
        },
        delta,
        steps,
        seed,
    )
}

/// Two simulations elsewhere agree on 9452 ± 92, 11,095 ± 96 and 34,406 ± 230 for δ = 1, 100, 1000
/// (the paper's own 59,256 for the last is reproduced by neither). One run spreads by some 600,
/// 600 and 1450.
#[test]
fn delayed_feedback_costs_what_it_costs_elsewhere() {
    const STEPS: u32 = 1_000_000;
    for (delta, expected, spread) in [
        (1, 9452.0, 600.0),
        (100, 11_095.0, 600.0),
        (1000, 34_406.0, 1450.0),
    ] {
        let mean = f64::midpoint(thompson(delta, STEPS, 1), thompson(delta, STEPS, 2));
        println!("Chapelle-Li, delta {delta}: {mean:.0}, expected {expected}");
        let allowed = 3.0 * spread / 2f64.sqrt();
        assert!(
            (mean - expected).abs() < allowed,
            "delta {delta}: {mean} for {expected}"
        );
    }
}

/// TS below UCB, as in the paper, on a tenth of the steps.
#[test]
fn delayed_thompson_beats_delayed_ucb() {
    const STEPS: u32 = 100_000;
    for delta in [1, 1000] {
        let mut policy = Bandit::new(Ucb1::default(), ids(10)).unwrap();
        let all = policy.all();
        let regret = chapelle_li(
            |step, fed, retired| {
                if let Some(arm) = retired {
                    policy.restart(arm).unwrap();
                }
                let outcomes: Vec<_> = fed
                    .iter()
                    .flatten()
                    .map(|&(arm, won)| Outcome {
                        key: policy.key(arm).unwrap(),
                        ..outcome(0, unit(f64::from(u8::from(won))))
                    })
                    .collect();
                policy.update(&outcomes).unwrap();
                let chosen = policy
                    .select(&all, Seed::new(3), DecisionId::new(step))
                    .unwrap();
                chosen.key.arm
            },
            delta,
            STEPS,
            3,
        );
        let ours = thompson(delta, STEPS, 3);
        println!("delta {delta}: TS {ours:.0}, UCB1 {regret:.0}");
        assert!(ours < regret, "{ours} against {regret}");
    }
}
