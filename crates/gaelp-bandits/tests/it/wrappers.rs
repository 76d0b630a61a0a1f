//! Stored wrappers: the same decisions after restoring, and no trust in what was stored.

use gaelp_bandits::{
    Bandit, BetaBernoulli, BetaThompson, Conservative, ConservativeTerms, Cusum, Delayed, Events,
    Forgetting, Glr, Knapsack, KnapsackTerms, LagDistribution, Optimism, Outcome, Policy,
    PooledPrior, PooledRates, Pull, Receipt, Report, Restarting, Stage, StrategyArm, StrategyArms,
    UnitReward,
};
use gaelp_core::{ArmId, DecisionId, Micros, Seed, UtcHour};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ids, unit};

type Watched = Restarting<BetaBernoulli, Glr>;
type Late = Delayed<Bandit<BetaBernoulli>>;

fn stored<T: Serialize>(policy: &T) -> String {
    serde_json::to_string(policy).unwrap()
}

fn restored<T: Serialize + DeserializeOwned>(policy: &T) -> T {
    serde_json::from_str(&stored(policy)).unwrap()
}

/// Each edit of the text is refused, for its reason.
fn refuses<T: DeserializeOwned>(text: &str, edits: &[(&str, &str, &str)]) {
    assert!(serde_json::from_str::<T>(text).is_ok());
    for (from, to, reason) in edits {
        assert!(text.contains(from), "{from} in {text}");
        let damaged = text.replacen(from, to, 1);
        let Err(error) = serde_json::from_str::<T>(&damaged) else {
            panic!("{to} was taken");
        };
        assert!(error.to_string().contains(reason), "{to}: {error}");
    }
}

fn thompson() -> Bandit<BetaBernoulli> {
    Bandit::new(BetaBernoulli::default(), ids(3)).unwrap()
}

fn report(
    decision: u128,
    policy: &impl Policy<Reward = UnitReward>,
    hour: i32,
    reward: f64,
    stage: Stage,
) -> Report<UnitReward> {
    let decision = DecisionId::new(decision);
    let chosen = policy
        .select(&policy.all(), Seed::new(7), decision)
        .unwrap();
    Report {
        decision,
        revision: 0,
        stage,
        outcome: Outcome::of(&chosen, UtcHour::new(hour), unit(reward)),
    }
}

fn delayed(steps: u128) -> Delayed<Bandit<BetaBernoulli>> {
    let bandit = thompson()
        .with_forgetting(Forgetting::Discount { hourly: 0.99 })
        .unwrap();
    let lag = LagDistribution::new(&[0.3, 0.5, 0.9]).unwrap();
    let mut policy = Delayed::new(bandit, lag);
    for step in 0..steps {
        let hour = i32::try_from(step).unwrap();
        policy.policy_mut().advance(UtcHour::new(hour));
        policy.advance(UtcHour::new(hour));
        let stage = if step % 3 == 0 {
            Stage::Final
        } else {
            Stage::Provisional
        };
        let reward = f64::from(u8::from(step % 4 == 0));
        let one = report(step, policy.policy(), hour, reward, stage);
        policy.receive(&[one]).unwrap();
    }
    policy.close(UtcHour::new(2));
    policy
}

#[test]
fn delayed_feedback_is_corrected_after_restoring() {
    let mut policy = delayed(20);
    let mut again = restored(&policy);
    assert_eq!(again, policy);
    // What was provisional is corrected alike, what is known is known, and time goes on alike.
    let known = report(19, policy.policy(), 19, 0.0, Stage::Final);
    let text = stored(&policy);
    assert!(text.contains("provisional"));
    let mut corrected =
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["known"][5].clone();
    corrected["revision"] = 1.into();
    corrected["stage"] = "final".into();
    let corrected: Report<UnitReward> = serde_json::from_value(corrected).unwrap();
    for policy in [&mut policy, &mut again] {
        assert_eq!(policy.receive(&[corrected]).unwrap(), [Receipt::Corrected]);
        policy.advance(UtcHour::new(21));
        assert!(
            policy
                .receive(&[report(0, policy.policy(), 0, 1.0, Stage::Final)])
                .is_err()
        );
        let _ = policy.receive(&[known]);
    }
    assert_eq!(again, policy);
    for decision in (100..140).map(DecisionId::new) {
        let choose = |policy: &Delayed<Bandit<BetaBernoulli>>| {
            let inner = policy.policy();
            inner.select(&inner.all(), Seed::new(1), decision).unwrap()
        };
        assert_eq!(choose(&policy), choose(&again));
    }
}

