//! The shop: orders with their lags, and what is given back.

use std::collections::BTreeMap;

use gaelp_core::{HourSpan, Micros, OrderId, Ratio};
use gaelp_platform::OrderEvent;

use super::World;
use super::calendar::HOUR;
use super::report::Sale;
use crate::Dice;

const DAY: i64 = 24 * HOUR;
/// How long a refund may follow its order.
const REFUND_DAYS: i64 = 10;

/// Orders and refunds by the second in which they happen, those to come included.
#[derive(Clone, Debug, Default)]
pub(super) struct Shop {
    events: BTreeMap<(i64, u64), OrderEvent>,
    orders: u64,
}

/// What the shop is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Custom {
    pub(super) refunds: Ratio,
    pub(super) longest_lag_hours: u32,
}

impl Shop {
    /// The orders that the clicks of an hour bring, sooner or later.
    pub(super) fn sell(
        &mut self,
        count: u64,
        hour_begins: i64,
        mean: Micros,
        custom: Custom,
        dice: &mut Dice,
    ) -> Vec<Sale> {
        let sales = (0..count).map(|_| {
            let clicked = hour_begins + dice.between(0, HOUR - 1);
            // Two thirds buy within the hour, the others within days: the cube of a uniform number
            // keeps most lags short.
            let lag = if dice.chance(Ratio::from_ppm(666_667)) {
                dice.between(0, HOUR)
            } else {
                let drawn = i128::from(dice.below(1_000_000));
                let longest = i128::from(custom.longest_lag_hours) * i128::from(HOUR);
                let cubed = longest * drawn * drawn * drawn / 1_000_000_000_000_000_000;
                i64::try_from(cubed).unwrap_or(0)
            };
            let factor = dice.factor(Ratio::from_ppm(800_000));
            let amount = mean.checked_scale(factor, gaelp_core::Rounding::Down);
            let sale = Sale {
                at: clicked + lag,
                amount: amount.unwrap_or(mean).max(Micros::ZERO),
            };
            self.place(sale, custom, dice);
            sale
        });
        sales.collect()
    }

    fn place(&mut self, sale: Sale, custom: Custom, dice: &mut Dice) {
        self.orders += 1;
        let order = OrderId::from(format!("#{}", self.orders));
        let number = self.orders;
        let mut keep = |at: i64, event: Option<OrderEvent>| {
            if let Some(event) = event {
                self.events.insert((at, number), event);
            }
        };
        let instant = |at: i64| chrono::DateTime::from_timestamp(at, 0);
        let sold =
            instant(sale.at).and_then(|at| OrderEvent::sale(order.clone(), at, sale.amount).ok());
        keep(sale.at, sold);
        if dice.chance(custom.refunds) {
            let back_at = sale.at + dice.between(HOUR, REFUND_DAYS * DAY);
            let share = Ratio::from_ppm(dice.between(100_000, 1_000_000));
            let back = sale.amount.checked_scale(share, gaelp_core::Rounding::Down);
            let refund = instant(back_at).zip(back.and_then(Micros::checked_neg));
            let refund = refund.and_then(|(at, back)| OrderEvent::refund(order, 1, at, back).ok());
            keep(back_at, refund);
        }
    }

    /// What is known at `now` of the seconds from `from` to before `to`.
    fn between(&self, from: i64, to: i64, now: i64) -> Vec<OrderEvent> {
        if to <= from {
            return Vec::new();
        }
        let events = self.events.range((from, 0)..(to, 0));
        let past = events.take_while(|((at, _), _)| *at <= now);
        past.map(|(_, event)| event.clone()).collect()
    }
}

impl World {
    /// The orders and refunds that happened in the hours of a span, up to now.
    ///
    /// **Cost.** O(log orders) and the events of the span.
    pub fn orders(&self, span: HourSpan) -> Vec<OrderEvent> {
        let second = |hour: gaelp_core::UtcHour| i64::from(hour.get()) * HOUR;
        self.shop
            .between(second(span.from), second(span.to), self.now)
    }
}
