//! What an outcome is worth.

use gaelp_core::{Metrics, Micros, Ratio};
use serde::{Deserialize, Serialize};

/// How an outcome is turned into a reward, a number in money.
///
/// r = profit − λ · spend + ν · (revenue − τ · spend) − κ · overspend + bonus, with profit = margin
/// · revenue − spend.
///
/// The return target enters as the linear term with weight ν: it is positive exactly where the
/// return is above τ, defined without spend, and adds up over hours. A **ratio** does none of that:
/// it rewards tiny noisy hours, and mean of ratios is not ratio of means. It is there for those who
/// compare with older systems.
///
/// **Units.** Weights are ratios; every term is in the account's money, rounded half to even.
///
/// ```
/// use gaelp_budget::RewardTerms;
/// use gaelp_core::{Metrics, Ratio};
///
/// let terms = RewardTerms {
///     margin: Ratio::from_ppm(400_000),
///     ..RewardTerms::default()
/// };
/// let hour = Metrics {
///     spend: "2.00".parse()?,
///     revenue: "10.00".parse()?,
///     ..Metrics::default()
/// };
/// let reward = terms.reward(&hour, Ratio::from_ppm(200_000), None)?;
/// assert_eq!(reward.profit, "2.00".parse()?); // 0.4 · 10 − 2
/// assert_eq!(reward.price_of_spend, "-0.40".parse()?);
/// assert_eq!(reward.total, "1.60".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RewardTerms {
    /// Profit on revenue before advertising. Default 1.
    pub margin: Ratio,
    /// ν, the weight of the return target. Default 0: not used.
    pub roas_weight: Ratio,
    /// τ, the return target. Default 1.5.
    pub roas_target: Ratio,
    /// κ, what a unit spent above the target costs on top of itself. Default 0: not used.
    pub overspend_penalty: Ratio,
    /// The classic bonus on the ratio; `None` for none. Default `None`.
    pub ratio_bonus: Option<RatioBonus>,
}

/// The classic bonus: weight · (ROAS ÷ target − 1), within bounds. For compatibility only; see
/// [`RewardTerms`].
///
/// Without spend the ratio is undefined, and there is no bonus, neither good nor bad; the same
/// below `least_spend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatioBonus {
    /// What a return of twice the target earns.
    pub weight: Micros,
    /// The return at which the bonus is nothing; above 0.
    pub target: Ratio,
    /// How many times the weight the bonus is at most, either way.
    pub most: Ratio,
    /// Below this spend there is no bonus.
    pub least_spend: Micros,
}

impl Default for RewardTerms {
    fn default() -> Self {
        Self {
            margin: Ratio::ONE,
            roas_weight: Ratio::ZERO,
            roas_target: Ratio::from_ppm(1_500_000),
            overspend_penalty: Ratio::ZERO,
            ratio_bonus: None,
        }
    }
}

/// A reward and what it is made of: the total is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reward {
    /// margin · revenue − spend.
    pub profit: Micros,
    /// −λ · spend.
    pub price_of_spend: Micros,
    /// ν · (revenue − τ · spend).
    pub roas: Micros,
    /// −κ · (spend − target), where that is above zero.
    pub overspend: Micros,
    /// The ratio's bonus.
    pub bonus: Micros,
    /// All of it.
    pub total: Micros,
}

/// A reward that does not fit into 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reward does not fit into 64 bits")]
pub struct RewardOverflow;

impl RewardTerms {
    /// The reward of an outcome at a price of money λ; `target` is what was to be spent, for the
    /// penalty.
    ///
    /// # Errors
    /// [`RewardOverflow`] where a term does not fit.
    pub fn reward(
        &self,
        outcome: &Metrics,
        lambda: Ratio,
        target: Option<Micros>,
    ) -> Result<Reward, RewardOverflow> {
        let (spend, revenue) = (
            i128::from(outcome.spend.get()),
            i128::from(outcome.revenue.get()),
        );
        let ppm = |ratio: Ratio| i128::from(ratio.ppm());
        let over = target.map_or(0, |target| (spend - i128::from(target.get())).max(0));
        let gained = ppm(self.margin)
            .checked_mul(revenue)
            .and_then(|earned| earned.checked_sub(spend * ONE));
        let above = (revenue * ONE).checked_sub(ppm(self.roas_target) * spend);
        let roas = above.and_then(|above| ppm(self.roas_weight).checked_mul(above));
        let mut reward = Reward {
            profit: rounded(gained, ONE)?,
            price_of_spend: rounded(ppm(lambda).checked_mul(-spend), ONE)?,
            roas: rounded(roas, ONE * ONE)?,
            overspend: rounded(ppm(self.overspend_penalty).checked_mul(-over), ONE)?,
            bonus: self.bonus(outcome)?,
            total: Micros::ZERO,
        };
        let parts = [
            reward.profit,
            reward.price_of_spend,
            reward.roas,
            reward.overspend,
            reward.bonus,
        ];
        let total = parts
            .iter()
            .map(|part| i128::from(part.get()))
            .sum::<i128>();
        reward.total = rounded(Some(total), 1)?;
        Ok(reward)
    }

    fn bonus(&self, outcome: &Metrics) -> Result<Micros, RewardOverflow> {
        let Some(bonus) = self.ratio_bonus else {
            return Ok(Micros::ZERO);
        };
        let target = i128::from(bonus.target.ppm());
        let spend = i128::from(outcome.spend.get());
        if spend <= 0 || outcome.spend < bonus.least_spend || target <= 0 {
            return Ok(Micros::ZERO);
        }
        // (revenue ÷ spend) ÷ target − 1, in millionths; the bound comes before the rounding.
        let revenue = i128::from(outcome.revenue.get());
        let above = revenue * ONE * ONE - target * spend * ONE;
        let most = i128::from(bonus.most.ppm().max(0));
        let share = (above / (target * spend)).clamp(-most, most);
        rounded(i128::from(bonus.weight.get()).checked_mul(share), ONE)
    }
}

/// A millionth's count in one.
const ONE: i128 = 1_000_000;

/// A quotient rounded half to even.
fn rounded(numerator: Option<i128>, denominator: i128) -> Result<Micros, RewardOverflow> {
    let numerator = numerator.ok_or(RewardOverflow)?;
    let floor = numerator.div_euclid(denominator);
    let twice = 2 * numerator.rem_euclid(denominator);
    let up = twice > denominator || (twice == denominator && floor % 2 != 0);
    i64::try_from(floor + i128::from(up))
        .map(Micros::new)
        .map_err(|_| RewardOverflow)
}
