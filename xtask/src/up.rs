//! `cargo xtask up` and `down`.

use crate::server::{Place, neutrino};
use crate::shell::{output, step};
use crate::{demo, packages};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf, absolute};
use std::time::Instant;

/// What is left at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Everything, until this process is interrupted.
    Stay,
    /// Everything, in the background.
    Keep,
    /// Nothing.
    Once,
}

/// Options of both tasks.
#[derive(Debug)]
pub struct Options {
    place: Place,
    after: After,
}

impl Options {
    /// Reads them from the command line.
    pub fn parse(arguments: &[String]) -> Result<Options> {
        let mut place =
            Place { program: "target/release/neutrino", state: PathBuf::from("/var/lib/neutrino"), listen: "127.0.0.1:9696".to_owned() };
        let mut after = After::Stay;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--state" => place.state = absolute(value()?)?,
                "--listen" => place.listen = value()?.clone(),
                "--keep" => after = After::Keep,
                "--once" => after = After::Once,
                "--debug" => place.program = "target/debug/neutrino",
                other => bail!("'{other}' is no option of this task; see `cargo xtask help`"),
            }
        }
        Ok(Options { place, after })
    }
}

/// Installs, builds, starts, shows.
pub fn up(options: &Options) -> Result<()> {
    if !packages::is_root()? {
        bail!("making networks needs root; run this as root");
    }
    let start = Instant::now();
    packages::for_running()?;
    let place = &options.place;
    let profile = if place.program.contains("release") { "release" } else { "dev" };
    step("building", &["cargo", "build", "--profile", profile, "--locked", "--package", "neutrino"])?;
    let child = if place.is_ready() {
        eprintln!("── a server is running already at http://{}", place.listen);
        None
    } else {
        eprintln!("── starting {} up --state {} --listen {}", place.program, place.state.display(), place.listen);
        Some(place.start(&["up"], options.after == After::Keep)?)
    };
    eprintln!("── ready {:.1} s after the start of this task", start.elapsed().as_secs_f64());
    let shown = demo::show(place);
    if options.after == After::Once {
        down(options)?;
        return shown;
    }
    if let Err(error) = shown {
        eprintln!("── it stays as it is for a look at it; the log is {}", place.log().display());
        return Err(error);
    }
    go_on(place);
    match (child, options.after) {
        (Some(mut child), After::Stay) => {
            println!("It stays up until Ctrl-C; the networks carry packets even after that. `cargo xtask down` removes everything.");
            let status = child.wait()?;
            if !status.success() {
                bail!("the server ended ({status}); its log is {}", place.log().display());
            }
        }
        _ => println!("It stays up in the background. `cargo xtask down` removes everything."),
    }
    Ok(())
}

fn go_on(place: &Place) {
    let program = place.program;
    let state = place.state.display();
    println!("\nGo on with any OpenStack client:\n");
    println!("  export OS_CLIENT_CONFIG_FILE={}", place.clouds().display());
    println!("  openstack --os-cloud neutrino network list          # pip install python-openstackclient");
    println!("  openstack --os-cloud neutrino port list --long\n");
    println!("and with the instances:\n");
    println!("  {program} instance list --state {state}");
    println!("  {program} instance exec --state {state} red-2 -- ping 10.0.0.11\n");
}

/// Removes the instances, stops the server, removes what it made.
pub fn down(options: &Options) -> Result<()> {
    let place = &options.place;
    if !Path::new(place.program).exists() {
        bail!("{} is not there, so nothing was started from here", place.program);
    }
    if place.is_ready() {
        let instances = neutrino(place, &["instance", "list"])?;
        for instance in instances.as_array().map(Vec::as_slice).unwrap_or_default() {
            let name = instance["name"].as_str().unwrap_or_default();
            output(&[place.program, "instance", "rm", name, "--state", &place.state.to_string_lossy()])?;
            eprintln!("── removed instance {name}");
        }
    }
    if place.stop()? {
        eprintln!("── stopped the server");
    }
    output(&[place.program, "down", "--state", &place.state.to_string_lossy()])?;
    eprintln!("── removed all objects; the state is kept in {}", place.state.display());
    Ok(())
}
