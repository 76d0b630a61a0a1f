//! The budget's state: the cap under any delay, restated and missing reports, and resuming.

mod running;

use gaelp_budget::{
    Binds, BudgetState, Controller, DailySchedule, DayTerms, DualSubgradient, EntropicMirror,
    Forecast, Guide, LowSpend, PacingConfig, PacingError, Pi, Pid, Resolve,
};
use gaelp_core::{Micros, Quantity, Ratio, Restated, Revision, UtcHour};
use proptest::prelude::*;

use crate::money;

fn controllers() -> impl Strategy<Value = Controller> {
    prop_oneof![
        Just(Controller::Fixed),
        Just(Guide::default().into()),
        Just(DualSubgradient::default().into()),
        Just(EntropicMirror::default().into()),
        Just(Pi::default().into()),
        Just(Pid::default().into()),
        Just(Resolve::default().into()),
    ]
}

/// One hour of the world: how late its report comes, which part of its worst it spends, whether the
/// loop decides at all, and by which share of it the report is restated an hour later.
#[derive(Clone, Copy, Debug)]
struct Hour {
    delay: usize,
    part: u32,
    decides: bool,
    restated: Option<u32>,
    share: u32,
}

fn hours() -> impl Strategy<Value = Vec<Hour>> {
    let hour = (
        prop_oneof![3 => 0..5_usize, 1 => Just(99)],
        prop_oneof![Just(1_000_u32), 0..=1_000_u32],
        prop::bool::weighted(0.9),
        prop::option::weighted(0.2, 0..=1_000_u32),
        0..100_u32,
    );
    let hour = hour.prop_map(|(delay, part, decides, restated, share)| Hour {
        delay,
        part,
        decides,
        restated,
        share,
    });
    prop::collection::vec(hour, 23..=25)
}

/// Lets no more hours in a row pass without a decision than this, and none at first.
fn attend(world: &mut [Hour], most: u32) {
    let mut missed = most;
    for hour in world {
        hour.decides |= missed >= most;
        missed = if hour.decides { 0 } else { missed + 1 };
    }
}

fn terms(first: UtcHour, world: &[Hour], target: i64, cap: i64, forecast: bool) -> DayTerms {
    let hours: Vec<_> = (0..)
        .zip(world)
        .map(|(place, _)| first.plus(place))
        .collect();
    let mut shares: Vec<_> = world.iter().map(|hour| f64::from(hour.share)).collect();
    shares[0] += 1.0;
    let spend: Vec<_> = shares.iter().map(|share| share * 0.1).collect();
    DayTerms {
        hours,
        shares,
        target: Micros::new(target),
        cap: Micros::new(cap),
        forecast: forecast.then(|| Forecast::from_spend(&spend, 0.5, 20.0, 1.5).unwrap()),
    }
}

/// Plays a day; the state is stored and read back where `store` says so. What each hour spent, and
/// all decisions.
fn live(
    state: &mut BudgetState,
    first: UtcHour,
    world: &[Hour],
    overdelivery: Ratio,
    store: bool,
) -> (Vec<Micros>, Vec<String>) {
    let mut spent: Vec<Micros> = Vec::new();
    let mut log = Vec::new();
    let mut running = Micros::ZERO;
    for (place, hour) in world.iter().enumerate() {
        let now = first.plus(i32::try_from(place).unwrap());
        // Restated figures first, so that they are in before this hour is decided.
        for (past, before) in world.iter().enumerate().take(place) {
            let at = first.plus(i32::try_from(past).unwrap());
            if past + before.delay + 1 == place {
                // At first it may have been told less or more; the truth comes an hour later.
                let told = before
                    .restated
                    .map_or(spent[past], |part| share(spent[past], part));
                let _ = state.report(at, Revision::new(1), told).unwrap();
            }
            if past + before.delay + 2 == place && before.restated.is_some() {
                let _ = state.report(at, Revision::new(2), spent[past]).unwrap();
            }
        }
        if store {
            let text = serde_json::to_string(&*state).unwrap();
            *state = serde_json::from_str(&text).unwrap();
        }
        if hour.decides {
            let pace = state.pace(now).unwrap();
            running = pace.allowance;
            assert!(!pace.allowance.is_negative() && !pace.lambda.is_negative());
            log.push(format!("{pace:?}"));
        }
        let worst = running
            .checked_scale(overdelivery, gaelp_core::Rounding::Down)
            .unwrap();
        spent.push(share(worst, hour.part));
    }
    (spent, log)
}

