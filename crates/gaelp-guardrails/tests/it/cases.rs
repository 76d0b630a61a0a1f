//! Any settings, any ad set, any proposal.

use gaelp_core::{AccountZone, HourSpan, Micros, Ratio};
use gaelp_guardrails::{FreezeState, GuardrailConfig, HourRange, LastKnownGood, Memory};
use proptest::prelude::*;

use crate::support::{Case, EVENING};

/// Mostly amounts that happen, sometimes any that can be written down.
pub(crate) fn amounts() -> impl Strategy<Value = Micros> {
    prop_oneof![
        60 => 0..3_000_000_i64,
        15 => 0..30_000_000_i64,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX]),
        1 => prop::sample::select(vec![1_000_000_000_000_000, 1_000_000_000_000_001_i64]),
    ]
    .prop_map(Micros::new)
}

/// Amounts that are computed with.
pub(crate) fn possible() -> impl Strategy<Value = Micros> {
    let most = 1_000_000_000_000_000_i64;
    prop_oneof![8 => 0..3_000_000_i64, 1 => 0..=most, 1 => Just(0), 1 => Just(most)]
        .prop_map(Micros::new)
}

fn spans() -> impl Strategy<Value = HourSpan> {
    prop_oneof![6 => Just(1), 3 => 23..26_i32, 1 => -2..200_i32, 1 => Just(i32::MAX)]
        .prop_map(|hours| HourSpan::new(EVENING, EVENING.plus(hours)))
}

fn states() -> impl Strategy<Value = FreezeState> {
    let since = prop::option::of((-12..3_i32).prop_map(|hours| EVENING.plus(hours)));
    (0..3_u32, since).prop_map(|(bad, since)| FreezeState { bad, since })
}

/// An hour that was reported, with figures around the bounds.
pub(crate) type Figures = Option<(i64, i64, u64)>;

pub(crate) fn reports() -> impl Strategy<Value = Vec<Figures>> {
    let money = || prop_oneof![Just(0), 0..3_000_000_i64];
    let figures = (money(), money(), prop_oneof![Just(0), 0..2_000_000_u64]);
    let reported = prop_oneof![1 => Just(None), 12 => figures.prop_map(Some)];
    prop_oneof![1 => Just(Vec::new()), 12 => prop::collection::vec(reported, 20)]
}

prop_compose! {
    /// An ad set in any state, and the reports that its record was made of, newest first.
    pub(crate) fn cases()(
        (current, day_ago, spent, share) in
            (amounts(), prop::option::of(amounts()), amounts(), amounts()),
        ad_set_spent in amounts(),
        kill in prop_oneof![9 => Just(None), 1 => amounts().prop_map(Some)],
        span in spans(),
        hour in 0..24_u8,
        (daily, late) in (prop::bool::weighted(0.2), 0..6_i32),
        reports in reports(),
        memory in (states(), states(), states(), prop::option::of(-2..2_i32)),
    ) -> (Case, Vec<(HourSpan, i64, i64, u64)>) {
        let mut case = Case::without_data();
        case.current = current;
        case.day_ago = day_ago;
        case.account_spent_today = spent;
        case.account_share = share;
        case.ad_set_spent_today = ad_set_spent;
        case.kill = kill.map(|rate| LastKnownGood { rate });
        case.span = span;
        case.local = AccountZone::UTC.local(EVENING);
        case.local.hour = hour;
        case.memory = Memory {
            roas: memory.0,
            cpa: memory.1,
            conversions: memory.2,
            evaluated: memory.3.map(|hours| EVENING.plus(hours)),
        };
        let length = if daily { 24 } else { 1 };
        let mut rows = Vec::new();
        let mut end = EVENING.plus(1 - late);
        for figures in reports {
            let span = HourSpan::new(end.plus(-length), end);
            end = span.from;
            let Some((spend, revenue, conversions)) = figures else { continue };
            rows.push((span, spend, revenue, conversions));
        }
        for &(span, spend, revenue, conversions) in rows.iter().rev() {
            case.report_figures(span, spend, revenue, conversions);
        }
        (case, rows)
    }
}

prop_compose! {
    /// Valid settings with any of the rules switched on.
    pub(crate) fn configs()(
        caps in (1..20_000_000_i64, prop::option::of(1..20_000_000_i64)),
        rates in (0..1_000_000_i64, 0..3_000_000_i64),
        deltas in (1..=1_000_000_i64, 1..=1_000_000_i64),
        peak in prop::option::of((0..24_u8, 0..=24_u8)),
        roas in prop::option::of((1..3_000_000_i64, prop::option::of(0..1_000_000_i64))),
        cpa in prop::option::of((1..9_000_000_i64, prop::option::of(0..9_000_000_i64))),
        windows in (1..30_u32, prop::option::of(1..30_u32), 0..10_u32),
        minimum in prop_oneof![Just(0), 0..9_000_000_i64],
        after in 1..4_u32,
        data in (0..6_u32, 0..=1_000_000_i64),
        listed in prop::option::weighted(0.3, any::<bool>()),
    ) -> GuardrailConfig {
        GuardrailConfig {
            daily_cap: Micros::new(caps.0),
            ad_set_daily_cap: caps.1.map(|cap| Micros::new(cap.min(caps.0))),
            hourly_floor: Micros::new(rates.0),
            hourly_ceiling: Micros::new((rates.0 + rates.1).max(1)),
            delta_max: Ratio::from_ppm(deltas.0),
            delta_max_24h: Ratio::from_ppm(deltas.1),
            peak_hours: peak.and_then(|(start, end)| HourRange::new(start, end).ok()),
            freeze_roas_below: roas.map(|(bound, _)| Ratio::from_ppm(bound)),
            unfreeze_roas_at: roas
                .and_then(|(bound, more)| more.map(|more| Ratio::from_ppm(bound + more))),
            roas_window_hours: windows.0,
            freeze_cpa_above: cpa.map(|(bound, _)| Micros::new(bound)),
            unfreeze_cpa_at: cpa
                .and_then(|(bound, exit)| exit.map(|exit| Micros::new(exit.clamp(1, bound)))),
            freeze_without_conversion_hours: windows.1,
            dwell_hours: windows.2,
            minimum_window_spend: Micros::new(minimum),
            freeze_after_evaluations: after,
            max_data_age_hours: data.0,
            min_coverage: Ratio::from_ppm(data.1),
            canary: listed.map(|listed| [if listed { "23851" } else { "1" }.into()].into()),
        }
    }
}
