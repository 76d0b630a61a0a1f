//! The best mixture of arms under a budget and a clock, when rewards and costs are known.

/// The linear program of one budget and one clock: of arms with a reward and a cost each, in what
/// shares should the next rounds be spent so that the mean cost stays within `rate`?
///
/// maximise Σ xᵢ rᵢ subject to Σ xᵢ cᵢ ≤ rate, Σ xᵢ ≤ 1, xᵢ ≥ 0. What Σ xᵢ leaves is spent idle.
///
/// **Cost**: O(K log K).
///
/// **Source**: Badanidiyuru, Kleinberg & Slivkins (2013), Bandits with knapsacks, (LP-primal),
/// for one resource besides time; its value is the height of the upper convex hull of the points
/// (cᵢ, rᵢ) and (0, 0) at `rate`, and the budget's price the slope there.
///
/// ```
/// use gaelp_bandits::Program;
///
/// let solution = Program { rate: 0.4, arms: &[(0.9, 0.8), (0.5, 0.3), (0.3, 0.1)] }.solve();
/// assert!((solution.value - 0.58).abs() < 1e-12);
/// assert!((solution.price - 0.8).abs() < 1e-12);
/// assert!((solution.shares[0] - 0.2).abs() < 1e-12 && (solution.shares[1] - 0.8).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// What a round may cost on average.
    pub rate: f64,
    /// The reward and the cost of each arm, neither negative.
    pub arms: &'a [(f64, f64)],
}

/// The solution of a [`Program`].
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// The share of rounds of each arm; at most two are positive.
    pub shares: Vec<f64>,
    /// The mean reward of a round.
    pub value: f64,
    /// The budget's price: what another unit of it would earn.
    pub price: f64,
}

impl Program<'_> {
    /// Solves it.
    pub fn solve(&self) -> Solution {
        let hull = self.hull();
        let mut shares = vec![0.0; self.arms.len()];
        let beyond = hull.iter().position(|corner| corner.cost > self.rate);
        let (left, right) = match beyond {
            // Even the dearest corner is within the rate: money has no price.
            None => {
                let last = hull[hull.len() - 1];
                if let Some(arm) = last.arm {
                    shares[arm] = 1.0;
                }
                return Solution {
                    shares,
                    value: last.reward,
                    price: 0.0,
                };
            }
            // Corners begin at no cost, so one lies within every rate that is not negative.
            Some(0) => (hull[0], hull[0]),
            Some(right) => (hull[right - 1], hull[right]),
        };
        let width = right.cost - left.cost;
        let share = if width > 0.0 {
            (self.rate - left.cost) / width
        } else {
            0.0
        };
        for (corner, share) in [(left, 1.0 - share), (right, share)] {
            if let Some(arm) = corner.arm {
                shares[arm] += share;
            }
        }
        let rise = right.reward - left.reward;
        Solution {
            shares,
            value: left.reward + share * rise,
            price: if width > 0.0 { rise / width } else { 0.0 },
        }
    }

    /// The corners of the upper hull, by rising cost and reward; the first costs nothing.
    fn hull(&self) -> Vec<Corner> {
        let arms = self.arms.iter().enumerate();
        let mut points: Vec<_> = arms
            .map(|(arm, &(reward, cost))| Corner {
                arm: Some(arm),
                reward,
                cost: cost.max(0.0),
            })
            .collect();
        points.sort_by(|a, b| {
            let by_cost = a.cost.total_cmp(&b.cost);
            by_cost.then(b.reward.total_cmp(&a.reward))
        });
        let idle = Corner {
            arm: None,
            reward: 0.0,
            cost: 0.0,
        };
        let mut hull = vec![idle];
        for point in points {
            if point.reward <= hull[hull.len() - 1].reward {
                continue; // As dear or dearer, and no better.
            }
            while let [.., before, last] = hull[..]
                && (last.reward - before.reward) * (point.cost - before.cost)
                    <= (point.reward - before.reward) * (last.cost - before.cost)
            {
                hull.pop();
            }
            if point.cost <= 0.0 {
                hull.clear();
            }
            hull.push(point);
        }
        hull
    }
}

#[derive(Clone, Copy, Debug)]
struct Corner {
    /// `None` stays idle.
    arm: Option<usize>,
    reward: f64,
    cost: f64,
}
