//! Columns in both encodings: whatever stands before a place, and however lines end, both sides mean the same bytes.
//! Effects: starts the built program. Random edits come from a seed that failures print.
//! Read on in `starform_dsl::ide::Encoding`.

use serde_json::{Value, json};

use super::editor::{Editor, ROOT, replaced};

/// Two units in UTF-16 and four bytes; a letter and a mark on it; lines that end in three ways.
const WIDE: &str = "project shop {\r\n  environment production branch=main /* 😀 */ ; x-😀 \"e\u{301}\" 😀=é\r\n  \
    var-group shared { /* 👩‍🚀 */ LOG_LEVEL \"ä😀\"; }\n  /* 𝒳 */ web api {\r    image \"ghcr.io/acme/api:1.4.2\"; /* e\u{301}é */ port 8080\r\n    \
    /* 😀😀 */ use /* ä */ shared\n  }\n  worker jobs {\n    image \"ghcr.io/acme/jobs:1.4.2\"\n    \
    vars { NOTE \"😀\"; API (template)\"😀 {api.private-url}\"; }\n  }\n}\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    Bytes,
    Utf16,
}

const BOTH: [(Units, &str); 2] = [(Units::Bytes, "utf-8"), (Units::Utf16, "utf-16")];

impl Units {
    fn count(self, text: &str) -> u32 {
        match self {
            Units::Bytes => text.len() as u32,
            Units::Utf16 => text.chars().map(|letter| letter.len_utf16() as u32).sum(),
        }
    }

    /// The place of an offset, by what the protocol calls a line.
    fn place(self, text: &str, offset: usize) -> (u32, u32) {
        let (mut line, mut start) = (0, 0);
        let ends = text[..offset].char_indices().filter(|(index, letter)| {
            let after = text[index + letter.len_utf8()..].chars().next();
            *letter == '\n' || (*letter == '\r' && after != Some('\n'))
        });
        for (index, _) in ends.collect::<Vec<_>>() {
            (line, start) = (line + 1, index + 1);
        }
        (line, self.count(&text[start..offset]))
    }

    /// The offset of a place that the server names.
    fn offset(self, text: &str, place: (u32, u32)) -> usize {
        let mut offsets = (0..=text.len()).filter(|&offset| text.is_char_boundary(offset));
        offsets
            .find(|&offset| self.place(text, offset) == place)
            .unwrap()
    }
}

/// The nearest offset before that an editor can name: none lies inside a character or between CR and LF.
fn addressable(text: &str, offset: usize) -> usize {
    let offset = text.floor_char_boundary(offset);
    let inside = text[..offset].ends_with('\r') && text[offset..].starts_with('\n');
    offset - usize::from(inside)
}

fn place_of(position: &Value) -> (u32, u32) {
    let number = |name: &str| position[name].as_u64().unwrap() as u32;
    (number("line"), number("character"))
}

/// The texts under ranges that the server names.
fn under<'t>(units: Units, text: &'t str, range: &Value) -> &'t str {
    let start = units.offset(text, place_of(&range["start"]));
    &text[start..units.offset(text, place_of(&range["end"]))]
}

/// The texts of semantic tokens.
fn tokens(units: Units, text: &str, answer: &Value) -> Vec<(String, u64)> {
    let numbers: Vec<u64> = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_u64().unwrap())
        .collect();
    let mut at = (0, 0);
    let mut found = Vec::new();
    for token in numbers.chunks(5) {
        let column = if token[0] == 0 { at.1 } else { 0 };
        at = (at.0 + token[0] as u32, column + token[1] as u32);
        let start = units.offset(text, at);
        let end = units.offset(text, (at.0, at.1 + token[2] as u32));
        found.push((text[start..end].to_owned(), token[3]));
    }
    found
}

