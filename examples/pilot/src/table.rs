//! The summary for a terminal.

use std::fmt::Write;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use gaelp::core::Micros;

use crate::report;
use crate::summary::{Granularity, Kpi, Summary};

/// How many ad sets the table shows.
const AD_SETS: usize = 20;

/// The summary as text.
pub(crate) fn render(summary: &Summary) -> String {
    let mut out = String::new();
    let text = &mut out;
    inputs(text, summary);
    kpis(text, summary);
    if summary.period.is_some() {
        trailing(text, summary);
        effect(text, summary);
        rules(text, summary);
        candidate(text, summary);
        days(text, summary);
        plan(text, summary);
    }
    alerts(text, summary);
    for limit in &summary.limits {
        let _ = writeln!(text, "\nNote: {limit}");
    }
    out
}

fn inputs(text: &mut String, summary: &Summary) {
    let _ = writeln!(text, "gaelp pilot, {} mode", summary.mode);
    for input in &summary.inputs {
        let _ = writeln!(
            text,
            "  {}: {} ({} rows)",
            input.name,
            input.kind,
            grouped(input.rows)
        );
        let _ = writeln!(text, "      because {}", input.reason);
        for note in &input.notes {
            let _ = writeln!(text, "      {note}");
        }
    }
    if let Some(period) = &summary.period {
        let (first, last) = (&period.first_day, &period.last_day);
        let _ = writeln!(text, "  {first} to {last}, {} time", summary.zone);
    }
}

fn kpis(text: &mut String, summary: &Summary) {
    let currency = summary.currency;
    let mut table = table(&[
        "", "spend", "impr.", "clicks", "conv.", "revenue", "ROAS", "CPA", "CTR", "CVR", "profit",
    ]);
    let mut row = |name: String, kpi: &Kpi| {
        let metrics = &kpi.metrics;
        table.add_row(vec![
            name,
            money(metrics.spend),
            grouped(metrics.impressions),
            grouped(metrics.clicks),
            format!("{:.1}", metrics.conversions.to_f64()),
            money(metrics.revenue),
            ratio(kpi.roas),
            ratio(kpi.cpa),
            percent(kpi.ctr),
            percent(kpi.cvr),
            kpi.profit.map_or_else(undefined, money),
        ]);
    };
    for (key, kpi) in summary.kpis.ad_sets.iter().take(AD_SETS) {
        row(shortened(&key.to_string()), kpi);
    }
    for (platform, kpi) in &summary.kpis.platforms {
        row(format!("all of {platform}"), kpi);
    }
    row("account".to_owned(), &summary.kpis.account);
    let _ = writeln!(text, "\nKPIs in {currency}\n{table}");
    let more = summary.kpis.ad_sets.len().saturating_sub(AD_SETS);
    if more > 0 {
        let _ = writeln!(
            text,
            "  and {more} more ad sets, in the JSON and the report"
        );
    }
}

fn trailing(text: &mut String, summary: &Summary) {
    let mut table = table(&[
        "last days",
        "with data",
        "spend",
        "revenue",
        "ROAS",
        "CPA",
        "ROAS before",
    ]);
    for window in &summary.trailing {
        let kpi = &window.current;
        let before = window.previous.as_ref();
        table.add_row(vec![
            window.days.to_string(),
            window.covered.to_string(),
            money(kpi.metrics.spend),
            money(kpi.metrics.revenue),
            ratio(kpi.roas),
            ratio(kpi.cpa),
            before.map_or_else(|| "no data".to_owned(), |kpi| ratio(kpi.roas)),
        ]);
    }
    let _ = writeln!(text, "\nTrailing\n{table}");
}

fn effect(text: &mut String, summary: &Summary) {
    let effect = &summary.effect;
    let currency = summary.currency;
    let _ = writeln!(
        text,
        "\nWhat would have changed: {} decisions: {} raised, {} lowered, {} held",
        grouped(effect.decisions),
        grouped(effect.raised),
        grouped(effect.lowered),
        grouped(effect.held)
    );
    let mut table = table(&["", "actual", "suggested", "difference"]);
    let rows = [
        ("spend", effect.actual_spend, effect.suggested_spend),
        ("revenue", effect.actual_revenue, effect.suggested_revenue),
        ("profit", effect.actual_profit, effect.suggested_profit),
    ];
    for (name, actual, suggested) in rows {
        let difference = suggested.checked_sub(actual).unwrap_or_default();
        table.add_row(vec![
            name.to_owned(),
            money(actual),
            money(suggested),
            signed(difference),
        ]);
    }
    let _ = writeln!(text, "{table}");
    let _ = writeln!(
        text,
        "  in {currency}; an estimate: nothing was tried, spend is taken to follow the suggested \
         rate,\n  and revenue to grow with spend to the power {}",
        summary.effect.elasticity
    );
    for (status, count) in &effect.statuses {
        let _ = writeln!(text, "  {} actions {status}", grouped(*count));
    }
}

