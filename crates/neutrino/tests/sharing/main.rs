//! What projects share with each other, through the whole router: who sees it, who may use it, and what is refused while it is used.

mod addresses;
mod cloud;
mod defaults;
mod external;
mod groups;
mod networks;
mod policies;
mod pools;
#[path = "../../src/registry.rs"]
#[allow(dead_code, reason = "the registry's own tests are the binary's")]
mod registry;
mod scopes;
