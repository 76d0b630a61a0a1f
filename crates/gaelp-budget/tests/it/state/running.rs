//! What runs, other settings, and what a stored state may not say.

use super::*;

/// 24 over 24 even hours, at most twice what runs in any of them.
fn even(first: UtcHour, cap: i64) -> BudgetState {
    let mut state = BudgetState::new(PacingConfig {
        overdelivery: Ratio::from_ppm(2_000_000),
        unattended_hours: 0,
        ..PacingConfig::default()
    })
    .unwrap();
    let hours: Vec<_> = (0..24).map(|hour| first.plus(hour)).collect();
    let terms = DayTerms {
        shares: vec![1.0; 24],
        target: money(24.0),
        cap: Micros::new(cap),
        forecast: None,
        hours,
    };
    state.begin_day(terms).unwrap();
    state
}

#[test]
fn an_hour_counts_at_what_really_runs_until_it_is_reported() {
    let first = UtcHour::new(490_000);
    let mut state = even(first, 40_000_000);
    assert_eq!(state.pace(first).unwrap().allowance, money(1.0));
    // Other rules held it at three.
    state.runs(first, money(3.0)).unwrap();
    let second = first.plus(1);
    let mut known = state.clone();
    let pace = state.pace(second).unwrap();
    // 24 − 3 over 23 hours; against the cap it counts twice.
    assert_eq!(pace.allowance, Micros::new(913_043));
    assert_eq!((pace.reserve, pace.room), (money(3.0), money(34.0)));
    assert_eq!(state.today().unwrap().hours()[0].runs(), Some(money(3.0)));
    // Once it is reported, that counts.
    let _ = known.report(first, Revision::new(1), money(1.5)).unwrap();
    let pace = known.pace(second).unwrap();
    assert_eq!(pace.allowance, Micros::new(978_260));
    assert_eq!(pace.room, money(38.5));
    // What is not decided anew runs on.
    let third = first.plus(2);
    let mut gap = even(first, 40_000_000);
    gap.pace(first).unwrap();
    gap.runs(first, money(3.0)).unwrap();
    assert_eq!(gap.pace(third).unwrap().room, money(28.0));

    let negative = gap.runs(first, Micros::new(-1));
    assert_eq!(negative, Err(PacingError::NegativeAmount));
    let tomorrow = first.plus(24);
    let unknown = gap.runs(tomorrow, money(1.0));
    assert_eq!(unknown, Err(PacingError::NoSuchHour(tomorrow)));
}

#[test]
fn other_settings_hold_from_the_next_hour_on() {
    let first = UtcHour::new(490_000);
    let mut state = even(first, 40_000_000);
    let before = state.pace(first).unwrap();
    let _ = state.report(first, Revision::new(1), money(2.0)).unwrap();
    let fixed = PacingConfig {
        controller: Controller::Fixed,
        ..*state.config()
    };
    let mut state = state.reconfigured(fixed).unwrap();
    assert_eq!(state.pace(first).unwrap(), before);
    let after = state.pace(first.plus(1)).unwrap();
    assert_eq!(after.lambda, before.lambda);
    assert_eq!(after.allowance, Micros::new(956_521));
    let wrong = PacingConfig {
        overdelivery: Ratio::ZERO,
        ..fixed
    };
    assert!(state.reconfigured(wrong).is_err());
}

#[test]
fn a_stored_price_of_money_below_zero_is_refused() {
    let first = UtcHour::new(490_000);
    let mut state = even(first, 40_000_000);
    state.pace(first).unwrap();
    let text = serde_json::to_string(&state).unwrap();
    // An hour stored before it was known what ran reads as one that runs at its allowance.
    assert!(!text.contains("runs"));
    assert_eq!(serde_json::from_str::<BudgetState>(&text).unwrap(), state);
    let bad = text.replacen("\"lambda\":0.2", "\"lambda\":-0.2", 1);
    assert_ne!(bad, text);
    let refused = serde_json::from_str::<BudgetState>(&bad).unwrap_err();
    assert!(refused.to_string().contains("λ is not negative"));
}
