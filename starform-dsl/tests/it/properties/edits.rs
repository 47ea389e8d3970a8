//! Edits of open documents, as an editor sends them: the text is what the edits say, and after each every question has
//! an answer.
//! Pure. A script is read from bytes, whatever they are; a second, plainer reading of the protocol says what the text is.
//! Read on in `questions`.

use std::collections::BTreeMap;
use std::sync::Arc;

use starform_dsl::ide::{Analysis, Change, Document, EditorPosition, Encoding};
use starform_dsl::source::SourceTree;

use super::pieces::{PIECES, WORDS};
use super::questions::ask;

/// Projects that are open at the beginning.
const OPEN: [&[(&str, &str)]; 5] = [
    &[("starform.kdl", "")],
    &[(
        "starform.kdl",
        "project p {\n  environment e branch=main\n  web api {\n    image \"a/b:1\"\n    port 8080\n  }\n}\n",
    )],
    &[
        (
            "parts/jobs.kdl",
            "worker jobs like=small {\n  image-of api\n  vars { A (ref)\"api.host\"; }\n}\n",
        ),
        (
            "starform.kdl",
            "project p {\r\n  environment e branch=main\r\n  include \"parts/*.kdl\"\r\n  partial small { scale 2; }\r\n  web api { image \"a/b:1\"; port 80; in e { scale 3; }; }\r\n}\r\n",
        ),
    ],
    &[(
        "starform.kdl",
        "project \u{e4} {\n  // \u{1f642} e\u{301}\n  var-group g { K \"\u{1f642}\"; A_TOKEN abc; }\r\r\n}\u{2028}x",
    )],
    &[
        ("a.kdl", "include \"b.kdl\"\n"),
        ("b.kdl", "include \"a.kdl\"\n"),
        ("starform.kdl", "project p { include \"a.kdl\" \"b.kdl\"; }"),
    ],
];

const MOST_STEPS: usize = 48;
const MOST_BYTES: usize = 16_384;

/// What is left of the bytes; a script that ends reads zeros.
struct Script<'b>(&'b [u8]);

impl<'b> Script<'b> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn position(&mut self) -> EditorPosition {
        EditorPosition {
            line: u32::from(self.byte()),
            character: u32::from(self.byte()),
        }
    }

    /// A piece of the language, a word of it, or the next bytes as they are.
    fn text(&mut self) -> String {
        let which = usize::from(self.byte());
        match which {
            0..128 => PIECES[which % PIECES.len()].to_owned(),
            128..224 => WORDS[which % WORDS.len()].to_owned(),
            _ => {
                let (taken, rest) = self.0.split_at(self.0.len().min(which - 223));
                self.0 = rest;
                String::from_utf8_lossy(taken).into_owned()
            }
        }
    }

    fn change(&mut self, step: u8) -> Change {
        let range = (!step.is_multiple_of(16)).then(|| {
            let start = self.position();
            let end = match step % 3 {
                0 => start,
                1 => EditorPosition {
                    character: start.character + u32::from(self.byte()),
                    ..start
                },
                _ => self.position(),
            };
            (start, end)
        });
        Change {
            range,
            text: self.text(),
        }
    }
}

pub(crate) fn check(bytes: &[u8]) {
    let mut script = Script(bytes);
    let first = script.byte();
    let encoding = match first & 1 {
        0 => Encoding::Utf8,
        _ => Encoding::Utf16,
    };
    let open = OPEN[usize::from(first >> 1) % OPEN.len()];
    let mut documents: BTreeMap<&str, Document> = open
        .iter()
        .map(|(path, text)| (*path, Document::new(*text, 0)))
        .collect();
    for version in 1..=MOST_STEPS {
        let step = script.byte();
        let (path, _) = open[usize::from(step >> 6) % open.len()];
        let document = documents.get_mut(path).expect("it is open");
        let changes = vec![script.change(step); usize::from(step.is_multiple_of(7)) + 1];
        let mut expected = document.text().to_string();
        for change in &changes {
            expected = changed(&expected, change, encoding);
        }
        if expected.len() > MOST_BYTES {
            break;
        }
        let version = i32::try_from(version).expect("few steps");
        document.change(version, changes, encoding);
        assert_eq!(**document.text(), expected);
        assert_eq!(document.version(), version);
        answers(&documents, path, script.position(), encoding);
        if script.0.is_empty() {
            break;
        }
    }
}

/// The text after a change, as the protocol says it.
fn changed(text: &str, change: &Change, encoding: Encoding) -> String {
    let Some((start, end)) = change.range else {
        return change.text.clone();
    };
    let start = offset(text, start, encoding);
    let end = offset(text, end, encoding).max(start);
    [&text[..start], &change.text, &text[end..]].concat()
}

/// Counts lines and units one after the other.
fn offset(text: &str, position: EditorPosition, encoding: Encoding) -> usize {
    let (mut line, mut units) = (0, 0);
    for (index, character) in text.char_indices() {
        if line == position.line {
            let width = encoding.len(character.encode_utf8(&mut [0; 4]));
            if matches!(character, '\r' | '\n') || units + width > position.character {
                return index;
            }
            units += width;
        }
        let pair = text[index..].starts_with("\r\n");
        line += u32::from(matches!(character, '\r' | '\n') && !pair);
    }
    text.len()
}

fn answers(
    documents: &BTreeMap<&str, Document>,
    path: &str,
    at: EditorPosition,
    encoding: Encoding,
) {
    let texts = documents
        .iter()
        .map(|(path, document)| ((*path).to_owned(), Arc::clone(document.text())));
    let analysis = Analysis::of(SourceTree::new(texts.collect()));
    let file = analysis.sources().find(path).expect("it is open");
    let at = encoding.offset(analysis.sources().file(file), at);
    ask(&analysis, file, at);
    super::said::check(analysis.sources(), analysis.diagnostics());
}
