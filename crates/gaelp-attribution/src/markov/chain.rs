//! A chain with numbered states and transition probabilities.

use super::MarkovCounts;

/// An absorbing chain.
#[derive(Debug)]
pub(super) struct Chain {
    /// The key of every state, ascending.
    keys: Vec<u64>,
    /// How often each state was left.
    left: Vec<f64>,
    /// The probability that a journey begins in each state.
    pub(super) start: Vec<f64>,
    /// The probability that a conversion follows each state.
    pub(super) converts: Vec<f64>,
    /// The mean value that follows each state at once.
    pub(super) earns: Vec<f64>,
    /// The channels of every state, as many for each as the order says; those of short states are
    /// repeated.
    channels: Vec<usize>,
    order: usize,
    /// How many channels there are.
    pub(super) channel_count: usize,
    /// From each state to the next.
    pub(super) forward: Rows,
    /// Into each state from the one before.
    pub(super) backward: Rows,
}

/// The entries of a sparse matrix by row.
#[derive(Debug, Default)]
pub(super) struct Rows {
    begins: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl Rows {
    /// A matrix of entries; those of a row stay in their order.
    fn new(rows: usize, entries: impl Iterator<Item = (u32, u32, f64)> + Clone) -> Self {
        let mut begins = vec![0_usize; rows + 1];
        for (row, ..) in entries.clone() {
            begins[row as usize + 1] += 1;
        }
        for row in 0..rows {
            begins[row + 1] += begins[row];
        }
        let mut next = begins.clone();
        let mut columns = vec![0; begins[rows]];
        let mut values = vec![0.0; begins[rows]];
        for (row, column, value) in entries {
            let place = &mut next[row as usize];
            columns[*place] = column;
            values[*place] = value;
            *place += 1;
        }
        Self {
            begins,
            columns,
            values,
        }
    }

    /// The columns and values of a row.
    #[inline]
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.begins[row]..self.begins[row + 1];
        let columns = self.columns[range.clone()].iter();
        columns
            .zip(&self.values[range])
            .map(|(&column, &value)| (column as usize, value))
    }
}

impl Chain {
    /// The chain of counts.
    #[expect(
        clippy::cast_precision_loss,
        reason = "probabilities; counts are exact below 2^53"
    )]
    pub(super) fn of(counts: &MarkovCounts) -> Self {
        let keys = counts.keys();
        // Whatever state is entered is left again, so these are all of them.
        let mut known: Vec<u64> = counts.states().iter().map(|state| state.key).collect();
        let mut sources: Vec<u64> = counts
            .steps()
            .iter()
            .map(|&(k, _)| keys.ends(k).0)
            .collect();
        sources.dedup();
        known.append(&mut sources);
        known.sort_unstable();
        known.dedup();
        let places = Places::new(&known);
        let mut left = vec![0.0; known.len()];
        let steps: Vec<(u32, u32, f64)> = counts
            .steps()
            .iter()
            .map(|&(key, count)| {
                let (from, to) = keys.ends(key);
                (places.of(from), places.of(to), count as f64)
            })
            .collect();
        for &(from, _, count) in &steps {
            left[from as usize] += count;
        }
        let began: u64 = counts.states().iter().map(|state| state.began).sum();
        let mut start = vec![0.0; known.len()];
        let (mut converts, mut earns) = (start.clone(), start.clone());
        for state in counts.states() {
            let place = places.of(state.key) as usize;
            left[place] += (state.converted + state.nulls) as f64;
            start[place] = state.began as f64 / began as f64;
            converts[place] = state.converted as f64;
            earns[place] = state.value as f64;
        }
        for (place, &left) in left.iter().enumerate() {
            converts[place] /= left;
            earns[place] /= left;
        }
        let order = usize::from(counts.order().get());
        let channels = known.iter().flat_map(|&key| {
            let of_state: Vec<usize> = keys
                .digits(key)
                .map(super::super::ChannelId::index)
                .collect();
            let last = of_state.len() - 1;
            (0..order).map(move |place| of_state[place.min(last)])
        });
        let share = |&(from, to, count): &(u32, u32, f64)| (from, to, count / left[from as usize]);
        let forward = Rows::new(known.len(), steps.iter().map(share));
        let turned = |step| {
            let (from, to, value) = share(step);
            (to, from, value)
        };
        let backward = Rows::new(known.len(), steps.iter().map(turned));
        Self {
            channels: channels.collect(),
            keys: known,
            left,
            start,
            converts,
            earns,
            order,
            channel_count: counts.channels(),
            forward,
            backward,
        }
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The channels of a state, with repetitions.
    pub(super) fn channels(&self, state: usize) -> &[usize] {
        &self.channels[state * self.order..(state + 1) * self.order]
    }

    /// How often the state of a key was left.
    pub(super) fn left(&self, key: u64) -> f64 {
        let place = self.keys.binary_search(&key);
        place.map_or(0.0, |place| self.left[place])
    }
}

/// The places of keys in an ascending list.
enum Places<'a> {
    /// By key.
    Table(Vec<u32>),
    Search(&'a [u64]),
}

impl<'a> Places<'a> {
    fn new(keys: &'a [u64]) -> Self {
        /// Up to which key a table is worth its memory: 32 MiB.
        const MOST: usize = 1 << 23;
        let largest = keys
            .last()
            .copied()
            .and_then(|key| usize::try_from(key).ok());
        let Some(largest) = largest.filter(|&largest| largest < MOST) else {
            return Self::Search(keys);
        };
        let mut table = vec![0; largest + 1];
        for (place, &key) in (0..).zip(keys) {
            if let Some(entry) = usize::try_from(key).ok().and_then(|key| table.get_mut(key)) {
                *entry = place;
            }
        }
        Self::Table(table)
    }

    fn of(&self, key: u64) -> u32 {
        let place = match self {
            Self::Table(table) => usize::try_from(key)
                .ok()
                .and_then(|key| table.get(key).copied()),
            Self::Search(keys) => keys
                .binary_search(&key)
                .ok()
                .and_then(|place| u32::try_from(place).ok()),
        };
        place.expect("every state that is entered is also left")
    }
}
