//! Extensions that are off unless previews are on, what other slices add to a resource, and resources below a prefix.

use crate::toy::{self, Toy};
use api::{Addition, Attribute, Cell, Enforcer, Extension, Fault, Kind, Missing, Preview, Quota, Registry, Resource};
use model::{Network, SecurityGroup, Standard};
use net::{ProjectId, SecurityGroupId};
use serde_json::{Value, json};

const ALIAS: &str = "labels";
const MISSING: Missing = Missing { by: Enforcer::L2, what: "nobody reads labels" };

/// Networks get a label; `no` is refused.
fn label() -> Addition<Network> {
    let attribute =
        Attribute::<Network>::new("label", Kind::Text(9), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter();
    let status = Attribute::<Network>::new("status", Kind::Text(16), |_| Cell::Str("LABELLED"));
    let addition = Addition::new(vec![attribute.of(ALIAS), status.of(ALIAS)]).set(|_, _, network, fields| {
        network.standard.description = fields.text("label").unwrap_or_else(|| network.standard.description.clone());
        let refused = network.standard.description == "no";
        if refused { Err(Fault::new(409, "LabelRefused", "No.")) } else { Ok(()) }
    });
    addition.before_delete(|_, network| match network.standard.description.as_str() {
        "kept" => Err(Fault::new(409, "LabelKept", "Kept.")),
        _ => Ok(()),
    })
}

/// `/v2.0/qos/policies`: of the groups, those that are stateful.
fn policies() -> Resource<SecurityGroup> {
    type A = Attribute<SecurityGroup>;
    let attributes = vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("stateful", Kind::Bool, |v| Cell::Bool(v.record.stateful)).post_or(true),
    ];
    Resource {
        attributes,
        prefix: "qos",
        extension: Some(ALIAS),
        includes: |group| group.stateful,
        create: Some(|op, fields| {
            let id = SecurityGroupId(op.tx.context.uuid());
            op.tx.put(SecurityGroup {
                id,
                project_id: fields.typed::<ProjectId>("project_id").expect("the frame fills it in"),
                name: "".into(),
                stateful: fields.bool("stateful").unwrap_or(true),
                is_default: false,
                standard: Standard::new(op.tx.context.now, "".into()),
            });
            Ok(id)
        }),
        quota: Some(Quota { default: 2, by_project: SecurityGroup::BY_PROJECT }),
        ..Resource::new("policy", "policies", "PolicyNotFound", |id| format!("Policy {id} could not be found."))
    }
    .tagged()
}

fn registry() -> Registry {
    let extension = Extension { name: "Labels", alias: ALIAS, description: "Labels.", updated: "2026-11-28T10:00:00-00:00" };
    Registry::new()
        .core_resource(toy::networks().with(label()))
        .resource(policies())
        .previews([Preview { extension, missing: Some(MISSING) }])
}

async fn on() -> Toy {
    Toy::of(registry().preview_extensions(true)).await
}

#[test]
fn what_belongs_to_an_extension_needs_it() {
    let policy = auth::Policy::defaults();
    assert_eq!(registry().audit(&policy), Vec::<String>::new());
    let unlisted = Registry::new().core_resource(toy::networks().with(label())).resource(policies()).audit(&policy);
    let network = "network: extension labels is not listed";
    let policy = "policy: extension labels is not listed";
    assert_eq!(unlisted, [network, network, policy]);
}

#[test]
fn what_is_not_enforced_is_told_where_it_is_on() {
    assert_eq!(registry().unenforced().iter().count(), 0);
    let unenforced = registry().preview_extensions(true).unenforced();
    assert_eq!(unenforced.iter().collect::<Vec<_>>(), [(ALIAS, MISSING)]);
    assert_eq!(unenforced.by(Enforcer::L2, &[]), [ALIAS]);
    assert_eq!(unenforced.by(Enforcer::L3, &[]), [""; 0], "it is not for them");
    assert_eq!(unenforced.by(Enforcer::L2, &["other".into()]), [ALIAS]);
    assert_eq!(unenforced.by(Enforcer::L2, &[ALIAS.into()]), [""; 0], "who does it says so");
}

