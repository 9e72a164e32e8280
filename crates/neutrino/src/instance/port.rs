//! The port of an instance: found out, created and bound as Nova does it.

use super::AddArgs;
use anyhow::{Context, Result, bail};
use client::{Cloud, wait_until};
use metadata::describe::Method;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;

/// How long an agent may take to be heard of.
const AGENT: Duration = Duration::from_secs(5);

/// What an instance is made from.
#[derive(Debug)]
pub struct Choice {
    /// The network.
    pub network: Value,
    /// Project of the port.
    pub project_id: String,
    /// The host the port is bound to.
    pub host: String,
}

/// Looks up what the arguments name.
pub fn choose(cloud: &Cloud, args: &AddArgs) -> Result<Choice> {
    let host = match &args.host {
        Some(host) => host.clone(),
        None => this_host(cloud)?,
    };
    if let Some(port) = &args.port {
        let port = cloud.get("ports", port)?;
        let network = cloud.get("networks", text(&port, "network_id"))?;
        return Ok(Choice { network, project_id: text(&port, "project_id").to_owned(), host });
    }
    let project = args.project.as_ref().map(|project| cloud.project_id(project)).transpose()?;
    let name = args.network.as_deref().context("--network or --port is needed")?;
    let network = find_network(cloud, name, project.as_deref())?;
    let project_id = project.unwrap_or_else(|| text(&network, "project_id").to_owned());
    Ok(Choice { network, project_id, host })
}

/// A network of the project itself goes before a shared one of the same name.
fn find_network(cloud: &Cloud, name: &str, project: Option<&str>) -> Result<Value> {
    let Some(project) = project else { return Ok(cloud.find("networks", name, &[])?) };
    let own = cloud.list("networks", &[("name", name), ("project_id", project)])?;
    match <[Value; 1]>::try_from(own) {
        Ok([network]) => Ok(network),
        Err(_) => Ok(cloud.find("networks", name, &[])?),
    }
}

/// The host that runs the L2 agent of this machine.
fn this_host(cloud: &Cloud) -> Result<String> {
    let alive = || -> Result<Vec<Value>, client::Error> {
        let agents = cloud.list("agents", &[("binary", "neutron-linuxbridge-agent")])?;
        Ok(agents.into_iter().filter(|agent| agent["alive"] == true).collect())
    };
    // The agent of a program that has just started may not have said yet that it is there.
    let agents = wait_until("an agent", AGENT, || alive().map(|agents| (!agents.is_empty()).then_some(agents))).or_else(|_| alive())?;
    let hosts: Vec<&str> = agents.iter().map(|agent| text(agent, "host")).collect();
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match hosts.as_slice() {
        [host] => Ok((*host).to_owned()),
        [] => bail!(
            "no Linux bridge agent is alive, so nothing would carry packets; start `neutrino agent` (or `neutrino up`) and see `openstack network agent list`"
        ),
        many => match many.iter().find(|host| **host == own.trim()) {
            Some(host) => Ok((*host).to_owned()),
            None => bail!("several agents are alive ({}); say with --host which one is this machine's", many.join(", ")),
        },
    }
}

/// Creates the port, or takes the one given, bound to the host.
pub fn bind(cloud: &Cloud, args: &AddArgs, choice: &Choice, device_id: &str) -> Result<Value> {
    let mut body = json!({"device_id": device_id, "device_owner": "compute:nova", "binding:host_id": choice.host});
    if let Some(port) = &args.port {
        return Ok(cloud.update("ports", port, &body)?);
    }
    let network_id = text(&choice.network, "id");
    body["name"] = json!(args.name);
    body["network_id"] = json!(network_id);
    body["project_id"] = json!(choice.project_id);
    body["admin_state_up"] = json!(true);
    if !args.security_groups.is_empty() {
        let of_project = [("project_id", choice.project_id.as_str())];
        let find = |group: &String| Ok(text(&cloud.find("security-groups", group, &of_project)?, "id").to_owned());
        body["security_groups"] = json!(args.security_groups.iter().map(find).collect::<Result<Vec<String>>>()?);
    }
    if let Some(address) = args.fixed_ip {
        body["fixed_ips"] = json!([{"ip_address": address}]);
    }
    Ok(cloud.create("ports", &body)?)
}

