//! The annotations that give the text of a variable a meaning: `(ref)`, `(template)`, `(secret)`, `(generate)`.
//! Pure. Without one a value is a literal; any other word is refused.
//! Read on in `super::VarValue` for what the meanings are.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotation {
    Ref,
    Template,
    Secret,
    Generate,
}

impl Annotation {
    /// In the order in which they are offered.
    pub const ALL: [Annotation; 4] = [
        Annotation::Ref,
        Annotation::Template,
        Annotation::Secret,
        Annotation::Generate,
    ];

    /// As the file writes it, without its parentheses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Annotation::Ref => "ref",
            Annotation::Template => "template",
            Annotation::Secret => "secret",
            Annotation::Generate => "generate",
        }
    }

    pub fn parse(word: &str) -> Option<Annotation> {
        Annotation::ALL
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}
