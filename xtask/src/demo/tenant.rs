//! A project of the demonstration with what it owns; what an earlier run made is used again.

use crate::server::Place;
use anyhow::{Context, Result};
use client::Cloud;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// The range that both projects use.
pub const CIDR: &str = "10.0.0.0/24";
/// Name of the security group whose rules are shown.
pub const WEB: &str = "web";

/// A project and its user.
#[derive(Debug)]
pub struct Tenant {
    /// Id of the project.
    pub project_id: String,
    /// The cloud as that user.
    pub cloud: Cloud,
    /// The network, once made.
    pub network_id: String,
    /// The security group, once made.
    pub web_id: String,
}

/// Where instances are made.
#[derive(Debug)]
pub struct Home {
    /// On which network.
    pub network_id: String,
    /// Of which project.
    pub project_id: String,
}

impl Tenant {
    /// The project, with a user who has the role member in it.
    pub fn prepare(place: &Place, admin: &Cloud, name: &str) -> Result<Tenant> {
        let project_id = ensure(admin, "project", name, json!({}))?;
        let password = password(place, name)?;
        let user_id = ensure(admin, "user", name, json!({"password": password}))?;
        let roles = admin.identity("GET", "roles?name=member", None)?;
        let role = roles["roles"][0]["id"].as_str().context("there is no role member")?;
        admin.identity("PUT", &format!("projects/{project_id}/users/{user_id}/roles/{role}"), None)?;
        let cloud = admin.as_user(name, &password, name);
        Ok(Tenant { project_id, cloud, network_id: String::new(), web_id: String::new() })
    }

    /// Its network, and itself, as where instances are.
    pub fn home(&self) -> Home {
        Home { network_id: self.network_id.clone(), project_id: self.project_id.clone() }
    }

    /// The network with its subnet, and the security group with ICMP and nothing else from outside. Says how many were new.
    pub fn build(&mut self) -> Result<usize> {
        let mut new = 0;
        let mut one = |collection: &str, query: &[(&str, &str)], body: Value| -> Result<String> {
            if let Some(found) = self.cloud.list(collection, query)?.first() {
                return Ok(id(found));
            }
            new += 1;
            Ok(id(&self.cloud.create(collection, &body)?))
        };
        let own = ("project_id", self.project_id.as_str());
        let network_id = one("networks", &[("name", "net"), own], json!({"name": "net"}))?;
        let subnet = json!({"name": "subnet", "network_id": network_id, "ip_version": 4, "cidr": CIDR});
        one("subnets", &[("network_id", &network_id)], subnet)?;
        let web_id = one("security-groups", &[("name", WEB), own], json!({"name": WEB}))?;
        let rule = [("security_group_id", web_id.as_str()), ("protocol", "icmp"), ("direction", "ingress")];
        let icmp = json!({"security_group_id": web_id, "protocol": "icmp", "direction": "ingress", "ethertype": "IPv4"});
        one("security-group-rules", &rule, icmp)?;
        (self.network_id, self.web_id) = (network_id, web_id);
        Ok(new)
    }

    /// Deletes the rule for a TCP port, should an interrupted run have left it.
    pub fn close(&self, port: u16) -> Result<()> {
        let query = [("security_group_id", self.web_id.as_str()), ("protocol", "tcp"), ("direction", "ingress")];
        for rule in self.cloud.list("security-group-rules", &query)? {
            if rule["port_range_min"] == port {
                self.cloud.delete_if_there("security-group-rules", &id(&rule))?;
            }
        }
        Ok(())
    }
}

/// The id of the first of these resources; one is made when there is none.
pub fn first_or_made(cloud: &Cloud, collection: &str, query: &[(&str, &str)], body: Value) -> Result<String> {
    match cloud.list(collection, query)?.first() {
        Some(found) => Ok(id(found)),
        None => Ok(id(&cloud.create(collection, &body)?)),
    }
}

/// The id of a resource.
pub fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap_or_default().to_owned()
}

/// A project or user of that name; its attributes are set when it is there already.
fn ensure(admin: &Cloud, kind: &str, name: &str, mut attributes: Value) -> Result<String> {
    let found = admin.identity("GET", &format!("{kind}s?name={name}"), None)?;
    if let Some(found) = found[format!("{kind}s")].as_array().and_then(|found| found.first()) {
        if attributes.as_object().is_some_and(|attributes| !attributes.is_empty()) {
            admin.identity("PATCH", &format!("{kind}s/{}", id(found)), Some(&json!({kind: attributes})))?;
        }
        return Ok(id(found));
    }
    attributes["name"] = json!(name);
    Ok(id(&admin.identity("POST", &format!("{kind}s"), Some(&json!({kind: attributes})))?[kind]))
}

/// The user's password: made once, kept beside `clouds.yaml` for its owner alone.
fn password(place: &Place, name: &str) -> Result<String> {
    let path = place.state.join(format!("demo-{name}.password"));
    if let Ok(password) = fs::read_to_string(&path) {
        return Ok(password.trim().to_owned());
    }
    let password = fs::read_to_string("/proc/sys/kernel/random/uuid")?.trim().to_owned();
    fs::write(&path, &password).with_context(|| format!("writing {}", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(password)
}
