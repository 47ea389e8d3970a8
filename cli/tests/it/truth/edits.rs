//! A project that a team edits: what its file may say, and any next edit of it by a seed.
//!
//! Pure. Always holds: the same seed makes the same edits, and every text compiles. Read on in `mod.rs`, which
//! plans and applies each.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use starform_dsl::source::SourceTree;

const IMAGE: &str =
    "ghcr.io/acme/app@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f";
const PORTS: &str = "port 8080 name=http\n    port 9102 name=metrics";
const NAMES: [&str; 7] = [
    "api", "billing", "catalog", "docs", "events", "feed", "ghost",
];
const GROUPS: [&str; 2] = ["shared", "payments"];
const KEYS: [&str; 3] = ["LOG_LEVEL", "REGION", "MODE"];
const VALUES: [&str; 4] = ["info", "\"two\\nlines\"", "\"\"", "\"a $(B) é\""];
/// More services would only make each round longer.
const MOST_SERVICES: usize = 4;

/// Numbers that are as good as random here (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Web,
    Private,
    Worker,
    Cron,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Web => "web",
            Kind::Private => "private",
            Kind::Worker => "worker",
            Kind::Cron => "cron",
        }
    }
}

use Kind::{Cron, Private, Web, Worker};

/// What a node may say, and in which kinds of service. `%` is the service's name.
const NODES: &[(&str, &[Kind], &[&str])] = &[
    (
        "size",
        &[Web, Private, Worker, Cron],
        &[
            "size cpu=\"50m\" memory=\"64Mi\"",
            "size cpu=\"100m\" memory=\"128Mi\"",
        ],
    ),
    (
        "run",
        &[Web, Private, Worker, Cron],
        &["run \"bin/server\"", "run \"bin/server\" \"--fast\" \"\""],
    ),
    (
        "run-as",
        &[Web, Private, Worker, Cron],
        &["run-as user=2000 group=2000", "run-as root"],
    ),
    (
        "observability",
        &[Web, Private, Worker, Cron],
        &["observability #false"],
    ),
    (
        "only",
        &[Web, Private, Worker, Cron],
        &["only production", "only staging"],
    ),
    ("hold", &[Web, Private, Worker, Cron], &["hold"]),
    (
        "scale",
        &[Web, Private, Worker],
        &[
            "scale 2",
            "scale 3",
            "scale min=2 max=4 cpu=70",
            "scale min=1 max=3 memory=60",
        ],
    ),
    (
        "drain",
        &[Web, Private, Worker],
        &[
            "drain before-term=\"5s\" grace=\"10s\"",
            "drain grace=\"20s\"",
        ],
    ),
    (
        "metrics",
        &[Web, Private, Worker],
        &[
            "metrics port=9102 path=\"/metrics\"",
            "metrics port=9102 path=\"/m\"",
        ],
    ),
    (
        "release",
        &[Web, Private, Worker],
        &[
            "release \"bin/migrate\" \"1\"",
            "release \"bin/migrate\" \"2\" timeout=\"5m\"",
        ],
    ),
    (
        "volume",
        &[Web, Private, Worker],
        &[
            "volume data mount=\"/data\" size=\"1Gi\"",
            "volume data mount=\"/srv\" size=\"1Gi\"",
        ],
    ),
    (
        "health",
        &[Web, Private],
        &[
            "health ready=\"/readyz\"",
            "health ready=\"/readyz\" live=\"/healthz\" startup-within=\"30s\"",
        ],
    ),
    (
        "port",
        &[Web, Private],
        &[
            PORTS,
            "port 9090 name=http\n    port 9102 name=metrics",
            "port 8080 name=http protocol=h2c\n    port 9102 name=metrics",
        ],
    ),
    ("allow-from", &[Web, Private], &["allow-from %"]),
    (
        "domain",
        &[Web],
        &[
            "domain \"%.shop.example\"",
            "domain \"%.shop.example\" { alias \"www.%.shop.example\" redirect=#true; }",
        ],
    ),
    (
        "route",
        &[Web],
        &["route \"/v1\"", "route \"/v1\" strip-prefix=#true"],
    ),
    ("redirect", &[Web], &["redirect \"/old\" to=\"/new\""]),
    ("overlap", &[Cron], &["overlap replace", "overlap allow"]),
    ("retries", &[Cron], &["retries 2"]),
    ("timeout", &[Cron], &["timeout \"30m\""]),
    ("keep", &[Cron], &["keep succeeded=1 failed=2"]),
];

