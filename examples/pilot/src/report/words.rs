//! What the names in the log mean, for readers who never saw them.

use gaelp::core::{AdSetKey, Platform};
use gaelp::rollout::AlertKind;

use super::number;

/// A rule in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule<'a> {
    pub(super) title: &'a str,
    /// What it does, as a sentence; empty for a rule that this program does not know.
    pub(super) meaning: &'static str,
}

/// The words for each rule: its name, a title, what it means.
const RULES: [(&str, &str, &str); 41] = [
    (
        "kill_switch",
        "Kill switch",
        "An operator stopped everything; the rate goes back to the last one known to be good.",
    ),
    (
        "emergency",
        "Emergency",
        "Rules were violated several times in a row; no raise until an operator re-arms, or, in shadow mode, until the day ends.",
    ),
    (
        "paused",
        "Paused",
        "An operator paused raises, or an emergency did.",
    ),
    (
        "arithmetic",
        "Impossible figure",
        "An amount was negative or far too large, so nothing was changed.",
    ),
    (
        "canary",
        "Not on the canary list",
        "Only ad sets that are named on the list may be changed.",
    ),
    (
        "blocked",
        "On the block list",
        "Ad sets that are named on the list may not be changed.",
    ),
    (
        "canary_audience",
        "Audience not on the canary list",
        "Only ad sets of the audiences on the list may be changed.",
    ),
    (
        "blocked_audience",
        "Audience on the block list",
        "Ad sets of the audiences on the list may not be changed.",
    ),
    (
        "unreconciled",
        "Budgets not read yet",
        "What stands was not read since the start; no raise until it is.",
    ),
    (
        "unresolved_write",
        "Earlier change not confirmed",
        "It is not known whether an earlier change arrived; no raise until it is.",
    ),
    (
        "external_edit",
        "Changed by somebody else",
        "A person changed the budget; no raise for some hours.",
    ),
    (
        "edits",
        "Too many changes this hour",
        "The last change of an hour is kept for a decrease.",
    ),
    (
        "clock",
        "Clock not to be trusted",
        "The clock ran back; no raise until it is right.",
    ),
    (
        "breaker",
        "Platform in trouble",
        "Calls to the platform failed too often; no raise until one works.",
    ),
    (
        "daily_cap",
        "Daily cap of the account",
        "What the account may spend in a local day is nearly or fully used up.",
    ),
    (
        "account_share",
        "Share of what is left today",
        "What the account may still spend today is split among the ad sets; this is one's part.",
    ),
    (
        "platform_daily_cap",
        "Daily cap of the platform",
        "What the platform may spend in a local day is nearly or fully used up.",
    ),
    (
        "campaign_daily_cap",
        "Daily cap of the campaign",
        "What the campaign may spend in a local day is nearly or fully used up.",
    ),
    (
        "ad_set_daily_cap",
        "Daily cap of the ad set",
        "What the ad set may spend in a local day is nearly or fully used up.",
    ),
    (
        "hourly_ceiling",
        "Highest hourly rate",
        "No ad set may get more than this in an hour.",
    ),
    (
        "taper",
        "Day's target near",
        "The nearer the day's target, the lower the highest hourly rate.",
    ),
    (
        "ledger_headroom",
        "No room under the cap",
        "With all that the account could yet be made to pay, more would not fit under its cap.",
    ),
    (
        "account_raises",
        "Raises of the account",
        "All raises of an hour together are limited.",
    ),
    (
        "platform_raises",
        "Raises on the platform",
        "The raises of an hour on one platform together are limited.",
    ),
    (
        "campaign_raises",
        "Raises of the campaign",
        "The raises of an hour in one campaign together are limited.",
    ),
    (
        "ad_set_raises",
        "Raises of the ad set",
        "What an ad set may be raised by in an hour is limited.",
    ),
    (
        "exploration_risk",
        "Risk of trying",
        "What tries may put at risk in a day is nearly or fully used up.",
    ),
    (
        "bid_bounds",
        "Bid out of bounds",
        "The bid must lie between its bounds.",
    ),
    (
        "delta_max",
        "Largest raise an hour",
        "From one hour to the next, a rate may rise only by a small share.",
    ),
    (
        "delta_max_24h",
        "Largest raise in 24 hours",
        "Within 24 hours, a rate may rise only by a limited share.",
    ),
    (
        "delta_normalised",
        "Largest raise for the hour's traffic",
        "Measured by the hour's traffic, a rate may rise only by a small share.",
    ),
    (
        "delta_normalised_24h",
        "Largest raise in 24 hours for the traffic",
        "Measured by the traffic, a rate may rise within 24 hours only by a limited share.",
    ),
    (
        "peak_hours",
        "Raises only in peak hours",
        "Outside of the peak hours a rate may fall but not rise.",
    ),
    (
        "restricted_hours",
        "Restricted hours",
        "In these hours no rate is raised.",
    ),
    (
        "stale_data",
        "Data too old",
        "The newest report is too old to justify a raise.",
    ),
    (
        "thin_data",
        "Data incomplete",
        "Too few of the last hours were reported to justify a raise.",
    ),
    (
        "freeze_roas",
        "Return too low",
        "ROAS over the last hours is, or just was, below its bound; no raise until it recovers.",
    ),
    (
        "freeze_cpa",
        "Conversions too dear",
        "CPA over the last hours is, or just was, above its bound; no raise until it recovers.",
    ),
    (
        "freeze_conversions",
        "No conversion for too long",
        "Too many hours passed without a conversion; no raise until one comes.",
    ),
    (
        "cpa_multiplier",
        "Conversions far dearer than meant",
        "A conversion costs many times what it is meant to; no raise until it does not.",
    ),
    (
        "spend_spike",
        "Spend spike",
        "An hour's spend was many times the usual one of that weekday and hour.",
    ),
];

