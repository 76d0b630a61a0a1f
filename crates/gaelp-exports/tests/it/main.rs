//! What the readers do with whole files.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking")]

mod kinds;
mod malformed;
mod maps;
mod properties;
mod support;
