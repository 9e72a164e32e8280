//! A cloud in one thread: servers, agents and hosts under one seed, and what must be true of them in the end.
//!
//! [`run`] plays the real code through random operations and mishaps: the commit loop on the in-memory engine, the operations of the
//! slices, [`dispatch::project`] and [`dispatch::concern`], the agent's frame with its compilers, plans done to modelled kernels. What
//! is simulated is only what is around it: the kernel of a host, the stream between agent and server (whose bookkeeping follows
//! `dispatch`, whose own needs a runtime of many tasks), and the passing of time. [`check`] says what must hold once it is quiet;
//! [`packet`] judges isolation by packets.
//!
//! One seed decides everything, so a failure is a number: see [`run::Run`].

pub mod check;
pub mod cloud;
pub mod kernel;
pub mod node;
pub mod packet;
pub mod run;