/// The words for a rule; one that is not known here goes by its own name.
pub(super) fn rule(name: &str) -> Rule<'_> {
    let known = RULES.iter().find(|(known, ..)| *known == name);
    let (title, meaning) = known.map_or((name, ""), |&(_, title, meaning)| (title, meaning));
    Rule { title, meaning }
}

/// An alert in words.
pub(super) fn alert(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::ReportFailed => "A platform's report could not be read.",
        AlertKind::BudgetsFailed => "A platform's budgets could not be read.",
        AlertKind::OrdersFailed => "The shop's orders could not be read.",
        AlertKind::Contradiction => {
            "The same hours were reported with different figures; the first were kept."
        }
        AlertKind::Refused => "A row could not be believed, and was left out.",
        AlertKind::WriteUnknown => "The answer to a change of budget was lost.",
        AlertKind::WriteRejected => "A change of budget was refused.",
        AlertKind::ExternalEdit => "A budget was changed by somebody else.",
        AlertKind::Unattributed => "Orders came in while no ad set had spent anything.",
        AlertKind::LedgerRefused => "The spend ledger refused a change.",
        AlertKind::LedgerUnavailable => "The spend ledger could not be asked.",
        AlertKind::LedgerDamaged => "The spend ledger is damaged.",
        AlertKind::Fenced => "Another runner took over.",
        AlertKind::Emergency => "Rules were violated several times in a row.",
        AlertKind::NoPlan => {
            "Minimums and caps left no room for a plan; each ad set went by itself."
        }
        other => other.as_str(),
    }
}

/// What became of a write, in words.
pub(super) fn status(status: &str) -> &'static str {
    match status {
        "shadow" => "only suggested",
        "unchanged" => "the budget was there already",
        "pending" => "sent, not answered yet",
        "applied" => "made and confirmed",
        "rejected" => "refused by the platform",
        "unknown" => "the answer was lost",
        _ => "",
    }
}

/// A platform's name as it writes itself.
pub(super) fn platform(platform: &Platform) -> &str {
    match platform {
        Platform::Meta => "Meta",
        Platform::Google => "Google",
        Platform::TikTok => "TikTok",
        other => other.as_str(),
    }
}

/// `once`, `twice`, `12 times`.
pub(super) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{} times", number::count(more)),
    }
}

/// The name of an ad set: short enough for a table, and longer for the pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) platform: String,
    pub(super) short: String,
    pub(super) full: String,
}

impl Name {
    /// What fits into a table.
    const SHORT: usize = 48;
    /// Platforms allow no more than this; a file may hold anything.
    const FULL: usize = 400;

    /// The name of an ad set.
    pub(super) fn of(key: &AdSetKey) -> Self {
        Self {
            platform: cut(platform(&key.platform), Self::SHORT),
            short: cut(key.ad_set.as_str(), Self::SHORT),
            full: cut(key.ad_set.as_str(), Self::FULL),
        }
    }
}

