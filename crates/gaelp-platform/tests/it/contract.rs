//! The checks pass on the reference, and fail on every adapter that breaks one promise.

use async_trait::async_trait;
use gaelp_core::{AdSetKey, HourSpan, Micros, Platform, Ratio, Revision};
use gaelp_platform::contract::{self, Breach, ContractError};
use gaelp_platform::{
    AdPlatform, AdSetDetails, BudgetReading, Capabilities, ErrorKind, Fault, InMemoryPlatform,
    InMemoryShop, OrderError, OrderEvent, PlatformError, Report, RevenueSource, Script, SetBudget,
    WriteOutcome,
};
use pollster::block_on;

use crate::support::{NOW, dollars, key, meta, row};

fn span() -> HourSpan {
    HourSpan::new(NOW.plus(-20), NOW.plus(-2))
}

fn loaded() -> InMemoryPlatform {
    let platform = meta();
    platform
        .load((-30..0).map(|hour| row("a", hour, 1, 1, "1")))
        .unwrap();
    platform
}

#[test]
fn the_reference_passes() {
    let platform = loaded();
    block_on(contract::reads(&platform, span())).unwrap();
    block_on(contract::writes(&platform, &key("a"))).unwrap();
    assert_eq!(platform.daily_budget("a"), Some(dollars("5")));

    let platform: Box<dyn AdPlatform> = Box::new(loaded());
    block_on(contract::reads(&*platform, span())).unwrap();
    block_on(contract::writes(&platform, &key("b"))).unwrap();

    let shop: Box<dyn RevenueSource> = Box::new(InMemoryShop::new());
    block_on(contract::orders(&shop, span())).unwrap();
}

/// What is known besides a budget is read with it, survives writes and is told apart from nothing.
#[test]
fn details_are_read_with_the_budget() {
    let platform = loaded();
    let details = AdSetDetails {
        campaign: Some("summer".into()),
        audiences: ["lookalike".into(), "visitors".into()].into(),
        bid: Some(dollars("0.80")),
    };
    assert!(platform.describe("a", details.clone()));
    assert!(!platform.describe("nobody", details.clone()));
    block_on(contract::writes(&platform, &key("a"))).unwrap();
    platform.external_edit("a", dollars("6"));
    let budgets = block_on(platform.budgets()).unwrap();
    assert_eq!(budgets[0].daily_budget, dollars("6"));
    assert_eq!(budgets[0].details, details);
    assert!(budgets[1].details.is_unknown());
}

