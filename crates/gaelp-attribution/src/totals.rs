//! The credit of every channel over many journeys.

use gaelp_core::Micros;

use crate::columns::ids;
use crate::heuristic::{Decay, positions};
use crate::{
    ChannelId, Code, ColumnError, ConversionKind, CreditError, Journey, Model, Offset, PathTable,
    Span, Splitter, Timestamp, Weigh,
};

/// What every channel earned, to the micro.
///
/// The credits and what is unattributed sum exactly to the value of all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCredits {
    /// The credit by channel number.
    pub by_channel: Vec<Micros>,
    /// The value of rows whose path is empty.
    pub unattributed: Micros,
}

/// The moments of touches and of the ends of journeys, as columns.
///
/// **Units.** Microseconds since 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug)]
pub struct Times<'a> {
    touches: &'a [i64],
    ends: &'a [i64],
}

impl<'a> Times<'a> {
    /// The moment of every entry of the column of channels, and of the end of every journey.
    pub const fn new(touches: &'a [i64], ends: &'a [i64]) -> Self {
        Self { touches, ends }
    }

    /// Checks the lengths against the journeys that the moments belong to.
    pub(crate) fn check(&self, touches: usize, journeys: usize) -> Result<(), ColumnError> {
        let columns = [
            ("times", self.touches.len(), touches),
            ("ends", self.ends.len(), journeys),
        ];
        for (column, found, expected) in columns {
            if found != expected {
                return Err(ColumnError::Length {
                    column,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }

    /// The column of the touches' moments.
    pub(crate) const fn touches(&self) -> &'a [i64] {
        self.touches
    }

    /// The column of the ends.
    pub(crate) const fn ends(&self) -> &'a [i64] {
        self.ends
    }
}

/// Credits every row's value to the channels of its path.
///
/// A row is one amount: its value is split over its touches once, by largest remainder. Pass the
/// times where the model looks at them; without, all touches count as of one moment.
///
/// **Cost.** One pass; rows of no value are only looked at. Nothing is allocated for a row.
///
/// ```
/// use gaelp_attribution::{Journeys, Model, PathTable, credit_channels};
/// use gaelp_core::Micros;
///
/// let journeys = Journeys::new(&[0_u8, 1, 0], &[0_i32, 3], 2)?;
/// let table = PathTable::new(journeys, &[1], &[100], &[0])?;
/// let credits = credit_channels(&table, None, &Model::Linear)?;
/// assert_eq!(credits.by_channel, [67, 33].map(Micros::new));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CreditError`] for times of another length than the table.
pub fn credit_channels<C: Code, O: Offset>(
    table: &PathTable<'_, C, O>,
    times: Option<Times<'_>>,
    model: &Model,
) -> Result<ChannelCredits, CreditError> {
    match model {
        Model::Last => Ok(one_touch(table, |path| path.last())),
        Model::First => Ok(one_touch(table, |path| path.first())),
        Model::LastNonDirect { direct } => Ok(one_touch(table, |path| {
            let advertised = path.iter().rfind(|code| !direct.contains(code.id()));
            advertised.or(path.last())
        })),
        Model::Linear => Ok(linear(table)),
        &Model::Position {
            first,
            middle,
            last,
        } => {
            let shares = [first, middle, last];
            split_rows(table, |path, _, weights| {
                weights.clear();
                weights.extend(positions(path.len(), shares));
            })
        }
        Model::TimeDecay { half_life } => decayed(table, times, *half_life),
        Model::Custom { .. } => credit_channels_by(table, times, model),
    }
}

/// As [`credit_channels`], for any model: a fitted one, or the caller's own.
///
/// # Errors
/// [`CreditError`] for times of another length than the table, and where the model gives a row
/// no usable weights.
pub fn credit_channels_by<C: Code, O: Offset>(
    table: &PathTable<'_, C, O>,
    times: Option<Times<'_>>,
    model: &dyn Weigh,
) -> Result<ChannelCredits, CreditError> {
    let journeys = table.journeys();
    if let Some(times) = times {
        times.check(journeys.column().len(), journeys.len())?;
    }
    let (mut channels, mut moments) = (Vec::new(), Vec::new());
    split_rows(table, |path, place, weights| {
        ids(path, &mut channels);
        let mut end = Timestamp::default();
        if let Some(times) = times {
            moments.clear();
            let touched = &times.touches()[place.begin..place.begin + path.len()];
            moments.extend(touched.iter().copied().map(Timestamp::from_micros));
            end = Timestamp::from_micros(times.ends()[place.row]);
        }
        let journey = Journey::new(&channels, &moments, end, ConversionKind::default())
            .expect("rows that are split have touches, each with its moment or none");
        model.weigh(&journey, weights);
    })
}

/// The shares of the conversions of every channel: fractions of counts, for reports.
///
/// # Errors
/// As [`credit_channels_by`].
#[expect(clippy::cast_precision_loss, reason = "statistics")]
pub fn count_channels<C: Code, O: Offset>(
    table: &PathTable<'_, C, O>,
    model: &dyn Weigh,
) -> Result<Vec<f64>, CreditError> {
    let mut shares = vec![0.0; table.journeys().channel_count()];
    let (mut channels, mut weights) = (Vec::<ChannelId>::new(), Vec::new());
    for (row, (path, outcome)) in table.rows().enumerate() {
        if outcome.conversions == 0 || path.is_empty() {
            continue;
        }
        ids(path, &mut channels);
        let journey = Journey::of_channels(&channels).expect("the path has touches");
        model.weigh(&journey, &mut weights);
        let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
        if sum == 0 || weights.len() != channels.len() {
            return Err(CreditError::Weights { row });
        }
        for (channel, &weight) in channels.iter().zip(&weights) {
            shares[channel.index()] += outcome.conversions as f64 * weight as f64 / sum as f64;
        }
    }
    Ok(shares)
}

/// All of a row to one of its touches.
fn one_touch<'a, C: Code, O: Offset>(
    table: &PathTable<'a, C, O>,
    chosen: impl Fn(&'a [C]) -> Option<&'a C>,
) -> ChannelCredits {
    let mut credits = Credits::new(table.journeys().channel_count());
    for (path, &value) in table.journeys().iter().zip(table.values()) {
        if value != 0 {
            match chosen(path) {
                Some(code) => {
                    let sum = &mut credits.by_channel[code.index()];
                    *sum = sum.wrapping_add(value);
                }
                None => credits.unattributed += value,
            }
        }
    }
    credits.finish()
}

/// The same to every touch of a row.
fn linear<C: Code, O: Offset>(table: &PathTable<'_, C, O>) -> ChannelCredits {
    let mut credits = Credits::new(table.journeys().channel_count());
    for (path, &value) in table.journeys().iter().zip(table.values()) {
        if value == 0 {
            continue;
        }
        if path.is_empty() {
            credits.unattributed += value;
            continue;
        }
        let touches = path.len() as u64;
        let size = value.unsigned_abs();
        // Dividing 32-bit numbers is several times faster, and most values and paths are.
        let (part, left) = match (u32::try_from(size), u32::try_from(touches)) {
            (Ok(size), Ok(touches)) => (u64::from(size / touches), u64::from(size % touches)),
            _ => (size / touches, size % touches),
        };
        let (part, one) = (part.cast_signed() * value.signum(), value.signum());
        // One loop with a comparison: its end is all that has to be predicted.
        for (code, place) in path.iter().zip(0..) {
            let credit = if place < left { part + one } else { part };
            let sum = &mut credits.by_channel[code.index()];
            *sum = sum.wrapping_add(credit);
        }
    }
    credits.finish()
}

/// Half as much for every half-life before the newest touch; the same to all without times.
fn decayed<C: Code, O: Offset>(
    table: &PathTable<'_, C, O>,
    times: Option<Times<'_>>,
    half_life: Span,
) -> Result<ChannelCredits, CreditError> {
    let Some(times) = times else {
        return Ok(linear(table));
    };
    times.check(table.journeys().column().len(), table.journeys().len())?;
    let decay = Decay::new(half_life);
    let moments = |begin: usize| {
        times
            .touches()
            .get(begin)
            .map_or(0, |&at| at.cast_unsigned())
    };
    split_rows_ahead(table, moments, |path, place, weights| {
        weights.clear();
        let touched = &times.touches()[place.begin..place.begin + path.len()];
        let Some(&newest) = touched.last() else {
            return;
        };
        let newest = Timestamp::from_micros(newest);
        weights.extend(touched.iter().map(|&then| {
            let age = newest.since(Timestamp::from_micros(then));
            decay.weight(age.unwrap_or(Span::ZERO))
        }));
    })
}

/// Where a journey stands.
struct Place {
    /// Its number.
    row: usize,
    /// Its first entry in the column of channels.
    begin: usize,
}

/// Rows split by the weights that a function writes for a path.
fn split_rows<C: Code, O: Offset>(
    table: &PathTable<'_, C, O>,
    weigh: impl FnMut(&[C], Place, &mut Vec<u64>),
) -> Result<ChannelCredits, CreditError> {
    split_rows_ahead(table, |_| 0, weigh)
}

/// Rows whose memory is read together.
const GROUP: usize = 32;

/// As [`split_rows`]; `glance` reads what `weigh` will read of a path that begins at an entry.
///
/// Few rows are worth anything, so that each lies on lines of memory of its own. What is read ahead
/// does not wait for each other.
fn split_rows_ahead<C: Code, O: Offset>(
    table: &PathTable<'_, C, O>,
    glance: impl Fn(usize) -> u64,
    mut weigh: impl FnMut(&[C], Place, &mut Vec<u64>),
) -> Result<ChannelCredits, CreditError> {
    let mut credits = Credits::new(table.journeys().channel_count());
    let (mut weights, mut splitter) = (Vec::new(), Splitter::default());
    let column = table.journeys().column();
    let worth = table.values().iter().enumerate().filter(|row| *row.1 != 0);
    let mut worth = worth.map(|(row, &value)| (row, table.journeys().range(row), value));
    let mut group = Vec::with_capacity(GROUP);
    loop {
        group.clear();
        group.extend(worth.by_ref().take(GROUP));
        if group.is_empty() {
            return Ok(credits.finish());
        }
        let read = group.iter().fold(0, |all, (_, range, _)| {
            let code = column
                .get(range.start)
                .map_or(0, |code| code.index() as u64);
            all ^ code ^ glance(range.start) ^ glance(range.end.saturating_sub(1))
        });
        std::hint::black_box(read);
        for (row, range, value) in group.drain(..) {
            let begin = range.start;
            let path = &column[range];
            if path.is_empty() {
                credits.unattributed += value;
                continue;
            }
            weigh(path, Place { row, begin }, &mut weights);
            let parts = splitter.split(Micros::new(value), &weights);
            let parts = parts.map_err(|_| CreditError::Weights { row })?;
            if parts.len() != path.len() {
                return Err(CreditError::Weights { row });
            }
            for (code, part) in path.iter().zip(parts) {
                credits.by_channel[code.index()] += part.get();
            }
        }
    }
}

/// Sums in micros; the table has made sure that no sum of parts of its values overflows.
struct Credits {
    by_channel: Vec<i64>,
    unattributed: i64,
}

impl Credits {
    fn new(channels: usize) -> Self {
        Self {
            by_channel: vec![0; channels],
            unattributed: 0,
        }
    }

    fn finish(self) -> ChannelCredits {
        ChannelCredits {
            by_channel: self.by_channel.into_iter().map(Micros::new).collect(),
            unattributed: Micros::new(self.unattributed),
        }
    }
}