#[test]
fn both_encodings_mean_the_same_bytes() {
    let mut coloured = Vec::new();
    for (units, name) in BOTH {
        let mut editor = Editor::open(WIDE, &[name]);
        editor.diagnostics(ROOT);
        let at = |needle: &str, after: usize| units.place(WIDE, WIDE.find(needle).unwrap() + after);
        let (line, column) = at("{api.private", 2);
        let found = editor.ask_at("textDocument/definition", line, column);
        assert_eq!(under(units, WIDE, &found[0]["range"]), "api");
        let (line, column) = at("use /* ä */ sh", "use /* ä */ sh".len());
        let found = editor.ask_at("textDocument/definition", line, column);
        assert_eq!(under(units, WIDE, &found[0]["range"]), "shared");
        let found = editor.ask_at("textDocument/completion", line, column);
        assert_eq!(under(units, WIDE, &found[0]["textEdit"]["range"]), "shared");
        let hover = editor.ask_at("textDocument/hover", line, column);
        assert_eq!(under(units, WIDE, &hover["range"]), "shared");
        let (line, column) = at("api {", 0);
        let mut ask = editor.at(line, column);
        ask["newName"] = json!("front");
        let edits = editor.ask("textDocument/rename", ask)["changes"][editor.uri()].clone();
        let mut edits: Vec<(usize, usize, &str)> = edits
            .as_array()
            .unwrap()
            .iter()
            .map(|edit| {
                let place = |name: &str| units.offset(WIDE, place_of(&edit["range"][name]));
                (
                    place("start"),
                    place("end"),
                    edit["newText"].as_str().unwrap(),
                )
            })
            .collect();
        edits.sort_unstable();
        let mut renamed = WIDE.to_owned();
        for (start, end, text) in edits.into_iter().rev() {
            renamed.replace_range(start..end, text);
        }
        assert!(
            renamed.contains("web front") && renamed.contains("{front.private-url}"),
            "{renamed}"
        );
        let answer = editor.whole("textDocument/semanticTokens/full");
        coloured.push(tokens(units, WIDE, &answer));
        editor.close();
    }
    assert_eq!(coloured[0], coloured[1]);
    let words: Vec<&str> = coloured[0].iter().map(|(word, _)| word.as_str()).collect();
    assert!(
        words.contains(&"private-url") && words.contains(&"\"e\u{301}\""),
        "{words:?}"
    );
}

/// Halves of characters and places behind a line's end are taken to the nearest place before.
#[test]
fn places_that_are_none_are_taken_to_one() {
    for (units, name) in BOTH {
        let mut editor = Editor::open("/* 😀 */ x\r\ny\r\n", &[name]);
        editor.diagnostics(ROOT);
        let half = 4;
        editor.change(
            ROOT,
            &[
                replaced((0, half), (0, half), "a"),
                replaced((1, 99), (7, 7), "z\n"),
            ],
        );
        let _ = editor.diagnostics(ROOT);
        let answer = editor.whole("textDocument/semanticTokens/full");
        let text = "/* a😀 */ x\r\nyz\n";
        let words: Vec<String> = tokens(units, text, &answer)
            .into_iter()
            .map(|(word, _)| word)
            .collect();
        assert_eq!(words, ["/* a😀 */", "x", "yz"]);
        editor.close();
    }
}

#[test]
fn many_small_edits_are_the_same_as_the_whole_text() {
    const PIECES: [&str; 12] = [
        "",
        "😀",
        "e\u{301}",
        "\r\n",
        "\n",
        "\r",
        "{",
        "}",
        "\"",
        "port 80",
        "web x",
        "(ref)\"api.host\"",
    ];
    for (units, name) in BOTH {
        let seed: u64 = 0x5eed_0001;
        let mut state = seed;
        let mut random = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let (mut typing, mut pasting) = (Editor::open(WIDE, &[name]), Editor::open(WIDE, &[name]));
        let mut text = WIDE.to_owned();
        for round in 0..60 {
            let edits = (0..1 + random(4)).map(|_| {
                let mut at = [random(text.len() + 1), 0];
                at[1] = (at[0] + random(9)).min(text.len());
                let [start, end] = at.map(|offset| addressable(&text, offset));
                let piece = PIECES[random(PIECES.len())];
                let edit = replaced(units.place(&text, start), units.place(&text, end), piece);
                text.replace_range(start..end, piece);
                edit
            });
            typing.change(ROOT, &edits.collect::<Vec<_>>());
            pasting.change(ROOT, &[json!({"text": text})]);
            let state = |editor: &mut Editor| {
                let said = editor.diagnostics(ROOT);
                let tokens = editor.whole("textDocument/semanticTokens/full");
                let said = said
                    .iter()
                    .map(|said| (said["code"].clone(), said["range"].clone()));
                (
                    said.collect::<Vec<_>>(),
                    tokens,
                    editor.whole("textDocument/documentSymbol"),
                )
            };
            assert_eq!(
                state(&mut typing),
                state(&mut pasting),
                "seed {seed:#x}, round {round}, {name}: {text:?}"
            );
        }
        typing.close();
        pasting.close();
    }
}