fn share(amount: Micros, part: u32) -> Micros {
    let part = Ratio::from_ppm(i64::from(part) * 1_000);
    amount
        .checked_scale(part, gaelp_core::Rounding::Down)
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever comes how late, or never, and with decisions missing: the day costs at most its cap,
    /// as long as no hour spends more than its worst.
    #[test]
    fn the_cap_holds_under_any_delay(
        world in hours(),
        controller in controllers(),
        target in 0..50_000_000_i64,
        cap in 0..60_000_000_i64,
        overdelivery in 1_000_000..3_000_000_i64,
        forecast in any::<bool>(),
        unattended_hours in 0..4_u32,
    ) {
        // Reports that first say too little are another matter: see the next test.
        let mut world = world;
        for hour in &mut world {
            hour.restated = None;
        }
        attend(&mut world, unattended_hours);
        let overdelivery = Ratio::from_ppm(overdelivery);
        let config = PacingConfig {
            controller,
            overdelivery,
            unattended_hours,
            ..PacingConfig::default()
        };
        let mut state = BudgetState::new(config).unwrap();
        let first = UtcHour::new(500_000);
        state.begin_day(terms(first, &world, target, cap, forecast)).unwrap();
        let (spent, _) = live(&mut state, first, &world, overdelivery, false);
        let total = Micros::checked_sum(spent).unwrap();
        prop_assert!(total <= Micros::new(cap), "{total} of {cap}");
    }

    /// Reports that first say too little and grow by at most the share that is configured.
    #[test]
    fn the_cap_holds_where_reports_grow(
        world in hours(),
        cap in 0..60_000_000_i64,
        grows in 0..1_000_u32,
    ) {
        let mut world = world;
        attend(&mut world, 1);
        for hour in &mut world {
            // Told at least truth ÷ (1 + grows).
            hour.restated = hour.restated.map(|part| {
                let least = 1_000_000 / (1_000 + grows) + 1;
                least.min(1_000) + part * (1_000 - least.min(1_000)) / 1_000
            });
        }
        let config = PacingConfig {
            grows: Ratio::from_ppm(i64::from(grows) * 1_000),
            ..PacingConfig::default()
        };
        let mut state = BudgetState::new(config).unwrap();
        let first = UtcHour::new(500_000);
        state.begin_day(terms(first, &world, 2 * cap, cap, false)).unwrap();
        let (spent, _) = live(&mut state, first, &world, config.overdelivery, false);
        let total = Micros::checked_sum(spent).unwrap();
        // Rounding in the tale of a micro per hour.
        prop_assert!(total.get() <= cap + 25, "{total} of {cap}");
    }

    /// Stored and read back before every decision: the same decisions, over two days.
    #[test]
    fn a_stored_state_resumes_identically(
        world in hours(),
        controller in controllers(),
        target in 0..50_000_000_i64,
        forecast in any::<bool>(),
    ) {
        let config = PacingConfig { controller, ..PacingConfig::default() };
        let two_days = |store: bool| {
            let mut state = BudgetState::new(config).unwrap();
            let mut all = Vec::new();
            for day in 0..2 {
                let first = UtcHour::new(500_000 + 25 * day);
                state.begin_day(terms(first, &world, target, 2 * target, forecast)).unwrap();
                all.push(live(&mut state, first, &world, config.overdelivery, store));
            }
            (all, serde_json::to_string(&state).unwrap())
        };
        prop_assert_eq!(two_days(true), two_days(false));
    }

    /// Reports in any order, any number of times, with older ones between: the same state.
    #[test]
    fn the_order_of_reports_does_not_matter(
        world in hours(),
        controller in controllers(),
        spends in prop::collection::vec((0..25_usize, 1..4_u32, 0..3_000_000_i64), 1..40),
        turn in any::<prop::sample::Index>(),
    ) {
        let config = PacingConfig { controller, ..PacingConfig::default() };
        let first = UtcHour::new(500_000);
        let begun = {
            let mut state = BudgetState::new(config).unwrap();
            state.begin_day(terms(first, &world, 20_000_000, 40_000_000, true)).unwrap();
            state.pace(first).unwrap();
            state
        };
        // Under one revision an hour has one figure.
        let mut reports: Vec<_> = spends
            .into_iter()
            .map(|(hour, revision, spend)| (hour % world.len(), revision, spend))
            .collect();
        reports.sort_by_key(|&(hour, revision, _)| (hour, revision));
        reports.dedup_by_key(|report| (report.0, report.1));
        let deliver = |reports: &[(usize, u32, i64)]| {
            let mut state = begun.clone();
            for &(hour, revision, spend) in reports {
                let at = first.plus(i32::try_from(hour).unwrap());
                let _ = state.report(at, Revision::new(revision), Micros::new(spend)).unwrap();
            }
            state
        };
        let straight = deliver(&reports);
        let mut turned = reports.clone();
        turned.rotate_left(turn.index(reports.len()));
        turned.extend(reports.iter().rev());
        prop_assert_eq!(deliver(&turned), straight);
    }
}

