//! Hour × weekday: when the money goes out.

use chrono::{Datelike, NaiveDate};
use gaelp::core::Micros;

use super::number;
use super::svg::{Anchor, Canvas, Frame, Markup, Svg, responsive};
use crate::summary::{Cell, Summary};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// The shades from none to most, as the style sheet names them.
const SHADES: [&str; 6] = ["h0", "h1", "h2", "h3", "h4", "h5"];
/// How many shades are not the one for nothing.
const STEPS: f64 = 5.0;

/// The picture and its legend.
#[derive(Clone, Debug)]
pub(super) struct Heatmap {
    pub(super) picture: Markup,
    pub(super) legend: Vec<Shade>,
    /// In words: where most is spent and where it returns most.
    pub(super) remarks: Vec<String>,
}

/// An entry of the legend.
#[derive(Clone, Debug)]
pub(super) struct Shade {
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// An hour of the week.
#[derive(Clone, Copy, Debug)]
struct Slot {
    day: u32,
    hour: u32,
    cell: Cell,
    /// How many such days the period has; at least one.
    days: u32,
}

impl Slot {
    fn is_known(&self) -> bool {
        self.cell.hours > 0
    }

    /// What the account spends in such an hour on average.
    fn rate(&self) -> f64 {
        self.cell.spend.to_major_f64() / f64::from(self.days)
    }

    /// The shade, where `most` is the largest rate.
    fn shade(&self, most: f64) -> &'static str {
        if !self.is_known() {
            return "unknown";
        }
        let share = if most > 0.0 {
            self.rate() / most * STEPS
        } else {
            0.0
        };
        let place = (0..5_u32).filter(|&step| share > f64::from(step)).count();
        SHADES.get(place).copied().unwrap_or("h5")
    }
}

/// The heat map; `None` where no hour of the week is known.
pub(super) fn draw(summary: &Summary) -> Option<Heatmap> {
    let slots = slots(summary);
    let known = || slots.iter().filter(|slot| slot.is_known());
    known().next()?;
    let most = known().map(Slot::rate).fold(0.0, f64::max);
    let label = format!(
        "Average spend in each hour of the week, Monday to Sunday, 24 hours each. {}",
        remarks(&slots).join(" ")
    );
    let picture = responsive(|canvas| {
        let wide = canvas == Canvas::Wide;
        let (left, top) = if wide { (40.0, 22.0) } else { (30.0, 20.0) };
        let (width, height) = (
            (canvas.width() - left) / 24.0,
            if wide { 30.0 } else { 22.0 },
        );
        let mut svg = Svg::new(canvas, top + 7.0 * height + 2.0, &label);
        for hour in (0..24_u32).step_by(if wide { 1 } else { 3 }) {
            let x = left + (f64::from(hour) + 0.5) * width;
            svg.text(
                (x, top - 7.0),
                Anchor::Middle,
                "tick",
                &format!("{hour:02}"),
            );
        }
        for slot in &slots {
            let x = left + f64::from(slot.hour) * width;
            let y = top + f64::from(slot.day) * height;
            let frame = Frame {
                x: x + 0.5,
                y: y + 0.5,
                width: width - 1.0,
                height: height - 1.0,
            };
            svg.titled_rect(frame, slot.shade(most), &hint(summary, slot));
            let text = decimals(slot.rate(), most);
            // Longer figures would run into the neighbours.
            if wide && slot.is_known() && text.len() <= 5 {
                let class = if slot.rate() > most * 0.6 {
                    "on-dark"
                } else {
                    "on-light"
                };
                let middle = (x + width / 2.0, y + height / 2.0 + 4.0);
                svg.text(middle, Anchor::Middle, class, &text);
            }
        }
        for (day, name) in (0_u32..).zip(WEEKDAYS) {
            let y = top + (f64::from(day) + 0.5) * height + 4.0;
            svg.text((left - 6.0, y), Anchor::End, "tick", name);
        }
        svg
    });
    Some(Heatmap {
        picture,
        legend: legend(&slots, most),
        remarks: remarks(&slots),
    })
}

