//! VLAN identifiers (IEEE 802.1Q).

use serde::{Deserialize, Serialize};
use std::fmt;

/// A 12-bit VLAN identifier; 0 marks priority without a VLAN and 4095 is reserved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct VlanId(u16);

/// The number is not a VLAN identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("VLAN {0} is out of range (1 through 4094).")]
pub struct VlanIdError(pub u32);

impl VlanId {
    /// The smallest identifier.
    pub const MIN: u32 = 1;
    /// The largest identifier.
    pub const MAX: u32 = 4094;

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u32> for VlanId {
    type Error = VlanIdError;
    fn try_from(number: u32) -> Result<Self, VlanIdError> {
        let fits = u16::try_from(number).ok().filter(|_| (Self::MIN..=Self::MAX).contains(&number));
        fits.map(VlanId).ok_or(VlanIdError(number))
    }
}

impl From<VlanId> for u32 {
    fn from(id: VlanId) -> u32 {
        id.0.into()
    }
}

impl fmt::Display for VlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
