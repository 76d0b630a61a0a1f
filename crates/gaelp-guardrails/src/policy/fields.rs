//! Which way a setting changes.

#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "each test has the signature of all: two settings as they stand"
)]

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::Ratio;

use crate::{GuardrailConfig, HourRange, OnFreeze, RaiseCaps, Taper};

/// Which way a setting changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Every raise that it allows was allowed before.
    Narrower,
    /// It may allow a raise that was not allowed before.
    Wider,
}

/// A setting that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldChange {
    /// The setting.
    pub field: &'static str,
    /// Which way.
    pub direction: Direction,
}

/// What differs, in the order of the settings.
pub(super) fn changes(old: &GuardrailConfig, new: &GuardrailConfig) -> Vec<FieldChange> {
    let changed = |field: &Field| {
        let direction = (field.compare)(old, new)?;
        Some(FieldChange {
            field: field.name,
            direction,
        })
    };
    FIELDS.iter().filter_map(changed).collect()
}

/// The old settings with what the new ones narrow.
pub(super) fn narrowed(old: &GuardrailConfig, new: &GuardrailConfig) -> GuardrailConfig {
    let mut narrowed = old.clone();
    for field in FIELDS {
        if (field.compare)(old, new) == Some(Direction::Narrower) {
            (field.take)(new, &mut narrowed);
        }
    }
    narrowed
}

/// A setting: its name, which way it changes, and how it is taken over.
struct Field {
    name: &'static str,
    compare: fn(&GuardrailConfig, &GuardrailConfig) -> Option<Direction>,
    take: fn(&GuardrailConfig, &mut GuardrailConfig),
}

/// Each setting with the test whether a new value is at least as narrow as the old one.
macro_rules! fields {
    ($($name:ident: $narrower:expr),* $(,)?) => {
        const FIELDS: &[Field] = &[$(Field {
            name: stringify!($name),
            compare: |old, new| compare(&old.$name, &new.$name, $narrower),
            take: |new, target| target.$name.clone_from(&new.$name),
        }),*];

        /// Does not compile where a setting is missing above.
        #[expect(dead_code, reason = "it checks that the list is complete")]
        fn every_setting_is_listed(config: GuardrailConfig) {
            let GuardrailConfig { $($name: _),* } = config;
        }
    };
}

fields! {
    daily_cap: lower,
    ad_set_daily_cap: lower_cap,
    campaign_daily_cap: lower_cap,
    platform_daily_caps: caps_by_key,
    hourly_raise_caps: raise_caps,
    taper: taper,
    exploration_daily_cap: lower_cap,
    hourly_floor: lower,
    hourly_ceiling: lower,
    bid_floor: lower_floor,
    bid_ceiling: lower_cap,
    delta_max: lower,
    delta_max_24h: lower,
    delta_max_normalised: lower_cap,
    delta_max_24h_normalised: lower_cap,
    peak_hours: fewer_hours,
    restricted_hours: more_hours,
    restricted_ceiling: lower_cap,
    freeze_roas_below: higher_bound,
    unfreeze_roas_at: higher_exit,
    roas_window_hours: never,
    freeze_cpa_above: lower_cap,
    unfreeze_cpa_at: lower_exit,
    max_cpa_multiplier: lower_cap,
    freeze_without_conversion_hours: lower_cap,
    expected_conversions_per_hour: higher_rate,
    min_expected_conversions: lower,
    minimum_window_spend: lower,
    freeze_after_evaluations: lower,
    dwell_hours: higher,
    max_spike: lower_cap,
    spike_minimum_spend: lower,
    spike_min_weeks: lower,
    max_data_age_hours: lower,
    min_coverage: higher,
    external_edit_freeze_hours: higher,
    max_edits_per_hour: lower_cap,
    canary: fewer_listed,
    blocked: superset,
    canary_audiences: fewer_listed,
    blocked_audiences: superset,
    on_freeze: harsher,
    on_missing_data: harsher,
    on_spike: harsher,
    observe: subset,
    require: superset,
}

