//! λ once a day.

use gaelp_core::{Micros, Quantity, Ratio};
use serde::{Deserialize, Serialize};

use super::Guide;

/// The guide's daily schedule: λ follows each day's spend against its target, and is raised while
/// conversions are sparse.
///
/// With few conversions nobody knows what a dollar earns, so a dollar should cost more: without any
/// conversion λ in force is at least `sparse`, with `enough` of them it is what the rule says, and
/// between in proportion. The rule's own λ is not touched by that, so that nothing winds up.
///
/// ```
/// use gaelp_budget::DailySchedule;
/// use gaelp_core::{Quantity, Ratio};
///
/// let mut schedule = DailySchedule::default();
/// let (spend, target) = ("12.00".parse()?, "10.00".parse()?);
/// schedule.observe(spend, target, Quantity::ZERO);
/// assert_eq!(schedule.rule_level(), Ratio::from_ppm(210_000));
/// assert_eq!(schedule.level(), Ratio::from_ppm(300_000)); // nothing converts yet
/// schedule.observe(target, target, Quantity::from_millionths(2_500_000));
/// assert_eq!(schedule.level(), Ratio::from_ppm(210_000)); // 0.3 · (1 − 2.5 ÷ 5) is below
/// # Ok::<(), gaelp_core::ParseMoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DailySchedule {
    /// λ by the rule alone. Default 0.2.
    #[serde(alias = "LAMBDA_SPEND", alias = "lambda_spend")]
    lambda: Ratio,
    /// The rule. Its bound is 0.3, the guide's highest, by default.
    rule: Guide,
    /// λ in force while nothing converts. Default 0.3.
    sparse: Ratio,
    /// How many conversions a day are enough. Default 5.
    enough: Quantity,
    /// Conversions of the last day.
    conversions: Quantity,
}

impl Default for DailySchedule {
    fn default() -> Self {
        let most = Ratio::from_ppm(300_000);
        Self {
            lambda: Ratio::from_ppm(200_000),
            rule: Guide {
                most,
                ..Guide::default()
            },
            sparse: most,
            enough: Quantity::from_millionths(5_000_000),
            conversions: Quantity::from_millionths(5_000_000),
        }
    }
}

impl DailySchedule {
    /// λ at a value, with a rule, and what holds while conversions are sparse.
    pub fn new(lambda: Ratio, rule: Guide, sparse: Ratio, enough: Quantity) -> Self {
        Self {
            lambda: lambda.clamp(Ratio::ZERO, rule.most.max(Ratio::ZERO)),
            rule,
            sparse,
            enough,
            conversions: enough,
        }
    }

    /// Follows a day.
    pub fn observe(&mut self, spend: Micros, target: Micros, conversions: Quantity) {
        self.lambda = self.rule.follow(self.lambda, spend, target);
        self.conversions = conversions;
    }

    /// λ by the rule alone.
    pub fn rule_level(&self) -> Ratio {
        self.lambda
    }

    /// λ in force.
    pub fn level(&self) -> Ratio {
        let (enough, had) = (self.enough.millionths(), self.conversions.millionths());
        if enough == 0 {
            return self.lambda;
        }
        let missing = i128::from(enough.saturating_sub(had));
        let raised = i128::from(self.sparse.ppm()) * missing / i128::from(enough);
        let raised = i64::try_from(raised).expect("a share of an i64");
        self.lambda.max(Ratio::from_ppm(raised))
    }
}
