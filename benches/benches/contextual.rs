//! How long contextual policies take to choose and to learn.
//!
//! One step is one choice and one update, on Gaussian contexts with linear rewards: what peers are
//! measured by, see `bandits.sh`. What is timed is 5,000 steps from no evidence on, whole, because
//! steps are not alike: the throughput is that of steps. It is the CPU time of the process. Everything is
//! fixed. `linucb-all` computes every arm's width, where
//! `linucb` passes over arms that cannot be the best.

use criterion::measurement::Measurement;
use criterion::{
    BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use gaelp_bandits::{
    Amount, ArmKey, ContextualOutcome, ContextualPolicy, Disjoint, EpsilonGreedy, Explorer,
    Features, LinTs, LinUcb, Logistic, Outcome, Regressor, Ridge, Share, SquareCb, Uncertain,
    UnitReward,
};
use gaelp_core::{ArmId, DecisionId, Propensity, Seed, UtcHour};

mod cpu;

use cpu::CpuTime;

const CONTEXTS: usize = 2048;
/// How many steps a policy is timed over from its beginning, as the peers' are.
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
fn steps<T, M, E>(
    group: &mut BenchmarkGroup<'_, T>,
    name: &str,
    fresh: &Disjoint<M, E>,
    world: &World,
    choose: impl Fn(&Disjoint<M, E>, &Features, DecisionId) -> ArmId,
    reward: impl Fn(f64) -> M::Reward,
) where
    T: Measurement,
    M: Regressor,
    E: Explorer<M> + Clone,
{
    let step = |policy: &mut Disjoint<M, E>, step: u64| {
        let (x, earned) = world.at(step);
        let arm = choose(policy, x, DecisionId::new(step.into()));
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
        policy.update(&[came]).expect("a sound outcome");
    };
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let mut policy = fresh.clone();
            for place in 0..STEPS {
                step(&mut policy, place);
            }
            policy
        });
    });
}

/// What `LinUCB` chooses, by the scores of all arms.
fn widest(policy: &Disjoint<Ridge, LinUcb>, x: &Features, _: DecisionId) -> ArmId {
    let (arms, models): (Vec<_>, Vec<_>) =
        policy.arms().map(|(key, model)| (key.arm, model)).unzip();
    let alpha = policy.explorer().alpha;
    let beliefs = Ridge::beliefs(&models, x).into_iter();
    let scores = beliefs.map(|belief| belief.mean + alpha * belief.deviation);
    let best = arms
        .into_iter()
        .zip(scores)
        .max_by(|a, b| a.1.total_cmp(&b.1));
    best.expect("there are arms").0
}

fn amount(value: f64) -> Amount {
    Amount::new(value).expect("a small number")
}

fn contextual(criterion: &mut Criterion<CpuTime>) {
    let seed = Seed::new(20_261_120);
    let mut group = criterion.benchmark_group("contextual");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .throughput(Throughput::Elements(STEPS));
    for (d, arms) in SIZES {
        let world = World::new(d, arms);
        let ids = || (0..arms).map(ArmId::new);
        let model = Ridge::new(d, 1.0).expect("a sound prior");
        let at = |name: &str| format!("{name}/d{d}k{arms}");

        let ucb = Disjoint::new(LinUcb::default(), model.clone(), ids()).expect("sound arms");
        let all = ucb.all();
        let select = |policy: &Disjoint<Ridge, LinUcb>, x: &Features, decision| {
            let chosen = policy.select(x, &all, seed, decision);
            chosen.expect("all arms live").key.arm
        };
        steps(&mut group, &at("linucb"), &ucb, &world, select, amount);
        steps(&mut group, &at("linucb-all"), &ucb, &world, widest, amount);

        let ts = Disjoint::new(LinTs::default(), model.clone(), ids()).expect("sound arms");
        let draw = |policy: &Disjoint<Ridge, LinTs>, x: &Features, decision| {
            policy.draw(x, &all, seed, decision).expect("all arms live")
        };
        steps(&mut group, &at("lints"), &ts, &world, draw, amount);
        let select = |policy: &Disjoint<Ridge, LinTs>, x: &Features, decision| {
            let chosen = policy.select(x, &all, seed, decision);
            chosen.expect("all arms live").key.arm
        };
        steps(
            &mut group,
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
        steps(&mut group, &at("squarecb"), &cb, &world, select, amount);

        let greedy = Disjoint::new(EpsilonGreedy::default(), model, ids()).expect("sound arms");
        let select = |policy: &Disjoint<Ridge, EpsilonGreedy>, x: &Features, decision| {
            let chosen = policy.select(x, &all, seed, decision);
            chosen.expect("all arms live").key.arm
        };
        steps(
            &mut group,
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
        steps(&mut group, &at("logistic-ts"), &logistic, &world, draw, won);
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = contextual
}
criterion_main!(benches);
