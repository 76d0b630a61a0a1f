//! Freezes that neither start at the first bad look nor end at the first good one.

use gaelp_core::UtcHour;
use serde::{Deserialize, Serialize};

use crate::seeded;

/// What the freezes of one ad set remember from one verdict to the next.
///
/// Small and plain: store it beside the ad set and hand it back in the next
/// [`Context`](crate::Context). Whatever it holds, the rules stay safe: at worst a freeze is longer
/// or starts later. The default remembers nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// The freeze on ROAS.
    pub roas: FreezeState,
    /// The freeze on CPA.
    pub cpa: FreezeState,
    /// The freeze on hours without a conversion.
    pub conversions: FreezeState,
    /// The pause after a spike of spend.
    pub spike: FreezeState,
    /// The latest hour whose evaluation is counted: looking twice in an hour counts once.
    pub evaluated: Option<UtcHour>,
}

/// The state of one freeze.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FreezeState {
    /// How many evaluations in a row were bad, while it is not frozen.
    pub bad: u32,
    /// Since when it is frozen.
    pub since: Option<UtcHour>,
}

/// What an evaluation says about one measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Beyond the bound of the freeze.
    Bad,
    /// Between the bound of the freeze and the one that ends it.
    Between,
    /// At the bound that ends the freeze, or better.
    Good,
    /// Too little was spent for anything to be said: what was bad has left the window.
    Idle,
    /// The data are too thin for anything to be said.
    Unknown,
}

/// The rules of all freezes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hysteresis {
    pub(crate) now: UtcHour,
    /// Whether an evaluation of this hour is counted already.
    pub(crate) counted: bool,
    /// How many bad evaluations in a row freeze.
    pub(crate) after: u32,
    /// How many hours a freeze lasts at least.
    pub(crate) dwell: u32,
}

impl Hysteresis {
    /// The state after a finding.
    pub(crate) fn step(&self, state: FreezeState, finding: Finding) -> FreezeState {
        match state.since {
            Some(since) => {
                let over = self.now.since(since) >= i64::from(seeded::dwell(self.dwell));
                if over && matches!(finding, Finding::Good | Finding::Idle) {
                    FreezeState::default()
                } else {
                    FreezeState { bad: 0, ..state }
                }
            }
            None => match finding {
                Finding::Bad => self.bad_again(state.bad),
                Finding::Between | Finding::Good => FreezeState::default(),
                // Neither confirms nor refutes what was seen before.
                Finding::Idle | Finding::Unknown => state,
            },
        }
    }

    fn bad_again(&self, before: u32) -> FreezeState {
        let bad = if self.counted {
            before.max(1)
        } else {
            before.saturating_add(1)
        };
        if bad >= self.after {
            FreezeState {
                bad: 0,
                since: Some(self.now),
            }
        } else {
            FreezeState { bad, since: None }
        }
    }
}