fn simple(target: f64, cap: f64) -> (BudgetState, Vec<UtcHour>) {
    let hours: Vec<_> = (0..24).map(UtcHour::new).collect();
    let mut state = BudgetState::new(PacingConfig::default()).unwrap();
    let terms = DayTerms {
        hours: hours.clone(),
        shares: vec![1.0; 24],
        target: money(target),
        cap: money(cap),
        forecast: None,
    };
    state.begin_day(terms).unwrap();
    (state, hours)
}

#[test]
fn what_is_no_report_is_refused() {
    let (mut state, hours) = simple(24.0, 30.0);
    let mut report =
        |hour, revision, spend| state.report(hour, Revision::new(revision), Micros::new(spend));
    assert_eq!(report(hours[0], 1, -1), Err(PacingError::NegativeAmount));
    let elsewhere = UtcHour::new(99);
    assert_eq!(
        report(elsewhere, 1, 1),
        Err(PacingError::NoSuchHour(elsewhere))
    );
    assert_eq!(report(hours[0], 2, 5_000_000), Ok(Restated::Newer));
    assert_eq!(report(hours[0], 1, 9), Ok(Restated::Older));
    assert_eq!(report(hours[0], 2, 5_000_000), Ok(Restated::Known));
    assert_eq!(report(hours[0], 2, 29_000_000), Ok(Restated::Contradicted));
    // The first figure stands for λ, the highest for the cap.
    let pace = state.pace(hours[1]).unwrap();
    assert_eq!(pace.room, money(1.0));
    assert_eq!((pace.binds, pace.allowance), (Binds::Cap, money(0.4)));
    assert_eq!(
        state.pace(elsewhere),
        Err(PacingError::NoSuchHour(elsewhere))
    );
}

/// Restated up and down: λ ends where it would have ended with the right figures from the start.
#[test]
fn restated_spend_replays() {
    let paced = |reports: &[(usize, u32, i64)]| {
        let (mut state, hours) = simple(24.0, 48.0);
        for &(hour, revision, spend) in reports {
            let spend = Micros::new(spend * 100_000);
            let _ = state
                .report(hours[hour], Revision::new(revision), spend)
                .unwrap();
        }
        state.pace(hours[3]).unwrap()
    };
    let truth = paced(&[(0, 1, 8), (1, 1, 13), (2, 1, 10)]);
    assert_eq!(
        paced(&[(0, 1, 30), (1, 1, 0), (2, 1, 10), (0, 2, 8), (1, 2, 13)]),
        truth
    );
    assert!(paced(&[(0, 1, 30), (1, 1, 13), (2, 1, 10)]).lambda > truth.lambda);
    assert!(paced(&[(0, 1, 1), (1, 1, 1), (2, 1, 1)]).lambda < truth.lambda);
}

