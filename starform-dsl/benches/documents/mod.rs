//! The documents that benchmarks read: projects of any size, and equal content in three formats.
//! Pure. The same count gives the same text, so figures of two runs are comparable.
//! Read on in `time` and `memory`.

use std::fmt::Write as _;

use serde_json::json;

/// Equal content in every format. Lists of one table each, as people write them.
pub(crate) struct Equal {
    pub(crate) kdl: String,
    pub(crate) toml: String,
    pub(crate) json: String,
}

/// So many services, each with what services mostly have, in KDL, TOML and JSON.
pub(crate) fn equal(count: usize) -> Equal {
    let mut kdl = String::from("project shop {\n  environment production branch=main\n");
    let mut toml =
        String::from("project = \"shop\"\n\n[environment.production]\nbranch = \"main\"\n");
    let mut services = serde_json::Map::new();
    for index in 0..count {
        kdl_service(&mut kdl, index);
        toml_service(&mut toml, index);
        services.insert(format!("service-{index}"), json_service(index));
    }
    kdl.push_str("}\n");
    let json = json!({
        "project": "shop",
        "environment": {"production": {"branch": "main"}},
        "web": services,
    });
    Equal {
        kdl,
        toml,
        json: serde_json::to_string_pretty(&json).expect("a value has a text"),
    }
}

fn kdl_service(text: &mut String, index: usize) {
    let _ = write!(
        text,
        "
  // Service number {index}, which shows the goods.
  web service-{index} root=\"services/{index}\" {{
    image \"ghcr.io/acme/service-{index}@sha256:0123456789abcdef\"
    port 8080 name=http
    port 9090 name=grpc
    health ready=\"/readyz\" live=\"/healthz\" startup-within=\"90s\"
    size cpu=\"250m\" memory=\"512Mi\"
    vars {{
      LOG_LEVEL info
      GREETING \"Hello \\\"world\\\"\\n\"
      LIMIT 1000
      RATIO 0.75
      DATABASE database-url
      FEATURE #true
    }}
    in production {{ scale min=3 max=12 cpu=65; }}
  }}
"
    );
}

fn toml_service(text: &mut String, index: usize) {
    let _ = write!(
        text,
        "
# Service number {index}, which shows the goods.
[web.service-{index}]
root = \"services/{index}\"
image = \"ghcr.io/acme/service-{index}@sha256:0123456789abcdef\"
port = [{{ number = 8080, name = \"http\" }}, {{ number = 9090, name = \"grpc\" }}]
health = {{ ready = \"/readyz\", live = \"/healthz\", startup-within = \"90s\" }}
size = {{ cpu = \"250m\", memory = \"512Mi\" }}
in.production.scale = {{ min = 3, max = 12, cpu = 65 }}
[web.service-{index}.vars]
LOG_LEVEL = \"info\"
GREETING = \"Hello \\\"world\\\"\\n\"
LIMIT = 1000
RATIO = 0.75
DATABASE = \"database-url\"
FEATURE = true
"
    );
}

fn json_service(index: usize) -> serde_json::Value {
    json!({
        "comment": format!("Service number {index}, which shows the goods."),
        "root": format!("services/{index}"),
        "image": format!("ghcr.io/acme/service-{index}@sha256:0123456789abcdef"),
        "port": [{"number": 8080, "name": "http"}, {"number": 9090, "name": "grpc"}],
        "health": {"ready": "/readyz", "live": "/healthz", "startup-within": "90s"},
        "size": {"cpu": "250m", "memory": "512Mi"},
        "vars": {
            "LOG_LEVEL": "info",
            "GREETING": "Hello \"world\"\n",
            "LIMIT": 1000,
            "RATIO": 0.75,
            "DATABASE": "database-url",
            "FEATURE": true,
        },
        "in": {"production": {"scale": {"min": 3, "max": 12, "cpu": 65}}},
    })
}

/// A project without a mistake: every service refers to the next, takes a group and has an environment of its own.
pub(crate) fn project(services: usize, environments: usize) -> String {
    let mut text = String::from("project big {\n");
    for index in 0..environments {
        let _ = writeln!(text, "  environment e{index} branch=main");
    }
    text.push_str(
        "  var-group shared { LOG_LEVEL debug; REGION lisbon; in e0 { LOG_LEVEL info; }; }\n",
    );
    for index in 0..services {
        let next = (index + 1) % services;
        let _ = write!(
            text,
            "  private s{index} {{
    image \"ghcr.io/acme/s{index}@sha256:1f0c4cb9d5b3f3f4b1f6a7c1f9a1f6b1f0c4cb9d5b3f3f4b1f6a7c1f9a1f6b10\"
    port 8080 protocol=grpc
    health {{ ready kind=grpc; live kind=grpc; }}
    size cpu=\"250m\" memory=\"256Mi\"
    use shared
    vars {{ NEXT (ref)\"s{next}.hostport\"; NAME (template)\"{{self.host}} of s{index}\"; WORKERS 4; }}
    in e0 {{ scale min=2 max=6 cpu=65; }}
  }}
"
        );
    }
    text.push_str("}\n");
    text
}
