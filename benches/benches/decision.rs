//! A full decision: choose among four multipliers, know the exact propensity, pass every rule,
//! and say why. What the loop does for each ad set each hour, without the I/O around it.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gaelp_bandits::{BetaPrior, BetaThompson, Feedback, PreparedThompson, UnitReward};
use gaelp_core::{
    AccountZone, AdSetKey, ArmId, Decision, DecisionId, HourSpan, MetricRow, Metrics, Micros,
    Platform, Quantity, Ratio, Revision, Rounding, Seed, UtcHour,
};
use gaelp_guardrails::{Context, GuardrailConfig, Guardrails, SpentToday, Trailing};

const MULTIPLIERS: [Ratio; 4] = [
    Ratio::from_ppm(500_000),
    Ratio::from_ppm(750_000),
    Ratio::ONE,
    Ratio::from_ppm(1_250_000),
];

/// What one ad set's decision needs.
struct World {
    key: AdSetKey,
    zone: AccountZone,
    now: UtcHour,
    guardrails: Guardrails,
    trailing: Trailing,
    policy: BetaThompson,
}

impl World {
    /// An ad set with three days of hourly reports and a month of learning, under all rules.
    fn new() -> Self {
        let key = AdSetKey::new(Platform::Meta, "23851234567890123");
        let now = UtcHour::new(490_031); // 18 o'clock in New York
        let config = GuardrailConfig {
            ad_set_daily_cap: Some(Micros::new(6_000_000)),
            freeze_cpa_above: Some(Micros::new(20_000_000)),
            freeze_without_conversion_hours: Some(48),
            ..GuardrailConfig::default()
        };
        let guardrails = config.validate().expect("the settings are in range");
        let mut trailing = guardrails.trailing();
        for hour in (1..=72).rev() {
            let metrics = Metrics {
                spend: Micros::new(400_000 + i64::from(hour) * 1_000),
                impressions: 120,
                clicks: 4,
                conversions: Quantity::from_millionths(if hour % 9 == 0 { 1_000_000 } else { 0 }),
                revenue: Micros::new(if hour % 9 == 0 { 9_000_000 } else { 0 }),
            };
            let span = HourSpan::hour(now.plus(-hour));
            let row = MetricRow {
                key: key.clone(),
                span,
                revision: Revision::default(),
                metrics,
            };
            let outcome = trailing.record(&row).expect("a plausible row");
            assert_eq!(outcome, gaelp_core::Restated::Newer);
        }
        let arms = (0..4).map(|arm| (ArmId::new(arm), BetaPrior::default()));
        let mut policy = BetaThompson::new(arms).expect("four arms");
        for day in 0..30 {
            policy
                .update(&feedback(day))
                .expect("rewards within the unit");
        }
        let zone = "America/New_York".parse().expect("a zone");
        Self {
            key,
            zone,
            now,
            guardrails,
            trailing,
            policy,
        }
    }

    fn decide(&self, prepared: &PreparedThompson, hour: i32) -> Decision {
        let span = HourSpan::hour(self.now);
        let current = Micros::new(410_000);
        let context = Context {
            day_ago: Some(Micros::new(390_000)),
            spent: SpentToday {
                account: Some(Micros::new(7_250_000)),
                ad_set: Some(Micros::new(3_100_000)),
                ..SpentToday::default()
            },
            share: Some(Micros::new(1_375_000)),
            ..Context::new(
                &self.key,
                span,
                self.zone.local(self.now),
                current,
                &self.trailing,
                self.now,
            )
        };
        let id = DecisionId::derive(&[
            self.key.platform.as_str().as_bytes(),
            self.key.ad_set.as_str().as_bytes(),
            &hour.to_le_bytes(),
        ]);
        black_box(self.guardrails.may_raise(&context));
        let choice = prepared.select(Seed::new(7), id);
        let multiplier = MULTIPLIERS[choice.arm.get() as usize];
        let proposed = current
            .checked_scale(multiplier, Rounding::Down)
            .unwrap_or(current);
        let verdict = self.guardrails.evaluate(&context, proposed);
        Decision {
            id,
            key: self.key.clone(),
            span,
            choice,
            current,
            proposed,
            normalised: verdict.normalised,
            allowed: verdict.allowed,
            level: verdict.level,
            binding: verdict.binding,
            reasons: verdict.reasons,
        }
    }
}

fn feedback(day: u32) -> Vec<Feedback> {
    let reward = |arm: u32| 450_000 + 20_000 * arm + 1_000 * (day % 7);
    (0..4)
        .map(|arm| Feedback {
            arm: ArmId::new(arm),
            reward: UnitReward::from_millionths(reward(arm)).expect("below a million"),
        })
        .collect()
}

fn full(criterion: &mut Criterion) {
    let world = World::new();
    let prepared = world.policy.prepare(&world.policy.all());
    let mut hour = 0;
    criterion.bench_function("decision/full/k4", |bencher| {
        bencher.iter(|| {
            hour += 1;
            world.decide(black_box(&prepared), hour)
        });
    });
    // Once a day: the posterior has moved, and its propensities must be found again.
    criterion.bench_function("decision/full/k4/after_update", |bencher| {
        bencher.iter_batched(
            || world.policy.clone(),
            |mut policy| {
                policy
                    .update(&feedback(1))
                    .expect("rewards within the unit");
                world.decide(&policy.prepare(&policy.all()), 1)
            },
            criterion::BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, full);
criterion_main!(benches);
