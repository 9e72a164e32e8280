//! A throw-away host for a test: a network and a mount namespace of one thread, with a `/run/netns` of its own.
#![allow(dead_code, reason = "each test binary uses a part")]

use dataplane::nft::{Chain, DataType, Family, Field, Hook, Policy, Rule, SetSpec, Statement, Table, TableKey};
use dataplane::*;
use host::{Host, Interest, Outcome};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::process::Command;

/// Runs a test on a host of its own. Children of the thread are on that host too.
pub fn on_a_host(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("tests run as root");
            let none: Option<&str> = None;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
            std::fs::create_dir_all("/run/netns").expect("directory");
            mount(Some("tmpfs"), "/run/netns", Some("tmpfs"), MsFlags::empty(), none).expect("own /run/netns");
            sh("ip link set lo up");
            test();
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Runs a shell command and answers its output; a failure fails the test.
pub fn sh(command: &str) -> String {
    let (ok, text) = try_sh(command);
    assert!(ok, "{command}: {text}");
    text
}

/// Runs a shell command; answers whether it succeeded, and all its output.
pub fn try_sh(command: &str) -> (bool, String) {
    let output = Command::new("sh").args(["-c", command]).output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

pub fn json(command: &str) -> serde_json::Value {
    let text = sh(command);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}: {text}"))
}

/// Brings the host to what the units want, as a fresh agent would, and checks that nothing is left to do.
pub fn realise(host: &mut Host, units: &[(UnitKey, Program)]) -> Plan {
    let read = |host: &mut Host| host.read(&Interest::of(units.iter().map(|(_, program)| program))).expect("read");
    let plan = diff(units.iter().map(|(key, program)| (key, program)), &read(host));
    apply(host, &plan);
    let again = diff(units.iter().map(|(key, program)| (key, program)), &read(host));
    let left: Vec<String> = again.steps.iter().map(ToString::to_string).collect();
    assert!(left.is_empty(), "applied twice, these are left: {left:#?}");
    plan
}

/// Applies a plan all of whose steps must succeed.
pub fn apply(host: &mut Host, plan: &Plan) {
    for report in host.apply(plan) {
        match report.outcome {
            Outcome::Done => {}
            other => panic!("{}: {other:?}", plan.steps[report.step]),
        }
    }
}

pub fn unit(kind: &str) -> UnitKey {
    UnitKey::new(kind, "1")
}

/// A table that drops what bridged port `tap1` sends to TCP port 80, by the port's own chain.
pub fn filter() -> (UnitKey, Program) {
    let mut program = Program::default();
    let table = program.root().tables.entry(TableKey::new(Family::Bridge, "neutrino")).or_insert_with(Table::declared);
    table.sets.insert("ports".into(), SetSpec::verdicts([DataType::Ifname]));
    let dispatch = Rule::new("dispatch", vec![Statement::verdict_map([Field::Iifname], "ports")]);
    table.chains.insert("forward".into(), Chain::filter(Hook::Forward, -200, Policy::Accept, vec![dispatch]));
    (unit("filter"), program)
}
