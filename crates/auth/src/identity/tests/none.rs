//! Without authentication.

use super::*;

fn caller(headers: &[(&'static str, &'static str)]) -> Caller {
    let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
    NoAuth::new("p0".into()).caller(&headers)
}

#[test]
fn everybody_is_admin_of_the_fixed_project() {
    let caller = caller(&[("x-auth-token", "whatever")]);
    assert!(caller.is_admin && caller.owns("p0"));
}

#[test]
fn headers_name_another_caller() {
    let member = caller(&[("x-tenant-id", "p1"), ("x-user-id", "u1"), ("x-roles", "Member, auditor"), ("x-service-roles", "service")]);
    assert_eq!(member.project_id.as_str(), "p1");
    assert_eq!(member.user_id, "u1");
    assert_eq!(member.roles.iter().collect::<Vec<_>>(), ["auditor", "member", "reader"]);
    assert!(!member.is_admin && member.service_roles.contains("service"));
    let admin = caller(&[("x-project-id", "p2"), ("x-project-name", "two")]);
    assert!(admin.is_admin && admin.owns("p2") && admin.project_name == "two");
}

#[tokio::test]
async fn there_is_no_identity_service() {
    let request = Request::get("/identity/v3").body(Bytes::new()).expect("well-formed");
    assert!(Identity::None(NoAuth::default()).serve(request, BASE).await.is_none());
}

#[test]
fn clouds_without_passwords() {
    let document: Value = serde_yaml_ng::from_str(&clouds_without_auth(BASE)).expect("YAML");
    assert_eq!(document["clouds"]["neutrino"]["auth_type"], "none");
    assert_eq!(document["clouds"]["neutrino"]["auth"]["endpoint"], BASE);
}