#[derive(Clone)]
struct Service {
    kind: Kind,
    was: Option<&'static str>,
    image: usize,
    schedule: usize,
    nodes: BTreeMap<&'static str, String>,
    /// Only in production.
    in_production: BTreeMap<&'static str, String>,
    vars: BTreeMap<&'static str, &'static str>,
    uses: BTreeSet<&'static str>,
}

/// The project as its file says it.
#[derive(Clone, Default)]
pub(super) struct Shop {
    services: BTreeMap<&'static str, Service>,
    groups: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
    reports_drift: bool,
}

impl Shop {
    /// Two services, as a team would begin.
    pub(super) fn new(dice: &mut Dice) -> Self {
        let mut shop = Self::default();
        for group in GROUPS {
            shop.groups
                .insert(group, BTreeMap::from([(KEYS[0], VALUES[0])]));
        }
        shop.services.insert(NAMES[0], service(Web, dice));
        shop.services.insert(NAMES[1], service(Worker, dice));
        shop
    }

    /// One edit, and what it is.
    pub(super) fn edit(&mut self, dice: &mut Dice) -> String {
        loop {
            let name = self.any(dice);
            let said = match dice.below(14) {
                0 => self.add(dice),
                1 => self.remove(name),
                2 => self.rename(name, dice),
                3 | 4 => self.roll(name, dice),
                5 => self.turn_variable(name, dice),
                6 => self.turn_group(name, dice),
                7 => self.turn_key(dice),
                8 => self.turn_drift(),
                9..=11 => self.turn_node(name, false, dice),
                _ => self.turn_node(name, true, dice),
            };
            if let Some(said) = said {
                return said;
            }
        }
    }

    fn any(&self, dice: &mut Dice) -> &'static str {
        let names: Vec<_> = self.services.keys().copied().collect();
        dice.pick(&names)
    }

    fn add(&mut self, dice: &mut Dice) -> Option<String> {
        let name = dice.pick(&NAMES);
        let free = !self.services.contains_key(name) && self.services.len() < MOST_SERVICES;
        free.then(|| {
            let kind = dice.pick(&[Web, Private, Worker, Cron]);
            self.no_longer_was(name);
            self.services.insert(name, service(kind, dice));
            format!("add {} {name}", kind.word())
        })
    }

    fn remove(&mut self, name: &str) -> Option<String> {
        (self.services.len() > 1).then(|| {
            self.services.remove(name);
            self.forget(name);
            format!("remove {name}")
        })
    }

    fn rename(&mut self, name: &'static str, dice: &mut Dice) -> Option<String> {
        let to = dice.pick(&NAMES);
        if self.services.contains_key(to) {
            return None;
        }
        let mut service = self.services.remove(name)?;
        self.no_longer_was(name);
        self.no_longer_was(to);
        service.was = Some(name);
        self.services.insert(to, service);
        self.forget(name);
        Some(format!("rename {name} to {to}"))
    }

    /// A rename is over where its former name is taken again.
    fn no_longer_was(&mut self, name: &str) {
        for service in self.services.values_mut() {
            service.was = service.was.filter(|was| *was != name);
        }
    }

    /// Nobody may refer to a service that is not there.
    fn forget(&mut self, name: &str) {
        let line = format!("allow-from {name}");
        for service in self.services.values_mut() {
            service.nodes.retain(|_, text| *text != line);
            service.in_production.retain(|_, text| *text != line);
        }
    }

    fn roll(&mut self, name: &str, dice: &mut Dice) -> Option<String> {
        let service = self.services.get_mut(name)?;
        service.image = (service.image + 1 + dice.below(9)) % 10;
        Some(format!("another image of {name}"))
    }

    fn turn_variable(&mut self, name: &str, dice: &mut Dice) -> Option<String> {
        let vars = &mut self.services.get_mut(name)?.vars;
        let key = dice.pick(&KEYS);
        let value = dice.pick(&VALUES);
        if vars.insert(key, value) == Some(value) {
            vars.remove(key);
        }
        Some(format!("turn {key} of {name}"))
    }

    fn turn_group(&mut self, name: &str, dice: &mut Dice) -> Option<String> {
        let uses = &mut self.services.get_mut(name)?.uses;
        let group = dice.pick(&GROUPS);
        if !uses.remove(group) {
            uses.insert(group);
        }
        Some(format!("turn {group} of {name}"))
    }

    fn turn_key(&mut self, dice: &mut Dice) -> Option<String> {
        let group = dice.pick(&GROUPS);
        let key = dice.pick(&KEYS);
        let value = dice.pick(&VALUES);
        let variables = self.groups.get_mut(group)?;
        if variables.insert(key, value) == Some(value) && variables.len() > 1 {
            variables.remove(key);
        }
        Some(format!("turn {key} of group {group}"))
    }

    fn turn_drift(&mut self) -> Option<String> {
        self.reports_drift = !self.reports_drift;
        Some("turn drift".to_owned())
    }

    fn turn_node(&mut self, name: &str, production: bool, dice: &mut Dice) -> Option<String> {
        let other = self.any(dice);
        let service = self.services.get_mut(name)?;
        let (node, kinds, texts) = NODES[dice.below(NODES.len())];
        // These are said once for all environments; a host leads to one.
        let everywhere = ["only", "volume", "hold"].contains(&node);
        let fits = if node == "domain" {
            production
        } else {
            !(production && everywhere)
        };
        if !kinds.contains(&service.kind) || !fits {
            return None;
        }
        let target = if node == "allow-from" { other } else { name };
        if node == "allow-from" && target == name {
            return None;
        }
        let text = dice.pick(texts).replace('%', target);
        let nodes = if production {
            &mut service.in_production
        } else {
            &mut service.nodes
        };
        if nodes.get(node) == Some(&text) {
            if node == "port" && !production {
                return None;
            }
            nodes.remove(node);
        } else {
            nodes.insert(node, text.clone());
        }
        let place = if production { " in production" } else { "" };
        Some(format!("turn `{text}` of {name}{place}"))
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let drift = if self.reports_drift {
            "report"
        } else {
            "correct"
        };
        let mut text = format!(
            "project shop {{\n  environment staging branch=main\n  environment production branch=release {{ drift {drift}; }}\n"
        );
        for (group, variables) in &self.groups {
            block(&mut text, &format!("var-group {group}"), variables);
        }
        for (name, service) in &self.services {
            service.write(name, &mut text);
        }
        text + "}\n"
    }
}

