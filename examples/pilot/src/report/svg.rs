//! Scalable vector graphics, written by hand: no library, no font, no script.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

/// Text that is HTML already, and is not escaped again.
///
/// Only this module makes it, of escaped text and of names known at compile time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

/// For which width a picture is drawn. Text cannot shrink with the page, so phones get their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canvas {
    /// Desks and paper.
    Wide,
    /// Phones.
    Narrow,
    /// One of many beside each other.
    Small,
}

impl Canvas {
    /// The width in units of the drawing.
    pub(super) const fn width(self) -> f64 {
        match self {
            Self::Wide => 960.0,
            Self::Narrow => 360.0,
            Self::Small => 300.0,
        }
    }
}

/// A picture for each width; the style sheet shows one of them.
pub(super) fn responsive(draw: impl Fn(Canvas) -> Svg) -> Markup {
    let (wide, narrow) = (draw(Canvas::Wide).finish(), draw(Canvas::Narrow).finish());
    Markup(format!(
        "<div class=\"wide\">{wide}</div><div class=\"narrow\">{narrow}</div>"
    ))
}

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A rectangle by its upper left corner and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A picture that is being drawn.
#[derive(Clone, Debug)]
pub(super) struct Svg {
    width: f64,
    height: f64,
    label: String,
    body: String,
}

impl Svg {
    /// An empty picture; `label` is what a screen reader says of it.
    pub(super) fn new(canvas: Canvas, height: f64, label: &str) -> Self {
        Self {
            width: canvas.width(),
            height,
            label: label.to_owned(),
            body: String::new(),
        }
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &'static str) {
        let mut path = Path::default();
        path.move_to(from.0, from.1);
        path.line_to(to.0, to.1);
        self.path(&path, class);
    }

    /// A path; nothing where it is empty.
    pub(super) fn path(&mut self, path: &Path, class: &'static str) {
        if !path.0.is_empty() {
            self.push(format_args!("<path class=\"{class}\" d=\"{}\"/>", path.0));
        }
    }

    /// A rectangle.
    pub(super) fn rect(&mut self, frame: Frame, class: &'static str) {
        let Frame {
            x,
            y,
            width,
            height,
        } = frame;
        let (x, y, width, height) = (Unit(x), Unit(y), Unit(width), Unit(height));
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    /// A rectangle that says something under the pointer.
    pub(super) fn titled_rect(&mut self, frame: Frame, class: &'static str, title: &str) {
        let Frame {
            x,
            y,
            width,
            height,
        } = frame;
        let (x, y, width, height) = (Unit(x), Unit(y), Unit(width), Unit(height));
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">\
             <title>{}</title></rect>",
            Escaped(title)
        ));
    }

    /// A dot.
    pub(super) fn dot(&mut self, at: (f64, f64), radius: f64, class: &'static str) {
        let (x, y, radius) = (Unit(at.0), Unit(at.1), Unit(radius));
        self.push(format_args!(
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"
        ));
    }

    /// A line of text.
    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &'static str, text: &str) {
        let (x, y, anchor) = (Unit(at.0), Unit(at.1), anchor.as_str());
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
            Escaped(text)
        ));
    }

    /// The picture.
    pub(super) fn finish(self) -> Markup {
        let (width, height) = (Unit(self.width), Unit(self.height));
        Markup(format!(
            "<svg role=\"img\" viewBox=\"0 0 {width} {height}\" aria-label=\"{}\">{}</svg>",
            Escaped(&self.label),
            self.body
        ))
    }

    fn push(&mut self, markup: fmt::Arguments<'_>) {
        self.body
            .write_fmt(markup)
            .expect("writing to a string cannot fail");
    }
}

/// The outline of something.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(String);

impl Path {
    /// Begins anew at a point.
    pub(super) fn move_to(&mut self, x: f64, y: f64) {
        self.push(format_args!("M{} {}", Unit(x), Unit(y)));
    }

    /// Draws to a point.
    pub(super) fn line_to(&mut self, x: f64, y: f64) {
        self.push(format_args!("L{} {}", Unit(x), Unit(y)));
    }

    /// Adds a rectangle.
    pub(super) fn bar(&mut self, frame: Frame) {
        let Frame {
            x,
            y,
            width,
            height,
        } = frame;
        self.push(format_args!(
            "M{} {}h{}v{}h{}z",
            Unit(x),
            Unit(y),
            Unit(width),
            Unit(height),
            Unit(-width)
        ));
    }

    fn push(&mut self, command: fmt::Arguments<'_>) {
        self.0
            .write_fmt(command)
            .expect("writing to a string cannot fail");
    }
}

/// A coordinate: a tenth of a unit is finer than a screen shows, and keeps files small.
struct Unit(f64);

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        if tenths.is_finite() {
            // Adding zero turns a negative zero into a positive one.
            write!(f, "{}", tenths + 0.0)
        } else {
            f.write_str("0")
        }
    }
}

/// Text inside of markup: in an element or in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_wherever_it_stands() {
        let evil = "<script>\"'&";
        let mut svg = Svg::new(Canvas::Small, 10.0, evil);
        svg.text((0.0, 0.0), Anchor::Start, "t", evil);
        svg.titled_rect(
            Frame {
                x: 0.0,
                y: 0.0,
                width: 1.0,
                height: 1.0,
            },
            "r",
            evil,
        );
        let markup = svg.finish().to_string();
        assert_eq!(markup.matches("&lt;script&gt;&quot;&#39;&amp;").count(), 3);
        assert!(!markup.contains("<script"));
    }

    #[test]
    fn coordinates_are_short_and_finite() {
        let print = |value: f64| Unit(value).to_string();
        assert_eq!(print(1.25), "1.3");
        assert_eq!(print(-0.01), "0");
        assert_eq!(print(100.0), "100");
        assert_eq!(print(f64::NAN), "0");
        assert_eq!(print(f64::INFINITY), "0");
    }

    #[test]
    fn an_empty_path_draws_nothing() {
        let mut svg = Svg::new(Canvas::Wide, 1.0, "");
        svg.path(&Path::default(), "x");
        assert!(!svg.finish().to_string().contains("<path"));
    }
}
