//! What the last hours earned: freezes with hysteresis.

use std::cmp::Ordering;

use gaelp_core::{Metrics, Micros, Operand, Ratio, Rounding, UtcHour};

use super::data::is_thin;
use super::{Facts, Restriction};
use crate::hysteresis::{Finding, Hysteresis};
use crate::{Context, FreezeState, GuardrailConfig, Memory, Window, WithoutConversion};

pub(super) fn freeze_roas(facts: &Facts<'_>) -> Option<Restriction> {
    let bounds = roas_bounds(facts.config)?;
    facts.results.roas?.restriction(
        facts,
        &Compared {
            observed: roas_of,
            enter: Operand::Ratio(bounds.enter),
            exit: Operand::Ratio(bounds.exit),
        },
    )
}

pub(super) fn freeze_cpa(facts: &Facts<'_>) -> Option<Restriction> {
    let bounds = cpa_bounds(facts.config)?;
    facts.results.cpa?.restriction(
        facts,
        &Compared {
            observed: cpa_of,
            enter: Operand::Money(bounds.enter),
            exit: Operand::Money(bounds.exit),
        },
    )
}

pub(super) fn freeze_conversions(facts: &Facts<'_>) -> Option<Restriction> {
    let limit = i64::from(facts.results.dry_hours?);
    facts.results.conversions?.restriction(
        facts,
        &Compared {
            observed: |facts| Operand::Hours(i64::from(facts.results.without.hours)),
            enter: Operand::Hours(limit),
            exit: Operand::Hours(limit),
        },
    )
}

pub(super) fn cpa_multiplier(facts: &Facts<'_>) -> Option<Restriction> {
    let multiplier = facts.config.max_cpa_multiplier?;
    let Some(meant) = facts.context.expected.cpa else {
        return Some(facts.missing(Operand::None));
    };
    // Past 64 bits no CPA is larger, and the denial is there already.
    let bound = meant.checked_scale(multiplier, Rounding::Down);
    let bound = bound.unwrap_or(Micros::MAX);
    let bounds = Bounds {
        enter: bound,
        exit: bound,
    };
    let bad = judge_cpa(facts.config, &facts.window, &bounds) == Finding::Bad;
    let on_freeze = facts.config.on_freeze;
    bad.then(|| facts.freeze_and(on_freeze, cpa_of(facts), Operand::Money(bound)))
}

pub(super) fn spend_spike(facts: &Facts<'_>) -> Option<Restriction> {
    let measure = facts.results.spike?;
    let since = measure.state.since?;
    let (observed, threshold) = match (measure.finding, facts.context.usual) {
        (Finding::Bad, Some(usual)) => {
            let bound = spike_bound(facts.config, usual.usual);
            let bound = bound.map_or(Operand::Undefined, Operand::Money);
            (Operand::Money(usual.last_hour), bound)
        }
        (Finding::Unknown, _) => (Operand::Undefined, Operand::None),
        _ => (
            Operand::Hours(facts.context.now.since(since)),
            Operand::Hours(i64::from(facts.config.dwell_hours)),
        ),
    };
    Some(facts.freeze_and(facts.config.on_spike, observed, threshold))
}

/// What the measures with a bound say, computed once for their rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Results {
    roas: Option<Measure>,
    cpa: Option<Measure>,
    conversions: Option<Measure>,
    spike: Option<Measure>,
    without: WithoutConversion,
    /// After how many hours without a conversion raises stop.
    dry_hours: Option<u32>,
}

/// What one measure says, and the state of its freeze after that.
#[derive(Clone, Copy, Debug)]
struct Measure {
    finding: Finding,
    state: FreezeState,
}

impl Results {
    pub(crate) fn new(config: &GuardrailConfig, context: &Context<'_>, window: &Window) -> Self {
        let memory = &context.memory;
        let hysteresis = Hysteresis {
            now: context.now,
            counted: memory.evaluated.is_some_and(|last| last >= context.now),
            after: config.freeze_after_evaluations,
            dwell: config.dwell_hours,
        };
        // Hours without a conversion are many looks already, and a spike has been spent.
        let at_once = Hysteresis {
            after: 1,
            ..hysteresis
        };
        let limit = config.dry_hours(context.expected.conversions_per_hour);
        let without = context
            .trailing
            .without_conversion(context.now, limit.unwrap_or(0));
        let result = |hysteresis: Hysteresis, before, finding| Measure {
            finding,
            state: hysteresis.step(before, finding),
        };
        Self {
            roas: roas_bounds(config)
                .map(|bounds| result(hysteresis, memory.roas, judge_roas(config, window, &bounds))),
            cpa: cpa_bounds(config)
                .map(|bounds| result(hysteresis, memory.cpa, judge_cpa(config, window, &bounds))),
            conversions: limit.map(|limit| {
                let finding = judge_conversions(config, &without, limit);
                result(at_once, memory.conversions, finding)
            }),
            spike: config
                .max_spike
                .map(|_| result(at_once, memory.spike, judge_spike(config, context))),
            without,
            dry_hours: limit,
        }
    }

    /// What is to be remembered. A measure without a bound is forgotten.
    pub(crate) fn memory(&self, before: &Memory, now: UtcHour) -> Memory {
        let state = |result: Option<Measure>| result.map(|result| result.state).unwrap_or_default();
        Memory {
            roas: state(self.roas),
            cpa: state(self.cpa),
            conversions: state(self.conversions),
            spike: state(self.spike),
            evaluated: before.evaluated.max(Some(now)),
        }
    }
}

