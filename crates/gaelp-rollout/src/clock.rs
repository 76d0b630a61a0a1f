//! The time as it was told.

use chrono::{DateTime, Duration, Utc};

/// The time as it was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    latest: Option<DateTime<Utc>>,
    /// Whether the last event came from before the latest.
    behind: bool,
    /// Whether any event of this step did.
    pub(crate) ran_back: bool,
}

impl Clock {
    pub(crate) fn tell(&mut self, now: DateTime<Utc>, skew: Duration) {
        self.behind = self.latest.is_some_and(|latest| now < latest - skew);
        self.ran_back |= self.behind;
        self.latest = self.latest.max(Some(now));
    }

    pub(crate) fn begin_step(&mut self) {
        self.ran_back = self.behind;
    }
}
