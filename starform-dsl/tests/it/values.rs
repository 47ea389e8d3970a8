//! What single values are taken and refused, as tables.
//! Pure.
//! Read on in `ui` for how refusals are worded.

use starform_dsl::values::{
    cron, host,
    image::{self, Pin},
    timezone, words,
};
use starform_dsl::vars::{
    Output, Reference, Target,
    credential::{self, Sign},
    template::{self, Part},
};

#[test]
fn schedules_follow_kubernetes_own_grammar() {
    let taken = [
        "* * * * *",
        "*/15 0-23/2 1,15 JAN-mar Sun",
        "0 0 ? * 6",
        "5/10 * 31 12 0",
        "  30 3 * * *  ",
        "0-59 23 1-31 1-12 0-6",
    ];
    for text in taken {
        assert_eq!(cron::check(text), Ok(()), "{text}");
    }
    let refused = [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * -1",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/ * * * *",
        "1,,2 * * * *",
        "a * * * *",
        "* * * sun *",
        "@every 5m",
        "@weekly",
        "TZ=UTC * * * * *",
        "+1 * * * *",
        "1-2-3 * * * *",
        "L * * * *",
        "* * 15W * *",
        "* * * * mon#1",
    ];
    for text in refused {
        assert!(cron::check(text).is_err(), "{text}");
    }
}

#[test]
fn hosts_are_names_that_certificates_and_routes_take() {
    let long = format!("{}.example", "a".repeat(63));
    for text in [
        "shop.example",
        "a.b.c.example",
        "*.shop.example",
        "xn--bcher-kva.example",
        "1a.example",
        &long,
    ] {
        assert_eq!(host::check(text), Ok(()), "{text}");
    }
    let whole = format!("{}.aaaaa", ["a".repeat(61).as_str(); 4].join("."));
    assert_eq!((whole.len(), host::check(&whole)), (253, Ok(())));
    let too_long = format!("{}.example", "a".repeat(64));
    let refused = [
        "",
        "shop",
        "Shop.example",
        "shop.example.",
        "https://shop.example",
        "shop.example/x",
        "shop.example:80",
        "*",
        "*.",
        "a.*.example",
        "**.example",
        "-a.example",
        "a-.example",
        "a..example",
        "a_b.example",
        "bücher.example",
        "10.0.0.1",
        "xn--99999999.example",
        "shop example",
        "::1",
        "[::1]:80",
        "127.1",
        "//shop.example",
        "xn--.example",
        "XN--bcher-kva.example",
        "*.example",
        "user@shop.example",
        &too_long,
        &format!("b{whole}"),
    ];
    for text in refused {
        assert!(host::check(text).is_err(), "{text}");
    }
}

#[test]
fn images_are_what_registries_take() {
    let digest = format!("sha256:{}", "0f".repeat(32));
    let pinned = format!("localhost:5000/a/b_c__d--e.f:1@{digest}");
    let taken = [
        ("redis", Pin::Latest),
        ("redis:latest", Pin::Latest),
        ("redis:8.0-alpine", Pin::Tag),
        ("ghcr.io/acme/api:1.4.2", Pin::Tag),
        ("localhost:5000/api", Pin::Latest),
        (pinned.as_str(), Pin::Digest),
    ];
    for (text, pin) in taken {
        assert_eq!(image::parse(text), Ok(pin), "{text}");
    }
    let refused = [
        "",
        "a b",
        "https://ghcr.io/a",
        "Redis",
        "a/B",
        "a:",
        "a:-1",
        "a@sha256:12",
        "a@md5:12",
        "/a",
        "a/",
        "a//b",
        "a..b",
        "a___b",
        "-a",
        "ghcr.io:port/a",
        "ghcr..io/a",
        "a:b:c",
    ];
    for text in refused {
        assert!(image::parse(text).is_err(), "{text}");
    }
    let long = format!("a:{}", "t".repeat(129));
    assert!(image::parse(&long).is_err());
}

