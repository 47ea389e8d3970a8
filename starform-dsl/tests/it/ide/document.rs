//! Places of an editor and offsets of a text lead to each other, and changes are applied as the protocol says.
//! Pure.
//! Read on in `starform_dsl::ide::Document`.

use starform_dsl::ide::{Change, Document, EditorPosition, Encoding};

use super::{FILE, offset, tree};

fn place(line: u32, character: u32) -> EditorPosition {
    EditorPosition { line, character }
}

#[test]
fn places_and_offsets_agree_in_both_encodings() {
    let text = "a ä 😀 z\r\nsecond\n\nlast";
    let sources = tree(text);
    let file = sources.file(FILE);
    for encoding in [Encoding::Utf8, Encoding::Utf16] {
        for (at, _) in text.char_indices() {
            let between = text[..at].ends_with('\r');
            if !between {
                let place = encoding.position(file, offset(at));
                let back = encoding.offset(file, place);
                assert_eq!(back, offset(at), "{encoding:?} {place:?}");
            }
        }
    }
    assert_eq!(Encoding::Utf16.offset(file, place(0, 6)), 9);
    assert_eq!(Encoding::Utf16.offset(file, place(0, 5)), 5);
    assert_eq!(Encoding::Utf8.offset(file, place(0, 99)), 11);
    assert_eq!(Encoding::Utf16.offset(file, place(99, 0)), 25);
}

#[test]
fn lines_are_those_of_the_protocol_and_a_byte_order_mark_is_a_character() {
    let text = "\u{feff}a\u{b}b\u{85}c\u{2028}d\re";
    let sources = tree(text);
    let file = sources.file(FILE);
    for (at, place) in [(3, place(0, 1)), (12, place(0, 7)), (14, place(1, 0))] {
        assert_eq!(Encoding::Utf16.position(file, offset(at)), place);
        assert_eq!(Encoding::Utf16.offset(file, place), offset(at));
    }
}

#[test]
fn each_change_is_made_in_what_the_one_before_left() {
    let change = |range: Option<(EditorPosition, EditorPosition)>, text: &str| Change {
        range,
        text: text.to_owned(),
    };
    let mut document = Document::new("a 😀 c\nd", 1);
    let changes = [
        change(Some((place(0, 4), place(0, 5))), ";"),
        change(Some((place(0, 5), place(1, 0))), "\n\n"),
        // The wrong way round: nothing is taken out.
        change(Some((place(2, 1), place(0, 0))), "!"),
    ];
    document.change(2, changes, Encoding::Utf16);
    assert_eq!((&**document.text(), document.version()), ("a 😀;\n\nd!", 2));
    document.change(3, [change(None, "anew")], Encoding::Utf8);
    assert_eq!(&**document.text(), "anew");
}
