//! Platforms and ad sets by their numbers in the database.

use std::collections::HashMap;

use gaelp_core::{AdSetKey, Platform};
use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;
use crate::codec::Row;
use crate::error::engine;

/// What is known of the tables `platforms` and `ad_sets`. Rows of both are never removed, so a
/// number read once stays right, except for those of a transaction that is rolled back.
#[derive(Default)]
pub(crate) struct Names {
    platforms: HashMap<Platform, i64>,
    numbers: HashMap<AdSetKey, Numbers>,
    keys: HashMap<i64, AdSetKey>,
}

/// An ad set's numbers.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) platform: i64,
    pub(crate) ad_set: i64,
}

impl Names {
    pub(crate) fn clear(&mut self) {
        self.platforms.clear();
        self.numbers.clear();
        self.keys.clear();
    }

    /// The numbers of an ad set, which are given to it where it has none.
    pub(crate) fn numbers(
        &mut self,
        conn: &Connection,
        key: &AdSetKey,
    ) -> Result<Numbers, StoreError> {
        if let Some(&numbers) = self.numbers.get(key) {
            return Ok(numbers);
        }
        let platform = self.platform(conn, &key.platform)?;
        let id = key.ad_set.as_str();
        let find = "SELECT id FROM ad_sets WHERE platform = ?1 AND adset_external_id = ?2";
        let ad_set = match number(conn, find, params![platform, id])? {
            Some(ad_set) => ad_set,
            None => conn
                .prepare_cached("INSERT INTO ad_sets (platform, adset_external_id) VALUES (?1, ?2)")
                .and_then(|mut statement| statement.insert(params![platform, id]))
                .map_err(engine)?,
        };
        let numbers = Numbers { platform, ad_set };
        self.numbers.insert(key.clone(), numbers);
        Ok(numbers)
    }

    fn platform(&mut self, conn: &Connection, platform: &Platform) -> Result<i64, StoreError> {
        if let Some(&id) = self.platforms.get(platform) {
            return Ok(id);
        }
        let name = storable(platform, "platforms", "name")?;
        let id = match known_platform(conn, platform)? {
            Some(id) => id,
            None => conn
                .prepare_cached("INSERT INTO platforms (name) VALUES (?1)")
                .and_then(|mut statement| statement.insert([name]))
                .map_err(engine)?,
        };
        self.platforms.insert(platform.clone(), id);
        Ok(id)
    }

    /// The ad set that has a number.
    pub(crate) fn key(&mut self, conn: &Connection, ad_set: i64) -> Result<AdSetKey, StoreError> {
        if let Some(key) = self.keys.get(&ad_set) {
            return Ok(key.clone());
        }
        let sql = "SELECT name, adset_external_id FROM ad_sets JOIN platforms \
                   ON platforms.id = ad_sets.platform WHERE ad_sets.id = ?1";
        let mut statement = conn.prepare_cached(sql).map_err(engine)?;
        let mut rows = statement.query([ad_set]).map_err(engine)?;
        let missing = StoreError::Invalid {
            table: "ad_sets",
            column: "id",
        };
        let row = Row::new("ad_sets", rows.next().map_err(engine)?.ok_or(missing)?);
        let platform = Platform::new(row.text(0, "platform")?);
        let key = AdSetKey::new(platform, row.text(1, "adset_external_id")?);
        self.keys.insert(ad_set, key.clone());
        Ok(key)
    }
}

/// The number of a platform, where it has one.
pub(crate) fn known_platform(
    conn: &Connection,
    platform: &Platform,
) -> Result<Option<i64>, StoreError> {
    let find = "SELECT id FROM platforms WHERE name = ?1";
    number(conn, find, [platform.as_str()])
}

/// A platform's name, where the same platform follows from it when it is read.
pub(crate) fn storable<'p>(
    platform: &'p Platform,
    table: &'static str,
    column: &'static str,
) -> Result<&'p str, StoreError> {
    let name = platform.as_str();
    let same = match platform {
        Platform::Other(_) => Platform::new(name) == *platform,
        _ => true,
    };
    same.then_some(name)
        .ok_or(StoreError::Unstorable { table, column })
}

fn number(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Option<i64>, StoreError> {
    conn.prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(params, |row| row.get(0)).optional())
        .map_err(engine)
}
