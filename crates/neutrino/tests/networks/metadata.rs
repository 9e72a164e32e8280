//! Metadata as instances ask for it: on networks with and without routers, by both families, with and without Nova, and from guests
//! that mean no good.

use super::lab;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use testkit::{Instance, Lab, eventually, output, patience};

const V4: &str = "169.254.169.254";
const V6: &str = "fe80::a9fe:a9fe%eth0";
const SECRET: &str = "a shared secret";

/// The status and the body of an answer.
fn fetch(instance: &Instance<'_>, address: &str, path: &str, headers: &str) -> Result<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\\r\\nHost: {V4}\\r\\nConnection: close\\r\\n{headers}\\r\\n");
    let script = format!("exec 3<>/dev/tcp/{address}/80 && printf '{request}' >&3 && cat <&3");
    let output = instance.exec(&["timeout", &(2 * patience()).to_string(), "bash", "-c", &script])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) =
        text.split_once("\r\n\r\n").with_context(|| format!("no answer: {text:?}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).with_context(|| format!("no status: {head}"))?;
    Ok((status, body.to_owned()))
}

/// Waits until the service answers and answers with the body.
fn read(instance: &Instance<'_>, address: &str, path: &str) -> Result<String> {
    let mut body = String::new();
    eventually(&format!("{path} for {}", instance.name), || {
        Ok(fetch(instance, address, path, "").is_ok_and(|(status, text)| {
            body = text;
            status == 200
        }))
    })?;
    Ok(body)
}

/// The instance that a request is answered for.
fn uuid(instance: &Instance<'_>, address: &str) -> Result<String> {
    let text = read(instance, address, "/openstack/latest/meta_data.json")?;
    let told: Value = serde_json::from_str(&text)?;
    Ok(told["uuid"].as_str().unwrap_or_default().to_owned())
}

/// The instance that a port is a device of.
fn device_id(lab: &Lab, instance: &Instance<'_>) -> Result<String> {
    let port = lab.cloud()?.get("ports", &instance.port_id)?;
    Ok(port["device_id"].as_str().unwrap_or_default().to_owned())
}

/// The process that answers.
fn proxy() -> Result<String> {
    let entries = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_proxy = |pid: &String| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).nth(1) == Some(b"metadata-proxy")
    };
    let found: Vec<String> = entries.filter(is_proxy).collect();
    ensure!(found.len() == 1, "one proxy for the host: {found:?}");
    Ok(found[0].clone())
}

/// A stand-in for Nova's metadata API in the host's namespace: it answers with the request's head.
fn nova() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:8775")?;
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let lines =
                BufReader::new(stream.try_clone().expect("a socket")).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let head = lines.collect::<Vec<_>>().join("\n");
            // Who has gone needs no answer.
            _ = write!(stream, "HTTP/1.1 200 OK\r\nX-Internal: secret\r\nContent-Length: {}\r\n\r\n{head}", head.len());
        }
    });
    Ok(())
}

