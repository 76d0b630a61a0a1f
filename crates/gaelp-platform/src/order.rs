//! A shop's orders and refunds.

use chrono::{DateTime, Utc};
use gaelp_core::{Micros, OrderId};
use serde::{Deserialize, Serialize};

/// What an [`OrderEvent`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderKind {
    /// The order itself.
    Sale,
    /// Money given back: a refund in part or in full, a cancellation, a lost dispute.
    Refund,
}

/// An order, or one of its refunds.
///
/// `(order, number)` names the event for good: delivering it again changes nothing. The sum of an
/// order's events is what it is worth today.
///
/// **Units.** `amount` is in the shop's currency; a refund's is negative. `at` is when the event
/// happened, so a refund stands at the time of the refund, not of the order.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use gaelp_core::Micros;
/// use gaelp_platform::OrderEvent;
///
/// let monday: DateTime<Utc> = "2026-03-02T18:40:00Z".parse()?;
/// let friday: DateTime<Utc> = "2026-03-06T09:00:00Z".parse()?;
/// let sale = OrderEvent::sale("#1001", monday, "49.90".parse()?)?;
/// let refund = OrderEvent::refund("#1001", 1, friday, "-20".parse()?)?;
/// let worth = Micros::checked_sum([sale.amount, refund.amount]);
/// assert_eq!(worth, Some("29.90".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderEvent {
    /// Which order.
    pub order: OrderId,
    /// 0 for the order itself, 1 and up for its refunds.
    pub number: u32,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// How much: zero or more for a sale, zero or less for a refund.
    pub amount: Micros,
    /// What it is.
    pub kind: OrderKind,
}

impl OrderEvent {
    /// An order.
    ///
    /// # Errors
    /// [`OrderError::NegativeSale`].
    pub fn sale(
        order: impl Into<OrderId>,
        at: DateTime<Utc>,
        amount: Micros,
    ) -> Result<Self, OrderError> {
        Self {
            order: order.into(),
            number: 0,
            at,
            amount,
            kind: OrderKind::Sale,
        }
        .checked()
    }

    /// The `number`-th refund of an order, counted from 1; its amount is negative.
    ///
    /// # Errors
    /// [`OrderError::PositiveRefund`], [`OrderError::WrongNumber`] where `number` is 0.
    pub fn refund(
        order: impl Into<OrderId>,
        number: u32,
        at: DateTime<Utc>,
        amount: Micros,
    ) -> Result<Self, OrderError> {
        Self {
            order: order.into(),
            number,
            at,
            amount,
            kind: OrderKind::Refund,
        }
        .checked()
    }

    /// The event, where its kind, number and amount agree.
    ///
    /// # Errors
    /// [`OrderError`] where they do not.
    pub fn checked(self) -> Result<Self, OrderError> {
        let is_sale = self.kind == OrderKind::Sale;
        if is_sale != (self.number == 0) {
            return Err(OrderError::WrongNumber {
                order: self.order,
                number: self.number,
                kind: self.kind,
            });
        }
        if is_sale && self.amount.is_negative() {
            return Err(OrderError::NegativeSale {
                order: self.order,
                amount: self.amount,
            });
        }
        if !is_sale && self.amount > Micros::ZERO {
            return Err(OrderError::PositiveRefund {
                order: self.order,
                number: self.number,
                amount: self.amount,
            });
        }
        Ok(self)
    }
}

/// An order event that contradicts itself or another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// A sale below zero.
    #[error("order {order}: a sale of {amount} is negative")]
    NegativeSale {
        /// Which order.
        order: OrderId,
        /// Its amount.
        amount: Micros,
    },
    /// A refund above zero.
    #[error("order {order}: refund {number} of {amount} is positive; a refund is negative")]
    PositiveRefund {
        /// Which order.
        order: OrderId,
        /// Which refund.
        number: u32,
        /// Its amount.
        amount: Micros,
    },
    /// A sale that is not number 0, or a refund that is.
    #[error("order {order}: {kind:?} has number {number}; a sale is 0, refunds count from 1")]
    WrongNumber {
        /// Which order.
        order: OrderId,
        /// Its number.
        number: u32,
        /// What it says it is.
        kind: OrderKind,
    },
    /// The same event with another time or amount.
    #[error("order {order}: event {number} was known with another time or amount")]
    Contradicted {
        /// Which order.
        order: OrderId,
        /// Which event of it.
        number: u32,
    },
}
