//! What the reports say of the ad set.

use gaelp_guardrails::FreezeState;

use super::{Model, ONE, big, ppm};

impl Model<'_> {
    pub(crate) fn thin(&self) -> bool {
        let asked = i128::from(self.config.roas_window_hours);
        self.sums.covered * 1_000_000 < asked * i128::from(self.config.min_coverage.ppm())
    }

    pub(crate) fn stale(&self) -> bool {
        let Some(newest) = self.over().max_by_key(|row| row.0.to) else {
            return true;
        };
        let limit = i64::from(self.config.max_data_age_hours) * i64::from(newest.0.len());
        self.case.now.since(newest.0.to) > limit
    }

    /// Whether a measure is bad, whether it would let a freeze end, and whether it says anything.
    fn roas(&self) -> Option<(bool, bool, bool)> {
        let bound = i128::from(self.config.freeze_roas_below?.ppm());
        let exit = self
            .config
            .unfreeze_roas_at
            .map_or(bound + bound / 10, |r| i128::from(r.ppm()));
        let sums = self.sums;
        if self.thin() {
            return Some((false, false, false));
        }
        if sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend) {
            return Some((false, true, false));
        }
        let earned = sums.revenue * 1_000_000;
        Some((
            earned < bound * sums.spend,
            earned >= exit * sums.spend,
            true,
        ))
    }

    fn cpa(&self) -> Option<(bool, bool, bool)> {
        let bound = big(self.config.freeze_cpa_above?);
        let exit = self.config.unfreeze_cpa_at.map_or(bound - bound / 10, big);
        let sums = self.sums;
        if self.thin() {
            return Some((false, false, false));
        }
        if sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend) {
            return Some((false, true, false));
        }
        if sums.conversions == 0 {
            let bad = sums.spend > bound;
            return Some((bad, false, bad));
        }
        let paid = sums.spend * 1_000_000;
        Some((
            paid > bound * sums.conversions,
            paid <= exit * sums.conversions,
            true,
        ))
    }

    /// N such that N times the expected rate is enough, by trying each.
    fn dry_limit(&self) -> Option<i128> {
        let asked = i128::from(self.config.freeze_without_conversion_hours?);
        let expected = self.case.expected.conversions_per_hour;
        let Some(rate) = expected.or(self.config.expected_conversions_per_hour) else {
            return Some(asked);
        };
        let needed = i128::from(self.config.min_expected_conversions.millionths());
        let enough = |hours: i128| hours * i128::from(rate.millionths()) >= needed;
        // There are never more than 480 hours of reports.
        Some(
            (asked..1_000)
                .find(|&hours| enough(hours))
                .unwrap_or(i128::MAX),
        )
    }

    fn conversions(&self) -> Option<(bool, bool, bool)> {
        let limit = self.dry_limit()?;
        let (mut hours, mut spend) = (0, 0);
        // The rows come newest first.
        for &(span, paid, _, conversions) in self.over() {
            if hours >= limit {
                break;
            }
            if conversions > 0 {
                return Some((false, true, true));
            }
            hours += i128::from(span.len());
            spend += i128::from(paid);
        }
        if hours < limit {
            return Some((false, false, false));
        }
        let idle = spend == 0 || spend < big(self.config.minimum_window_spend);
        Some((!idle, idle, !idle))
    }

    fn spike(&self) -> Option<(bool, bool, bool)> {
        let most = ppm(self.config.max_spike?);
        let Some(usual) = self
            .case
            .usual
            .filter(|usual| usual.weeks >= self.config.spike_min_weeks)
        else {
            return Some((false, false, false));
        };
        let large = usual.last_hour >= self.config.spike_minimum_spend;
        // In whole micros, rounded down: the bound is an amount of money.
        let bad = large && big(usual.last_hour) > big(usual.usual) * most / ONE;
        Some((bad, !bad, true))
    }

    /// Whether CPA is above what it is meant to be, so many times; `None` where nobody said.
    pub(super) fn expensive(&self) -> Option<bool> {
        let meant = big(self.case.expected.cpa?);
        let bound = (meant * ppm(self.config.max_cpa_multiplier?)).div_euclid(ONE);
        let bound = if bound > i128::from(i64::MAX) || bound < i128::from(i64::MIN) {
            i128::from(i64::MAX)
        } else {
            bound
        };
        let sums = self.sums;
        let idle = sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend);
        if self.thin() || idle {
            return Some(false);
        }
        // Without a conversion, the first one has cost at least what was spent.
        Some(if sums.conversions == 0 {
            sums.spend > bound
        } else {
            sums.spend * ONE > bound * sums.conversions
        })
    }

    fn after(
        &self,
        before: FreezeState,
        seen: Option<(bool, bool, bool)>,
        need: u32,
    ) -> FreezeState {
        let Some((bad, may_end, judged)) = seen else {
            return FreezeState::default();
        };
        if let Some(since) = before.since {
            let ends = may_end && self.case.now.since(since) >= i64::from(self.config.dwell_hours);
            let since = if ends { None } else { before.since };
            return FreezeState { bad: 0, since };
        }
        if !judged {
            return before;
        }
        if !bad {
            return FreezeState::default();
        }
        let counted = self
            .case
            .memory
            .evaluated
            .is_some_and(|last| last >= self.case.now);
        let count = if counted {
            before.bad.max(1)
        } else {
            before.bad + 1
        };
        if count >= need {
            FreezeState {
                bad: 0,
                since: Some(self.case.now),
            }
        } else {
            FreezeState {
                bad: count,
                since: None,
            }
        }
    }

    pub(crate) fn states(&self) -> [FreezeState; 4] {
        let (memory, need) = (&self.case.memory, self.config.freeze_after_evaluations);
        [
            self.after(memory.roas, self.roas(), need),
            self.after(memory.cpa, self.cpa(), need),
            self.after(memory.conversions, self.conversions(), 1),
            self.after(memory.spike, self.spike(), 1),
        ]
    }
}