#[test]
fn damaged_delays_are_refused() {
    let text = stored(&delayed(5));
    let decision = format!("\"{}\"", DecisionId::new(3));
    let other = format!("\"{}\"", DecisionId::new(4));
    refuses::<Delayed<Bandit<BetaBernoulli>>>(
        &text,
        &[
            ("\"format\":1", "\"format\":9", "format 9"),
            (&decision, &other, "does not fit the rest"),
            ("\"trial\":0.3}", "\"trial\":0.31}", "does not fit the rest"),
            ("\"closed\":2", "\"closed\":4", "does not fit the rest"),
            (
                "\"stage\":\"provisional\"",
                "\"stage\":\"final\"",
                "does not fit the rest",
            ),
            ("[0.3,0.5,0.9]", "[0.3,0.9,0.5]", "cannot fall"),
            ("\"trial\":0.3}", "\"trial\":1.3}", "not a reward"),
        ],
    );
}

fn knapsack(steps: u128) -> Knapsack {
    let terms = KnapsackTerms {
        budget: Micros::new(10_000_000),
        rounds: 60,
        cap: Micros::new(1_000_000),
        exploration: KnapsackTerms::EXPLORATION,
    };
    let mut knapsack = Knapsack::new(terms, ids(3)).unwrap();
    go_on(&mut knapsack, 0..steps);
    knapsack
}

fn go_on(knapsack: &mut Knapsack, steps: std::ops::Range<u128>) -> Vec<Pull> {
    let mut pulls = Vec::new();
    for step in steps {
        let (decision, all) = (DecisionId::new(step), knapsack.all());
        let pull = knapsack.select(&all, Seed::new(7), decision).unwrap();
        pulls.push(pull);
        // Every fifth pull is left open.
        if let Pull::Arm(chosen) = pull
            && step % 5 != 4
        {
            let cost = Micros::new(150_000 * (i64::from(chosen.key.arm.get()) + 1));
            let reward = unit(0.2 * (f64::from(chosen.key.arm.get()) + 1.0));
            let hour = UtcHour::new(i32::try_from(step).unwrap());
            knapsack.settle(decision, hour, cost, reward).unwrap();
        }
    }
    pulls
}

#[test]
fn a_knapsack_goes_on_after_restoring() {
    let mut one = knapsack(17);
    let mut other = restored(&one);
    assert_eq!(one, other);
    assert!(one.reserved() > Micros::ZERO);
    // An open pull is answered as before, and settled.
    let pulls = go_on(&mut one, 17..60);
    assert_eq!(pulls, go_on(&mut other, 17..60));
    assert_eq!(one, other);
    assert!(pulls.iter().any(|pull| matches!(pull, Pull::Arm(_))));
    let budget = Micros::new(10_000_000);
    let used = other.spent().checked_add(other.reserved()).unwrap();
    assert!(used <= budget);
}

#[test]
fn damaged_knapsacks_are_refused() {
    let one = knapsack(17);
    let text = stored(&one);
    let spent = format!("\"spent\":{}", one.spent().get());
    refuses::<Knapsack>(
        &text,
        &[
            (
                "\"format\":1,\"terms\"",
                "\"format\":2,\"terms\"",
                "format 2",
            ),
            (
                "\"cap\":1000000",
                "\"cap\":0",
                "terms cannot have come about",
            ),
            (
                "\"cap\":1000000",
                "\"cap\":9000000",
                "spend cannot have come about",
            ),
            ("\"budget\":10000000", "\"budget\":1000000", "spend cannot"),
            (&spent, "\"spent\":9500000", "spend cannot"),
            (&spent, "\"spent\":-1", "spend cannot"),
            ("\"rounds_left\":43", "\"rounds_left\":61", "rounds cannot"),
            ("\"rounds_left\":43", "\"rounds_left\":55", "rounds cannot"),
            ("\"draws\":1024", "\"draws\":2048", "rule cannot"),
            (
                "\"method\":{\"method\":\"exact\"}",
                "\"method\":{\"method\":\"monte_carlo\",\"draws\":3}",
                "does not fit",
            ),
        ],
    );
}

fn conservative() -> Conservative<Bandit<BetaBernoulli>> {
    let terms = ConservativeTerms {
        baseline: ArmId::new(1),
        alpha: 0.3,
        delta: 0.05,
    };
    let mut policy = Conservative::new(thompson(), terms).unwrap();
    steps(&mut policy, 0..200);
    policy
}

