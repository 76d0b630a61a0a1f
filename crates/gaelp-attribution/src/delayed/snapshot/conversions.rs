//! Conversions, what they credit, and adjustments that wait.

use gaelp_core::{Micros, Money};

use super::SnapshotError;
use crate::delayed::DelayedRewards;
use crate::delayed::codec::{Reader, Writer};
use crate::delayed::conversions::{Adjusted, Record as Sale};
use crate::delayed::credits::Credit;
use crate::delayed::index::NONE;
use crate::delayed::machine::LARGEST;
use crate::delayed::table::Table;
use crate::{Conversion, Weigh};

impl<W: Weigh> DelayedRewards<W> {
    pub(super) fn write_conversions(&self, to: &mut Writer, credits: &Table<u32, usize>) {
        let mut known: Table<u32, usize> = Table::default();
        to.len(self.conversions.len());
        for slot in self.conversions.places() {
            let sale = &self.conversions[slot];
            to.u64(sale.id.get());
            to.u64(self.users[sale.user].key.get());
            to.kind(sale.kind);
            to.at(sale.at);
            to.i64(sale.original);
            to.u8(u8::from(sale.adjusted.is_some()));
            if let Some(adjusted) = sale.adjusted {
                write_adjusted(to, &adjusted);
            }
            to.len(sale.path.len());
            for slot in sale.path.iter() {
                let next = known.len();
                let place = *known.entry(*slot).or_insert(next);
                to.len(place);
                if place == next {
                    let credit = &self.credits[*slot];
                    to.u64(credit.touch.get());
                    to.at(credit.at);
                    to.u16(credit.channel.get());
                    to.origin(self.credits.origin(*slot).as_ref());
                    to.u64(credits.get(slot).map_or(u64::MAX, |&order| order as u64));
                }
            }
            for &weight in &sale.weights {
                to.u64(weight);
            }
        }
    }

    pub(super) fn read_conversions(
        &mut self,
        from: &mut Reader<'_>,
        places: &[u32],
    ) -> Result<(), SnapshotError> {
        let mut known: Vec<u32> = Vec::new();
        for _ in 0..from.len(43)? {
            let (id, user) = (from.id()?, from.user()?);
            if self.conversions.find(id).is_some() {
                return Err(SnapshotError::Content { what: "conversion" });
            }
            let kind = from.kind()?;
            let conversion = Conversion {
                id,
                user,
                at: from.at()?,
                value: Money::new(Micros::new(read_value(from)?), self.rules.config().currency),
                kind,
            };
            let user = self.users.enter(user);
            let mut sale = Sale::new(&conversion, user);
            if from.flag("adjusted")? {
                sale.adjusted = Some(read_adjusted(from)?);
            }
            let mut path = Vec::new();
            for _ in 0..from.len(8)? {
                let place = from.u64()?;
                let next = known.len() as u64;
                if place == next {
                    known.push(self.read_credit(from, places)?);
                }
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                let slot = known.get(place).copied();
                path.push(slot.ok_or(SnapshotError::Content { what: "path" })?);
            }
            let mut sorted = path.clone();
            sorted.sort_unstable();
            if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(SnapshotError::Content { what: "path" });
            }
            sale.path = path.into_iter().collect();
            sale.weights = self.read_weights(from, sale.path.len())?;
            let bucket = self.calendar.conversion(sale.at);
            let path = sale.path.clone();
            let slot = self.conversions.add(bucket, sale);
            for &credit in path.iter() {
                self.credits[credit].conversions.push(slot);
            }
            self.enlist(user, slot);
        }
        Ok(())
    }

    fn read_credit(&mut self, from: &mut Reader<'_>, places: &[u32]) -> Result<u32, SnapshotError> {
        let mut credit = Credit::new(from.id()?, from.at()?, from.channel()?, NONE);
        let origin = from.origin()?;
        let order = from.u64()?;
        if order != u64::MAX {
            let order = usize::try_from(order).unwrap_or(usize::MAX);
            let place = places.get(order).copied();
            let wrong = SnapshotError::Content { what: "credit" };
            let place = place.ok_or(wrong.clone())?;
            let touch = &self.touches[place];
            let same = (touch.id, touch.at) == (credit.touch, credit.at);
            if touch.is_dead() || touch.credit != NONE || !same {
                return Err(wrong);
            }
            credit.record = place;
        }
        let record = credit.record;
        let slot = self.credits.add(credit, origin);
        if record != NONE {
            self.touches[record].credit = slot;
        }
        Ok(slot)
    }

    fn read_weights(
        &self,
        from: &mut Reader<'_>,
        touches: usize,
    ) -> Result<Box<[u64]>, SnapshotError> {
        let mut weights = Vec::new();
        for _ in 0..self.models.len() {
            let start = weights.len();
            for _ in 0..touches {
                weights.push(from.u64()?);
            }
            if touches > 0 && weights[start..].iter().all(|&weight| weight == 0) {
                return Err(SnapshotError::Content { what: "weights" });
            }
        }
        Ok(weights.into())
    }

    pub(super) fn write_held(&self, to: &mut Writer) {
        to.len(self.held.len());
        for (conversion, adjusted) in self.held.iter() {
            to.u64(conversion.get());
            write_adjusted(to, &adjusted);
        }
    }

    pub(super) fn read_held(&mut self, from: &mut Reader<'_>) -> Result<(), SnapshotError> {
        for _ in 0..from.len(32)? {
            let conversion = from.id()?;
            let adjusted = read_adjusted(from)?;
            if !self.held.add(conversion, adjusted) {
                return Err(SnapshotError::Content { what: "adjustment" });
            }
        }
        Ok(())
    }
}

fn write_adjusted(to: &mut Writer, adjusted: &Adjusted) {
    to.at(adjusted.at);
    to.u64(adjusted.id.get());
    to.i64(adjusted.value);
}

fn read_adjusted(from: &mut Reader<'_>) -> Result<Adjusted, SnapshotError> {
    Ok(Adjusted {
        at: from.at()?,
        id: from.id()?,
        value: read_value(from)?,
    })
}

/// A value whose difference to any other fits into 64 bits.
fn read_value(from: &mut Reader<'_>) -> Result<i64, SnapshotError> {
    let value = from.i64()?;
    if value.unsigned_abs() > LARGEST {
        return Err(SnapshotError::Content { what: "value" });
    }
    Ok(value)
}
