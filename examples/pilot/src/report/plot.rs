//! What all charts over days share: a frame, two axes, lines, bars and what the pointer is told.

use super::axis::Scale;
use super::span::{FirstYear, Timeline};
use super::svg::{Anchor, Canvas, Frame, Path, Svg};

/// Up to so many days, each value gets a dot.
const MOST_DOTS: usize = 45;
/// Up to so many days, a pointer can find a single one.
const MOST_HINTS: usize = 200;

/// A chart's place within a picture, with its scales.
#[derive(Clone, Debug)]
pub(super) struct Plot<'a> {
    canvas: Canvas,
    frame: Frame,
    timeline: &'a Timeline,
    scale: Scale,
}

impl<'a> Plot<'a> {
    /// A plot between `top` and `top + height`, with room for the labels of its ticks.
    pub(super) fn new(
        canvas: Canvas,
        top: f64,
        height: f64,
        timeline: &'a Timeline,
        scale: Scale,
    ) -> Self {
        let (left, right) = match canvas {
            Canvas::Wide => (52.0, 8.0),
            Canvas::Narrow => (38.0, 4.0),
            Canvas::Small => (34.0, 4.0),
        };
        let frame = Frame {
            x: left,
            y: top,
            width: canvas.width() - left - right,
            height,
        };
        Self {
            canvas,
            frame,
            timeline,
            scale,
        }
    }

    /// Grid lines and their labels.
    pub(super) fn values(&self, svg: &mut Svg) {
        let right = self.frame.x + self.frame.width;
        for tick in self.scale.ticks() {
            let y = self.y(tick);
            let class = if tick.abs() < self.scale.step() / 2.0 {
                "zero"
            } else {
                "grid"
            };
            svg.line((self.frame.x, y), (right, y), class);
            let label = super::number::tick(tick, self.scale.step());
            svg.text((self.frame.x - 6.0, y + 4.0), Anchor::End, "tick", &label);
        }
    }

    /// The days below the plot.
    pub(super) fn days(&self, svg: &mut Svg) {
        let (most, first_year) = match self.canvas {
            Canvas::Wide => (10, FirstYear::Shown),
            Canvas::Narrow => (4, FirstYear::Hidden),
            Canvas::Small => (3, FirstYear::Hidden),
        };
        let y = self.frame.y + self.frame.height;
        let labels = self.timeline.labels(most, first_year);
        for (index, (slot, label)) in labels.iter().enumerate() {
            let x = self.x(*slot);
            svg.line((x, y), (x, y + 4.0), "zero");
            // The outermost labels would hang over the edges.
            let (x, anchor) = match index {
                0 if labels.len() > 1 => (self.frame.x, Anchor::Start),
                _ if x > self.frame.x + self.frame.width - 30.0 => {
                    (self.frame.x + self.frame.width, Anchor::End)
                }
                _ => (x, Anchor::Middle),
            };
            svg.text((x, y + 18.0), anchor, "tick", label);
        }
    }

    /// A line through the values, interrupted where a day has none.
    pub(super) fn line(&self, svg: &mut Svg, values: &[Option<f64>], class: &'static str) {
        let mut path = Path::default();
        let mut drawing = false;
        for (slot, value) in values.iter().enumerate() {
            let Some(value) = *value else {
                drawing = false;
                continue;
            };
            let (x, y) = (self.x(slot), self.y(value));
            if drawing {
                path.line_to(x, y);
            } else {
                path.move_to(x, y);
            }
            drawing = true;
            let alone =
                !has_value(values, slot.checked_sub(1)) && !has_value(values, Some(slot + 1));
            let dotted = self.canvas != Canvas::Small && values.len() <= MOST_DOTS;
            if alone || dotted {
                svg.dot((x, y), if alone { 3.5 } else { 2.2 }, class);
            }
        }
        svg.path(&path, class);
    }

    /// A level that holds from day to day until the next value.
    pub(super) fn steps(&self, svg: &mut Svg, values: &[Option<f64>], class: &'static str) {
        let mut path = Path::default();
        let mut drawing = false;
        for (slot, value) in values.iter().enumerate() {
            let Some(value) = *value else {
                drawing = false;
                continue;
            };
            let (left, y) = (self.x(slot) - self.slot_width() / 2.0, self.y(value));
            if drawing {
                path.line_to(left, y);
            } else {
                path.move_to(left, y);
            }
            path.line_to(left + self.slot_width(), y);
            drawing = true;
        }
        svg.path(&path, class);
    }

    /// Adds the bar of a day between two values to an outline.
    pub(super) fn bar(&self, path: &mut Path, slot: usize, from: f64, to: f64) {
        let (one, other) = (self.y(from), self.y(to));
        let width = (self.slot_width() * 0.8).min(46.0);
        path.bar(Frame {
            x: self.x(slot) - width / 2.0,
            y: one.min(other),
            width,
            height: (one - other).abs(),
        });
    }

    /// A horizontal line at a value, over the whole width.
    pub(super) fn rule(&self, svg: &mut Svg, value: f64, class: &'static str) {
        let y = self.y(value);
        svg.line(
            (self.frame.x, y),
            (self.frame.x + self.frame.width, y),
            class,
        );
    }

    /// A band between two values, over the whole width.
    pub(super) fn band(&self, svg: &mut Svg, low: f64, high: f64, class: &'static str) {
        let (top, bottom) = (self.y(high), self.y(low));
        let Frame { x, width, .. } = self.frame;
        svg.rect(
            Frame {
                x,
                y: top,
                width,
                height: bottom - top,
            },
            class,
        );
    }

    /// An invisible column over each day with something to say: the pointer finds it.
    ///
    /// Phones have no pointer, and their pictures none of these.
    pub(super) fn hints(&self, svg: &mut Svg, height: f64, hints: &[Option<String>]) {
        if self.canvas != Canvas::Wide || hints.len() > MOST_HINTS {
            return;
        }
        for (slot, hint) in hints.iter().enumerate() {
            if let Some(hint) = hint {
                let width = self.slot_width();
                let x = self.x(slot) - width / 2.0;
                svg.titled_rect(
                    Frame {
                        x,
                        y: self.frame.y,
                        width,
                        height,
                    },
                    "hint",
                    hint,
                );
            }
        }
    }

    /// A heading above the plot.
    pub(super) fn heading(&self, svg: &mut Svg, text: &str) {
        svg.text((0.0, self.frame.y - 12.0), Anchor::Start, "heading", text);
    }

    /// The middle of a day.
    pub(super) fn x(&self, slot: usize) -> f64 {
        self.frame.x + (position(slot) + 0.5) * self.slot_width()
    }

    /// The width of a day.
    pub(super) fn slot_width(&self) -> f64 {
        self.frame.width / position(self.timeline.len().max(1))
    }

    fn y(&self, value: f64) -> f64 {
        self.frame.y + self.frame.height * (1.0 - self.scale.share(value))
    }
}

fn has_value(values: &[Option<f64>], slot: Option<usize>) -> bool {
    slot.and_then(|slot| values.get(slot))
        .is_some_and(Option::is_some)
}

#[expect(clippy::cast_precision_loss, reason = "at most some hundred days")]
fn position(slot: usize) -> f64 {
    slot as f64
}
