//! What the crate promises, seen from outside.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic too")]

mod change;
mod choices;
mod conservative;
mod context;
mod delay;
mod draws;
mod evaluation;
mod knapsack;
mod learning;
mod lifecycle;
mod posteriors;
mod propensities;
mod regret;
mod rules;
mod snapshots;
mod tracked;
mod wrappers;

use gaelp_bandits::{ArmKey, BetaPrior, BetaThompson, Feedback, Outcome, Share, UnitReward};
use gaelp_core::{ArmId, Propensity, UtcHour};

/// A policy over arms 0, 1, … with these priors.
fn policy(priors: &[(f64, f64)]) -> BetaThompson {
    let arm = |(id, &(successes, failures)): (u32, &(f64, f64))| {
        (
            ArmId::new(id),
            BetaPrior {
                successes,
                failures,
            },
        )
    };
    BetaThompson::new((0..).zip(priors).map(arm)).unwrap()
}

fn feedback(arm: u32, reward: f64) -> Feedback {
    Feedback {
        arm: ArmId::new(arm),
        reward: UnitReward::new(reward).unwrap(),
    }
}

/// What came of an arm of the first generation, chosen in the hour 0 with certainty.
fn outcome<R>(arm: u32, reward: R) -> Outcome<R> {
    Outcome {
        key: ArmKey::first(ArmId::new(arm)),
        propensity: Propensity::CERTAIN,
        at: UtcHour::new(0),
        reward,
        trial: Share::FULL,
    }
}

fn unit(reward: f64) -> UnitReward {
    UnitReward::new(reward).unwrap()
}

fn ids(arms: u32) -> impl Iterator<Item = ArmId> {
    (0..arms).map(ArmId::new)
}
