//! Why a link has no carrier, as its driver tells by `ETHTOOL_MSG_LINKSTATE_GET`: the extended link state.
//!
//! Sources: linux/ethtool_netlink.h (`ETHTOOL_A_LINKSTATE_*`), linux/ethtool.h (`enum ethtool_link_ext_state` and its substates).

use super::attribute::Attributes;

const ETHTOOL_A_LINKSTATE_EXT_STATE: u16 = 5;
const ETHTOOL_A_LINKSTATE_EXT_SUBSTATE: u16 = 6;

/// States by number, each with its substates from 1 on.
const STATES: [(&str, &[&str]); 11] = [
    (
        "autonegotiation failed",
        &[
            "no partner detected",
            "no acknowledgement received",
            "next page exchange failed",
            "no partner detected in forced mode",
            "FEC mismatch during override",
            "no common speed",
        ],
    ),
    (
        "link training failed",
        &["KR frame lock not acquired", "KR link inhibit timeout", "the partner did not set its receiver ready", "remote fault"],
    ),
    (
        "logical mismatch",
        &[
            "PCS did not acquire block lock",
            "PCS did not acquire AM lock",
            "PCS did not get align status",
            "FC FEC is not locked",
            "RS FEC is not locked",
        ],
    ),
    (
        "bad signal integrity",
        &["large number of physical errors", "unsupported rate", "SerDes reference clock lost", "SerDes loss of signal"],
    ),
    ("no cable", &[]),
    ("cable issue", &["unsupported cable", "cable test failure"]),
    ("EEPROM issue", &[]),
    ("calibration failure", &[]),
    ("power budget exceeded", &[]),
    ("overheat", &[]),
    ("module", &["CMIS module is not ready"]),
];

/// The reason in words, from the attributes of an answer; `None` where the driver tells none, or the answer is odd.
pub fn link_reason(ifindex: u32, attributes: &[u8]) -> Option<String> {
    let (mut state, mut substate) = (None, None);
    for attribute in Attributes::new(ifindex, attributes) {
        let attribute = attribute.ok()?;
        match attribute.kind {
            ETHTOOL_A_LINKSTATE_EXT_STATE => state = attribute.u8("ETHTOOL_A_LINKSTATE_EXT_STATE").ok(),
            ETHTOOL_A_LINKSTATE_EXT_SUBSTATE => substate = attribute.u8("ETHTOOL_A_LINKSTATE_EXT_SUBSTATE").ok(),
            _ => {}
        }
    }
    let state = state?;
    let Some((name, substates)) = STATES.get(usize::from(state)) else { return Some(format!("extended state {state}")) };
    Some(match substate {
        None | Some(0) => (*name).to_owned(),
        Some(number) => match substates.get(usize::from(number) - 1) {
            Some(detail) => format!("{name}: {detail}"),
            None => format!("{name}: substate {number}"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: u8) -> Vec<u8> {
        [&5u16.to_ne_bytes()[..], &kind.to_ne_bytes(), &[value, 0, 0, 0]].concat()
    }

    fn told(state: u8, substate: Option<u8>) -> Option<String> {
        let link = attribute(2, 0);
        let substate = substate.map(|number| attribute(ETHTOOL_A_LINKSTATE_EXT_SUBSTATE, number)).unwrap_or_default();
        link_reason(1, &[link, attribute(ETHTOOL_A_LINKSTATE_EXT_STATE, state), substate].concat())
    }

    #[test]
    fn a_reason_is_told_in_words_and_one_of_a_newer_kernel_by_its_number() {
        assert_eq!(told(4, None).as_deref(), Some("no cable"));
        assert_eq!(told(0, Some(6)).as_deref(), Some("autonegotiation failed: no common speed"));
        assert_eq!(told(10, Some(1)).as_deref(), Some("module: CMIS module is not ready"));
        assert_eq!(told(5, Some(9)).as_deref(), Some("cable issue: substate 9"));
        assert_eq!(told(77, None).as_deref(), Some("extended state 77"));
    }

    #[test]
    fn a_driver_that_tells_nothing_and_an_answer_that_is_cut_are_no_reason() {
        assert_eq!(link_reason(1, &attribute(2, 0)), None);
        assert_eq!(link_reason(1, &attribute(ETHTOOL_A_LINKSTATE_EXT_STATE, 4)[..4]), None);
        assert_eq!(link_reason(1, &[]), None);
    }
}
