//! All events at once: the answer that a stream of them must end in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gaelp_core::Micros;

use crate::{
    AttributeError, ChannelId, Conversion, ConversionKind, Event, EventId, Journey, Rules, Scope,
    Splitter, Timestamp, Touch, UserId, Weigh,
};

mod users;

use users::Users;

/// What a conversion came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditedConversion {
    /// Its id.
    pub id: EventId,
    /// Its user, after merges.
    pub user: UserId,
    /// When it happened.
    pub at: Timestamp,
    /// What kind it is.
    pub kind: ConversionKind,
    /// What it was worth when it arrived.
    pub original: Micros,
    /// What it is worth after all adjustments.
    pub value: Micros,
    /// Its touches in [`Attributed::touches`]; empty where it is credited to nothing.
    pub touches: Range<usize>,
}

/// A touch of a credited conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditedTouch {
    /// Its id.
    pub id: EventId,
    /// Its channel.
    pub channel: ChannelId,
}

/// Events that changed nothing, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Touches with an id that was seen before.
    pub duplicate_touches: u64,
    /// Conversions with an id that was seen before.
    pub duplicate_conversions: u64,
    /// Touches too far behind the watermark.
    pub late_touches: u64,
    /// Conversions too far behind the watermark.
    pub late_conversions: u64,
    /// Adjustments after the refund horizon, or of conversions that never came.
    pub adjustments: u64,
    /// Conversions and adjustments in another currency than the rules'.
    pub other_currency: u64,
}

/// All conversions of a batch with their credits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributed {
    /// The conversions by id.
    pub conversions: Vec<CreditedConversion>,
    /// The touches of all conversions, one after the other, oldest first within each.
    pub touches: Vec<CreditedTouch>,
    /// For each model the credit of every entry of `touches`.
    pub credits: Vec<Vec<Micros>>,
    /// What changed nothing.
    pub refused: Refused,
}

impl Attributed {
    /// The credit of every touch of a conversion under the model of a number.
    pub fn credits_of(&self, conversion: &CreditedConversion, model: usize) -> &[Micros] {
        let all = self.credits.get(model);
        all.and_then(|all| all.get(conversion.touches.clone()))
            .unwrap_or_default()
    }
}

/// Credits every conversion among the events to its touches, under several models at once.
///
/// Events stand in the order of their arrival. That order decides only what is late, which of two
/// events of one id counts, and which conversions a merge of users still reaches; inside of the
/// lateness, any order gives the same result. The rules:
///
/// - A touch or conversion is refused where it is behind the watermark by more than the lateness,
///   and where its id was taken before.
/// - Touches count in the order of moment, then id. They reach a conversion as [`Rules`] says.
/// - The adjustment with the greatest moment, then id, sets the value. It may come before its
///   conversion, and until the watermark is past the conversion by the refund horizon.
/// - A merge reaches the conversions that are still open: those behind the watermark by no more
///   than the lateness.
///
/// **Cost.** `O(n log n)` time and memory for all events.
///
/// ```
/// use gaelp_attribution::*;
/// use gaelp_core::{Currency, Micros, Money};
///
/// let user = UserId::new(1);
/// let day = |days| Timestamp::default().plus(Span::days(days));
/// let touch = |id, at, channel| Event::Touch(Touch {
///     id: EventId::new(id), user, at, channel: ChannelId::new(channel),
///     interaction: Interaction::Click,
/// });
/// let events = [
///     touch(1, day(0), 0),
///     touch(2, day(2), 1),
///     Event::Conversion(Conversion {
///         id: EventId::new(3), user, at: day(3),
///         value: Money::new("9.99".parse()?, Currency::USD), kind: ConversionKind::Purchase,
///     }),
/// ];
/// let rules = RulesConfig::default().validate()?;
/// let attributed = attribute(&events, &rules, &[&Model::Linear, &Model::Last])?;
/// assert_eq!(attributed.credits[0], ["4.995".parse()?, "4.995".parse()?]);
/// assert_eq!(attributed.credits[1], [Micros::ZERO, "9.99".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AttributeError`] where a model gives a journey no usable weights.
pub fn attribute(
    events: &[Event],
    rules: &Rules,
    models: &[&dyn Weigh],
) -> Result<Attributed, AttributeError> {
    let taken = Taken::of(events, rules);
    let mut users = Users::new(taken.touches, &taken.conversions);
    let mut merges = taken.merges.into_iter().peekable();
    let mut adjustments = taken.adjustments;
    let mut out = Attributed {
        credits: vec![Vec::new(); models.len()],
        refused: taken.refused,
        ..Attributed::default()
    };
    let mut paths = Vec::new();
    for conversion in &taken.conversions {
        let open_until = conversion.at.plus(rules.config().lateness);
        while let Some((_, from, into)) = merges.next_if(|&(known, ..)| known <= open_until) {
            users.merge(from, into);
        }
        let offered = adjustments.remove(&conversion.id).unwrap_or_default();
        let horizon = conversion.at.plus(rules.config().refund_horizon);
        let valid = offered.iter().filter(|offer| offer.known <= horizon);
        out.refused.adjustments += (offered.len() - valid.clone().count()) as u64;
        let adjusted = valid.map(|offer| (offer.at, offer.id, offer.value)).max();
        let original = conversion.value.amount;
        paths.push((
            CreditedConversion {
                id: conversion.id,
                user: users.root(conversion.user),
                at: conversion.at,
                kind: conversion.kind,
                original,
                value: adjusted.map_or(original, |(_, _, value)| value),
                touches: 0..0,
            },
            path(&users, rules, conversion),
        ));
    }
    let orphans = adjustments.values().map(BTreeSet::len).sum::<usize>();
    out.refused.adjustments += orphans as u64;
    paths.sort_by_key(|(conversion, _)| conversion.id);
    credit(&mut out, paths, models)?;
    Ok(out)
}

