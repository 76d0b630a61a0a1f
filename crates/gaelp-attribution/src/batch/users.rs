//! Users, what is known of each, and who turned out to be whom.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::{Conversion, ConversionKind, EventId, Timestamp, Touch, UserId};

/// What happened to one user id.
#[derive(Debug, Default)]
struct Record {
    /// By moment.
    touches: Vec<Touch>,
    /// By moment, then id.
    conversions: Vec<(Timestamp, EventId, ConversionKind)>,
}

/// All users.
#[derive(Debug)]
pub(super) struct Users {
    records: BTreeMap<UserId, Record>,
    /// The id that another one goes on under.
    parents: BTreeMap<UserId, UserId>,
    /// All ids of a user, by the id that they go on under; a lone id has no entry.
    members: BTreeMap<UserId, Vec<UserId>>,
}

impl Users {
    /// The users of touches and of conversions that stand in order.
    pub(super) fn new(touches: Vec<Touch>, conversions: &[Conversion]) -> Self {
        let mut records: BTreeMap<UserId, Record> = BTreeMap::new();
        for touch in touches {
            records.entry(touch.user).or_default().touches.push(touch);
        }
        for record in records.values_mut() {
            record.touches.sort_by_key(|touch| touch.at);
        }
        for conversion in conversions {
            let record = records.entry(conversion.user).or_default();
            record
                .conversions
                .push((conversion.at, conversion.id, conversion.kind));
        }
        Self {
            records,
            parents: BTreeMap::new(),
            members: BTreeMap::new(),
        }
    }

    /// The id under which a user goes on.
    pub(super) fn root(&self, user: UserId) -> UserId {
        let mut root = user;
        while let Some(&parent) = self.parents.get(&root) {
            root = parent;
        }
        root
    }

    /// Makes two users one.
    pub(super) fn merge(&mut self, from: UserId, into: UserId) {
        let (from, into) = (self.root(from), self.root(into));
        if from == into {
            return;
        }
        self.parents.insert(from, into);
        let moved = self.members.remove(&from).unwrap_or_else(|| vec![from]);
        self.members
            .entry(into)
            .or_insert_with(|| vec![into])
            .extend(moved);
    }

    /// A user's touches within a time, under whatever id.
    pub(super) fn touches(
        &self,
        user: UserId,
        within: RangeInclusive<Timestamp>,
    ) -> impl Iterator<Item = &Touch> {
        self.records_of(user).flat_map(move |record| {
            let begin = record
                .touches
                .partition_point(|touch| touch.at < *within.start());
            let end = record
                .touches
                .partition_point(|touch| touch.at <= *within.end());
            record.touches.get(begin..end).unwrap_or_default()
        })
    }

    /// Moment and id of the user's last conversion of the same kind before this one.
    pub(super) fn previous(&self, conversion: &Conversion) -> Option<(Timestamp, EventId)> {
        let of_record = |record: &Record| {
            let earlier = record
                .conversions
                .partition_point(|&(at, id, _)| (at, id) < (conversion.at, conversion.id));
            let same_kind = record.conversions[..earlier]
                .iter()
                .rfind(|&&(_, _, kind)| kind == conversion.kind);
            same_kind.map(|&(at, id, _)| (at, id))
        };
        self.records_of(conversion.user).filter_map(of_record).max()
    }

    fn records_of(&self, user: UserId) -> impl Iterator<Item = &Record> {
        let root = self.root(user);
        let alone = [root];
        let members = self.members.get(&root);
        let ids: Vec<UserId> = members.map_or_else(|| alone.to_vec(), Clone::clone);
        ids.into_iter().filter_map(|id| self.records.get(&id))
    }
}
