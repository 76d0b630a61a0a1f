#![doc = include_str!("../README.md")]

mod cells;
mod clock;
mod date;
mod detect;
mod error;
mod export;
mod file;
mod header;
mod ids;
mod insights;
mod map;
mod notes;
mod number;
mod options;
mod orders;
mod plan;
mod record;
mod source;
mod table;

pub use detect::{Delimiter, Detection, Encoding, ExportKind, HEAD_BYTES, detect};
pub use error::{Content, Excerpt, ExportError, Place, ValueProblem};
pub use export::{Export, FileSummary, validate};
pub use insights::{InsightRow, InsightRows, TotalRow, TotalRows};
pub use map::{
    AdSetSource, Blank, ColumnMap, ColumnMapError, Constant, CurrencySource, DateSource, Decimals,
    MapConfig, MapViolation, MetricSource, Undated, YearSource,
};
pub use notes::{Note, Notes};
pub use options::{
    DateOrder, Duplicates, Granularity, Metric, MetricSet, NumberFormat, ParseOptionError,
    ReadOptions,
};
pub use orders::{OrderRow, OrderRows};
