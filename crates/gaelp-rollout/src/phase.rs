//! How far a rollout has come, and what it takes to go on.

use gaelp_core::{Quantity, Ratio};
use serde::{Deserialize, Serialize};

/// A step of the ladder from reading along to the whole budget.
///
/// A phase rises one step at a time, when [`Ladder::judge`] finds nothing missing and a person
/// agrees; it falls freely.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It reads and logs.
    #[default]
    Shadow,
    /// It writes budgets of one or two ad sets.
    Canary,
    /// A tenth of the cap.
    Tenth,
    /// A quarter of the cap.
    Quarter,
    /// Half of the cap.
    Half,
    /// All of it.
    Whole,
}

impl Phase {
    /// All phases, in the order in which they are climbed.
    pub const ALL: [Self; 6] = [
        Self::Shadow,
        Self::Canary,
        Self::Tenth,
        Self::Quarter,
        Self::Half,
        Self::Whole,
    ];

    /// The share of the account's cap up to which the ad sets in its hands may be raised.
    ///
    /// | phase | share |
    /// |---|---|
    /// | shadow | 0 |
    /// | canary | 0.05 |
    /// | tenth, quarter, half, whole | 0.10, 0.25, 0.50, 1 |
    ///
    /// ```
    /// use gaelp_core::Ratio;
    /// use gaelp_rollout::Phase;
    ///
    /// assert_eq!(Phase::Quarter.share_of_cap(), Ratio::from_ppm(250_000));
    /// ```
    pub const fn share_of_cap(self) -> Ratio {
        Ratio::from_ppm(match self {
            Self::Shadow => 0,
            Self::Canary => 50_000,
            Self::Tenth => 100_000,
            Self::Quarter => 250_000,
            Self::Half => 500_000,
            Self::Whole => 1_000_000,
        })
    }

    /// The next phase up; `None` from the top.
    pub fn above(self) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| *phase > self)
    }

    /// The next phase down; `None` from shadow.
    pub fn below(self) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|phase| *phase < self)
    }
}

/// What a comparison of the ad sets in its hands with the others says, from a sequential test of
/// the caller's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// They do at least as well, within the margin that was agreed.
    NotWorse,
    /// They do worse.
    Worse,
    /// It does not say. Nothing is promoted on that.
    #[default]
    Inconclusive,
}

/// What was seen in a phase since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// Whole local days.
    pub days: u32,
    /// The share of their hours that was reported.
    pub coverage: Ratio,
    /// Conversions of the ad sets in its hands.
    pub conversions: Quantity,
    /// Broken invariants, and suggestions that the rules had to deny.
    pub violations: u32,
    /// The share of hours in which raises were frozen.
    pub frozen: Ratio,
    /// How the ad sets in its hands do.
    pub comparison: Comparison,
    /// Whether the assumptions about the platforms were measured: how long a write lives, that
    /// worst-case spend is kept, that nobody else edits.
    pub assumptions_measured: bool,
}

/// What the ladder asks for.
///
/// The defaults are those of the pilot guide. A week is the least, because the days of a week
/// differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ladder {
    /// Days in shadow. Default 14.
    pub shadow_days: u32,
    /// Days on every higher step. Default 7.
    pub step_days: u32,
    /// Coverage, everywhere. Default 0.95.
    pub coverage: Ratio,
    /// Conversions in the canary phase and above. Default 50.
    pub conversions: Quantity,
    /// The share of frozen hours beyond which a phase falls. Default 0.25.
    pub frozen: Ratio,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            shadow_days: 14,
            step_days: 7,
            coverage: Ratio::from_ppm(950_000),
            conversions: Quantity::from_millionths(50_000_000),
            frozen: Ratio::from_ppm(250_000),
        }
    }
}

/// What is missing for the next phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// Days.
    Days,
    /// Reported hours.
    Coverage,
    /// Conversions.
    Conversions,
    /// A comparison that says something.
    Comparison,
    /// Measured assumptions.
    Assumptions,
    /// A time without violations.
    CleanRecord,
}

/// Why a phase falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fall {
    /// Something happened that must not.
    Violation,
    /// The ad sets in its hands do worse.
    Worse,
    /// Raises were frozen too often.
    Frozen,
}

/// What the ladder says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Stay, until what is missing is there; nothing is missing at the top.
    Stay(Vec<Missing>),
    /// A person may let it rise to this phase.
    Rise(Phase),
    /// It falls to this phase, at once.
    Fall(Phase, Fall),
}

impl Ladder {
    /// What the evidence of a phase means for it.
    ///
    /// Falling is judged first, and needs no minimum of days: a broken invariant leads back to
    /// shadow, results that are worse or frozen hours one step down.
    ///
    /// ```
    /// use gaelp_core::Ratio;
    /// use gaelp_rollout::{Evidence, Judgement, Ladder, Missing, Phase};
    ///
    /// let ladder = Ladder::default();
    /// let mut seen = Evidence {
    ///     days: 14,
    ///     coverage: Ratio::ONE,
    ///     ..Evidence::default()
    /// };
    /// let missing = Judgement::Stay(vec![Missing::Assumptions]);
    /// assert_eq!(ladder.judge(Phase::Shadow, &seen), missing);
    /// seen.assumptions_measured = true;
    /// assert_eq!(ladder.judge(Phase::Shadow, &seen), Judgement::Rise(Phase::Canary));
    /// ```
    pub fn judge(&self, phase: Phase, seen: &Evidence) -> Judgement {
        if let Some((to, why)) = self.falls(phase, seen) {
            return Judgement::Fall(to, why);
        }
        match (phase.above(), self.missing(phase, seen)) {
            (Some(next), missing) if missing.is_empty() => Judgement::Rise(next),
            (Some(_), missing) => Judgement::Stay(missing),
            (None, _) => Judgement::Stay(Vec::new()),
        }
    }

    fn falls(&self, phase: Phase, seen: &Evidence) -> Option<(Phase, Fall)> {
        let below = phase.below()?;
        if seen.violations > 0 {
            return Some((Phase::Shadow, Fall::Violation));
        }
        if seen.comparison == Comparison::Worse {
            return Some((below, Fall::Worse));
        }
        (seen.frozen > self.frozen).then_some((below, Fall::Frozen))
    }

    fn missing(&self, phase: Phase, seen: &Evidence) -> Vec<Missing> {
        let shadow = phase == Phase::Shadow;
        let days = if shadow {
            self.shadow_days
        } else {
            self.step_days
        };
        let asked = [
            (seen.days < days, Missing::Days),
            (seen.coverage < self.coverage, Missing::Coverage),
            (
                !shadow && seen.conversions < self.conversions,
                Missing::Conversions,
            ),
            (
                !shadow && seen.comparison != Comparison::NotWorse,
                Missing::Comparison,
            ),
            (shadow && !seen.assumptions_measured, Missing::Assumptions),
            // Shadow cannot fall: there a violation bars the way.
            (shadow && seen.violations > 0, Missing::CleanRecord),
        ];
        let lacking = asked.into_iter().filter(|(lacks, _)| *lacks);
        lacking.map(|(_, what)| what).collect()
    }
}
