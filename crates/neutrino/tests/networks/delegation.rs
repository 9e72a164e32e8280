//! Prefixes delegated from outside, by a real server (Kea): they come, are renewed, outlive the program, are given back, and end.

use super::{lab, update_port};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use testkit::{Instance, Lab, eventually};

const NONE: &str = "::/64";
/// What the server has to give, and a machine behind it.
const POOL: &str = "2001:db8:f000:";
const FAR: &str = "2001:db8:100::1";

/// Who delegates: an instance on an external network.
struct Provider<'a> {
    machine: Instance<'a>,
    leases: PathBuf,
    config: PathBuf,
}

impl<'a> Provider<'a> {
    /// The machine, which forwards to what it delegates by way of the router's address outside; its server does not run yet.
    fn new(lab: &'a Lab, outside: &str, gateway: &str) -> Result<Provider<'a>> {
        let machine = lab.instance("provider", outside, &["--fixed-ip", "2001:db8:ff::2", "--no-dhcp"])?;
        update_port(lab, &machine, &json!({"security_groups": [], "port_security_enabled": false}))?;
        let own = "ip -6 route del default && ip addr add 2001:db8:ff::1/64 dev eth0 nodad";
        let script = format!("{own} && ip addr add {FAR}/128 dev lo && ip -6 route add {POOL}:/48 via {gateway} dev eth0");
        machine.exec_ok(&["sh", "-c", &script])?;
        let (leases, config) = (lab.state().join("leases"), lab.state().join("kea.json"));
        let wanted = json!({"Dhcp6": {
            "server-id": {"type": "LL", "persist": false},
            "interfaces-config": {"interfaces": ["eth0"]},
            "lease-database": {"type": "memfile", "persist": true, "name": leases, "lfc-interval": 0},
            "renew-timer": 2, "rebind-timer": 6, "preferred-lifetime": 9, "valid-lifetime": 12,
            "subnet6": [{
                "id": 1, "subnet": "2001:db8:ff::/64", "interface": "eth0",
                "pd-pools": [{"prefix": format!("{POOL}:"), "prefix-len": 48, "delegated-len": 64}],
            }],
        }});
        fs::write(&config, wanted.to_string())?;
        Ok(Provider { machine, leases, config })
    }

    fn start(&self) -> Result<()> {
        eventually("a link-local address of the server", || {
            let addresses = self.machine.exec_ok(&["ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link"])?;
            Ok(!addresses.is_empty() && !addresses.contains("tentative"))
        })?;
        let directory = self.config.parent().context("a directory")?.display().to_string();
        let config = self.config.display();
        let script = format!(
            "KEA_PIDFILE_DIR={directory} KEA_LOCKFILE_DIR=none setsid kea-dhcp6 -c {config} > {directory}/kea.log 2>&1 & \
             echo $! > {directory}/kea.pid"
        );
        self.machine.exec_ok(&["sh", "-c", &script]).map(drop)
    }

    fn stop(&self) -> Result<()> {
        let pid = fs::read_to_string(self.config.with_file_name("kea.pid"))?;
        testkit::output(&["kill", "-9", pid.trim()])?;
        // Nobody waits for it here, so the next one would take it for running.
        Ok(fs::remove_file(self.config.with_file_name("kea.kea-dhcp6.pid"))?)
    }

    /// What its server wrote of a prefix, a line for each time it was given: the lifetimes.
    fn given(&self, prefix: &str) -> Result<Vec<u32>> {
        let text = fs::read_to_string(&self.leases).unwrap_or_default();
        let of = |line: &&str| line.starts_with(&format!("{},", prefix.trim_end_matches("/64")));
        Ok(text.lines().filter(of).filter_map(|line| line.split(',').nth(2)?.parse().ok()).collect())
    }
}

struct Site {
    router: String,
    gateway: String,
    outside: String,
    subnets: [String; 2],
    networks: [String; 2],
}

/// Two networks with delegated subnets behind a router to an external network.
fn site(lab: &Lab) -> Result<Site> {
    let cloud = lab.cloud()?;
    let id = |value: &Value| value["id"].as_str().map(str::to_owned).context("an id");
    let outside = id(&cloud.create("networks", &json!({"name": "outside", "project_id": "p", "router:external": true}))?)?;
    let subnet =
        json!({"project_id": "p", "ip_version": 6, "cidr": "2001:db8:ff::/64", "gateway_ip": "2001:db8:ff::1", "enable_dhcp": false});
    lab.subnet(&outside, subnet)?;
    let router = json!({"name": "r", "project_id": "p", "external_gateway_info": {"network_id": outside}});
    let router = cloud.create("routers", &router)?;
    let gateway = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].as_str().context("an address")?.to_owned();
    let router = id(&router)?;
    let (mut networks, mut subnets) = (Vec::new(), Vec::new());
    for (name, mode) in [("one", "slaac"), ("two", "dhcpv6-stateless")] {
        let network = id(&cloud.create("networks", &json!({"name": name, "project_id": "p"}))?)?;
        let subnet = json!({
            "project_id": "p", "ip_version": 6, "subnetpool_id": "prefix_delegation", "ipv6_ra_mode": mode, "ipv6_address_mode": mode,
        });
        let subnet = lab.subnet(&network, subnet)?;
        cloud.request("PUT", &format!("routers/{router}/add_router_interface"), Some(&json!({ "subnet_id": subnet })))?;
        networks.push(network);
        subnets.push(subnet);
    }
    let both = |list: Vec<String>| <[String; 2]>::try_from(list).map_err(|_| anyhow::anyhow!("two of them"));
    Ok(Site { router, gateway, outside, subnets: both(subnets)?, networks: both(networks)? })
}