/// At most so many characters, the last of them a sign that more would follow.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// The page without control characters, and without those that turn the direction of writing: in a
/// name they could make it look like another one.
pub(super) fn printable(page: &str) -> String {
    let hidden = |character: char| match character {
        '\n' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    };
    page.chars()
        .map(|c| {
            if hidden(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// A term and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) term: &'static str,
    pub(super) meaning: &'static str,
}

/// The words of this page that not every reader knows.
pub(super) static GLOSSARY: [Term; 13] = [
    term(
        "ad set",
        "What holds a budget: an ad set on Meta, an ad group on TikTok, a campaign on Google.",
    ),
    term(
        "arm",
        "One of the choices of each decision: the multiplier that the present rate would be multiplied by.",
    ),
    term(
        "binding rule",
        "The rule that decided the result: the strictest of all that objected. A rule can object \
         without binding, when another one is stricter.",
    ),
    term(
        "CPA",
        "Cost per acquisition: spend ÷ conversions. Undefined without a conversion.",
    ),
    term(
        "elasticity",
        "How revenue answers to spend. At 0.7, spend × 1.10 is taken to bring revenue × 1.10^0.7, \
         which is × 1.07. It is an assumption, not a finding.",
    ),
    term("freeze", "A rule's word that a rate may fall but not rise."),
    term(
        "guardrail",
        "A rule that every suggestion must pass. Its level says how far it goes: allow, clamp (cap \
         the amount), freeze (no raise), deny (no change), kill (back to a safe rate).",
    ),
    term(
        "λ (lambda)",
        "The price of money: one unit spent counts as 1 + λ. It rises on days that spend more than \
         the target and falls on days that spend less, at most to zero.",
    ),
    term(
        "profit",
        "Revenue × the margin in the settings − spend. With a margin of 1, what the goods cost is \
         not taken off.",
    ),
    term(
        "propensity",
        "The probability with which an arm was chosen at that moment. It is logged so that other \
         policies can be judged fairly on the same data later.",
    ),
    term(
        "rate",
        "An amount for one hour: what an ad set may spend in it.",
    ),
    term(
        "ROAS",
        "Return on ad spend: revenue ÷ spend. Undefined without spend.",
    ),
    term(
        "shadow mode",
        "gaelp reads, decides and logs, and changes nothing on any platform.",
    ),
];

const fn term(term: &'static str, meaning: &'static str) -> Term {
    Term { term, meaning }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule that can stand in a log: those of the guardrails, and the rollout's own.
    const RULES: [&str; 16] = [
        "kill_switch",
        "arithmetic",
        "canary",
        "daily_cap",
        "account_share",
        "ad_set_daily_cap",
        "hourly_ceiling",
        "delta_max",
        "delta_max_24h",
        "peak_hours",
        "stale_data",
        "thin_data",
        "freeze_roas",
        "freeze_cpa",
        "freeze_conversions",
        "unresolved_write",
    ];

    #[test]
    fn every_rule_has_words_of_its_own() {
        let mut titles: Vec<_> = RULES.iter().map(|name| rule(name).title).collect();
        assert!(RULES.iter().all(|name| rule(name).title != *name));
        assert!(RULES.iter().all(|name| rule(name).meaning.ends_with('.')));
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), RULES.len());
        assert_eq!(
            rule("moon_phase"),
            Rule {
                title: "moon_phase",
                meaning: ""
            }
        );
    }

    #[test]
    fn names_are_cut() {
        let named = |length| Name::of(&AdSetKey::new(Platform::Meta, "é".repeat(length)));
        assert_eq!(named(48).short, "é".repeat(48));
        assert_eq!(named(49).short, format!("{}…", "é".repeat(47)));
        assert_eq!(named(400).full, "é".repeat(400));
        assert_eq!(named(9_000).full.chars().count(), 400);
        let other = AdSetKey::new(Platform::new("exchange"), "a");
        assert_eq!(Name::of(&other).platform, "exchange");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(
            printable("a\u{202e}b\u{0}\n🎯\u{a0}"),
            "a\u{fffd}b\u{fffd}\n🎯\u{a0}"
        );
    }

    #[test]
    fn the_glossary_is_in_order() {
        let terms: Vec<_> = GLOSSARY
            .iter()
            .map(|entry| entry.term.to_lowercase())
            .collect();
        let roman: Vec<_> = terms
            .iter()
            .map(|term| term.replace('λ', "lambda"))
            .collect();
        assert!(roman.is_sorted());
    }
}
