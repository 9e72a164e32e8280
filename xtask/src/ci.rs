//! `cargo xtask ci`: everything that must hold before a change is taken.

use crate::shell::step;
use crate::{licences, packages, test, tidy};
use anyhow::Result;

/// Runs all checks, the quick ones first.
pub fn ci() -> Result<()> {
    packages::for_tests()?;
    step("formatting", &["cargo", "fmt", "--all", "--check"])?;
    tidy::tidy()?;
    licences::check()?;
    let lints = [
        "cargo",
        "clippy",
        "--workspace",
        "--all-targets",
        test::FEATURES,
        "--locked",
        "--",
        "-D",
        "warnings",
        "-D",
        "clippy::too_many_lines",
    ];
    step("lints", &lints)?;
    test::test(&test::Options::default())
}