fn rules(text: &mut String, summary: &Summary) {
    let mut table = table(&["rule", "bound", "objected", "for example"]);
    for (rule, objected) in &summary.guardrails.objections {
        let bound = summary
            .guardrails
            .binding
            .iter()
            .find(|(binding, _)| binding == rule);
        let example = summary
            .guardrails
            .examples
            .iter()
            .find(|example| example.rule == *rule);
        table.add_row(vec![
            rule.to_string(),
            grouped(bound.map_or(0, |(_, count)| *count)),
            grouped(*objected),
            example.map_or_else(String::new, |e| format!("{}: {}", e.at, e.reason)),
        ]);
    }
    left(&mut table, 3);
    let _ = writeln!(
        text,
        "\nWhy: how often each rule bound a decision, and how often it objected\n{table}"
    );
    for (rule, count) in &summary.guardrails.observed {
        let _ = writeln!(
            text,
            "  only observed: {rule} objected {} times",
            grouped(*count)
        );
    }
}

fn candidate(text: &mut String, summary: &Summary) {
    let Some(candidate) = &summary.candidate else {
        return;
    };
    let mut table = table(&["rule", "in force", "on trial"]);
    for (rule, live, tried) in &candidate.objections {
        table.add_row(vec![rule.to_string(), grouped(*live), grouped(*tried)]);
    }
    let _ = writeln!(
        text,
        "\nOn trial, without a say: of {} decisions it would have allowed less in {} and more in \
         {},\n  on average {} an hour instead of {}; how often its rules objected:\n{table}",
        grouped(candidate.decisions),
        grouped(candidate.less),
        grouped(candidate.more),
        money(candidate.would_allow),
        money(candidate.allowed),
    );
}

fn days(text: &mut String, summary: &Summary) {
    let mut table = table(&["day", "target", "spent", "suggested", "λ"]);
    let shown = 14.min(summary.days.len());
    for day in &summary.days[summary.days.len() - shown..] {
        table.add_row(vec![
            day.date.clone(),
            money(day.target),
            money(day.actual),
            money(day.suggested),
            day.lambda
                .map_or_else(|| "not closed".to_owned(), |lambda| lambda.to_string()),
        ]);
    }
    let unit = if summary.granularity == Granularity::Daily {
        "day"
    } else {
        "hour"
    };
    let _ = writeln!(
        text,
        "\nSpend against target, last {shown} days (decided by the {unit})\n{table}"
    );
}

fn plan(text: &mut String, summary: &Summary) {
    let Some(planning) = &summary.plan else {
        return;
    };
    let last = &planning.last;
    let _ = writeln!(
        text,
        "\nPlans: {}\n  The last, {}: {} to spend, {}; λ {}",
        report::plan::count(planning),
        last.at,
        money(last.allowance),
        report::plan::binds(last.binds),
        last.lambda,
    );
    for sentence in report::plan::proof(last) {
        let _ = writeln!(text, "  {sentence}");
    }
    let mut table = table(&["", "next dollar", "current", "proposed", "allowed", "why"]);
    for ad_set in last.ad_sets.iter().take(AD_SETS) {
        table.add_row(vec![
            shortened(&ad_set.key.to_string()),
            format!("{:+.2}", ad_set.marginal_profit),
            ad_set.current.to_string(),
            ad_set.proposed.to_string(),
            ad_set
                .allowed
                .map_or_else(undefined, |allowed| allowed.to_string()),
            ad_set.reason.to_owned(),
        ]);
    }
    left(&mut table, 5);
    let _ = writeln!(text, "{table}");
}

fn alerts(text: &mut String, summary: &Summary) {
    for alert in &summary.alerts {
        let (kind, count) = (alert.kind.as_str(), grouped(alert.count));
        let _ = writeln!(
            text,
            "\nAlert: {count} × {kind}, first at {}: {}",
            alert.first_at, alert.example
        );
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    // A line under the heading is all the decoration that numbers need.
    let line = LineStyle::none().fill('─').junction('─');
    table
        .load_style(TableStyle::new().header_separator(line))
        .set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn left(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Left);
    }
}

/// An amount with two decimals and grouped thousands.
pub(crate) fn money(amount: Micros) -> String {
    let cents = (i128::from(amount.get()) + 5_000 * i128::from(amount.get().signum())) / 10_000;
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    let whole = u64::try_from(cents / 100).unwrap_or(u64::MAX);
    format!("{sign}{}.{:02}", grouped(whole), cents % 100)
}

fn signed(amount: Micros) -> String {
    let plus = if amount > Micros::ZERO { "+" } else { "" };
    format!("{plus}{}", money(amount))
}

/// A count with grouped thousands.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn undefined() -> String {
    "undefined".to_owned()
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(undefined, |value| format!("{value:.2}"))
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(undefined, |value| format!("{:.2}%", value * 100.0))
}

fn shortened(name: &str) -> String {
    const MOST: usize = 48;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}
