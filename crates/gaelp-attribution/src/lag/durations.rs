//! How long things took, counted so that counts can be taken back and merged.

use serde::{Deserialize, Serialize};

use crate::Span;

/// Cells for each doubling.
const CELLS: u64 = 32;
/// Cells in all: spans below 32 microseconds have one each, every doubling up to 2⁶³ has 32.
const ALL: usize = 32 * 60;

/// A histogram of spans with cells of at most a thirty-second of their span.
///
/// Counts are integers: taking a span back restores the histogram exactly, and merging is adding.
///
/// ```
/// use gaelp_attribution::{Span, lag::Durations};
///
/// let mut durations = Durations::default();
/// for hours in 1..=100 {
///     durations.add(Span::hours(hours));
/// }
/// let median = durations.quantile(0.5).ok_or("empty")?;
/// assert!((median.to_hours_f64() / 50.0 - 1.0).abs() < 0.03);
/// assert_eq!(durations.mean(), Some(Span::seconds(181_800)));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Durations {
    /// By cell, up to the last that is not zero.
    cells: Vec<u64>,
    count: u64,
    micros: i128,
}

/// A histogram as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    cells: Vec<u64>,
    micros: i128,
}

impl From<Durations> for Parts {
    fn from(durations: Durations) -> Self {
        Self {
            cells: durations.cells,
            micros: durations.micros,
        }
    }
}

impl TryFrom<Parts> for Durations {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Self::from_parts(parts.cells, parts.micros).ok_or("no histogram has these counts")
    }
}

impl Durations {
    /// Counts a span.
    #[inline]
    pub fn add(&mut self, span: Span) {
        let cell = cell(span);
        if self.cells.len() <= cell {
            self.cells.resize(cell + 1, 0);
        }
        self.cells[cell] = self.cells[cell].saturating_add(1);
        self.count = self.count.saturating_add(1);
        self.micros = self.micros.saturating_add(i128::from(span.micros()));
    }

    /// Takes back a span that was counted; nothing happens for one that was not.
    pub fn remove(&mut self, span: Span) {
        let Some(cell) = self.cells.get_mut(cell(span)).filter(|cell| **cell > 0) else {
            return;
        };
        *cell -= 1;
        self.count -= 1;
        self.micros -= i128::from(span.micros());
        while self.cells.last() == Some(&0) {
            self.cells.pop();
        }
    }

    /// Adds another histogram's counts.
    pub fn merge(&mut self, other: &Self) {
        if self.cells.len() < other.cells.len() {
            self.cells.resize(other.cells.len(), 0);
        }
        for (mine, theirs) in self.cells.iter_mut().zip(&other.cells) {
            *mine = mine.saturating_add(*theirs);
        }
        self.count = self.count.saturating_add(other.count);
        self.micros = self.micros.saturating_add(other.micros);
    }

    /// How many spans are counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The mean, exact to the microsecond; `None` where nothing is counted.
    pub fn mean(&self) -> Option<Span> {
        let mean = self.micros.checked_div(i128::from(self.count))?;
        Span::from_micros(i64::try_from(mean).ok()?)
    }

    /// The span that a share of all does not exceed, to within a thirty-second of it; `None` where
    /// nothing is counted and for a share outside of `[0, 1]`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank of statistics, within the count"
    )]
    pub fn quantile(&self, share: f64) -> Option<Span> {
        if self.count == 0 || !(0.0..=1.0).contains(&share) {
            return None;
        }
        let rank = ((share * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut passed = 0_u64;
        let reached = self.cells.iter().position(|&cell| {
            passed = passed.saturating_add(cell);
            passed >= rank
        });
        reached.map(middle)
    }

    /// The spans that are counted, each as the middle of its cell, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Span, u64)> {
        let cells = self.cells.iter().enumerate();
        cells
            .filter(|(_, count)| **count > 0)
            .map(|(cell, &count)| (middle(cell), count))
    }

    /// The parts of which it is made: counts by cell and the sum.
    pub(crate) fn parts(&self) -> (&[u64], i128) {
        (&self.cells, self.micros)
    }

    /// A histogram from its parts; `None` for parts that none has.
    pub(crate) fn from_parts(cells: Vec<u64>, micros: i128) -> Option<Self> {
        let short = cells.len() <= ALL && cells.last() != Some(&0);
        let mut counts = cells.iter().copied();
        let count = counts.try_fold(0_u64, u64::checked_add)?;
        (short && micros >= 0).then_some(Self {
            cells,
            count,
            micros,
        })
    }
}

#[inline]
fn cell(span: Span) -> usize {
    let micros = span.micros().unsigned_abs();
    let cell = if micros < CELLS {
        micros
    } else {
        // 5 bits after the leading one choose among the cells of its doubling.
        let doubling = u64::from(micros.ilog2()) - 5;
        (doubling + 1) * CELLS + (micros >> doubling) - CELLS
    };
    usize::try_from(cell).expect("at most 59 · 32 + 31")
}

fn middle(cell: usize) -> Span {
    let cell = cell as u64;
    let micros = if cell < CELLS {
        cell
    } else {
        let doubling = cell / CELLS - 1;
        ((cell % CELLS + CELLS) << doubling) + (1 << doubling) / 2
    };
    Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)).unwrap_or(Span::MAX)
}

#[cfg(test)]
mod tests {
    use super::{ALL, Durations, cell, middle};
    use crate::Span;
    use crate::event::scatter;

    fn span(micros: i64) -> Span {
        Span::from_micros(micros).unwrap()
    }

    #[test]
    fn a_cell_is_near_its_spans_and_cells_are_in_their_order() {
        let mut last = 0;
        for bits in 0..63 {
            for step in 0..64_i128 {
                let micros = i64::try_from((64 + step) << bits >> 6).unwrap();
                let cell = cell(span(micros));
                assert!(cell >= last && cell < ALL, "{micros}");
                last = cell;
                let distance = (middle(cell).micros() - micros).abs();
                assert!(distance <= micros / 32, "{micros} {distance}");
            }
        }
    }

    #[test]
    fn quantiles_are_near_those_of_the_sorted_spans() {
        let mut spans: Vec<i64> = (0..999).map(|i| (scatter(i) >> 24).cast_signed()).collect();
        let mut durations = Durations::default();
        for &micros in &spans {
            durations.add(span(micros));
        }
        spans.sort_unstable();
        for (share, index) in [(0.0, 0), (0.1, 99), (0.5, 499), (0.9, 899), (1.0, 998)] {
            let found = durations.quantile(share).unwrap().micros();
            assert!((found - spans[index]).abs() <= spans[index] / 32, "{share}");
        }
        assert_eq!(durations.quantile(1.1), None);
        assert_eq!(Durations::default().quantile(0.5), None);
    }

    #[test]
    fn only_histograms_are_read() {
        let mut durations = Durations::default();
        durations.add(span(40));
        let stored = serde_json::to_string(&durations).unwrap();
        let read: Durations = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, durations);
        let full = format!("[{0},{0}]", u64::MAX);
        for cells in ["[1,0]", full.as_str()] {
            let stored = format!(r#"{{"cells":{cells},"micros":1}}"#);
            assert!(serde_json::from_str::<Durations>(&stored).is_err());
        }
    }

    #[test]
    fn what_is_taken_back_was_never_there() {
        let mut durations = Durations::default();
        durations.add(span(7));
        let before = durations.clone();
        durations.add(span(1_000_000_007));
        durations.remove(span(1_000_000_007));
        durations.remove(span(5));
        assert_eq!(durations, before);
    }
}
