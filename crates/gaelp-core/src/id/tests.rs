use std::collections::{BTreeMap, HashMap};

use super::*;

#[test]
fn platforms_are_known_by_several_names() {
    let table = [
        ("meta", Platform::Meta),
        ("Facebook", Platform::Meta),
        ("FACEBOOK ADS", Platform::Meta),
        ("instagram", Platform::Meta),
        ("Meta Ads", Platform::Meta),
        (" Google ", Platform::Google),
        ("Google Ads", Platform::Google),
        ("AdWords", Platform::Google),
        ("TikTok", Platform::TikTok),
        ("tiktok ads", Platform::TikTok),
        ("Exchange-2", Platform::Other("exchange-2".into())),
        ("", Platform::Other("".into())),
        ("metal", Platform::Other("metal".into())),
    ];
    for (name, platform) in table {
        assert_eq!(Platform::new(name), platform, "{name:?}");
        assert_eq!(Platform::from(name.to_owned()), platform);
        // The name it prints leads back to it.
        assert_eq!(Platform::new(platform.as_str()), platform);
        let json = serde_json::to_string(&platform).unwrap();
        assert_eq!(json, format!("{:?}", platform.as_str()));
        assert_eq!(serde_json::from_str::<Platform>(&json).unwrap(), platform);
    }
    assert_eq!(
        format!("{:>6}|{:<8}|", Platform::Meta, Platform::TikTok),
        "  meta|tiktok  |"
    );
}

#[test]
fn text_ids_are_their_text() {
    let id = AdSetId::new("120210 \"ü\"");
    assert_eq!(id, AdSetId::from(String::from("120210 \"ü\"")));
    assert_eq!(id.to_string(), id.as_str());
    assert_eq!(format!("{id:?}"), r#""120210 \"ü\"""#);
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(serde_json::from_str::<AdSetId>(&json).unwrap(), id);
    assert_eq!(
        serde_json::to_string(&OrderId::from("#1001")).unwrap(),
        r##""#1001""##
    );
    assert_eq!(
        serde_json::to_string(&TouchpointId::from("t")).unwrap(),
        r#""t""#
    );
    // Numbers are not ids: a reader that dropped leading zeros would change them.
    assert!(serde_json::from_str::<AdSetId>("120210").is_err());
}

#[test]
fn ids_are_found_by_their_text() {
    let hashed: HashMap<AdSetId, u8> = [(AdSetId::new("a"), 1), (AdSetId::new("b"), 2)].into();
    let ordered: BTreeMap<AdSetId, u8> = [(AdSetId::new("a"), 1), (AdSetId::new("b"), 2)].into();
    for (text, found) in [("a", Some(&1)), ("b", Some(&2)), ("c", None)] {
        assert_eq!(hashed.get(text), found);
        assert_eq!(ordered.get(text), found);
    }
}

#[test]
fn keys_are_ordered_by_platform_and_text() {
    let mut keys = [
        AdSetKey::new(Platform::new("zeta"), "1"),
        AdSetKey::new(Platform::TikTok, "1"),
        AdSetKey::new(Platform::Google, "2"),
        AdSetKey::new(Platform::Google, "10"),
        AdSetKey::new(Platform::Meta, "9"),
        AdSetKey::new(Platform::new("alpha"), "1"),
    ];
    keys.sort();
    assert_eq!(
        keys.map(|key| key.to_string()),
        [
            "meta/9",
            "google/10",
            "google/2",
            "tiktok/1",
            "alpha/1",
            "zeta/1"
        ]
    );
}

#[test]
fn numbers_stay_numbers_in_json() {
    assert_eq!(serde_json::to_string(&ArmId::new(3)).unwrap(), "3");
    assert_eq!(serde_json::to_string(&PolicyVersion::new(7)).unwrap(), "7");
    assert_eq!(PolicyVersion::new(7).next(), PolicyVersion::new(8));
    assert_eq!(
        PolicyVersion::new(u64::MAX).next(),
        PolicyVersion::new(u64::MAX)
    );
    assert_eq!(
        format!("{:>3}{:03}", ArmId::new(3), PolicyVersion::new(7)),
        "  3007"
    );
}

#[test]
fn rules_are_equal_by_name_however_they_were_made() {
    const CAP: RuleId = RuleId::new("daily_cap");
    let json = serde_json::to_string(&CAP).unwrap();
    assert_eq!(json, r#""daily_cap""#);
    assert_eq!(serde_json::from_str::<RuleId>(&json).unwrap(), CAP);
    assert_eq!(RuleId::from(String::from("daily_cap")), CAP);
    assert_eq!(CAP.as_str(), CAP.to_string());
}
