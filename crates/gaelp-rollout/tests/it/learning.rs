//! What a rollout learns, and what it keeps to learn from.

use gaelp_core::{EndKind, Ratio};
use gaelp_rollout::{BudgetState, ExperienceRecord, Record, RolloutConfig};

use crate::support::{START, micros, open_rules, platform, row, run};

fn config() -> RolloutConfig {
    RolloutConfig {
        guardrails: open_rules(),
        ..RolloutConfig::default()
    }
}

fn experiences(records: &[Record]) -> Vec<&ExperienceRecord> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Experience(experience) => Some(&**experience),
            _ => None,
        })
        .collect()
}

fn states(records: &[Record]) -> Vec<&BudgetState> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::BudgetState(state) if state.platform.is_none() => Some(state),
            _ => None,
        })
        .collect()
}

#[test]
fn experiences_form_a_chain_with_exact_rewards() {
    let platform = platform(&[]);
    platform
        .load((0..30).map(|h| {
            row(
                "a",
                START.plus(h),
                "0.50",
                if h % 7 == 0 { "9.99" } else { "0" },
            )
        }))
        .unwrap();
    let config = RolloutConfig {
        margin: Ratio::from_ppm(400_000),
        ..config()
    };
    let records = run(config, &platform, None, 30);
    let chain = experiences(&records);
    assert_eq!(chain.len(), 29); // the first hour was not decided
    for pair in chain.windows(2) {
        assert_eq!(pair[0].span.to, pair[1].span.from);
        assert_eq!(pair[0].next_state, Some(pair[1].state));
        assert_eq!(pair[0].end, EndKind::Continuing);
    }
    let last = chain.last().unwrap();
    assert_eq!((last.end, last.next_state), (EndKind::Truncated, None));
    for experience in chain {
        let hour = experience.span.from.since(START);
        let revenue = if hour % 7 == 0 { 9_990_000 } else { 0 };
        // λ moved at midnight: what was in force when the decision was made counts.
        let price = 1_000_000 + experience.state.lambda.ppm();
        let cost = (500_000 * price + 999_999) / 1_000_000;
        assert_eq!(
            experience.reward.get(),
            revenue * 4 / 10 - cost,
            "hour {hour}"
        );
        assert_eq!(experience.cost, micros("0.50"));
        assert!(!experience.action.executed);
        assert!(experience.choice.propensity.get() > 0.0);
    }
}

#[test]
fn lambda_follows_the_accounts_days_by_the_guides_rule() {
    let platform = platform(&[]);
    platform
        .load((0..96).map(|h| row("a", START.plus(h), "0.25", "0")))
        .unwrap();
    platform
        .load((0..96).map(|h| row("b", START.plus(h), "0.25", "0")))
        .unwrap();
    let records = run(config(), &platform, None, 96);
    let states = states(&records);
    // Twelve a day against a target of ten: 0.05 · 0.2 more every day.
    let lambdas: Vec<i64> = states
        .iter()
        .map(|state| state.lambda_spend.ppm())
        .collect();
    assert_eq!(lambdas, [210_000, 220_000, 230_000, 240_000]);
    assert!(
        states
            .iter()
            .all(|state| state.actual_spend == micros("12"))
    );
}

#[test]
fn a_day_nobody_reported_is_not_a_day_without_spend() {
    let platform = platform(&[("a", "24")]);
    platform
        .load((0..24).map(|h| row("a", START.plus(h), "1", "0")))
        .unwrap();
    platform
        .load((48..72).map(|h| row("a", START.plus(h), "1", "0")))
        .unwrap();
    let records = run(config(), &platform, None, 96);
    let first = gaelp_core::AccountZone::UTC.local(START).date;
    let dates: Vec<_> = states(&records).iter().map(|state| state.date).collect();
    // Of the four days only the first and the third were reported.
    assert_eq!(dates, [first, first + chrono::Days::new(2)]);
}

#[test]
fn an_ad_set_that_earns_is_raised_and_one_that_does_not_is_lowered() {
    let platform = platform(&[("earns", "12"), ("burns", "12")]);
    platform
        .load((0..720).map(|h| row("earns", START.plus(h), "0.5", "2.50")))
        .unwrap();
    platform
        .load((0..720).map(|h| row("burns", START.plus(h), "0.5", "0.10")))
        .unwrap();
    let records = run(config(), &platform, None, 720);
    let mean = |name: &str| {
        let all = crate::support::actions(&records);
        let last: Vec<f64> = all
            .iter()
            .filter(|a| a.decision.key.ad_set.as_str() == name)
            .filter(|a| a.decision.span.from.since(START) >= 480)
            .map(|a| a.decision.proposed.to_major_f64() / a.decision.current.to_major_f64())
            .collect();
        last.iter().sum::<f64>() / f64::from(u32::try_from(last.len()).unwrap())
    };
    let (earns, burns) = (mean("earns"), mean("burns"));
    assert!(earns > 1.1, "mean multiplier of the earner: {earns}");
    assert!(burns < 0.7, "mean multiplier of the burner: {burns}");
}