/// A full week, whatever the summary holds.
fn slots(summary: &Summary) -> Vec<Slot> {
    let dates = summary
        .days
        .iter()
        .filter_map(|day| day.date.parse::<NaiveDate>().ok());
    let mut days = [0_u32; 7];
    for date in dates {
        days[date.weekday().num_days_from_monday() as usize] += 1;
    }
    let mut slots = Vec::with_capacity(7 * 24);
    for (day, days) in (0_u32..).zip(days) {
        let row = summary.heatmap.get(day as usize);
        for hour in 0..24_u32 {
            let cell = row
                .and_then(|row| row.get(hour as usize))
                .copied()
                .unwrap_or_default();
            slots.push(Slot {
                day,
                hour,
                cell,
                days: days.max(1),
            });
        }
    }
    slots
}

fn hint(summary: &Summary, slot: &Slot) -> String {
    let Slot {
        day,
        hour,
        cell,
        days,
    } = slot;
    let name = WEEKDAYS.get(*day as usize).copied().unwrap_or_default();
    let hours = format!("{name} {hour:02}:00 to {:02}:00", hour + 1);
    if !slot.is_known() {
        return format!("{hours}: no spend and no impression reported");
    }
    format!(
        "{hours}: {:.2} {} on average. In {}: {} spent, revenue {}, ROAS {}, conversions {}",
        slot.rate(),
        summary.currency,
        number::counted((*days).into(), "week", "weeks"),
        number::money(cell.spend),
        number::money(cell.revenue),
        number::statistic(roas(cell)),
        number::fractional(cell.conversions),
    )
}

fn roas(cell: &Cell) -> Option<f64> {
    (cell.spend > Micros::ZERO).then(|| cell.revenue.to_major_f64() / cell.spend.to_major_f64())
}

/// An amount with so many decimals that the shades can be told apart.
fn decimals(amount: f64, most: f64) -> String {
    if most < 0.1 {
        format!("{amount:.3}")
    } else {
        format!("{amount:.2}")
    }
}

fn legend(slots: &[Slot], most: f64) -> Vec<Shade> {
    let mut legend = vec![Shade {
        class: "h0",
        text: "no spend".to_owned(),
    }];
    if most > 0.0 {
        for (step, class) in (1_u32..).zip(SHADES.into_iter().skip(1)) {
            let upper = most * f64::from(step) / STEPS;
            legend.push(Shade {
                class,
                text: format!("to {}", decimals(upper, most)),
            });
        }
    }
    if !slots.iter().all(Slot::is_known) {
        legend.push(Shade {
            class: "unknown",
            text: "nothing reported".to_owned(),
        });
    }
    legend
}

/// The four hours in a row with the most spend, and those with the best return.
fn remarks(slots: &[Slot]) -> Vec<String> {
    let mut hours = [(Micros::ZERO, Micros::ZERO); 24];
    for Slot { hour, cell, .. } in slots {
        if let Some((spend, revenue)) = hours.get_mut(*hour as usize) {
            *spend = spend.checked_add(cell.spend).unwrap_or(Micros::MAX);
            *revenue = revenue.checked_add(cell.revenue).unwrap_or(Micros::MAX);
        }
    }
    let total = hours
        .iter()
        .map(|(spend, _)| spend.to_major_f64())
        .sum::<f64>();
    if total <= 0.0 {
        return vec!["Nothing was spent.".to_owned()];
    }
    let window = |start: usize| {
        (0..4).fold((0.0, 0.0), |(spend, revenue), offset| {
            let (s, r) = hours[(start + offset) % 24];
            (spend + s.to_major_f64(), revenue + r.to_major_f64())
        })
    };
    // The earliest of equals, so that the same input gives the same words.
    let best = |of: &dyn Fn(usize) -> f64| {
        (0..24)
            .rev()
            .max_by(|&a, &b| of(a).total_cmp(&of(b)))
            .unwrap_or(0)
    };
    let span = |start: usize| format!("{start:02}:00 and {:02}:00", (start + 4) % 24);
    let busiest = best(&|start| window(start).0);
    // A return is worth a word only where a fair part of the money goes.
    let fair = total * 0.05;
    let returned = |start: usize| {
        let (spend, revenue) = window(start);
        if spend >= fair {
            revenue / spend
        } else {
            f64::NEG_INFINITY
        }
    };
    let richest = best(&returned);
    let share = number::percentage(Some(window(busiest).0 / total));
    let mut remarks = vec![format!(
        "Most is spent between {}: {share} of the total.",
        span(busiest)
    )];
    if returned(richest) > 0.0 {
        remarks.push(format!(
            "The best return is between {}: ROAS {}.",
            span(richest),
            number::statistic(Some(returned(richest)))
        ));
    }
    remarks
}
