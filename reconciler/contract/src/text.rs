//! Values whose JSON is the one text that people write and read: from it, to it, and nothing else when they are shown.
//!
//! Pure.

/// For a type with `Display` and `FromStr` under `#[serde(try_from = "String", into = "String")]`.
macro_rules! text_form {
    ($name:ty, $error:ty) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

pub(crate) use text_form;