fn service(kind: Kind, dice: &mut Dice) -> Service {
    let mut nodes = BTreeMap::new();
    if matches!(kind, Web | Private) {
        nodes.insert("port", PORTS.to_owned());
    }
    Service {
        kind,
        was: None,
        image: dice.below(10),
        schedule: dice.below(5),
        nodes,
        in_production: BTreeMap::new(),
        vars: BTreeMap::new(),
        uses: BTreeSet::new(),
    }
}

impl Service {
    fn write(&self, name: &str, text: &mut String) {
        let mut head = format!("{} {name}", self.kind.word());
        if let Some(was) = self.was {
            let _ = write!(head, " was={was}");
        }
        if self.kind == Cron {
            let _ = write!(head, " schedule=\"{} 3 * * *\"", self.schedule);
        }
        let _ = writeln!(text, "  {head} {{\n    image \"{IMAGE}{}\"", self.image);
        for line in self.said(&self.nodes) {
            let _ = writeln!(text, "    {line}");
        }
        if !self.uses.is_empty() {
            let uses: Vec<_> = self.uses.iter().copied().collect();
            let _ = writeln!(text, "    use {}", uses.join(" "));
        }
        block(text, "vars", &self.vars);
        let production: Vec<_> = self.said(&self.in_production).collect();
        if !production.is_empty() && self.runs_in_production() {
            let _ = writeln!(
                text,
                "    in production {{\n{}\n    }}",
                production.join("\n")
            );
        }
        text.push_str("  }\n");
    }

    /// A service with a volume has one instance; one without its port has a port all the same.
    fn said<'s>(
        &'s self,
        nodes: &'s BTreeMap<&'static str, String>,
    ) -> impl Iterator<Item = &'s str> {
        let single = self.nodes.contains_key("volume");
        nodes
            .iter()
            .filter(move |(node, _)| !(single && **node == "scale"))
            .map(|(_, text)| text.as_str())
    }

    fn runs_in_production(&self) -> bool {
        self.nodes
            .get("only")
            .is_none_or(|only| only == "only production")
    }
}

fn block(text: &mut String, head: &str, variables: &BTreeMap<&str, &str>) {
    if variables.is_empty() {
        return;
    }
    let _ = writeln!(text, "    {head} {{");
    for (key, value) in variables {
        let _ = writeln!(text, "      {key} {value}");
    }
    text.push_str("    }\n");
}

#[test]
fn every_edit_compiles() {
    for seed in 0..4 {
        let mut dice = Dice::new(seed);
        let mut shop = Shop::new(&mut dice);
        for _ in 0..200 {
            let edit = shop.edit(&mut dice);
            let sources = SourceTree::single("starform.kdl", &shop.text());
            let compiled = starform_dsl::compile(&sources);
            let text = shop.text();
            assert!(
                compiled.project.is_some(),
                "{edit}: {:#?}\n{text}",
                compiled.diagnostics
            );
        }
    }
}