fn cidr(lab: &Lab, subnet: &str) -> Result<String> {
    Ok(lab.cloud()?.get("subnets", subnet)?["cidr"].as_str().unwrap_or_default().to_owned())
}

/// Waits until a subnet has a prefix of the server.
fn delegated(lab: &Lab, subnet: &str) -> Result<String> {
    let mut prefix = String::new();
    eventually("a prefix", || {
        prefix = cidr(lab, subnet)?;
        Ok(prefix.starts_with(POOL))
    })?;
    Ok(prefix)
}

/// Waits until an instance has the address of its port, which is of this prefix.
fn addressed(lab: &Lab, instance: &Instance<'_>, prefix: &str) -> Result<String> {
    let port = lab.cloud()?.get("ports", &instance.port_id)?;
    let address = port["fixed_ips"][0]["ip_address"].as_str().context("an address")?.to_owned();
    ensure!(address.starts_with(prefix.trim_end_matches(":/64")), "{address} is not of {prefix}");
    eventually(&format!("{address} in {}", instance.name), || {
        Ok(instance.exec_ok(&["ip", "-6", "-o", "address", "show", "dev", "eth0", "-tentative"])?.contains(&format!(" {address}/")))
    })?;
    Ok(address)
}

/// The last that the agent said of a router's faults is that it has none.
fn mended(lab: &Lab, router: &str) -> bool {
    let tail = lab.tail();
    let of_it = |line: &&str| line.contains(router) && (line.contains("mended") || line.contains("cannot be realised"));
    tail.lines().rfind(of_it).is_some_and(|line| line.contains("mended"))
}

