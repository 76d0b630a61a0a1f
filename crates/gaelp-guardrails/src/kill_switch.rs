//! The switch that stops everything, and stays.

use gaelp_core::{Micros, PersonId, UtcHour};
use serde::{Deserialize, Serialize};

use crate::LastKnownGood;

/// The kill switch: once pulled it stays, until a person lifts it.
///
/// It is plain data: store it beside the account, and hand [`goes_back_to`](Self::goes_back_to) to
/// the rules as [`Operator::kill`](crate::Operator::kill). They go back to the last known good
/// rate where that is lower than the current one, and never above a cap.
///
/// ```
/// use gaelp_core::{Micros, UtcHour};
/// use gaelp_guardrails::KillSwitch;
///
/// let mut switch = KillSwitch::default();
/// let (now, good) = (UtcHour::new(500_000), Micros::new(400_000));
/// assert_eq!(switch.goes_back_to(good), None);
/// switch.pull("ada".into(), now);
/// switch.pull("bob".into(), now.plus(1)); // it is pulled already
/// assert_eq!(switch.pulled().map(|(by, at)| (by.as_str(), at)), Some(("ada", now)));
/// assert_eq!(switch.goes_back_to(good).map(|good| good.rate), Some(good));
/// switch.lift("bob".into(), now.plus(2));
/// assert_eq!(switch.goes_back_to(good), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KillSwitch {
    pulled: Option<(PersonId, UtcHour)>,
    lifted: Option<(PersonId, UtcHour)>,
}

impl KillSwitch {
    /// Pulls it. Where it is pulled already, nothing changes.
    pub fn pull(&mut self, by: PersonId, now: UtcHour) {
        self.pulled.get_or_insert((by, now));
    }

    /// Lifts it. Where it is not pulled, nothing changes.
    pub fn lift(&mut self, by: PersonId, now: UtcHour) {
        if self.pulled.take().is_some() {
            self.lifted = Some((by, now));
        }
    }

    /// Who pulled it, and when; `None` where it is not pulled.
    pub fn pulled(&self) -> Option<(&PersonId, UtcHour)> {
        self.pulled.as_ref().map(|(by, at)| (by, *at))
    }

    /// Who lifted it last, and when.
    pub fn lifted(&self) -> Option<(&PersonId, UtcHour)> {
        self.lifted.as_ref().map(|(by, at)| (by, *at))
    }

    /// The fact for the rules, where it is pulled: the ad set's last known good rate.
    pub fn goes_back_to(&self, rate: Micros) -> Option<LastKnownGood> {
        self.pulled.as_ref().map(|_| LastKnownGood { rate })
    }
}
