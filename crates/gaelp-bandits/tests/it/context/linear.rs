//! Linear models against references, and what their evidence promises.

use gaelp_bandits::{
    Amount, ArmKey, ContextualPolicy, Disjoint, Features, FeaturesError, FeedbackError, Forgetting,
    ForgettingError, Lesson, LinTs, LinUcb, LinearEvidence, LinearModel, Regressor, Ridge,
    SelectError, Shared, Uncertain,
};
use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
use proptest::prelude::*;

use super::precise::Normal;
use super::{Stream, amount, came, cases, features};
use crate::ids;

type Linear = Disjoint<Ridge, LinUcb>;

fn linear(arms: u32, dimension: usize, precision: f64) -> Linear {
    let model = Ridge::new(dimension, precision).unwrap();
    Disjoint::new(LinUcb::default(), model, ids(arms)).unwrap()
}

fn scores(policy: &Linear, x: &Features) -> Vec<f64> {
    let alpha = policy.explorer().alpha;
    let beliefs = policy.arms().map(|(_, model)| model.belief(x));
    beliefs
        .map(|belief| belief.mean + alpha * belief.deviation)
        .collect()
}

/// The log that `MABWiser`'s own tests use; its scores for λ = 1, where its inverse is right, and
/// recomputed with numpy.
#[test]
fn golden_scores() {
    let log = [
        (0, [0, 1, 2, 3, 5], 0),
        (0, [1, 1, 1, 1, 1], 0),
        (0, [0, 0, 1, 0, 0], 1),
        (1, [0, 2, 2, 3, 5], 0),
        (1, [1, 3, 1, 1, 1], 0),
        (2, [0, 0, 0, 0, 0], 0),
        (2, [0, 1, 4, 3, 5], 0),
        (2, [0, 1, 2, 4, 5], 1),
        (2, [1, 2, 1, 1, 3], 1),
        (2, [0, 2, 1, 0, 0], 1),
    ];
    let mut policy = linear(3, 5, 1.0);
    for (arm, x, reward) in log {
        let x = features(&x.map(f64::from));
        policy
            .update(&[came(arm, &x, amount(f64::from(reward)))])
            .unwrap();
    }
    let x = features(&[0.0, 1.0, 2.0, 3.0, 5.0]);
    let expected = [
        0.979_031_245_895_4,
        1.161_770_623_943_9,
        1.424_705_622_987_2,
    ];
    for (found, expected) in scores(&policy, &x).iter().zip(expected) {
        assert!((found - expected).abs() < 5e-14, "{found} for {expected}");
    }
    let chosen = policy
        .select(&x, &policy.all(), Seed::new(0), DecisionId::new(0))
        .unwrap();
    assert_eq!(chosen.key, ArmKey::first(ArmId::new(2)));
    assert!((chosen.propensity.get() - 1.0).abs() < f64::EPSILON);
}

/// What surely is not the best is passed over: the best of all is chosen all the same, by the
/// scores of all arms, whatever was learnt and however much widths count.
#[test]
fn arms_that_are_passed_over_are_not_the_best() {
    let mut stream = Stream(5);
    for (alpha, precision, signal) in [
        (1.0, 1.0, 1.0),
        (0.0, 1.0, 1.0),
        (1e-3, 1e-3, 5.0),
        (1000.0, 1.0, 1.0),
        (0.3, 100.0, 30.0),
        (2.0, 0.01, 0.1),
    ] {
        let model = Ridge::new(7, precision).unwrap();
        let mut policy = Disjoint::new(LinUcb { alpha }, model, ids(20)).unwrap();
        let all = policy.all();
        let truth: Vec<f64> = (0..20 * 7).map(|_| signal * stream.normal()).collect();
        for step in 0..400 {
            let x = stream.features(7, 0.4);
            let scores = scores(&policy, &x);
            let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let winners = scores.iter().filter(|score| **score >= best).count();
            let share = 1.0 / f64::from(u32::try_from(winners).unwrap());
            let stated = policy.propensities(&x, &all).unwrap();
            for (arm, score) in all.iter().zip(&scores) {
                let found = stated.get(arm).map_or(0.0, gaelp_core::Propensity::get);
                let expected = if *score >= best { share } else { 0.0 };
                assert!((found - expected).abs() < 1e-15, "step {step}, arm {arm}");
            }
            let place = scores.iter().position(|score| *score >= best).unwrap();
            let coefficients = truth[place * 7..].iter().zip(x.as_slice());
            let mean: f64 = coefficients.map(|(theta, x)| theta * x).sum();
            let arm = u32::try_from(place).unwrap();
            let reward = amount(mean + 0.3 * stream.normal());
            policy.update(&[came(arm, &x, reward)]).unwrap();
        }
    }
}

