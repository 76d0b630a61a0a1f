//! A policy on trial is asked about everything and changes nothing.

use gaelp_core::{HourSpan, Level, Micros, Ratio};
use gaelp_guardrails::{ConfigViolation, GuardrailConfig, Policy, rules};
use gaelp_platform::InMemoryPlatform;
use gaelp_rollout::{
    Checkpoint, MemoryJournal, Outside, Record, Rollout, RolloutConfig, TrialRecord,
};

use crate::support::{START, actions, meta, micros, open_rules, platform, row, run};

const HOURS: i32 = 90;

/// Two ad sets whose results change: good, bad, good again.
fn world() -> InMemoryPlatform {
    let platform = platform(&[("a", "9.60"), ("b", "14.40")]);
    for (name, spend) in [("a", "0.40"), ("b", "0.60")] {
        let rows = (-30..HOURS).map(|hour| {
            let revenue = if (30..50).contains(&hour) {
                "0.10"
            } else {
                "2"
            };
            row(name, START.plus(hour), spend, revenue)
        });
        platform.load(rows).unwrap();
    }
    platform
}

fn live() -> GuardrailConfig {
    GuardrailConfig {
        freeze_roas_below: Some(Ratio::from_ppm(1_100_000)),
        ..open_rules()
    }
}

/// Stricter in some, looser in others; with a longer memory.
fn candidate() -> GuardrailConfig {
    GuardrailConfig {
        delta_max: Ratio::from_ppm(40_000),
        delta_max_24h: Ratio::from_ppm(900_000),
        hourly_ceiling: micros("0.58"),
        dwell_hours: 20,
        ..live()
    }
}

fn config(candidate: Option<GuardrailConfig>) -> RolloutConfig {
    RolloutConfig {
        guardrails: live(),
        candidate,
        ..RolloutConfig::default()
    }
}

fn trials(records: &[Record]) -> Vec<&TrialRecord> {
    let trial = |record: &'_ Record| matches!(record, Record::Trial(_));
    let found = records.iter().filter(|record| trial(record));
    found
        .map(|record| match record {
            Record::Trial(trial) => &**trial,
            _ => unreachable!("filtered above"),
        })
        .collect()
}

#[test]
fn a_candidate_changes_nothing() {
    let without = run(config(None), &world(), None, HOURS);
    let with = run(config(Some(candidate())), &world(), None, HOURS);
    let others: Vec<&Record> = with
        .iter()
        .filter(|record| !matches!(record, Record::Trial(_)))
        .collect();
    assert_eq!(others, without.iter().collect::<Vec<_>>());
    assert!(trials(&without).is_empty());

    let hash = Policy::new(candidate()).unwrap().hash();
    let (decided, tried) = (actions(&with), trials(&with));
    assert_eq!((decided.len(), tried.len()), (180, 180));
    let (mut stricter, mut looser) = (0, 0);
    for (action, trial) in decided.iter().zip(tried) {
        let decision = &action.decision;
        assert_eq!((trial.decision, trial.span), (decision.id, decision.span));
        assert_eq!(trial.key, decision.key);
        assert!(trial.observed.is_empty());
        let tried = trial.candidate.as_ref().unwrap();
        assert_eq!(tried.policy, hash);
        assert_eq!(tried.verdict.proposed, decision.proposed);
        stricter += usize::from(tried.verdict.allowed < decision.allowed);
        looser += usize::from(tried.verdict.allowed > decision.allowed);
    }
    assert!(stricter > 10 && looser > 10, "{stricter} and {looser}");
}

/// In shadow mode what is decided changes nothing outside, so that the candidate must say what it
/// would have said, had it been in force from the beginning.
#[test]
fn a_candidate_says_what_it_would_say_in_force() {
    let in_force = RolloutConfig {
        guardrails: candidate(),
        ..RolloutConfig::default()
    };
    // Where it may raise and the policy in force may not, they are offered different choices.
    let equal = |config: RolloutConfig| RolloutConfig {
        multipliers: vec![Ratio::from_ppm(750_000), Ratio::ONE],
        ..config
    };
    let on_trial = run(equal(config(Some(candidate()))), &world(), None, HOURS);
    let in_force = run(equal(in_force), &world(), None, HOURS);
    let (decided, tried) = (actions(&in_force), trials(&on_trial));
    assert_eq!(decided.len(), tried.len());
    let (mut frozen, mut clamped) = (0, 0);
    for (action, trial) in decided.iter().zip(tried) {
        let (decision, verdict) = (&action.decision, &trial.candidate.as_ref().unwrap().verdict);
        assert_eq!(decision.key, trial.key);
        assert_eq!(decision.reasons, verdict.reasons, "{}", trial.span);
        assert_eq!(decision.allowed, verdict.allowed);
        assert_eq!(decision.normalised, verdict.normalised);
        assert_eq!(
            (decision.level, &decision.binding),
            (verdict.level, &verdict.binding)
        );
        frozen += usize::from(verdict.level == Level::Freeze);
        clamped += usize::from(verdict.level == Level::Clamp);
    }
    assert!(frozen > 20 && clamped > 10, "{frozen} and {clamped}");
}

