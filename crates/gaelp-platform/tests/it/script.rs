use gaelp_core::{HourSpan, Micros, Ratio};
use gaelp_platform::{
    AdPlatform, ErrorKind, Fault, InMemoryPlatform, Operation, PlatformError, Report, Script,
    WriteOutcome,
};
use pollster::block_on;

use crate::support::{NOW, brief, dollars, meta, row, set};

fn report(platform: &InMemoryPlatform) -> Result<Report, PlatformError> {
    block_on(platform.report(HourSpan::new(NOW.plus(-10), NOW)))
}

fn write(platform: &InMemoryPlatform, budget: &str) -> WriteOutcome {
    block_on(platform.set_budget(&set("a", budget)))
}

fn budget(platform: &InMemoryPlatform) -> Option<Micros> {
    platform.daily_budget("a")
}

fn half() -> Ratio {
    Ratio::from_ppm(500_000)
}

#[test]
fn faults_strike_in_order_and_once() {
    let platform = meta().with_script(
        Script::new()
            .then(Fault::WriteRejected(ErrorKind::Auth))
            .then_well(Operation::Write)
            .then(Fault::WriteUnknownLost)
            .then(Fault::BudgetsFail(ErrorKind::Retryable))
            .at_call(2, Fault::ReportFails(ErrorKind::Other)),
    );
    assert_eq!(platform.unplayed().len(), 4);

    let first = write(&platform, "6");
    assert_eq!(
        first.error().map(PlatformError::kind),
        Some(ErrorKind::Auth)
    );
    assert!(!first.may_have_changed());
    assert!(matches!(
        write(&platform, "7"),
        WriteOutcome::Applied { .. }
    ));
    assert!(matches!(write(&platform, "8"), WriteOutcome::Unknown(_)));
    assert!(matches!(
        write(&platform, "9"),
        WriteOutcome::Applied { .. }
    ));

    assert!(report(&platform).is_ok());
    assert!(report(&platform).is_err_and(|error| error.kind() == ErrorKind::Other));
    assert!(report(&platform).is_ok());

    assert!(block_on(platform.budgets()).is_err());
    assert!(block_on(platform.budgets()).is_ok());
    assert_eq!(platform.unplayed(), []);
}

#[test]
fn unknown_writes_were_applied_or_lost_or_come_late() {
    let script = || {
        Script::new()
            .then(Fault::WriteUnknownApplied)
            .then(Fault::WriteUnknownLost)
            .then(Fault::WriteUnknownLate { hours: 2 })
    };
    let platform = meta().with_script(script());
    let told: Vec<_> = ["6", "7", "8"].map(|to| write(&platform, to)).into();
    // The caller cannot tell them apart.
    assert!(
        told.iter()
            .all(|outcome| *outcome == told[0] && outcome.may_have_changed())
    );
    assert_eq!(budget(&platform), Some(dollars("6")));

    // The late one arrives over what was set since.
    platform.set_now(NOW.plus(1));
    let _applied = write(&platform, "5.50");
    assert_eq!(budget(&platform), Some(dollars("5.50")));
    platform.set_now(NOW.plus(2));
    assert_eq!(budget(&platform), Some(dollars("8")));

    let after: Vec<_> = platform.writes().iter().map(|w| w.after).collect();
    assert_eq!(
        after,
        ["6", "6", "6", "5.50"].map(|text| Some(dollars(text)))
    );

    // A late write is still subject to the platform's rules.
    platform.script(script());
    let told: Vec<_> = ["0.10", "0.20", "0.30"]
        .map(|to| write(&platform, to))
        .into();
    assert!(told.iter().all(WriteOutcome::may_have_changed));
    platform.set_now(NOW.plus(9));
    assert_eq!(budget(&platform), Some(dollars("8")));
}

