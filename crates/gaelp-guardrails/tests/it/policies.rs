//! Policies: their names, what takes effect when, and what is tried beside what is in force.

mod directions;
mod settings;

use gaelp_core::{Micros, Ratio, UtcHour};
use gaelp_guardrails::policy::{ApprovalError, ProposalError};
use gaelp_guardrails::{GuardrailConfig, Memory, Policies, Policy, PolicyHash};

use crate::support::{Case, money, show};

const MONDAY: UtcHour = UtcHour::new(500_000);

fn policies() -> Policies {
    Policies::new(Policy::new(GuardrailConfig::default()).unwrap(), 24)
}

#[test]
fn the_name_of_a_policy_is_the_digest_of_its_settings() {
    let policy = Policy::new(GuardrailConfig::default()).unwrap();
    // Computed by another BLAKE3, from the text that a service would store.
    assert_eq!(
        policy.hash().to_string(),
        "ee5c9349696b9ef959062747debb2c600604afb30a471e443aa8e7211abcd8a6"
    );
    let parsed: PolicyHash = policy.hash().to_string().parse().unwrap();
    assert_eq!(parsed, policy.hash());
    assert_eq!(
        parsed.as_bytes()[0],
        u8::from_str_radix(&policy.hash().to_string()[..2], 16).unwrap()
    );
    assert_eq!(format!("{parsed:?}"), parsed.to_string());
    for wrong in ["", "00", &"g".repeat(64), &"0".repeat(65)] {
        assert!(wrong.parse::<PolicyHash>().is_err(), "{wrong}");
    }
    let json = serde_json::to_string(&parsed).unwrap();
    assert_eq!(json, format!("\"{parsed}\""));
    assert_eq!(serde_json::from_str::<PolicyHash>(&json).unwrap(), parsed);
    // The order in which a list was written down does not matter.
    let listed = |names: [&str; 2]| GuardrailConfig {
        canary: Some(names.into_iter().map(Into::into).collect()),
        ..GuardrailConfig::default()
    };
    let (one, other) = (
        Policy::new(listed(["1", "2"])),
        Policy::new(listed(["2", "1"])),
    );
    assert_eq!(one.unwrap().hash(), other.unwrap().hash());
    // It is stored as its settings, and checked when restored.
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    assert!(serde_json::from_str::<Policy>(r#"{"daily_cap":0}"#).is_err());
}

#[test]
fn widening_needs_its_time_and_a_second_person() {
    let wide = GuardrailConfig {
        daily_cap: money("20.00"),
        ..GuardrailConfig::default()
    };
    let mut policies = policies();
    let hash = policies
        .propose(wide.clone(), "ada".into(), MONDAY)
        .unwrap()
        .waits
        .unwrap();
    assert_eq!(
        policies.pending().map(|pending| pending.policy.hash()),
        Some(hash)
    );
    // Time alone is not enough.
    assert_eq!(policies.advance(MONDAY.plus(1_000)), None);
    assert_eq!(
        policies.approve(hash, "ada".into(), MONDAY),
        Err(ApprovalError::SamePerson)
    );
    let other = policies.live().hash();
    assert_eq!(
        policies.approve(other, "bob".into(), MONDAY),
        Err(ApprovalError::NotWaiting(other))
    );
    assert_eq!(policies.approve(hash, "bob".into(), MONDAY.plus(2)), Ok(()));
    assert_eq!(policies.approve(hash, "eve".into(), MONDAY.plus(3)), Ok(()));
    let approval = policies.pending().unwrap().approval.clone().unwrap();
    assert_eq!((approval.by.as_str(), approval.at), ("bob", MONDAY.plus(2)));
    // Neither is the approval.
    assert_eq!(policies.advance(MONDAY.plus(23)), None);
    // It is kept as it is.
    let stored = serde_json::to_string(&policies).unwrap();
    let mut policies: Policies = serde_json::from_str(&stored).unwrap();
    assert_eq!(policies.advance(MONDAY.plus(24)), Some(hash));
    assert_eq!(policies.live().config(), &wide);
    assert_eq!(policies.pending(), None);
    assert_eq!(policies.advance(MONDAY.plus(25)), None);
    assert_eq!(
        policies.approve(hash, "bob".into(), MONDAY),
        Err(ApprovalError::NotWaiting(hash))
    );
}

#[test]
fn a_new_proposal_replaces_one_that_waits() {
    let mut policies = policies();
    let propose = |policies: &mut Policies, cap: &str| {
        let config = GuardrailConfig {
            daily_cap: money(cap),
            ..GuardrailConfig::default()
        };
        policies
            .propose(config, "ada".into(), MONDAY)
            .unwrap()
            .waits
    };
    let first = propose(&mut policies, "20.00").unwrap();
    policies.approve(first, "bob".into(), MONDAY).unwrap();
    let second = propose(&mut policies, "30.00").unwrap();
    // The approval was of another content.
    assert_eq!(policies.advance(MONDAY.plus(24)), None);
    assert!(policies.approve(first, "bob".into(), MONDAY).is_err());
    assert!(policies.approve(second, "bob".into(), MONDAY).is_ok());
    // A narrower one takes effect, and nothing waits any more.
    assert_eq!(propose(&mut policies, "5.00"), None);
    assert_eq!(policies.advance(MONDAY.plus(24)), None);
    assert_eq!(policies.live().config().daily_cap, money("5.00"));
    propose(&mut policies, "6.00").unwrap();
    assert!(policies.withdraw().is_some());
    assert!(policies.withdraw().is_none());
}

#[test]
fn what_cannot_stand_alone_is_proposed_in_two_steps() {
    let mut policies = policies();
    let before = policies.clone();
    // The floor would rise to 0.60, which waits, and the ceiling fall to 0.60 at once: below 0.50
    // it could not.
    let config = GuardrailConfig {
        hourly_floor: money("0.30"),
        hourly_ceiling: money("0.40"),
        ..GuardrailConfig::default()
    };
    let proposed = policies.propose(config, "ada".into(), MONDAY).unwrap();
    assert_eq!(proposed.waits, None);
    let mut policies = before.clone();
    let config = GuardrailConfig {
        daily_cap: money("5.00"),
        campaign_daily_cap: None,
        ..GuardrailConfig::default()
    };
    policies.live_with(|live| live.campaign_daily_cap = Some(money("8.00")));
    let before = policies.clone();
    let error = policies.propose(config, "ada".into(), MONDAY).unwrap_err();
    assert!(matches!(error, ProposalError::InvalidAlone(_)));
    assert_eq!(
        error.to_string(),
        "what it narrows is not valid by itself: campaign_daily_cap is 8.00: \
         at most 5.00 is allowed, the value of daily_cap"
    );
    assert_eq!(policies, before);
    let wrong = GuardrailConfig {
        daily_cap: Micros::ZERO,
        ..GuardrailConfig::default()
    };
    let error = policies.propose(wrong, "ada".into(), MONDAY).unwrap_err();
    assert!(matches!(error, ProposalError::Invalid(_)));
    assert_eq!(policies, before);
}

trait LiveWith {
    fn live_with(&mut self, change: impl FnOnce(&mut GuardrailConfig));
}

impl LiveWith for Policies {
    fn live_with(&mut self, change: impl FnOnce(&mut GuardrailConfig)) {
        let mut config = self.live().config().clone();
        change(&mut config);
        *self = Policies::new(Policy::new(config).unwrap(), 24);
    }
}

#[test]
fn a_candidate_is_evaluated_on_the_same_facts_and_decides_nothing() {
    let mut policies = policies();
    let case = Case::healthy();
    let both = policies.evaluate(&case.context(), Memory::default(), money("1.50"));
    assert_eq!(both.candidate, None);
    let tight = GuardrailConfig {
        delta_max: Ratio::from_ppm(50_000),
        ..GuardrailConfig::default()
    };
    policies.try_out(Some(Policy::new(tight).unwrap()));
    let frozen = Memory {
        roas: gaelp_guardrails::FreezeState {
            bad: 0,
            since: Some(case.now),
        },
        ..Memory::default()
    };
    let both = policies.evaluate(&case.context(), frozen, money("1.08"));
    assert_eq!(show(&both.live), "1.08 allow by nothing");
    // The candidate remembers for itself.
    assert_eq!(
        show(&both.candidate.unwrap()),
        "1.00 freeze by freeze_roas; delta_max clamp at 1.05/h (1.08 against 1.00); \
         freeze_roas freeze at 1.00/h (0 h against 6 h)"
    );
    assert_eq!(
        policies.candidate().unwrap().config().delta_max,
        Ratio::from_ppm(50_000)
    );
    policies.try_out(None);
    assert_eq!(policies.candidate(), None);
}
