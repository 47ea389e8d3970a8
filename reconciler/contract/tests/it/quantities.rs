//! Amounts: one amount, one text; every text that is printed is read back.

use proptest::prelude::*;
use starform_contract::quantity::{Cpu, Duration, Memory};

#[test]
fn spellings_of_one_amount_are_one_text() {
    for (written, printed) in [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("250m", "250m"),
        ("2", "2"),
        (".5", "500m"),
        ("1.", "1"),
        ("+0.25", "250m"),
        ("100000u", "100m"),
        ("50000000n", "50m"),
        ("1e-1", "100m"),
        ("1.5e0", "1500m"),
        ("1k", "1000"),
        ("2E3", "2000"),
    ] {
        assert_eq!(written.parse::<Cpu>().unwrap().to_string(), printed);
    }
    for (written, printed) in [
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("500M", "500M"),
        ("1024", "1Ki"),
        ("7", "7"),
        ("129e6", "129M"),
        ("1.5E9", "1500M"),
        ("134217728000m", "128Mi"),
    ] {
        assert_eq!(written.parse::<Memory>().unwrap().to_string(), printed);
    }
    for (written, printed) in [
        ("60s", "1m"),
        ("90s", "90s"),
        ("1h30m", "90m"),
        ("24h", "1d"),
        ("0s", "0s"),
    ] {
        assert_eq!(written.parse::<Duration>().unwrap().to_string(), printed);
    }
}

#[test]
fn what_is_no_amount_is_refused() {
    for text in [
        "",
        "m",
        "1.0001",
        "-1",
        "1.5m",
        "100n",
        ".",
        "+",
        "1e",
        "1e3m",
        "1E+",
        "1.2.3",
        "--1",
        "1e99",
        "９",
        "9007199254740992",
    ] {
        assert!(text.parse::<Cpu>().is_err(), "{text}");
    }
    for text in [
        "",
        "Mi",
        "1mi",
        "-1",
        "0.3",
        "400m",
        "1 Gi",
        "1MB",
        "1K",
        "1KI",
        "1e30",
        "9007199254740992",
    ] {
        assert!(text.parse::<Memory>().is_err(), "{text}");
    }
    for text in [
        "",
        "5",
        "s",
        "1s1m",
        "1s1s",
        "-1s",
        "1.5h",
        "366d",
        "99999999999s",
    ] {
        assert!(text.parse::<Duration>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn printed_amounts_are_read_back(n in 0u64..(1 << 53), seconds in 0u32..=365 * 86_400) {
        let (cpu, memory) = (Cpu::from_millicores(n), Memory::from_bytes(n));
        prop_assert_eq!(cpu.to_string().parse::<Cpu>().unwrap(), cpu);
        prop_assert_eq!(memory.to_string().parse::<Memory>().unwrap(), memory);
        let duration = Duration::from_secs(seconds);
        prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,12}") {
        let _ = (text.parse::<Cpu>(), text.parse::<Memory>(), text.parse::<Duration>());
    }
}