fn steps(
    policy: &mut Conservative<Bandit<BetaBernoulli>>,
    steps: std::ops::Range<u128>,
) -> Vec<gaelp_bandits::ConservativeChoice> {
    let all = policy.all();
    let one = |step: u128| {
        let decision = DecisionId::new(step);
        let choice = policy.select(&all, Seed::new(3), decision).unwrap();
        let reward = unit(0.3 + 0.2 * f64::from(choice.selection.key.arm.get()));
        let hour = UtcHour::new(0);
        policy
            .update(&[Outcome::of(&choice.selection, hour, reward)])
            .unwrap();
        choice
    };
    steps.map(one).collect()
}

#[test]
fn a_conservative_policy_keeps_its_promise_after_restoring() {
    let mut one = conservative();
    let mut other = restored(&one);
    assert_eq!(one, other);
    let choices = steps(&mut one, 200..400);
    assert_eq!(choices, steps(&mut other, 200..400));
    assert!(choices.iter().any(|choice| choice.forced.is_some()));
    assert!(choices.iter().any(|choice| choice.forced.is_none()));
    refuses::<Conservative<Bandit<BetaBernoulli>>>(
        &stored(&one),
        &[
            (
                "\"format\":1,\"policy\"",
                "\"format\":0,\"policy\"",
                "format 0",
            ),
            ("\"alpha\":0.3", "\"alpha\":0.0", "alpha is 0"),
            ("\"baseline\":1", "\"baseline\":5", "no arm 5"),
            (
                "{\"chosen\":",
                "{\"trials\":-1,\"chosen\":",
                "duplicate field",
            ),
            (
                "[{\"arm\":1,\"generation\":0},{\"ch",
                "[{\"arm\":1,\"generation\":3},{\"ch",
                "record of arm 1 (generation 3)",
            ),
        ],
    );
    let text = stored(&one);
    let place = text.find("\"reward\":").unwrap();
    let damaged = format!("{}\"reward\":-{}", &text[..place], &text[place + 9..]);
    let error = serde_json::from_str::<Conservative<Bandit<BetaBernoulli>>>(&damaged);
    assert!(error.unwrap_err().to_string().contains("record of arm"));
}

#[test]
fn pooled_rates_read_the_same_after_restoring() {
    let mut rates = PooledRates::new(3, 4, PooledPrior::default()).unwrap();
    for step in 0..40_usize {
        let events = Events::new(u32::try_from(step % 3).unwrap(), 0.37).unwrap();
        rates.observe(step % 3, step % 4, events).unwrap();
    }
    let again = restored(&rates);
    assert_eq!(again, rates);
    let draw = Optimism::Draw(Seed::new(3), DecisionId::new(4));
    for optimism in [Optimism::Mean, Optimism::Upper(1.0), draw] {
        let bits = |rates: &PooledRates| -> Vec<u64> {
            let table = rates.read(optimism);
            table.as_slice().iter().map(|rate| rate.to_bits()).collect()
        };
        assert_eq!(bits(&rates), bits(&again));
    }
    refuses::<PooledRates>(
        &stored(&rates),
        &[
            ("\"format\":1", "\"format\":3", "format 3"),
            ("\"rows\":3", "\"rows\":4", "cells cannot have come about"),
            ("\"rows\":3", "\"rows\":0", "shape or prior"),
            ("\"alike\":30.0", "\"alike\":-30.0", "shape or prior"),
            (
                "\"cells\":[[",
                "\"cells\":[[-",
                "cells cannot have come about",
            ),
            (
                "\"cells\":[[",
                "\"cells\":[[0,-5],[",
                "cells cannot have come about",
            ),
        ],
    );
}

#[test]
fn strategies_stand_the_same_after_restoring() {
    let mut strategies = StrategyArms::default();
    for (strategy, reward) in [
        (StrategyArm::Balanced, 0.8),
        (StrategyArm::Aggressive, 0.3),
        (StrategyArm::Balanced, 0.6),
    ] {
        strategies.update(strategy, unit(reward)).unwrap();
    }
    let again = restored(&strategies);
    assert_eq!(again, strategies);
    for decision in (0..40).map(DecisionId::new) {
        assert_eq!(
            again.select(Seed::new(7), decision),
            strategies.select(Seed::new(7), decision)
        );
    }
    refuses::<StrategyArms>(
        &stored(&strategies),
        &[
            (
                "\"arm\":3",
                "\"arm\":7",
                "strategies cannot have come about",
            ),
            ("\"format\":1", "\"format\":2", "format 2"),
        ],
    );
    let three = BetaThompson::new(ids(3).map(|arm| (arm, gaelp_bandits::BetaPrior::default())));
    let error = StrategyArms::try_from(three.unwrap()).unwrap_err();
    assert!(error.to_string().contains("strategies"));
}

