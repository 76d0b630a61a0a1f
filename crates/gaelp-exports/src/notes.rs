//! What a reader did that is no error, but that its user should know.

use std::fmt;

/// A kind of note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Note {
    /// A row that sums other rows was skipped.
    TotalRow,
    /// A row of an hour that the clock showed twice; it stands for both, or for the first of
    /// them, and is booked on the first.
    RepeatedHour,
    /// A second row of an ad set for an hour that the clock showed twice, booked on the second.
    SecondHour,
    /// A row in another currency was skipped, as the column map asks.
    OtherCurrency,
    /// A row without a date was skipped, as the column map asks.
    UndatedRow,
    /// A row has more clicks than impressions.
    ClicksAboveImpressions,
    /// An empty value was read as zero, where the platform writes none for zero.
    BlankAsZero,
    /// A value of `Results` was left out because its row's results are not purchases.
    OtherResults,
    /// The last line has no line break. If the file was cut just there, its last value is short.
    NoFinalLineBreak,
    /// A further row of an order, which repeats nothing that is counted.
    OrderContinued,
    /// An order that is cancelled was skipped.
    OrderCancelled,
    /// An order that is pending was skipped.
    OrderPending,
    /// An order that is authorized, but not captured, was skipped.
    OrderAuthorized,
    /// An order that is paid in part was skipped.
    OrderPartiallyPaid,
    /// An order that is voided was skipped.
    OrderVoided,
    /// An order that is expired was skipped.
    OrderExpired,
}

const KINDS: usize = 16;

impl Note {
    /// All kinds.
    pub const ALL: [Self; KINDS] = [
        Self::TotalRow,
        Self::RepeatedHour,
        Self::SecondHour,
        Self::OtherCurrency,
        Self::UndatedRow,
        Self::ClicksAboveImpressions,
        Self::BlankAsZero,
        Self::OtherResults,
        Self::NoFinalLineBreak,
        Self::OrderContinued,
        Self::OrderCancelled,
        Self::OrderPending,
        Self::OrderAuthorized,
        Self::OrderPartiallyPaid,
        Self::OrderVoided,
        Self::OrderExpired,
    ];
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::TotalRow => "rows of totals skipped",
            Self::RepeatedHour => {
                "rows of an hour that the clock showed twice, booked on its first"
            }
            Self::SecondHour => "rows of an hour that the clock showed twice, booked on its second",
            Self::OtherCurrency => "rows in another currency skipped",
            Self::UndatedRow => "rows without a date skipped",
            Self::ClicksAboveImpressions => "rows with more clicks than impressions",
            Self::BlankAsZero => "empty values read as zero",
            Self::OtherResults => "results that are not purchases left out",
            Self::NoFinalLineBreak => "last lines without a line break",
            Self::OrderContinued => "further lines of an order",
            Self::OrderCancelled => "cancelled orders skipped",
            Self::OrderPending => "pending orders skipped",
            Self::OrderAuthorized => "authorized orders skipped",
            Self::OrderPartiallyPaid => "partially paid orders skipped",
            Self::OrderVoided => "voided orders skipped",
            Self::OrderExpired => "expired orders skipped",
        })
    }
}

/// How often each note was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes([u64; KINDS]);

impl Notes {
    /// How often.
    pub fn count(&self, note: Note) -> u64 {
        self.0[note as usize]
    }

    /// The notes that were taken, in order, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Note, u64)> {
        let counted = Note::ALL.into_iter().map(|note| (note, self.count(note)));
        counted.filter(|&(_, count)| count > 0)
    }

    /// Whether none was taken.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&count| count == 0)
    }

    pub(crate) fn take(&mut self, note: Note) {
        self.add(note, 1);
    }

    pub(crate) fn add(&mut self, note: Note, times: u64) {
        // A 64-bit count of lines does not overflow.
        let count = &mut self.0[note as usize];
        *count = count.saturating_add(times);
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (note, count)) in self.iter().enumerate() {
            write!(f, "{}{count} {note}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
