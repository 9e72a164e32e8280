//! Reads what agents say of themselves.

use intent::wire;
use ml2::agent::AgentReport;
use model::AgentType;
use net::{HostName, Timestamp};
use smol_str::SmolStr;
use tonic::Status;

/// The version of the contract that this server speaks.
pub const PROTOCOL: u32 = 1;
const NAME_BYTES: usize = 255;
const CONFIGURATION_BYTES: usize = 64 << 10;
const ROLES: usize = 16;
const ALIASES: usize = 255;

/// True for texts that can be a host's name: 1 to 255 letters, digits and `. - _ : @`, the first one a letter or digit.
pub fn is_host_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:@".contains(c);
    name.len() <= NAME_BYTES && name.chars().all(allowed) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Checks a Hello of a host that the transport has vouched for.
pub(crate) fn check(hello: &wire::Hello, peer: &HostName) -> Result<Vec<AgentReport>, Status> {
    if hello.protocol != PROTOCOL {
        let text = format!("the agent speaks version {} of the contract, this server version {PROTOCOL}", hello.protocol);
        return Err(Status::failed_precondition(text));
    }
    if hello.host != peer.as_str() {
        let claimed: String = hello.host.chars().take(NAME_BYTES).collect();
        return Err(Status::permission_denied(format!("the certificate is of host {peer}, the Hello says {claimed:?}")));
    }
    roles(peer, &hello.roles, hello.started_at)
}

/// Reads roles.
pub(crate) fn roles(host: &HostName, roles: &[wire::Role], started_at: i64) -> Result<Vec<AgentReport>, Status> {
    if roles.len() > ROLES {
        return Err(Status::invalid_argument(format!("{} roles, {ROLES} at most", roles.len())));
    }
    let mut reports: Vec<AgentReport> = Vec::with_capacity(roles.len());
    for role in roles {
        let report = self::role(host, role, started_at)?;
        if reports.iter().any(|other| other.agent_type == report.agent_type) {
            return Err(Status::invalid_argument(format!("the role {:?} comes twice", report.agent_type.as_str())));
        }
        reports.push(report);
    }
    Ok(reports)
}

fn role(host: &HostName, role: &wire::Role, started_at: i64) -> Result<AgentReport, Status> {
    let texts = [&role.agent_type, &role.binary, &role.topic, &role.availability_zone];
    let mut texts = texts.into_iter().chain(&role.enforces);
    if texts.any(|text| text.len() > NAME_BYTES) || role.configurations.len() > CONFIGURATION_BYTES {
        return Err(Status::invalid_argument("a text of a role is too long"));
    }
    let agent_type = AgentType::from_word(&role.agent_type);
    let agent_type = agent_type.ok_or_else(|| Status::invalid_argument(format!("the agent type {:?} is unknown", role.agent_type)))?;
    if role.enforces.len() > ALIASES {
        return Err(Status::invalid_argument(format!("a role enforces {} extensions, {ALIASES} at most", role.enforces.len())));
    }
    if role.binary.is_empty() {
        return Err(Status::invalid_argument("a role has no binary"));
    }
    let configurations = if role.configurations.is_empty() { "{}" } else { &role.configurations };
    let configurations = serde_json::from_str(configurations)
        .map_err(|error| Status::invalid_argument(format!("the configurations of {agent_type} are not a JSON object: {error}")))?;
    let zone = &role.availability_zone;
    Ok(AgentReport {
        host: host.clone(),
        agent_type,
        binary: SmolStr::new(&role.binary),
        topic: SmolStr::new(&role.topic),
        availability_zone: (!zone.is_empty() && agent_type.scheduled_resource().is_some()).then(|| SmolStr::new(zone)),
        configurations,
        enforces: role.enforces.iter().map(SmolStr::new).collect(),
        started_at: Timestamp(started_at),
    })
}
