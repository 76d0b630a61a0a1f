//! Which touches a conversion may be credited to.

use std::collections::BTreeMap;

use gaelp_core::Currency;
use serde::{Deserialize, Serialize};

use crate::{
    ChannelId, ChannelSet, ConversionKind, Interaction, Journey, Model, RulesError, Span,
    Timestamp, Weigh,
};

mod validate;

/// What shops and their platforms commonly use for clicks.
const CLICK_WINDOW: Span = Span::days(7);
/// A view that led to nothing for a day is seldom the reason.
const VIEW_WINDOW: Span = Span::days(1);
/// Events of phones that were offline over a weekend still count.
const LATENESS: Span = Span::days(3);
/// Returns of a month, and the time that their handling takes.
const REFUND_HORIZON: Span = Span::days(55);

/// How long after a touch a conversion may still be credited to it, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// After a click. Default 7 days.
    pub click: Span,
    /// After a view. Default 1 day.
    pub view: Span,
}

impl Windows {
    /// For purchases that are considered for weeks: 90 days after a click, 30 after a view.
    pub const B2B: Self = Self {
        click: Span::days(90),
        view: Span::days(30),
    };
    /// For installs of apps, which follow at once: 3 days after a click, 1 after a view.
    pub const APP: Self = Self {
        click: Span::days(3),
        view: Span::days(1),
    };

    /// The window of an interaction.
    pub const fn of(&self, interaction: Interaction) -> Span {
        match interaction {
            Interaction::Click => self.click,
            Interaction::View => self.view,
        }
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            click: CLICK_WINDOW,
            view: VIEW_WINDOW,
        }
    }
}

/// The windows of all channels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowTable {
    /// Of every channel that has none of its own.
    pub usual: Windows,
    /// Of channels that differ.
    pub by_channel: BTreeMap<ChannelId, Windows>,
}

impl WindowTable {
    /// The window of a channel and an interaction.
    pub fn window(&self, channel: ChannelId, interaction: Interaction) -> Span {
        let own = self.by_channel.get(&channel);
        own.unwrap_or(&self.usual).of(interaction)
    }

    fn all(&self) -> impl Iterator<Item = &Windows> {
        std::iter::once(&self.usual).chain(self.by_channel.values())
    }
}

/// What is different for one kind of conversion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRules {
    /// The kind.
    pub kind: ConversionKind,
    /// Its windows, in place of all usual ones; `None` for those.
    #[serde(default)]
    pub windows: Option<WindowTable>,
    /// Its model; `None` for the usual one.
    #[serde(default)]
    pub model: Option<Model>,
}

/// How far back a conversion looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// At all touches within their windows: a touch may earn from several conversions.
    #[default]
    Lookback,
    /// Only at those after the user's previous conversion of the same kind: a conversion resets
    /// the journey.
    SincePrevious,
}

/// What views count beside clicks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewPolicy {
    /// As much.
    #[default]
    Equal,
    /// Nothing where there is an eligible click.
    ClickFirst,
}

/// What direct traffic counts beside advertisements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectPolicy {
    /// As much.
    #[default]
    Equal,
    /// Nothing where there is an eligible touch that is not direct.
    Yield,
}

/// The settings of the rules; [`validate`](Self::validate) makes [`Rules`] of them.
///
/// ```
/// use gaelp_attribution::{RulesConfig, Span, Windows};
///
/// let mut config = RulesConfig::default();
/// config.windows.usual = Windows { click: Span::days(30), ..Windows::default() };
/// let rules = config.validate()?;
/// assert_eq!(rules.longest_window(), Span::days(30));
/// # Ok::<(), gaelp_attribution::RulesError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulesConfig {
    /// The one currency of all values; others are refused. Default USD.
    pub currency: Currency,
    /// The usual windows. Default 7 days after a click and 1 after a view.
    pub windows: WindowTable,
    /// The usual model. Default linear.
    pub model: Model,
    /// What is different for some kinds of conversion. Default nothing.
    pub kinds: Vec<KindRules>,
    /// How far back a conversion looks. Default the whole window.
    pub scope: Scope,
    /// What views count beside clicks. Default as much.
    pub views: ViewPolicy,
    /// The channels of direct traffic. Default none.
    pub direct: ChannelSet,
    /// What they count beside others. Default as much; last touch alone may skip them by
    /// [`Model::LastNonDirect`].
    pub direct_policy: DirectPolicy,
    /// How far behind the watermark an event may be. Default 3 days.
    pub lateness: Span,
    /// How long after a conversion its value may be changed. Default 55 days.
    pub refund_horizon: Span,
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self {
            currency: Currency::USD,
            windows: WindowTable::default(),
            model: Model::Linear,
            kinds: Vec::new(),
            scope: Scope::default(),
            views: ViewPolicy::default(),
            direct: ChannelSet::default(),
            direct_policy: DirectPolicy::default(),
            lateness: LATENESS,
            refund_horizon: REFUND_HORIZON,
        }
    }
}

