//! The page of `attribute`: what each channel earned, and how far the models agree.

use askama::Template;
use gaelp::core::Micros;

use super::axis::Scale;
use super::number;
use super::svg::{Anchor, Canvas, Frame, Markup, Svg, responsive};
use super::words;
use crate::attribute::{Family, ModelCredits, Outcome};

/// How many channels the chart shows.
const MOST_DRAWN: usize = 20;
/// How many the tables show.
const MOST_LISTED: usize = 200;
/// From these shares on a cell has the next colour.
const SHADES: [f64; 5] = [0.02, 0.08, 0.16, 0.28, 0.45];
/// The classes of the colours.
const CLASSES: [&str; 6] = [
    "fill-h0", "fill-h1", "fill-h2", "fill-h3", "fill-h4", "fill-h5",
];

/// The answer as an HTML page.
///
/// # Errors
/// Where the template cannot be filled; with a string to write to, it always can.
pub(crate) fn render(outcome: &Outcome) -> Result<String, askama::Error> {
    Page::new(outcome)
        .render()
        .map(|page| words::printable(&page))
}

/// What the template is filled with.
#[derive(Template)]
#[template(path = "credits.html")]
struct Page<'a> {
    outcome: &'a Outcome,
    unit: String,
    headline: String,
    tiles: Vec<(&'static str, String)>,
    chart: Markup,
    hidden: usize,
    tables: Vec<Block<'a>>,
}

/// The models of a family, side by side.
struct Block<'a> {
    title: &'static str,
    models: Vec<&'a ModelCredits>,
    rows: Vec<Line>,
    sums: Vec<String>,
}

/// A channel under each model.
struct Line {
    name: String,
    cells: Vec<Cell>,
}

struct Cell {
    amount: String,
    share: String,
    class: &'static str,
}

impl<'a> Page<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        let listed = outcome.channels.len().min(MOST_LISTED);
        Self {
            unit: outcome.unit(),
            headline: headline(outcome),
            tiles: vec![
                ("Journeys", number::count(outcome.journeys)),
                ("Converted", number::count(outcome.conversions)),
                ("Channels", number::count(outcome.channels.len() as u64)),
                (
                    "Split",
                    format!("{}\u{a0}{}", number::money(outcome.total), outcome.unit()),
                ),
            ],
            chart: chart(outcome),
            hidden: outcome.channels.len() - listed,
            tables: [Family::Rule, Family::Learned]
                .into_iter()
                .filter_map(|family| block(outcome, family, listed))
                .collect(),
            outcome,
        }
    }
}

/// What the models say of the channel that earns most.
fn headline(outcome: &Outcome) -> String {
    let shares = |place: usize| {
        outcome
            .models
            .iter()
            .map(move |m| share(outcome, m.credits[place]))
    };
    let Some(first) = outcome.channels.first() else {
        return "No channel earned anything".to_owned();
    };
    let least = shares(0).fold(f64::INFINITY, f64::min);
    let most = shares(0).fold(f64::NEG_INFINITY, f64::max);
    let (least, most) = (
        number::percentage(Some(least)),
        number::percentage(Some(most)),
    );
    if least == most {
        format!("{first} earns {least} of all credit")
    } else {
        format!("{first} earns {least} to {most} of all credit, by the model")
    }
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn share(outcome: &Outcome, amount: Micros) -> f64 {
    if outcome.total.is_zero() {
        return 0.0;
    }
    amount.get() as f64 / outcome.total.get() as f64
}

fn block(outcome: &Outcome, family: Family, listed: usize) -> Option<Block<'_>> {
    let models = outcome.of_family(family);
    if models.is_empty() {
        return None;
    }
    let cell = |amount: Micros| {
        let share = share(outcome, amount);
        let step = SHADES.iter().filter(|&&from| share >= from).count();
        Cell {
            amount: number::money(amount),
            share: number::percentage(Some(share)),
            class: CLASSES[step],
        }
    };
    let line = |name: &str, amounts: &mut dyn Iterator<Item = Micros>| Line {
        name: name.to_owned(),
        cells: amounts.map(cell).collect(),
    };
    let named = outcome.channels.iter().take(listed).enumerate();
    let mut rows: Vec<Line> = named
        .map(|(place, name)| line(name, &mut models.iter().map(|m| m.credits[place])))
        .collect();
    if models.iter().any(|model| !model.unattributed.is_zero()) {
        rows.push(line(
            "(no touch)",
            &mut models.iter().map(|m| m.unattributed),
        ));
    }
    let sum = |model: &&ModelCredits| {
        let all = model.credits.iter().copied().chain([model.unattributed]);
        number::money(Micros::checked_sum(all).unwrap_or(Micros::ZERO))
    };
    Some(Block {
        title: family.title(),
        rows,
        sums: models.iter().map(sum).collect(),
        models,
    })
}

