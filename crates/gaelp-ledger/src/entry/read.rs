//! Entries are read as they are written: the tag first.

use std::fmt;

use chrono::{DateTime, Utc};
use gaelp_core::DecisionId;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::Entry;
use crate::{Answer, Change, Epoch, Intent, Observation, Order};

impl Entry {
    /// Reads an entry.
    ///
    /// It reads what the derived [`Deserialize`] reads, which must hold all parts back until it has
    /// seen the tag. Where the tag is first, nothing need be held back.
    ///
    /// # Errors
    /// As the derived [`Deserialize`].
    pub(crate) fn read(payload: &str) -> serde_json::Result<Self> {
        if let Ok(TagFirst(entry)) = serde_json::from_str(payload) {
            return Ok(entry);
        }
        serde_json::from_str(payload)
    }
}

/// An [`Entry`] whose tag is its first part; an error where it is not.
struct TagFirst(Entry);

/// The parts of an entry, without its tag.
#[derive(Deserialize)]
#[serde(remote = "Entry", rename_all = "snake_case", deny_unknown_fields)]
enum Parts {
    Taken {
        epoch: Epoch,
        runner: String,
        #[serde(with = "crate::instant")]
        at: DateTime<Utc>,
    },
    Observed {
        observation: Observation,
        changes: Vec<Change>,
    },
    Admitted {
        intent: Intent,
    },
    Answered {
        intent: DecisionId,
        answer: Answer,
        #[serde(with = "crate::instant")]
        at: DateTime<Utc>,
    },
    Ordered {
        order: Order,
        by: String,
        #[serde(with = "crate::instant")]
        at: DateTime<Utc>,
    },
}

impl<'de> Deserialize<'de> for TagFirst {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;

        impl<'de> Visitor<'de> for First {
            type Value = TagFirst;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry with its tag first")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TagFirst, A::Error> {
                if map.next_key::<&str>()? != Some("entry") {
                    return Err(de::Error::custom("the tag is not first"));
                }
                let tag: &str = map.next_value()?;
                let rest = MapAccessDeserializer::new(map);
                Parts::deserialize(Tagged { tag, rest }).map(TagFirst)
            }
        }

        deserializer.deserialize_map(First)
    }
}

/// A tag that was read, and the parts that come after it.
struct Tagged<'de, A> {
    tag: &'de str,
    rest: MapAccessDeserializer<A>,
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Tagged<'de, A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de, A: MapAccess<'de>> de::EnumAccess<'de> for Tagged<'de, A> {
    type Error = A::Error;
    type Variant = Rest<A>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Rest<A>), A::Error> {
        let tag = seed.deserialize(StrDeserializer::new(self.tag))?;
        Ok((tag, Rest(self.rest)))
    }
}

/// The parts after the tag.
struct Rest<A>(MapAccessDeserializer<A>);

impl<'de, A: MapAccess<'de>> de::VariantAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.deserialize_any(visitor)
    }

    fn unit_variant(self) -> Result<(), A::Error> {
        Err(de::Error::custom("every entry has parts"))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: [&str; 6] = [
        r#"{"entry":"taken","epoch":3,"runner":"a","at":"2026-11-21T10:00:00Z"}"#,
        r#"{"entry":"ordered","order":"kill","by":"Ada \"A\"","at":"2026-11-21T10:00:00.5Z"}"#,
        r#"{"entry":"answered","intent":"00000000000070008000000000000001","answer":{"is":"applied","daily_budget":5},"at":"2026-11-21T10:00:00Z"}"#,
        r#"{"entry":"answered","intent":"00000000000070008000000000000001","answer":{"is":"unknown"},"at":"2026-11-21T12:00:00+02:00"}"#,
        r#"{"entry":"observed","observation":{"epoch":1,"at":"2026-11-21T10:00:00Z","reads":[{"platform":"meta","began":"2026-11-21T09:59:00Z","budgets":[["1",10]]}],"spent":[],"known_good":[]},"changes":[{"change":"new","key":{"platform":"meta","ad_set":"1"},"budget":10}]}"#,
        r#"{"entry":"observed","observation":{"epoch":1,"at":"2026-11-21T10:00:00Z","reads":[],"spent":[],"known_good":[]},"changes":[]}"#,
    ];

    fn both(payload: &str) -> [Option<Entry>; 2] {
        let quick = serde_json::from_str::<TagFirst>(payload).ok();
        [
            quick.map(|first| first.0),
            serde_json::from_str(payload).ok(),
        ]
    }

    #[test]
    fn entries_with_their_tag_first_are_read_as_derived() {
        for payload in ENTRIES {
            let [quick, derived] = both(payload);
            assert!(quick.is_some(), "{payload}");
            assert_eq!(quick, derived, "{payload}");
        }
    }

    /// Cut and changed everywhere: what is read quickly is read so by the derived code too, and what
    /// only that reads is read in the end.
    #[test]
    fn nothing_is_read_that_the_derived_code_refuses() {
        let mut read = 0;
        for payload in ENTRIES {
            for at in 0..payload.len() {
                let mut places = vec![payload[..at].to_owned()];
                for other in [" ", ",", "\"", "}", "0", "e", ":", "null"] {
                    places.push(format!("{}{other}{}", &payload[..at], &payload[at..]));
                    places.push(format!("{}{other}{}", &payload[..at], &payload[at + 1..]));
                }
                for changed in places {
                    let [quick, derived] = both(&changed);
                    assert!(quick.is_none() || quick == derived, "{changed}");
                    assert_eq!(Entry::read(&changed).ok(), derived, "{changed}");
                    read += u32::from(derived.is_some());
                }
            }
        }
        assert!(read > 100, "{read}");
    }

    #[test]
    fn other_orders_are_read_and_unknown_parts_are_not() {
        let last = r#"{"epoch":3,"runner":"a","at":"2026-11-21T10:00:00Z","entry":"taken"}"#;
        assert!(matches!(Entry::read(last), Ok(Entry::Taken { .. })));
        for wrong in [
            r#"{"entry":"taken","epoch":3,"runner":"a","at":"2026-11-21T10:00:00Z","more":1}"#,
            r#"{"entry":"taken","entry":"taken","epoch":3,"runner":"a","at":"2026-11-21T10:00:00Z"}"#,
            r#"{"entry":"taken","epoch":3,"epoch":3,"runner":"a","at":"2026-11-21T10:00:00Z"}"#,
            r#"{"entry":"taken","epoch":3,"at":"2026-11-21T10:00:00Z"}"#,
            r#"{"entry":"made","epoch":3}"#,
            r#"{"entry":0}"#,
            "{}",
            r#"["taken"]"#,
        ] {
            assert_eq!(both(wrong), [None, None], "{wrong}");
        }
        let number = serde_json::from_str::<TagFirst>("5").err();
        let number = number.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            number.contains("expected an entry with its tag first"),
            "{number}"
        );
    }
}
