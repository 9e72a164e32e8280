//! Typed ids: a network id cannot be passed where a port id is wanted.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The ids, and one list of them for crates that teach each something: `$` is what the list is written with.
macro_rules! uuid_ids {
    ($dollar:tt $($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The smallest id, used as the lower bound of range scans.
            pub const MIN: Self = Self(Uuid::nil());

            /// The first 11 characters of the textual form: what interface names (`tap…`, `brq…`) are made of.
            pub fn short(&self) -> SmolStr {
                let mut buffer = Uuid::encode_buffer();
                SmolStr::new(&self.0.hyphenated().encode_lower(&mut buffer)[..11])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    )*

    /// Calls a macro with the names of all ids that are UUIDs.
    #[macro_export]
    macro_rules! each_uuid_id {
        ($dollar then:ident) => {
            $dollar then!($($name),*);
        };
    }
    };
}

uuid_ids! {
    $
    /// Id of a network.
    NetworkId,
    /// Id of a subnet.
    SubnetId,
    /// Id of a port.
    PortId,
    /// Id of a network segment.
    SegmentId,
    /// Id of a range of segmentation ids.
    SegmentRangeId,
    /// Id of a security group.
    SecurityGroupId,
    /// Id of a security group rule.
    SecurityGroupRuleId,
    /// Id of an agent.
    AgentId,
    /// Id of a router.
    RouterId,
    /// Id of a floating IP.
    FloatingIpId,
    /// Id of a port forwarding of a floating IP.
    PortForwardingId,
    /// Id of an NDP proxy of a router.
    NdpProxyId,
    /// Id of a conntrack helper of a router.
    ConntrackHelperId,
    /// Id of a local IP.
    LocalIpId,
    /// Id of an RBAC policy.
    RbacPolicyId,
    /// Id of an address scope.
    AddressScopeId,
    /// Id of a subnet pool.
    SubnetPoolId,
    /// Id of an address group.
    AddressGroupId,
    /// Id of a rule that new security groups start with.
    DefaultSecurityGroupRuleId,
    /// Id of a QoS policy.
    QosPolicyId,
    /// Id of a rule of a QoS policy.
    QosRuleId,
    /// Id of a trunk.
    TrunkId,
    /// Id of a flavor.
    FlavorId,
    /// Id of a service profile.
    ServiceProfileId,
    /// Id of a metering label.
    MeteringLabelId,
    /// Id of a rule of a metering label.
    MeteringLabelRuleId,
    /// Id of a log of the logging API.
    LogId,
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub SmolStr);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// True for the empty text.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.as_str(), f)
            }
        }

        impl FromStr for $name {
            type Err = std::convert::Infallible;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(SmolStr::new(text)))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(SmolStr::new(text))
            }
        }
    )*};
}

text_id! {
    /// Id of a project (tenant). Keystone's form is 32 hexadecimal digits, but any text is accepted.
    ProjectId,
    /// Name of a host as its agent reports it and as `binding:host_id` says it.
    HostName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_is_the_interface_name_part() {
        let id: PortId = "7c9b1c9e-8a3f-4a5e-9d63-000000000001".parse().expect("a UUID");
        assert_eq!(id.short(), "7c9b1c9e-8a");
        assert_eq!(id.to_string(), "7c9b1c9e-8a3f-4a5e-9d63-000000000001");
    }
}
