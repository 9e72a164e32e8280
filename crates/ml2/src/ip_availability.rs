//! `network-ip-availabilities`: how many addresses of each network there are, and how many are used (extensions `network-ip-availability`
//! and `network-ip-availability-details`).
//!
//! Written by hand and not declared as a resource, because the filter `ip_version` chooses what is counted, not only what is listed.
//! Numbers of IPv6 subnets are beyond 64 bits and are written as they are. A list without order is in network id order.

#[cfg(test)]
mod tests;

use api::rows::Rows;
use api::{Answer, Answering, Collection, Fault, Query, Reading, Request, Route, schema};
use auth::{Policy, RuleId};
use model::{Network, Port, Subnet};
use net::{Family, NetworkId, ProjectId, SubnetId};
use serde::Serialize;
use serde_json::Value;
use std::net::IpAddr;
use std::ops::AddAssign;
use std::sync::Arc;
use world::{Key, World};

/// Name in bodies; the path has hyphens.
pub const COLLECTION: &str = "network_ip_availabilities";
const ONE: &str = "network_ip_availability";
const OWN: [&str; 4] = ["network_id", "network_name", "project_id", "tenant_id"];
const ROWS: Rows = Rows { collection: COLLECTION, filters: &OWN, words: &["ip_version"], sorts: &OWN, id: "network_id", form };

fn form() -> Vec<(&'static str, Value)> {
    let text = || schema::text(255);
    let counts = || [("used_ips", schema::integer()), ("total_ips", schema::integer()), ("ip_availability_details", schema::dictionary())];
    let subnet = [("subnet_id", schema::uuid()), ("subnet_name", text()), ("ip_version", schema::integer()), ("cidr", schema::cidr())];
    let own = [("network_id", schema::uuid()), ("network_name", text()), ("project_id", text()), ("tenant_id", text())];
    let subnets = schema::list(schema::object(subnet.into_iter().chain(counts())));
    own.into_iter().chain([("subnet_ip_availability", subnets)]).chain(counts()).collect()
}

/// The collection, with its rule resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    Arc::new(IpAvailabilities { get: policy.intern("get_network_ip_availability") })
}

struct IpAvailabilities {
    get: RuleId,
}

/// Addresses that there are and that are used. `total_ips` is what ports can be given without asking for an address: the pools, or the
/// whole prefix where there is none.
#[derive(Clone, Copy, Default, Serialize)]
struct Counts {
    used_ips: u128,
    total_ips: u128,
    ip_availability_details: Details,
}

/// The same for the prefix and for the pools apart.
#[derive(Clone, Copy, Default, Serialize)]
struct Details {
    total_ips_in_subnet: u128,
    total_ips_in_allocation_pool: u128,
    used_ips_in_subnet: u128,
    used_ips_in_allocation_pool: u128,
}

#[derive(Serialize)]
struct SubnetAvailability<'w> {
    subnet_id: SubnetId,
    subnet_name: &'w str,
    ip_version: u8,
    cidr: String,
    #[serde(flatten)]
    counts: Counts,
}

/// What of a network is shown: all of it, or what `fields` names.
#[derive(Serialize)]
struct NetworkAvailability<'w> {
    #[serde(skip_serializing_if = "Option::is_none")]
    network_id: Option<NetworkId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_name: Option<&'w str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<&'w ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'w ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet_ip_availability: Option<Vec<SubnetAvailability<'w>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_ips: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_ips: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_availability_details: Option<Details>,
}

impl Collection for IpAvailabilities {
    fn routes(&self) -> Vec<Route> {
        let one = Route::get("/{id}", schema::wrapped(ONE, ROWS.item())).with_fields(&ROWS.fields());
        vec![ROWS.route("").by("get_network_ip_availability"), one.by("get_network_ip_availability")]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            match request.reading()? {
                Reading::All => self.list(request).await,
                Reading::One(id) => self.show(request, id).await,
            }
        })
    }
}

impl IpAvailabilities {
    async fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let filters = Filters::new(&request.query);
        let world = request.frame.fresh().await?;
        let networks = if self.admits(request) { filters.networks(&world) } else { Vec::new() };
        let listed =
            ROWS.select(&request.query, networks.into_iter().filter(|network| filters.has(&world, network)), |network, name| {
                Some(match name {
                    "network_id" => network.id.to_string().into(),
                    "network_name" => network.name.as_str().into(),
                    _ => network.project_id.as_str().into(),
                })
            })?;
        Ok(document(COLLECTION, &listed.into_iter().map(|network| availability(&world, network, &filters)).collect::<Vec<_>>()))
    }

    async fn show(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let not_found = || Fault::new(404, "NetworkNotFound", format!("Network {id} could not be found."));
        let world = request.frame.fresh().await?;
        let network = id.parse::<NetworkId>().ok().and_then(|id| world.get::<Network>(&id)).ok_or_else(not_found)?;
        if !self.admits(request) {
            return Err(Fault::no_such_path());
        }
        let filters = Filters { fields: request.query.all("fields").collect(), ..Filters::default() };
        Ok(document(ONE, &availability(&world, network, &filters)))
    }

    /// The rule is about the caller alone: there is no owner to compare with.
    fn admits(&self, request: &Request<'_>) -> bool {
        request.frame.policy.check(self.get, &request.caller, &())
    }
}

fn document(name: &str, value: &impl Serialize) -> Answer {
    let body = std::collections::BTreeMap::from([(name, value)]);
    Answer::json(200, serde_json::to_vec(&body).expect("counts and names have a JSON form"))
}

