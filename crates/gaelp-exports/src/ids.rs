//! The ad sets of a file: each name is kept once.

use std::collections::HashMap;
use std::sync::Arc;

use gaelp_core::{AdSetId, AdSetKey, Platform};

use crate::error::Excerpt;
use crate::file::File;
use crate::plan::{AdSetColumns, Plan};
use crate::{ExportError, ValueProblem};

/// The most ad sets of a file; Meta allows 5,000 in an account.
const LIMIT: usize = 100_000;
/// What stands between the parts of a name that several columns make.
const JOINT: &str = " / ";

/// The ad sets that were met.
#[derive(Debug)]
pub(crate) struct Ids {
    platform: Platform,
    /// Each with its campaign, where the name alone may be ambiguous.
    known: HashMap<AdSetId, Option<Arc<str>>>,
    /// The last one, for files that are sorted by ad set.
    last: Option<(AdSetId, Option<Arc<str>>)>,
    joined: String,
}

impl Ids {
    pub(crate) fn new(platform: Platform) -> Self {
        Self {
            platform,
            known: HashMap::new(),
            last: None,
            joined: String::new(),
        }
    }

    /// The ad set of the current row.
    pub(crate) fn key<R: std::io::Read>(
        &mut self,
        file: &File<R>,
        plan: &Plan,
    ) -> Result<AdSetKey, ExportError> {
        let columns = match &plan.ad_set {
            AdSetColumns::Columns(columns) => columns,
            AdSetColumns::Constant(name) => return Ok(self.of(name.clone())),
        };
        let campaign = plan.campaign.map(|column| file.record.get(column));
        if let [column] = columns[..] {
            let name = part(file, plan, column)?;
            let found = self.find(file, plan, name, campaign)?;
            return Ok(self.of(found));
        }
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        for (place, &column) in columns.iter().enumerate() {
            joined.push_str(if place == 0 { "" } else { JOINT });
            joined.push_str(part(file, plan, column)?);
        }
        let found = self.find(file, plan, &joined, campaign);
        self.joined = joined;
        Ok(self.of(found?))
    }

    fn of(&self, ad_set: AdSetId) -> AdSetKey {
        AdSetKey {
            platform: self.platform.clone(),
            ad_set,
        }
    }

    fn find<R: std::io::Read>(
        &mut self,
        file: &File<R>,
        plan: &Plan,
        name: &str,
        campaign: Option<&str>,
    ) -> Result<AdSetId, ExportError> {
        match &self.last {
            Some((id, known)) if id.as_str() == name && known.as_deref() == campaign => {
                return Ok(id.clone());
            }
            _ => {}
        }
        let column = plan.ad_set.first();
        let found = match self.known.get_key_value(name) {
            Some((_, known)) if known.as_deref() != campaign => {
                return Err(ExportError::AmbiguousAdSet {
                    at: file.at(column),
                    name: Excerpt::shown(name),
                });
            }
            Some((id, known)) => (id.clone(), known.clone()),
            None if self.known.len() >= LIMIT => {
                return Err(ExportError::TooManyAdSets {
                    at: file.at(column),
                    limit: LIMIT,
                });
            }
            None => {
                let fresh = (AdSetId::from(name), campaign.map(Arc::from));
                self.known.insert(fresh.0.clone(), fresh.1.clone());
                fresh
            }
        };
        let id = found.0.clone();
        self.last = Some(found);
        Ok(id)
    }
}

/// A part of the name of the current row's ad set.
fn part<'a, R: std::io::Read>(
    file: &'a File<R>,
    plan: &Plan,
    column: usize,
) -> Result<&'a str, ExportError> {
    let text = file.record.get(column);
    if text.is_empty() {
        return Err(ExportError::NoAdSet {
            at: file.at(column),
        });
    }
    if plan.missing.iter().any(|missing| **missing == *text) {
        return Err(file.refuse(column, ValueProblem::Missing));
    }
    Ok(text)
}
