//! All that a rollout needs to go on after its process ended.

use gaelp_budget::TrafficProfile;
use gaelp_core::{AdSetKey, Micros, Platform, Ratio, UtcHour};
use gaelp_guardrails::{Breaker, Emergency};
use gaelp_platform::Capabilities;
use serde::{Deserialize, Serialize};

use crate::ad_set::AdSet;
use crate::allowance::Allowance;
use crate::days::DayBook;
use crate::facts::Explored;
use crate::machine::Told;
use crate::shop::ShopBook;
use crate::{Budgeting, Rollout, RolloutConfig, RolloutError};

/// The format written, and the only one read.
const FORMAT: u32 = 1;
/// How far in the future a checkpoint may lie: none is from a later hour than the one it is
/// restored in, but clocks differ.
const LEAD_HOURS: i64 = 1;
/// The largest rate or budget that is believed.
const MAX_AMOUNT: Micros = Micros::new(1_000_000_000_000_000);

/// All that a [`Rollout`] needs to go on after its process ended, but what the spend ledger keeps.
///
/// It is plain data: write it down with the decisions that it knows of, in one transaction, and
/// guard it with a checksum. [`Rollout::restore`] checks that it is plausible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    format: u32,
    /// The first hour that is not decided.
    decided_to: Option<UtcHour>,
    lambda: Ratio,
    days: DayBook,
    shop: ShopBook,
    told: Told,
    emergency: Emergency,
    explored: Explored,
    read_to: Vec<(Platform, UtcHour)>,
    breakers: Vec<(Platform, Breaker)>,
    ad_sets: Vec<(AdSetKey, AdSet)>,
    /// Where budgets are paced. A checkpoint from before that has none, and begins one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allowance: Option<Allowance>,
    /// What was learnt of the traffic; checkpoints of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traffic: Option<TrafficProfile>,
}

impl Checkpoint {
    /// The first hour that was not decided when it was made.
    pub fn decided_to(&self) -> Option<UtcHour> {
        self.decided_to
    }
}

/// Why a checkpoint is not restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Another format.
    #[error("the checkpoint has format {found}, not {FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
    /// It is from the future.
    #[error("the checkpoint is from {found}, and it is {now}")]
    Future {
        /// The hour it was decided to.
        found: UtcHour,
        /// The hour it is.
        now: UtcHour,
    },
    /// The multipliers of the configuration are not those that were learnt about.
    #[error("the checkpoint of {key} was learnt with other multipliers")]
    Arms {
        /// Whose.
        key: AdSetKey,
    },
    /// A figure that cannot be.
    #[error("the checkpoint has {value} as {what} of {key}")]
    Implausible {
        /// Whose.
        key: AdSetKey,
        /// Which figure.
        what: &'static str,
        /// Its value.
        value: Micros,
    },
    /// A figure of the account's pacing that cannot be.
    #[error("the checkpoint has {value} as an amount of the account's pacing")]
    Allowance {
        /// Its value.
        value: Micros,
    },
    /// λ outside of its bounds.
    #[error("the checkpoint has {found} as λ")]
    Lambda {
        /// Its value.
        found: Ratio,
    },
}

impl Rollout {
    /// All that this rollout knows.
    pub fn checkpoint(&self) -> Checkpoint {
        let read_to = |(platform, source): (&Platform, &crate::source::Source)| {
            Some((platform.clone(), source.read_to?))
        };
        Checkpoint {
            format: FORMAT,
            decided_to: self.decided_to,
            lambda: self.lambda.get(),
            days: self.days.clone(),
            shop: self.shop.clone(),
            told: self.told,
            emergency: self.emergency.clone(),
            explored: self.explored,
            breakers: self
                .sources
                .iter()
                .map(|(platform, source)| (platform.clone(), source.breaker.clone()))
                .collect(),
            read_to: self.sources.iter().filter_map(read_to).collect(),
            ad_sets: self
                .ad_sets
                .iter()
                .map(|(k, a)| (k.clone(), a.clone()))
                .collect(),
            allowance: self.allowance.clone(),
            traffic: self.traffic.clone(),
        }
    }

