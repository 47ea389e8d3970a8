//! The JSON Schema of documents takes every valid one and refuses mistakes of shape, as an independent validator sees it.
//! Reads `schemas`, `golden/ui` and `docs/errors`; with `UPDATE_GOLDEN=1` it writes `schemas/document.v1.json` anew.
//! Read on in `starform_dsl::schema`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value as Json, json};
use starform_dsl::source::{FileId, SourceTree};
use starform_dsl::table::{self, Args, NodeSpec, Type};
use starform_dsl::{compile, diag::Diagnostic, diag::codes, schema, syntax};

use crate::{examples, formatting::generate, pages, table::text_around, ui::cases};

/// Mistakes that lie in the form of a document alone: what stands where, and what a value looks like.
const OF_SHAPE: [codes::Code; 20] = [
    codes::NO_PROJECT,
    codes::SECOND_PROJECT,
    codes::MISPLACED_NODE,
    codes::UNKNOWN_NODE,
    codes::UNKNOWN_PROPERTY,
    codes::MISSING_ARGUMENT,
    codes::EXTRA_ARGUMENT,
    codes::WRONG_TYPE,
    codes::MISSING_PROPERTY,
    codes::DUPLICATE_NODE,
    codes::UNEXPECTED_BLOCK,
    codes::WRONG_KIND,
    codes::UNEXPECTED_ANNOTATION,
    codes::BAD_NAME,
    codes::NOT_ONE_OF,
    codes::BAD_TIME_ZONE,
    codes::BAD_VARIABLE_NAME,
    codes::RESERVED_VARIABLE,
    codes::NUMBER_NEEDS_QUOTES,
    codes::NOT_AVAILABLE,
];

/// What is wrong here lies between two properties, each of which may be left out.
const BETWEEN_PROPERTIES: &str = "golden/ui/scale-half-a-range";

/// The schema as its users load it, for whole projects and for included files.
struct Judge {
    schemas: Schemas,
    project: SchemaIndex,
    included: SchemaIndex,
}

/// The schema takes a second to prepare.
static JUDGE: LazyLock<Judge> = LazyLock::new(Judge::new);

impl Judge {
    fn new() -> Self {
        let mut compiler = Compiler::new();
        compiler
            .add_resource("schema:document", schema::json_schema())
            .expect("it is a schema");
        let mut schemas = Schemas::new();
        let mut compiled = |place| compiler.compile(place, &mut schemas).expect("it is valid");
        let project = compiled("schema:document");
        let included = compiled("schema:document#/$defs/included");
        Judge {
            schemas,
            project,
            included,
        }
    }

    fn project(&self, text: &str) -> Result<(), String> {
        self.accepts(self.project, &json_of(text))
    }

    fn accepts(&self, index: SchemaIndex, form: &Json) -> Result<(), String> {
        let result = self.schemas.validate(form, index);
        result.map_err(|error| format!("{error:#}"))
    }

    /// What is said about the first file that is refused.
    fn tree(&self, sources: &SourceTree) -> Result<(), String> {
        sources.files().try_for_each(|(_, file)| {
            let root = sources.files().count() == 1 || file.path() == "starform.kdl";
            let index = if root { self.project } else { self.included };
            self.accepts(index, &json_of(file.text()))
                .map_err(|error| format!("{}: {error}", file.path()))
        })
    }
}

fn json_of(text: &str) -> Json {
    schema::document(&syntax::read(FileId(0), text).cst)
}

fn errors(diagnostics: &[Diagnostic]) -> Vec<codes::Code> {
    let errors = diagnostics.iter().filter(|d| d.is_error());
    errors.map(|d| d.code).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

#[test]
fn the_published_schema_is_what_the_table_says() {
    let path = folder().join("document.v1.json");
    let wanted = serde_json::to_string_pretty(&schema::json_schema()).expect("it is JSON") + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &wanted).expect("schemas can be written");
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == wanted,
        "schemas/document.v1.json is not what the table says; UPDATE_GOLDEN=1 rewrites it"
    );
}

