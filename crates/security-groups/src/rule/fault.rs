//! Refusals of security group rules.

use super::protocol;
use api::Fault;
use net::SecurityGroupRuleId;

/// Why a rule was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields are the words of the messages")]
pub enum RuleFault {
    /// 400 `SecurityGroupRuleInvalidProtocol`.
    InvalidProtocol(String),
    /// 400 `SecurityGroupRuleInvalidEtherType`.
    InvalidEthertype(String),
    /// 400 `SecurityGroupEthertypeConflictWithProtocol`.
    EthertypeConflict { ethertype: &'static str, protocol: String },
    /// 400 `SecurityGroupProtocolRequiredWithPorts`.
    ProtocolRequired,
    /// 400 `SecurityGroupInvalidProtocolForPort`; the protocol's number.
    NoPorts(u8),
    /// 400 `SecurityGroupInvalidPortRange`.
    InvalidPortRange,
    /// 400 `SecurityGroupInvalidPortValue`.
    InvalidPort(String),
    /// 400 `SecurityGroupInvalidIcmpValue`; the attribute and its value.
    InvalidIcmp { field: &'static str, attribute: &'static str, value: i64 },
    /// 400 `SecurityGroupMissingIcmpType`; the code.
    MissingIcmpType(i64),
    /// 400 `SecurityGroupMultipleRemoteEntites`.
    MultipleRemotes,
    /// 400 `InvalidCIDR`.
    InvalidCidr(String),
    /// 400 `SecurityGroupRuleParameterConflict`.
    PrefixConflict { ethertype: &'static str, cidr: String },
    /// 409 `SecurityGroupRuleExists`; the rule that is there.
    Exists(SecurityGroupRuleId),
}

impl From<RuleFault> for Fault {
    fn from(fault: RuleFault) -> Fault {
        let message = fault.message();
        let (status, kind) = match fault {
            RuleFault::InvalidProtocol(_) => (400, "SecurityGroupRuleInvalidProtocol"),
            RuleFault::InvalidEthertype(_) => (400, "SecurityGroupRuleInvalidEtherType"),
            RuleFault::EthertypeConflict { .. } => (400, "SecurityGroupEthertypeConflictWithProtocol"),
            RuleFault::ProtocolRequired => (400, "SecurityGroupProtocolRequiredWithPorts"),
            RuleFault::NoPorts(_) => (400, "SecurityGroupInvalidProtocolForPort"),
            RuleFault::InvalidPortRange => (400, "SecurityGroupInvalidPortRange"),
            RuleFault::InvalidPort(_) => (400, "SecurityGroupInvalidPortValue"),
            RuleFault::InvalidIcmp { .. } => (400, "SecurityGroupInvalidIcmpValue"),
            RuleFault::MissingIcmpType(_) => (400, "SecurityGroupMissingIcmpType"),
            RuleFault::MultipleRemotes => (400, "SecurityGroupMultipleRemoteEntites"),
            RuleFault::InvalidCidr(_) => (400, "InvalidCIDR"),
            RuleFault::PrefixConflict { .. } => (400, "SecurityGroupRuleParameterConflict"),
            RuleFault::Exists(_) => (409, "SecurityGroupRuleExists"),
        };
        Fault::new(status, kind, message)
    }
}

impl RuleFault {
    fn message(&self) -> String {
        match self {
            RuleFault::InvalidProtocol(protocol) => format!(
                "Security group rule protocol {protocol} not supported. Only protocol values ({}) and integer representations [0 to 255] are \
                 supported.",
                protocol::LISTED
            ),
            RuleFault::InvalidEthertype(ethertype) => {
                format!("Security group rule for ethertype '{ethertype}' not supported. Allowed values are ['IPv4', 'IPv6'].")
            }
            RuleFault::EthertypeConflict { ethertype, protocol } => format!("Invalid ethertype {ethertype} for protocol {protocol}."),
            RuleFault::ProtocolRequired => "Must also specify protocol if port range is given.".to_owned(),
            RuleFault::NoPorts(protocol) => {
                format!("Ports cannot be specified for protocol {protocol}. Ports are only supported for DCCP, SCTP, TCP, UDP, UDPLITE.")
            }
            RuleFault::InvalidPortRange => "For TCP/UDP protocols, port_range_min must be <= port_range_max".to_owned(),
            RuleFault::InvalidPort(port) => format!("Invalid value for port {port}"),
            RuleFault::InvalidIcmp { field, attribute, value } => {
                format!("Invalid value for ICMP {field} ({attribute}) {value}. It must be 0 to 255.")
            }
            RuleFault::MissingIcmpType(code) => {
                format!("ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is missing.")
            }
            RuleFault::MultipleRemotes => {
                "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.".to_owned()
            }
            RuleFault::InvalidCidr(text) => format!("Invalid CIDR {text} given as IP prefix."),
            RuleFault::PrefixConflict { ethertype, cidr } => format!("Conflicting value ethertype {ethertype} for CIDR {cidr}"),
            RuleFault::Exists(id) => format!("Security group rule already exists. Rule id is {id}."),
        }
    }
}
