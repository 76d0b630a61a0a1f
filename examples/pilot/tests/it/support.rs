//! A folder to work in, the bundled samples, and what a database holds.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::program::pilot;

/// The bundled samples.
pub(crate) const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

/// One of the bundled samples.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(SAMPLES).join(name)
}

/// A folder of a test's own.
#[derive(Debug)]
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file there.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("writes");
        path
    }

    /// The README's first run, with its store and report here.
    pub(crate) fn readme_run(&self) -> Command {
        let mut command = pilot();
        command
            .arg("--config")
            .arg(sample("pilot.toml"))
            .args(["--json", "--quiet"]);
        command.arg("--store").arg(self.path("pilot.db"));
        command.arg("--report").arg(self.path("report.html"));
        command
    }

    /// A run over some reports that keeps nothing.
    pub(crate) fn over<I: AsRef<OsStr>>(&self, insights: impl IntoIterator<Item = I>) -> Command {
        let mut command = pilot();
        command.current_dir(self.0.path());
        command.args([
            "--store", ":memory:", "--report", "none", "--json", "--quiet",
        ]);
        command.arg("--insights").args(insights);
        command
    }
}

/// A daily report of Meta Ads Manager with one row.
pub(crate) fn daily(ad_set: &str, currency: &str, spend: &str) -> String {
    format!(
        "Campaign name,Ad set name,Day,Impressions,Link clicks,Amount spent ({currency}),\
         Reporting starts,Reporting ends\n\
         Autumn,{ad_set},2026-10-12,10,1,{spend},2026-10-12,2026-10-12\n"
    )
}

fn database(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).expect("the database opens")
}

/// Every table of a database: how many rows it has, and a digest of them in their order.
pub(crate) fn content(path: &Path) -> BTreeMap<String, (u64, u64)> {
    let database = database(path);
    let names: Vec<String> = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .expect("prepares")
        .query_map([], |row| row.get(0))
        .expect("reads")
        .collect::<Result<_, _>>()
        .expect("reads");
    let digest = |name: String| {
        let mut statement = database
            .prepare(&format!("SELECT * FROM {name}"))
            .expect("prepares");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("reads");
        let (mut count, mut hasher) = (0, DefaultHasher::new());
        while let Some(row) = rows.next().expect("reads") {
            count += 1;
            for column in 0..columns {
                hash(row.get_ref(column).expect("a value"), &mut hasher);
            }
        }
        (name, (count, hasher.finish()))
    };
    names.into_iter().map(digest).collect()
}

fn hash(value: ValueRef<'_>, hasher: &mut DefaultHasher) {
    match value {
        ValueRef::Null => 0_u8.hash(hasher),
        ValueRef::Integer(n) => (1_u8, n).hash(hasher),
        ValueRef::Real(x) => (2_u8, x.to_bits()).hash(hasher),
        ValueRef::Text(text) => (3_u8, text).hash(hasher),
        ValueRef::Blob(bytes) => (4_u8, bytes).hash(hasher),
    }
}

/// What a query with two columns, a text and a count, finds.
pub(crate) fn counts(path: &Path, query: &str) -> BTreeMap<String, i64> {
    let database = database(path);
    let mut statement = database.prepare(query).expect("prepares");
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("reads");
    rows.collect::<Result<_, _>>().expect("reads")
}

/// A count.
pub(crate) fn count(path: &Path, query: &str) -> i64 {
    database(path)
        .query_row(query, [], |row| row.get(0))
        .expect("reads")
}

/// That SQLite finds nothing wrong with a database.
pub(crate) fn assert_sound(path: &Path) {
    let database = database(path);
    let said: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("checks");
    assert_eq!(said, "ok");
    let dangling: i64 = database
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .expect("checks");
    assert_eq!(dangling, 0, "references to rows that are not there");
}
