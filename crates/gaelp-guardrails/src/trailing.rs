//! The last hours of one ad set, exactly.

use std::collections::VecDeque;

use gaelp_core::{
    AdSetKey, HourSpan, MetricRow, Metrics, Micros, Quantity, Ratio, Restated, Revision, UtcHour,
};

use serde::{Deserialize, Serialize};

use crate::TrailingError;

mod digest;
mod stored;

use digest::ReportList;
pub use digest::RevisionDigest;

/// The metrics of one ad set over the last hours, by span and revision.
///
/// Sums are recomputed from the rows each time, in integers, so they depend on nothing but the
/// rows: neither on the order of delivery nor on repeated deliveries nor on what was restated in
/// between. The highest revision of a span wins. Two different reports of the same revision
/// contradict each other; then neither is believed, and the hours count as not reported, until a
/// higher revision settles it.
///
/// Spans may be hours or local days, and do not overlap. Serialised, it is a snapshot that is checked
/// when restored.
///
/// **Cost.** Memory grows with the rows kept, 64 bytes each, and no row is kept that ended
/// [`retain_hours`](Self::retain_hours) or more before the newest one.
///
/// ```
/// use gaelp_core::{AdSetKey, HourSpan, MetricRow, Metrics, Platform, Revision, UtcHour};
/// use gaelp_guardrails::Trailing;
///
/// let mut trailing = Trailing::new(48);
/// for hour in 0..3 {
///     trailing.record(&MetricRow {
///         key: AdSetKey::new(Platform::Meta, "23851"),
///         span: HourSpan::hour(UtcHour::new(hour)),
///         revision: Revision::default(),
///         metrics: Metrics { spend: "0.50".parse()?, clicks: 4, ..Metrics::default() },
///     })?;
/// }
/// let window = trailing.window(UtcHour::new(4), 4);
/// assert_eq!(window.metrics.spend, "1.50".parse()?);
/// assert_eq!((window.covered_hours, window.asked_hours), (3, 4)); // the last hour is missing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "stored::Stored", into = "stored::Stored")]
pub struct Trailing {
    retain_hours: u32,
    key: Option<AdSetKey>,
    /// Disjoint and in order of time.
    slots: VecDeque<Slot>,
}

/// What is known about a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    span: HourSpan,
    revision: Revision,
    /// `None` where reports of this revision contradict each other.
    metrics: Option<Metrics>,
}

/// What happened during the hours before a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// The sum of the rows that lie in the window, or touch it: each counts entirely, so a daily
    /// row is never cut into hours that nobody reported.
    pub metrics: Metrics,
    /// How many hours were asked for.
    pub asked_hours: u32,
    /// How many of them are reported.
    pub covered_hours: u32,
    /// How many rows were added up.
    pub rows: u32,
    /// How many hours before the end of the window the newest row ended; `None` without rows.
    pub age_hours: Option<u32>,
    /// Which revisions of which spans were added up.
    pub revisions: RevisionDigest,
}

impl Window {
    /// The reported share of the hours asked for, rounded down; `None` where no hour was asked for.
    pub fn coverage(&self) -> Option<Ratio> {
        let asked = i64::from(self.asked_hours);
        let covered = i64::from(self.covered_hours);
        (covered * Ratio::ONE.ppm())
            .checked_div(asked)
            .map(Ratio::from_ppm)
    }
}

/// The reported hours since the last conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WithoutConversion {
    /// How many hours were reported, and had none. Hours that nobody reported do not count.
    pub hours: u32,
    /// What was spent in them.
    pub spend: Micros,
    /// The end of the last row with a conversion; `None` where no row that is kept has one.
    pub since: Option<UtcHour>,
}

impl Trailing {
    /// The most hours that are kept: a leap year.
    pub const MAX_RETAIN_HOURS: u32 = 366 * 24;

    /// The largest figure believed of one row: a billion major units, or a billion conversions,
    /// or 10¹⁵ clicks. A year of such hours still adds up in 64 bits.
    pub const MAX_FIGURE: u64 = 1_000_000_000_000_000;