#[test]
fn late_writes_arrive_in_the_order_of_their_hours() {
    let platform = meta().with_script(
        Script::new()
            .then(Fault::WriteUnknownLate { hours: 3 })
            .then(Fault::WriteUnknownLate { hours: 1 })
            .then(Fault::WriteUnknownLate { hours: u32::MAX }),
    );
    for to in ["6", "7", "8"] {
        let _unknown = write(&platform, to);
    }
    platform.set_now(NOW.plus(5));
    assert_eq!(budget(&platform), Some(dollars("6")));
    assert_eq!(platform.now(), NOW.plus(5));
}

#[test]
fn reports_can_lack_hours_and_be_late() {
    let platform = meta().with_script(
        Script::new()
            .then(Fault::ReportMissing(HourSpan::hour(NOW.plus(-4))))
            .then(Fault::ReportLate { hours: 2 })
            .then(Fault::ReportLate { hours: u32::MAX }),
    );
    platform
        .load((-5..-1).map(|hour| row("a", hour, 1, 0, "1")))
        .unwrap();
    let offsets = |report: &Report| -> Vec<i64> {
        report
            .rows
            .iter()
            .map(|row| row.span.from.since(NOW))
            .collect()
    };

    let holed = report(&platform).unwrap();
    assert_eq!(offsets(&holed), [-5, -3, -2]);
    assert_eq!(holed.complete_before, NOW.plus(-1)); // it says nothing about the hole

    let late = report(&platform).unwrap();
    assert_eq!(offsets(&late), [-5, -4]);
    assert_eq!(late.complete_before, NOW.plus(-3));

    assert_eq!(report(&platform).unwrap().rows, []);
    assert_eq!(offsets(&report(&platform).unwrap()), [-5, -4, -3, -2]);
}

#[test]
fn restatements_stay_and_contradictions_pass() {
    let platform = meta().with_script(
        Script::new()
            .then(Fault::ReportContradicted { spend: half() })
            .then_well(Operation::Report)
            .then(Fault::ReportRestated { spend: half() }),
    );
    platform.load([row("a", -5, 1, 4, "3")]).unwrap();
    platform.load([row("a", 0, 1, 0, "3")]).unwrap(); // not reported yet, so not restated
    let mut seen = Vec::new();
    for _ in 0..4 {
        let report = report(&platform).unwrap();
        seen.extend(
            brief(&report)
                .into_iter()
                .map(|(_, _, revision, spend)| (revision, spend)),
        );
    }
    let told = [(4, "1.5"), (4, "3"), (5, "1.5"), (5, "1.5")];
    assert_eq!(
        seen,
        told.map(|(revision, spend)| (revision, dollars(spend)))
    );
    platform.set_now(NOW.plus(9));
    let later = block_on(platform.report(HourSpan::hour(NOW))).unwrap();
    assert_eq!(brief(&later), [("a", 0, 0, dollars("3"))]);
}

#[test]
fn somebody_edits_between_a_write_and_its_read_back() {
    let platform = meta().with_script(
        Script::new()
            .then(Fault::ExternalEdit {
                ad_set: "a".into(),
                to: dollars("50"),
            })
            .at_call(1, Fault::BudgetsFail(ErrorKind::Retryable)),
    );
    assert!(matches!(
        write(&platform, "6"),
        WriteOutcome::Applied { .. }
    ));
    assert!(block_on(platform.budgets()).is_err()); // the edit happens all the same
    let read = block_on(platform.budgets()).unwrap();
    assert_eq!(read[0].daily_budget, dollars("50"));
}

#[test]
fn a_new_script_counts_from_its_start() {
    let platform = meta();
    assert!(report(&platform).is_ok());
    platform.script(Script::new().then(Fault::ReportFails(ErrorKind::Retryable)));
    assert!(report(&platform).is_err());
    platform.script(Script::new().at_call(0, Fault::ReportFails(ErrorKind::Retryable)));
    assert!(report(&platform).is_ok());
    assert_eq!(platform.unplayed().len(), 1); // call 0 never comes
}