    /// A rollout that goes on where a checkpoint was made. The configuration counts as it is now;
    /// what was learnt, reported and decided as it was then.
    ///
    /// # Errors
    /// As [`Rollout::new`], and [`RolloutError::Checkpoint`] where it cannot be believed.
    pub fn restore(
        config: RolloutConfig,
        platforms: Vec<Capabilities>,
        checkpoint: Checkpoint,
        now: UtcHour,
    ) -> Result<Self, RolloutError> {
        let mut rollout = Self::new(config, platforms)?;
        rollout.check(&checkpoint, now)?;
        rollout.decided_to = checkpoint.decided_to;
        rollout.lambda = crate::Lambda::new(
            checkpoint.lambda,
            rollout.config.lagrange_step,
            rollout.config.lambda_max,
        );
        rollout.days = checkpoint.days;
        rollout.shop = checkpoint.shop;
        rollout.told = checkpoint.told;
        rollout.emergency = checkpoint.emergency;
        rollout.explored = checkpoint.explored;
        if let Some(learns) = &mut rollout.traffic {
            *learns = checkpoint.traffic.unwrap_or_else(|| learns.clone());
        }
        for (platform, breaker) in checkpoint.breakers {
            if let Some(source) = rollout.sources.get_mut(&platform) {
                source.breaker = breaker;
            }
        }
        for (platform, to) in checkpoint.read_to {
            if let Some(source) = rollout.sources.get_mut(&platform) {
                source.read_to = Some(to);
            }
        }
        rollout.ad_sets = checkpoint.ad_sets.into_iter().collect();
        rollout.allowance = match (checkpoint.allowance, &rollout.config.budgeting) {
            (Some(allowance), Budgeting::Paced(paced)) => {
                let renewed = allowance.reconfigured(paced, &rollout.config);
                Some(renewed.expect("a valid configuration has valid settings of pacing"))
            }
            _ => Allowance::new(&rollout.config, checkpoint.lambda),
        };
        Ok(rollout)
    }

    fn check(&self, checkpoint: &Checkpoint, now: UtcHour) -> Result<(), CheckpointError> {
        if checkpoint.format != FORMAT {
            let found = checkpoint.format;
            return Err(CheckpointError::Format { found });
        }
        let hours = checkpoint.read_to.iter().map(|(_, hour)| *hour);
        for found in hours.chain(checkpoint.decided_to.map(|to| to.plus(-1))) {
            if found.since(now) > LEAD_HOURS {
                return Err(CheckpointError::Future { found, now });
            }
        }
        let found = checkpoint.lambda;
        if found.is_negative() || found > self.config.lambda_max {
            return Err(CheckpointError::Lambda { found });
        }
        if let Some(allowance) = &checkpoint.allowance {
            let found = allowance.highest_level();
            if found > self.config.lambda_max {
                return Err(CheckpointError::Lambda { found });
            }
            let mut amounts = allowance.amounts();
            let believed = |value: &Micros| (Micros::ZERO..=MAX_AMOUNT).contains(value);
            if let Some(value) = amounts.find(|value| !believed(value)) {
                return Err(CheckpointError::Allowance { value });
            }
        }
        for (key, ad_set) in &checkpoint.ad_sets {
            if !self.strategy.fits(&ad_set.learner) {
                return Err(CheckpointError::Arms { key: key.clone() });
            }
            for (what, amount) in ad_set.amounts() {
                if !(Micros::ZERO..=MAX_AMOUNT).contains(&amount) {
                    return Err(CheckpointError::Implausible {
                        key: key.clone(),
                        what,
                        value: amount,
                    });
                }
            }
        }
        Ok(())
    }
}
