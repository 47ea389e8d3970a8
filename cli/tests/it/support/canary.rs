//! A value that must not get anywhere, in every form that programs write values in.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// Each form with its name.
pub(crate) struct Canary(Vec<(&'static str, Vec<u8>)>);

impl Canary {
    pub(crate) fn new(value: &str) -> Self {
        let bytes = value.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let json = serde_json::to_string(value).unwrap();
        let json = json[1..json.len() - 1].to_owned();
        let ascii: String = value
            .chars()
            .map(|c| match c {
                c if c.is_ascii() => c.to_string(),
                c => format!("\\u{:04x}", u32::from(c)),
            })
            .collect();
        let mut forms = vec![
            ("the text", bytes.to_vec()),
            ("the JSON text", json.into_bytes()),
            (
                "the Rust text",
                value.escape_debug().to_string().into_bytes(),
            ),
            ("the escaped text", ascii.into_bytes()),
            ("hex", hex.clone().into_bytes()),
            ("upper-case hex", hex.to_uppercase().into_bytes()),
            ("the URL text", percent(value, "%20").into_bytes()),
            ("the form text", percent(value, "+").into_bytes()),
        ];
        // What is encoded together with what stands before it: at each of three offsets, without the
        // letters that neighbours share.
        for offset in 0..3 {
            let shifted = [&vec![0; offset], bytes].concat();
            let first = [0, 2, 3][offset];
            for encoded in [STANDARD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
                let whole = shifted.len() * 8 / 6;
                forms.push(("base64", encoded.as_bytes()[first..whole].to_vec()));
            }
        }
        Self(forms)
    }

    /// The first form that is found.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> Option<&'static str> {
        let found = self.0.iter().find(|(_, form)| contains(bytes, form));
        found.map(|(name, _)| *name)
    }
}

fn contains(bytes: &[u8], form: &[u8]) -> bool {
    let Some(first) = form.first() else {
        return false;
    };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(form) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

fn percent(value: &str, space: &str) -> String {
    let encode = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(*byte).to_string()
        }
        b' ' => space.to_owned(),
        other => format!("%{other:02X}"),
    };
    value.as_bytes().iter().map(encode).collect()
}

#[test]
fn a_canary_is_found_in_every_form() {
    let value = "a\"b ä/c+d?e";
    let canary = Canary::new(value);
    for text in [
        format!("x{value}y"),
        serde_json::to_string(value).unwrap(),
        STANDARD.encode(format!("key={value}")),
        STANDARD.encode(format!("ke={value};")),
        STANDARD.encode(format!("k={value};;")),
        "61226220c3a42f632b643f65".to_owned(),
        "61226220C3A42F632B643F65".to_owned(),
        "a%22b%20%C3%A4%2Fc%2Bd%3Fe".to_owned(),
    ] {
        assert!(canary.in_bytes(text.as_bytes()).is_some(), "{text}");
    }
    assert!(canary.in_bytes(b"a b c d e").is_none());
}
