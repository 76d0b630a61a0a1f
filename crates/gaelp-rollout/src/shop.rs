//! The shop's orders, credited to ad sets.

use std::collections::BTreeMap;

use gaelp_core::{AccountZone, AdSetKey, HourSpan, Micros, Quantity, UtcHour, split};
use gaelp_platform::{OrderEvent, OrderKind};
use serde::{Deserialize, Serialize};

use crate::ad_set::AdSet;
use crate::{Alert, AlertKind, Credit, Record, RevenueFrom};

/// One order, in millionths.
const ONE_ORDER: Micros = Micros::new(1_000_000);

/// Where orders are booked, and how far they were read.
///
/// An order is credited to the ad sets in proportion to what each spent in the 24 hours up to the
/// end of the order's hour: blended attribution, until touches are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShopBook {
    revenue: RevenueFrom,
    zone: AccountZone,
    read_to: Option<UtcHour>,
    /// How long the steps are: orders are booked on the hours of a report's rows.
    step_hours: u32,
}

impl ShopBook {
    pub(crate) fn new(revenue: RevenueFrom, zone: AccountZone) -> Self {
        Self {
            revenue,
            zone,
            read_to: None,
            step_hours: 1,
        }
    }

    /// The hours whose orders are to be read; each is read once.
    pub(crate) fn to_read(&self, now: UtcHour, history: i32) -> Option<HourSpan> {
        let from = self.read_to.unwrap_or(now.plus(-history));
        let span = HourSpan::new(from, now);
        (self.revenue == RevenueFrom::Shop && !span.is_empty()).then_some(span)
    }

    pub(crate) fn read_to(&mut self, now: Option<UtcHour>) {
        self.read_to = self.read_to.max(now);
    }

    pub(crate) fn step_hours(&mut self, hours: u32) {
        self.step_hours = hours;
    }

    /// Credits orders and refunds. Rows of the same hours must have been taken in before.
    pub(crate) fn credit(
        &self,
        orders: Vec<OrderEvent>,
        now: UtcHour,
        ad_sets: &mut BTreeMap<AdSetKey, AdSet>,
        records: &mut Vec<Record>,
    ) {
        let mut by_span: BTreeMap<(UtcHour, UtcHour), (Micros, Micros)> = BTreeMap::new();
        let alert = |kind, at: HourSpan| {
            Record::Alert(Alert {
                at: now,
                kind,
                subject: format!("shop {at}"),
            })
        };
        for event in orders {
            let hour = UtcHour::containing(event.at);
            let span = self.booked_on(hour);
            let (amount, count) = by_span.entry((span.from, span.to)).or_default();
            let one = if event.kind == OrderKind::Sale {
                ONE_ORDER
            } else {
                Micros::ZERO
            };
            match (amount.checked_add(event.amount), count.checked_add(one)) {
                (Some(sum), Some(orders)) => (*amount, *count) = (sum, orders),
                _ => records.push(alert(AlertKind::Refused, span)),
            }
        }
        let mut credited = BTreeMap::new();
        for ((from, to), (amount, count)) in by_span {
            let span = HourSpan::new(from, to);
            let weights: Vec<u64> = ad_sets
                .values()
                .map(|ad_set| ad_set.trailing.window(to, 24).metrics.spend)
                .map(|spend| u64::try_from(spend.get()).unwrap_or(0))
                .collect();
            let (Ok(amounts), Ok(counts)) = (split(amount, &weights), split(count, &weights))
            else {
                records.push(alert(AlertKind::Unattributed, span));
                continue;
            };
            let parts = amounts.into_iter().zip(counts).zip(&weights);
            for ((key, ad_set), ((revenue, count), &weight)) in ad_sets.iter_mut().zip(parts) {
                if weight == 0 {
                    continue;
                }
                let orders = Quantity::from_millionths(u64::try_from(count.get()).unwrap_or(0));
                match ad_set.credit(span, revenue, orders) {
                    Err(_) => records.push(alert(AlertKind::Refused, span)),
                    Ok(span) => {
                        let place = (key.clone(), span.from, span.to);
                        let sum: &mut (Micros, Quantity) = credited.entry(place).or_default();
                        sum.0 = sum.0.checked_add(revenue).unwrap_or(sum.0);
                        sum.1 = sum.1.checked_add(orders).unwrap_or(sum.1);
                    }
                }
            }
        }
        // Several hours may count with the same row: one credit for each row.
        records.extend(
            credited
                .into_iter()
                .map(|((key, from, to), (revenue, orders))| {
                    Record::Credit(Credit {
                        key,
                        span: HourSpan::new(from, to),
                        revenue,
                        orders,
                        at: now,
                    })
                }),
        );
    }

    /// The hours of the report that an order's hour belongs to.
    fn booked_on(&self, hour: UtcHour) -> HourSpan {
        if self.step_hours == 1 {
            return HourSpan::hour(hour);
        }
        self.zone
            .day(self.zone.local(hour).date)
            .unwrap_or(HourSpan::hour(hour))
    }
}