/// 1 ÷ √λ times the length: 0.70710678, where two peers have 7.0710678.
#[test]
fn a_cold_arm_is_as_wide_as_its_prior() {
    let policy = linear(1, 5, 10.0);
    let cold = scores(&policy, &features(&[1.0; 5]))[0];
    assert!((cold - 0.5_f64.sqrt()).abs() < 1e-15, "{cold}");
    assert_eq!(format!("{cold:.8}"), "0.70710678");
    for precision in [1e-6, 0.3, 1.0, 1e6] {
        let cold = scores(&linear(1, 1, precision), &features(&[1.0]))[0];
        assert!((cold * precision.sqrt() - 1.0).abs() < 1e-14);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Means and deviations are those of a solution in twice the digits.
    #[test]
    fn agrees_with_a_dense_solution(
        d in 1..12_usize,
        lessons in 0..60_usize,
        precision in 1e-3..100.0_f64,
        scale in 0.01..30.0_f64,
        seed in any::<u64>(),
    ) {
        let mut stream = Stream(seed);
        let mut model = Ridge::new(d, precision).unwrap();
        let mut dense = Normal::new(d, precision);
        for _ in 0..lessons {
            let x = stream.features(d, scale);
            let reward = amount(stream.normal() * 10.0);
            model.learn(&[Lesson { features: &x, reward, weight: 1.0 }]).unwrap();
            dense.add(x.as_slice(), 1.0, reward.get());
        }
        let x = stream.features(d, scale);
        let (mean, deviation) = dense.belief(x.as_slice());
        let found = model.belief(&x);
        prop_assert!((found.mean - mean).abs() < 1e-9 * (1.0 + mean.abs()), "{found:?} {mean}");
        prop_assert!((found.deviation / deviation - 1.0).abs() < 1e-9, "{found:?} {deviation}");
        prop_assert!(model.drift() < 1e-9);
    }
}

/// A hundred thousand lessons: the stated bounds hold all along, against twice the digits.
#[test]
fn rounding_stays_within_what_is_stated() {
    let lessons = cases(100_000);
    for (condition, bound) in [(1e6, 1e-9), (1e9, 1e-6)] {
        let d = 8;
        let mut stream = Stream(7);
        let mut model = Ridge::new(d, 1.0).unwrap();
        let mut dense = Normal::new(d, 1.0);
        // All lessons lie near one line, askew to the axes, so that A is as ill-conditioned as it
        // gets: its largest eigenvalue grows to `condition`, and the others stay small.
        let line: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
        let length = line.iter().map(|x| x * x).sum::<f64>().sqrt();
        let stretch = (condition / f64::from(lessons)).sqrt() / length;
        let mut worst: f64 = 0.0;
        for step in 1..=lessons {
            let along = stretch * if stream.unit() < 0.5 { -1.0 } else { 1.0 };
            let values: Vec<f64> = line
                .iter()
                .map(|x| along * x + 1e-3 * stream.normal())
                .collect();
            let x = features(&values);
            let reward = amount(stream.normal());
            let lesson = Lesson {
                features: &x,
                reward,
                weight: 1.0,
            };
            model.learn(&[lesson]).unwrap();
            dense.add(x.as_slice(), 1.0, reward.get());
            if step % (lessons / 20).max(1) == 0 {
                // A mean may be off by as much as its deviation, times how strong the lessons are.
                let (_, solution) = dense.solve();
                let terms = solution.iter().zip(&dense.right);
                let length = terms.map(|(a, b)| a * b.get()).sum::<f64>().sqrt();
                for x in [&x, &stream.features(d, 1.0)] {
                    let (mean, deviation) = dense.belief(x.as_slice());
                    let found = model.belief(x);
                    worst = worst.max((found.deviation / deviation - 1.0).abs());
                    let off = (found.mean - mean).abs();
                    worst = worst.max(off / (deviation * length.max(1.0)));
                }
                worst = worst.max(model.drift());
            }
        }
        println!("condition {condition:e}: {worst:e} off at most");
        assert!(
            worst < bound && worst > 1e-16,
            "condition {condition:e}: {worst:e}"
        );
    }
}

/// Lessons that outweigh all before by 10¹⁴: what is left are the digits that such a matrix has.
#[test]
fn lessons_that_outweigh_all_before_leave_what_digits_there_are() {
    let mut model = Ridge::new(3, 1e-6).unwrap();
    let mut dense = Normal::new(3, 1e-6);
    let lessons = [
        [9_000.0, 5_000.0, -7_000.0],
        [0.1, 0.2, 0.3],
        [9_000.0, -3.0, 1.0],
    ];
    for values in lessons {
        let x = features(&values);
        let lesson = Lesson {
            features: &x,
            reward: amount(2.0),
            weight: 1.0,
        };
        model.learn(&[lesson]).unwrap();
        dense.add(x.as_slice(), 1.0, 2.0);
        let (_, deviation) = dense.belief(x.as_slice());
        let found = model.belief(&x).deviation;
        assert!(
            (found / deviation - 1.0).abs() < 1e-2,
            "{found} for {deviation}"
        );
        assert!(model.drift() < 1e-2);
    }
}

type Batch = Vec<(u32, Vec<f64>, f64)>;

fn batches(dimension: usize) -> impl Strategy<Value = Batch> {
    let one = (
        0..3_u32,
        prop::collection::vec(-3.0..3.0_f64, dimension),
        -5.0..5.0_f64,
    );
    prop::collection::vec(one, 0..12)
}

fn learn(policy: &mut Linear, batch: &Batch) {
    for (arm, x, reward) in batch {
        let x = features(x);
        policy.update(&[came(*arm, &x, amount(*reward))]).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn evidence_merges_in_any_order_and_the_prior_counts_once(
        parts in prop::collection::vec(batches(4), 3),
    ) {
        let start = linear(3, 4, 2.5);
        let shards: Vec<LinearEvidence> = parts.iter().map(|part| {
            let mut shard = start.clone();
            learn(&mut shard, part);
            shard.evidence()
        }).collect();
        let merged = |order: [usize; 3]| {
            let mut sum = shards[order[0]].clone();
            sum.merge(&shards[order[1]]).unwrap();
            sum.merge(&shards[order[2]]).unwrap();
            sum
        };
        let whole = merged([0, 1, 2]);
        prop_assert_eq!(&whole, &merged([2, 0, 1]));
        let mut grouped = shards[1].clone();
        grouped.merge(&shards[2]).unwrap();
        let mut left = shards[0].clone();
        left.merge(&grouped).unwrap();
        prop_assert_eq!(&whole, &left);
        // All on one machine: the same evidence, and once computed anew, the same bits.
        let (mut together, mut apart) = (start.clone(), start);
        for part in &parts {
            learn(&mut together, part);
        }
        prop_assert_eq!(&together.evidence(), &whole);
        apart.merge(&whole).unwrap();
        together.refresh();
        for ((_, one), (_, other)) in together.arms().zip(apart.arms()) {
            prop_assert_eq!(one, other);
        }
        // The prior counts once: as one dense solution of all lessons says.
        let x = features(&[0.5, -1.0, 2.0, 0.25]);
        for (key, model) in apart.arms() {
            let mut dense = Normal::new(4, 2.5);
            for (arm, x, reward) in parts.iter().flatten() {
                if ArmId::new(*arm) == key.arm {
                    dense.add(features(x).as_slice(), 1.0, amount(*reward).get());
                }
            }
            let (mean, deviation) = dense.belief(x.as_slice());
            let found = model.belief(&x);
            prop_assert!((found.mean - mean).abs() < 1e-11);
            prop_assert!((found.deviation - deviation).abs() < 1e-11);
        }
        // Stored and restored, it is the same.
        let stored = serde_json::to_string(&whole).unwrap();
        prop_assert_eq!(serde_json::from_str::<LinearEvidence>(&stored).unwrap(), whole);
    }

    #[test]
    fn undoing_leaves_no_trace(batch in batches(3), more in batches(3)) {
        let mut policy = linear(3, 3, 0.5);
        learn(&mut policy, &batch);
        let before = policy.clone();
        let held: Vec<_> = more.iter().map(|(arm, x, r)| (*arm, features(x), *r)).collect();
        let outcomes: Vec<_> = held.iter().map(|(arm, x, r)| came(*arm, x, amount(*r))).collect();
        policy.update(&outcomes).unwrap();
        policy.undo(&outcomes).unwrap();
        // The evidence is the same to the last bit, and what is believed to rounding.
        prop_assert_eq!(policy.evidence(), before.evidence());
        let x = features(&[1.0, -0.5, 2.0]);
        for (found, held) in scores(&policy, &x).iter().zip(scores(&before, &x)) {
            prop_assert!((found - held).abs() < 1e-12 * (1.0 + held.abs()));
        }
        let mut fresh = before;
        fresh.refresh();
        policy.refresh();
        for ((_, one), (_, other)) in policy.arms().zip(fresh.arms()) {
            prop_assert_eq!(one, other);
        }
        // More than was learnt cannot be taken back.
        let held = policy.clone();
        let many: Vec<_> = std::iter::repeat_n(came(0, &x, amount(1.0)), 13).collect();
        let arm = ArmId::new(0);
        prop_assert_eq!(policy.undo(&many), Err(FeedbackError::NotRecorded { arm }));
        prop_assert_eq!(policy, held);
    }
}

/// What was never learnt is noticed where it would leave squares below zero.
#[test]
fn what_was_never_learnt_cannot_be_undone() {
    let mut policy = linear(2, 2, 1.0);
    let (one, other) = (features(&[1.0, 0.0]), features(&[0.0, 2.0]));
    policy.update(&[came(0, &one, amount(1.0))]).unwrap();
    let held = policy.clone();
    let arm = ArmId::new(0);
    assert_eq!(
        policy.undo(&[came(0, &other, amount(1.0))]),
        Err(FeedbackError::NotRecorded { arm })
    );
    assert_eq!(policy, held);
}

/// A(t) = λI + Σ γ^age x xᵀ, and back at the prior when all is forgotten.
#[test]
fn what_is_forgotten_returns_to_the_prior() {
    let hourly = 0.9;
    let mut policy = linear(1, 3, 2.0)
        .with_forgetting(Forgetting::Discount { hourly })
        .unwrap();
    policy.advance(UtcHour::new(100));
    let mut stream = Stream(3);
    let mut lessons = Vec::new();
    for hour in 100..140 {
        policy.advance(UtcHour::new(hour));
        let (x, reward) = (stream.features(3, 1.0), stream.normal());
        let mut one = came(0, &x, amount(reward));
        // Every third one comes five hours late.
        let at = if hour % 3 == 0 { hour - 5 } else { hour };
        one.outcome.at = UtcHour::new(at);
        policy.update(&[one]).unwrap();
        lessons.push((at, x, amount(reward).get()));
    }
    let mut dense = Normal::new(3, 2.0);
    for (at, x, reward) in &lessons {
        dense.add(x.as_slice(), hourly.powi(139 - at), *reward);
    }
    let x = features(&[1.0, 1.0, -1.0]);
    let (mean, deviation) = dense.belief(x.as_slice());
    let found = policy.arms().next().unwrap().1.belief(&x);
    assert!((found.mean - mean).abs() < 1e-12, "{found:?} {mean}");
    assert!((found.deviation - deviation).abs() < 1e-12, "{found:?}");

    // The last one is undone hours later: at the weight that it has by then.
    policy.advance(UtcHour::new(145));
    let (at, last, reward) = lessons.pop().unwrap();
    let mut one = came(0, &last, amount(reward));
    one.outcome.at = UtcHour::new(at);
    policy.undo(&[one]).unwrap();
    let mut dense = Normal::new(3, 2.0);
    for (at, x, reward) in &lessons {
        dense.add(x.as_slice(), hourly.powi(145 - at), *reward);
    }
    let (mean, deviation) = dense.belief(x.as_slice());
    let found = policy.arms().next().unwrap().1.belief(&x);
    assert!((found.mean - mean).abs() < 1e-12 && (found.deviation - deviation).abs() < 1e-12);

    policy.advance(UtcHour::new(2_000));
    let found = policy.arms().next().unwrap().1.belief(&x);
    assert!(found.mean.abs() < 1e-15);
    assert!((found.deviation - 1.5_f64.sqrt()).abs() < 1e-15);
    // What is too old to count is refused, and a clock does not go back.
    assert!(matches!(
        policy.update(&[came(0, &x, amount(1.0))]),
        Err(FeedbackError::Forgotten { .. })
    ));
    let version = policy.version();
    assert_eq!(policy.advance(UtcHour::new(1_000)), version);

    let window = linear(1, 1, 1.0).with_forgetting(Forgetting::Window { hours: 5 });
    assert_eq!(window, Err(ForgettingError::Sums));
}

#[test]
fn evidence_of_other_clocks_and_models_is_refused() {
    let fading = |hour| {
        let mut policy = linear(2, 2, 1.0)
            .with_forgetting(Forgetting::Discount { hourly: 0.9 })
            .unwrap();
        policy.advance(UtcHour::new(hour));
        let x = features(&[1.0, 2.0]);
        let mut one = came(1, &x, amount(1.0));
        one.outcome.at = UtcHour::new(hour);
        policy.update(&[one]).unwrap();
        policy
    };
    let (mut early, late) = (fading(10), fading(20));
    let held = early.clone();
    assert_eq!(
        early.merge(&late.evidence()),
        Err(FeedbackError::OtherClock)
    );
    assert_eq!(early, held);
    early.advance(UtcHour::new(20));
    early.merge(&late.evidence()).unwrap();

    let x = features(&[1.0, 2.0, 3.0]);
    let mut other = linear(2, 3, 1.0);
    other.update(&[came(1, &x, amount(1.0))]).unwrap();
    let mut policy = linear(2, 2, 1.0);
    let key = ArmKey::first(ArmId::new(1));
    let (found, expected) = (3, 2);
    assert_eq!(
        policy.merge(&other.evidence()),
        Err(FeedbackError::Dimension {
            key,
            found,
            expected
        })
    );
    policy.retire(ArmId::new(1)).unwrap();
    let mut stranger = linear(2, 2, 1.0);
    let x = features(&[1.0, 2.0]);
    stranger.update(&[came(1, &x, amount(1.0))]).unwrap();
    assert_eq!(
        policy.merge(&stranger.evidence()),
        Err(FeedbackError::Retired { key })
    );
}

#[test]
fn what_is_no_context_is_refused_and_changes_nothing() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 16_385.0, -1e300] {
        let error = Features::new(&[0.0, value]).unwrap_err();
        assert!(matches!(error, FeaturesError::Value { place: 1, .. }));
    }
    assert_eq!(Features::new(&[]), Err(FeaturesError::Count { count: 0 }));
    assert!(Features::new(&vec![0.0; 1025]).is_err());
    assert!(serde_json::from_str::<Features>("[1.0,null]").is_err());
    assert!(serde_json::from_str::<Features>("[1.0,1e9]").is_err());
    for value in [f64::NAN, f64::INFINITY, 1.1e9] {
        assert!(Amount::new(value).is_err());
    }

    let mut policy = linear(3, 2, 1.0);
    let (x, wrong) = (features(&[1.0, 2.0]), features(&[1.0]));
    policy.update(&[came(0, &x, amount(0.5))]).unwrap();
    let held = policy.clone();
    let key = ArmKey::first(ArmId::new(1));
    let (found, expected) = (1, 2);
    assert_eq!(
        policy.select(&wrong, &policy.all(), Seed::new(0), DecisionId::new(0)),
        Err(SelectError::Dimension { found, expected })
    );
    let good = came(0, &x, amount(1.0));
    let mut part = came(1, &x, amount(1.0));
    part.outcome.trial = gaelp_bandits::Share::new(0.5).unwrap();
    for (bad, error) in [
        (
            came(1, &wrong, amount(1.0)),
            FeedbackError::Dimension {
                key,
                found,
                expected,
            },
        ),
        (part, FeedbackError::PartOfTrial { key }),
        (
            came(7, &x, amount(1.0)),
            FeedbackError::UnknownArm { arm: ArmId::new(7) },
        ),
    ] {
        assert_eq!(policy.update(&[good, bad]), Err(error));
        assert_eq!(policy.update(&[bad]), Err(error));
        assert_eq!(policy, held);
    }
    // A life is a life.
    policy.restart(ArmId::new(1)).unwrap();
    assert_eq!(
        policy.update(&[came(1, &x, amount(1.0))]),
        Err(FeedbackError::Retired { key })
    );
    policy.retire(ArmId::new(1)).unwrap();
    let again = policy.add(ArmId::new(1)).unwrap();
    assert_eq!(again.generation.get(), 2);
    assert!(Ridge::new(0, 1.0).is_err() && Ridge::new(1025, 1.0).is_err());
    assert!(Ridge::new(2, 0.0).is_err() && Ridge::new(2, f64::NAN).is_err());
    let bad = LinUcb { alpha: f64::NAN };
    assert!(Disjoint::new(bad, Ridge::new(2, 1.0).unwrap(), ids(2)).is_err());
    let bad = LinTs {
        scale: 0.0,
        draws: 1,
    };
    assert!(Shared::new(bad, Ridge::new(2, 1.0).unwrap(), ids(2)).is_err());
    assert!(Disjoint::new(LinUcb::default(), Ridge::new(2, 1.0).unwrap(), []).is_err());
}

/// Undo and merge on a shared model: the same laws.
#[test]
fn a_shared_model_merges_and_undoes() {
    let start = || Shared::new(LinUcb::default(), Ridge::new(3, 1.0).unwrap(), ids(4)).unwrap();
    let mut stream = Stream(11);
    let held: Vec<_> = (0..40)
        .map(|step| (step % 4, stream.features(3, 1.0), stream.normal()))
        .collect();
    let outcomes: Vec<_> = held
        .iter()
        .map(|(arm, x, reward)| came(*arm, x, amount(*reward)))
        .collect();
    let (mut left, mut right, mut both) = (start(), start(), start());
    left.update(&outcomes[..17]).unwrap();
    right.update(&outcomes[17..]).unwrap();
    both.update(&outcomes).unwrap();
    let mut merged = left.clone();
    merged.merge(right.evidence()).unwrap();
    both.refresh();
    assert_eq!(merged.evidence(), both.evidence());
    assert_eq!(merged.model(), both.model());
    merged.undo(&outcomes[17..]).unwrap();
    assert_eq!(merged.evidence(), left.evidence());
    left.refresh();
    assert_eq!(merged.model(), left.model());
    assert!(merged.model().sums().lessons() == 17);
}
