//! What both kinds of files are read into: journeys in columns.

use gaelp::attribution::{Channels, ColumnError, Journeys, PathTable, Times};

/// Which kind of file it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Paths,
    Events,
}

/// Journeys with what came of them.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) kind: Kind,
    /// How many rows the file has under its header.
    pub(super) rows: u64,
    pub(super) channels: Channels,
    pub(super) codes: Vec<u16>,
    pub(super) offsets: Vec<u64>,
    pub(super) conversions: Vec<i64>,
    /// In micros.
    pub(super) values: Vec<i64>,
    pub(super) nulls: Vec<i64>,
    /// Whether the file says which journeys did not convert.
    pub(super) knows_nulls: bool,
    /// The moments of touches and of the ends of journeys, where the file has them.
    pub(super) moments: Option<(Vec<i64>, Vec<i64>)>,
    /// What a reader should know about the file.
    pub(super) notes: Vec<String>,
}

impl Input {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            rows: 0,
            channels: Channels::default(),
            codes: Vec::new(),
            offsets: vec![0],
            conversions: Vec::new(),
            values: Vec::new(),
            nulls: Vec::new(),
            knows_nulls: true,
            moments: None,
            notes: Vec::new(),
        }
    }

    /// Adds a journey.
    pub(super) fn push(&mut self, codes: impl IntoIterator<Item = u16>, outcome: [i64; 3]) {
        let [conversions, value, nulls] = outcome;
        self.codes.extend(codes);
        self.offsets.push(self.codes.len() as u64);
        self.conversions.push(conversions);
        self.values.push(value);
        self.nulls.push(nulls);
    }

    pub(super) fn table<'a>(
        &'a self,
        values: &'a [i64],
    ) -> Result<PathTable<'a, u16, u64>, ColumnError> {
        let journeys = Journeys::new(&self.codes, &self.offsets, self.channels.len())?;
        PathTable::new(journeys, &self.conversions, values, &self.nulls)
    }

    pub(super) fn times(&self) -> Option<Times<'_>> {
        let (touches, ends) = self.moments.as_ref()?;
        Some(Times::new(touches, ends))
    }

    /// How many journeys there are, converting or not.
    pub(super) fn journeys(&self) -> u64 {
        let all = self.conversions.iter().chain(&self.nulls);
        all.map(|&count| count.unsigned_abs()).sum()
    }

    /// How many converted.
    pub(super) fn converted(&self) -> u64 {
        self.conversions
            .iter()
            .map(|&count| count.unsigned_abs())
            .sum()
    }
}