/// Yesterday's late reports move where today began.
#[test]
fn late_reports_of_yesterday_count() {
    let begin = |late: Option<i64>| {
        let (mut state, hours) = simple(24.0, 48.0);
        for &hour in &hours[..23] {
            state.pace(hour).unwrap();
            let _ = state.report(hour, Revision::new(1), money(1.0)).unwrap();
        }
        let today = DayTerms {
            hours: (24..47).map(UtcHour::new).collect(),
            shares: vec![1.0; 23],
            target: money(24.0),
            cap: money(48.0),
            forecast: None,
        };
        state.begin_day(today.clone()).unwrap();
        state.begin_day(today).unwrap(); // twice is once
        if let Some(spend) = late {
            let _ = state
                .report(hours[23], Revision::new(1), Micros::new(spend))
                .unwrap();
        }
        let first = state.pace(UtcHour::new(24)).unwrap();
        assert_eq!(
            state.begin_day(DayTerms {
                hours: vec![UtcHour::new(30)],
                shares: vec![1.0],
                target: Micros::ZERO,
                cap: Micros::ZERO,
                forecast: None,
            }),
            Err(PacingError::Hours)
        );
        first.lambda
    };
    assert_eq!(begin(Some(1_000_000)), begin(None));
    assert!(begin(Some(3_000_000)) > begin(None));
    assert!(begin(Some(0)) < begin(None));
}

/// Spend, targets and caps of nothing, and shares that are none.
#[test]
fn nothing_is_something_to_say() {
    let (mut state, hours) = simple(0.0, 0.0);
    for &hour in &hours {
        let pace = state.pace(hour).unwrap();
        assert_eq!(pace.allowance, Micros::ZERO);
        let _ = state.report(hour, Revision::new(1), Micros::ZERO).unwrap();
    }
    let refused = |shares: Vec<f64>| {
        let mut state = BudgetState::new(PacingConfig::default()).unwrap();
        let hours = (0..24).map(UtcHour::new).collect();
        let terms = DayTerms {
            hours,
            shares,
            target: money(1.0),
            cap: money(1.0),
            forecast: None,
        };
        state.begin_day(terms).unwrap_err()
    };
    assert_eq!(refused(vec![0.0; 24]), PacingError::Shares);
    assert_eq!(refused(vec![f64::NAN; 24]), PacingError::Shares);
    assert_eq!(refused(vec![1.0; 23]), PacingError::Shares);
    let wrong = PacingConfig {
        overdelivery: Ratio::from_ppm(900_000),
        lambda_max: Ratio::from_ppm(-1),
        controller: EntropicMirror {
            step: f64::NAN,
            ..EntropicMirror::default()
        }
        .into(),
        ..PacingConfig::default()
    };
    assert_eq!(wrong.validate().unwrap_err().as_slice().len(), 4);
}

/// The allowance over the hour's share moves by a tenth at most, unless the cap is in the way.
#[test]
fn rates_move_by_a_tenth() {
    let tenth = PacingConfig {
        delta_normalised: Some(Ratio::from_ppm(100_000)),
        ..PacingConfig::default()
    };
    let mut state = BudgetState::new(tenth).unwrap();
    let hours: Vec<_> = (0..24).map(UtcHour::new).collect();
    let shares: Vec<f64> = (0..24_u32)
        .map(|hour| f64::from(1 + hour * 7 % 11))
        .collect();
    let whole: f64 = shares.iter().sum();
    let terms = DayTerms {
        hours: hours.clone(),
        shares: shares.clone(),
        target: money(24.0),
        cap: money(40.0),
        forecast: None,
    };
    state.begin_day(terms).unwrap();
    let mut before: Option<f64> = None;
    let (mut rises, mut falls) = (0, 0);
    for (place, &hour) in hours.iter().enumerate() {
        let pace = state.pace(hour).unwrap();
        let rate = pace.allowance.to_major_f64() / shares[place] * whole;
        if let (Some(before), true) = (before, pace.binds != Binds::Cap) {
            let moved = rate / before.max(0.2 * 24.0);
            assert!((0.899..=1.101).contains(&moved), "hour {place}: {moved}");
        }
        rises += u32::from(pace.binds == Binds::RisesNoFaster);
        falls += u32::from(pace.binds == Binds::FallsNoFaster);
        before = Some(rate);
        // The first hour is said to have cost 14, and nine hours later nothing.
        let spend = if place == 0 {
            money(14.0)
        } else {
            pace.allowance
        };
        let _ = state.report(hour, Revision::new(1), spend).unwrap();
        if place == 9 {
            let _ = state
                .report(hours[0], Revision::new(2), Micros::ZERO)
                .unwrap();
        }
    }
    assert!(rises > 0 && falls > 0, "{rises} {falls}");
}

