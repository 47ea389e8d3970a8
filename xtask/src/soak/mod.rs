//! `cargo xtask soak`: laws and loops at full size, of which `test` runs a slice.
//!
//! Effects: as the soak that is named. Always holds: every entry runs the real thing and fails where its law does.
//! Read on in the module of each soak.

mod agent;
mod claims;
mod counts;
mod faults;
pub mod fmt;
mod isolation;
mod killed;
mod language;
mod objects;
mod pair;
mod plans;
pub mod testbed;
mod truth;

use anyhow::{Result, bail};

struct Soak {
    name: &'static str,
    run: fn() -> Result<()>,
}

const SOAKS: &[Soak] = &[
    Soak {
        name: "agent",
        run: agent::run,
    },
    Soak {
        name: "agent-faults",
        run: faults::run,
    },
    Soak {
        name: "agent-killed",
        run: killed::run,
    },
    Soak {
        name: "agent-pair",
        run: pair::run,
    },
    Soak {
        name: "claims",
        run: claims::run,
    },
    Soak {
        name: "counts",
        run: counts::run,
    },
    Soak {
        name: "fmt",
        run: fmt::run,
    },
    Soak {
        name: "isolation",
        run: isolation::run,
    },
    Soak {
        name: "language",
        run: language::run,
    },
    Soak {
        name: "objects",
        run: objects::run,
    },
    Soak {
        name: "plans",
        run: plans::run,
    },
    Soak {
        name: "testbed",
        run: testbed::run,
    },
    Soak {
        name: "truth",
        run: truth::run,
    },
];

/// Runs one soak, or all of them.
///
/// # Errors
/// Where no soak has that name, or a law does not hold.
pub fn run(name: Option<&str>) -> Result<()> {
    let chosen: Vec<&Soak> = SOAKS
        .iter()
        .filter(|soak| name.is_none_or(|name| name == soak.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = SOAKS.iter().map(|soak| soak.name).collect();
        bail!(
            "there is no soak {}; there are: {}",
            name.unwrap_or_default(),
            names.join(", ")
        );
    }
    for soak in chosen {
        (soak.run)()?;
        println!("{}: held", soak.name);
    }
    Ok(())
}
