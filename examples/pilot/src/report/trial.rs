//! What had no say: a policy on trial, and rules that are only observed.

use super::number;
use super::words;
use crate::summary::Summary;

/// The candidate's verdicts beside those that counted.
pub(super) struct Section {
    /// What it comes to, in sentences.
    pub(super) sentences: Vec<String>,
    pub(super) rules: Vec<Row>,
}

/// A rule's objections.
pub(super) struct Row {
    pub(super) title: String,
    pub(super) code: String,
    pub(super) live: String,
    pub(super) tried: String,
}

pub(super) fn section(summary: &Summary) -> Option<Section> {
    let candidate = summary.candidate.as_ref()?;
    let money = |amount| number::money_in(amount, summary.currency);
    let decisions = number::counted(candidate.decisions, "decision", "decisions");
    let (less, more) = (number::count(candidate.less), number::count(candidate.more));
    let sentences = vec![
        format!(
            "Policy {} was asked about {decisions} beside the one in force. It would have allowed \
             less in {less} and more in {more}.",
            candidate.policy.get(..12).unwrap_or(&candidate.policy)
        ),
        format!(
            "On average it would have allowed {} an hour where {} was allowed.",
            money(candidate.would_allow),
            money(candidate.allowed)
        ),
    ];
    let rules = candidate.objections.iter();
    let rules = rules.map(|(rule, live, tried)| Row {
        title: words::rule(rule.as_str()).title.to_owned(),
        code: rule.to_string(),
        live: number::count(*live),
        tried: number::count(*tried),
    });
    Some(Section {
        sentences,
        rules: rules.collect(),
    })
}

/// How often rules objected that decide nothing, in words.
pub(super) fn observed(summary: &Summary) -> Vec<(String, String, String)> {
    let observed = summary.guardrails.observed.iter();
    observed
        .map(|(rule, count)| {
            let title = words::rule(rule.as_str()).title.to_owned();
            (title, rule.to_string(), number::count(*count))
        })
        .collect()
}
