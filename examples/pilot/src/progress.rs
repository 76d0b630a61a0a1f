//! Progress bars: on a terminal only, and only where there is something to wait for.

use indicatif::{ProgressBar, ProgressStyle};

/// Below this many bytes a bar would only flicker.
const WORTH_A_BAR: u64 = 4 << 20;

/// Makes progress bars, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    Shown,
    Hidden,
}

impl Progress {
    /// A bar over bytes.
    pub(crate) fn bytes(self, what: &'static str, total: u64) -> ProgressBar {
        let bar = self.bar(total, total >= WORTH_A_BAR);
        let style = "{prefix:>10} [{bar:30}] {bytes}/{total_bytes} {eta}";
        bar.with_style(styled(style)).with_prefix(what)
    }

    /// A bar over steps of the replay.
    pub(crate) fn steps(self, total: u64) -> ProgressBar {
        let bar = self.bar(total, total >= 1000);
        bar.with_style(styled("{prefix:>10} [{bar:30}] {pos}/{len} steps {eta}"))
            .with_prefix("deciding")
    }

    fn bar(self, total: u64, worth_it: bool) -> ProgressBar {
        match self {
            // Draws to standard error, and not at all where that is no terminal.
            Self::Shown if worth_it => ProgressBar::new(total),
            _ => ProgressBar::hidden(),
        }
    }
}

fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
