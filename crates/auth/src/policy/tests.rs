//! Tables of check strings, the default rules, and the law that a decision for a caller holds for every target.

use super::load::defaults;
use super::*;
use crate::{Principal, Roles};
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
struct Object {
    project: Option<String>,
    parents: BTreeMap<String, String>,
    fields: BTreeMap<String, Field>,
}

#[derive(Clone, Debug)]
enum Field {
    Bool(bool),
    Text(String),
}

impl Target for Object {
    fn project_id(&self) -> Option<&str> {
        self.project.as_deref()
    }
    fn parent_project_id(&self, parent: &str) -> Option<Cow<'_, str>> {
        self.parents.get(parent).map(|project| Cow::Borrowed(project.as_str()))
    }
    fn field(&self, _collection: &str, name: &str) -> Option<Value<'_>> {
        self.fields.get(name).map(|field| match field {
            Field::Bool(value) => Value::Bool(*value),
            Field::Text(text) => Value::Text(Cow::Borrowed(text)),
        })
    }
}

fn object(project: &str) -> Object {
    Object { project: Some(project.to_owned()), ..Object::default() }
}

fn with(mut object: Object, name: &str, value: &str) -> Object {
    let field = match value {
        "True" => Field::Bool(true),
        "False" => Field::Bool(false),
        text => Field::Text(text.to_owned()),
    };
    object.fields.insert(name.to_owned(), field);
    object
}

fn under(mut object: Object, parent: &str, project: &str) -> Object {
    object.parents.insert(parent.to_owned(), project.to_owned());
    object
}

fn single(check: &str) -> Policy {
    Policy::from_yaml(&format!("t: {check:?}"), "policy.yaml").unwrap_or_else(|e| panic!("{check}: {e}"))
}

fn eval(check: &str, caller: &Caller, target: &dyn Target) -> bool {
    let policy = single(check);
    policy.check(policy.rule("t").expect("defined"), caller, target)
}

#[test]
fn operators_and_literals() {
    let caller = Caller::member("p1");
    for (check, expected) in [
        ("", true),
        ("@", true),
        ("!", false),
        ("not !", true),
        ("not not @", true),
        ("! and @ or @", true),
        ("@ or @ and !", true),
        ("! and (@ or @)", false),
        ("not ! and !", false),
        ("NOT ! AND @", true),
        ("((@))", true),
        ("( @ and ( ! or @ ) )", true),
        ("role:Member", true),
        ("role:admin", false),
        ("True:True", true),
        ("'a':a", true),
        ("'a':b", false),
        ("7:7", true),
    ] {
        assert_eq!(eval(check, &caller, &()), expected, "{check}");
    }
}

#[test]
fn credentials_against_targets() {
    let caller = Caller::named("u1", "p1".into(), &["member", "reader"]).with_service_roles(Roles::new(["service"]));
    let own = with(with(object("p1"), "user_id", "u1"), "enabled", "True");
    let foreign = under(with(object("p2"), "wanted_role", "reader"), "network", "p1");
    for (check, on_own, on_foreign) in [
        ("project_id:%(project_id)s", true, false),
        ("tenant_id:%(tenant_id)s", true, false),
        ("project_id:%(network:project_id)s", false, true),
        ("tenant_id:%(network:tenant_id)s", false, true),
        ("project_id:%(security_group:project_id)s", false, false),
        ("project_id:p1", true, true),
        ("user_id:%(user_id)s", true, false),
        ("user_id:%(target.user_id)s", true, false),
        ("service_roles:service", true, true),
        ("is_admin:True", false, false),
        ("is_admin:False", true, true),
        ("role:%(wanted_role)s", false, true),
        ("True:%(enabled)s", true, false),
        ("system_scope:all", false, false),
        ("rule:no_such_rule", true, false),
    ] {
        assert_eq!(eval(check, &caller, &own), on_own, "{check} on own");
        assert_eq!(eval(check, &caller, &foreign), on_foreign, "{check} on foreign");
    }
}

