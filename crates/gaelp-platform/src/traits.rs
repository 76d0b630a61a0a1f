//! The two traits that stand for the outside world.

use std::sync::Arc;

use async_trait::async_trait;
use gaelp_core::HourSpan;

use crate::{
    BudgetReading, Capabilities, OrderEvent, PlatformError, Report, SetBudget, WriteOutcome,
};

/// An account on an advertising platform: what it measured, what its budgets are, and a way to
/// set them.
///
/// One value stands for one account: one currency, one time zone, both in its
/// [`capabilities`](Self::capabilities).
///
/// # For those who call it
///
/// - **Missing is not zero.** An ad set without a row for an hour is unknown for that hour, even
///   before [`Report::complete_before`]. Do not raise anything on it.
/// - **Reports change.** Ask for past hours again: a row may come back with a higher revision, and
///   the highest revision wins. Do not rely on the order of rows.
/// - **Writes have three outcomes.** After [`WriteOutcome::Unknown`] the old value, the new one or
///   a later change from one to the other are all possible. Count the worst, read back with
///   [`budgets`](Self::budgets), and do not send another raise before that is settled.
/// - **Cancellation.** Dropping the future of a read is harmless. Dropping the future of
///   [`set_budget`](Self::set_budget) is an unknown outcome: the request may be on its way.
/// - **A daily budget is not a cap.** A platform may spend
///   [`worst_case_day_spend`](Capabilities::worst_case_day_spend) in a day.
///
/// # For those who implement it
///
/// - **Units.** All money is [`Micros`](gaelp_core::Micros) of the account's currency, whatever
///   the platform's interface counts in. All hours are UTC hours, whatever zone its reports are
///   in. Convert at this border; where you cannot, give an error rather than a guess.
/// - **Leave out what you do not know.** Never fill a hole with zeros. Where the platform names an
///   ad set that spent nothing, give its row of zeros: that is knowledge.
/// - **Number restatements.** When figures for a span change, their revision must grow. Where the
///   platform has no such number, derive one that grows, such as the hour of the download.
/// - **Time-outs are yours.** Every method must end. Once a request to change a budget may have
///   left, a time-out, a broken connection or an unreadable answer is
///   [`WriteOutcome::Unknown`]; [`WriteOutcome::Rejected`] is for certainty. A rate limit on a
///   write is a rejection of kind [`RateLimited`](crate::ErrorKind::RateLimited).
/// - **Do not retry writes, and do not round them.** The caller decides what may be sent again. A
///   budget that the platform cannot take exactly is rejected.
/// - **Several tasks may call at once**; queue them if the platform cannot bear it.
/// - **Run the checks** of [`contract`](crate::contract) on it.
///
/// # Example
///
/// ```
/// use gaelp_core::{AccountZone, Currency, HourSpan, UtcHour};
/// use gaelp_platform::{AdPlatform, Capabilities, InMemoryPlatform, PlatformError};
///
/// async fn rows_of(platform: &dyn AdPlatform, hour: UtcHour) -> Result<usize, PlatformError> {
///     let report = platform.report(HourSpan::hour(hour)).await?;
///     Ok(report.rows.len())
/// }
///
/// let now = UtcHour::new(490_000);
/// let meta = InMemoryPlatform::new(Capabilities::meta(Currency::USD, AccountZone::UTC), now);
/// assert_eq!(pollster::block_on(rows_of(&meta, now))?, 0);
/// # Ok::<(), PlatformError>(())
/// ```
#[async_trait]
pub trait AdPlatform: Send + Sync {
    /// What this platform can do and within what limits. It does no I/O.
    ///
    /// The answer is the same as long as the value lives.
    fn capabilities(&self) -> &Capabilities;

    /// What happened to every ad set of the account during a span of hours.
    ///
    /// A row belongs to the span that it *begins* in: so adjoining spans give every row once, a
    /// local day's row included. An empty span gives no rows.
    ///
    /// # Errors
    /// Any kind. An error means that nothing is known about the span; half a report is an error,
    /// not a report.
    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError>;

    /// The daily budget of every ad set of the account, as it stands now; each ad set once.
    ///
    /// It is the read-back of every write, so it must ask the platform, never a cache.
    ///
    /// # Errors
    /// Any kind. A list with holes is an error, not a list.
    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError>;

    /// Makes a daily budget what the request says, whatever it was.
    ///
    /// It is idempotent: a repeated request leaves the same budget, though it may use up an edit.
    async fn set_budget(&self, request: &SetBudget) -> WriteOutcome;
}

/// A shop: the orders that the advertisements are for, and their refunds.
///
/// # For those who call it
///
/// Ask for past spans again: an order may reach the shop late. `(order, number)` names an event
/// for good, so taking one twice is harmless for whoever keys by it. Dropping the future is
/// harmless.
///
/// # For those who implement it
///
/// Give each event at its own time: a refund in the span of the refund. A cancelled order is the
/// order and a refund in full. Leave out test orders and orders that were never paid. Number an
/// order's refunds from 1 in an order that does not change from call to call. Amounts are in one
/// currency, the shop's; leave personal data behind.
///
/// ```
/// use gaelp_core::{HourSpan, Micros, UtcHour};
/// use gaelp_platform::{InMemoryShop, OrderEvent, RevenueSource};
///
/// let hour = UtcHour::new(490_000);
/// let shop = InMemoryShop::new();
/// shop.load([OrderEvent::sale("#1001", hour.start(), "49.90".parse()?)?])?;
///
/// let orders = pollster::block_on(shop.orders(HourSpan::hour(hour)))?;
/// assert_eq!(orders[0].amount, Micros::new(49_900_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait RevenueSource: Send + Sync {
    /// The orders and refunds that happened during a span of hours, in any order.
    ///
    /// # Errors
    /// Any kind. An error means that nothing is known about the span; an empty list means that
    /// nothing was sold.
    async fn orders(&self, span: HourSpan) -> Result<Vec<OrderEvent>, PlatformError>;
}

macro_rules! forward {
    ($($(#[$meta:meta])* $pointer:ty),*) => {$(
        #[async_trait]
        impl<T: AdPlatform + ?Sized> AdPlatform for $pointer {
            fn capabilities(&self) -> &Capabilities {
                (**self).capabilities()
            }

            async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
                (**self).report(span).await
            }

            async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
                (**self).budgets().await
            }

            async fn set_budget(&self, request: &SetBudget) -> WriteOutcome {
                (**self).set_budget(request).await
            }
        }

        #[async_trait]
        impl<T: RevenueSource + ?Sized> RevenueSource for $pointer {
            async fn orders(&self, span: HourSpan) -> Result<Vec<OrderEvent>, PlatformError> {
                (**self).orders(span).await
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);