testkit::isolated_tests! {
    fn an_instance_reads_what_it_was_given() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let (data, key) = (lab.state().join("data"), lab.state().join("me.pub"));
        std::fs::write(&data, "#!/bin/sh\necho hello\n")?;
        std::fs::write(&key, "ssh-ed25519 AAAAC3 me@here\n")?;
        let [data, key] = [&data, &key].map(|path| path.to_string_lossy().into_owned());
        let one = lab.instance("one", &network, &["--user-data", &data, "--key", &key, "--config-drive"])?;
        let two = lab.instance("two", &network, &[])?;
        let routes = one.exec_ok(&["ip", "route"])?;
        ensure!(routes.contains(&format!("{V4} via 10.0.0.2 ")), "no router: the way is the DHCP server: {routes}");
        for address in [V4, V6] {
            for instance in [&one, &two] {
                ensure!(uuid(instance, address)? == device_id(&lab, instance)?, "{} at {address}", instance.name);
            }
        }
        ensure!(read(&one, V4, "/openstack/latest/user_data")? == "#!/bin/sh\necho hello\n");
        ensure!(read(&one, V4, "/latest/user-data")? == "#!/bin/sh\necho hello\n");
        ensure!(read(&one, V4, "/latest/meta-data/local-ipv4")? == one.address);
        ensure!(read(&one, V4, "/2009-04-04/meta-data/public-keys/")? == "0=me");
        ensure!(read(&one, V4, "/latest/meta-data/public-keys/0/openssh-key")? == "ssh-ed25519 AAAAC3 me@here");
        let told: Value = serde_json::from_str(&read(&one, V4, "/openstack/latest/network_data.json")?)?;
        ensure!(told["links"][0]["ethernet_mac_address"] == json!(one.mac), "{told}");
        let drive = one.exec_ok(&["sh", "-c", "cat $CONFIG_DRIVE/openstack/latest/user_data"])?;
        ensure!(drive == "#!/bin/sh\necho hello\n", "on the config drive: {drive}");
        ensure!(fetch(&two, V4, "/openstack/latest/user_data", "")?.0 == 404, "another's user data");
        ensure!(fetch(&one, V4, "/../../../etc/passwd", "")?.0 == 404);
        // What an owner says of a port does not make it another project's instance.
        let cloud = lab.cloud()?;
        let mine = lab.network("q", "mine", "10.0.0.0/24")?;
        let three = lab.instance("three", &mine, &[])?;
        ensure!(uuid(&three, V4)? == device_id(&lab, &three)?);
        cloud.update("ports", &three.port_id, &json!({"device_id": device_id(&lab, &one)?}))?;
        eventually("nothing is told of another's instance", || Ok(fetch(&three, V4, "/latest/user-data", "")?.0 == 404))?;
        ensure!(fetch(&three, V4, "/openstack/latest/meta_data.json", "")?.0 == 404);
        Ok(())
    }

    fn through_a_router() {
        let lab = lab()?;
        let red = lab.network("p", "red", "10.0.1.0/24")?;
        let blue = lab.network("p", "blue", "10.0.2.0/24")?;
        lab.router("p", "r", &[&red, &blue])?;
        let (one, two) = (lab.instance("one", &red, &[])?, lab.instance("two", &blue, &[])?);
        let routes = one.exec_ok(&["ip", "route"])?;
        ensure!(!routes.contains(V4), "a router is there: the default route is the way: {routes}");
        for address in [V4, V6] {
            for instance in [&one, &two] {
                ensure!(uuid(instance, address)? == device_id(&lab, instance)?, "{} at {address}", instance.name);
            }
        }
        // From outside nobody asks, though the router has the address.
        let cloud = lab.cloud()?;
        let outside = cloud.create("networks", &json!({"name": "outside", "project_id": "p", "router:external": true}))?;
        let outside = outside["id"].as_str().unwrap_or_default();
        lab.subnet(outside, json!({"project_id": "p", "ip_version": 4, "cidr": "203.0.113.0/24"}))?;
        let id = cloud.find("routers", "r", &[])?["id"].as_str().unwrap_or_default().to_owned();
        let router = cloud.update("routers", &id, &json!({"external_gateway_info": {"network_id": outside}}))?;
        let gateway = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].as_str().context("an address outside")?.to_owned();
        let stranger = lab.instance("stranger", outside, &[])?;
        stranger.reaches(&gateway)?;
        stranger.exec_ok(&["ip", "route", "replace", V4, "via", &gateway])?;
        ensure!(fetch(&stranger, V4, "/", "").is_err());
        let rules = output(&["ip", "netns", "exec", &format!("qrouter-{id}"), "nft", "list", "chain", "inet", "neutrino", "input"])?;
        ensure!(rules.lines().any(|line| line.contains("metadata from outside") && !line.contains("packets 0 ")), "{rules}");
        // The router goes, and the DHCP server is the way for those who ask it again.
        for network in [&red, &blue] {
            for subnet in cloud.list("subnets", &[("network_id", network)])? {
                cloud.request("PUT", &format!("routers/{id}/remove_router_interface"), Some(&json!({"subnet_id": subnet["id"]})))?;
            }
        }
        let three = lab.instance("three", &red, &[])?;
        ensure!(uuid(&three, V4)? == device_id(&lab, &three)?);
        // The instance that had asked the router on the link is told of the other server there.
        let id = device_id(&lab, &one)?;
        eventually("the other server on the link", || {
            Ok(fetch(&one, V6, "/openstack/latest/meta_data.json", "").is_ok_and(|(_, told)| told.contains(&id)))
        })
    }

    fn nova_is_told_who_asks_and_nothing_else() {
        nova()?;
        let config = format!("[metadata]\nnova_url = \"http://127.0.0.1:8775\"\nshared_secret = \"{SECRET}\"\n");
        let lab = Lab::configured(env!("CARGO_BIN_EXE_neutrino"), &["--auth", "none"], &config)?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let one = lab.instance("one", &network, &[])?;
        read(&one, V4, "/")?;
        let forged = "X-Instance-ID: 00000000-0000-0000-0000-000000000000\\r\\nX-Tenant-ID: admin\\r\\nX-Instance-ID-Signature: 0\\r\\n\
                      X-Forwarded-For: 10.9.9.9\\r\\nX-Neutron-Network-ID: x\\r\\nX-Forwarded-Host: y\\r\\nCookie: z\\r\\n";
        let (status, told) = fetch(&one, V4, "/openstack/latest/meta_data.json?a=b", forged)?;
        let id = device_id(&lab, &one)?;
        let program = "import hmac, sys; print(hmac.new(sys.argv[1].encode(), sys.argv[2].encode(), 'sha256').hexdigest())";
        let signature = output(&["python3", "-c", program, SECRET, &id])?;
        let mut lines: Vec<String> = told.lines().map(str::to_lowercase).collect();
        lines.sort();
        let mut wanted = vec![
            "get /openstack/latest/meta_data.json?a=b http/1.1".to_owned(),
            "host: 127.0.0.1:8775".to_owned(),
            format!("x-forwarded-for: {}", one.address),
            format!("x-instance-id: {id}"),
            format!("x-instance-id-signature: {}", signature.trim()),
            "x-tenant-id: p".to_owned(),
        ];
        wanted.sort();
        ensure!(status == 200 && lines == wanted, "{lines:#?}");
        Ok(())
    }

    fn who_holds_connections_open_hurts_nobody_else() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let (bad, good) = (lab.instance("bad", &network, &[])?, lab.instance("good", &network, &[])?);
        ensure!(uuid(&bad, V4)? == device_id(&lab, &bad)?);
        // A hundred connections that say nothing or never end, and one that sends a head without end.
        let script = format!(
            "for i in $(seq 100); do (exec 3<>/dev/tcp/{V4}/80; printf 'GET / HTTP/1.1\\r\\nX: ' >&3; sleep 30) & done; \
             (exec 3<>/dev/tcp/{V4}/80; printf 'GET / HTTP/1.1\\r\\n' >&3; while printf 'X-%01000d: 1\\r\\n' 1 >&3; do :; done) & \
             (exec 3<>/dev/tcp/{V4}/80; printf '\\0\\1\\2 nonsense\\r\\n\\r\\n' >&3; cat <&3) & sleep 30"
        );
        bad.exec_ok(&["sh", "-c", &format!("setsid bash -c \"{}\" >/dev/null 2>&1 & echo $! > /run/netns/bad.pid", script.replace('"', "\\\"").replace('$', "\\$"))])?;
        eventually("it has its share", || Ok(fetch(&bad, V4, "/", "").is_err()))?;
        let start = Instant::now();
        for _ in 0..20 {
            ensure!(uuid(&good, V4)? == device_id(&lab, &good)?);
        }
        ensure!(start.elapsed() < Duration::from_secs(10) * patience(), "the other waits: {:?}", start.elapsed());
        output(&["sh", "-c", "kill -9 -$(cat /run/netns/bad.pid); true"])?;
        eventually("it is answered again", || Ok(fetch(&bad, V4, "/", "").is_ok()))?;
        proxy().map(|_| ())
    }

    fn the_proxy_outlives_the_agent_and_comes_back() {
        let mut lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let id = {
            let one = lab.instance("one", &network, &[])?;
            let id = device_id(&lab, &one)?;
            ensure!(uuid(&one, V4)? == id);
            id
        };
        let ask = |lab: &Lab| {
            let script = format!("exec 3<>/dev/tcp/{V4}/80 && printf 'GET /openstack/latest/meta_data.json HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3");
            let output = lab.neutrino(&["instance", "exec", "one", "--", "timeout", &(2 * patience()).to_string(), "bash", "-c", &script])?;
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(&output.stdout).contains(&id))
        };
        let first = proxy()?;
        lab.kill()?;
        ensure!(ask(&lab)?, "it answers while no agent runs");
        lab.restart()?;
        ensure!(ask(&lab)? && proxy()? == first, "the same one is adopted");
        output(&["kill", "-9", &first])?;
        eventually("another one", || Ok(proxy().is_ok_and(|now| now != first)))?;
        eventually("it answers", || ask(&lab))?;
        let other = lab.network("p", "other", "10.0.1.0/24")?;
        let two = lab.instance("two", &other, &[])?;
        ensure!(uuid(&two, V4)? == device_id(&lab, &two)?, "networks that came later");
        lab.neutrino_ok(&["instance", "rm", "one", "two"])?;
        ensure!(std::fs::read_dir(lab.state().join("instances/metadata"))?.next().is_none(), "nothing is left of instances");
        lab.stop()?;
        lab.neutrino_ok(&["down"])?;
        ensure!(proxy().is_err(), "down ends it");
        Ok(())
    }
}