fn compare<T: PartialEq>(old: &T, new: &T, narrower: fn(&T, &T) -> bool) -> Option<Direction> {
    if old == new {
        return None;
    }
    Some(if narrower(old, new) {
        Direction::Narrower
    } else {
        Direction::Wider
    })
}

fn lower<T: PartialOrd>(old: &T, new: &T) -> bool {
    new <= old
}

fn higher<T: PartialOrd>(old: &T, new: &T) -> bool {
    new >= old
}

/// It depends on the case, so it is taken for wider.
fn never<T>(_: &T, _: &T) -> bool {
    false
}

/// Without a cap, anything is allowed.
fn lower_cap<T: PartialOrd>(old: &Option<T>, new: &Option<T>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new <= old,
    }
}

/// Without a bound that must be reached, anything is allowed.
fn higher_bound<T: PartialOrd>(old: &Option<T>, new: &Option<T>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new >= old,
    }
}

/// Without a floor, nothing is raised to it.
fn lower_floor<T: PartialOrd>(old: &Option<T>, new: &Option<T>) -> bool {
    match (old, new) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => new <= old,
    }
}

/// Where nobody knows how many are expected, as few hours are waited for as the settings say;
/// otherwise fewer, the more are expected.
fn higher_rate<T: PartialOrd>(old: &Option<T>, new: &Option<T>) -> bool {
    match (old, new) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => new >= old,
    }
}

/// What follows from another setting is compared with nothing.
fn higher_exit<T: PartialOrd>(old: &Option<T>, new: &Option<T>) -> bool {
    old.as_ref()
        .zip(new.as_ref())
        .is_some_and(|(old, new)| new >= old)
}

fn lower_exit<T: PartialOrd>(old: &Option<T>, new: &Option<T>) -> bool {
    old.as_ref()
        .zip(new.as_ref())
        .is_some_and(|(old, new)| new <= old)
}

fn caps_by_key<K: Ord, V: PartialOrd>(old: &BTreeMap<K, V>, new: &BTreeMap<K, V>) -> bool {
    old.iter()
        .all(|(key, cap)| new.get(key).is_some_and(|new| new <= cap))
}

fn raise_caps(old: &RaiseCaps, new: &RaiseCaps) -> bool {
    lower_cap(&old.account, &new.account)
        && lower_cap(&old.platform, &new.platform)
        && lower_cap(&old.campaign, &new.campaign)
        && lower_cap(&old.ad_set, &new.ad_set)
}

fn taper(old: &Option<Taper>, new: &Option<Taper>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new.from <= old.from && new.least <= old.least,
    }
}

fn hours(range: Option<HourRange>, whole: bool) -> impl Fn(u8) -> bool {
    move |hour| range.map_or(whole, |range| range.contains(hour))
}

fn fewer_hours(old: &Option<HourRange>, new: &Option<HourRange>) -> bool {
    let (old, new) = (hours(*old, true), hours(*new, true));
    (0..24).all(|hour| old(hour) || !new(hour))
}

fn more_hours(old: &Option<HourRange>, new: &Option<HourRange>) -> bool {
    let (old, new) = (hours(*old, false), hours(*new, false));
    (0..24).all(|hour| new(hour) || !old(hour))
}

/// Without a list, all are on it.
fn fewer_listed<T: Ord>(old: &Option<BTreeSet<T>>, new: &Option<BTreeSet<T>>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => subset(old, new),
    }
}

fn subset<T: Ord>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> bool {
    new.is_subset(old)
}

fn superset<T: Ord>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> bool {
    new.is_superset(old)
}

fn harsher(old: &OnFreeze, new: &OnFreeze) -> bool {
    let lost = |on_freeze: &OnFreeze| match on_freeze {
        OnFreeze::Hold => (0, Ratio::ZERO),
        OnFreeze::StepDown(by) => (1, *by),
        OnFreeze::Pause => (2, Ratio::ZERO),
    };
    lost(new) >= lost(old)
}