#[test]
fn the_node_table_has_the_published_shape() {
    let text = fs::read_to_string(folder().join("nodes.v1.json")).expect("it is published");
    let mut compiler = Compiler::new();
    let published = serde_json::from_str(&text).expect("it is JSON");
    compiler
        .add_resource("schema:nodes", published)
        .expect("it is a schema");
    let mut schemas = Schemas::new();
    let shape = compiler
        .compile("schema:nodes", &mut schemas)
        .expect("it is valid");
    let json = serde_json::to_value(schema::all_nodes()).expect("it is JSON");
    let judged = schemas.validate(&json, shape);
    assert!(judged.is_ok(), "{:#}", judged.expect_err("it was refused"));
    let rows = json["nodes"].as_array().expect("a list");
    assert_eq!(rows.len(), table::nodes().count());
    for (row, spec) in rows.iter().zip(table::nodes()) {
        assert_eq!(row["name"], spec.name());
        let props = row["properties"].as_array().expect("a list");
        assert_eq!(props.len(), spec.props.len(), "{}", spec.name());
        let named = serde_json::to_value(schema::nodes_named(spec.name())).expect("it is JSON");
        assert!(
            named["nodes"]
                .as_array()
                .is_some_and(|rows| rows.contains(row))
        );
    }
    assert!(schema::nodes_named("replicas").is_none());
}

/// Trees of the goldens and of the pages of codes.
fn trees() -> BTreeMap<String, SourceTree> {
    let mut trees = BTreeMap::new();
    for case in cases() {
        trees.insert(format!("golden/ui/{}", case.name), case.sources);
    }
    for entry in codes::all() {
        for (index, sources) in pages::examples(entry).into_iter().enumerate() {
            trees.insert(format!("docs/errors/{}.md {index}", entry.code), sources);
        }
    }
    for (name, text) in examples::texts() {
        trees.insert(
            format!("examples/{name}"),
            SourceTree::single("starform.kdl", &text),
        );
    }
    trees
}

