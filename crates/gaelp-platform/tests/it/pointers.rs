//! The traits through references, boxes and shared pointers, with and without `dyn`.

use std::sync::Arc;

use gaelp_core::HourSpan;
use gaelp_platform::{AdPlatform, InMemoryShop, RevenueSource, WriteOutcome};
use pollster::block_on;

use crate::support::{NOW, dollars, meta, row, set};

/// Uses every method by value of a generic type.
fn exercise<P: AdPlatform>(platform: P) {
    let span = HourSpan::new(NOW.plus(-5), NOW);
    assert_eq!(block_on(platform.report(span)).unwrap().rows.len(), 1);
    assert_eq!(block_on(platform.budgets()).unwrap().len(), 2);
    let outcome = block_on(platform.set_budget(&set("a", "6")));
    let daily_budget = dollars("6");
    assert_eq!(outcome, WriteOutcome::Applied { daily_budget });
    assert_eq!(platform.capabilities().reporting_delay_hours, 1);
}

#[test]
fn every_pointer_is_a_platform() {
    let fresh = || {
        let platform = meta();
        platform.load([row("a", -3, 1, 0, "1")]).unwrap();
        platform
    };
    let platform = fresh();
    exercise(&platform);
    assert_eq!(platform.daily_budget("a"), Some(dollars("6")));
    exercise(Box::new(fresh()));
    exercise(Arc::new(fresh()));
    exercise(Box::new(fresh()) as Box<dyn AdPlatform>);
    exercise(Arc::new(fresh()) as Arc<dyn AdPlatform>);
    exercise(&fresh() as &dyn AdPlatform);
    exercise(Box::new(Arc::new(fresh())) as Box<dyn AdPlatform>);
}

#[test]
fn every_pointer_is_a_shop() {
    fn exercise<S: RevenueSource>(shop: S) {
        assert_eq!(block_on(shop.orders(HourSpan::hour(NOW))), Ok(vec![]));
    }
    let shop = InMemoryShop::new();
    exercise(&shop);
    assert_eq!(shop.unplayed(), []);
    exercise(Box::new(InMemoryShop::new()) as Box<dyn RevenueSource>);
    exercise(Arc::new(InMemoryShop::new()) as Arc<dyn RevenueSource>);
}

#[test]
fn futures_can_move_between_threads() {
    let platform: Arc<dyn AdPlatform> = Arc::new(meta());
    let task = async move { platform.budgets().await };
    let budgets = std::thread::spawn(move || block_on(task)).join().unwrap();
    assert_eq!(budgets.unwrap().len(), 2);
}