#[test]
fn fields() {
    let caller = Caller::member("p1");
    let port = with(with(object("p1"), "device_owner", "compute:nova"), "router:external", "True");
    for (check, expected) in [
        ("field:port:device_owner=~^compute:", true),
        ("field:port:device_owner=~^network:", false),
        ("field:port:device_owner=~compute:.*", true),
        ("field:port:device_owner=~nova", false),
        ("field:port:device_owner=~^compute:$", false),
        ("field:port:device_owner=~^compute:nova$", true),
        ("field:port:device_owner=compute:nova", true),
        ("field:networks:router:external=True", true),
        ("field:networks:router:external=False", false),
        ("field:networks:absent=True", false),
        ("not field:rbac_policy:target_tenant=*", true),
    ] {
        assert_eq!(eval(check, &caller, &port), expected, "{check}");
    }
}

#[test]
fn refusals_name_the_place() {
    for (check, needle) in [
        ("role:a and", "expected at the end"),
        ("(role:a", "closing parenthesis"),
        ("role:a)", "')' is not expected"),
        ("role:a role:b", "'role:b' is not expected"),
        ("or role:a", "'or' is not expected"),
        ("admin", "'admin' is not a check"),
        ("colour:red", "'colour'"),
        ("http://example.com/", "'http'"),
        ("field:port:x=~a|b", "pattern"),
        ("user_id:%(user_id", "attribute"),
        ("user_id:x%(user_id)s", "attribute"),
    ] {
        let yaml = format!("# comment\n\"create_network:shared\": \"\"\ncreate_network: '{check}'\n");
        let message = Policy::from_yaml(&yaml, "policy.yaml").expect_err(check).to_string();
        assert!(message.contains(needle) && message.starts_with("policy.yaml line 3: rule 'create_network':"), "{check}: {message}");
    }
    let deep = format!("{}@{}", "(".repeat(100_000), ")".repeat(100_000));
    let message = Policy::from_yaml(&format!("a: \"{deep}\""), "p").expect_err("too deep").to_string();
    assert!(message.contains("64 levels"));
    let negations = "not ".repeat(100_000) + "@";
    assert!(Policy::from_yaml(&format!("a: \"{negations}\""), "p").is_err());
}

#[test]
fn bad_files() {
    let message = |yaml: &str| Policy::from_yaml(yaml, "policy.yaml").expect_err(yaml).to_string();
    assert!(message("a: [b\n").contains("not valid YAML"));
    assert!(message("- a").contains("mapping"));
    assert!(message("a: 3").contains("rule 'a'"));
    assert!(message("a: rule:b\nb: rule:c\nc: rule:a").contains("a -> b -> c -> a"));
    assert!(message("owner: rule:admin_or_owner").contains("circle"));
    assert!(Policy::load(std::path::Path::new("/nonexistent/policy.yaml")).expect_err("absent").to_string().contains("cannot read"));
}

#[test]
fn overrides_replace_and_warn() {
    let policy = Policy::from_yaml(
        "get_network: [[role:auditor, 'project_id:%(project_id)s'], rule:mine]\nmine: role:mine\nget_netwrok: '@'\nuse: rule:gone\n",
        "policy.yaml",
    )
    .expect("good");
    let rule = policy.rule("get_network").expect("known");
    assert_eq!(policy.source(rule), Source::Operator);
    let auditor = Caller::named("u", "p1".into(), &["auditor"]);
    assert!(policy.check(rule, &auditor, &object("p1")) && !policy.check(rule, &auditor, &object("p2")));
    assert!(policy.check(rule, &Caller::named("u", "p9".into(), &["mine"]), &object("p1")));
    assert!(!policy.check(rule, &Caller::admin("p1"), &object("p1")), "the default is replaced, not extended");
    let warnings = policy.warnings().join("\n");
    assert!(warnings.contains("'get_netwrok' is not known") && warnings.contains("'gone'"), "{warnings}");
    assert!(!warnings.contains("'mine'"), "{warnings}");
    assert!(Policy::from_yaml("", "empty").expect("empty is fine").warnings().is_empty());
}

#[test]
fn every_default_rule_parses_and_refers_to_known_rules() {
    let policy = Policy::defaults();
    assert_eq!(defaults().count(), 372);
    assert_eq!(policy.names().count(), 372, "no default refers to a missing rule");
    assert!(policy.warnings().is_empty());
}

