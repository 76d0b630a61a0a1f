//! Classic feedback: PI on the error to date, PID on the hour's error.
//!
//! The output is ln(1 + λ), relative to where the day began. An integral grows only while the
//! output is within its bounds (conditional integration), so that a morning without traffic leaves
//! nothing behind.
//!
//! Source: Zhang, Rong, Wang, Zhu & Wang (2016), Feedback control of real-time display advertising,
//! §3 (PID with an exponential actuator); Åström & Hägglund (2006), Advanced PID Control, §3.5
//! (anti-windup).

use serde::{Deserialize, Serialize};

use super::dual::MOST;
use super::{DayView, Pacer, Shape};
use crate::math::{exp_m1, ln_1p};

/// Proportional and integral control of the error to date.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pi {
    /// The gain on the error to date. Default 1.
    pub proportional: f64,
    /// The gain on its sum. Default 0.2.
    pub integral: f64,
    /// How the target is spread. Default: by traffic.
    pub shape: Shape,
    /// The highest λ. Default 20.
    pub most: f64,
}

impl Default for Pi {
    fn default() -> Self {
        Self {
            proportional: 1.0,
            integral: 0.2,
            shape: Shape::Traffic,
            most: MOST,
        }
    }
}

impl Pacer for Pi {
    fn level(&self, day: &DayView<'_>) -> f64 {
        let mut loops = Loop::new(day.start, self.most);
        for known in day.known(self.shape) {
            let error = known.error_to_date(-1.0, 1.0);
            loops.step(error, self.proportional * error, self.integral);
        }
        loops.lambda()
    }

    /// Where the day's last report leaves it.
    fn carry(&self, day: &DayView<'_>) -> f64 {
        self.level(day)
    }
}

/// Proportional, integral and derivative control of each hour's error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pid {
    /// The gain on the hour's error. Default 0.2.
    pub proportional: f64,
    /// The gain on the sum of errors. Default 0.4.
    pub integral: f64,
    /// The gain on the change of the error. Default 0: it only amplified noise.
    pub derivative: f64,
    /// How the target is spread. Default: by traffic.
    pub shape: Shape,
    /// The highest λ. Default 20.
    pub most: f64,
}

impl Default for Pid {
    fn default() -> Self {
        Self {
            proportional: 0.2,
            integral: 0.4,
            derivative: 0.0,
            shape: Shape::Traffic,
            most: MOST,
        }
    }
}

impl Pacer for Pid {
    fn level(&self, day: &DayView<'_>) -> f64 {
        let mut loops = Loop::new(day.start, self.most);
        let mut before = None;
        for known in day.known(self.shape) {
            let error = known.error(-1.0, 2.0);
            let change = before.map_or(0.0, |before: f64| error - before);
            let fast = self.proportional * error + self.derivative * change;
            loops.step(error, fast, self.integral);
            before = Some(error);
        }
        loops.lambda()
    }

    /// Where the day's last report leaves it.
    fn carry(&self, day: &DayView<'_>) -> f64 {
        self.level(day)
    }
}

/// A control loop on ln(1 + λ).
struct Loop {
    base: f64,
    most: f64,
    sum: f64,
    output: f64,
}

impl Loop {
    fn new(start: f64, most: f64) -> Self {
        let most = ln_1p(most.max(0.0));
        let base = ln_1p(start.max(0.0)).min(most);
        Self {
            base,
            most,
            sum: 0.0,
            output: base,
        }
    }

    fn step(&mut self, error: f64, fast: f64, integral: f64) {
        let next = self.base + fast + integral * (self.sum + error);
        let winds_up = (next > self.most && error > 0.0) || (next < 0.0 && error < 0.0);
        if !winds_up {
            self.sum += error;
        }
        self.output = (self.base + fast + integral * self.sum).clamp(0.0, self.most);
    }

    fn lambda(&self) -> f64 {
        exp_m1(self.output)
    }
}
