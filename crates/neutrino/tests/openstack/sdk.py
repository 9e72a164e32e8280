# What automation does through openstacksdk. The cloud comes from OS_CLOUD and OS_CLIENT_CONFIG_FILE.
import openstack
from openstack import exceptions

cloud = openstack.connect()
network = cloud.network


def expect(found, wanted):
    assert found == wanted, f"{found!r} instead of {wanted!r}"


net = network.create_network(name="sdk", description="made by the SDK")
expect(net.status, "ACTIVE")
four = network.create_subnet(
    network_id=net.id, ip_version=4, cidr="10.0.0.0/24", allocation_pools=[{"start": "10.0.0.10", "end": "10.0.0.12"}])
six = network.create_subnet(
    network_id=net.id, ip_version=6, cidr="2001:db8::/64", ipv6_address_mode="slaac", ipv6_ra_mode="slaac")
expect(four.gateway_ip, "10.0.0.1")

port = network.create_port(network_id=net.id, name="first")
expect(len(port.fixed_ips), 2)
expect(len(port.security_group_ids), 1)
network.update_port(port, description="changed", binding_host_id="")
expect(network.get_port(port.id).description, "changed")
expect([p.id for p in network.ports(fixed_ips=f"subnet_id={four.id}", name="first")], [port.id])

# Bulk, pages, filters, sorting.
made = list(network.create_ports([{"network_id": net.id, "name": name, "fixed_ips": []} for name in ("c", "a", "b")]))
expect(len(made), 3)
expect([p.name for p in network.ports(network_id=net.id, sort_key="name", sort_dir="desc", limit=1, name=["a", "b", "c"])], ["c", "b", "a"])

group = network.create_security_group(name="web")
rule = network.create_security_group_rule(
    security_group_id=group.id, direction="ingress", protocol="tcp", port_range_min=80, port_range_max=80)
expect(rule.ether_type, "IPv4")
network.update_port(port, security_groups=[group.id])
try:
    network.delete_security_group(group, ignore_missing=False)
    raise AssertionError("a group in use was deleted")
except exceptions.ConflictException as conflict:
    expect(conflict.status_code, 409)

try:
    network.get_network("8a5b1d8e-0000-4000-8000-000000000000")
    raise AssertionError("a network that is not there was found")
except exceptions.NotFoundException:
    pass

# A change made on an old revision is refused.
stale = network.get_network(net.id)
network.update_network(net, name="renamed")
try:
    network.update_network(stale, name="lost", if_revision=stale.revision_number)
    raise AssertionError("a change on an old revision was taken")
except exceptions.PreconditionFailedException:
    pass

quota = network.get_quota(cloud.current_project_id)
assert quota.ports > 0, quota
agents = {"neutron-linuxbridge-agent", "neutron-dhcp-agent", "neutron-l3-agent", "neutron-metadata-agent"}
expect({agent.binary for agent in network.agents()}, agents)
assert network.find_extension("security-group") is not None

for each in [*made, port]:
    network.delete_port(each, ignore_missing=False)
network.delete_network(net, ignore_missing=False)
network.delete_security_group(group, ignore_missing=False)
expect([n.name for n in network.networks()], [])