#[test]
fn what_observed_rules_say_is_kept() {
    let rules = GuardrailConfig {
        hourly_ceiling: micros("0.50"),
        observe: [rules::HOURLY_CEILING].into(),
        ..live()
    };
    let records = run(
        RolloutConfig {
            guardrails: rules,
            ..RolloutConfig::default()
        },
        &world(),
        None,
        40,
    );
    let tried = trials(&records);
    let mut above = 0;
    for action in actions(&records) {
        let decision = &action.decision;
        assert!(
            decision
                .reasons
                .iter()
                .all(|reason| reason.rule != rules::HOURLY_CEILING)
        );
        let trial = tried.iter().find(|trial| trial.decision == decision.id);
        let exceeds = decision.normalised > micros("0.50");
        assert_eq!(trial.is_some(), exceeds);
        if let Some(trial) = trial {
            let named: Vec<_> = trial.observed.iter().map(|reason| &reason.rule).collect();
            assert_eq!(named, [&rules::HOURLY_CEILING]);
            assert_eq!(trial.observed[0].ceiling, Some(micros("0.50")));
            assert_eq!(trial.candidate, None);
            above += 1;
        }
    }
    assert!(above > 20, "{above}");
}

#[test]
fn what_is_wrong_with_a_candidate_is_said_under_its_name() {
    let wrong = GuardrailConfig {
        daily_cap: Micros::ZERO,
        delta_max: Ratio::from_ppm(1_500_000),
        ..GuardrailConfig::default()
    };
    let refused = config(Some(wrong.clone())).validate().unwrap_err();
    assert_eq!(refused.guardrails, None);
    let found = refused.candidate.as_ref().unwrap();
    let fields: Vec<_> = found
        .as_slice()
        .iter()
        .map(ConfigViolation::field)
        .collect();
    assert_eq!(fields, ["daily_cap", "delta_max"]);
    assert!(refused.to_string().contains("\n  candidate: daily_cap is "));
    // Both are reported at once.
    let both = RolloutConfig {
        guardrails: wrong.clone(),
        candidate: Some(wrong),
        ..RolloutConfig::default()
    };
    let refused = both.validate().unwrap_err();
    assert!(refused.guardrails.is_some() && refused.candidate.is_some());
}

/// A configuration without a candidate is written as before: whoever names runs by its digest still
/// finds them.
#[test]
fn a_configuration_without_a_candidate_reads_and_writes_as_before() {
    let text = serde_json::to_string(&RolloutConfig::default()).unwrap();
    for field in ["candidate", "target_cpa", "traffic"] {
        assert!(!text.contains(field), "{field} in {text}");
    }
    let full = config(Some(candidate()));
    let text = serde_json::to_string(&full).unwrap();
    assert_eq!(serde_json::from_str::<RolloutConfig>(&text).unwrap(), full);
}

/// What the candidate remembers outlives the process: its freezes last as long as it says.
#[test]
fn a_candidate_goes_on_where_it_was() {
    let undisturbed = run(config(Some(candidate())), &world(), None, HOURS);
    let world = world();
    let platforms = std::collections::BTreeMap::from([(gaelp_core::Platform::Meta, &world)]);
    let mut rollout = Rollout::new(config(Some(candidate())), vec![meta()]).unwrap();
    let mut all = Vec::new();
    for hour in 0..HOURS {
        let at = START.plus(hour);
        world.set_now(at);
        let mut journal = MemoryJournal::new();
        let mut outside = Outside::shadow(&platforms, None, &mut journal);
        let event = gaelp_rollout::Event::StepBegins {
            span: HourSpan::hour(at),
        };
        pollster::block_on(gaelp_rollout::step(&mut rollout, &mut outside, event)).unwrap();
        all.extend(journal.records().to_vec());
        let text = serde_json::to_string(&rollout.checkpoint()).unwrap();
        let kept: Checkpoint = serde_json::from_str(&text).unwrap();
        rollout = Rollout::restore(config(Some(candidate())), vec![meta()], kept, at).unwrap();
    }
    assert_eq!(trials(&all), trials(&undisturbed));
}
