//! The frame under two small resources, over a real TCP port and an engine in memory. Expectations are the reference's answers.

mod bodies;
mod client;
mod discovery;
mod hostile;
mod lists;
mod policies;
mod previews;
mod quotas;
mod random;
mod tags;
mod toy;