    /// An empty record that keeps rows for as many hours, at most
    /// [`MAX_RETAIN_HOURS`](Self::MAX_RETAIN_HOURS), counted back from the end of the newest row.
    ///
    /// [`Guardrails::trailing`](crate::Guardrails::trailing) makes one that fits the rules. Where
    /// it keeps less than a rule asks for, the rule sees hours without a report and freezes.
    pub fn new(retain_hours: u32) -> Self {
        Self {
            retain_hours: retain_hours.min(Self::MAX_RETAIN_HOURS),
            key: None,
            slots: VecDeque::new(),
        }
    }

    /// For how many hours rows are kept.
    pub const fn retain_hours(&self) -> u32 {
        self.retain_hours
    }

    /// The end of the newest row.
    pub fn newest_end(&self) -> Option<UtcHour> {
        self.slots.back().map(|slot| slot.span.to)
    }

    /// How many rows are kept.
    pub fn rows(&self) -> usize {
        self.slots.len()
    }

    /// Takes a row in, or a restatement of one.
    ///
    /// **Cost.** Constant for the newest row; a late one moves those that are newer.
    ///
    /// # Errors
    /// [`TrailingError`], and nothing is changed: a row of another ad set, without hours, with
    /// hours of a different span, too old, or with figures that cannot be.
    pub fn record(&mut self, row: &MetricRow) -> Result<Restated, TrailingError> {
        self.check(row)?;
        // The first slot that ends after this row begins.
        let at = self
            .slots
            .partition_point(|slot| slot.span.to <= row.span.from);
        match self.slots.get_mut(at) {
            Some(slot) if slot.span == row.span => return Ok(slot.restate(row)),
            Some(slot) if slot.span.from < row.span.to => {
                return Err(TrailingError::Overlap {
                    known: slot.span,
                    found: row.span,
                });
            }
            _ => {}
        }
        self.slots.insert(
            at,
            Slot {
                span: row.span,
                revision: row.revision,
                metrics: Some(row.metrics),
            },
        );
        if self.key.is_none() {
            self.key = Some(row.key.clone());
        }
        self.forget();
        Ok(Restated::Newer)
    }

    /// Whether a row would contradict what is kept of its span; nothing is changed.
    ///
    /// **Cost.** A search.
    pub fn contradicts(&self, row: &MetricRow) -> bool {
        let at = self
            .slots
            .partition_point(|slot| slot.span.to <= row.span.from);
        let slot = self.slots.get(at).filter(|slot| slot.span == row.span);
        slot.is_some_and(|slot| slot.revision == row.revision && slot.metrics != Some(row.metrics))
    }

    /// What happened during the `hours` hours before `now`.
    ///
    /// Rows that end after `now` are not over, and do not count.
    ///
    /// **Cost.** One addition per row in the window.
    pub fn window(&self, now: UtcHour, hours: u32) -> Window {
        let from = before(now, hours);
        let mut window = Window {
            metrics: Metrics::default(),
            asked_hours: hours,
            covered_hours: 0,
            rows: 0,
            age_hours: None,
            revisions: RevisionDigest::default(),
        };
        let mut list = ReportList::default();
        let rows = self.ended(now).take_while(|(slot, _)| slot.span.to > from);
        for (&Slot { span, revision, .. }, metrics) in rows {
            add(&mut window.metrics, metrics);
            list.push(span, revision);
            if list.reports == 1 {
                window.age_hours = u32::try_from(now.since(span.to)).ok();
            }
            window.covered_hours += HourSpan::new(span.from.max(from), span.to).len();
        }
        window.rows = list.reports;
        window.revisions = RevisionDigest::of(list);
        window
    }

    /// The hours reported since the last conversion, up to `now`.
    ///
    /// ```
    /// use gaelp_core::UtcHour;
    /// use gaelp_guardrails::Trailing;
    ///
    /// // Nothing is reported: no hour is known to be without a conversion.
    /// let none = Trailing::new(24).hours_since_conversion(UtcHour::new(100));
    /// assert_eq!((none.hours, none.since), (0, None));
    /// ```
    pub fn hours_since_conversion(&self, now: UtcHour) -> WithoutConversion {
        self.without_conversion(now, u32::MAX)
    }

