//! The calling rule: what comes out of turn is refused and changes nothing.

use gaelp_core::{HourSpan, Platform};
use gaelp_platform::Report;
use gaelp_rollout::{Command, Event, Rollout, RolloutConfig, RolloutError};

use crate::support::{START, meta};

fn rollout() -> Rollout {
    Rollout::new(RolloutConfig::default(), vec![meta()]).unwrap()
}

fn begin() -> Event {
    Event::StepBegins {
        span: HourSpan::hour(START),
    }
}

fn budgets() -> Event {
    Event::Budgets {
        platform: Platform::Meta,
        readings: Vec::new(),
    }
}

fn report() -> Event {
    let report = Report {
        rows: Vec::new(),
        complete_before: START,
    };
    Event::Reported {
        platform: Platform::Meta,
        report,
    }
}

#[test]
fn an_answer_that_was_not_asked_for_is_refused() {
    let mut rollout = rollout();
    assert!(matches!(
        rollout.handle(START.start(), budgets()),
        Err(RolloutError::OutOfTurn { .. })
    ));
    rollout.handle(START.start(), begin()).unwrap();
    rollout.handle(START.start(), budgets()).unwrap();
    // Twice the same answer, or one of a platform that is not here.
    assert!(matches!(
        rollout.handle(START.start(), budgets()),
        Err(RolloutError::OutOfTurn { .. })
    ));
    let stranger = Event::Budgets {
        platform: Platform::TikTok,
        readings: Vec::new(),
    };
    assert!(matches!(
        rollout.handle(START.start(), stranger),
        Err(RolloutError::OutOfTurn { .. })
    ));
    // The step goes on undisturbed.
    assert_eq!(rollout.handle(START.start(), report()).unwrap(), []);
    // Its hour is decided, and is not decided again.
    assert_eq!(rollout.decided_to(), Some(START.plus(1)));
    assert!(matches!(
        rollout.handle(START.start(), begin()),
        Err(RolloutError::OutOfTurn { .. })
    ));
    let next = Event::StepBegins {
        span: HourSpan::hour(START.plus(1)),
    };
    assert!(rollout.handle(START.start(), next).is_ok());
}

#[test]
fn a_step_begins_only_after_the_last_is_over() {
    let mut rollout = rollout();
    let commands = rollout.handle(START.start(), begin()).unwrap();
    assert!(matches!(
        commands[..],
        [Command::ReadReport { .. }, Command::ReadBudgets { .. }]
    ));
    assert!(matches!(
        rollout.handle(START.start(), begin()),
        Err(RolloutError::OutOfTurn { .. })
    ));
    let empty = Event::StepBegins {
        span: HourSpan::new(START, START),
    };
    assert!(matches!(
        rollout.handle(START.start(), empty),
        Err(RolloutError::OutOfTurn { .. })
    ));
}

#[test]
fn a_platform_that_counts_in_another_currency_is_refused() {
    let euro = gaelp_core::Currency::EUR;
    let config = RolloutConfig {
        currency: euro,
        ..RolloutConfig::default()
    };
    let refused = Rollout::new(config, vec![meta()]);
    assert!(matches!(
        refused,
        Err(RolloutError::Platforms {
            platform: Platform::Meta
        })
    ));
    let twice = Rollout::new(RolloutConfig::default(), vec![meta(), meta()]);
    assert!(matches!(
        twice,
        Err(RolloutError::Platforms {
            platform: Platform::Meta
        })
    ));
}

#[test]
fn all_that_is_wrong_with_a_configuration_is_said_at_once() {
    let config: RolloutConfig = serde_json::from_str(
        r#"{"mode": "pilot", "margin": 0, "lambda_spend": -1, "lagrange_step": 2,
            "daily_budget_target": 0, "multipliers": [0.5, 0.5], "response_elasticity": 3,
            "reread_hours": 1000, "guardrails": {"daily_cap": 0}}"#,
    )
    .unwrap();
    let error = config.validate().unwrap_err();
    let fields: Vec<_> = error
        .violations
        .iter()
        .map(|violation| violation.field)
        .collect();
    let expected = [
        "margin",
        "lambda_spend",
        "lagrange_step",
        "daily_budget_target",
        "response_elasticity",
        "multipliers",
        "reread_hours",
        "guardrails.canary",
    ];
    assert_eq!(fields, expected);
    assert!(error.guardrails.is_some());
    let text = error.to_string();
    assert!(
        text.contains("margin is 0.00; allowed is: above 0, at most 1"),
        "{text}"
    );
}
