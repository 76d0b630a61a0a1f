//! When things expire, in steps.

use crate::{ChannelId, Interaction, Rules, Span, Timestamp};

/// What waits for its time is looked through in so many steps of that time.
const STEPS: i64 = 256;

/// The times of expiry that the rules give, divided into numbered buckets.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    lateness: Span,
    horizon: Span,
    /// The longest windows after a click and a view of channels with windows of their own.
    by_channel: Vec<Option<[Span; 2]>>,
    usual: [Span; 2],
    touch_step: i64,
    conversion_step: i64,
}

impl Calendar {
    pub(super) fn new(rules: &Rules) -> Self {
        let config = rules.config();
        let both = |channel| {
            [Interaction::Click, Interaction::View]
                .map(|interaction| rules.retention(channel, interaction))
        };
        let kinds = config.kinds.iter().filter_map(|kind| kind.windows.as_ref());
        let mut by_channel = Vec::new();
        let mut unlisted = 0;
        for table in std::iter::once(&config.windows).chain(kinds) {
            for &channel in table.by_channel.keys() {
                if by_channel.len() <= channel.index() {
                    by_channel.resize(channel.index() + 1, None);
                }
                by_channel[channel.index()] = Some(both(channel));
            }
        }
        while by_channel
            .get(usize::from(unlisted))
            .is_some_and(Option::is_some)
            && unlisted < u16::MAX
        {
            unlisted += 1;
        }
        let step = |whole: Span| (whole.micros() / STEPS).max(1);
        Self {
            lateness: config.lateness,
            horizon: config.refund_horizon,
            by_channel,
            usual: both(ChannelId::new(unlisted)),
            touch_step: step(rules.longest_window().plus(config.lateness)),
            conversion_step: step(config.refund_horizon),
        }
    }

    /// How long a touch is kept.
    #[inline]
    pub(super) fn retention(&self, channel: ChannelId, interaction: Interaction) -> Span {
        let own = self.by_channel.get(channel.index()).copied().flatten();
        let [click, view] = own.unwrap_or(self.usual);
        match interaction {
            Interaction::Click => click,
            Interaction::View => view,
        }
    }

    /// The bucket of a touch.
    #[inline]
    pub(super) fn touch(&self, at: Timestamp, channel: ChannelId, interaction: Interaction) -> i64 {
        let end = at.plus(self.retention(channel, interaction));
        end.micros().div_euclid(self.touch_step)
    }

    /// Whether the windows of all touches of a bucket have passed, late conversions included.
    pub(super) fn touches_due(&self, bucket: i64, watermark: Timestamp) -> bool {
        due(bucket, self.touch_step, watermark.minus(self.lateness))
    }

    /// The bucket of a conversion.
    #[inline]
    pub(super) fn conversion(&self, at: Timestamp) -> i64 {
        at.plus(self.horizon)
            .micros()
            .div_euclid(self.conversion_step)
    }

    /// Whether the refund horizons of all conversions of a bucket have passed.
    pub(super) fn conversions_due(&self, bucket: i64, watermark: Timestamp) -> bool {
        due(bucket, self.conversion_step, watermark)
    }

    /// Whether touches of a conversion may still come, so that its credits are not final.
    #[inline]
    pub(super) fn is_open(&self, at: Timestamp, watermark: Timestamp) -> bool {
        watermark <= at.plus(self.lateness)
    }

    /// Whether a conversion may still be adjusted.
    pub(super) fn is_adjustable(&self, at: Timestamp, watermark: Timestamp) -> bool {
        watermark <= at.plus(self.horizon)
    }
}

/// Whether the end of a bucket has passed.
fn due(bucket: i64, step: i64, now: Timestamp) -> bool {
    (i128::from(bucket) + 1) * i128::from(step) <= i128::from(now.micros())
}
