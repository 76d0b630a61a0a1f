//! Conversions come, and their values change.

use gaelp_core::Money;

use super::DelayedRewards;
use crate::delayed::conversions::{Adjusted, Record};
use crate::delayed::index::NONE;
use crate::delayed::{Effect, Rejection};
use crate::{Adjustment, Conversion, Scope, Timestamp, Weigh};

/// Differences of two values up to this one fit into 64 bits.
pub(in crate::delayed) const LARGEST: u64 = i64::MAX.unsigned_abs() / 2;

impl<W: Weigh> DelayedRewards<W> {
    pub(super) fn convert(
        &mut self,
        now: Timestamp,
        conversion: &Conversion,
        slot: u32,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Rejection> {
        self.check(conversion.value)?;
        if self.rules.is_late(conversion.at, self.watermark) {
            self.statistics.late_conversions += 1;
            return Err(Rejection::Late);
        }
        if self.conversions.find(conversion.id).is_some() {
            self.statistics.duplicate_conversions += 1;
            return Err(Rejection::Duplicate);
        }
        self.statistics.conversions += 1;
        if let Some(latency) = now.since(conversion.at) {
            self.statistics.latency.add(latency);
        }
        let user = self.users.enter_near(self.canonical(conversion.user), slot);
        let mut record = Record::new(conversion, user);
        record.adjusted = self.waiting_for(conversion);
        let bucket = self.calendar.conversion(conversion.at);
        let slot = self.conversions.add(bucket, record);
        self.enlist(user, slot);
        self.attribute(now, slot, true, effects);
        if self.rules.config().scope == Scope::SincePrevious
            && let Some(next) = self.next_of_kind(slot)
        {
            self.attribute(now, next, false, effects);
        }
        self.trim_conversions(user);
        Ok(())
    }

    pub(super) fn adjust(
        &mut self,
        now: Timestamp,
        adjustment: &Adjustment,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Rejection> {
        self.check(adjustment.value)?;
        let adjusted = Adjusted {
            at: adjustment.at,
            id: adjustment.id,
            value: adjustment.value.amount.get(),
        };
        let Some(slot) = self.conversions.find(adjustment.conversion) else {
            return self.hold(adjustment, adjusted);
        };
        let record = &self.conversions[slot];
        if !self.calendar.is_adjustable(record.at, self.watermark) {
            self.statistics.unmatched += 1;
            return Err(Rejection::Unmatched);
        }
        match record.adjusted.map(|set| set.order()) {
            Some(order) if order == adjusted.order() => {
                self.statistics.duplicate_adjustments += 1;
                return Err(Rejection::Duplicate);
            }
            Some(order) if order > adjusted.order() => {
                self.statistics.superseded += 1;
                return Err(Rejection::Superseded);
            }
            _ => {}
        }
        self.statistics.adjustments += 1;
        self.revalue(now, slot, adjusted, effects);
        Ok(())
    }

    /// Keeps an adjustment for a conversion that may still come.
    fn hold(&mut self, adjustment: &Adjustment, adjusted: Adjusted) -> Result<(), Rejection> {
        if self.rules.is_late(adjusted.at, self.watermark) {
            self.statistics.unmatched += 1;
            return Err(Rejection::Unmatched);
        }
        if !self.held.add(adjustment.conversion, adjusted) {
            self.statistics.duplicate_adjustments += 1;
            return Err(Rejection::Duplicate);
        }
        if self.held.len() > self.limits.adjustments as usize {
            self.held.pop();
            self.statistics.unmatched += 1;
        }
        Ok(())
    }

    /// The adjustment that came before its conversion and counts.
    fn waiting_for(&mut self, conversion: &Conversion) -> Option<Adjusted> {
        let waited = self.held.take(conversion.id);
        let latest = waited.iter().copied().max_by_key(Adjusted::order)?;
        self.statistics.adjustments += 1;
        self.statistics.superseded += waited.len() as u64 - 1;
        Some(latest)
    }

    fn check(&mut self, value: Money) -> Result<(), Rejection> {
        let reason = if value.currency != self.rules.config().currency {
            Rejection::Currency
        } else if value.amount.get().unsigned_abs() > LARGEST {
            Rejection::OutOfRange
        } else {
            return Ok(());
        };
        self.statistics.refused += 1;
        Err(reason)
    }

    /// Puts a conversion into its user's list.
    pub(in crate::delayed) fn enlist(&mut self, user: u32, slot: u32) {
        if self.users[user].buyer == NONE {
            self.users[user].buyer = self.conversions.buyers.add();
        }
        let buyer = self.users[user].buyer;
        let order = self.conversions[slot].order();
        let list = self.conversions.buyers.list(buyer);
        let place = list.partition_point(|&other| self.conversions[other].order() <= order);
        self.conversions.buyers.list_mut(buyer).insert(place, slot);
    }

    /// The next conversion of the same user and kind.
    fn next_of_kind(&self, slot: u32) -> Option<u32> {
        let record = &self.conversions[slot];
        let list = self.conversions.buyers.list(self.users[record.user].buyer);
        let place = list.iter().position(|&other| other == slot)?;
        let mut later = list[place + 1..].iter().copied();
        later.find(|&other| self.conversions[other].kind == record.kind)
    }

    /// Gives up conversions where there are more than are kept.
    pub(super) fn trim_conversions(&mut self, user: u32) {
        loop {
            let list = self.conversions.buyers.list(self.users[user].buyer);
            let Some(&oldest) = list.first() else { break };
            if list.len() <= usize::from(self.limits.per_user) {
                break;
            }
            self.statistics.conversions_evicted += 1;
            let bucket = self.calendar.conversion(self.conversions[oldest].at);
            self.conversions.unlist(bucket, oldest);
            self.retire(oldest);
        }
        while self.conversions.len() > self.limits.conversions as usize {
            if let Some(soonest) = self.conversions.pop() {
                self.statistics.conversions_evicted += 1;
                self.retire(soonest);
            }
        }
    }

    /// Removes a conversion; its credits stand.
    pub(super) fn retire(&mut self, slot: u32) {
        let Some(record) = self.conversions.remove(slot) else {
            return;
        };
        for &credit in record.path.iter() {
            self.credits.unlink(credit, slot);
        }
        let buyer = self.users[record.user].buyer;
        let list = self.conversions.buyers.list_mut(buyer);
        list.remove(slot);
        if list.as_slice().is_empty() {
            self.conversions.buyers.remove(buyer);
            self.users[record.user].buyer = NONE;
            self.users.leave(record.user);
        }
    }
}