#[test]
fn default_rules_admit_whom_they_should() {
    let policy = Policy::defaults();
    let (admin, member, reader, service) = (Caller::admin("a"), Caller::member("p1"), Caller::reader("p1"), Caller::service("s"));
    let own = object("p1");
    let foreign = object("p2");
    let shared = with(object("p2"), "shared", "True");
    let on_own_network = under(object("p2"), "network", "p1");
    let vm = with(object("p1"), "device_owner", "compute:nova");
    let dhcp = with(object("p1"), "device_owner", "network:dhcp");
    let with_service = member.clone().with_service_roles(Roles::new(["service"]));
    let stranger = Caller::named("u", "p1".into(), &["unheard-of"]);
    let cases: &[(&str, &Caller, &Object, bool)] = &[
        ("create_network", &member, &own, true),
        ("create_network", &reader, &own, false),
        ("create_network", &member, &foreign, false),
        ("create_network:shared", &member, &own, false),
        ("create_network:shared", &admin, &own, true),
        ("get_network", &reader, &own, true),
        ("get_network", &reader, &foreign, false),
        ("get_network", &stranger, &own, false),
        ("get_network", &stranger, &shared, true),
        ("create_port", &member, &shared, true),
        ("create_port", &member, &foreign, false),
        ("get_port", &reader, &on_own_network, true),
        ("get_port:binding:host_id", &member, &own, false),
        ("get_port:binding:host_id", &service, &foreign, true),
        ("create_port:binding:profile", &admin, &own, false),
        ("create_port:binding:profile", &service, &own, true),
        ("create_port:device_owner", &member, &vm, true),
        ("create_port:device_owner", &member, &dhcp, false),
        ("delete_port", &member, &own, true),
        ("delete_port", &member, &vm, false),
        ("delete_port", &with_service, &vm, true),
        ("delete_port", &with_service, &with(object("p2"), "device_owner", "compute:nova"), false),
        ("get_security_group_rule", &reader, &under(object("p2"), "security_group", "p1"), true),
        ("create_rbac_policy:target_tenant", &member, &with(object("p1"), "target_tenant", "*"), false),
        ("create_rbac_policy:target_tenant", &member, &with(object("p1"), "target_tenant", "p2"), true),
    ];
    for (rule, caller, target, expected) in cases {
        assert_eq!(policy.check(policy.rule(rule).expect(rule), caller, *target), *expected, "{rule} {} {target:?}", caller.user_name);
    }
}

#[test]
fn columns_are_decided_without_an_object() {
    let policy = Policy::defaults();
    let decide = |rule: &str, caller: &Caller| policy.decide(policy.rule(rule).expect(rule), caller);
    assert_eq!(decide("get_port:binding:host_id", &Caller::member("p")), Decision::Never);
    assert_eq!(decide("get_port:binding:host_id", &Caller::service("p")), Decision::Always);
    assert_eq!(decide("get_port", &Caller::admin("p")), Decision::Always);
    assert_eq!(decide("get_port", &Caller::member("p")), Decision::Depends);
    assert_eq!(decide("get_port", &Caller::named("u", "p".into(), &["unheard-of"])), Decision::Never);
}

#[test]
fn refusals_show_the_composed_rule() {
    let mut policy = Policy::defaults();
    let [port, ips, address] =
        ["create_port", "create_port:fixed_ips", "create_port:fixed_ips:ip_address"].map(|name| policy.rule(name).expect(name));
    let nested = Requirement::from(port).and(Requirement::from(ips).and(Requirement::all([address])));
    let target = under(with(object("p1"), "shared", "True"), "network", "p2");
    let denied = policy.enforce(&nested, &Caller::member("p1"), &target).expect_err("not the owner of the network");
    assert_eq!(
        denied.to_string(),
        "(rule:create_port and (rule:create_port:fixed_ips and (rule:create_port:fixed_ips:ip_address))) is disallowed by policy"
    );
    assert_eq!(policy.enforce(&port.into(), &Caller::member("p1"), &target), Ok(()));
    let missing = policy.intern("create_rbac_policy:action");
    assert_eq!(policy.rule("create_rbac_policy:action"), None);
    assert_eq!(policy.intern("create_rbac_policy:action"), missing);
    let denied = policy.enforce(&missing.into(), &Caller::member("p1"), &object("p2")).expect_err("falls to admin_or_owner");
    assert_eq!(denied.to_string(), "rule:create_rbac_policy:action is disallowed by policy");
    assert!(policy.check(missing, &Caller::member("p1"), &object("p1")));
}

