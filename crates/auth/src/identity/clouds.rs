//! `clouds.yaml`, from which OpenStack clients take where to go and as whom.

use serde_yaml_ng::Value as Yaml;
use std::fmt::Write;

/// One entry of the file.
pub(super) struct Cloud<'a> {
    pub name: &'a str,
    pub user: &'a str,
    pub password: &'a str,
    pub project: &'a str,
}

/// The file for clouds with password authentication in the default domain.
pub(super) fn clouds_with_passwords(clouds: &[Cloud<'_>], auth_url: &str, region: &str) -> String {
    let mut text = String::from("clouds:\n");
    for Cloud { name, user, password, project } in clouds {
        write!(
            text,
            "  {name}:\n    auth:\n      auth_url: {auth_url}\n      username: {user}\n      password: {password}\n      \
             project_name: {project}\n      user_domain_name: Default\n      project_domain_name: Default\n    \
             region_name: {region}\n    identity_api_version: 3\n    interface: public\n"
        )
        .expect("writing to a string succeeds");
    }
    text
}

/// The file for a server that does not authenticate: one cloud, `neutrino`. `base_url` has no slash at its end.
pub fn clouds_without_auth(base_url: &str) -> String {
    format!(
        "clouds:\n  neutrino:\n    auth_type: none\n    auth:\n      endpoint: {base_url}\n    \
         region_name: RegionOne\n    interface: public\n"
    )
}

/// The same file with another `auth_url` in the named clouds; `None` when nothing has to change (or the file is not ours to read).
pub(super) fn with_auth_url(text: &str, names: &[&str], auth_url: &str) -> Option<String> {
    let mut document: Yaml = serde_yaml_ng::from_str(text).ok()?;
    let mut changed = false;
    for name in names {
        let Some(url) = document.get_mut("clouds").and_then(|clouds| clouds.get_mut(*name)).and_then(|cloud| cloud.get_mut("auth")) else {
            continue;
        };
        if let Some(url) = url.get_mut("auth_url").filter(|url| url.as_str() != Some(auth_url)) {
            *url = Yaml::String(auth_url.to_owned());
            changed = true;
        }
    }
    if changed { serde_yaml_ng::to_string(&document).ok() } else { None }
}