#[test]
fn commands_are_split_as_a_shell_splits_them() {
    let taken: [(&str, &[&str]); 14] = [
        ("bin/server", &["bin/server"]),
        ("  a\tb  c ", &["a", "b", "c"]),
        ("a 'b c' \"d e\"", &["a", "b c", "d e"]),
        ("a b'c'\"d\"e", &["a", "bcde"]),
        ("a '' \"\"", &["a", "", ""]),
        (
            r#"a \$b "\$c \" \\ \d" '$e'"#,
            &["a", "$b", r#"$c " \ \d"#, "$e"],
        ),
        ("a --x=~/y b#c", &["a", "--x=~/y", "b#c"]),
        ("a KEY=value", &["a", "KEY=value"]),
        ("a \\\n  b", &["a", "b"]),
        ("a\\\nb \"c\\\nd\" 'e\\\nf'", &["ab", "cd", "e\\\nf"]),
        ("\\\n a \\\n", &["a"]),
        ("a 'b\nc'", &["a", "b\nc"]),
        ("'if' then do", &["if", "then", "do"]),
        ("sh -c 'a | b && c > $D'", &["sh", "-c", "a | b && c > $D"]),
    ];
    for (text, expected) in taken {
        assert_eq!(
            words::split(text).as_deref(),
            Ok(expected.map_into().as_slice()),
            "{text}"
        );
    }
    let refused = [
        "",
        "   ",
        "a | b",
        "a && b",
        "a; b",
        "a &",
        "a > b",
        "a < b",
        "(a)",
        "a $B",
        "a \"$B\"",
        "a `b`",
        "a \"`b`\"",
        "a *",
        "a b?",
        "a [b]",
        "~/a",
        "#a",
        "A=1 b",
        "a 'b",
        "a \"b",
        "a \\",
        "a\nb",
        "\n",
        "a > b 2>&1",
        "a || b",
        "a <<E",
        "! a",
        "{ a }",
        "if a",
        "while a",
        "~",
        "a ~",
        "a # b",
        "a \"$(b)\"",
    ];
    for text in refused {
        assert!(words::split(text).is_err(), "{text:?}");
    }
}

trait MapInto {
    fn map_into(self) -> Vec<String>;
}

impl MapInto for &[&str] {
    fn map_into(self) -> Vec<String> {
        self.iter().map(|word| (*word).to_owned()).collect()
    }
}

#[test]
fn time_zones_are_those_of_the_list() {
    let names: Vec<&str> = timezone::names().collect();
    assert!(
        names.len() > 590 && names.is_sorted(),
        "looked up by halves"
    );
    for known in [
        "UTC",
        "Europe/Lisbon",
        "Etc/GMT+5",
        "America/Argentina/Buenos_Aires",
    ] {
        assert!(timezone::is_known(known), "{known}");
    }
    for unknown in [
        "",
        "Local",
        "utc",
        "Lisbon",
        "Europe/lisbon",
        "Factory",
        "+01:00",
    ] {
        assert!(!timezone::is_known(unknown), "{unknown}");
    }
}

#[test]
fn references_and_templates_say_where_they_are_wrong() {
    let reference = Reference::parse("catalog.private-url").expect("a reference");
    assert_eq!(reference.target, Target::Service("catalog".to_owned()));
    assert_eq!(reference.output, Output::PrivateUrl);
    for text in ["", "a", ".host", "a.", "a. host", "a.nothing"] {
        assert!(Reference::parse(text).is_err(), "{text}");
    }
    let (parts, mistakes) = template::parse("a {{b}} {self.host}:{x.port}");
    assert!(mistakes.is_empty());
    assert_eq!(parts[0], Part::Text("a {b} ".to_owned()));
    assert!(
        matches!(&parts[1], Part::Reference(own, range) if own.target == Target::Own && *range == (9..18))
    );
    assert_eq!(parts[2], Part::Text(":".to_owned()));
    let (_, mistakes) = template::parse("} {x.nothing} {x");
    let places: Vec<_> = mistakes
        .iter()
        .map(template::InvalidTemplate::range)
        .collect();
    assert_eq!(places, [0..1, 5..12, 14..15]);
}

#[test]
fn credentials_are_told_from_settings() {
    let secret = [
        ("DB_PASSWORD", "hunter22", Sign::Key),
        ("token", "abcdef1", Sign::Key),
        ("MY_API_KEY", "0123456", Sign::Key),
        ("ANY", "ghp_0123456789abcdef", Sign::Form),
        ("ANY", "-----BEGIN RSA PRIVATE KEY-----", Sign::Form),
        ("ANY", "redis://:secret@cache:6379", Sign::Address),
        ("ANY", "q3Zt8LmX0vRk5YbN2wHs7PdQ1aJc", Sign::Random),
        ("DB_PASSWORD", "1234", Sign::Key),
        ("apiToken", "abcdefgh", Sign::Key),
        ("dbPassword", "hunter2", Sign::Key),
        ("SMTP_PASS", "hunter2", Sign::Key),
        ("MY_PASSPHRASE", "correct horse", Sign::Key),
        ("PASSWORD_OLD", "hunter2", Sign::Key),
        ("ANY", "--token=ghp_0123456789abcdef", Sign::Form),
        ("ANY", "sk-proj-4f7a9c2e1b8d", Sign::Form),
        (
            "ANY",
            "a\n-----BEGIN PGP PRIVATE KEY BLOCK-----\nb",
            Sign::Form,
        ),
    ];
    for (key, value, sign) in secret {
        assert_eq!(credential::sign(key, value), Some(sign), "{key} {value}");
    }
    let settings = [
        ("TOKEN_TTL", "3600"),
        ("PASSWORD_FILE", "/run/secrets/p"),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("PASSWORD", ""),
        ("URL", "https://shop.example/a?b=c"),
        ("URL", "postgres://shop@db.example/shop"),
        ("COMMIT", "9c1e4b7a2f5d8c3e6b9a0d1f4c7e2b5a8d3f6c9e"),
        ("ID", "6f1c1f0e-5d0b-4c7b-9a3e-2d1f0c9b8a7e"),
        ("GREETING", "Welcome to the shop of 1000 things"),
        ("MONKEY", "business"),
        ("CLASS", "ExampleOfALongJavaClassNameFactory2"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("PASSWORD_RESET_URL", "https://shop.example/reset"),
        ("REGIONS", "EUROPE,ASIA-PACIFIC-REGIONS"),
        (
            "CERTIFICATE",
            "-----BEGIN CERTIFICATE-----\nMIIB1z\n-----END CERTIFICATE-----",
        ),
        (
            "DIGEST",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            "ALPHABET",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        ),
        ("BROKERS", "kafka-1.example:9092,kafka-2.example:9092"),
        ("TIME", "2026-11-21T15:43:15.123456Z"),
        ("COMPASS", "north"),
    ];
    for (key, value) in settings {
        assert_eq!(credential::sign(key, value), None, "{key} {value}");
    }
}
