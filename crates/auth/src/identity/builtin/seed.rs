//! The first start: users, projects and roles, and the `clouds.yaml` that lets clients in.

use super::directory::{Assignment, Directory, Project, Role, SEED_ROLES, User};
use super::files::{create_private_dir, read_private, write_private};
use super::password::{Passwords, generate};
use super::{Config, Error};
use crate::identity::clouds::{Cloud, clouds_with_passwords, with_auth_url};
use serde_json::Map;
use smol_str::SmolStr;
use std::path::PathBuf;

struct Account {
    cloud: &'static str,
    user: &'static str,
    project: &'static str,
    roles: &'static [&'static str],
}

const ACCOUNTS: [Account; 3] = [
    Account { cloud: "neutrino", user: "admin", project: "admin", roles: &["admin"] },
    Account { cloud: "neutrino-demo", user: "demo", project: "demo", roles: &["member"] },
    Account { cloud: "neutrino-service", user: "nova", project: "service", roles: &["admin", "service"] },
];

/// An id in Keystone's form: 32 hexadecimal digits.
pub(super) fn new_id() -> SmolStr {
    let number = u128::from_be_bytes(super::password::random());
    SmolStr::new(format!("{number:032x}"))
}

pub(super) fn auth_url(config: &Config) -> String {
    format!("{}/identity/v3", config.public_url)
}

fn clouds_path(config: &Config) -> PathBuf {
    config.state.join("clouds.yaml")
}

/// Makes the first directory. `clouds.yaml` is written before the directory is: after a crash in between, both are made anew.
pub(super) fn first_start(config: &Config, passwords: &Passwords) -> Result<Directory, Error> {
    let secrets = ACCOUNTS.map(|account| (account, generate()));
    let clouds: Vec<Cloud<'_>> = secrets
        .iter()
        .map(|(account, password)| Cloud { name: account.cloud, user: account.user, password, project: account.project })
        .collect();
    let path = clouds_path(config);
    create_private_dir(&config.state).map_err(Error::file("create", &config.state))?;
    write_private(&path, clouds_with_passwords(&clouds, &auth_url(config), &config.region).as_bytes())
        .map_err(Error::file("write", &path))?;

    let hashes: Vec<String> = std::thread::scope(|scope| {
        let hashing: Vec<_> = secrets.iter().map(|(_, password)| scope.spawn(|| passwords.hash(password))).collect();
        hashing.into_iter().map(|thread| thread.join().expect("hashing does not panic")).collect()
    });
    let mut directory = Directory::default();
    for name in SEED_ROLES {
        directory.roles.insert(new_id(), Role { name: SmolStr::new_static(name) });
    }
    for ((account, _), hash) in secrets.iter().zip(hashes) {
        let (user, project) = (new_id(), new_id());
        for role in account.roles {
            let role = directory.role_named(role).expect("seeded above").clone();
            directory.assignments.insert(Assignment { user: user.clone(), project: project.clone(), role });
        }
        directory.projects.insert(
            project,
            Project { name: SmolStr::new_static(account.project), description: String::new(), enabled: true, extra: Map::new() },
        );
        directory.users.insert(
            user,
            User {
                name: SmolStr::new_static(account.user),
                password: Some(hash),
                enabled: true,
                default_project_id: None,
                tokens_valid_from_us: 0,
                extra: Map::new(),
            },
        );
    }
    Ok(directory)
}

/// Keeps `auth_url` in `clouds.yaml` true when the server moved to another address.
pub(super) fn refresh_clouds(config: &Config) -> Result<(), Error> {
    let path = clouds_path(config);
    let Some(text) = read_private(&path).map_err(Error::file("read", &path))? else {
        tracing::warn!("{} is gone; the passwords in it are stored nowhere else in readable form", path.display());
        return Ok(());
    };
    match with_auth_url(&text, &ACCOUNTS.map(|account| account.cloud), &auth_url(config)) {
        Some(text) => write_private(&path, text.as_bytes()).map_err(Error::file("write", &path)),
        None => Ok(()),
    }
}