    /// As [`Self::hours_since_conversion`], but looks no further back than needed to see as many
    /// hours.
    pub(crate) fn without_conversion(&self, now: UtcHour, hours: u32) -> WithoutConversion {
        let mut found = WithoutConversion {
            hours: 0,
            spend: Micros::ZERO,
            since: None,
        };
        for (&Slot { span, .. }, metrics) in self.ended(now) {
            if !metrics.conversions.is_zero() {
                found.since = Some(span.to);
                break;
            }
            if found.hours >= hours {
                break;
            }
            found.hours = found.hours.saturating_add(span.len());
            found.spend = Micros::new(found.spend.get() + metrics.spend.get());
        }
        found
    }

    /// The span of the newest row that is over at `now`.
    pub(crate) fn newest_before(&self, now: UtcHour) -> Option<HourSpan> {
        self.ended(now).next().map(|(slot, _)| slot.span)
    }

    /// The believed rows that are over at `now`, newest first.
    fn ended(&self, now: UtcHour) -> impl Iterator<Item = (&Slot, &Metrics)> {
        let newest_first = self.slots.iter().rev();
        newest_first
            .skip_while(move |slot| slot.span.to > now)
            .filter_map(|slot| Some((slot, slot.metrics.as_ref()?)))
    }

    fn check(&self, row: &MetricRow) -> Result<(), TrailingError> {
        if let Some(key) = self.key.as_ref().filter(|&key| *key != row.key) {
            return Err(TrailingError::OtherAdSet {
                expected: key.clone(),
                found: row.key.clone(),
            });
        }
        if row.span.is_empty() {
            return Err(TrailingError::EmptySpan(row.span));
        }
        if let Some(kept_from) = self.kept_from().filter(|&from| row.span.to <= from) {
            return Err(TrailingError::TooOld {
                found: row.span,
                kept_from,
            });
        }
        if row.metrics.spend.is_negative() {
            return Err(TrailingError::Negative {
                field: "spend",
                value: row.metrics.spend,
            });
        }
        let figures = [
            ("spend", row.metrics.spend.get().unsigned_abs()),
            ("impressions", row.metrics.impressions),
            ("clicks", row.metrics.clicks),
            ("conversions", row.metrics.conversions.millionths()),
            ("revenue", row.metrics.revenue.get().unsigned_abs()),
        ];
        match figures
            .into_iter()
            .find(|&(_, value)| value > Self::MAX_FIGURE)
        {
            Some((field, value)) => Err(TrailingError::Implausible { field, value }),
            None => Ok(()),
        }
    }

    /// The first hour that is kept.
    fn kept_from(&self) -> Option<UtcHour> {
        Some(before(self.newest_end()?, self.retain_hours))
    }

    fn forget(&mut self) {
        let Some(from) = self.kept_from() else { return };
        while self.slots.front().is_some_and(|slot| slot.span.to <= from) {
            self.slots.pop_front();
        }
    }
}

impl Slot {
    fn restate(&mut self, row: &MetricRow) -> Restated {
        if row.revision < self.revision {
            return Restated::Older;
        }
        if row.revision > self.revision {
            self.revision = row.revision;
            self.metrics = Some(row.metrics);
            return Restated::Newer;
        }
        if self.metrics == Some(row.metrics) {
            return Restated::Known;
        }
        self.metrics = None;
        Restated::Contradicted
    }
}

/// The hour that lies `hours` before, or the first one of all.
fn before(hour: UtcHour, hours: u32) -> UtcHour {
    UtcHour::new(hour.get().saturating_sub_unsigned(hours))
}

/// Adds up figures whose sums fit: at most a year of rows, each bounded by
/// [`Trailing::MAX_FIGURE`].
fn add(sum: &mut Metrics, row: &Metrics) {
    sum.spend = Micros::new(sum.spend.get() + row.spend.get());
    sum.impressions += row.impressions;
    sum.clicks += row.clicks;
    let conversions = sum.conversions.millionths() + row.conversions.millionths();
    sum.conversions = Quantity::from_millionths(conversions);
    sum.revenue = Micros::new(sum.revenue.get() + row.revenue.get());
}

#[cfg(test)]
mod tests;
