//! What a budget is for.

use gaelp_core::{Micros, Ratio};
use serde::{Deserialize, Serialize};

/// What a plan is to reach.
///
/// Every goal comes down to one number, the least that the next unit of spend must bring, and to
/// bounds on the whole spend. So goals can be combined: the strictest number holds.
///
/// The curves count what the goal speaks of: revenue for returns and profit, conversions for costs
/// per acquisition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Goal {
    /// The most of what the curves count that the budget buys.
    MaxRevenue,
    /// The most profit, at this margin on revenue: no unit is spent that brings less than
    /// 1 ÷ margin. What is not spent is a result.
    MaxProfit {
        /// Profit on revenue before advertising, above 0.
        margin: Ratio,
    },
    /// The most revenue at no less than this return on all spend.
    TargetRoas(Ratio),
    /// The most conversions at no more than this cost each, on average.
    TargetCpa(Micros),
    /// The highest return on at least this spend.
    ///
    /// Returns fall with spend, so without a minimum the answer would be to spend nothing.
    MaxRoas {
        /// The least to be spent, above 0.
        min_spend: Micros,
    },
    /// The lowest cost of a conversion on at least this spend.
    MinCpa {
        /// The least to be spent, above 0.
        min_spend: Micros,
    },
    /// Spend no less than this, whatever it brings.
    MinSpend(Micros),
    /// Spend no more than this.
    MaxSpend(Micros),
}

impl Goal {
    /// The return on all spend that it asks for.
    pub(super) fn average(self) -> Option<f64> {
        match self {
            Self::TargetRoas(target) => Some(target.to_f64()),
            Self::TargetCpa(cost) => Some(1.0 / cost.to_major_f64()),
            _ => None,
        }
    }

    /// Whether its own figure makes sense.
    pub(super) fn is_sound(self) -> bool {
        match self {
            Self::MaxRevenue => true,
            Self::MaxProfit { margin } => margin > Ratio::ZERO,
            Self::TargetRoas(target) => target > Ratio::ZERO,
            Self::TargetCpa(cost) => cost > Micros::ZERO,
            Self::MaxRoas { min_spend } | Self::MinCpa { min_spend } => min_spend > Micros::ZERO,
            Self::MinSpend(amount) | Self::MaxSpend(amount) => !amount.is_negative(),
        }
    }
}
