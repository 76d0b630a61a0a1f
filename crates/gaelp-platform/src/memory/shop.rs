//! A shop in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use gaelp_core::{HourSpan, OrderId, UtcHour};

use super::locked;
use super::script::{Fault, Operation, Player, Script};
use crate::{OrderError, OrderEvent, PlatformError, RevenueSource};

/// A shop that knows the orders it was given: the reference implementation of [`RevenueSource`].
///
/// It has no clock. What was loaded is known at once, so a test that must not see the future loads
/// orders as they happen, or asks for past hours only.
///
/// **Cost.** Loading is O(log n) an event; asking is O(log n) and the events of the span.
///
/// ```
/// use gaelp_core::{HourSpan, UtcHour};
/// use gaelp_platform::{ErrorKind, Fault, InMemoryShop, OrderEvent, RevenueSource, Script};
///
/// let hour = UtcHour::new(490_000);
/// let shop = InMemoryShop::new();
/// shop.load([
///     OrderEvent::sale("#1", hour.start(), "30".parse()?)?,
///     OrderEvent::refund("#1", 1, hour.plus(2).start(), "-30".parse()?)?,
/// ])?;
/// shop.script(Script::new().then(Fault::OrdersFail(ErrorKind::Retryable)));
///
/// let ask = || pollster::block_on(shop.orders(HourSpan::new(hour, hour.plus(2))));
/// assert!(ask().is_err_and(|error| error.kind() == ErrorKind::Retryable));
/// assert_eq!(ask()?.len(), 1); // the refund is not in the span
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct InMemoryShop {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    events: BTreeMap<(OrderId, u32), OrderEvent>,
    by_hour: BTreeMap<UtcHour, Vec<(OrderId, u32)>>,
    player: Player,
}

impl InMemoryShop {
    /// A shop without orders.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes events over, whole or not at all; events that are known already change nothing.
    ///
    /// # Errors
    /// [`OrderError`] where an event contradicts itself or a known one.
    pub fn load(&self, events: impl IntoIterator<Item = OrderEvent>) -> Result<(), OrderError> {
        // Collected first: the caller's iterator may use this shop.
        let events: Vec<OrderEvent> = events.into_iter().collect();
        let mut state = locked(&self.state);
        let mut batch: BTreeMap<(OrderId, u32), OrderEvent> = BTreeMap::new();
        for event in events {
            let event = event.checked()?;
            let name = (event.order.clone(), event.number);
            match batch.get(&name).or_else(|| state.events.get(&name)) {
                Some(known) if *known == event => {}
                Some(_) => {
                    return Err(OrderError::Contradicted {
                        order: event.order,
                        number: event.number,
                    });
                }
                None => {
                    batch.insert(name, event);
                }
            }
        }
        for (name, event) in batch {
            let hour = UtcHour::containing(event.at);
            state.by_hour.entry(hour).or_default().push(name.clone());
            state.events.insert(name, event);
        }
        Ok(())
    }

    /// Gives the shop a script in place of the one it had; its calls are counted from now.
    pub fn script(&self, script: Script) {
        locked(&self.state).player = Player::new(script);
    }

    /// The faults of the script that have not happened. A test that scripts a fault and never
    /// meets it proves nothing: assert that this is empty.
    pub fn unplayed(&self) -> Vec<Fault> {
        locked(&self.state).player.unplayed()
    }
}

#[async_trait]
impl RevenueSource for InMemoryShop {
    async fn orders(&self, span: HourSpan) -> Result<Vec<OrderEvent>, PlatformError> {
        let mut state = locked(&self.state);
        for fault in state.player.play(Operation::Orders) {
            if let Fault::OrdersFail(kind) = fault {
                return Err(PlatformError::new(
                    kind,
                    "the shop does not answer (scripted)",
                ));
            }
        }
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let names = state.by_hour.range(span.from..span.to);
        let events = names.flat_map(|(_, names)| names);
        Ok(events
            .filter_map(|name| state.events.get(name).cloned())
            .collect())
    }
}
