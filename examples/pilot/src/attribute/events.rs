//! Reads a list of events, and finds the journeys in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use chrono::DateTime;
use gaelp::attribution::{
    Adjustment, Attributed, Channels, Conversion, ConversionKind, Event, EventId, Interaction,
    Merge, Model, Rules, Timestamp, Touch, UserId, Weigh, attribute,
};
use gaelp::core::{Micros, Money};

use super::AttributeError;
use super::args::Settings;
use super::ids::Ids;
use super::input::{Input, Kind};
use super::values::{Column, Row, Rows};

/// # Errors
/// [`AttributeError`] with the line and column of the first cell that cannot be read.
pub(super) fn read(path: &Path, file: File, settings: &Settings) -> Result<Input, AttributeError> {
    let rows = Rows::new(path, file)?;
    let columns = Columns::of(&rows)?;
    let mut parser = Parser {
        columns,
        settings,
        channels: Channels::default(),
        users: Ids::default(),
        ids: Ids::default(),
    };
    let mut events = Vec::new();
    rows.each(|row| {
        events.push(parser.event(row)?);
        Ok(())
    })?;
    if events.is_empty() {
        return Err(AttributeError::content(
            path,
            "there are no rows under the header",
        ));
    }
    let rules = settings.rules.clone().validate();
    let rules = rules.map_err(AttributeError::Rules)?;
    let models: [&dyn Weigh; 1] = [&Model::Linear];
    let attributed = attribute(&events, &rules, &models)
        .map_err(|error| AttributeError::content(path, error.to_string()))?;
    Ok(journeys(&events, &attributed, &rules, parser.channels))
}

/// The columns that the file has.
struct Columns {
    kind: Column,
    id: Column,
    user: Column,
    millis: Option<Column>,
    moment: Option<Column>,
    channel: Column,
    touch_kind: Option<Column>,
    micros: Option<Column>,
    value: Option<Column>,
    conversion: Option<Column>,
    into: Option<Column>,
}

impl Columns {
    fn of(rows: &Rows) -> Result<Self, AttributeError> {
        let kind = rows.column("kind")?;
        let moment = rows.optional("ts");
        let millis = match moment {
            Some(_) => None,
            None => Some(rows.column("ts_ms")?),
        };
        let value = rows.optional("value");
        let micros = match value {
            Some(_) => None,
            None => Some(rows.column("value_micros")?),
        };
        Ok(Self {
            kind,
            id: rows.column("event_id")?,
            user: rows.column("user")?,
            millis,
            moment,
            channel: rows.column("channel")?,
            touch_kind: rows.optional("touch_kind"),
            micros,
            value,
            conversion: rows.optional("conv_id"),
            into: rows.optional("into_user"),
        })
    }
}

struct Parser<'a> {
    columns: Columns,
    settings: &'a Settings,
    channels: Channels,
    users: Ids,
    ids: Ids,
}

impl Parser<'_> {
    fn event(&mut self, row: &Row<'_>) -> Result<Event, AttributeError> {
        let kind = row.text(self.columns.kind)?;
        Ok(match kind {
            "touch" => Event::Touch(Touch {
                id: self.id(row)?,
                user: self.user(row, Some(self.columns.user))?,
                at: self.at(row)?,
                channel: {
                    let name = row.text(self.columns.channel)?;
                    if name.is_empty() {
                        return Err(row.wrong(self.columns.channel, name, "the name of a channel"));
                    }
                    let id = self.channels.intern(name);
                    id.map_err(|error| row.refuse(error.to_string()))?
                },
                interaction: self.interaction(row)?,
            }),
            "conversion" => Event::Conversion(Conversion {
                id: self.id(row)?,
                user: self.user(row, Some(self.columns.user))?,
                at: self.at(row)?,
                value: self.value(row)?,
                kind: ConversionKind::Purchase,
            }),
            "adjust" => Event::Adjustment(Adjustment {
                id: self.id(row)?,
                conversion: {
                    let Some(column) = self.columns.conversion else {
                        return Err(row.refuse("an adjust, but no column conv_id"));
                    };
                    let text = row.text(column)?;
                    let number = self.ids.number(text);
                    EventId::new(number.ok_or_else(|| row.wrong(column, text, ID))?)
                },
                at: self.at(row)?,
                value: self.value(row)?,
            }),
            "merge" => Event::Merge(Merge {
                from: self.user(row, Some(self.columns.user))?,
                into: self.user(row, self.columns.into)?,
            }),
            "advance" => Event::Advance(self.at(row)?),
            other => {
                let expected = "touch, conversion, adjust, merge or advance";
                return Err(row.wrong(self.columns.kind, other, expected));
            }
        })
    }

    fn id(&mut self, row: &Row<'_>) -> Result<EventId, AttributeError> {
        let text = row.text(self.columns.id)?;
        let number = self.ids.number(text);
        let number = number.ok_or_else(|| row.wrong(self.columns.id, text, ID))?;
        Ok(EventId::new(number))
    }

    fn user(&mut self, row: &Row<'_>, column: Option<Column>) -> Result<UserId, AttributeError> {
        let Some(column) = column else {
            return Err(row.refuse("a merge, but no column into_user"));
        };
        let text = row.text(column)?;
        let number = self.users.number(text);
        let number = number.ok_or_else(|| row.wrong(column, text, ID))?;
        Ok(UserId::new(number))
    }

    fn at(&self, row: &Row<'_>) -> Result<Timestamp, AttributeError> {
        if let Some(column) = self.columns.moment {
            let text = row.text(column)?;
            let moment = DateTime::parse_from_rfc3339(text)
                .map_err(|_| row.wrong(column, text, "a moment such as 2026-11-21T10:00:00Z"))?;
            return Ok(Timestamp::from_micros(moment.timestamp_micros()));
        }
        let Some(column) = self.columns.millis else {
            return Err(row.refuse("no moment"));
        };
        let millis = row.whole(column)?;
        Timestamp::from_millis(millis).ok_or_else(|| {
            let text = millis.to_string();
            row.wrong(column, &text, "milliseconds since 1970")
        })
    }

    fn interaction(&self, row: &Row<'_>) -> Result<Interaction, AttributeError> {
        let Some(column) = self.columns.touch_kind else {
            return Ok(Interaction::Click);
        };
        match row.text(column)? {
            "click" | "" => Ok(Interaction::Click),
            "view" => Ok(Interaction::View),
            other => Err(row.wrong(column, other, "click or view")),
        }
    }

    fn value(&self, row: &Row<'_>) -> Result<Money, AttributeError> {
        let micros = match (self.columns.value, self.columns.micros) {
            (Some(column), _) => row.micros(column)?,
            (None, Some(column)) => row.whole(column)?,
            (None, None) => return Err(row.refuse("no value")),
        };
        Ok(Money::new(
            Micros::new(micros),
            self.settings.rules.currency,
        ))
    }
}

