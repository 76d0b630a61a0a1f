//! Looks for a text in all that would be written of a value, without writing it.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// Whether a text is in any of the texts that a value is stored with: names of fields and variants
/// are not looked at.
///
/// **Cost.** A fraction of what writing the value takes: numbers are passed over.
pub(crate) fn is_in<T: Serialize + ?Sized>(value: &T, text: &str) -> bool {
    let mut seeker = Seeker { text, found: false };
    // What cannot be stored is not stored.
    value.serialize(&mut seeker).is_ok() && seeker.found
}

struct Seeker<'a> {
    text: &'a str,
    found: bool,
}

impl Seeker<'_> {
    fn look(&mut self, at: &str) {
        self.found |= at.contains(self.text);
    }
}

/// Numbers and the like hold no text.
macro_rules! passed_over {
    ($($name:ident: $type:ty),* $(,)?) => {
        $(fn $name(self, _: $type) -> Result<(), fmt::Error> {
            Ok(())
        })*
    };
}

impl Serializer for &mut Seeker<'_> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    passed_over! {
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64,
        serialize_char: char,
        serialize_unit_struct: &'static str,
    }

    fn serialize_str(self, text: &str) -> Result<(), fmt::Error> {
        self.look(text);
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), fmt::Error> {
        self.look(&String::from_utf8_lossy(bytes));
        Ok(())
    }

    fn serialize_none(self) -> Result<(), fmt::Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), fmt::Error> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), fmt::Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, fmt::Error> {
        Ok(self)
    }
}

/// Whatever has parts is looked for in each of them.
macro_rules! in_parts {
    ($($part:ident $of:ident($($name:ident: $type:ty),*)),* $(,)?) => {
        $(impl ser::$part for &mut Seeker<'_> {
            type Ok = ();
            type Error = fmt::Error;

            fn $of<T: Serialize + ?Sized>(
                &mut self,
                $($name: $type,)*
                value: &T,
            ) -> Result<(), fmt::Error> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), fmt::Error> {
                Ok(())
            }
        })*
    };
}

in_parts! {
    SerializeSeq serialize_element(),
    SerializeTuple serialize_element(),
    SerializeTupleStruct serialize_field(),
    SerializeTupleVariant serialize_field(),
    SerializeStruct serialize_field(_name: &'static str),
    SerializeStructVariant serialize_field(_name: &'static str),
}

impl ser::SerializeMap for &mut Seeker<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), fmt::Error> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), fmt::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gaelp_core::UtcHour;
    use gaelp_rollout::{Alert, AlertKind, Record};
    use serde_json::json;

    use super::is_in;

    /// The same as looking through the text that is really written, wherever the token stands.
    #[test]
    fn a_text_is_found_wherever_it_is_written() {
        let places = [
            json!("a token here"),
            json!(["one", {"two": [3, "xtokenx"]}]),
            json!({"token-as-key": 1}),
            json!({"key": {"deep": [null, true, 1.5, "the token"]}}),
            json!(["tok", "en", 1, null, "TOKEN"]),
            json!({"entry": "nothing"}),
        ];
        let mut found = Vec::new();
        for value in &places {
            let written = serde_json::to_string(value).unwrap();
            assert_eq!(
                is_in(value, "token"),
                written.contains("token"),
                "{written}"
            );
            found.push(is_in(value, "token"));
        }
        assert_eq!(found, [true, true, true, true, false, false]);
        let map = BTreeMap::from([(("a", 1), Some("token"))]);
        assert!(is_in(&map, "token") && !is_in(&map, "nowhere"));
    }

    #[test]
    fn it_is_found_in_a_record() {
        let alert = |subject: &str| {
            Record::Alert(Alert {
                at: UtcHour::new(1),
                kind: AlertKind::Refused,
                subject: subject.into(),
            })
        };
        assert!(is_in(&alert("401 for x?access_token=EAAB"), "EAAB"));
        assert!(!is_in(&alert("401"), "EAAB"));
    }
}
