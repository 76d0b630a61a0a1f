#![doc = include_str!("../README.md")]

mod batch;
mod channel;
mod columns;
mod credit;
pub mod delayed;
mod error;
mod event;
mod groups;
mod hazard;
mod heuristic;
mod journey;
pub mod lag;
mod leave_one_out;
mod markov;
mod paths;
mod rules;
mod shapley;
mod time;
mod totals;

pub use batch::{Attributed, CreditedConversion, CreditedTouch, Refused, attribute};
pub use channel::{ChannelId, ChannelSet, Channels};
pub use columns::{Code, Journeys, Offset, PathTable};
pub use credit::Splitter;
pub use error::{
    AttributeError, ChannelError, ColumnError, CreditError, FitError, ModelError, RuleViolation,
    RulesError,
};
pub use event::{
    Adjustment, Conversion, ConversionKind, Event, EventId, Interaction, Merge, Touch, UserId,
};
pub use hazard::{Hazard, HazardCounts, HazardFit};
pub use heuristic::Model;
pub use journey::{Journey, Weigh};
pub use leave_one_out::LeaveOneOut;
pub use markov::{Markov, MarkovCounts, Order, Step, Transition};
pub use paths::PathReader;
pub use rules::{
    DirectPolicy, KindRules, Rules, RulesConfig, Scope, ViewPolicy, WindowTable, Windows,
};
pub use shapley::{
    Earned, Sampled, Sampling, SetCounts, ShapleyRate, ShapleySetValue, shapley, shapley_sampled,
};
pub use time::{Span, Timestamp};
pub use totals::{ChannelCredits, Times, count_channels, credit_channels, credit_channels_by};
