//! Rules from a TOML file, laid over others.

use std::path::Path;

use gaelp::core::Micros;
use gaelp::guardrails::GuardrailConfig;
use serde_json::Value;

use super::file::read_table;
use super::names::NONE;
use crate::settings::SettingError;

/// The rules whose numbers are stored in millionths: amounts of money, in major units here as in all
/// settings, and conversions.
const IN_MILLIONTHS: [&str; 17] = [
    "daily_cap",
    "ad_set_daily_cap",
    "campaign_daily_cap",
    "platform_daily_caps",
    "hourly_raise_caps",
    "exploration_daily_cap",
    "hourly_floor",
    "hourly_ceiling",
    "bid_floor",
    "bid_ceiling",
    "restricted_ceiling",
    "freeze_cpa_above",
    "unfreeze_cpa_at",
    "minimum_window_spend",
    "spike_minimum_spend",
    "expected_conversions_per_hour",
    "min_expected_conversions",
];

/// What a file of rules says, by the names of [`GuardrailConfig`]'s fields; `"none"` switches an
/// optional rule off.
#[derive(Clone, Debug)]
pub(super) struct Overlay<'a> {
    path: &'a Path,
    fields: Vec<(String, Value)>,
}

impl<'a> Overlay<'a> {
    /// Reads a file.
    pub(super) fn read(path: &'a Path) -> Result<Self, SettingError> {
        let mut overlay = Self {
            path,
            fields: Vec::new(),
        };
        for (field, value) in read_table(path)? {
            let value = if IN_MILLIONTHS.contains(&field.as_str()) {
                millionths(value).map_err(|problem| overlay.wrong(&field, problem))?
            } else {
                plain(value)
            };
            overlay.fields.push((field, value));
        }
        Ok(overlay)
    }

    /// Refuses what has a setting of its own: of two places for a value, one would be overlooked.
    pub(super) fn refuse(&self, own: &[(&str, &str)]) -> Result<(), SettingError> {
        for (field, _) in &self.fields {
            if let Some((_, setting)) = own.iter().find(|(name, _)| name == field) {
                return Err(self.wrong(field, format!("it has a setting of its own, {setting}")));
            }
        }
        Ok(())
    }

    /// These rules with what the file says instead.
    pub(super) fn over(&self, base: GuardrailConfig) -> Result<GuardrailConfig, SettingError> {
        let mut config = base;
        // One after the other, so that an error names its field.
        for (field, value) in &self.fields {
            let wrong = |error: serde_json::Error| self.wrong(field, error.to_string());
            let mut whole = serde_json::to_value(&config).map_err(wrong)?;
            if let Value::Object(fields) = &mut whole {
                fields.insert(field.clone(), value.clone());
            }
            config = serde_json::from_value(whole).map_err(wrong)?;
        }
        Ok(config)
    }

    fn wrong(&self, field: &str, problem: String) -> SettingError {
        SettingError::Rule {
            path: self.path.to_owned(),
            field: field.to_owned(),
            problem,
        }
    }
}

impl std::fmt::Display for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (field, value)) in self.fields.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{field} = {value}")?;
        }
        Ok(())
    }
}

/// Decimal numbers, exactly as they are written, in millionths.
fn millionths(value: toml::Value) -> Result<Value, String> {
    let text = match value {
        toml::Value::String(text) if text == NONE => return Ok(Value::Null),
        toml::Value::Table(table) => {
            let fields = table.into_iter();
            return fields
                .map(|(name, value)| Ok((name, millionths(value)?)))
                .collect();
        }
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    let read: Result<Micros, _> = text.parse();
    let read = read.map_err(|problem| format!("{text:?} is no decimal number: {problem}"))?;
    Ok(read.get().into())
}

/// A TOML value as the rules are stored.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) if text == NONE => Value::Null,
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(parts) => parts.into_iter().map(plain).collect(),
        toml::Value::Table(table) => {
            let fields = table.into_iter();
            fields.map(|(name, value)| (name, plain(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored in millionths takes a large integer and no fraction: counts are smaller, and
    /// shares have fractions.
    #[test]
    fn all_that_is_in_millionths_is_known() {
        let whole = serde_json::to_value(GuardrailConfig::default()).expect("it can be stored");
        let takes = |field: &str, value: Value| {
            let mut changed = whole.clone();
            changed[field] = value;
            serde_json::from_value::<GuardrailConfig>(changed).is_ok()
        };
        for field in whole.as_object().expect("fields").keys() {
            let of = |value: Value| {
                let parts = ["meta", "account"].map(|name| {
                    let table = serde_json::json!({ name: value.clone() });
                    takes(field, table)
                });
                takes(field, value) || parts.contains(&true)
            };
            let stored = of(1_000_000_000_000_i64.into()) && !of(0.5.into());
            assert_eq!(stored, IN_MILLIONTHS.contains(&field.as_str()), "{field}");
        }
    }
}
