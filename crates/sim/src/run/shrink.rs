//! The shortest list of steps that still fails: parts are left out as long as that goes.

use super::{Failure, Run};
use std::time::{Duration, Instant};

/// Leaves out what is not needed for the failure, for at most this long.
pub fn shrink(run: &Run, salts: &[Vec<u64>], first: Failure, patience: Duration) -> (Vec<Vec<u64>>, Failure) {
    let until = Instant::now() + patience;
    let mut best = (salts.to_vec(), first);
    let attempt = |best: &mut (Vec<Vec<u64>>, Failure), fewer: Vec<Vec<u64>>| match run.play(&fewer) {
        Ok(_) => false,
        Err(failure) => {
            *best = (fewer, failure);
            true
        }
    };
    while best.0.len() > 1 {
        let without_last = best.0[..best.0.len() - 1].to_vec();
        let without_first = best.0[1..].to_vec();
        if !attempt(&mut best, without_last) && !attempt(&mut best, without_first) {
            break;
        }
    }
    for round in 0..best.0.len() {
        let mut size = best.0[round].len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < best.0[round].len() {
                if Instant::now() > until {
                    return best;
                }
                let mut fewer = best.0.clone();
                let end = (at + size).min(fewer[round].len());
                fewer[round].drain(at..end);
                if !attempt(&mut best, fewer) {
                    at = end;
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    best
}
