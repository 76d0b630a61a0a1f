//! The shop: what becomes of a purchase.

use chrono::{DateTime, TimeDelta, Utc};
use gaelp::core::Micros;

use super::basket::Basket;
use super::dice::Dice;
use super::market::{Click, Purchase};

/// Orders are numbered from here, as Shopify does.
pub(crate) const FIRST_NUMBER: u32 = 1001;
/// Of a hundred orders, how many come from somebody who bought before.
const RETURNING_PERCENT: u32 = 15;
/// Of a hundred orders that an ad set earned, how many still show its tags.
const TAGGED_PERCENT: u32 = 85;
/// The stream of the shop's own draws: past those of any ad set.
const STREAM: u64 = u64::MAX;

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Paid,
    /// A product was sent back.
    PartiallyRefunded,
    /// Everything was sent back.
    Refunded,
    /// Cancelled before it was sent, and paid back.
    Cancelled {
        at: DateTime<Utc>,
    },
    /// To be paid by bank transfer, which has not come.
    Pending,
    /// The payment was never taken.
    Voided {
        at: DateTime<Utc>,
    },
}

/// An order of the shop.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) number: u32,
    /// Who bought, counted from 1. They are nobody.
    pub(crate) customer: u32,
    pub(crate) accepts_marketing: bool,
    pub(crate) at: DateTime<Utc>,
    pub(crate) status: Status,
    /// When it was sent, where that was before the export.
    pub(crate) sent_at: Option<DateTime<Utc>>,
    pub(crate) basket: Basket,
    /// The click that earned it, whether the order shows it or not.
    pub(crate) earned_by: Option<Click>,
    /// Whether the order shows it.
    pub(crate) tagged: bool,
}

impl Order {
    /// What was paid back.
    pub(crate) fn refunded(&self) -> Micros {
        match self.status {
            Status::Refunded | Status::Cancelled { .. } => self.basket.total(),
            Status::PartiallyRefunded => self
                .basket
                .lines()
                .next()
                .map_or(Micros::ZERO, |(product, _)| product.price)
                .min(self.basket.subtotal()),
            Status::Paid | Status::Pending | Status::Voided { .. } => Micros::ZERO,
        }
    }

    /// What the shop kept of it.
    pub(crate) fn kept(&self) -> Micros {
        match self.status {
            Status::Pending | Status::Voided { .. } => Micros::ZERO,
            _ => self
                .basket
                .total()
                .checked_sub(self.refunded())
                .expect("no more than the total is paid back"),
        }
    }
}

/// Takes purchases in the order of time and makes orders of them.
#[derive(Debug)]
pub(crate) struct Shop {
    dice: Dice,
    taken: u32,
    customers: u32,
    exported_at: DateTime<Utc>,
}

impl Shop {
    pub(crate) fn new(seed: u64, exported_at: DateTime<Utc>) -> Self {
        Self {
            dice: Dice::new(seed, STREAM),
            taken: 0,
            customers: 0,
            exported_at,
        }
    }

    /// Makes an order of a purchase.
    pub(crate) fn take(&mut self, purchase: Purchase) -> Order {
        let number = FIRST_NUMBER + self.taken;
        self.taken += 1;
        let returning = self.dice.happens(RETURNING_PERCENT) && self.customers > 0;
        let customer = if returning {
            self.dice.within(1..self.customers + 1)
        } else {
            self.customers += 1;
            self.customers
        };
        let status = self.status(number, purchase.at);
        let preparation = TimeDelta::minutes(i64::from(self.dice.within(1000..2200)));
        let sent_at = matches!(
            status,
            Status::Paid | Status::PartiallyRefunded | Status::Refunded
        )
        .then(|| purchase.at + preparation)
        .filter(|&sent_at| sent_at < self.exported_at);
        Order {
            number,
            customer,
            accepts_marketing: self.dice.happens(40),
            at: purchase.at,
            status,
            sent_at,
            tagged: self.dice.happens(TAGGED_PERCENT) && purchase.earned_by.is_some(),
            earned_by: purchase.earned_by,
            basket: purchase.basket,
        }
    }

    /// How an order ends follows from its number, so that a month's sample has one of each kind.
    fn status(&self, number: u32, at: DateTime<Utc>) -> Status {
        let ended = |hours| Some(at + TimeDelta::hours(hours)).filter(|&at| at < self.exported_at);
        // Sent back a week later, where the export is late enough to know.
        let status = match number % 50 {
            7 | 32 => ended(168).map(|_| Status::PartiallyRefunded),
            23 => ended(168).map(|_| Status::Refunded),
            12 => ended(3).map(|at| Status::Cancelled { at }),
            36 => Some(Status::Pending),
            39 => ended(26).map(|at| Status::Voided { at }),
            _ => None,
        };
        status.unwrap_or(Status::Paid)
    }
}
