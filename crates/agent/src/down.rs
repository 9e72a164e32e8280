//! Taking everything of ours off a host.

use crate::{Host, HostError, StepResult};
use dataplane::{Program, UnitKey, diff};

/// Removing something may show what was behind it.
const PASSES: usize = 3;

/// Removes every object with our mark and nothing else, whichever version or run made it. Answers what could not be removed.
pub fn down(host: &mut impl Host) -> Result<Vec<String>, HostError> {
    let mut failures = Vec::new();
    for _ in 0..PASSES {
        let actual = host.read(&[])?;
        let plan = diff(std::iter::empty::<(&UnitKey, &Program)>(), &actual);
        if plan.steps.is_empty() {
            return Ok(Vec::new());
        }
        let results = host.apply(&plan);
        failures = plan
            .steps
            .iter()
            .zip(results)
            .filter_map(|(step, result)| match result {
                StepResult::Done => None,
                StepResult::Failed(reason) => Some(format!("{step}: {reason}")),
                StepResult::Skipped => Some(format!("{step}: not tried")),
            })
            .collect();
    }
    Ok(failures)
}