/// A reading that an older adapter wrote, which knew of no details, and one that says little.
#[test]
fn a_reading_without_details_is_read_and_written_as_before() {
    let old =
        r#"{"key":{"platform":"meta","ad_set":"a"},"daily_budget":5000000,"delivery":"active"}"#;
    let reading: BudgetReading = serde_json::from_str(old).unwrap();
    assert!(reading.details.is_unknown());
    assert_eq!(serde_json::to_string(&reading).unwrap(), old);
    let some = old.replace("\"active\"", r#""active","details":{"campaign":"summer"}"#);
    let reading: BudgetReading = serde_json::from_str(&some).unwrap();
    assert_eq!(reading.details.campaign, Some("summer".into()));
    assert_eq!(reading.details.bid, None);
    assert_eq!(serde_json::to_string(&reading).unwrap(), some);
}

#[test]
fn the_check_fits_within_the_edits_of_an_hour_and_goes_down() {
    let platform = loaded();
    block_on(contract::writes(&platform, &key("a"))).unwrap();
    let highest = platform
        .writes()
        .iter()
        .filter_map(|write| write.after)
        .max();
    assert_eq!(highest, Some(dollars("5")));
    // Three edits of four: one more is left.
    let request = SetBudget {
        key: key("a"),
        daily_budget: dollars("5"),
        decision: gaelp_core::DecisionId::new(1),
    };
    assert!(matches!(
        block_on(platform.set_budget(&request)),
        WriteOutcome::Applied { .. }
    ));

    // At the minimum there is no way but up.
    let platform = meta().with_ad_set("low", dollars("1")).unwrap();
    block_on(contract::writes(&platform, &key("low"))).unwrap();
    let highest = platform
        .writes()
        .iter()
        .filter_map(|write| write.after)
        .max();
    assert_eq!(highest, Some(dollars("1.01")));
}

#[test]
fn failures_that_prove_nothing_are_told_apart() {
    let limited = ErrorKind::RateLimited { retry_after: None };
    for fault in [
        Fault::BudgetsFail(ErrorKind::Auth),
        Fault::WriteUnknownLost,
        Fault::WriteRejected(limited),
    ] {
        let platform = loaded().with_script(Script::new().then(fault));
        let result = block_on(contract::writes(&platform, &key("a")));
        assert!(
            matches!(result, Err(ContractError::NotFinished(_))),
            "{result:?}"
        );
        assert_eq!(platform.unplayed(), []);
        assert_eq!(platform.daily_budget("a"), Some(dollars("5")));
    }
    let platform = loaded();
    platform.external_edit("odd", Micros::new(5));
    let result = block_on(contract::writes(&platform, &key("odd")));
    assert!(
        matches!(result, Err(ContractError::Unsuitable { .. })),
        "{result:?}"
    );
    assert_eq!(platform.writes(), []);
}

#[test]
fn scripted_lies_are_found() {
    let lie = Fault::ReportContradicted {
        spend: Ratio::from_ppm(900_000),
    };
    // The first report asks for an empty span, the next two are compared.
    let platform = loaded().with_script(Script::new().at_call(3, lie));
    let result = block_on(contract::reads(&platform, span()));
    let revision = Revision::new(1);
    let expected = Breach::ReportContradicted {
        key: key("a"),
        span: HourSpan::hour(NOW.plus(-20)),
        revision,
    };
    assert_eq!(result, Err(expected.into()));

    // A restatement between the two is no lie.
    let restated = Fault::ReportRestated {
        spend: Ratio::from_ppm(900_000),
    };
    let platform = loaded().with_script(Script::new().at_call(3, restated));
    block_on(contract::reads(&platform, span())).unwrap();
    assert_eq!(platform.unplayed(), []);
}

/// One promise that an adapter breaks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Twist {
    RowsOfEverything,
    RowsTwice,
    RowsOfOthers,
    RevisionsFall,
    BudgetsTwice,
    BudgetsOfOthers,
    Increments,
    RoundsQuietly,
    RaisesToTheMinimum,
    MakesAdSets,
    TakesNothing,
    NeverWrites,
    NegativeBid,
    EmptyCampaign,
    EmptyAudience,
    MovesTheBid,
}

#[derive(Debug)]
struct Twisted {
    inner: InMemoryPlatform,
    twist: Twist,
    calls: std::sync::atomic::AtomicU32,
}

impl Twisted {
    fn new(twist: Twist) -> Self {
        Self {
            inner: loaded(),
            twist,
            calls: std::sync::atomic::AtomicU32::new(0),
        }
    }
}

