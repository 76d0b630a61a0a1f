//! What all rules look at, computed once.

use gaelp_core::{Level, Micros, Operand, Ratio, Rounding};

use super::Restriction;
use super::results::Results;
use crate::config::MAX_AMOUNT;
use crate::{Context, GuardrailConfig, LowerBound, LowerBoundKind, Memory, OnFreeze, Traffic};
use crate::{Window, seeded};

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
        let hours = config.roas_window_hours;
        let sum = || context.trailing.window(context.now, hours);
        let known = context.window.filter(|known| known.asked_hours == hours);
        debug_assert!(known.is_none_or(|known| known == sum()), "another's window");
        let window = known.unwrap_or_else(sum);
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
        self.freeze_and(OnFreeze::Hold, observed, threshold)
    }

    /// No raise, and what the settings say about what runs.
    pub(crate) fn freeze_and(
        &self,
        on_freeze: OnFreeze,
        observed: Operand,
        threshold: Operand,
    ) -> Restriction {
        Restriction {
            ceiling: Some(self.frozen(on_freeze)),
            level: Level::Freeze,
            observed,
            threshold,
        }
    }

    fn frozen(&self, on_freeze: OnFreeze) -> Micros {
        match on_freeze {
            OnFreeze::Hold => self.current,
            OnFreeze::StepDown(by) => {
                let stepped = shrunk(self.current, by).max(self.lower_bound.rate);
                stepped.min(self.current)
            }
            OnFreeze::Pause => Micros::ZERO,
        }
    }

    /// No raise, because a fact that a rule asks for is not supplied.
    pub(crate) fn missing(&self, threshold: Operand) -> Restriction {
        self.freeze(Operand::Undefined, threshold)
    }

    /// No change.
    pub(crate) fn deny(&self, observed: Operand, threshold: Operand) -> Restriction {
        Restriction {
            ceiling: Some(self.current),
            level: Level::Deny,
            observed,
            threshold,
        }
    }

    /// The rate that the bound per 24 hours counts from.
    pub(crate) fn day_ago(&self) -> Micros {
        day_ago(self.context)
    }

    /// An amount spread over the span, rounded down so that the hours do not add up to more.
    pub(crate) fn per_hour(&self, money: Micros) -> Micros {
        let money = money.get().max(0);
        // Most spans are hours, and a division is the most expensive thing that rules do.
        Micros::new(match self.hours {
            1 => money,
            hours => money / hours,
        })
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
    let mut bound = LowerBound {
        kind: LowerBoundKind::HourlyFloor,
        rate: floor(config, current),
    };
    // A bound on changes slows a decrease down. It is no reason to raise.
    let mut consider = |kind, rate: Micros| {
        let rate = rate.min(current);
        if rate > bound.rate {
            bound = LowerBound { kind, rate };
        }
    };
    if is_hourly(context) {
        let rate = shrunk(current, config.delta_max);
        consider(LowerBoundKind::DeltaMax, rate);
    }
    let day = shrunk(day_ago(context), config.delta_max_24h);
    consider(LowerBoundKind::DeltaMax24h, day);
    if let Some(traffic) = context.traffic {
        let least = |from, delta: Ratio, change| {
            let kept = Ratio::from_ppm(Ratio::ONE.ppm() - delta.ppm());
            at_traffic(from, change, kept).unwrap_or(Micros::ZERO)
        };
        if let Some(delta) = config.delta_max_normalised.filter(|_| is_hourly(context)) {
            let rate = least(current, delta, Change::within_hour(traffic));
            consider(LowerBoundKind::DeltaNormalised, rate);
        }
        if let Some(delta) = config.delta_max_24h_normalised {
            let rate = least(day_ago(context), delta, Change::within_day(traffic));
            consider(LowerBoundKind::DeltaNormalised24h, rate);
        }
    }
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

/// A rate and a share of it; the rate where that does not fit.
pub(crate) fn grown(rate: Micros, by: Ratio) -> Micros {
    rate.checked_add(share(rate, by)).unwrap_or(rate)
}

/// A rate without a share of it.
fn shrunk(rate: Micros, by: Ratio) -> Micros {
    rate.checked_sub(share(rate, by)).unwrap_or(rate)
}

/// From one share of a day's traffic to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    from: Ratio,
    to: Ratio,
}

impl Change {
    pub(crate) fn within_hour(traffic: Traffic) -> Self {
        let (from, to) = (traffic.before, traffic.next);
        Self { from, to }
    }

    pub(crate) fn within_day(traffic: Traffic) -> Self {
        let from = traffic.day_ago.unwrap_or(traffic.next);
        let to = traffic.next;
        Self { from, to }
    }
}

/// A rate times a factor, at another share of the traffic: the same multiple of the daily budget
/// that it stands for. Rounded down; `None` where there was no traffic, or none can be.
pub(crate) fn at_traffic(rate: Micros, change: Change, factor: Ratio) -> Option<Micros> {
    let (from, to) = (change.from.ppm(), change.to.ppm());
    if from <= 0 || to < 0 {
        return None;
    }
    let narrow = rate.get().checked_mul(to);
    let narrow = narrow.and_then(|product| product.checked_mul(factor.ppm()));
    if let Some((product, divisor)) = narrow.zip(from.checked_mul(Ratio::ONE.ppm())) {
        return Some(Micros::new(product / divisor));
    }
    let product = i128::from(rate.get()) * i128::from(to);
    let divisor = i128::from(from) * i128::from(Ratio::ONE.ppm());
    // A rate, a share and a factor of at most two: 2⁶³ · 10⁶ · 2 · 10⁶ fits easily.
    let moved = product.checked_mul(i128::from(factor.ppm()))? / divisor;
    Some(i64::try_from(moved).map_or(Micros::MAX, Micros::new))
}

/// The rate in force; a negative one, which cannot be, counts as zero.
pub(crate) fn running(context: &Context<'_>) -> Micros {
    context.current.max(Micros::ZERO)
}

fn day_ago(context: &Context<'_>) -> Micros {
    let rate = context.day_ago.unwrap_or(context.current);
    rate.clamp(Micros::ZERO, MAX_AMOUNT)
}

/// The hours of the window that are known, as the rules take them.
pub(crate) fn known_hours(window: &Window) -> i64 {
    i64::from(seeded::known_hours(window))
}