#[test]
fn who_is_admin_is_a_rule() {
    let policy = Policy::from_yaml("context_is_admin: role:network_admin", "policy.yaml").expect("good");
    assert!(!policy.admit(Caller::admin("p")).is_admin);
    assert!(policy.admit(Caller::named("u", "p".into(), &["network_admin"])).is_admin);
    assert!(Policy::defaults().admit(Caller::internal()).is_admin);
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let role = prop::sample::select(vec!["admin", "manager", "member", "reader", "service", "advsvc", "data_plane_integrator"]);
    let roles = prop::collection::vec(role, 0..4);
    (prop::sample::select(vec!["", "p1", "p2"]), roles, any::<bool>()).prop_map(|(project, roles, service)| {
        let principal = Principal { project_id: project.into(), roles: Roles::new(roles), ..Principal::default() };
        Caller::new(principal).with_service_roles(if service { Roles::new(["service"]) } else { Roles::default() })
    })
}

fn any_object() -> impl Strategy<Value = Object> {
    let project = || prop::option::of(prop::sample::select(vec!["", "p1", "p2"]));
    let owner = prop::option::of(prop::sample::select(vec!["", "compute:nova", "network:dhcp", "baremetal:x"]));
    let flag = || prop::option::of(any::<bool>());
    (project(), project(), project(), project(), owner, flag(), flag(), prop::option::of(prop::sample::select(vec!["*", "p1"]))).prop_map(
        |(project, network, group, parent, owner, shared, external, tenant)| {
            let mut object = Object { project: project.map(str::to_owned), ..Object::default() };
            for (name, value) in [("network", network), ("security_group", group), ("ext_parent", parent)] {
                object.parents.extend(value.map(|value| (name.to_owned(), value.to_owned())));
            }
            for (name, value) in [("shared", shared), ("router:external", external)] {
                object.fields.extend(value.map(|value| (name.to_owned(), Field::Bool(value))));
            }
            for (name, value) in [("device_owner", owner), ("target_tenant", tenant), ("target_project", tenant)] {
                object.fields.extend(value.map(|value| (name.to_owned(), Field::Text(value.to_owned()))));
            }
            object
        },
    )
}

/// Check strings of every shape over the same small vocabulary.
fn any_check() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "@",
        "!",
        "role:admin",
        "role:member",
        "project_id:%(project_id)s",
        "project_id:%(network:project_id)s",
        "service_roles:service",
        "is_admin:True",
        "field:networks:shared=True",
        "field:port:device_owner=~^compute:",
        "rule:shared",
        "rule:no_such_rule",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("not ({inner})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) and {right}")),
            (inner.clone(), inner).prop_map(|(left, right)| format!("{left} or ({right})")),
        ]
    })
}

proptest! {
    #[test]
    fn a_decision_holds_for_every_target(caller in any_caller(), targets in prop::collection::vec(any_object(), 1..8)) {
        let policy = Policy::defaults();
        for name in policy.names() {
            let rule = policy.rule(name).expect("listed");
            let decision = policy.decide(rule, &caller);
            for target in &targets {
                let full = policy.check(rule, &caller, target);
                prop_assert_eq!(policy.resolve(decision, rule, &caller, target), full, "{} {:?} {:?}", name, caller, target);
            }
        }
    }

    #[test]
    fn a_decision_holds_for_every_rule(check in any_check(), caller in any_caller(), target in any_object()) {
        let policy = single(&check);
        let rule = policy.rule("t").expect("defined");
        prop_assert_eq!(policy.resolve(policy.decide(rule, &caller), rule, &caller, &target), policy.check(rule, &caller, &target));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "[a-z:%() !@=~^]{0,60}") {
        let _ = Policy::from_yaml(&format!("t: {text:?}"), "p");
    }
}