#[tokio::test]
async fn what_is_off_is_not_there() {
    let toy = Toy::of(registry()).await;
    for path in ["/v2.0/qos/policies", "/v2.0/qos", "/v2.0/policies/x/tags", "/v2.0/nope", "/v2.0/nope/nope"] {
        toy.client.get(path).await.refused(404, "HTTPNotFound", "The resource could not be found.");
    }
    let post = toy.client.post("/v2.0/networks", json!({"network": {"label": "x"}})).await;
    post.refused(400, "HTTPBadRequest", "Unrecognized attribute(s) 'label'");
    let made = toy.client.post("/v2.0/networks", json!({"network": {"name": "n"}})).await.ok();
    assert_eq!((made["network"].get("label"), &made["network"]["status"]), (None, &json!("ACTIVE")));
    assert_eq!(toy.client.get("/v2.0/extensions/labels").await.status, 404);
    assert_eq!(toy.client.get("/v2.0/quotas/p1").await.ok(), json!({"quota": {"network": 100}}));
}

#[tokio::test]
async fn what_is_on_is_listed_and_served() {
    let toy = on().await;
    assert_eq!(toy.client.get("/v2.0/extensions/labels").await.ok()["extension"]["alias"], "labels");
    assert_eq!(toy.client.get("/v2.0/quotas/p1").await.ok(), json!({"quota": {"network": 100, "policy": 2}}));
    let made = toy.client.post("/v2.0/qos/policies", json!({"policy": {}})).await.ok()["policy"].clone();
    let id = made["id"].as_str().expect("an id");
    assert_eq!(toy.client.get(&format!("/v2.0/qos/policies/{id}")).await.ok()["policy"]["id"], id);
    let tags = format!("/v2.0/policies/{id}/tags");
    toy.client.put(&tags, json!({"tags": ["a"]})).await.ok();
    assert_eq!(toy.client.get("/v2.0/qos/policies?tags=a&fields=id").await.ok(), json!({"policies": [{"id": id}]}));
    for path in ["/v2.0/policies", &format!("/v2.0/policies/{id}")] {
        toy.client.get(path).await.refused(404, "HTTPNotFound", "The resource could not be found.");
    }
}

#[tokio::test]
async fn records_of_another_resource_are_not_there() {
    let toy = on().await;
    toy.client.post("/v2.0/qos/policies", json!({"policy": {"stateful": false}})).await;
    let frame = toy.server.frame().fresh().await.expect("a world");
    let id = frame.table::<SecurityGroup>().iter().next().expect("it was made").id.to_string();
    assert_eq!(toy.client.get("/v2.0/qos/policies").await.ok(), json!({"policies": []}));
    let gone = format!("Policy {id} could not be found.");
    toy.client.get(&format!("/v2.0/qos/policies/{id}")).await.refused(404, "PolicyNotFound", &gone);
    assert_eq!(toy.client.get(&format!("/v2.0/qos/policies?id={id}")).await.ok(), json!({"policies": []}));
}

#[tokio::test]
async fn additions_take_part_in_creates_and_updates() {
    let toy = on().await;
    let network = async |path: &str| toy.client.get(path).await.ok()["network"].clone();
    let made = toy.client.post("/v2.0/networks", json!({"networks": [{"label": "a"}, {"label": "b"}]})).await.ok();
    let labels: Vec<&Value> = made["networks"].as_array().expect("a list").iter().map(|network| &network["label"]).collect();
    assert_eq!(labels, ["a", "b"]);
    assert_eq!(made["networks"][0]["status"], "LABELLED", "the wider form");
    let path = format!("/v2.0/networks/{}", made["networks"][0]["id"].as_str().expect("an id"));
    let revision = network(&path).await["revision_number"].as_i64().expect("a number");
    for (body, label, growth) in [(json!({"label": "c"}), "c", 1), (json!({"label": "d", "name": "n"}), "d", 2), (json!({}), "d", 2)] {
        toy.client.put(&path, json!({ "network": body })).await.ok();
        let now = network(&path).await;
        assert_eq!((now["label"].as_str(), now["revision_number"].as_i64()), (Some(label), Some(revision + growth)));
    }
    toy.client.put(&path, json!({"network": {"label": "no", "name": "x"}})).await.refused(409, "LabelRefused", "No.");
    toy.client.post("/v2.0/networks", json!({"network": {"label": "no"}})).await.refused(409, "LabelRefused", "No.");
    assert_eq!(network(&path).await["name"], "n", "a refusal changes nothing");
    toy.client.put(&path, json!({"network": {"label": "kept"}})).await.ok();
    toy.client.delete(&path).await.refused(409, "LabelKept", "Kept.");
    toy.client.put(&path, json!({"network": {"label": "d"}})).await.ok();
    let listed = toy.client.get("/v2.0/networks?label=d&fields=label").await.ok();
    assert_eq!(listed, json!({"networks": [{"label": "d"}]}));
    assert_eq!(toy.client.delete(&path).await.status, 204);
}
