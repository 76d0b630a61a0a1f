use chrono::{DateTime, Duration, Utc};
use gaelp_core::{HourSpan, Micros};
use gaelp_platform::{
    ErrorKind, Fault, InMemoryShop, OrderError, OrderEvent, OrderKind, RevenueSource, Script,
};
use pollster::block_on;

use crate::support::{NOW, dollars};

fn at(minutes: i64) -> DateTime<Utc> {
    NOW.start() + Duration::minutes(minutes)
}

fn sale(order: &str, minutes: i64, amount: &str) -> OrderEvent {
    OrderEvent::sale(order, at(minutes), dollars(amount)).unwrap()
}

fn names(shop: &InMemoryShop, from: i32, to: i32) -> Vec<String> {
    let span = HourSpan::new(NOW.plus(from), NOW.plus(to));
    let events = block_on(shop.orders(span)).unwrap();
    events
        .iter()
        .map(|event| format!("{}/{}", event.order, event.number))
        .collect()
}

#[test]
fn events_stand_at_their_own_time() {
    let shop = InMemoryShop::new();
    let refund = OrderEvent::refund("#1", 1, at(60), dollars("-10")).unwrap();
    shop.load([
        refund,
        sale("#1", 59, "30"),
        sale("#2", 0, "5"),
        sale("#3", -1, "5"),
    ])
    .unwrap();
    assert_eq!(names(&shop, 0, 1), ["#1/0", "#2/0"]);
    assert_eq!(names(&shop, 1, 2), ["#1/1"]);
    assert_eq!(names(&shop, -1, 0), ["#3/0"]);
    assert_eq!(names(&shop, 1, 1), Vec::<String>::new());
    assert_eq!(names(&shop, 2, 1), Vec::<String>::new());
}

#[test]
fn events_are_known_by_order_and_number() {
    let shop = InMemoryShop::new();
    shop.load([sale("#1", 5, "30"), sale("#1", 5, "30")])
        .unwrap();
    shop.load([sale("#1", 5, "30")]).unwrap();
    assert_eq!(names(&shop, 0, 1), ["#1/0"]);

    let contradicted = OrderError::Contradicted {
        order: "#1".into(),
        number: 0,
    };
    let batch = [sale("#2", 5, "1"), sale("#1", 5, "31")];
    assert_eq!(shop.load(batch), Err(contradicted.clone()));
    assert_eq!(shop.load([sale("#1", 6, "30")]), Err(contradicted));
    assert_eq!(names(&shop, 0, 1), ["#1/0"]); // nothing of a bad batch
}

#[test]
fn events_that_contradict_themselves_are_turned_away() {
    let (order, amount) = ("#1", dollars("1"));
    let negative = Micros::new(-1);
    assert!(matches!(
        OrderEvent::sale(order, at(0), negative),
        Err(OrderError::NegativeSale { amount, .. }) if amount == negative
    ));
    assert!(matches!(
        OrderEvent::refund(order, 2, at(0), amount),
        Err(OrderError::PositiveRefund { number: 2, .. })
    ));
    assert!(matches!(
        OrderEvent::refund(order, 0, at(0), negative),
        Err(OrderError::WrongNumber {
            kind: OrderKind::Refund,
            ..
        })
    ));
    let numbered = OrderEvent {
        number: 1,
        ..sale(order, 0, "1")
    };
    let shop = InMemoryShop::new();
    assert!(matches!(
        shop.load([numbered]),
        Err(OrderError::WrongNumber { number: 1, .. })
    ));
    // A free order and an empty refund are events.
    assert!(OrderEvent::sale(order, at(0), Micros::ZERO).is_ok());
    assert!(OrderEvent::refund(order, 1, at(0), Micros::ZERO).is_ok());
}

#[test]
fn a_shop_fails_by_its_script() {
    let shop = InMemoryShop::new();
    shop.script(Script::new().at_call(2, Fault::OrdersFail(ErrorKind::Auth)));
    let ask = || block_on(shop.orders(HourSpan::hour(NOW)));
    assert!(ask().is_ok());
    assert!(ask().is_err_and(|error| error.kind() == ErrorKind::Auth));
    assert!(ask().is_ok());
    assert_eq!(shop.unplayed(), []);
}
