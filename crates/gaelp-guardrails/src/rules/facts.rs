//! What all rules look at, computed once.

use gaelp_core::{Level, Micros, Operand, Ratio, Rounding};

use super::Restriction;
use super::results::Results;
use crate::config::MAX_AMOUNT;
use crate::{Context, GuardrailConfig, LowerBound, LowerBoundKind, Memory, Window};

/// The context of a decision with what several rules derive from it.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) config: &'a GuardrailConfig,
    pub(crate) context: &'a Context<'a>,
    /// The proposal as it came.
    pub(crate) proposed: Micros,
    /// The proposal after the lower bounds.
    pub(crate) normalised: Micros,
    /// The highest lower bound.
    pub(crate) lower_bound: LowerBound,
    /// The rate in force; an impossible negative one counts as zero.
    pub(crate) current: Micros,
    /// The hours of the span; an empty one counts as one hour.
    pub(crate) hours: i64,
    /// The window of ROAS, CPA and coverage.
    pub(crate) window: Window,
    /// What the freezes see.
    pub(crate) results: Results,
    /// What the freezes remember after this evaluation.
    pub(crate) memory: Memory,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(
        config: &'a GuardrailConfig,
        context: &'a Context<'a>,
        proposed: Micros,
    ) -> Self {
        let (normalised, lower_bound) = normalise(config, context, proposed);
        let window = context
            .trailing
            .window(context.now, config.roas_window_hours);
        let results = Results::new(config, context, &window);
        Self {
            config,
            context,
            proposed,
            normalised,
            lower_bound,
            current: running(context),
            hours: i64::from(context.span.len().max(1)),
            window,
            results,
            memory: results.memory(&context.memory, context.now),
        }
    }

    /// A ceiling, which objects where the proposal exceeds it.
    pub(crate) fn clamp(
        &self,
        ceiling: Micros,
        observed: Operand,
        threshold: Operand,
    ) -> Restriction {
        let level = if self.normalised > ceiling {
            Level::Clamp
        } else {
            Level::Allow
        };
        Restriction {
            ceiling: Some(ceiling),
            level,
            observed,
            threshold,
        }
    }

    /// No raise.
    pub(crate) fn freeze(&self, observed: Operand, threshold: Operand) -> Restriction {
        Restriction {
            ceiling: Some(self.current),
            level: Level::Freeze,
            observed,
            threshold,
        }
    }

    /// The rate that the bound per 24 hours counts from.
    pub(crate) fn day_ago(&self) -> Micros {
        day_ago(self.context)
    }
}

/// Whether the span is decided hour by hour.
pub(crate) fn is_hourly(context: &Context<'_>) -> bool {
    context.span.len() <= 1
}

/// The proposal raised to the highest lower bound, and that bound.
pub(crate) fn normalise(
    config: &GuardrailConfig,
    context: &Context<'_>,
    proposed: Micros,
) -> (Micros, LowerBound) {
    let current = running(context);
    // A bound on changes slows a decrease down. It is no reason to raise.
    let lowered = |from: Micros, delta: Ratio| {
        let left = from.checked_sub(share(from, delta)).unwrap_or(from);
        left.min(current)
    };
    let mut bound = LowerBound {
        kind: LowerBoundKind::HourlyFloor,
        rate: floor(config, current),
    };
    let mut consider = |kind, rate| {
        if rate > bound.rate {
            bound = LowerBound { kind, rate };
        }
    };
    if is_hourly(context) {
        consider(LowerBoundKind::DeltaMax, lowered(current, config.delta_max));
    }
    let day = lowered(day_ago(context), config.delta_max_24h);
    consider(LowerBoundKind::DeltaMax24h, day);
    (proposed.max(bound.rate), bound)
}

/// What an ad set may start with where nothing runs, and is not lowered below where something does.
/// The floor is no reason to raise what runs.
pub(crate) fn floor(config: &GuardrailConfig, current: Micros) -> Micros {
    if current == Micros::ZERO {
        config.hourly_floor
    } else {
        config.hourly_floor.min(current)
    }
}

/// A share, at most the whole, of a rate that is not negative; rounded down.
pub(crate) fn share(rate: Micros, share: Ratio) -> Micros {
    // In 64 bits, where it fits, the division is many times faster.
    match rate.get().checked_mul(share.ppm()) {
        Some(product) => Micros::new(product / Ratio::ONE.ppm()),
        None => rate.checked_scale(share, Rounding::Down).unwrap_or(rate),
    }
}

fn running(context: &Context<'_>) -> Micros {
    context.current.max(Micros::ZERO)
}

fn day_ago(context: &Context<'_>) -> Micros {
    let rate = context.day_ago.unwrap_or(context.current);
    rate.clamp(Micros::ZERO, MAX_AMOUNT)
}
