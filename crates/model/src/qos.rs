//! QoS policies and their rules.

use crate::{Standard, words};
use net::{ProjectId, QosPolicyId, QosRuleId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

words! {
    /// What a rule is about.
    QosRuleType {
        /// No more bits than this.
        BandwidthLimit = "bandwidth_limit",
        /// No more packets than this.
        PacketRateLimit = "packet_rate_limit",
        /// The differentiated services code point of what is sent (RFC 2474).
        DscpMarking = "dscp_marking",
        /// At least so many bits.
        MinimumBandwidth = "minimum_bandwidth",
        /// At least so many packets.
        MinimumPacketRate = "minimum_packet_rate",
    }
}

words! {
    /// Which packets a rule is about, as the port's user sees them.
    QosDirection {
        /// To the port.
        Ingress = "ingress",
        /// From the port.
        Egress = "egress",
        /// Both together.
        Any = "any",
    }
}

/// A policy: named rules for what uses it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct QosPolicy {
    /// Its id.
    pub id: QosPolicyId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// True: networks of the owner that are created without a policy get this one.
    pub is_default: bool,
    /// Common attributes.
    pub standard: Standard,
}

impl QosPolicy {
    /// By owner.
    pub const BY_PROJECT: Index<QosPolicy> = Index::new(0);
    /// The default policy of a project, by owner.
    pub const DEFAULT_OF: Index<QosPolicy> = Index::new(1);
}

impl Record for QosPolicy {
    type Id = QosPolicyId;
    const KIND: &'static str = "qos_policy";
    const INDEXES: usize = 2;

    fn id(&self) -> QosPolicyId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        if self.is_default {
            put(Self::DEFAULT_OF, (&self.project_id).into());
        }
    }
}

/// A rule of a policy. There is one of each type and direction at most.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QosRule {
    /// Its id.
    pub id: QosRuleId,
    /// The policy.
    pub policy_id: QosPolicyId,
    /// What it is about.
    pub rule_type: QosRuleType,
    /// None for DSCP marks, which are of what is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<QosDirection>,
    /// `max_kbps` or `min_kbps` (kilobits a second), `max_kpps` or `min_kpps` (kilopackets a second), or `dscp_mark`, by the type.
    pub value: u32,
    /// `max_burst_kbps` (kilobits) or `max_burst_kpps` (kilopackets) of limits; 0: whoever enforces it decides.
    #[serde(default)]
    pub burst: u32,
}

impl QosRule {
    /// By policy.
    pub const BY_POLICY: Index<QosRule> = Index::new(0);
}

impl Record for QosRule {
    type Id = QosRuleId;
    const KIND: &'static str = "qos_rule";
    const INDEXES: usize = 1;

    fn id(&self) -> QosRuleId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        None
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_POLICY, self.policy_id.into());
    }
}
