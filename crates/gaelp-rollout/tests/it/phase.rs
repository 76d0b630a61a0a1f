//! I10: a phase rises one step by its criteria, and falls freely.

use gaelp_core::{Quantity, Ratio};
use gaelp_rollout::{Comparison, Evidence, Fall, Judgement, Ladder, Missing, Phase};

/// All combinations of evidence at, above and below each threshold of the default ladder.
fn evidence() -> Vec<Evidence> {
    let mut all = Vec::new();
    for days in [0, 6, 7, 13, 14, 100] {
        for coverage in [0, 949_999, 950_000, 1_000_000] {
            for conversions in [0, 49_999_999, 50_000_000] {
                for violations in [0, 1] {
                    for frozen in [0, 250_000, 250_001] {
                        for comparison in [
                            Comparison::NotWorse,
                            Comparison::Worse,
                            Comparison::Inconclusive,
                        ] {
                            for assumptions_measured in [false, true] {
                                all.push(Evidence {
                                    days,
                                    coverage: Ratio::from_ppm(coverage),
                                    conversions: Quantity::from_millionths(conversions),
                                    violations,
                                    frozen: Ratio::from_ppm(frozen),
                                    comparison,
                                    assumptions_measured,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

#[test]
fn i10_a_phase_rises_one_step_and_only_when_every_criterion_holds() {
    let ladder = Ladder::default();
    let mut risen = 0;
    for (index, phase) in Phase::ALL.into_iter().enumerate() {
        for seen in evidence() {
            let calm = seen.violations == 0
                && (phase == Phase::Shadow
                    || (seen.comparison != Comparison::Worse && seen.frozen.ppm() <= 250_000));
            let enough = if phase == Phase::Shadow {
                seen.days >= 14 && seen.coverage.ppm() >= 950_000 && seen.assumptions_measured
            } else {
                seen.days >= 7
                    && seen.coverage.ppm() >= 950_000
                    && seen.conversions.millionths() >= 50_000_000
                    && seen.comparison == Comparison::NotWorse
            };
            let next = Phase::ALL.get(index + 1).copied();
            match ladder.judge(phase, &seen) {
                Judgement::Rise(to) => {
                    assert!(calm && enough, "{phase:?} {seen:?}");
                    assert_eq!(Some(to), next);
                    risen += 1;
                }
                Judgement::Stay(missing) => {
                    assert!(calm || phase == Phase::Shadow, "{phase:?} {seen:?}");
                    assert_eq!(missing.is_empty(), next.is_none(), "{phase:?} {seen:?}");
                    assert!(!(calm && enough) || next.is_none(), "{phase:?} {seen:?}");
                }
                Judgement::Fall(to, why) => {
                    assert!(!calm && to < phase, "{phase:?} {seen:?}");
                    let one_down = index.checked_sub(1).map(|below| Phase::ALL[below]);
                    match why {
                        Fall::Violation => assert_eq!(to, Phase::Shadow),
                        _ => assert_eq!(Some(to), one_down),
                    }
                }
            }
        }
    }
    assert!(risen > 100, "only {risen} rose");
}

#[test]
fn i10_what_is_missing_is_named() {
    let ladder = Ladder::default();
    let nothing = Evidence {
        violations: 1,
        ..Evidence::default()
    };
    let missing = [
        Missing::Days,
        Missing::Coverage,
        Missing::Assumptions,
        Missing::CleanRecord,
    ];
    assert_eq!(
        ladder.judge(Phase::Shadow, &nothing),
        Judgement::Stay(missing.to_vec())
    );
    let missing = [
        Missing::Days,
        Missing::Coverage,
        Missing::Conversions,
        Missing::Comparison,
    ];
    assert_eq!(
        ladder.judge(Phase::Canary, &Evidence::default()),
        Judgement::Stay(missing.to_vec())
    );
}

#[test]
fn i10_the_share_of_the_cap_grows_with_the_phase() {
    let shares: Vec<i64> = Phase::ALL
        .iter()
        .map(|phase| phase.share_of_cap().ppm())
        .collect();
    assert_eq!(shares, [0, 50_000, 100_000, 250_000, 500_000, 1_000_000]);
    assert_eq!(Phase::Shadow.below(), None);
    assert_eq!(Phase::Whole.above(), None);
    assert_eq!(Phase::Quarter.below(), Some(Phase::Tenth));
}