#[async_trait]
impl AdPlatform for Twisted {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
        let calls = self
            .calls
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let asked = match self.twist {
            Twist::RowsOfEverything => HourSpan::new(NOW.plus(-100), NOW),
            _ => span,
        };
        let mut report = self.inner.report(asked).await?;
        match self.twist {
            Twist::RowsTwice => report.rows.extend(report.rows.clone()),
            Twist::RowsOfOthers => report
                .rows
                .iter_mut()
                .for_each(|row| row.key.platform = Platform::Google),
            Twist::RevisionsFall if calls == 2 => report
                .rows
                .iter_mut()
                .for_each(|row| row.revision = Revision::new(0)),
            _ => {}
        }
        Ok(report)
    }

    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
        let mut budgets = self.inner.budgets().await?;
        match self.twist {
            Twist::BudgetsTwice => budgets.extend(budgets.clone()),
            Twist::BudgetsOfOthers => budgets
                .iter_mut()
                .for_each(|reading| reading.key.platform = Platform::Google),
            Twist::NegativeBid => budgets[1].details.bid = Some(Micros::new(-1)),
            Twist::EmptyCampaign => budgets[1].details.campaign = Some("".into()),
            Twist::EmptyAudience => budgets[1].details.audiences = ["".into()].into(),
            _ => {}
        }
        Ok(budgets)
    }

    async fn set_budget(&self, request: &SetBudget) -> WriteOutcome {
        let mut changed = request.clone();
        let asked = request.daily_budget;
        let capabilities = self.capabilities();
        match self.twist {
            Twist::Increments => {
                // Sets to 0.01 above what was asked, each time it is asked again.
                let stands = self.inner.daily_budget(request.key.ad_set.as_str());
                if stands == Some(asked) {
                    changed.daily_budget = Micros::new(asked.get() + 10_000);
                }
            }
            Twist::RoundsQuietly => {
                if let Some(floor) = asked.floor_to(capabilities.budget_quantum) {
                    changed.daily_budget = floor;
                }
            }
            Twist::RaisesToTheMinimum => {
                changed.daily_budget = asked.max(capabilities.minimum_daily_budget);
            }
            Twist::MakesAdSets => {
                let ad_set = request.key.ad_set.as_str();
                if self.inner.daily_budget(ad_set).is_none() {
                    self.inner.external_edit(ad_set, asked);
                }
            }
            Twist::TakesNothing => {
                return WriteOutcome::Rejected(PlatformError::rejected("read only"));
            }
            Twist::NeverWrites if capabilities.check(asked).is_ok() => {
                let ad_set = request.key.ad_set.as_str();
                if self.inner.daily_budget(ad_set).is_some() {
                    return WriteOutcome::Applied {
                        daily_budget: asked,
                    };
                }
            }
            _ => {}
        }
        if self.twist == Twist::MovesTheBid {
            let bid = Some(asked);
            self.inner.describe(
                request.key.ad_set.as_str(),
                AdSetDetails {
                    bid,
                    ..AdSetDetails::default()
                },
            );
        }
        self.inner.set_budget(&changed).await
    }
}

fn breach(twist: Twist) -> Breach {
    let platform = Twisted::new(twist);
    let reads = block_on(contract::reads(&platform, span()));
    let both = reads.and_then(|()| block_on(contract::writes(&platform, &key("a"))));
    match both {
        Err(ContractError::Broken(breach)) => breach,
        other => panic!("{twist:?} was not found: {other:?}"),
    }
}

