//! Between the columns of the database and the types of the core. Nothing that is read is
//! trusted: a value that this crate would not have written is an error.

use gaelp_core::{DecisionId, HourSpan, Metrics, Micros, Quantity, Ratio, UtcHour};
use rusqlite::types::ValueRef;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NameError;

use crate::StoreError;

const HOUR: i64 = 3_600_000_000;

/// Microseconds at which an hour begins: 32-bit hours fit with room to spare.
pub(crate) fn start(hour: UtcHour) -> i64 {
    i64::from(hour.get()) * HOUR
}

/// The hour that begins at a time, if one does.
pub(crate) fn hour_at(micros: i64) -> Option<UtcHour> {
    hour_of(micros).filter(|_| micros.rem_euclid(HOUR) == 0)
}

/// The hour that a time lies in, where hours reach that far.
pub(crate) fn hour_of(micros: i64) -> Option<UtcHour> {
    i32::try_from(micros.div_euclid(HOUR))
        .ok()
        .map(UtcHour::new)
}

/// A count as the database holds it.
pub(crate) fn count(
    value: u64,
    table: &'static str,
    column: &'static str,
) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Unstorable { table, column })
}

/// Whether a ratio is within the range that its decimal form reads back exactly.
pub(crate) fn reads_back(ratio: Ratio) -> bool {
    Ratio::try_from(f64::from(ratio)) == Ok(ratio)
}

/// The columns `spend, impressions, clicks, conversions, revenue`.
pub(crate) fn figures(metrics: &Metrics, table: &'static str) -> Result<[i64; 5], StoreError> {
    Ok([
        metrics.spend.get(),
        count(metrics.impressions, table, "impressions")?,
        count(metrics.clicks, table, "clicks")?,
        count(metrics.conversions.millionths(), table, "conversions")?,
        metrics.revenue.get(),
    ])
}

pub(crate) fn json<T: serde::Serialize>(
    value: &T,
    table: &'static str,
    column: &'static str,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Unstorable { table, column })
}

/// A row that is being read, with the name of its table for errors.
pub(crate) struct Row<'r> {
    table: &'static str,
    row: &'r rusqlite::Row<'r>,
}

impl<'r> Row<'r> {
    pub(crate) fn new(table: &'static str, row: &'r rusqlite::Row<'r>) -> Self {
        Self { table, row }
    }

    pub(crate) fn invalid(&self, column: &'static str) -> StoreError {
        let table = self.table;
        StoreError::Invalid { table, column }
    }

    fn value(&self, index: usize, column: &'static str) -> Result<ValueRef<'r>, StoreError> {
        self.row.get_ref(index).map_err(|_| self.invalid(column))
    }

    pub(crate) fn int(&self, index: usize, column: &'static str) -> Result<i64, StoreError> {
        match self.value(index, column)? {
            ValueRef::Integer(value) => Ok(value),
            _ => Err(self.invalid(column)),
        }
    }

    pub(crate) fn text(&self, index: usize, column: &'static str) -> Result<&'r str, StoreError> {
        let value = self.value(index, column)?;
        value.as_str().map_err(|_| self.invalid(column))
    }

    pub(crate) fn optional<T>(
        &self,
        index: usize,
        column: &'static str,
        read: impl FnOnce(&Self, usize, &'static str) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self.value(index, column)? {
            ValueRef::Null => Ok(None),
            _ => read(self, index, column).map(Some),
        }
    }

    pub(crate) fn real(&self, index: usize, column: &'static str) -> Result<f64, StoreError> {
        match self.value(index, column)? {
            ValueRef::Real(value) => Ok(value),
            _ => Err(self.invalid(column)),
        }
    }

    pub(crate) fn whole<T: TryFrom<i64>>(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<T, StoreError> {
        T::try_from(self.int(index, column)?).map_err(|_| self.invalid(column))
    }

    pub(crate) fn micros(&self, index: usize, column: &'static str) -> Result<Micros, StoreError> {
        self.int(index, column).map(Micros::new)
    }

    pub(crate) fn hour(&self, index: usize, column: &'static str) -> Result<UtcHour, StoreError> {
        hour_at(self.int(index, column)?).ok_or_else(|| self.invalid(column))
    }

    pub(crate) fn decision(&self, index: usize) -> Result<DecisionId, StoreError> {
        let column = "decision_id";
        let bytes = self.value(index, column)?.as_blob().ok();
        let bytes = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| self.invalid(column))?;
        Ok(DecisionId::new(u128::from_be_bytes(bytes)))
    }

    pub(crate) fn blob(&self, index: usize, column: &'static str) -> Result<&'r [u8], StoreError> {
        let value = self.value(index, column)?;
        value.as_blob().map_err(|_| self.invalid(column))
    }

    /// A digest of 32 bytes.
    pub(crate) fn digest(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<[u8; 32], StoreError> {
        let bytes = self.value(index, column)?.as_blob().ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| self.invalid(column))
    }

    /// The span of two columns, which has at least an hour.
    pub(crate) fn span(&self, from: usize, to: usize) -> Result<HourSpan, StoreError> {
        let span = HourSpan::new(self.hour(from, "ts")?, self.hour(to, "ts_end")?);
        if span.is_empty() {
            return Err(self.invalid("ts_end"));
        }
        Ok(span)
    }

    /// Five columns from `first` on, as [`figures`] writes them.
    pub(crate) fn metrics(&self, first: usize) -> Result<Metrics, StoreError> {
        Ok(Metrics {
            spend: self.micros(first, "spend")?,
            impressions: self.whole(first + 1, "impressions")?,
            clicks: self.whole(first + 2, "clicks")?,
            conversions: Quantity::from_millionths(self.whole(first + 3, "conversions")?),
            revenue: self.micros(first + 4, "revenue")?,
        })
    }

    /// A variant by the name that serde gives it.
    pub(crate) fn named<T: Deserialize<'r>>(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<T, StoreError> {
        let deserializer =
            IntoDeserializer::<NameError>::into_deserializer(self.text(index, column)?);
        T::deserialize(deserializer).map_err(|_| self.invalid(column))
    }

    pub(crate) fn json<T: Deserialize<'r>>(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(self.text(index, column)?).map_err(|_| self.invalid(column))
    }
}
