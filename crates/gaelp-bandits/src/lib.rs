#![doc = include_str!("../README.md")]

mod arm;
mod bandit;
mod beta;
mod change;
mod conservative;
mod context;
mod delay;
mod eligible;
mod error;
pub mod evaluation;
mod feedback;
mod forgetting;
mod money;
mod numeric;
mod policy;
mod propensities;
mod rule;
mod snapshot;
mod strategy;
mod tally;
mod thompson;

pub use arm::{ArmKey, Generation};
pub use bandit::{Bandit, Chances, HourlyEvidence, Rule, Table};
pub use beta::{ArmPosterior, BetaPrior, CredibleInterval, CredibleLevel};
pub use change::{Change, ChangeDetector, Cusum, Glr, Restarting, Shift};
pub use conservative::{BaselineReason, Conservative, ConservativeChoice, ConservativeTerms};
pub use context::{
    ArmFeatures, Belief, ContextualOutcome, ContextualPolicy, Disjoint, Explorer, Features,
    FeaturesError, Lesson, LessonError, LinTs, LinUcb, LinearEvidence, LinearModel, LinearSums,
    Logistic, Regressor, Ridge, Shared, SquareCb, Uncertain,
};
pub use delay::{Delayed, LagDistribution, LagError, Receipt, Report, ReportError, Stage};
pub use eligible::Eligible;
pub use error::{
    ArmError, ArmViolation, FeedbackError, LevelError, ParameterViolation, PriorError,
    PriorParameter, PriorViolation, RewardError, SelectError, SnapshotError,
};
pub use feedback::{Evidence, Feedback, Share, UnitReward};
pub use forgetting::{Forgetting, ForgettingError};
pub use money::{
    CostAware, Hold, Knapsack, KnapsackError, KnapsackTerms, Objective, Optimism, PooledError,
    PooledPrior, PooledRates, Priced, Program, Pull, RateTable, Solution,
};
pub use policy::{Outcome, Policy, Selection};
pub use propensities::Propensities;
pub use rule::{
    Amount, AmountError, BayesUcb, BetaBernoulli, EpsilonGreedy, Events, EventsError, Exp3Ix,
    Field, GammaPoisson, Imed, Index, IndexRule, KlUcb, KlUcbPlus, NormalInverseGamma, Revenue,
    Softmax, TopTwo, Ucb1, UcbV, ZeroInflatedLognormal,
};
pub use strategy::{Standing, StrategyArm, StrategyArms};
pub use tally::{Figures, Tally};
pub use thompson::{BetaThompson, PreparedThompson, TrackedPropensities};
