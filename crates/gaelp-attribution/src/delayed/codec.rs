//! Bytes and back: little-endian, of fixed width.

use gaelp_core::{ArmId, Currency, DecisionId, Micros, Money};

use super::snapshot::SnapshotError;
use super::{Arrival, EpisodeId, Origin, StateRef};
use crate::event::scatter;
use crate::{
    Adjustment, ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Merge,
    Timestamp, Touch, UserId,
};

/// Numbers of custom kinds start here.
const CUSTOM: u16 = 256;

/// Bytes that grow.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn u8(&mut self, number: u8) {
        self.0.push(number);
    }

    pub(super) fn u16(&mut self, number: u16) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn i64(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn u128(&mut self, number: u128) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn i128(&mut self, number: i128) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn len(&mut self, length: usize) {
        self.u64(length as u64);
    }

    pub(super) fn at(&mut self, at: Timestamp) {
        self.i64(at.micros());
    }

    pub(super) fn origin(&mut self, origin: Option<&Origin>) {
        let Some(origin) = origin else {
            return self.u8(0);
        };
        self.u8(1);
        self.u128(origin.decision.get());
        self.u64(origin.episode.get());
        self.u64(origin.state.get());
        self.i64(origin.reward.get());
        self.u64(u64::from(origin.action.get()));
    }

    pub(super) fn interaction(&mut self, interaction: Interaction) {
        self.u8(match interaction {
            Interaction::Click => 0,
            Interaction::View => 1,
        });
    }

    pub(super) fn kind(&mut self, kind: ConversionKind) {
        self.u16(match kind {
            ConversionKind::Purchase => 0,
            ConversionKind::Signup => 1,
            ConversionKind::Lead => 2,
            ConversionKind::ViewContent => 3,
            ConversionKind::AddToCart => 4,
            ConversionKind::BeginCheckout => 5,
            ConversionKind::Custom(number) => CUSTOM + u16::from(number),
        });
    }

    fn money(&mut self, money: Money) {
        self.i64(money.amount.get());
        self.0.extend_from_slice(money.currency.as_str().as_bytes());
    }

    fn arrival(&mut self, arrival: &Arrival) {
        self.at(arrival.received);
        match &arrival.event {
            Event::Touch(touch) => {
                self.u8(0);
                self.u64(touch.id.get());
                self.u64(touch.user.get());
                self.at(touch.at);
                self.u16(touch.channel.get());
                self.interaction(touch.interaction);
            }
            Event::Conversion(conversion) => {
                self.u8(1);
                self.u64(conversion.id.get());
                self.u64(conversion.user.get());
                self.at(conversion.at);
                self.money(conversion.value);
                self.kind(conversion.kind);
            }
            Event::Adjustment(adjustment) => {
                self.u8(2);
                self.u64(adjustment.id.get());
                self.u64(adjustment.conversion.get());
                self.at(adjustment.at);
                self.money(adjustment.value);
            }
            Event::Merge(merge) => {
                self.u8(3);
                self.u64(merge.from.get());
                self.u64(merge.into.get());
            }
            Event::Advance(watermark) => {
                self.u8(4);
                self.at(*watermark);
            }
        }
        self.origin(arrival.origin.as_ref());
    }

    /// A number that follows from all bytes so far.
    pub(super) fn sum(&self) -> u64 {
        sum(&self.0)
    }
}

/// A number that tells damaged bytes from sound ones; no protection against intent.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mut state = scatter(bytes.len() as u64);
    for word in &mut words {
        let word = word.try_into().expect("chunks have eight bytes");
        state = scatter(state ^ u64::from_le_bytes(word));
    }
    for &byte in words.remainder() {
        state = scatter(state ^ u64::from(byte));
    }
    state
}

/// Bytes that are read from front to back.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

