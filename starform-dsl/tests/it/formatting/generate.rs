//! Documents of any shape and any layout, made from a seed.
//! Pure. Every document is KDL v2 without mistakes; the same seed gives the same text.
//! Read on in `super::laws`, which formats them.

/// A generator of numbers that are as good as random for layouts (SplitMix64).
pub(crate) struct Dice(u64);

/// How deep blocks go.
const DEPTH: usize = 4;

const NAMES: &[&str] = &[
    "node",
    "a",
    "web",
    "-dash",
    "x.y",
    "\"quoted name\"",
    "#\"raw\"#",
    "caf\u{e9}",
    "\"\"",
    "r",
    "+",
    "contract",
];
const VALUES: &[&str] = &[
    "word",
    "1",
    "0x1F",
    "1_000",
    "-1.5e3",
    "0b1010",
    "+7",
    "#true",
    "#false",
    "#null",
    "#inf",
    "\"text\"",
    "\"\"",
    "\"a \\\"b\\\" \\n \\u{e9}\"",
    "#\"C:\\dir\"#",
    "##\"a \"# b\"##",
    "\"\\   \n  gone\"",
    "\"\"\"\n  one\n    two\n  \"\"\"",
    "\"\"\"\r\n\tx \r\n\t\"\"\"",
    "#\"\"\"\n//not a comment\n\"\"\"#",
    "\u{1f642}",
    "<->",
];
const SPACES: &[&str] = &[" ", " ", " ", "  ", "\t", " \u{a0}", "   "];
const LINE_ENDS: &[&str] = &[
    "\n", "\n", "\n", "\r\n", "\n\n", "\n\n\n\n", " \n", "\t\n \n", "\r", "\u{85}", "\u{2028}",
];
const BLOCK_COMMENTS: &[&str] = &[
    "/* c */",
    "/**/",
    "/* /* nested */ */",
    "/* two\n   lines */",
    "/*- ; { */",
    "/* ends */",
];
const LINE_COMMENTS: &[&str] = &[
    "// c",
    "//",
    "//  spaced  ",
    "// } ; \"",
    "/// doc",
    "//\ttab\t",
];

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A document of KDL v2.
pub(crate) fn document(dice: &mut Dice) -> String {
    let mut out = String::new();
    if dice.once_in(20) {
        out.push('\u{feff}');
    }
    if dice.once_in(10) {
        out.push_str("/- kdl-version 2\n");
    }
    nodes(dice, &mut out, 0);
    out
}

fn nodes(dice: &mut Dice, out: &mut String, depth: usize) {
    let count = dice.below(5);
    for _ in 0..count {
        between(dice, out);
        if dice.once_in(12) {
            out.push_str("/-");
            line_space(dice, out);
        }
        node(dice, out, depth);
        end(dice, out);
    }
    if depth > 0 && count > 0 && dice.once_in(4) {
        node(dice, out, depth);
    }
    between(dice, out);
}

/// White space and comments where a node may begin.
fn between(dice: &mut Dice, out: &mut String) {
    for _ in 0..dice.below(3) {
        match dice.below(6) {
            0 => out.push_str(dice.pick(SPACES)),
            1 | 2 => out.push_str(dice.pick(LINE_ENDS)),
            3 => {
                out.push(' ');
                out.push_str(dice.pick(BLOCK_COMMENTS));
                out.push_str(dice.pick(SPACES));
            }
            4 => {
                out.push_str(dice.pick(LINE_COMMENTS));
                out.push_str(dice.pick(LINE_ENDS).trim_start_matches([' ', '\t']));
            }
            _ => continued(dice, out),
        }
    }
}

fn node(dice: &mut Dice, out: &mut String, depth: usize) {
    annotation(dice, out);
    out.push_str(dice.pick(NAMES));
    let short = dice.once_in(2);
    for _ in 0..dice.below(if short { 2 } else { 6 }) {
        space(dice, out);
        if dice.once_in(12) {
            out.push_str("/-");
            line_space(dice, out);
        }
        entry(dice, out);
    }
    if dice.once_in(15) {
        space(dice, out);
        out.push_str("/-");
        line_space(dice, out);
        block(dice, out, depth);
    }
    if depth < DEPTH && dice.once_in(3) {
        space(dice, out);
        block(dice, out, depth);
    }
    if dice.once_in(6) {
        space(dice, out);
    }
}

fn block(dice: &mut Dice, out: &mut String, depth: usize) {
    out.push('{');
    if depth < DEPTH {
        if dice.once_in(2) {
            out.push_str(dice.pick(LINE_ENDS));
            nodes(dice, out, depth + 1);
        } else {
            for _ in 0..dice.below(3) {
                out.push_str(dice.pick(&[
                    "a 1;",
                    " b x=2;",
                    "c (t)\"y\" ;",
                    " d { e; };",
                    " /- f;",
                    " g /-1 2; ",
                ]));
            }
            out.push_str(dice.pick(&["", " ", " last 1", "/* c */"]));
        }
    }
    out.push('}');
}

fn entry(dice: &mut Dice, out: &mut String) {
    if dice.once_in(2) {
        out.push_str(dice.pick(NAMES));
        maybe_space(dice, out);
        out.push('=');
        maybe_space(dice, out);
    }
    annotation(dice, out);
    out.push_str(dice.pick(VALUES));
}

fn annotation(dice: &mut Dice, out: &mut String) {
    if dice.once_in(8) {
        out.push('(');
        maybe_space(dice, out);
        out.push_str(dice.pick(&["t", "\"u8\"", "ref"]));
        maybe_space(dice, out);
        out.push(')');
        maybe_space(dice, out);
    }
}

fn maybe_space(dice: &mut Dice, out: &mut String) {
    if dice.once_in(6) {
        space(dice, out);
    }
}

/// White space inside a node. A comment that touches a word would be taken for a part of it.
fn space(dice: &mut Dice, out: &mut String) {
    out.push_str(dice.pick(SPACES));
    if dice.once_in(8) {
        out.push_str(dice.pick(BLOCK_COMMENTS));
        out.push_str(dice.pick(SPACES));
    }
    if dice.once_in(10) {
        continued(dice, out);
    }
}

/// White space after `/-`, where lines may end.
fn line_space(dice: &mut Dice, out: &mut String) {
    if dice.once_in(3) {
        out.push(' ');
        between(dice, out);
    }
}

fn continued(dice: &mut Dice, out: &mut String) {
    out.push_str(dice.pick(&[
        " \\\n",
        " \\\n  ",
        "\t\\  \r\n ",
        " \\ // why\n  ",
        " \\ /* c */\n",
        " \\\n \\\n",
    ]));
}

fn end(dice: &mut Dice, out: &mut String) {
    match dice.below(6) {
        0 => out.push(';'),
        1 => out.push_str(" ; "),
        2 => {
            out.push(' ');
            out.push_str(dice.pick(LINE_COMMENTS));
            out.push('\n');
        }
        3 => {
            out.push(' ');
            out.push_str(dice.pick(BLOCK_COMMENTS));
            out.push_str(dice.pick(LINE_ENDS));
        }
        _ => out.push_str(dice.pick(LINE_ENDS)),
    }
}