/// A stored state that was tampered with is refused, not run.
#[test]
fn malicious_states_are_refused() {
    let (mut state, hours) = simple(24.0, 48.0);
    state.pace(hours[0]).unwrap();
    let text = serde_json::to_string(&state).unwrap();
    assert!(serde_json::from_str::<BudgetState>(&text).is_ok());
    for (from, to) in [
        ("\"overdelivery\":1.25", "\"overdelivery\":0.5"),
        ("\"target\":24000000", "\"target\":-1"),
        ("\"hour\":23", "\"hour\":3"),
        ("\"allowance\":1000000", "\"allowance\":-1000000"),
        ("\"start\":0.2", "\"start\":1e300"),
        ("\"yesterday\":null", "\"yesterday\":{}"),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from} is not in {text}");
        assert!(serde_json::from_str::<BudgetState>(&wrong).is_err(), "{to}");
    }
    let forecast = Forecast::from_spend(&[1.0], 0.5, 20.0, 1.5).unwrap();
    let text = serde_json::to_string(&forecast).unwrap();
    assert_eq!(serde_json::from_str::<Forecast>(&text).unwrap(), forecast);
    assert!(serde_json::from_str::<Forecast>(r#"{"most":20.0,"hours":[[1.0,2.0]]}"#).is_err());
}

/// The level for an amount against a plain search over the forecast's own spend.
#[test]
fn forecasts_find_the_level() {
    let forecast = Forecast::from_spend(&[5.0, 3.0, 0.0, 9.0], 0.5, 20.0, 1.7).unwrap();
    for amount in [0.1, 1.0, 4.0, 11.0, 17.0, 33.0, 40.0] {
        let found = forecast.level_for(1, amount, 1.3);
        let spend =
            |lambda: f64| -> f64 { (1..4).map(|hour| 1.3 * forecast.spend(hour, lambda)).sum() };
        let (mut low, mut high) = (0.0, 20.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if spend(middle) > amount {
                low = middle;
            } else {
                high = middle;
            }
        }
        let expected = if spend(0.0) <= amount { 0.0 } else { high };
        assert!(
            (found - expected).abs() < 1e-6 * (1.0 + expected),
            "{amount}: {found} {expected}"
        );
    }
    // Elasticity: 1 % dearer, 1.7 % less.
    let ratio = forecast.spend(3, 0.515) / forecast.spend(3, 0.5);
    assert!((ratio - 1.01_f64.powf(-1.7)).abs() < 5e-4, "{ratio}");
}

/// The daily schedule by hand.
#[test]
fn the_schedule_follows_the_guide() {
    let low = LowSpend::default();
    let mut schedule: DailySchedule = low.schedule();
    let conversions = |count: u64| Quantity::from_whole(count).unwrap();
    let ppm = Ratio::from_ppm;
    schedule.observe(money(12.0), money(10.0), conversions(6));
    assert_eq!(
        (schedule.rule_level(), schedule.level()),
        (ppm(210_000), ppm(210_000))
    );
    schedule.observe(money(4.0), money(10.0), conversions(1));
    assert_eq!(
        (schedule.rule_level(), schedule.level()),
        (ppm(180_000), ppm(240_000))
    );
    for _ in 0..50 {
        schedule.observe(money(40.0), money(10.0), conversions(9));
    }
    assert_eq!(schedule.level(), LowSpend::MOST);
    let text = serde_json::to_string(&schedule).unwrap();
    assert_eq!(
        serde_json::from_str::<DailySchedule>(&text).unwrap(),
        schedule
    );
}