/// What an id must be.
const ID: &str = "an id: a text, or a number below 2^63";

/// A journey for every conversion, of the touches that it is credited to; and one for every user whose
/// other touches led to none.
fn journeys(events: &[Event], attributed: &Attributed, rules: &Rules, channels: Channels) -> Input {
    let mut input = Input::new(Kind::Events);
    input.rows = events.len() as u64;
    input.channels = channels;
    let seen = Seen::of(events, rules);
    let (mut touched, mut ends) = (Vec::new(), Vec::new());
    let mut credited = BTreeSet::new();
    for conversion in &attributed.conversions {
        let touches = &attributed.touches[conversion.touches.clone()];
        let codes = touches.iter().map(|touch| touch.channel.get());
        input.push(codes, [1, conversion.value.get(), 0]);
        for touch in touches {
            credited.insert(touch.id);
            let at = seen.touches.get(&touch.id);
            touched.push(at.map_or(conversion.at.micros(), |touch| touch.at.micros()));
        }
        ends.push(conversion.at.micros());
    }
    let mut others: BTreeMap<UserId, Vec<&Touch>> = BTreeMap::new();
    for touch in seen.touches.values() {
        if !credited.contains(&touch.id) {
            others.entry(seen.user(touch.user)).or_default().push(touch);
        }
    }
    for (_, mut touches) in others {
        touches.sort_unstable_by_key(|touch| (touch.at, touch.id));
        input.push(touches.iter().map(|touch| touch.channel.get()), [0, 0, 1]);
        touched.extend(touches.iter().map(|touch| touch.at.micros()));
        ends.push(seen.last.micros());
    }
    input.moments = Some((touched, ends));
    input.notes = notes(attributed);
    input
}

/// What the events hold, apart from what they came to.
struct Seen<'a> {
    /// The first delivery of every touch that is not late.
    touches: BTreeMap<EventId, &'a Touch>,
    merged: BTreeMap<UserId, UserId>,
    /// The latest moment.
    last: Timestamp,
}

impl<'a> Seen<'a> {
    fn of(events: &'a [Event], rules: &Rules) -> Self {
        let mut seen = Self {
            touches: BTreeMap::new(),
            merged: BTreeMap::new(),
            last: Timestamp::MIN,
        };
        let mut watermark = Timestamp::MIN;
        for event in events {
            let at = match event {
                Event::Touch(touch) => {
                    if !rules.is_late(touch.at, watermark) {
                        seen.touches.entry(touch.id).or_insert(touch);
                    }
                    touch.at
                }
                Event::Conversion(conversion) => conversion.at,
                Event::Adjustment(adjustment) => adjustment.at,
                Event::Merge(merge) => {
                    let (from, into) = (seen.user(merge.from), seen.user(merge.into));
                    if from != into {
                        seen.merged.insert(from, into);
                    }
                    continue;
                }
                Event::Advance(at) => {
                    watermark = watermark.max(*at);
                    *at
                }
                _ => continue,
            };
            seen.last = seen.last.max(at);
        }
        seen
    }

    /// The user under whose id another goes on.
    fn user(&self, mut user: UserId) -> UserId {
        while let Some(&into) = self.merged.get(&user) {
            user = into;
        }
        user
    }
}

/// What was not taken, in words.
fn notes(attributed: &Attributed) -> Vec<String> {
    let refused = &attributed.refused;
    let counts = [
        (
            refused.duplicate_touches,
            "touches came twice and count once",
        ),
        (
            refused.duplicate_conversions,
            "conversions came twice and count once",
        ),
        (
            refused.late_touches,
            "touches came too late and do not count",
        ),
        (
            refused.late_conversions,
            "conversions came too late and do not count",
        ),
        (
            refused.adjustments,
            "adjustments came too late, or their conversion never came",
        ),
        (
            refused.other_currency,
            "events are in another currency and do not count",
        ),
    ];
    let some = counts.iter().filter(|(count, _)| *count > 0);
    some.map(|(count, what)| format!("{count} {what}"))
        .collect()
}