impl RulesConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`RulesError`] with everything that is wrong.
    pub fn validate(self) -> Result<Rules, RulesError> {
        let violations = validate::violations(&self);
        if !violations.is_empty() {
            return Err(RulesError { violations });
        }
        Ok(Rules { config: self })
    }
}

/// Valid rules.
///
/// As a [`Weigh`], they give every conversion the weights of its kind's model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RulesConfig", into = "RulesConfig")]
pub struct Rules {
    config: RulesConfig,
}

impl Rules {
    /// The settings that they were made of.
    pub const fn config(&self) -> &RulesConfig {
        &self.config
    }

    /// How long after a touch a conversion of a kind is credited to it.
    pub fn window(
        &self,
        kind: ConversionKind,
        channel: ChannelId,
        interaction: Interaction,
    ) -> Span {
        let own = self.kind(kind).and_then(|rules| rules.windows.as_ref());
        own.unwrap_or(&self.config.windows)
            .window(channel, interaction)
    }

    /// Whether a conversion of a kind at `end` looks back at a touch: it does where the touch is
    /// not after it, and not longer before it than its window.
    pub fn reaches(
        &self,
        kind: ConversionKind,
        end: Timestamp,
        channel: ChannelId,
        interaction: Interaction,
        touched: Timestamp,
    ) -> bool {
        let window = self.window(kind, channel, interaction);
        end.since(touched).is_some_and(|span| span <= window)
    }

    /// Removes from a path what [`DirectPolicy`] and then [`ViewPolicy`] let not count.
    pub fn narrow<T>(&self, path: &mut Vec<T>, facts: impl Fn(&T) -> (ChannelId, Interaction)) {
        if self.config.direct_policy == DirectPolicy::Yield {
            let direct = |touch: &T| self.config.direct.contains(facts(touch).0);
            if !path.iter().all(direct) {
                path.retain(|touch| !direct(touch));
            }
        }
        if self.config.views == ViewPolicy::ClickFirst {
            let click = |touch: &T| facts(touch).1 == Interaction::Click;
            if path.iter().any(click) {
                path.retain(click);
            }
        }
    }

    /// The longest window of a touch over all kinds of conversion: how long it must be kept.
    pub fn retention(&self, channel: ChannelId, interaction: Interaction) -> Span {
        let usual = self.config.windows.window(channel, interaction);
        let of_kinds = self
            .config
            .kinds
            .iter()
            .filter_map(|rules| rules.windows.as_ref())
            .map(|table| table.window(channel, interaction));
        of_kinds.fold(usual, Span::max)
    }

    /// The longest window there is.
    pub fn longest_window(&self) -> Span {
        validate::longest_window(&self.config)
    }

    /// Whether an event came too late to be taken: it is further behind the watermark than the
    /// lateness allows.
    pub fn is_late(&self, at: Timestamp, watermark: Timestamp) -> bool {
        at < watermark.minus(self.config.lateness)
    }

    /// The model of a kind of conversion.
    pub fn model(&self, kind: ConversionKind) -> &Model {
        let own = self.kind(kind).and_then(|rules| rules.model.as_ref());
        own.unwrap_or(&self.config.model)
    }

    fn kind(&self, kind: ConversionKind) -> Option<&KindRules> {
        self.config.kinds.iter().find(|rules| rules.kind == kind)
    }
}

impl Weigh for Rules {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        self.model(journey.kind()).weigh(journey, weights);
    }
}

impl TryFrom<RulesConfig> for Rules {
    type Error = RulesError;

    fn try_from(config: RulesConfig) -> Result<Self, Self::Error> {
        config.validate()
    }
}

impl From<Rules> for RulesConfig {
    fn from(rules: Rules) -> Self {
        rules.config
    }
}