testkit::isolated_tests! {
    fn prefixes_come_from_outside_and_go_again() {
        let mut lab = lab()?;
        let Site { router, gateway, outside, subnets, networks } = site(&lab)?;
        ensure!(cidr(&lab, &subnets[0])? == NONE && cidr(&lab, &subnets[1])? == NONE, "nobody delegates yet");
        let (prefixes, addresses) = {
            let provider = Provider::new(&lab, &outside, &gateway)?;
            let (a, b) = (lab.instance("a", &networks[0], &[])?, lab.instance("b", &networks[1], &[])?);
            let advertised = a.exec_ok(&["ip", "-6", "route"])?;
            ensure!(!advertised.contains("proto kernel metric 256 expires"), "no prefix is on the link: {advertised}");
            let subnet = subnets[1].clone();
            eventually("that nobody answers to be said", || Ok(lab.tail().contains(&format!("for subnet {subnet}: no server answers on qg-"))))?;
            provider.start()?;
            let prefixes = [delegated(&lab, &subnets[0])?, delegated(&lab, &subnets[1])?];
            ensure!(prefixes[0] != prefixes[1], "one each: {prefixes:?}");
            eventually("the fault to go by itself", || Ok(mended(&lab, &router)))?;
            let subnet = lab.cloud()?.get("subnets", &subnets[0])?;
            let first = prefixes[0].trim_end_matches("/64");
            ensure!(subnet["gateway_ip"] == format!("{first}1"), "{subnet}");
            ensure!(subnet["allocation_pools"][0]["start"] == format!("{first}2"), "{subnet}");
            ensure!(subnet["subnetpool_id"] == "prefix_delegation", "{subnet}");
            let addresses = [addressed(&lab, &a, &prefixes[0])?, addressed(&lab, &b, &prefixes[1])?];
            a.reaches(&addresses[1])?;
            a.reaches(FAR)?;
            provider.machine.serve(8080)?;
            eventually("TCP to the outside", || Ok(a.asks(FAR, 8080)?.as_deref() == Some("provider")))?;
            let renewed = |times: usize| Ok(provider.given(&prefixes[0])?.len() >= times);
            eventually("the prefix is renewed", || renewed(3))?;
            (prefixes, addresses)
        };
        // The program ends and comes back; instances, server and prefixes stay.
        lab.kill()?;
        lab.restart()?;
        let provider = lab.again("provider")?;
        let provider = Provider { machine: provider, leases: lab.state().join("leases"), config: lab.state().join("kea.json") };
        let a = lab.again("a")?;
        let before = provider.given(&prefixes[0])?.len();
        eventually("it is renewed by the next program", || Ok(provider.given(&prefixes[0])?.len() > before + 1))?;
        ensure!(cidr(&lab, &subnets[0])? == prefixes[0] && cidr(&lab, &subnets[1])? == prefixes[1], "they are the same");
        a.reaches(FAR)?;
        // A network leaves the router: its prefix is given back, the other stays.
        let cloud = lab.cloud()?;
        cloud.request("PUT", &format!("routers/{router}/remove_router_interface"), Some(&json!({"subnet_id": subnets[1]})))?;
        ensure!(cidr(&lab, &subnets[1])? == NONE);
        eventually("the server to have it back", || Ok(provider.given(&prefixes[1])?.last() == Some(&0)))?;
        a.loses(&addresses[1])?;
        a.reaches(FAR)?;
        ensure!(cidr(&lab, &subnets[0])? == prefixes[0]);
        // Nobody renews any more: the prefix is no longer ours to use.
        provider.stop()?;
        eventually("the prefix to end", || Ok(cidr(&lab, &subnets[0])? == NONE))?;
        eventually("that to be said", || Ok(!mended(&lab, &router)))?;
        eventually("nothing is routed any more", || Ok(!a.pings(FAR)?))?;
        provider.start()?;
        let prefix = delegated(&lab, &subnets[0])?;
        addressed(&lab, &a, &prefix)?;
        eventually("the fault to go by itself", || Ok(mended(&lab, &router)))?;
        a.reaches(FAR)
    }

    fn what_does_not_go_with_a_delegated_prefix() {
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let network = cloud.create("networks", &json!({"name": "net", "project_id": "p"}))?["id"].clone();
        let subnet = |more: Value| {
            let mut body = json!({"network_id": network, "project_id": "p", "ip_version": 6, "subnetpool_id": "prefix_delegation",
                "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"});
            if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
                body.extend(more);
            }
            body
        };
        for (more, said) in [
            (json!({"ip_version": 4}), "Prefix Delegation can only be used with IPv6 subnets."),
            (json!({"ipv6_ra_mode": "dhcpv6-stateful"}), "IPv6 RA Mode must be SLAAC or Stateless for Prefix Delegation."),
            (json!({"ipv6_address_mode": null}), "IPv6 Address Mode must be SLAAC or Stateless for Prefix Delegation."),
            (json!({"allocation_pools": [{"start": "::5", "end": "::9"}]}), "allocation_pools allowed only for specific subnet requests."),
            (json!({"use_default_subnetpool": true}), "subnetpool_id and use_default_subnetpool cannot both be specified"),
            (json!({"subnetpool_id": "prefix_elegation"}), "'prefix_elegation' is not a valid UUID"),
        ] {
            let refused = cloud.create("subnets", &subnet(more));
            ensure!(refused.as_ref().is_err_and(|error| error.to_string().contains(said)), "{said}: {refused:?}");
        }
        ensure!(cloud.list("subnets", &[])?.is_empty(), "nothing is made");
        let made = cloud.create("subnets", &subnet(json!({})))?;
        ensure!(made["cidr"] == NONE && made["gateway_ip"] == "::1", "{made}");
        cloud.create("subnets", &subnet(json!({})))?;
        ensure!(cloud.list("subnets", &[("subnetpool_id", "prefix_delegation")])?.len() == 2);
        let other = cloud.create("subnets", &json!({"network_id": network, "project_id": "p", "ip_version": 6, "cidr": "2001:db8::/64"}));
        ensure!(other.is_err(), "all IPv6 subnets of a network come from one place");
        // Whoever knows the prefix needs nobody to delegate one.
        let plain = cloud.create("networks", &json!({"name": "plain", "project_id": "p"}))?["id"].clone();
        let given = cloud.create("subnets", &subnet(json!({"network_id": plain, "cidr": "2001:db8:1::/64"})))?;
        ensure!(given["subnetpool_id"].is_null() && given["cidr"] == "2001:db8:1::/64", "{given}");
        Ok(())
    }
}
