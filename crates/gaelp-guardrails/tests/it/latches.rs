//! What stays until a person says so.

use std::num::NonZeroU32;

use gaelp_core::{Micros, UtcHour};
use gaelp_guardrails::{Conduct, Emergency, KillSwitch, LastKnownGood};

use crate::cases::{Random, cases};

fn at(hour: i32) -> UtcHour {
    UtcHour::new(hour)
}

#[test]
fn i7_the_kill_switch_stays_pulled_whatever_happens_but_a_person_lifting_it() {
    let good = Micros::new(400_000);
    let mut switch = KillSwitch::default();
    assert_eq!((switch.pulled(), switch.lifted()), (None, None));
    switch.lift("ada".into(), at(1));
    assert_eq!(switch.lifted(), None);
    switch.pull("ada".into(), at(2));
    switch.pull("bob".into(), at(3));
    assert_eq!(switch.pulled(), Some((&"ada".into(), at(2))));
    assert_eq!(
        switch.goes_back_to(good),
        Some(LastKnownGood { rate: good })
    );
    // It survives being stored.
    let stored = serde_json::to_string(&switch).unwrap();
    assert_eq!(serde_json::from_str::<KillSwitch>(&stored).unwrap(), switch);
    switch.lift("bob".into(), at(5));
    assert_eq!((switch.pulled(), switch.goes_back_to(good)), (None, None));
    assert_eq!(switch.lifted(), Some((&"bob".into(), at(5))));
    switch.pull("eve".into(), at(6));
    assert_eq!(switch.pulled(), Some((&"eve".into(), at(6))));
}

#[test]
fn an_emergency_begins_after_so_many_violations_in_a_row_and_ends_by_hand() {
    let mut emergency = Emergency::new(NonZeroU32::new(3).unwrap());
    let violation = Conduct::Violation;
    emergency.record(violation, at(1));
    emergency.record(violation, at(2));
    assert_eq!((emergency.since(), emergency.violations()), (None, 2));
    emergency.record(Conduct::Safe, at(3));
    assert_eq!((emergency.since(), emergency.violations()), (None, 0));
    emergency.record(violation, at(4));
    emergency.record(violation, at(5));
    emergency.record(violation, at(6));
    assert_eq!(emergency.since(), Some(at(6)));
    emergency.record(violation, at(7));
    emergency.record(Conduct::Safe, at(8));
    emergency.record(violation, at(9));
    assert_eq!(
        (emergency.since(), emergency.violations()),
        (Some(at(6)), 1)
    );
    let stored = serde_json::to_string(&emergency).unwrap();
    assert_eq!(
        serde_json::from_str::<Emergency>(&stored).unwrap(),
        emergency
    );
    assert_eq!(emergency.rearmed(), None);
    emergency.rearm("ada".into(), at(10));
    assert_eq!((emergency.since(), emergency.violations()), (None, 0));
    assert_eq!(emergency.rearmed(), Some((&"ada".into(), at(10))));
    // An emergency of nothing is none: zero violations are refused.
    let none = stored.replace("\"after\":3", "\"after\":0");
    assert!(serde_json::from_str::<Emergency>(&none).is_err());
}

#[test]
fn emergencies_agree_with_the_list_of_all_hours() {
    let mut random = Random::new(700);
    let (mut begun, mut ended) = (0, 0);
    for _ in 0..cases(40_000) {
        let after = u32::try_from(random.below(4) + 1).unwrap();
        let mut emergency = Emergency::new(NonZeroU32::new(after).unwrap());
        let (mut hours, mut since) = (Vec::new(), None);
        for hour in 0..30 {
            if random.chance(5) {
                ended += u32::from(since.is_some());
                emergency.rearm("ada".into(), at(hour));
                hours.clear();
                since = None;
            } else {
                let bad = random.chance(50);
                let conduct = if bad {
                    Conduct::Violation
                } else {
                    Conduct::Safe
                };
                emergency.record(conduct, at(hour));
                hours.push(bad);
                let row = hours.iter().rev().take_while(|bad| **bad).count();
                if since.is_none() && row >= after as usize {
                    since = Some(at(hour));
                    begun += 1;
                }
            }
            assert_eq!(emergency.since(), since);
        }
    }
    assert!(begun > 0 && ended > 0);
}
