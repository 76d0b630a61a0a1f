//! The market as a client meets it, in memory and on a socket.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod socket;
mod truth;
