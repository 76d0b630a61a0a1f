//! The guardrails over time: how many decisions ended at each level, and which rules bound.

use std::collections::BTreeMap;

use super::axis::Scale;
use super::number;
use super::plot::Plot;
use super::span::Timeline;
use super::svg::{Anchor, Canvas, Frame, Markup, Path, Svg, responsive};
use super::words;
use crate::summary::{Day, Summary};

/// The levels from mild to harsh, as the style sheet and the legend name them.
pub(super) const LEVELS: [&str; 5] = ["allow", "clamp", "freeze", "deny", "kill"];
/// How many rules get a strip of their own.
const MOST_STRIPS: usize = 6;
/// The shades of a strip: the class, and from which share of the day's decisions on.
const SHADES: [(&str, f64); 4] = [("s1", 0.0), ("s2", 0.25), ("s3", 0.5), ("s4", 0.75)];

/// Decisions by level and day, and below them a strip for each of the rules that bind most often.
pub(super) fn guardrails(summary: &Summary, timeline: &Timeline) -> Markup {
    let sums = timeline.days(&summary.days);
    let days = timeline.fill(sums.iter().map(|day| (day.date.as_str(), day)));
    let strips = strips(&days);
    let hints: Vec<_> = days
        .iter()
        .map(|day| day.map(|day| hint(timeline, day)))
        .collect();
    let label = format!(
        "Decisions by level, stacked, over {}; below, a strip for each of the rules \
         that bound most often. The figures are in the table of days.",
        timeline.counted(timeline.len() as u64)
    );
    responsive(|canvas| {
        let (top, height) = (28.0, if canvas == Canvas::Wide { 150.0 } else { 120.0 });
        let strip = 34.0;
        let below = strip * f64::from(u32::try_from(strips.len()).unwrap_or(0));
        let totals = days.iter().flatten().map(|day| float(total(day)));
        let scale = Scale::over(totals, 3);
        let mut svg = Svg::new(canvas, top + height + 10.0 + below + 26.0, &label);
        let plot = Plot::new(canvas, top, height, timeline, scale);
        plot.heading(
            &mut svg,
            &format!("Decisions {}, by level", timeline.each()),
        );
        plot.values(&mut svg);
        for (level, class) in LEVELS.into_iter().enumerate() {
            let mut bars = Path::default();
            for (slot, day) in days.iter().enumerate() {
                let Some(day) = day else { continue };
                let under: u64 = day
                    .levels
                    .iter()
                    .take(level)
                    .fold(0, |a, b| a.saturating_add(*b));
                let own = day.levels.get(level).copied().unwrap_or(0);
                if own > 0 {
                    plot.bar(
                        &mut bars,
                        slot,
                        float(under),
                        float(under.saturating_add(own)),
                    );
                }
            }
            svg.path(&bars, class);
        }
        let mut y = top + height + 10.0;
        for (rule, counts) in &strips {
            draw_strip(&mut svg, &plot, y, words::rule(rule).title, counts, &days);
            y += strip;
        }
        let foot = Plot::new(canvas, y - 6.0, 6.0, timeline, scale);
        foot.days(&mut svg);
        plot.hints(&mut svg, height + 10.0 + below, &hints);
        svg
    })
}

/// The rules that bind most often, each with its count by day.
fn strips<'a>(days: &[Option<&'a Day>]) -> Vec<(&'a str, Vec<u64>)> {
    let mut rules: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (slot, day) in days.iter().enumerate() {
        for (rule, count) in day.iter().flat_map(|day| &day.binding) {
            let counts = rules
                .entry(rule.as_str())
                .or_insert_with(|| vec![0; days.len()]);
            if let Some(sum) = counts.get_mut(slot) {
                *sum = sum.saturating_add(*count);
            }
        }
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |a, b| a.saturating_add(*b));
    rules.sort_by_key(|(_, counts)| std::cmp::Reverse(sum(counts)));
    rules.truncate(MOST_STRIPS);
    rules
}

fn draw_strip(
    svg: &mut Svg,
    plot: &Plot<'_>,
    y: f64,
    title: &str,
    counts: &[u64],
    days: &[Option<&Day>],
) {
    let width = plot.slot_width();
    let left = plot.x(0) - width / 2.0;
    svg.text((left, y + 11.0), Anchor::Start, "strip-name", title);
    let (top, height) = (y + 16.0, 10.0);
    let all = width * float(counts.len() as u64);
    svg.rect(
        Frame {
            x: left,
            y: top,
            width: all,
            height,
        },
        "strip",
    );
    let mut shades = SHADES.map(|(class, from)| (class, from, Path::default()));
    for (slot, (&count, day)) in counts.iter().zip(days).enumerate() {
        let Some(day) = day.filter(|_| count > 0) else {
            continue;
        };
        let share = float(count) / float(total(day).max(1));
        if let Some((_, _, path)) = shades.iter_mut().rev().find(|(_, from, _)| share >= *from) {
            path.bar(Frame {
                x: left + width * float(slot as u64),
                y: top,
                width,
                height,
            });
        }
    }
    for (class, _, path) in &shades {
        svg.path(path, class);
    }
}

fn hint(timeline: &Timeline, day: &Day) -> String {
    let levels = LEVELS
        .into_iter()
        .zip(day.levels)
        .filter(|(_, count)| *count > 0);
    let mut parts: Vec<String> = levels
        .map(|(name, count)| format!("{name} {}", number::count(count)))
        .collect();
    if parts.is_empty() {
        parts.push("no decision".to_owned());
    }
    parts.extend(day.binding.iter().take(3).map(|(rule, count)| {
        format!(
            "{} bound {}",
            words::rule(rule.as_str()).title,
            words::times(*count)
        )
    }));
    format!("{}: {}", timeline.named(&day.date), parts.join(", "))
}

fn total(day: &Day) -> u64 {
    day.levels
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count))
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn float(count: u64) -> f64 {
    count as f64
}
