//! Which ports can have which rules: what each kind of host can do with traffic. A new kind of host is a line in [`DRIVERS`].

use model::{Port, QosDirection, QosRuleType, VifType, VnicType};

/// What a kind of host can do.
pub struct Driver {
    /// Its name, as of its mechanism driver.
    pub name: &'static str,
    /// How a port that it can serve is bound.
    vif_types: &'static [VifType],
    /// What a port that it could serve asks for, where the port is not bound.
    vnic_types: &'static [VnicType],
    /// Its rules.
    pub rules: &'static [QosRuleType],
}

/// Rates of bandwidth and packets and DSCP marks are up to the host; guarantees are up to Placement and need nothing on the host.
pub const DRIVERS: [Driver; 1] =
    [Driver { name: "linuxbridge", vif_types: &[VifType::Tap, VifType::Bridge], vnic_types: &[VnicType::Normal], rules: QosRuleType::ALL }];

/// Values that a `dscp_mark` can have: the code points of RFC 2474, 2597, 3246 and 5865.
pub const DSCP_MARKS: [u32; 22] = [0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56];

/// Directions of rules that are about one; of packets a second there can be a guarantee for both together.
pub(crate) fn directions(rule_type: QosRuleType) -> &'static [QosDirection] {
    match rule_type {
        QosRuleType::DscpMarking => &[],
        QosRuleType::MinimumPacketRate => &[QosDirection::Ingress, QosDirection::Egress, QosDirection::Any],
        _ => &[QosDirection::Ingress, QosDirection::Egress],
    }
}

/// True when some driver can serve the port and has the rule.
pub(crate) fn supports(port: &Port, rule_type: QosRuleType) -> bool {
    let binding = &port.binding;
    let serves = |driver: &&Driver| {
        if binding.is_bound() { driver.vif_types.contains(&binding.vif_type) } else { driver.vnic_types.contains(&binding.vnic_type) }
    };
    DRIVERS.iter().filter(serves).any(|driver| driver.rules.contains(&rule_type))
}
