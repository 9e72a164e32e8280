//! Source files that no module declares: they look alive and are never compiled.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Complaints about dead files of all crates.
pub fn check() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut packages = vec![PathBuf::from("xtask")];
    for entry in fs::read_dir("crates").context("reading crates")? {
        packages.push(entry?.path());
    }
    for package in packages.iter().filter(|package| package.join("Cargo.toml").exists()) {
        let mut alive = BTreeSet::new();
        for root in roots(package)? {
            follow(&root, true, &mut alive)?;
        }
        for file in sources(package)? {
            if !alive.contains(&file) {
                complaints.push(format!("{} is declared by no module, so it is never compiled", file.display()));
            }
        }
    }
    Ok(complaints)
}

/// All `.rs` files below a crate, but for those of tests' fixtures.
pub fn sources(package: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![package.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Files that cargo compiles by itself.
fn roots(package: &Path) -> Result<Vec<PathBuf>> {
    let mut roots: Vec<PathBuf> = ["src/lib.rs", "src/main.rs", "build.rs"].iter().map(|file| package.join(file)).collect();
    for directory in ["src/bin", "tests", "examples", "benches"] {
        let Ok(entries) = fs::read_dir(package.join(directory)) else { continue };
        for entry in entries {
            let path = entry?.path();
            let main = path.join("main.rs");
            roots.push(if path.is_dir() { main } else { path });
        }
    }
    roots.retain(|root| root.extension().is_some_and(|extension| extension == "rs") && root.exists());
    Ok(roots)
}

/// Adds a file and all modules declared in it.
fn follow(file: &Path, root: bool, alive: &mut BTreeSet<PathBuf>) -> Result<()> {
    if !alive.insert(file.to_owned()) {
        return Ok(());
    }
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let directory = file.parent().unwrap_or(Path::new("."));
    let stem = file.file_stem().unwrap_or_default();
    let below = if root || stem == "mod" { directory.to_owned() } else { directory.join(stem) };
    for module in declared(&text) {
        let candidates = match &module {
            Module::Named(name) => vec![below.join(format!("{name}.rs")), below.join(name).join("mod.rs")],
            Module::At(path) => vec![directory.join(path)],
        };
        for candidate in candidates.iter().filter(|candidate| candidate.exists()) {
            follow(candidate, false, alive)?;
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
enum Module {
    Named(String),
    At(String),
}

/// Modules declared with a semicolon, and files that are included.
fn declared(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let mut path = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            path = rest.split('"').next().map(str::to_owned);
            continue;
        }
        if let Some((_, rest)) = line.split_once("include!(\"") {
            found.extend(rest.split('"').next().map(|file| Module::At(file.to_owned())));
        }
        let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
        if let (Some("mod"), Some(name)) = (words.next(), words.next())
            && let Some(name) = name.strip_suffix(';')
        {
            found.push(path.take().map_or_else(|| Module::Named(name.to_owned()), Module::At));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations() {
        let text = "mod a;\npub mod b;\npub(crate) mod c;\nmod d {\n#[cfg(test)]\nmod tests;\n#[path = \"x/y.rs\"]\nmod z;\n// mod e;\nlet m = model;";
        let named = |name: &str| Module::Named(name.to_owned());
        assert_eq!(declared(text), [named("a"), named("b"), named("c"), named("tests"), Module::At("x/y.rs".to_owned())]);
    }
}
