//! Which numbers a document may hold: those that every reader of JSON reads as the same.
//!
//! Pure. Always holds: what passes has integers within ±(2^53 − 1) and no others (RFC 8785, 3.2.2.3), so its
//! digest says all of it. Used by [`crate::schema::read`].

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// 2^53 − 1: beyond it an integer is what a double makes of it.
pub(crate) const LARGEST_INTEGER: u64 = (1 << 53) - 1;

/// Any JSON whose numbers are such; nothing of it is kept.
pub(crate) struct Exact;

struct Walk;

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Walk)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = Exact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Exact, E> {
        Ok(Exact)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Exact, E> {
        Ok(Exact)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Exact, E> {
        Ok(Exact)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Exact, E> {
        within(number, number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Exact, E> {
        within(number.unsigned_abs(), number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Exact, E> {
        Err(refused(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Exact, A::Error> {
        while seq.next_element::<Exact>()?.is_some() {}
        Ok(Exact)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Exact, A::Error> {
        while map.next_entry::<Exact, Exact>()?.is_some() {}
        Ok(Exact)
    }
}

fn within<E: Error>(size: u64, number: impl fmt::Display) -> Result<Exact, E> {
    if size <= LARGEST_INTEGER {
        Ok(Exact)
    } else {
        Err(refused(number))
    }
}

fn refused<E: Error>(number: impl fmt::Display) -> E {
    E::custom(format_args!(
        "the number {number} is no integer within ±(2^53 − 1)"
    ))
}
