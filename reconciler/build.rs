//! Rebuilds the crate when a migration is added; `sqlx::migrate!` reads the folder at compile time.
//!
//! Effects: none but the line that cargo reads.

// Cargo reads build instructions from standard output.
#[allow(clippy::print_stdout)]
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
