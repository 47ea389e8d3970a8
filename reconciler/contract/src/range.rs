//! A range of IP addresses as CIDR notation writes it (RFC 4632, RFC 4291): `10.0.0.0/8`, `fd00::/8`.
//!
//! Pure. Always holds: one range has one text; no bit behind the prefix is set, which the API server
//! takes only with a warning and people read wrongly.

use std::{fmt, net::IpAddr, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::text_form;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not a range, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARange {
    #[error(
        "`{0}` is no range; write an address, `/` and the length of its prefix, such as `10.20.0.0/16` or `fd00::/8`"
    )]
    Shape(String),
    #[error("`{text}` is not where a range begins; the range that it lies in is `{network}`")]
    HostBits { text: String, network: Cidr },
    #[error("`{0}` is an IPv4 range in IPv6 notation; write it as IPv4")]
    Mapped(String),
}

impl Cidr {
    pub const fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Every address of its family.
    pub const fn is_everything(&self) -> bool {
        self.prefix == 0
    }

    /// Whether every address of `other` is in this range too.
    pub fn contains(&self, other: &Self) -> bool {
        self.is_ipv4() == other.is_ipv4()
            && self.prefix <= other.prefix
            && network(other.address, self.prefix) == self.address
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }
}

impl FromStr for Cidr {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        let shape = || NotARange::Shape(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(shape)?;
        let address: IpAddr = address.parse().map_err(|_| shape())?;
        let plain = prefix.bytes().all(|b| b.is_ascii_digit())
            && (prefix.len() == 1 || !prefix.starts_with('0'));
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = prefix
            .parse()
            .ok()
            .filter(|prefix| plain && *prefix <= bits)
            .ok_or_else(shape)?;
        if let IpAddr::V6(address) = address
            && address.to_ipv4_mapped().is_some()
        {
            return Err(NotARange::Mapped(text.to_owned()));
        }
        let range = Self {
            address: network(address, prefix),
            prefix,
        };
        if range.address == address {
            Ok(range)
        } else {
            let text = text.to_owned();
            Err(NotARange::HostBits {
                text,
                network: range,
            })
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

text_form!(Cidr, NotARange);

/// The first address of the range of this length that `address` lies in.
fn network(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32)));
            IpAddr::V4((u32::from(address) & mask.unwrap_or(0)).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128)));
            IpAddr::V6((u128::from(address) & mask.unwrap_or(0)).into())
        }
    }
}
