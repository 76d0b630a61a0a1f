use std::error::Error;
use std::time::Duration;

use gaelp_core::Micros;
use gaelp_platform::{ErrorKind, PlatformError, WriteOutcome};

#[test]
fn kinds_and_constructors_agree() {
    let wait = Some(Duration::from_secs(30));
    let cases = [
        (PlatformError::retryable("x"), ErrorKind::Retryable, true),
        (
            PlatformError::rate_limited(wait, "x"),
            ErrorKind::RateLimited { retry_after: wait },
            true,
        ),
        (PlatformError::rejected("x"), ErrorKind::Rejected, false),
        (PlatformError::auth("x"), ErrorKind::Auth, false),
        (PlatformError::other("x"), ErrorKind::Other, false),
    ];
    for (error, kind, is_transient) in cases {
        assert_eq!(error.kind(), kind);
        assert_eq!(kind.is_transient(), is_transient);
        assert_eq!(error.message(), "x");
        assert_eq!(error.to_string(), format!("{}: x", kind.as_str()));
    }
}

#[test]
fn the_cause_is_kept_with_its_type() {
    let cause = std::io::Error::new(std::io::ErrorKind::TimedOut, "slow");
    let error = PlatformError::retryable("no answer").with_source(cause);
    for error in [&error, &error.clone()] {
        let cause = error.source().unwrap().downcast_ref::<std::io::Error>();
        assert_eq!(cause.unwrap().kind(), std::io::ErrorKind::TimedOut);
    }
    assert!(PlatformError::retryable("no answer").source().is_none());
    // A text is a cause as well.
    let error = PlatformError::other("no answer").with_source("HTTP 502");
    assert_eq!(error.source().unwrap().to_string(), "HTTP 502");
}

#[test]
fn outcomes_survive_being_written_down() {
    let wait = Some(Duration::from_millis(1_500));
    for outcome in [
        WriteOutcome::Applied {
            daily_budget: Micros::new(5_000_000),
        },
        WriteOutcome::Rejected(PlatformError::rate_limited(wait, "613")),
        WriteOutcome::Rejected(PlatformError::rejected("too small")),
        WriteOutcome::Unknown(PlatformError::retryable("no answer")),
    ] {
        let text = serde_json::to_string(&outcome).unwrap();
        assert_eq!(
            serde_json::from_str::<WriteOutcome>(&text).unwrap(),
            outcome,
            "{text}"
        );
    }
}

#[test]
fn equality_looks_at_kind_and_message() {
    let error = PlatformError::auth("expired");
    assert_eq!(error, PlatformError::auth("expired").with_source("401"));
    assert_ne!(error, PlatformError::auth("revoked"));
    assert_ne!(error, PlatformError::rejected("expired"));
}