#[test]
fn every_twist_is_found() {
    let of_google = AdSetKey::new(Platform::Google, "a");
    let first = HourSpan::hour(NOW.plus(-20));
    let (asked, lower) = (dollars("0.99"), dollars("4.99"));
    let cases = [
        (
            Twist::RowsOfEverything,
            Breach::RowOutsideSpan {
                key: key("a"),
                span: HourSpan::hour(NOW.plus(-30)),
            },
        ),
        (
            Twist::RowsTwice,
            Breach::DuplicateRow {
                key: key("a"),
                span: first,
            },
        ),
        (
            Twist::RowsOfOthers,
            Breach::ForeignKey {
                key: of_google.clone(),
            },
        ),
        (
            Twist::RevisionsFall,
            Breach::RevisionFell {
                key: key("a"),
                span: first,
                before: Revision::new(1),
                after: Revision::new(0),
            },
        ),
        (
            Twist::BudgetsTwice,
            Breach::DuplicateBudget { key: key("a") },
        ),
        (
            Twist::BudgetsOfOthers,
            Breach::ForeignKey { key: of_google },
        ),
        (
            Twist::Increments,
            Breach::AppliedOther {
                asked: lower,
                confirmed: dollars("5"),
            },
        ),
        (
            Twist::RoundsQuietly,
            Breach::NotRefused {
                asked: Micros::new(5_000_001),
                confirmed: dollars("5"),
            },
        ),
        (
            Twist::RaisesToTheMinimum,
            Breach::NotRefused {
                asked,
                confirmed: dollars("1"),
            },
        ),
        (
            Twist::MakesAdSets,
            Breach::AppliedToNobody {
                key: key("a-that-does-not-exist"),
            },
        ),
        (
            Twist::TakesNothing,
            Breach::NotApplied {
                asked: lower,
                error: PlatformError::rejected("read only"),
            },
        ),
        (
            Twist::NeverWrites,
            Breach::ReadBack {
                expected: lower,
                read: dollars("5"),
            },
        ),
        (
            Twist::NegativeBid,
            Breach::NegativeBid {
                key: key("b"),
                bid: Micros::new(-1),
            },
        ),
        (Twist::EmptyCampaign, Breach::EmptyName { key: key("b") }),
        (Twist::EmptyAudience, Breach::EmptyName { key: key("b") }),
        (Twist::MovesTheBid, Breach::DetailsChanged { key: key("a") }),
    ];
    for (twist, expected) in cases {
        assert_eq!(breach(twist), expected, "{twist:?}");
    }
}

#[test]
fn the_budget_is_put_back_after_a_breach() {
    let platform = Twisted::new(Twist::RaisesToTheMinimum);
    assert!(block_on(contract::writes(&platform, &key("a"))).is_err());
    assert_eq!(platform.inner.daily_budget("a"), Some(dollars("5")));
}

#[test]
fn an_unlisted_ad_set_is_a_breach() {
    let result = block_on(contract::writes(&loaded(), &key("nobody")));
    let expected = Breach::NoBudget { key: key("nobody") };
    assert_eq!(result, Err(expected.into()));
}

/// A shop that gives what it was told, call by call.
struct Scripted(std::sync::Mutex<Vec<Vec<OrderEvent>>>);

#[async_trait]
impl RevenueSource for Scripted {
    async fn orders(&self, _: HourSpan) -> Result<Vec<OrderEvent>, PlatformError> {
        Ok(self.0.lock().unwrap().remove(0))
    }
}

#[test]
fn shops_are_held_to_their_promise() {
    let sale = |offset: i32, amount: &str| {
        let at = NOW.plus(offset).start();
        OrderEvent::sale("#1", at, dollars(amount)).unwrap()
    };
    let check = |answers: [Vec<OrderEvent>; 3]| {
        let shop = Scripted(std::sync::Mutex::new(answers.into()));
        block_on(contract::orders(&shop, span()))
    };
    let (order, number) = (gaelp_core::OrderId::from("#1"), 0);
    let inside = || vec![sale(-5, "10")];
    check([vec![], inside(), inside()]).unwrap();

    let outside = Breach::OrderOutsideSpan {
        order: order.clone(),
        number,
    };
    assert_eq!(
        check([inside(), inside(), inside()]),
        Err(outside.clone().into())
    );
    assert_eq!(
        check([vec![], vec![sale(5, "10")], vec![]]),
        Err(outside.into())
    );

    let twice = vec![sale(-5, "10"), sale(-5, "10")];
    let duplicate = Breach::DuplicateOrder {
        order: order.clone(),
        number,
    };
    assert_eq!(check([vec![], twice, vec![]]), Err(duplicate.into()));

    let contradicted = Breach::Order(OrderError::Contradicted { order, number });
    let changed = vec![sale(-5, "11")];
    assert_eq!(check([vec![], inside(), changed]), Err(contradicted.into()));

    let mut odd = sale(-5, "10");
    odd.number = 3;
    let result = check([vec![], vec![odd], vec![]]);
    assert!(matches!(
        result,
        Err(ContractError::Broken(Breach::Order(
            OrderError::WrongNumber { number: 3, .. }
        )))
    ));
}
