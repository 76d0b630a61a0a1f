//! The answer as a table for a terminal, and as CSV.

use std::fmt::Write;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use gaelp::core::Micros;

use super::AttributeError;
use super::outcome::{Family, ModelCredits, Outcome};
use crate::table::{grouped, money};

/// How many models stand beside each other: eight amounts and a name fit on most screens.
const ACROSS: usize = 8;
/// How long a name may be.
const NAME: usize = 32;

/// The answer for a terminal.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut out = String::new();
    let text = &mut out;
    let _ = writeln!(
        text,
        "{}: {} {}, {} journeys, {} of them converted, {} {}",
        outcome.file,
        grouped(outcome.rows),
        if outcome.kind == "paths" {
            "rows"
        } else {
            "events"
        },
        grouped(outcome.journeys),
        grouped(outcome.conversions),
        money(outcome.total),
        outcome.unit(),
    );
    for note in &outcome.notes {
        let _ = writeln!(text, "  {note}");
    }
    for family in [Family::Rule, Family::Learned] {
        for (part, models) in outcome.of_family(family).chunks(ACROSS).enumerate() {
            let more = if part > 0 { ", continued" } else { "" };
            let _ = writeln!(text, "\n{}{more}", family.title());
            let _ = writeln!(text, "{}", credits(outcome, models));
        }
    }
    for (model, reason) in &outcome.left_out {
        let _ = writeln!(text, "\nLeft out: {model}: {reason}");
    }
    let _ = writeln!(
        text,
        "\nNone of these models is causal: they describe journeys. Experiments say what ads cause."
    );
    out
}

fn credits(outcome: &Outcome, models: &[&ModelCredits]) -> Table {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    let header = std::iter::once("").chain(models.iter().map(|model| model.name));
    table
        .load_style(TableStyle::new().header_separator(line))
        .set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for (place, channel) in outcome.channels.iter().enumerate() {
        let amounts = models.iter().map(|model| money(model.credits[place]));
        table.add_row(std::iter::once(shortened(channel)).chain(amounts));
    }
    if models.iter().any(|model| !model.unattributed.is_zero()) {
        let amounts = models.iter().map(|model| money(model.unattributed));
        table.add_row(std::iter::once("(no touch)".to_owned()).chain(amounts));
    }
    let sums = models.iter().map(|model| money(sum(model)));
    table.add_row(std::iter::once("all".to_owned()).chain(sums));
    table
}

/// What a model gives out; the table shows that it is the whole.
fn sum(model: &ModelCredits) -> Micros {
    let all = model.credits.iter().copied().chain([model.unattributed]);
    Micros::checked_sum(all).unwrap_or(Micros::ZERO)
}

fn shortened(name: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if name.chars().count() <= NAME {
        return name.chars().map(printable).collect();
    }
    name.chars()
        .take(NAME - 1)
        .map(printable)
        .chain(['…'])
        .collect()
}

/// The answer as CSV: a row for each channel, a column for each model, all digits.
///
/// # Errors
/// None in practice: it is written to memory.
pub(super) fn csv(outcome: &Outcome) -> Result<Vec<u8>, AttributeError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &mut dyn Iterator<Item = String>| {
        writer.write_record(row).map_err(std::io::Error::from)
    };
    let names = outcome.models.iter().map(|model| model.name.to_owned());
    write(&mut std::iter::once("channel".to_owned()).chain(names))?;
    for (place, channel) in outcome.channels.iter().enumerate() {
        let amounts = outcome
            .models
            .iter()
            .map(|model| model.credits[place].to_string());
        write(&mut std::iter::once(channel.clone()).chain(amounts))?;
    }
    if outcome
        .models
        .iter()
        .any(|model| !model.unattributed.is_zero())
    {
        let amounts = outcome
            .models
            .iter()
            .map(|model| model.unattributed.to_string());
        write(&mut std::iter::once("(no touch)".to_owned()).chain(amounts))?;
    }
    writer
        .into_inner()
        .map_err(|error| std::io::Error::other(error.to_string()).into())
}
