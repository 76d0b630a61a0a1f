//! What makes rules valid.

use super::{RulesConfig, WindowTable};
use crate::{RuleViolation, Span};

/// The longest time that a setting may name: ten years.
const LONGEST: Span = Span::days(3_653);

/// Everything that is wrong with the settings, in their order.
pub(super) fn violations(config: &RulesConfig) -> Vec<RuleViolation> {
    let mut found = Vec::new();
    let tables = std::iter::once(&config.windows)
        .chain(config.kinds.iter().filter_map(|kind| kind.windows.as_ref()));
    for windows in tables.flat_map(WindowTable::all) {
        check(&mut found, "windows.click", windows.click);
        check(&mut found, "windows.view", windows.view);
    }
    let models = std::iter::once(&config.model)
        .chain(config.kinds.iter().filter_map(|kind| kind.model.as_ref()));
    for model in models {
        if let Err(error) = model.validate() {
            found.push(RuleViolation::Model(error));
        }
    }
    for (index, rules) in config.kinds.iter().enumerate() {
        if config.kinds[..index].iter().any(|k| k.kind == rules.kind) {
            found.push(RuleViolation::DuplicateKind { kind: rules.kind });
        }
    }
    check(&mut found, "lateness", config.lateness);
    check(&mut found, "refund_horizon", config.refund_horizon);
    let least = longest_window(config).plus(config.lateness);
    if config.refund_horizon < least {
        found.push(RuleViolation::HorizonTooShort {
            horizon: config.refund_horizon,
            least,
        });
    }
    found
}

/// The longest window of all tables.
pub(super) fn longest_window(config: &RulesConfig) -> Span {
    let of_kinds = config.kinds.iter().filter_map(|kind| kind.windows.as_ref());
    std::iter::once(&config.windows)
        .chain(of_kinds)
        .flat_map(WindowTable::all)
        .map(|windows| windows.click.max(windows.view))
        .fold(Span::ZERO, Span::max)
}

fn check(found: &mut Vec<RuleViolation>, field: &'static str, value: Span) {
    if value > LONGEST {
        found.push(RuleViolation::TooLong {
            field,
            value,
            most: LONGEST,
        });
    }
}