#[test]
fn every_text_that_compiles_has_a_form_that_fits() {
    let judge = &*JUDGE;
    let mut taken = 0;
    for (name, sources) in trees() {
        if errors(&compile(&sources).diagnostics).is_empty() {
            taken += 1;
            judge
                .tree(&sources)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    assert!(taken >= 100, "only {taken} texts were tried");
    for spec in table::nodes().filter(|spec| spec.availability.is_usable()) {
        let text = text_around(spec);
        judge
            .project(&text)
            .unwrap_or_else(|error| panic!("{}: {error}\n{text}", spec.name()));
    }
}

#[test]
fn mistakes_of_shape_are_refused() {
    let judge = &*JUDGE;
    let mut fitting = Vec::new();
    let mut refused = 0;
    let mut seen = BTreeSet::new();
    for (name, sources) in trees() {
        let said = compile(&sources).diagnostics;
        let of_shape: Vec<&Diagnostic> =
            said.iter().filter(|d| OF_SHAPE.contains(&d.code)).collect();
        // The form of a text whose syntax is broken says nothing about it.
        if of_shape.is_empty()
            || name == BETWEEN_PROPERTIES
            || said.iter().any(|d| d.code.number() < 2_000)
        {
            continue;
        }
        let titles: Vec<&str> = of_shape.iter().map(|d| d.title.as_str()).collect();
        if judge.tree(&sources).is_ok() {
            fitting.push(format!("{name} fits: {titles:?}"));
        }
        refused += 1;
        seen.extend(of_shape.iter().map(|d| d.code.to_string()));
    }
    assert!(fitting.is_empty(), "{}", fitting.join("\n"));
    assert!(refused >= 50, "only {refused} texts were tried");
    let missing: Vec<String> = OF_SHAPE
        .iter()
        .map(codes::Code::to_string)
        .filter(|code| !seen.contains(code))
        .collect();
    assert!(missing.is_empty(), "nothing was tried for {missing:?}");
}

/// The numbers at the ends of a range and beside them, and how they may be spelled.
#[test]
fn whole_numbers_have_their_range() {
    let judge = &*JUDGE;
    let form = |name: &str, prop: Option<&str>, number: String| {
        let entry = json!({ "value": { "data": number, "literal": true } });
        match prop {
            Some(prop) => json!([{ "name": name, "props": { prop: entry } }]),
            None => json!([{ "name": name, "args": [entry] }]),
        }
    };
    let mut tried = 0;
    for (spec, prop, min, max) in integers() {
        for number in [min - 1, min, min + 1, max - 1, max, max.saturating_add(1)] {
            let fits = judge.service(spec, &form(spec.name(), prop, number.to_string()));
            let inside = (min..=max).contains(&number);
            assert_eq!(fits, inside, "{} {prop:?} {number}", spec.name());
            tried += 1;
        }
        for spelled in [format!("+{max}"), format!("00{max}"), format!("{min:#x}")] {
            assert!(judge.service(spec, &form(spec.name(), prop, spelled)));
        }
        let fraction = format!("{min}.5");
        assert!(!judge.service(spec, &form(spec.name(), prop, fraction)));
    }
    assert!(tried >= 60, "only {tried} numbers were tried");
}

impl Judge {
    /// Whether children of a service fit.
    fn service(&self, spec: &NodeSpec, children: &Json) -> bool {
        let kind = spec.kinds[0].as_str();
        let mut service =
            json!({ "name": kind, "args": [{ "value": { "data": "it" } }], "nodes": children });
        if kind == "cron" {
            service["props"] = json!({ "schedule": { "value": { "data": "0 0 * * *" } } });
        }
        self.accepts(self.included, &json!([service])).is_ok()
    }
}

/// Whole numbers of nodes that services hold.
fn integers() -> Vec<(&'static NodeSpec, Option<&'static str>, i64, i64)> {
    let mut found = Vec::new();
    for spec in table::nodes().filter(|spec| spec.places.contains(&table::Place::Service)) {
        if let Args::One(arg) | Args::Optional(arg) = spec.args
            && let Type::Integer { min, max } = arg.ty
        {
            found.push((spec, None, min, max));
        }
        let single = spec.props.iter().filter(|prop| !prop.required);
        for prop in single {
            if let Type::Integer { min, max } = prop.ty
                && spec.args.least() == 0
            {
                found.push((spec, Some(prop.name), min, max));
            }
        }
    }
    found
}

/// Any text without mistakes has a form; a node for other tools may hold all of it.
#[test]
fn whatever_is_kdl_has_a_form() {
    let judge = &*JUDGE;
    for seed in 0..64 {
        let text = generate::document(&mut generate::Dice::new(seed));
        let parsed = syntax::parse(FileId(0), text.as_str());
        let foreign = json!([{ "name": "x-other", "nodes": schema::document(&parsed.cst) }]);
        let judged = judge.accepts(judge.included, &foreign);
        assert_eq!(judged, Ok(()), "seed {seed}: {text}");
    }
}

#[test]
fn the_form_keeps_what_a_document_says() {
    let text =
        "// gone\n(t)a 0x1F \"b\" key=(u8)1_0 other=#null {\n  c #inf #true\n  /-d\n}\ne {\n}\n";
    let form = schema::document(&syntax::parse(FileId(0), text).cst);
    let wanted = json!([
        {
            "name": "a",
            "type": "t",
            "args": [
                { "value": { "data": "0x1F", "literal": true } },
                { "value": { "data": "b" } },
            ],
            "props": {
                "key": { "type": "u8", "value": { "data": "1_0", "literal": true } },
                "other": { "value": { "data": "null", "literal": true } },
            },
            "nodes": [{
                "name": "c",
                "args": [
                    { "value": { "data": "inf", "literal": true } },
                    { "value": { "data": "true", "literal": true } },
                ],
            }],
        },
        { "name": "e" },
    ]);
    assert_eq!(form, wanted);
}

/// What the page about the form shows is what becomes of its example.
#[test]
fn the_page_shows_the_form_of_its_example() {
    let page = folder().join("../docs/reference/json.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let block = |fence: &str| {
        let (_, rest) = page.split_once(&format!("```{fence}\n")).expect(fence);
        rest.split_once("```").expect("it ends").0
    };
    let shown: Json = serde_json::from_str(block("json")).expect("it is JSON");
    assert_eq!(json_of(block("kdl service")), shown);
}
