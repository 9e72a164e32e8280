//! How the process' allocator (mimalloc) gives memory back to the kernel.

use crate::sys;

/// Lets freed memory go back to the kernel after 10 ms of disuse instead of a second.
///
/// An allocator that is asked for nothing more does not look at what it could give back: after a burst of long lists the longer delay
/// kept twice the memory that the state takes, for as long as the server had nothing to do. To be called first in a process, while it has
/// one thread.
pub fn return_memory_soon() {
    /// `mi_option_purge_delay`: how long freed memory is kept, in ms.
    const PURGE_DELAY: i32 = 15;
    sys::set_allocator_option(PURGE_DELAY, 10);
}
