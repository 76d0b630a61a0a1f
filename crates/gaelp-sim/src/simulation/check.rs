//! A write is checked against everything that forbids it.

use chrono::Duration;
use gaelp_core::{AdSetKey, Level, Micros, Ratio, Reason, Rounding};
use gaelp_guardrails::rules;
use gaelp_platform::SetBudget;
use gaelp_rollout::ActionRecord;

use super::{Runner, Simulation};
use crate::Violation;
use crate::audit::Delivered;
use crate::outcome::Barred;

/// Hours by which a daily budget is an hourly rate.
const HOURS_PER_DAY: i64 = 24;

impl Simulation {
    pub(super) fn check_write(&mut self, runner: &Runner, request: &SetBudget) {
        let key = &request.key;
        // I3: the intent is in the log, and says the same.
        let as_intended = runner
            .book()
            .open(key)
            .iter()
            .any(|intent| intent.id == request.decision && intent.to == request.daily_budget);
        let now = runner.now(self.border.world().now());
        let open = runner.book().open(key);
        let mut ours = open.iter().filter(|intent| intent.id == request.decision);
        if ours.any(|intent| now > intent.not_after) {
            self.violations.push(Violation::SentLate {
                key: key.clone(),
                decision: request.decision,
            });
        }
        let appended = self.log.take_appended();
        self.audit
            .read(&appended, &mut self.counters, &mut self.violations);
        if !as_intended || !self.audit.knows(request.decision) {
            self.violations.push(Violation::NoIntent {
                key: key.clone(),
                decision: request.decision,
            });
        }
        let config = &self.scenario.rollout.guardrails;
        // I10: pilot mode changes what is named, and nothing else.
        let named = config
            .canary
            .as_ref()
            .is_some_and(|list| list.contains(&key.ad_set));
        if !named {
            self.violations
                .push(Violation::Authority { key: key.clone() });
        }
        let Some(action) = runner.pending.get(&request.decision) else {
            self.violations.push(Violation::NoIntent {
                key: key.clone(),
                decision: request.decision,
            });
            return;
        };
        self.check_ceilings(request, action);
        let confirmed = runner.book().confirmed(key);
        if confirmed.is_none_or(|confirmed| request.daily_budget > confirmed) {
            self.check_phase(runner, key);
            self.check_raise(runner, request, action);
            self.check_edits(runner, key);
        }
    }

    /// I4: what is sent is below every ceiling, or at the platform's minimum on its way down.
    fn check_ceilings(&mut self, request: &SetBudget, action: &ActionRecord) {
        let key = &request.key;
        let platforms = &self.scenario.world.platforms;
        let minimum = platforms
            .iter()
            .find(|p| p.platform == key.platform)
            .map_or(Micros::ZERO, |p| p.minimum_daily_budget);
        if request.daily_budget <= minimum {
            return;
        }
        for reason in &action.decision.reasons {
            let Some(ceiling) = reason.ceiling else {
                continue;
            };
            let daily = ceiling.checked_mul(HOURS_PER_DAY).unwrap_or(Micros::MAX);
            if request.daily_budget > daily {
                self.violations.push(Violation::Ceiling {
                    key: key.clone(),
                    rule: reason.rule.clone(),
                    sent: request.daily_budget,
                    ceiling,
                });
            }
        }
    }

    /// I6 and I11.
    fn check_raise(&mut self, runner: &Runner, request: &SetBudget, action: &ActionRecord) {
        let key = &request.key;
        let at = action.decision.span.from;
        let config = &self.scenario.rollout.guardrails;
        let mut barred = None;
        // Hours in which nothing is raised say nothing against going back to where a cap had cut.
        let hours = [rules::PEAK_HOURS, rules::RESTRICTED_HOURS];
        let freezes = |r: &Reason| r.level >= Level::Freeze && !hours.contains(&r.rule);
        if action.decision.reasons.iter().any(freezes) {
            barred = Some(Barred::Frozen);
        }
        let delivered = self.delivered.get(key).copied().unwrap_or(Delivered::NONE);
        if delivered.age(at) > i64::from(config.max_data_age_hours) {
            barred = Some(Barred::Stale);
        }
        let window = config.roas_window_hours;
        let covered = i64::from(delivered.covered(at, window)) * Ratio::ONE.ppm();
        if covered < config.min_coverage.ppm() * i64::from(window) {
            barred = Some(Barred::Thin);
        }
        if let Some(barred) = barred {
            self.violations.push(Violation::Raised {
                key: key.clone(),
                barred,
                at,
            });
        }
        // Per hour, from the rate that the decision counted as current.
        let factor = Ratio::ONE
            .checked_add(config.delta_max)
            .unwrap_or(Ratio::ONE);
        let current = action.decision.current;
        let hourly = current
            .checked_scale(factor, Rounding::Up)
            .and_then(|rate| rate.max(config.hourly_floor).checked_mul(HOURS_PER_DAY));
        // Per day, from what really stood.
        let known = runner.book().confirmed(key).unwrap_or(Micros::ZERO);
        let base = current.checked_mul(HOURS_PER_DAY).unwrap_or(Micros::MAX);
        let returns = base > known;
        let world = self.border.world();
        let daily = self.audit.bound(world, key, config.delta_max_24h, returns);
        let floor = config.hourly_floor.checked_mul(HOURS_PER_DAY);
        let floor = floor.unwrap_or(Micros::ZERO);
        let bounds = [hourly, daily.map(|bound| bound.max(floor).max(known))];
        for bound in bounds.into_iter().flatten() {
            if request.daily_budget > bound {
                self.violations.push(Violation::TooFast {
                    key: key.clone(),
                    sent: request.daily_budget,
                    bound,
                });
            }
        }
    }

    /// One edit of an hour is kept for a decrease.
    fn check_edits(&mut self, runner: &Runner, key: &AdSetKey) {
        let Some(most) = self.scenario.rollout.guardrails.max_edits_per_hour else {
            return;
        };
        // Well within the hour: an edit counts from its admission, and may be sent minutes later.
        let since = self.border.world().now() - Duration::minutes(48);
        let recent = runner
            .applied
            .iter()
            .rev()
            .take_while(|(_, at)| *at > since);
        let edits = recent.filter(|(edited, _)| edited == key).count();
        if u32::try_from(edits).unwrap_or(u32::MAX) + 1 >= most {
            self.violations.push(Violation::Edits { key: key.clone() });
        }
    }
}
