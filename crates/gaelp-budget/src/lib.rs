#![doc = include_str!("../README.md")]

mod allocate;
mod curve;
mod error;
mod evidence;
mod fit;
mod knapsack;
mod low_spend;
mod math;
mod pace;
mod profile;
mod reward;

pub use allocate::{
    Allocator, Allotted, Arm, ArmLimits, Binding, CapTree, Certificate, Change, CpaShare, Ends,
    Equal, Figures, GivenUp, Goal, Group, GroupId, Infeasible, Obstacle, Performance, Plan,
    RoasShare, TreeError, WaterLevel, WaterPoint, allocate,
};
pub use curve::{Curve, CurveError, CurveForm, ResponseCurve, concave_envelope};
pub use error::{OutOfRange, OutOfRanges};
pub use evidence::{Pilot, PilotGroup, StopAtZero, conversions_to_tell, spend_to_learn};
pub use fit::{CurvePosterior, CurvePrior, Family, FitError, Observation, fit_curve};
pub use knapsack::{HourlyKnapsack, HourlyPlan, KnapsackShapeError};
pub use low_spend::LowSpend;
pub use pace::{
    Binds, BudgetState, Controller, DailySchedule, DayBook, DayTerms, DayView, DualSubgradient,
    EntropicMirror, Forecast, ForecastError, Guide, GuideTarget, HourBook, Known, Pace, Pacer,
    PacingConfig, PacingError, Pi, Pid, Resolve, Shape,
};
pub use profile::{ProfileError, TrafficProfile};
pub use reward::{RatioBonus, Reward, RewardOverflow, RewardTerms};
