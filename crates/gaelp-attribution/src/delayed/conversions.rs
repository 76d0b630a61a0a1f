//! The conversions whose value or journey may still change.

use std::collections::{BTreeMap, VecDeque};

use super::index::Index;
use super::list::List;
use super::path::Path;
use crate::event::scatter;
use crate::{ConversionKind, EventId, Timestamp};

/// One conversion.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: EventId,
    pub(super) user: u32,
    pub(super) kind: ConversionKind,
    pub(super) at: Timestamp,
    /// What it was worth at first.
    pub(super) original: i64,
    /// The adjustment that counts.
    pub(super) adjusted: Option<Adjusted>,
    /// The touches that it credits, oldest first, in `Credits`.
    pub(super) path: Path,
    /// The weights of these touches under each model in turn.
    pub(super) weights: Box<[u64]>,
}

/// A value set later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Adjusted {
    pub(super) at: Timestamp,
    pub(super) id: EventId,
    pub(super) value: i64,
}

impl Adjusted {
    /// The latest counts.
    #[inline]
    pub(super) fn order(&self) -> (Timestamp, EventId) {
        (self.at, self.id)
    }
}

impl Record {
    #[inline]
    pub(super) fn new(conversion: &crate::Conversion, user: u32) -> Self {
        Self {
            id: conversion.id,
            user,
            kind: conversion.kind,
            at: conversion.at,
            original: conversion.value.amount.get(),
            adjusted: None,
            path: Path::default(),
            weights: Box::default(),
        }
    }

    /// What it is worth now.
    #[inline]
    pub(super) fn value(&self) -> i64 {
        self.adjusted.map_or(self.original, |set| set.value)
    }

    /// Its place among the events of its user.
    #[inline]
    pub(super) fn order(&self) -> (Timestamp, EventId) {
        (self.at, self.id)
    }

    /// The weights under one model.
    #[inline]
    pub(super) fn weights_of(&self, model: usize) -> &[u64] {
        let touches = self.path.len();
        &self.weights[model * touches..(model + 1) * touches]
    }
}

/// All conversions.
#[derive(Clone, Debug, Default)]
pub(super) struct Conversions {
    slots: Vec<Option<Record>>,
    free: Vec<u32>,
    ids: Index,
    /// Slots by the time at which their refunds end, in the order of their arrival.
    buckets: BTreeMap<i64, VecDeque<u32>>,
    /// The conversions of each buyer, oldest first.
    pub(super) buyers: Buyers,
}

impl Conversions {
    #[inline]
    pub(super) fn find(&self, id: EventId) -> Option<u32> {
        let is = |slot: u32| self[slot].id == id;
        self.ids.find(scatter(id.get()), is)
    }

    /// Reads where the slot of an id is noted, or would be.
    #[inline]
    pub(super) fn glance(&self, id: EventId) -> u64 {
        self.ids.glance(scatter(id.get()))
    }

    #[inline]
    pub(super) fn add(&mut self, bucket: i64, record: Record) -> u32 {
        let id = record.id;
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(record);
            slot
        } else {
            self.slots.push(Some(record));
            u32::try_from(self.slots.len() - 1).expect("conversions are limited to 32 bits")
        };
        self.ids.insert(scatter(id.get()), slot);
        let bucket = self.buckets.entry(bucket).or_default();
        bucket.push_back(slot);
        slot
    }

    /// Removes a conversion; its buyer's list is the caller's.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Record> {
        let record = self.slots.get_mut(slot as usize)?.take()?;
        self.ids.remove(scatter(record.id.get()), slot);
        self.free.push(slot);
        Some(record)
    }

    /// The number of the bucket that ends first.
    pub(super) fn first(&self) -> Option<i64> {
        self.buckets.keys().next().copied()
    }

    /// Takes a conversion off the bucket that ends first.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let mut first = self.buckets.first_entry()?;
        let slot = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        slot
    }

    /// Takes a conversion off its bucket before its time.
    ///
    /// **Cost.** `O(conversions of the bucket)`.
    pub(super) fn unlist(&mut self, bucket: i64, slot: u32) {
        if let Some(list) = self.buckets.get_mut(&bucket) {
            list.retain(|&other| other != slot);
            if list.is_empty() {
                self.buckets.remove(&bucket);
            }
        }
    }

    /// All conversions in the order in which they would go.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        self.buckets.values().flatten().copied()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        let of = |record: &Record| record.path.bytes() + record.weights.len() * 8;
        let paths: usize = self.slots.iter().flatten().map(of).sum();
        let lists = self.buckets.values().map(|list| list.capacity() * 4);
        self.slots.capacity() * size_of::<Option<Record>>()
            + self.free.capacity() * size_of::<u32>()
            + self.ids.bytes()
            + paths
            + lists.sum::<usize>()
            + self.buyers.bytes()
    }
}

impl std::ops::Index<u32> for Conversions {
    type Output = Record;

    #[inline]
    fn index(&self, slot: u32) -> &Record {
        let record = self.slots[slot as usize].as_ref();
        record.expect("only slots in use are looked at")
    }
}

impl std::ops::IndexMut<u32> for Conversions {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Record {
        let record = self.slots[slot as usize].as_mut();
        record.expect("only slots in use are looked at")
    }
}

/// Lists of conversions.
#[derive(Clone, Debug, Default)]
pub(super) struct Buyers {
    lists: Vec<List>,
    free: Vec<u32>,
}

impl Buyers {
    /// An empty list.
    #[inline]
    pub(super) fn add(&mut self) -> u32 {
        let list = List::default();
        if let Some(slot) = self.free.pop() {
            self.lists[slot as usize] = list;
            return slot;
        }
        self.lists.push(list);
        u32::try_from(self.lists.len() - 1).expect("buyers are fewer than conversions")
    }

    #[inline]
    pub(super) fn list(&self, slot: u32) -> &[u32] {
        self.lists.get(slot as usize).map_or(&[], List::as_slice)
    }

    #[inline]
    pub(super) fn list_mut(&mut self, slot: u32) -> &mut List {
        &mut self.lists[slot as usize]
    }

    pub(super) fn remove(&mut self, slot: u32) -> List {
        self.free.push(slot);
        std::mem::take(&mut self.lists[slot as usize])
    }

    fn bytes(&self) -> usize {
        let lists: usize = self.lists.iter().map(List::bytes).sum();
        self.lists.capacity() * size_of::<List>() + self.free.capacity() * 4 + lists
    }
}
