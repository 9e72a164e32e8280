"""Names: dns_name, dns_domain and dns_assignment of ports, networks and floating IPs (dns-integration, dns-domain-ports)."""
from asking import ask, delete, get, post, put, section

LABEL = "x" * 64

section("domain")
for domain in ("example.org.", "Example.ORG.", "example.org", "", "-a.org.", "a-.org.", "a_b.org.", "a..org.", ".", "..", "1.", "a.1.", None, 5, True, ["x"], {},
               "<project_id>.example.org.", "<nope>.org.", LABEL + ".org.", ("a" * 60 + ".") * 4 + "abcdefghi.", ("a" * 60 + ".") * 4 + "abcdefgh.",
               " a.org.", "ä.org."):
    post("network", {"name": "d", "dns_domain": domain}, "member", "made", name=f"network dns_domain={str(domain)[:40]}")
    delete("network", "$made", "member", name=f"network dns_domain={str(domain)[:40]} deleted")
post("network", {"name": "d", "dns_domain": "net.example.org."}, "member", "net")
for domain in ("", None, "bad", "Other.example.org.", "net.example.org."):
    put("network", "$net", {"dns_domain": domain}, "member", name=f"network update dns_domain={domain}")
put("network", "$net", {"dns_domain": "x.org."}, "reader", name="network update dns_domain by a reader")
put("network", "$net", {"dns_domain": "x.org."}, "other", name="network update dns_domain by another")
for query in ("dns_domain=net.example.org.", "dns_domain=x", "sort_key=dns_domain&sort_dir=asc", "fields=dns_domain&name=d"):
    get(f"networks?{query}", "member", name=f"networks {query}")

section("name")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.77.0.0/24"}, "member", "sub4")
post("subnet", {"network_id": "$net", "ip_version": 6, "cidr": "2001:db8:77::/64"}, "member", "sub6")
for word in ("web", "Web", "", "web.", "a_b", "web.openstackgate.local.", "WEB.openstackgate.local.", "openstackgate.local.", ".openstackgate.local.",
             "web.example.org.", "a.b", "a.1", "1", "a..b", LABEL, ".".join(["a" * 60] * 4), "a." * 130 + "a", None, 5, True, ["x"], {}, "-a", "a-", "a b", "<project_id>",
             "ä"):
    body = {"network_id": "$net", "dns_name": word, "fixed_ips": [{"ip_address": "10.77.0.5"}, {"ip_address": "2001:db8:77::5"}]}
    post("port", body, "member", "made", name=f"port dns_name={str(word)[:40]}")
    delete("port", "$made", "member", name=f"port dns_name={str(word)[:40]} deleted")
for domain in ("p.example.org.", "P.example.org.", "bad", "", None, 5):
    post("port", {"network_id": "$net", "dns_domain": domain, "fixed_ips": []}, "member", "made", name=f"port dns_domain={domain}")
    delete("port", "$made", "member", name=f"port dns_domain={domain} deleted")
post("port", {"network_id": "$net", "dns_assignment": []}, "member", name="port dns_assignment")
addresses = [{"ip_address": "10.77.0.5"}, {"ip_address": "2001:db8:77::5"}]
post("port", {"network_id": "$net", "dns_name": "one", "dns_domain": "p.example.org.", "fixed_ips": addresses}, "member", "port")
for change in ({"dns_name": "two"}, {"dns_domain": ""}, {"dns_name": ""}, {"dns_domain": "x.example.org."}, {"dns_domain": "bad"}, {"dns_domain": None},
               {"dns_assignment": []}, {"dns_name": None}, {"dns_name": "three", "dns_domain": "Y.example.org."}, {"fixed_ips": [{"ip_address": "10.77.0.6"}]},
               {"fixed_ips": []}, {"fixed_ips": addresses}, {"dns_name": "web.openstackgate.local."}, {"dns_name": "web.example.org."}):
    put("port", "$port", change, "member", name=f"port update {change}".replace("'", ""))
put("port", "$port", {"dns_name": "x"}, "reader", name="port update dns_name by a reader")
put("port", "$port", {"dns_name": "x"}, "other", name="port update dns_name by another")
put("port", "$port", {"dns_name": "svc", "device_id": "vm", "device_owner": "compute:az"}, "service", name="port update dns_name by a service")
for query in ("dns_name=svc", "dns_domain=x", "dns_assignment=x", "sort_key=dns_name&sort_dir=asc", "fields=dns_name&fields=dns_assignment&network_id=$net"):
    get(f"ports?{query}", "member", name=f"ports {query}")
put("network", "$net", {"dns_domain": "later.example.org."}, "member", name="network domain of named ports")
get("ports/$port", "member", name="port of a network with another domain")
put("port", "$port", {"device_id": "", "device_owner": "", "dns_name": ""}, "service", name="port free again")

section("bulk")
ask("member", "POST", "/v2.0/ports", {"ports": [{"network_id": "$net", "dns_name": "same", "fixed_ips": []}, {"network_id": "$net", "dns_name": "a_b"}]},
    name="ports with a name that is none")
get("ports?network_id=$net&fields=dns_name", "member", name="ports after that")

delete("port", "$port", "member")
delete("network", "$net", "member")
