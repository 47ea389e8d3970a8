//! `schemas/` holds exactly what the types generate, and a plan reads back as what was written.
//!
//! Effects: reads `schemas/`; rewrites it where `UPDATE_GOLDEN` is set.

// The crate is pure; its tests compare with files.
#![allow(clippy::disallowed_methods)]

use std::{collections::BTreeMap, env, fs, path::Path};

use starform_plan::document::Plans;

use super::world::World;
use crate::sample;

#[test]
fn schemas_are_what_the_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    for (file, schema) in starform_plan::schema::all() {
        let path = folder.join(file);
        let wanted = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &wanted).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == wanted,
            "schemas/{file} is not what the types say; UPDATE_GOLDEN=1 rewrites it"
        );
    }
}

#[test]
fn a_plan_reads_back_as_what_was_written() {
    let plan = World::having(&sample::shop()).propose(&{
        let mut next = sample::shop();
        next.services.remove(1);
        next.protect = true;
        next
    });
    let plans = Plans::new(vec![plan.plan], BTreeMap::new());
    let text = serde_json::to_string(&plans).unwrap();
    assert_eq!(serde_json::from_str::<Plans>(&text).unwrap(), plans);
}
