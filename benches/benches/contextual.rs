//! How long contextual policies take to choose and to learn.
//!
//! One step is one choice and one update, from no evidence up to 5,000 steps and then again, on
//! Gaussian contexts with linear rewards: what peers are measured by, see `bandits.sh`. Everything
//! is fixed.

use criterion::{Criterion, criterion_group, criterion_main};
use gaelp_bandits::{
    Amount, ArmKey, ContextualOutcome, ContextualPolicy, Disjoint, EpsilonGreedy, Explorer,
    Features, LinTs, LinUcb, Logistic, Outcome, Regressor, Ridge, Share, SquareCb, UnitReward,
};
use gaelp_core::{ArmId, DecisionId, Propensity, Seed, UtcHour};

const CONTEXTS: usize = 2048;
/// After so many steps a policy starts again, as the peers' do.
const STEPS: u64 = 5_000;
const SIZES: [(usize, u32); 4] = [(16, 10), (16, 100), (64, 10), (64, 100)];

/// A linear world: contexts, what each arm earns in each, and the noise.
struct World {
    contexts: Vec<Features>,
    means: Vec<Vec<f64>>,
    noise: Vec<f64>,
}

struct Stream(u64);

impl Stream {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

impl World {
    fn new(d: usize, arms: u32) -> Self {
        let mut stream = Stream(11);
        #[expect(clippy::cast_precision_loss, reason = "at most 64")]
        let scale = 1.0 / (d as f64).sqrt();
        let contexts: Vec<Features> = (0..CONTEXTS)
            .map(|_| {
                let values: Vec<f64> = (0..d).map(|_| scale * stream.normal()).collect();
                Features::new(&values).expect("finite and small")
            })
            .collect();
        let truth: Vec<Vec<f64>> = (0..arms)
            .map(|_| (0..d).map(|_| stream.normal()).collect())
            .collect();
        let mean = |x: &Features, theta: &Vec<f64>| {
            let terms = x.as_slice().iter().zip(theta);
            terms.map(|(x, theta)| x * theta).sum()
        };
        Self {
            means: contexts
                .iter()
                .map(|x| truth.iter().map(|theta| mean(x, theta)).collect())
                .collect(),
            noise: (0..CONTEXTS).map(|_| 0.3 * stream.normal()).collect(),
            contexts,
        }
    }

    /// A context, and what an arm earns in it.
    fn at(&self, step: u64) -> (&Features, impl Fn(ArmId) -> f64) {
        let place = usize::try_from(step).unwrap_or(0) % CONTEXTS;
        let (means, noise) = (&self.means[place], self.noise[place]);
        let earned = move |arm: ArmId| means[arm.get() as usize] + noise;
        (&self.contexts[place], earned)
    }
}

/// Steps of a policy that chooses as told.
fn steps<M, E>(
    criterion: &mut Criterion,
    name: &str,
    fresh: &Disjoint<M, E>,
    world: &World,
    choose: impl Fn(&Disjoint<M, E>, &Features, DecisionId) -> ArmId,
    reward: impl Fn(f64) -> M::Reward,
) where
    M: Regressor,
    E: Explorer<M> + Clone,
{
    let (mut policy, mut step) = (fresh.clone(), 0_u64);
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            if step.is_multiple_of(STEPS) {
                policy.clone_from(fresh);
            }
            step += 1;
            let (x, earned) = world.at(step);
            let arm = choose(&policy, x, DecisionId::new(step.into()));
            let came = ContextualOutcome {
                outcome: Outcome {
                    key: ArmKey::first(arm),
                    propensity: Propensity::CERTAIN,
                    at: UtcHour::new(0),
                    reward: reward(earned(arm)),
                    trial: Share::FULL,
                },
                features: x,
            };
            policy.update(&[came])
        });
    });
}

fn amount(value: f64) -> Amount {
    Amount::new(value).expect("a small number")
}

fn contextual(criterion: &mut Criterion) {
    let seed = Seed::new(20_261_120);
    for (d, arms) in SIZES {
        let world = World::new(d, arms);
        let ids = || (0..arms).map(ArmId::new);
        let model = Ridge::new(d, 1.0).expect("a sound prior");
        let at = |name: &str| format!("contextual/{name}/d{d}k{arms}");

        let ucb = Disjoint::new(LinUcb::default(), model.clone(), ids()).expect("sound arms");
        let all = ucb.all();
        let select = |policy: &Disjoint<Ridge, LinUcb>, x: &Features, decision| {
            let chosen = policy.select(x, &all, seed, decision);
            chosen.expect("all arms live").key.arm
        };
        steps(criterion, &at("linucb"), &ucb, &world, select, amount);

        let ts = Disjoint::new(LinTs::default(), model.clone(), ids()).expect("sound arms");
        let draw = |policy: &Disjoint<Ridge, LinTs>, x: &Features, decision| {
            policy.draw(x, &all, seed, decision).expect("all arms live")
        };
        steps(criterion, &at("lints"), &ts, &world, draw, amount);
        let select = |policy: &Disjoint<Ridge, LinTs>, x: &Features, decision| {
            let chosen = policy.select(x, &all, seed, decision);
            chosen.expect("all arms live").key.arm
        };
        steps(
            criterion,
            &at("lints-propensity"),
            &ts,
            &world,
            select,
            amount,
        );

        let cb = Disjoint::new(SquareCb::default(), model.clone(), ids()).expect("sound arms");
        let select = |policy: &Disjoint<Ridge, SquareCb>, x: &Features, decision| {
            let chosen = policy.select(x, &all, seed, decision);
            chosen.expect("all arms live").key.arm
        };
        steps(criterion, &at("squarecb"), &cb, &world, select, amount);

        let greedy = Disjoint::new(EpsilonGreedy::default(), model, ids()).expect("sound arms");
        let select = |policy: &Disjoint<Ridge, EpsilonGreedy>, x: &Features, decision| {
            let chosen = policy.select(x, &all, seed, decision);
            chosen.expect("all arms live").key.arm
        };
        steps(
            criterion,
            &at("epsilon-greedy"),
            &greedy,
            &world,
            select,
            amount,
        );

        let model = Logistic::new(d, 1.0).expect("a sound prior");
        let logistic = Disjoint::new(LinTs::default(), model, ids()).expect("sound arms");
        let draw = |policy: &Disjoint<Logistic, LinTs>, x: &Features, decision| {
            policy.draw(x, &all, seed, decision).expect("all arms live")
        };
        let won = |mean: f64| {
            if mean > 0.0 {
                UnitReward::SUCCESS
            } else {
                UnitReward::FAILURE
            }
        };
        steps(criterion, &at("logistic-ts"), &logistic, &world, draw, won);
    }
}

criterion_group!(benches, contextual);
criterion_main!(benches);
