//! How long Thompson sampling takes to choose, and to know with what probability it chose.
//!
//! Arms have some 500 pulls each and success rates from 2 % to 10 %; everything is fixed.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gaelp_bandits::{BetaPrior, BetaThompson, CredibleLevel, Feedback, UnitReward};
use gaelp_core::{ArmId, DecisionId, Seed};

const SIZES: [u32; 4] = [4, 10, 100, 1000];
const PULLS: u32 = 500;

/// A policy of `arms` arms after [`PULLS`] pulls of each.
fn trained(arms: u32) -> BetaThompson {
    let ids = (0..arms).map(|arm| (ArmId::new(arm), BetaPrior::default()));
    let mut policy = BetaThompson::new(ids).expect("distinct arms under the default prior");
    for arm in 0..arms {
        // 7919 is prime, so the rates are spread and in no order.
        let rate = 0.02 + 0.08 * f64::from(arm * 7919 % arms) / f64::from(arms);
        let won = (0..PULLS).map(|pull| f64::from(pull) < rate * f64::from(PULLS));
        let feedback: Vec<_> = won.map(|won| pulled(ArmId::new(arm), won)).collect();
        policy.update(&feedback).expect("feedback of known arms");
    }
    policy
}

fn pulled(arm: ArmId, won: bool) -> Feedback {
    Feedback {
        arm,
        reward: if won {
            UnitReward::SUCCESS
        } else {
            UnitReward::FAILURE
        },
    }
}

fn thompson(criterion: &mut Criterion) {
    let seed = Seed::new(20_261_120);
    for arms in SIZES {
        let policy = trained(arms);
        let eligible = policy.all();
        criterion.bench_function(&format!("thompson/prepare/k{arms}"), |bencher| {
            bencher.iter(|| black_box(&policy).prepare(black_box(&eligible)));
        });
        let prepared = policy.prepare(&eligible);
        let mut decision = 0_u128;
        criterion.bench_function(&format!("thompson/select/prepared/k{arms}"), |bencher| {
            bencher.iter(|| {
                decision += 1;
                black_box(&prepared).select(seed, DecisionId::new(decision))
            });
        });
        let mut learning = policy.clone();
        criterion.bench_function(&format!("thompson/update/k{arms}"), |bencher| {
            bencher.iter(|| {
                let feedback = pulled(ArmId::new(arms / 2), true);
                black_box(&mut learning).update(&[feedback])
            });
        });
    }
    let policy = trained(4);
    let arm = policy.arms().next().expect("four arms");
    let level = CredibleLevel::default();
    criterion.bench_function("thompson/interval", |bencher| {
        bencher.iter(|| black_box(arm).interval(black_box(level)));
    });
}

criterion_group!(benches, thompson);
criterion_main!(benches);
