//! Writing CSV as the platforms do.

use std::fmt::{self, Write};

/// A table that is being written: fields separated by commas, lines ended by a line feed.
#[derive(Debug)]
pub(crate) struct Csv {
    text: String,
    rows: u64,
    /// Whether the next field is the first one of its line.
    fresh: bool,
}

impl Csv {
    /// A table that begins with a header, given as it stands in the file.
    pub(crate) fn with_header(header: &str) -> Self {
        Self {
            text: format!("{header}\n"),
            rows: 0,
            fresh: true,
        }
    }

    /// A text, in quotes where it needs them.
    pub(crate) fn text(&mut self, field: &str) -> &mut Self {
        self.separate();
        if field.contains([',', '"', '\n', '\r']) {
            self.text.push('"');
            for (index, part) in field.split('"').enumerate() {
                if index > 0 {
                    self.text.push_str("\"\"");
                }
                self.text.push_str(part);
            }
            self.text.push('"');
        } else {
            self.text.push_str(field);
        }
        self
    }

    /// A value whose text never needs quotes: a number, an amount, a date.
    pub(crate) fn value(&mut self, field: impl fmt::Display) -> &mut Self {
        self.separate();
        write!(self.text, "{field}").expect("a String takes any text");
        self
    }

    /// So many empty fields.
    pub(crate) fn empty(&mut self, fields: usize) -> &mut Self {
        for _ in 0..fields {
            self.separate();
        }
        self
    }

    /// Ends the row.
    pub(crate) fn end(&mut self) {
        self.text.push('\n');
        self.rows += 1;
        self.fresh = true;
    }

    /// How many rows were ended, without the header.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// What was written since the beginning, or since it was last cleared.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Forgets the text that the caller has taken; the count of rows goes on.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
    }

    /// Takes the text.
    pub(crate) fn into_string(self) -> String {
        self.text
    }

    fn separate(&mut self) {
        if !self.fresh {
            self.text.push(',');
        }
        self.fresh = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let mut csv = Csv::with_header("a,b,c,d,e");
        csv.text("plain").text("one, two").text("3\" wide");
        csv.empty(1).text("two\nlines").end();
        csv.empty(1).value(7).empty(3).end();
        assert_eq!(
            csv.as_str(),
            "a,b,c,d,e\nplain,\"one, two\",\"3\"\" wide\",,\"two\nlines\"\n,7,,,\n"
        );
        assert_eq!(csv.rows(), 2);
        csv.clear();
        csv.text("x").end();
        assert_eq!((csv.as_str(), csv.rows()), ("x\n", 3));
    }
}