type Read<T> = Result<T, SnapshotError>;

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk().ok_or(SnapshotError::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Read<u8> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    pub(super) fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    pub(super) fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    pub(super) fn i64(&mut self) -> Read<i64> {
        Ok(i64::from_le_bytes(self.take()?))
    }

    pub(super) fn u128(&mut self) -> Read<u128> {
        Ok(u128::from_le_bytes(self.take()?))
    }

    pub(super) fn i128(&mut self) -> Read<i128> {
        Ok(i128::from_le_bytes(self.take()?))
    }

    /// A number of items of at least `size` bytes each, of which there can be no more than bytes.
    pub(super) fn len(&mut self, size: usize) -> Read<usize> {
        let length = usize::try_from(self.u64()?).map_err(|_| SnapshotError::Truncated)?;
        if length > self.0.len() / size {
            return Err(SnapshotError::Truncated);
        }
        Ok(length)
    }

    pub(super) fn at(&mut self) -> Read<Timestamp> {
        Ok(Timestamp::from_micros(self.i64()?))
    }

    pub(super) fn id(&mut self) -> Read<EventId> {
        Ok(EventId::new(self.u64()?))
    }

    pub(super) fn user(&mut self) -> Read<UserId> {
        Ok(UserId::new(self.u64()?))
    }

    pub(super) fn channel(&mut self) -> Read<ChannelId> {
        Ok(ChannelId::new(self.u16()?))
    }

    pub(super) fn flag(&mut self, what: &'static str) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(SnapshotError::Content { what }),
        }
    }

    pub(super) fn origin(&mut self) -> Read<Option<Origin>> {
        if !self.flag("origin")? {
            return Ok(None);
        }
        let mut origin = Origin {
            decision: DecisionId::new(self.u128()?),
            episode: EpisodeId::new(self.u64()?),
            state: StateRef::new(self.u64()?),
            reward: Micros::new(self.i64()?),
            ..Origin::default()
        };
        let action = u32::try_from(self.u64()?);
        origin.action = ArmId::new(action.map_err(|_| SnapshotError::Content { what: "action" })?);
        Ok(Some(origin))
    }

    pub(super) fn interaction(&mut self) -> Read<Interaction> {
        Ok(if self.flag("interaction")? {
            Interaction::View
        } else {
            Interaction::Click
        })
    }

    pub(super) fn kind(&mut self) -> Read<ConversionKind> {
        let unknown = SnapshotError::Content { what: "kind" };
        Ok(match self.u16()? {
            0 => ConversionKind::Purchase,
            1 => ConversionKind::Signup,
            2 => ConversionKind::Lead,
            3 => ConversionKind::ViewContent,
            4 => ConversionKind::AddToCart,
            5 => ConversionKind::BeginCheckout,
            number => {
                let custom = number.checked_sub(CUSTOM).map(u8::try_from);
                ConversionKind::Custom(custom.and_then(Result::ok).ok_or(unknown)?)
            }
        })
    }

    fn money(&mut self) -> Read<Money> {
        let amount = Micros::new(self.i64()?);
        let code = self.take::<3>()?;
        let code = std::str::from_utf8(&code)
            .ok()
            .and_then(|code| code.parse().ok());
        let currency: Currency = code.ok_or(SnapshotError::Content { what: "currency" })?;
        Ok(Money::new(amount, currency))
    }

    fn arrival(&mut self) -> Read<Arrival> {
        let received = self.at()?;
        let event = match self.u8()? {
            0 => Event::Touch(Touch {
                id: self.id()?,
                user: self.user()?,
                at: self.at()?,
                channel: self.channel()?,
                interaction: self.interaction()?,
            }),
            1 => Event::Conversion(Conversion {
                id: self.id()?,
                user: self.user()?,
                at: self.at()?,
                value: self.money()?,
                kind: self.kind()?,
            }),
            2 => Event::Adjustment(Adjustment {
                id: self.id()?,
                conversion: self.id()?,
                at: self.at()?,
                value: self.money()?,
            }),
            3 => Event::Merge(Merge {
                from: self.user()?,
                into: self.user()?,
            }),
            4 => Event::Advance(self.at()?),
            _ => return Err(SnapshotError::Content { what: "event" }),
        };
        Ok(Arrival {
            received,
            event,
            origin: self.origin()?,
        })
    }
}

impl Arrival {
    /// The version of the bytes that [`encode`](Self::encode) gives, for a log to keep beside them.
    pub const ENCODING: u16 = 1;

    /// Adds its bytes to others: what a log keeps, at most 100 of them.
    ///
    /// ```
    /// use gaelp_attribution::{Event, Timestamp, delayed::Arrival};
    ///
    /// let now = Timestamp::from_micros(17);
    /// let arrival = Arrival::new(now, Event::Advance(now));
    /// let mut bytes = Vec::new();
    /// arrival.encode(&mut bytes);
    /// assert_eq!(Arrival::decode(&mut bytes.as_slice())?, arrival);
    /// # Ok::<(), gaelp_attribution::delayed::SnapshotError>(())
    /// ```
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let mut writer = Writer(std::mem::take(bytes));
        writer.arrival(self);
        *bytes = writer.0;
    }

    /// Reads an arrival off the front of bytes.
    ///
    /// # Errors
    /// [`SnapshotError::Truncated`] and [`SnapshotError::Content`] for bytes that are none.
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, SnapshotError> {
        let mut reader = Reader(bytes);
        let arrival = reader.arrival()?;
        *bytes = reader.0;
        Ok(arrival)
    }
}
