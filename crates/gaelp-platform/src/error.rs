//! What went wrong at a platform or a shop, and what a caller may do about it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a caller can do about an error: this, not its text, is what programs branch on.
///
/// ```
/// use gaelp_platform::{ErrorKind, PlatformError};
///
/// let error = PlatformError::new(ErrorKind::Auth, "the access token has expired");
/// let advice = match error.kind() {
///     kind if kind.is_transient() => "ask again later",
///     ErrorKind::Auth => "ask a person to renew the credentials",
///     _ => "do not repeat it as it is",
/// };
/// assert_eq!(advice, "ask a person to renew the credentials");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing is wrong with the request: the same one may succeed later. Lost connections,
    /// time-outs, overload on the other side.
    Retryable,
    /// Too many requests, or too many edits of one ad set. It says nothing about the platform's
    /// health, so it does not count against it.
    RateLimited {
        /// How long to wait, where the other side says so.
        retry_after: Option<Duration>,
    },
    /// The request is not acceptable and will not become so by repeating it.
    Rejected,
    /// The credentials are missing, expired or not allowed to do this. A person has to act.
    Auth,
    /// Anything else, an answer that cannot be understood included.
    Other,
}

impl ErrorKind {
    /// Whether the same request may succeed later without anyone changing anything.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Retryable | Self::RateLimited { .. })
    }

    /// A short name for logs and counters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::RateLimited { .. } => "rate_limited",
            Self::Rejected => "rejected",
            Self::Auth => "auth",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An error of an ad platform or a shop: a kind to branch on, a message for people, and the cause.
///
/// Put no secret into the message: it is logged. Two errors are equal when their kinds and
/// messages are; the cause is not compared, and it is not serialised.
///
/// ```
/// use std::error::Error;
/// use std::time::Duration;
/// use gaelp_platform::{ErrorKind, PlatformError};
///
/// let cause = "12x".parse::<i64>().expect_err("not a number");
/// let error = PlatformError::new(ErrorKind::Other, "the budget is unreadable").with_source(cause);
/// assert_eq!(error.to_string(), "other: the budget is unreadable");
/// assert!(error.source().is_some_and(|cause| cause.is::<std::num::ParseIntError>()));
///
/// let wait = PlatformError::rate_limited(Some(Duration::from_secs(300)), "613: too many calls");
/// assert!(wait.kind().is_transient());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlatformError {
    #[serde(flatten)]
    kind: ErrorKind,
    message: Arc<str>,
    #[serde(skip)]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl PlatformError {
    /// An error of a kind, with a message that a person can act on.
    pub fn new(kind: ErrorKind, message: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// An error after which the same request may succeed: [`ErrorKind::Retryable`].
    pub fn retryable(message: impl Into<Arc<str>>) -> Self {
        Self::new(ErrorKind::Retryable, message)
    }

    /// Too many requests: [`ErrorKind::RateLimited`].
    pub fn rate_limited(retry_after: Option<Duration>, message: impl Into<Arc<str>>) -> Self {
        Self::new(ErrorKind::RateLimited { retry_after }, message)
    }

    /// A request that is not acceptable: [`ErrorKind::Rejected`].
    pub fn rejected(message: impl Into<Arc<str>>) -> Self {
        Self::new(ErrorKind::Rejected, message)
    }

    /// Credentials that do not serve: [`ErrorKind::Auth`].
    pub fn auth(message: impl Into<Arc<str>>) -> Self {
        Self::new(ErrorKind::Auth, message)
    }

    /// Anything else: [`ErrorKind::Other`].
    pub fn other(message: impl Into<Arc<str>>) -> Self {
        Self::new(ErrorKind::Other, message)
    }

    /// The same error with its cause, which [`Error::source`] then gives.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(Arc::from(source.into())),
            ..self
        }
    }

    /// What a caller can do about it.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Error for PlatformError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

impl PartialEq for PlatformError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.message == other.message
    }
}

impl Eq for PlatformError {}