/// What a freeze compares.
struct Compared {
    /// Computed for those who read it, where there is something to read.
    observed: fn(&Facts<'_>) -> Operand,
    enter: Operand,
    exit: Operand,
}

impl Measure {
    fn restriction(self, facts: &Facts<'_>, compared: &Compared) -> Option<Restriction> {
        let since = self.state.since?;
        let (observed, threshold) = match self.finding {
            Finding::Bad => ((compared.observed)(facts), compared.enter),
            Finding::Between => ((compared.observed)(facts), compared.exit),
            Finding::Unknown => (Operand::Undefined, compared.exit),
            // It would end, had it lasted its time.
            Finding::Good | Finding::Idle => (
                Operand::Hours(facts.context.now.since(since)),
                Operand::Hours(i64::from(facts.config.dwell_hours)),
            ),
        };
        Some(facts.freeze_and(facts.config.on_freeze, observed, threshold))
    }
}

/// Where a freeze starts, and where it may end.
struct Bounds<T> {
    enter: T,
    exit: T,
}

fn roas_bounds(config: &GuardrailConfig) -> Option<Bounds<Ratio>> {
    let enter = config.freeze_roas_below?;
    let tenth_above = Ratio::from_ppm(enter.ppm() + enter.ppm() / 10);
    let exit = config.unfreeze_roas_at.unwrap_or(tenth_above);
    Some(Bounds { enter, exit })
}

fn cpa_bounds(config: &GuardrailConfig) -> Option<Bounds<Micros>> {
    let enter = config.freeze_cpa_above?;
    let tenth_below = Micros::new(enter.get() - enter.get() / 10);
    let exit = config.unfreeze_cpa_at.unwrap_or(tenth_below);
    Some(Bounds { enter, exit })
}

/// Why a window cannot be judged, where it cannot.
fn unjudged(config: &GuardrailConfig, window: &Window) -> Option<Finding> {
    if is_thin(config, window) {
        return Some(Finding::Unknown);
    }
    is_idle(config, window.metrics.spend).then_some(Finding::Idle)
}

fn is_idle(config: &GuardrailConfig, spend: Micros) -> bool {
    spend < config.minimum_window_spend || spend.is_zero()
}

fn judge_roas(config: &GuardrailConfig, window: &Window, bounds: &Bounds<Ratio>) -> Finding {
    if let Some(finding) = unjudged(config, window) {
        return finding;
    }
    let compare = |bound| window.metrics.compare_roas(bound);
    if compare(bounds.enter) == Some(Ordering::Less) {
        Finding::Bad
    } else if compare(bounds.exit) == Some(Ordering::Less) {
        Finding::Between
    } else {
        Finding::Good
    }
}

fn judge_cpa(config: &GuardrailConfig, window: &Window, bounds: &Bounds<Micros>) -> Finding {
    if let Some(finding) = unjudged(config, window) {
        return finding;
    }
    let compare = |bound| window.metrics.compare_cpa(bound);
    match (compare(bounds.enter), compare(bounds.exit)) {
        (Some(Ordering::Greater), _) => Finding::Bad,
        (Some(_), Some(Ordering::Greater)) => Finding::Between,
        (Some(_), _) => Finding::Good,
        // The first conversion, once it comes, has cost more than the bound.
        (None, _) if window.metrics.spend > bounds.enter => Finding::Bad,
        (None, _) => Finding::Unknown,
    }
}

fn judge_conversions(config: &GuardrailConfig, seen: &WithoutConversion, limit: u32) -> Finding {
    if seen.hours < limit {
        // Too few hours are known, unless a conversion ended the search.
        return seen.since.map_or(Finding::Unknown, |_| Finding::Good);
    }
    if is_idle(config, seen.spend) {
        Finding::Idle
    } else {
        Finding::Bad
    }
}

fn judge_spike(config: &GuardrailConfig, context: &Context<'_>) -> Finding {
    let Some(usual) = context.usual else {
        return Finding::Unknown;
    };
    if usual.weeks < config.spike_min_weeks {
        return Finding::Unknown;
    }
    let large = usual.last_hour >= config.spike_minimum_spend;
    let bound = spike_bound(config, usual.usual);
    if large && bound.is_some_and(|bound| usual.last_hour > bound) {
        Finding::Bad
    } else {
        Finding::Good
    }
}

/// The most that an hour may spend where so much is usual; `None` where any amount fits.
fn spike_bound(config: &GuardrailConfig, usual: Micros) -> Option<Micros> {
    usual.checked_scale(config.max_spike?, Rounding::Down)
}

/// ROAS rounded down, so that what is shown lies on the same side of a bound as what is.
fn roas_of(facts: &Facts<'_>) -> Operand {
    let Metrics { revenue, spend, .. } = facts.window.metrics;
    let scaled = i128::from(revenue.get()) * i128::from(Ratio::ONE.ppm());
    quotient(scaled, i128::from(spend.get())).map_or(Operand::Undefined, |ppm| {
        Operand::Ratio(Ratio::from_ppm(ppm))
    })
}

/// CPA rounded up, for the same reason.
fn cpa_of(facts: &Facts<'_>) -> Operand {
    let metrics = &facts.window.metrics;
    let conversions = i128::from(metrics.conversions.millionths());
    let scaled = i128::from(metrics.spend.get()) * 1_000_000;
    quotient(-scaled, conversions)
        .and_then(i64::checked_neg)
        .map_or(Operand::Undefined, |micros| {
            Operand::Money(Micros::new(micros))
        })
}

/// A quotient rounded down; `None` where it is undefined or does not fit.
fn quotient(numerator: i128, denominator: i128) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    i64::try_from(numerator.div_euclid(denominator)).ok()
}