/// A line for each channel with a dot for each model: how far apart they are is what to look at.
fn chart(outcome: &Outcome) -> Markup {
    let drawn = outcome.channels.len().min(MOST_DRAWN);
    let label = format!(
        "For each of {drawn} channels the credit under every model, as dots on a line. The figures \
         are in the tables."
    );
    responsive(|canvas| {
        let (left, step) = match canvas {
            Canvas::Wide => (170.0, 30.0),
            _ => (96.0, 34.0),
        };
        let (top, right) = (26.0, 14.0);
        let rows = u32::try_from(drawn).map_or(0.0, f64::from);
        let mut svg = Svg::new(canvas, top + rows * step + 30.0, &label);
        let amounts = outcome.models.iter().flat_map(|model| {
            let credits = model.credits.iter().take(drawn);
            credits.map(|credit| credit.to_major_f64())
        });
        let scale = Scale::over(amounts, if canvas == Canvas::Wide { 6 } else { 3 });
        let width = canvas.width() - left - right;
        let x = |amount: f64| left + width * scale.share(amount);
        let bottom = top + rows * step;
        for tick in scale.ticks() {
            let class = if tick.abs() < scale.step() / 2.0 {
                "zero"
            } else {
                "grid"
            };
            svg.line((x(tick), top), (x(tick), bottom), class);
            let text = number::tick(tick, scale.step());
            svg.text((x(tick), bottom + 18.0), Anchor::Middle, "tick", &text);
        }
        svg.text(
            (left, 14.0),
            Anchor::Start,
            "heading",
            &format!("Credit, {}", outcome.unit()),
        );
        for (place, name) in outcome.channels.iter().take(drawn).enumerate() {
            let row = u32::try_from(place).map_or(0.0, f64::from);
            let y = top + (row + 0.5) * step;
            let most = if canvas == Canvas::Wide { 24 } else { 13 };
            svg.text(
                (left - 8.0, y + 4.0),
                Anchor::End,
                "strip-name",
                &cut(name, most),
            );
            channel(&mut svg, outcome, place, &x, y);
        }
        svg
    })
}

/// The dots of a channel, and the line from the least to the most.
fn channel(svg: &mut Svg, outcome: &Outcome, place: usize, x: &impl Fn(f64) -> f64, y: f64) {
    let at = |model: &ModelCredits| x(model.credits[place].to_major_f64());
    let least = outcome.models.iter().map(at).fold(f64::INFINITY, f64::min);
    let most = outcome
        .models
        .iter()
        .map(at)
        .fold(f64::NEG_INFINITY, f64::max);
    if least <= most {
        svg.line((least, y), (most, y), "range");
    }
    for model in &outcome.models {
        let (class, off) = match model.family {
            Family::Rule => ("actual", -4.0),
            Family::Learned => ("suggested", 4.0),
        };
        svg.dot((at(model), y + off), 4.0, class);
        let credit = model.credits[place];
        let hint = format!(
            "{}, {}: {} {} ({})",
            outcome.channels[place],
            model.name,
            number::money(credit),
            outcome.unit(),
            number::percentage(Some(share(outcome, credit))),
        );
        let frame = Frame {
            x: at(model) - 5.0,
            y: y + off - 5.0,
            width: 10.0,
            height: 10.0,
        };
        svg.titled_rect(frame, "hint", &hint);
    }
}

fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most - 1).chain(['…']).collect()
}
