//! How the account's traffic falls onto the hours, as the rules on traffic-normalised rates ask.

use chrono::NaiveDate;
use gaelp_budget::TrafficProfile;
use gaelp_core::{AccountZone, HourSpan, MetricRow, Ratio, UtcHour};
use gaelp_guardrails::{GuardrailConfig, Traffic};

use crate::Rollout;

/// For how many reported weeks of one ad set the belief counts that all hours are alike. Two: a
/// shape is believed by half after two weeks, and a single odd day moves little.
const PRIOR_WEEKS: f64 = 2.0;

/// A profile that has seen nothing.
pub(crate) fn unseen() -> TrafficProfile {
    TrafficProfile::flat(PRIOR_WEEKS).expect("two weeks are a strength that profiles take")
}

/// Whether a rule looks at traffic.
pub(crate) fn is_asked(rules: &GuardrailConfig) -> bool {
    rules.delta_max_normalised.is_some() || rules.delta_max_24h_normalised.is_some()
}

impl Rollout {
    /// The shares of a span, of the one before and of the one 24 hours earlier; `None` where no
    /// rule asks.
    pub(crate) fn traffic(&self, span: HourSpan) -> Option<Traffic> {
        let profile = self.config.traffic.as_ref().or(self.traffic.as_ref())?;
        let asked = self.policies().any(|policy| is_asked(policy.config()));
        if !asked {
            return None;
        }
        if span.len() != 1 {
            // A day has the whole of its traffic.
            let whole = Ratio::ONE;
            return Some(Traffic {
                before: whole,
                next: whole,
                day_ago: Some(whole),
            });
        }
        let zone = self.config.zone;
        let date = |hour: UtcHour| zone.local(hour).date;
        let (next, before) = (span.from, span.from.plus(-1));
        let today = Day::new(profile, zone, date(next));
        // The day before has the hour before midnight, and that of 24 hours ago.
        let eve = Day::new(profile, zone, date(next.plus(-24)));
        let of = |hour: UtcHour| {
            let day = [&today, &eve]
                .into_iter()
                .find(|day| day.date == date(hour));
            // Where a day has but 23 hours, midnight's neighbours may lie on three days.
            let other = || Day::new(profile, zone, date(hour)).share(hour);
            day.map_or_else(other, |day| day.share(hour))
        };
        Some(Traffic {
            before: of(before),
            next: of(next),
            day_ago: Some(of(next.plus(-24))),
        })
    }

    /// What was reported before of the hour of a row, where anything was and somebody learns of it.
    pub(crate) fn counted_before(&self, row: &MetricRow) -> Option<u64> {
        self.traffic.as_ref()?;
        let ad_set = self.ad_sets.get(&row.key)?;
        let seen = ad_set.trailing.window(row.span.to, 1);
        (seen.rows == 1 && seen.covered_hours == 1).then_some(seen.metrics.impressions)
    }

    /// Counts the impressions of an hour, in place of what was counted before.
    pub(crate) fn count_traffic(&mut self, row: &MetricRow, before: Option<u64>) {
        let Some(profile) = self.traffic.as_mut().filter(|_| row.span.len() == 1) else {
            return;
        };
        let local = self.config.zone.local(row.span.from);
        let now = row.metrics.impressions;
        match before {
            Some(before) => profile.restate(local, before, now),
            None => profile.observe(local, now),
        }
    }
}

/// A local day's shares.
struct Day {
    date: NaiveDate,
    shares: Vec<(UtcHour, f64)>,
}

impl Day {
    fn new(profile: &TrafficProfile, zone: AccountZone, date: NaiveDate) -> Self {
        let (hours, shares) = profile.day(zone, date);
        let shares = hours.into_iter().zip(shares).collect();
        Self { date, shares }
    }

    /// An hour's share; none of it where the hour is not of this day.
    fn share(&self, hour: UtcHour) -> Ratio {
        let share = self.shares.iter().find(|&&(other, _)| other == hour);
        let share = share.map_or(0.0, |&(_, share)| share.clamp(0.0, 1.0));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "from nothing to a million, rounded"
        )]
        let ppm = (share * 1e6).round() as i64;
        Ratio::from_ppm(ppm)
    }
}
