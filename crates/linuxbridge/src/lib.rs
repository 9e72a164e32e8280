//! linuxbridge.
