//! After several violations of safety in a row, nothing is raised until somebody says so.

use std::num::NonZeroU32;

use gaelp_core::{PersonId, UtcHour};
use serde::{Deserialize, Serialize};

/// Whether what happened kept to the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conduct {
    /// It did.
    Safe,
    /// It did not: more was spent than a cap allows, see
    /// [`Guardrails::exceeded`](crate::Guardrails::exceeded), or more is in force than was allowed.
    Violation,
}

/// The emergency mode: it begins after several violations in a row, and only an operator ends it.
///
/// It is plain data: store it beside the account, and hand [`since`](Self::since) to the rules as
/// [`Operator::emergency`](crate::Operator::emergency).
///
/// ```
/// use std::num::NonZeroU32;
///
/// use gaelp_core::UtcHour;
/// use gaelp_guardrails::{Conduct, Emergency};
///
/// let mut emergency = Emergency::new(NonZeroU32::new(2).ok_or("two is not zero")?);
/// let now = UtcHour::new(500_000);
/// emergency.record(Conduct::Violation, now);
/// assert_eq!(emergency.since(), None);
/// emergency.record(Conduct::Violation, now.plus(1));
/// // Good conduct does not end it.
/// emergency.record(Conduct::Safe, now.plus(2));
/// assert_eq!(emergency.since(), Some(now.plus(1)));
/// emergency.rearm("ada".into(), now.plus(3));
/// assert_eq!(emergency.since(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    after: NonZeroU32,
    violations: u32,
    since: Option<UtcHour>,
    rearmed: Option<(PersonId, UtcHour)>,
}

impl Emergency {
    /// No emergency; one begins after so many violations in a row.
    pub const fn new(after: NonZeroU32) -> Self {
        Self {
            after,
            violations: 0,
            since: None,
            rearmed: None,
        }
    }

    /// Takes in how an hour went.
    pub fn record(&mut self, conduct: Conduct, now: UtcHour) {
        match conduct {
            Conduct::Safe => self.violations = 0,
            Conduct::Violation => self.violations = self.violations.saturating_add(1),
        }
        if self.since.is_none() && self.violations >= self.after.get() {
            self.since = Some(now);
        }
    }

    /// Since when it lasts; `None` where there is no emergency.
    pub const fn since(&self) -> Option<UtcHour> {
        self.since
    }

    /// How many violations there were in a row.
    pub const fn violations(&self) -> u32 {
        self.violations
    }

    /// An operator ends it; violations are counted from zero again.
    pub fn rearm(&mut self, by: PersonId, now: UtcHour) {
        self.violations = 0;
        self.since = None;
        self.rearmed = Some((by, now));
    }

    /// Who ended the last one, and when.
    pub fn rearmed(&self) -> Option<(&PersonId, UtcHour)> {
        self.rearmed.as_ref().map(|(by, at)| (by, *at))
    }
}
