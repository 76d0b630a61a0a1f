//! The numerics below the policies: pinned elementary functions, pinned samplers, quadrature.
//!
//! Everything here uses only the operations that IEEE 754 defines to the last bit, so that a
//! decision is the same on every platform. The standard library's `ln` and `exp` are the
//! platform's own and promise no such thing.

pub(crate) mod elementary;
pub(crate) mod gauss;
pub(crate) mod legendre;
pub(crate) mod log_gamma;
pub(crate) mod logit_beta;
pub(crate) mod maximum;
pub(crate) mod packed;
pub(crate) mod room;
pub(crate) mod sampler;
pub(crate) mod student;
