//! What the API server lets the agent and a project's applier do: every right that it names, and what it refuses.
//!
//! Effects: the real API server, as each of them. `UPDATE_GOLDEN=1` rewrites `golden/rights/`: read what changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use http::{HeaderValue, Method, Request};
use kube::Client;
use serde_json::{Value, json};
use starform_contract::{ClusterProfile, name::applier_user};
use starform_shuttle::{
    call::{APPLY, CallError, JSON, call, get, request},
    kinds::{KINDS, kind_of},
    manifests::{agent_user, manifests},
};

use crate::{
    shell_shop::{Shop, nothing_here},
    shell_support::{cluster, empty_system, eventually},
    shell_thread::{apply, read},
};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

/// What `kubectl auth can-i --list` prints for both, where they have most rights, and where they should have none.
#[tokio::test(flavor = "multi_thread")]
async fn the_rights_are_exactly_those_of_the_golden() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    install(&client).await;
    let shop = project(&client, "rights").await;
    let (namespace, applier) = (shop.namespace(), applier_user(&shop.namespace()));
    let agent = agent_user();
    let lists = [
        ("agent, anywhere", &agent, "default"),
        ("agent, in starform-system", &agent, "starform-system"),
        ("agent, in a project's namespace", &agent, &namespace),
        ("applier, in its project's namespace", &applier, &namespace),
        ("applier, anywhere else", &applier, "default"),
        ("applier, in starform-system", &applier, "starform-system"),
    ];
    let anybody = "system:serviceaccount:default:anybody";
    let anybodys = rights_of(&client, anybody, "default").await;
    let mut text = format!("# any account, anywhere\n{}", lines(&anybodys));
    for (title, user, namespace) in lists {
        let mut rights = rights_of(&client, user, namespace).await;
        rights.retain(|right, verbs| anybodys.get(right) != Some(verbs));
        write!(text, "\n# {title}, beside that\n{}", lines(&rights)).unwrap();
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/rights/can-i.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(text, wanted, "UPDATE_GOLDEN=1 rewrites it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applier_reaches_nothing_outside_of_its_project() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    install(&client).await;
    let (own, other) = (
        project(&client, "mine").await,
        project(&client, "theirs").await,
    );
    let (applier, victim) = (applier_user(&own.namespace()), other.namespace());
    add_secret(&client, &victim).await;
    let before = everything(&client, &victim).await;
    for namespace in [victim.as_str(), "starform-system", "default", "kube-system"] {
        for kind in KINDS.iter().filter(|kind| kind.namespaced) {
            for (method, path) in attempts(&kind.collection(Some(namespace)), "secret") {
                refused(&client, &applier, method, &path).await;
            }
        }
        let tokens = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default/token");
        refused(&client, &applier, Method::POST, &tokens).await;
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        for (method, path) in attempts(&pods, "any") {
            refused(&client, &applier, method, &path).await;
        }
    }
    // Nor anything of the cluster, nor more rights where it has some.
    let everywhere = [
        "/api/v1/secrets",
        "/api/v1/nodes",
        "/api/v1/namespaces",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    ];
    for path in everywhere {
        refused(&client, &applier, Method::GET, path).await;
    }
    let namespaced = own.namespace();
    for right in ["roles", "rolebindings"] {
        let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespaced}/{right}");
        refused(&client, &applier, Method::POST, &path).await;
    }
    for path in [&victim, &namespaced].map(|name| format!("/api/v1/namespaces/{name}")) {
        refused(&client, &applier, Method::DELETE, &path).await;
    }
    assert_eq!(everything(&client, &victim).await, before);
    // Its own it reaches: what was refused was refused for where it is.
    for kind in ["secrets", "services"] {
        let path = format!("/api/v1/namespaces/{namespaced}/{kind}/none");
        let code = code(&client, &applier, Method::GET, &path).await;
        assert_eq!(code, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_itself_reaches_no_object_of_a_project() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    install(&client).await;
    let shop = project(&client, "agent").await;
    let namespace = shop.namespace();
    add_secret(&client, &namespace).await;
    let before = everything(&client, &namespace).await;
    let agents = ["Namespace", "RoleBinding"];
    for kind in KINDS.iter().filter(|kind| !agents.contains(&kind.kind)) {
        for (method, path) in attempts(&kind.collection(Some(&namespace)), "secret") {
            // It watches most kinds, in all namespaces.
            refused(&client, &agent_user(), method, &path).await;
        }
    }
    let secrets = [
        "/api/v1/secrets".to_owned(),
        format!("/api/v1/namespaces/{namespace}/secrets"),
    ];
    for path in secrets {
        refused(&client, &agent_user(), Method::GET, &path).await;
    }
    assert_eq!(everything(&client, &namespace).await, before);
}

/// Get, patch, delete, create.
fn attempts(collection: &str, name: &str) -> [(Method, String); 4] {
    let one = format!("{collection}/{name}");
    [
        (Method::GET, one.clone()),
        (
            Method::PATCH,
            format!("{one}?fieldManager=starform-shuttle&force=true"),
        ),
        (Method::DELETE, one),
        (Method::POST, collection.to_owned()),
    ]
}

async fn refused(client: &Client, user: &str, method: Method, path: &str) {
    let code = code(client, user, method.clone(), path).await;
    assert_eq!(code, 403, "{user}: {method} {path}");
}

async fn code(client: &Client, user: &str, method: Method, path: &str) -> u16 {
    let body = json!({"metadata": {"labels": {"seen": "here"}}});
    let content = if method == Method::PATCH { APPLY } else { JSON };
    let body = [Method::POST, Method::PATCH]
        .contains(&method)
        .then_some((content, &body));
    match call(client, acting_as(user, request(method, path, body))).await {
        Ok(_) => 200,
        Err(CallError::Refused(refusal)) => refusal.code,
        Err(error) => panic!("{path}: {error}"),
    }
}

fn acting_as(user: &str, mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    let user = HeaderValue::from_str(user).unwrap();
    request.headers_mut().insert("impersonate-user", user);
    request
}

/// The agent's namespace, identity and rights, without the policies: they are about what RBAC cannot say.
async fn install(client: &Client) {
    let printed = manifests(&ClusterProfile::default());
    let kept = |object: &&Value| {
        let version = object["apiVersion"].as_str().unwrap();
        !version.starts_with("admissionregistration.k8s.io/")
    };
    for object in printed.iter().filter(kept) {
        let text = |field: &str| object["metadata"][field].as_str();
        let (kind, name) = (object["kind"].as_str().unwrap(), text("name").unwrap());
        let root = match object["apiVersion"].as_str().unwrap() {
            "v1" => "/api/v1".to_owned(),
            version => format!("/apis/{version}"),
        };
        let place = text("namespace").map_or(String::new(), |name| format!("/namespaces/{name}"));
        let uri = format!(
            "{root}{place}/{}s/{name}?fieldManager=tests&force=true",
            kind.to_lowercase()
        );
        let apply = request(Method::PATCH, &uri, Some((APPLY, object)));
        call(client, apply).await.unwrap();
    }
}

/// A project with one service.
async fn project(client: &Client, name: &str) -> Shop {
    let shop = Shop::new(name, &[("one", "a:1")]);
    apply(client, &shop, shop.after(&nothing_here(client).await)).await;
    // The API server learns of a new RoleBinding by a watch of its own.
    let (user, namespace) = (applier_user(&shop.namespace()), shop.namespace());
    let path = format!("/api/v1/namespaces/{namespace}/services/none");
    eventually("the applier's rights", async || {
        (code(client, &user, Method::GET, &path).await == 404).then_some(())
    })
    .await;
    shop
}

async fn add_secret(client: &Client, namespace: &str) {
    let secret = json!({"metadata": {"name": "secret"}, "stringData": {"a": "b"}});
    let path = format!("/api/v1/namespaces/{namespace}/secrets");
    let create = request(Method::POST, &path, Some((JSON, &secret)));
    call(client, create).await.unwrap();
}

/// resourceVersions of all that is declared in a namespace.
async fn everything(client: &Client, namespace: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| kind.namespaced) {
        let list = call(client, get(&kind.collection(Some(namespace)))).await;
        for item in list.unwrap()["items"].as_array().unwrap() {
            let metadata = &item["metadata"];
            let name = metadata["name"].as_str().unwrap();
            let key = kind.key(Some(namespace), name);
            let live = read(client, &key).await.unwrap();
            // The controllers of Deployments write their status.
            let version = match kind_of(&key).unwrap().kind {
                "Deployment" => live["metadata"]["generation"].to_string(),
                _ => live["metadata"]["resourceVersion"].to_string(),
            };
            found.insert(key.to_string(), version);
        }
    }
    assert!(found.len() > 3, "{found:?}");
    found
}

type Rights = BTreeMap<String, BTreeSet<String>>;

/// Verbs by resource, with the names that they are limited to, and by URL.
async fn rights_of(client: &Client, user: &str, namespace: &str) -> Rights {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    });
    let ask = request(Method::POST, REVIEWS, Some((JSON, &review)));
    let answer = call(client, acting_as(user, ask)).await.unwrap();
    let status = &answer["status"];
    assert_eq!(status["incomplete"], false, "{status}");
    let mut verbs = Rights::new();
    for rule in status["resourceRules"].as_array().unwrap() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                let full = match group.as_str() {
                    "" => resource,
                    group => format!("{resource}.{group}"),
                };
                let names = texts(&rule["resourceNames"]);
                let line = match names.is_empty() {
                    true => full,
                    false => format!("{full} {}", names.join(" ")),
                };
                verbs.entry(line).or_default().extend(texts(&rule["verbs"]));
            }
        }
    }
    for rule in status["nonResourceRules"].as_array().unwrap() {
        for url in texts(&rule["nonResourceURLs"]) {
            verbs.entry(url).or_default().extend(texts(&rule["verbs"]));
        }
    }
    verbs
}

fn lines(rights: &Rights) -> String {
    let mut text = String::new();
    for (right, verbs) in rights {
        assert!(!verbs.contains("*"), "{right}");
        let verbs: Vec<&str> = verbs.iter().map(String::as_str).collect();
        writeln!(text, "{right}: {}", verbs.join(" ")).unwrap();
    }
    text
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    let texts = items.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
