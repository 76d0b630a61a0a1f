use super::*;
use crate::{ArmId, Platform, PolicyVersion, Propensity, PropensityMethod, UtcHour};

#[test]
fn an_end_is_stored_under_its_name() {
    for end in [EndKind::Continuing, EndKind::Terminal, EndKind::Truncated] {
        let json = serde_json::to_string(&end).unwrap();
        assert_eq!(json, format!("{:?}", end.as_str()));
        assert_eq!(serde_json::from_str::<EndKind>(&json).unwrap(), end);
    }
}

#[test]
fn an_experience_is_read_back_from_json() {
    let experience = Experience {
        decision: DecisionId::new(9),
        key: AdSetKey::new(Platform::TikTok, "a"),
        span: HourSpan::hour(UtcHour::new(490_000)),
        choice: Choice {
            arm: ArmId::new(1),
            propensity: Propensity::CERTAIN,
            method: PropensityMethod::Exact,
            policy: PolicyVersion::new(2),
        },
        state: vec![0.1, 0.2],
        action: Micros::new(500_000),
        reward: Micros::new(-20_000),
        cost: Micros::new(480_000),
        next_state: None,
        end: EndKind::Truncated,
        schema: 1,
        touchpoints: vec![TouchpointId::new("t1")],
    };
    let json = serde_json::to_string(&experience).unwrap();
    let back: Experience<Vec<f64>, Micros> = serde_json::from_str(&json).unwrap();
    assert_eq!(back, experience);
}

#[test]
fn the_json_of_a_correction_is_pinned() {
    let correction = RewardCorrection {
        touchpoint: TouchpointId::new("t1"),
        number: 2,
        decision: DecisionId::new(9),
        delta: Micros::new(-1),
        observed_at: 1_795_000_000_000_000,
    };
    let json = concat!(
        r#"{"touchpoint":"t1","number":2,"decision":"00000000000000000000000000000009","#,
        r#""delta":-1,"observed_at":1795000000000000}"#,
    );
    assert_eq!(serde_json::to_string(&correction).unwrap(), json);
    assert_eq!(
        serde_json::from_str::<RewardCorrection>(json).unwrap(),
        correction
    );
}
