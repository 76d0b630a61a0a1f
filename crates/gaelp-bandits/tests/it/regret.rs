//! Regret on three instances against independent simulations in numpy.
//!
//! The figures are means and standard errors of another implementation; ours must lie within three
//! standard errors of both together. Seeds are fixed.

use gaelp_bandits::{
    Bandit, BayesUcb, BetaPrior, BetaThompson, Feedback, Imed, KlUcb, KlUcbPlus, Outcome, Policy,
    Rule, Ucb1, UnitReward,
};
use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::ids;

struct Instance {
    means: &'static [f64],
    steps: u32,
}

/// Chapelle & Li (2011), §3.
const CHAPELLE_LI: Instance = Instance {
    means: &[0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4],
    steps: 10_000,
};
/// Garivier & Cappé (2011), the low-reward scenario.
const GARIVIER_CAPPE: Instance = Instance {
    means: &[0.1, 0.05, 0.05, 0.05, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01],
    steps: 20_000,
};
/// Russo et al. (2018), chapter 3.
const RUSSO: Instance = Instance {
    means: &[0.9, 0.8, 0.7],
    steps: 1_000,
};

/// The mean and the standard error of the mean.
fn summary(values: &[f64]) -> (f64, f64) {
    let n = f64::from(u32::try_from(values.len()).unwrap());
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// One run's regret after a tenth of the steps and after all of them.
fn play(
    instance: &Instance,
    run: u64,
    mut choose: impl FnMut(u64, Option<(usize, bool)>) -> usize,
) -> (f64, f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(run);
    let best = instance.means.iter().copied().fold(0.0, f64::max);
    let (mut regret, mut early, mut last) = (0.0, 0.0, None);
    for step in 0..instance.steps {
        if step == instance.steps / 10 {
            early = regret;
        }
        let arm = choose(u64::from(step), last);
        regret += best - instance.means[arm];
        last = Some((
            arm,
            f64::from(rng.next_u32()) < instance.means[arm] * 4_294_967_296.0,
        ));
    }
    (early, regret)
}

fn reward(won: bool) -> UnitReward {
    if won {
        UnitReward::SUCCESS
    } else {
        UnitReward::FAILURE
    }
}

fn bandit<R: Rule<Reward = UnitReward> + Clone>(
    rule: &R,
    instance: &Instance,
    run: u64,
) -> (f64, f64) {
    let arms = u32::try_from(instance.means.len()).unwrap();
    let mut policy = Bandit::new(rule.clone(), ids(arms)).unwrap();
    let all = policy.all();
    let mut chosen = None;
    play(instance, run, |step, last| {
        if let (Some((_, won)), Some(chosen)) = (last, &chosen) {
            policy
                .update(&[Outcome::of(chosen, UtcHour::new(0), reward(won))])
                .unwrap();
        }
        let now = policy
            .select(&all, Seed::new(run), DecisionId::new(step.into()))
            .unwrap();
        chosen = Some(now);
        now.key.arm.get() as usize
    })
}

fn thompson(instance: &Instance, run: u64) -> (f64, f64) {
    let arms = u32::try_from(instance.means.len()).unwrap();
    let mut policy = BetaThompson::new(ids(arms).map(|arm| (arm, BetaPrior::default()))).unwrap();
    let all = policy.all();
    play(instance, run, |step, last| {
        if let Some((arm, won)) = last {
            let arm = ArmId::new(u32::try_from(arm).unwrap());
            policy
                .update(&[Feedback {
                    arm,
                    reward: reward(won),
                }])
                .unwrap();
        }
        policy
            .draw(&all, Seed::new(run), DecisionId::new(step.into()))
            .get() as usize
    })
}

/// Checks the regrets of many runs at the end, and the slope per ln t over the last tenfold.
fn check(
    name: &str,
    runs: u64,
    expected: (f64, f64),
    slope: Option<(f64, f64)>,
    play: impl Fn(u64) -> (f64, f64),
) {
    let played: Vec<_> = (0..runs).map(play).collect();
    let (mean, error) = summary(&played.iter().map(|run| run.1).collect::<Vec<_>>());
    let allowed = 3.0 * f64::hypot(error, expected.1);
    assert!(
        (mean - expected.0).abs() <= allowed,
        "{name}: {mean} ± {error} for {expected:?}"
    );
    if let Some((expected, of_expected)) = slope {
        let slopes: Vec<_> = played
            .iter()
            .map(|run| (run.1 - run.0) / 10f64.ln())
            .collect();
        let (mean, error) = summary(&slopes);
        let allowed = 3.0 * f64::hypot(error, of_expected);
        assert!(
            (mean - expected).abs() <= allowed,
            "{name}: slope {mean} ± {error} for {expected}"
        );
    }
}

/// The slopes' standard errors follow from those of the regrets at 10³ and 10⁴.
#[test]
fn thompson_sampling() {
    let at = |instance: &'static Instance| move |run| thompson(instance, run);
    check(
        "TS, Chapelle-Li",
        120,
        (164.7, 1.48),
        Some((43.4, 0.68)),
        at(&CHAPELLE_LI),
    );
    check(
        "TS, Garivier-Cappe",
        40,
        (91.18, 0.46),
        None,
        at(&GARIVIER_CAPPE),
    );
    check("TS, Russo", 600, (11.92, 0.37), None, at(&RUSSO));
}

#[test]
fn kl_ucb() {
    let at = |instance: &'static Instance| move |run| bandit(&KlUcb::default(), instance, run);
    check(
        "KL-UCB, Chapelle-Li",
        40,
        (249.35, 4.62),
        Some((77.5, 2.05)),
        at(&CHAPELLE_LI),
    );
    check(
        "KL-UCB, Garivier-Cappe",
        16,
        (128.88, 1.64),
        None,
        at(&GARIVIER_CAPPE),
    );
    check("KL-UCB, Russo", 300, (12.79, 0.49), None, at(&RUSSO));
}

#[test]
fn kl_ucb_plus() {
    let at = |instance: &'static Instance| move |run| bandit(&KlUcbPlus, instance, run);
    check(
        "KL-UCB+, Chapelle-Li",
        40,
        (167.67, 4.86),
        None,
        at(&CHAPELLE_LI),
    );
    check(
        "KL-UCB+, Garivier-Cappe",
        16,
        (76.95, 1.13),
        None,
        at(&GARIVIER_CAPPE),
    );
    check("KL-UCB+, Russo", 300, (12.2, 0.8), None, at(&RUSSO));
}

#[test]
fn imed() {
    let at = |instance: &'static Instance| move |run| bandit(&Imed, instance, run);
    check(
        "IMED, Chapelle-Li",
        60,
        (169.32, 2.84),
        Some((44.3, 1.26)),
        at(&CHAPELLE_LI),
    );
    check(
        "IMED, Garivier-Cappe",
        24,
        (79.94, 0.67),
        None,
        at(&GARIVIER_CAPPE),
    );
    check("IMED, Russo", 500, (12.28, 0.35), None, at(&RUSSO));
}

#[test]
fn bayes_ucb() {
    let at = |instance: &'static Instance| move |run| bandit(&BayesUcb::default(), instance, run);
    check(
        "Bayes-UCB, Chapelle-Li",
        12,
        (201.93, 5.51),
        None,
        at(&CHAPELLE_LI),
    );
    check(
        "Bayes-UCB, Garivier-Cappe",
        5,
        (117.7, 2.02),
        None,
        at(&GARIVIER_CAPPE),
    );
    check("Bayes-UCB, Russo", 60, (9.99, 1.2), None, at(&RUSSO));
}

#[test]
fn ucb1() {
    let at = |instance: &'static Instance| move |run| bandit(&Ucb1::default(), instance, run);
    check(
        "UCB1, Chapelle-Li",
        30,
        (595.74, 2.09),
        None,
        at(&CHAPELLE_LI),
    );
    check(
        "UCB1, Garivier-Cappe",
        12,
        (842.49, 1.33),
        None,
        at(&GARIVIER_CAPPE),
    );
    check("UCB1, Russo", 300, (46.2, 0.29), None, at(&RUSSO));
}