fn restarting<D: gaelp_bandits::ChangeDetector + Clone>(
    detector: D,
) -> Restarting<BetaBernoulli, D> {
    let mut policy = Restarting::new(thompson(), detector, 0.05).unwrap();
    watched(&mut policy, 0..300);
    policy
}

fn watched<D: gaelp_bandits::ChangeDetector + Clone>(
    policy: &mut Restarting<BetaBernoulli, D>,
    steps: std::ops::Range<u32>,
) -> Vec<gaelp_bandits::Selection> {
    let one = |step: u32| {
        let decision = DecisionId::new(step.into());
        let chosen = policy
            .select(&policy.all(), Seed::new(7), decision)
            .unwrap();
        // All arms change at step 150 and at step 450.
        let good = (chosen.key.arm == ArmId::new(0)) == (step / 150).is_multiple_of(3);
        let reward = unit(f64::from(u8::from(good)));
        let hour = UtcHour::new(i32::try_from(step).unwrap());
        policy
            .update(&[Outcome::of(&chosen, hour, reward)])
            .unwrap();
        chosen
    };
    steps.map(one).collect()
}

#[test]
fn a_watched_bandit_notices_the_same_after_restoring() {
    let mut one = restarting(Glr::default());
    let mut other = restored(&one);
    assert_eq!(one, other);
    assert_eq!(watched(&mut one, 300..600), watched(&mut other, 300..600));
    assert_eq!(one, other);
    assert!(one.take_changes().len() > 1);
    let text = stored(&restarting(Glr::default()));
    refuses::<Watched>(
        &text,
        &[
            (
                "{\"format\":1,\"bandit\"",
                "{\"format\":5,\"bandit\"",
                "format 5",
            ),
            (
                "\"exploration\":0.05",
                "\"exploration\":1.5",
                "exploration is 1.5",
            ),
            (
                "\"detector\":{\"delta\":0.01",
                "\"detector\":{\"delta\":0.9",
                "delta is 0.9",
            ),
            (
                "\"stride\":1,\"count\":0",
                "\"stride\":0,\"count\":0",
                "rewards seen",
            ),
            (
                "\"stride\":1,\"count\":0",
                "\"stride\":1,\"count\":18446744073709551615",
                "rewards seen",
            ),
        ],
    );

    let mut one = restarting(Cusum::new(20, 0.1, 5.0));
    let mut other = restored(&one);
    assert_eq!(watched(&mut one, 300..600), watched(&mut other, 300..600));
    assert_eq!(one, other);
    refuses::<Restarting<BetaBernoulli, Cusum>>(
        &stored(&restarting(Cusum::new(20, 0.1, 5.0))),
        &[
            ("\"seen\":0", "\"seen\":21", "rewards seen is 21"),
            ("\"up\":0.0", "\"up\":-1.0", "running sum is -1"),
            ("\"warm_sum\":0.0", "\"warm_sum\":1.0", "their sum is 1"),
        ],
    );
}

proptest! {
    /// A byte is changed anywhere: an error or a policy, and never a panic.
    #[test]
    fn damaged_text_never_panics(position in any::<prop::sample::Index>(), byte in 32..127_u8) {
        let damaged = |text: String| {
            let mut bytes = text.into_bytes();
            let place = position.index(bytes.len());
            bytes[place] = byte;
            bytes
        };
        if let Ok(mut one) = serde_json::from_slice::<Knapsack>(&damaged(stored(&knapsack(9)))) {
            let _ = one.select(&one.all(), Seed::new(1), DecisionId::new(999));
        }
        let text = stored(&restarting(Glr::default()));
        if let Ok(mut one) = serde_json::from_slice::<Watched>(&damaged(text)) {
            let chosen = one.select(&one.all(), Seed::new(1), DecisionId::new(999)).unwrap();
            let _ = one.update(&[Outcome::of(&chosen, UtcHour::new(400), unit(0.0))]);
        }
        if let Ok(mut one) = serde_json::from_slice::<Late>(&damaged(stored(&delayed(6)))) {
            one.advance(UtcHour::new(50));
        }
        let _ = serde_json::from_slice::<PooledRates>(&damaged(stored(
            &PooledRates::new(2, 2, PooledPrior::default()).unwrap(),
        )));
    }
}
