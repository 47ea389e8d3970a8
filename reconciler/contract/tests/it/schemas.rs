//! `schemas/` holds exactly what the types generate.

use std::{env, fs, path::Path};

#[test]
fn schemas_are_what_the_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    for (file, schema) in starform_contract::schema::all() {
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
