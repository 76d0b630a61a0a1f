//! What the crate promises, seen from outside.

mod choices;
mod learning;
mod propensities;
mod snapshots;

use gaelp_bandits::{BetaPrior, BetaThompson, Feedback, UnitReward};
use gaelp_core::ArmId;

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
    BetaThompson::new((0..).zip(priors).map(arm)).expect("priors within their range")
}

fn feedback(arm: u32, reward: f64) -> Feedback {
    Feedback {
        arm: ArmId::new(arm),
        reward: UnitReward::new(reward).expect("a number from 0 to 1"),
    }
}