/// The touches that a conversion is credited to, oldest first.
fn path(users: &Users, rules: &Rules, conversion: &Conversion) -> Vec<Touch> {
    let end = conversion.at;
    let earliest = end.minus(rules.longest_window());
    let mut path: Vec<Touch> = users
        .touches(conversion.user, earliest..=end)
        .filter(|touch| {
            rules.reaches(
                conversion.kind,
                end,
                touch.channel,
                touch.interaction,
                touch.at,
            )
        })
        .copied()
        .collect();
    if rules.config().scope == Scope::SincePrevious
        && let Some(previous) = users.previous(conversion)
    {
        path.retain(|touch| (touch.at, touch.id) > previous);
    }
    path.sort_by_key(|touch| (touch.at, touch.id));
    rules.narrow(&mut path, |touch| (touch.channel, touch.interaction));
    path
}

/// Splits every conversion over its path.
fn credit(
    out: &mut Attributed,
    paths: Vec<(CreditedConversion, Vec<Touch>)>,
    models: &[&dyn Weigh],
) -> Result<(), AttributeError> {
    let (mut weights, mut splitter) = (Vec::new(), Splitter::default());
    for (mut conversion, path) in paths {
        let channels: Vec<ChannelId> = path.iter().map(|touch| touch.channel).collect();
        let times: Vec<Timestamp> = path.iter().map(|touch| touch.at).collect();
        let begin = out.touches.len();
        out.touches.extend(path.iter().map(|touch| CreditedTouch {
            id: touch.id,
            channel: touch.channel,
        }));
        conversion.touches = begin..out.touches.len();
        let journey = Journey::new(&channels, &times, conversion.at, conversion.kind);
        if let Some(journey) = journey {
            for (model, (weigh, credits)) in models.iter().zip(&mut out.credits).enumerate() {
                weigh.weigh(&journey, &mut weights);
                let parts = splitter
                    .split(conversion.value, &weights)
                    .ok()
                    .filter(|parts| parts.len() == journey.len());
                let parts = parts.ok_or(AttributeError::Weights {
                    model,
                    conversion: conversion.id,
                })?;
                credits.extend_from_slice(parts);
            }
        }
        out.conversions.push(conversion);
    }
    Ok(())
}

/// A value that an adjustment offers, with the watermark at its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Offer {
    known: Timestamp,
    at: Timestamp,
    id: EventId,
    value: Micros,
}

/// The events that count.
#[derive(Debug, Default)]
struct Taken {
    touches: Vec<Touch>,
    /// By moment, then id.
    conversions: Vec<Conversion>,
    adjustments: BTreeMap<EventId, BTreeSet<Offer>>,
    /// In the order of arrival, with the watermark then.
    merges: Vec<(Timestamp, UserId, UserId)>,
    refused: Refused,
}

impl Taken {
    fn of(events: &[Event], rules: &Rules) -> Self {
        let mut taken = Self::default();
        let mut watermark = Timestamp::MIN;
        let mut seen = BTreeSet::new();
        let currency = rules.config().currency;
        for event in events {
            match *event {
                Event::Touch(touch) => {
                    if rules.is_late(touch.at, watermark) {
                        taken.refused.late_touches += 1;
                    } else if !seen.insert(touch.id) {
                        taken.refused.duplicate_touches += 1;
                    } else {
                        taken.touches.push(touch);
                    }
                }
                Event::Conversion(conversion) => {
                    if conversion.value.currency != currency {
                        taken.refused.other_currency += 1;
                    } else if rules.is_late(conversion.at, watermark) {
                        taken.refused.late_conversions += 1;
                    } else if !seen.insert(conversion.id) {
                        taken.refused.duplicate_conversions += 1;
                    } else {
                        taken.conversions.push(conversion);
                    }
                }
                Event::Adjustment(adjustment) => {
                    if adjustment.value.currency == currency {
                        let offers = taken.adjustments.entry(adjustment.conversion);
                        offers.or_default().insert(Offer {
                            known: watermark,
                            at: adjustment.at,
                            id: adjustment.id,
                            value: adjustment.value.amount,
                        });
                    } else {
                        taken.refused.other_currency += 1;
                    }
                }
                Event::Merge(merge) => taken.merges.push((watermark, merge.from, merge.into)),
                Event::Advance(to) => watermark = watermark.max(to),
            }
        }
        taken
            .conversions
            .sort_by_key(|conversion| (conversion.at, conversion.id));
        taken
    }
}