/// Refuses a port that cannot be plugged as a tap, and says what to look at.
pub fn check_binding(port: &Value, host: &str) -> Result<()> {
    match text(port, "binding:vif_type") {
        "tap" | "bridge" => Ok(()),
        "binding_failed" => bail!(
            "the port could not be bound to host {host}: its agent is not alive, or has no link to the network's physical network; \
             see `openstack network agent list` and the server's log"
        ),
        "unbound" => bail!("the port was not bound to host {host}; is the user of this cloud an administrator?"),
        other => bail!("binding:vif_type is '{other}'; only 'tap' can be plugged here"),
    }
}

/// One subnet as a port on it sees it.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The port's address.
    pub address: IpAddr,
    /// Length of the subnet's prefix.
    pub prefix_len: u8,
    /// Gateway of the subnet.
    pub gateway: Option<IpAddr>,
    /// The address comes by DHCP.
    pub dhcp: bool,
    /// How the address comes, as the instance is told.
    pub method: Method,
    /// Name servers of the subnet.
    pub dns_nameservers: Vec<IpAddr>,
}

/// How an instance comes by an address in a subnet.
fn method(subnet: &Value) -> Method {
    let mode = [text(subnet, "ipv6_address_mode"), text(subnet, "ipv6_ra_mode")].into_iter().find(|mode| !mode.is_empty());
    match (subnet["enable_dhcp"] == true, mode) {
        (false, _) => Method::Static,
        (true, Some("slaac")) => Method::Slaac,
        (true, Some("dhcpv6-stateless")) => Method::SlaacDhcp,
        (true, _) => Method::Dhcp,
    }
}

/// The addresses of a port with their subnets.
pub fn legs(cloud: &Cloud, port: &Value) -> Result<Vec<Leg>> {
    let fixed_ips = port["fixed_ips"].as_array().map(Vec::as_slice).unwrap_or_default();
    if fixed_ips.is_empty() {
        return Ok(Vec::new());
    }
    let subnets = cloud.list("subnets", &[("network_id", text(port, "network_id"))])?;
    let leg = |fixed_ip: &Value| {
        let subnet = subnets.iter().find(|subnet| subnet["id"] == fixed_ip["subnet_id"]).context("the subnet of the port is gone")?;
        let prefix_len = text(subnet, "cidr").rsplit('/').next().and_then(|length| length.parse().ok());
        let by_dhcp = subnet["ip_version"] == 4 || subnet["ipv6_address_mode"] == "dhcpv6-stateful";
        let servers = subnet["dns_nameservers"].as_array().into_iter().flatten();
        Ok(Leg {
            address: text(fixed_ip, "ip_address").parse().context("the port has an address that is none")?,
            prefix_len: prefix_len.context("the subnet has a CIDR that is none")?,
            gateway: text(subnet, "gateway_ip").parse().ok(),
            dhcp: by_dhcp && subnet["enable_dhcp"] == true,
            method: method(subnet),
            dns_nameservers: servers.filter_map(|server| server.as_str()?.parse().ok()).collect(),
        })
    };
    fixed_ips.iter().map(leg).collect()
}

/// A text attribute; empty when it is absent or null.
pub fn text<'a>(resource: &'a Value, name: &str) -> &'a str {
    resource[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_that_cannot_be_plugged() {
        let check = |vif_type: &str| check_binding(&json!({"binding:vif_type": vif_type}), "h1").map_err(|error| error.to_string());
        assert_eq!(check("tap"), Ok(()));
        assert!(check("binding_failed").unwrap_err().contains("openstack network agent list"));
        assert!(check("ovs").unwrap_err().contains("'ovs'"));
    }
}