/// What a request asks for.
#[derive(Default)]
struct Filters<'q> {
    ids: Option<Vec<NetworkId>>,
    versions: Option<Vec<u8>>,
    fields: Vec<&'q str>,
}

impl<'q> Filters<'q> {
    fn new(query: &'q Query<'_>) -> Filters<'q> {
        let given = |name| query.last(name).map(|_| query.all(name));
        let ids = given("network_id").map(|ids| ids.filter_map(|id| id.parse().ok()).collect());
        let versions = given("ip_version").map(|versions| versions.filter_map(|version| version.parse().ok()).collect());
        Filters { ids, versions, fields: query.all("fields").collect() }
    }

    /// The networks that can match, in id order; by their ids where these are asked for.
    fn networks<'w>(&self, world: &'w World) -> Vec<&'w Arc<Network>> {
        let Some(ids) = &self.ids else { return world.table::<Network>().iter().collect() };
        let mut ids = ids.clone();
        ids.sort_unstable();
        ids.dedup();
        ids.iter().filter_map(|id| world.get(id)).collect()
    }

    /// The subnets of a network that are counted.
    fn subnets<'w>(&self, world: &'w World, network: &Network) -> impl Iterator<Item = &'w Arc<Subnet>> {
        world.table::<Subnet>().by(Subnet::BY_NETWORK, network.id).filter(|subnet| self.counts(subnet.family()))
    }

    /// A network without subnets that are counted has none of an IP version.
    fn has(&self, world: &World, network: &Network) -> bool {
        self.versions.is_none() || self.subnets(world, network).next().is_some()
    }

    /// True when subnets of this family are counted.
    fn counts(&self, family: Family) -> bool {
        self.versions.as_ref().is_none_or(|versions| versions.contains(&family.version()))
    }

    fn shows(&self, field: &str) -> bool {
        self.fields.is_empty() || self.fields.contains(&field)
    }
}

/// A network's addresses.
fn availability<'w>(world: &'w World, network: &'w Network, filters: &Filters<'_>) -> NetworkAvailability<'w> {
    let subnets: Vec<SubnetAvailability<'_>> = filters.subnets(world, network).map(|subnet| of_subnet(world, subnet)).collect();
    let mut all = Counts::default();
    subnets.iter().for_each(|subnet| all += subnet.counts);
    let project = |field| filters.shows(field).then_some(&network.project_id);
    NetworkAvailability {
        network_id: filters.shows("network_id").then_some(network.id),
        network_name: filters.shows("network_name").then_some(&*network.name),
        project_id: project("project_id"),
        tenant_id: project("tenant_id"),
        subnet_ip_availability: filters.shows("subnet_ip_availability").then_some(subnets),
        used_ips: filters.shows("used_ips").then_some(all.used_ips),
        total_ips: filters.shows("total_ips").then_some(all.total_ips),
        ip_availability_details: filters.shows("ip_availability_details").then_some(all.ip_availability_details),
    }
}

fn of_subnet<'w>(world: &World, subnet: &'w Subnet) -> SubnetAvailability<'w> {
    let lowest = match subnet.family() {
        Family::V4 => IpAddr::from([0; 4]),
        Family::V6 => IpAddr::from([0; 16]),
    };
    let taken = world.table::<Port>().walk(Port::BY_ADDRESS, Key::Address(subnet.id.0, lowest));
    let taken = taken.map_while(|(key, _)| match key {
        Key::Address(id, address) if *id == subnet.id.0 => Some(*address),
        _ => None,
    });
    let (mut used, mut used_in_pools) = (0, 0);
    for address in taken {
        used += 1;
        used_in_pools += u128::from(subnet.allocation_pools.iter().any(|pool| (pool.start..=pool.end).contains(&address)));
    }
    let pools = subnet.allocation_pools.iter().map(|pool| net::addresses(&pool.start, &pool.end)).fold(0, u128::saturating_add);
    let counts = Counts {
        used_ips: used,
        total_ips: if subnet.allocation_pools.is_empty() { addresses(subnet) } else { pools },
        ip_availability_details: Details {
            total_ips_in_subnet: usable(subnet),
            total_ips_in_allocation_pool: pools,
            used_ips_in_subnet: used,
            used_ips_in_allocation_pool: used_in_pools,
        },
    };
    let cidr = subnet.cidr.to_string();
    SubnetAvailability { subnet_id: subnet.id, subnet_name: &subnet.name, ip_version: subnet.family().version(), cidr, counts }
}

/// All addresses of the prefix.
fn addresses(subnet: &Subnet) -> u128 {
    net::addresses(&subnet.cidr.network(), &subnet.cidr.broadcast())
}

/// Without the addresses of the network itself and of broadcast, which IPv4 has in all but the smallest prefixes (RFC 3021).
fn usable(subnet: &Subnet) -> u128 {
    let all = addresses(subnet);
    if subnet.family() == Family::V4 && all > 2 { all - 2 } else { all }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.used_ips = self.used_ips.saturating_add(more.used_ips);
        self.total_ips = self.total_ips.saturating_add(more.total_ips);
        self.ip_availability_details += more.ip_availability_details;
    }
}

impl AddAssign for Details {
    fn add_assign(&mut self, more: Details) {
        self.total_ips_in_subnet = self.total_ips_in_subnet.saturating_add(more.total_ips_in_subnet);
        self.total_ips_in_allocation_pool = self.total_ips_in_allocation_pool.saturating_add(more.total_ips_in_allocation_pool);
        self.used_ips_in_subnet = self.used_ips_in_subnet.saturating_add(more.used_ips_in_subnet);
        self.used_ips_in_allocation_pool = self.used_ips_in_allocation_pool.saturating_add(more.used_ips_in_allocation_pool);
    }
}
