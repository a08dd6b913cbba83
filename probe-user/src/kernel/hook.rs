//! Which hook an interface is tapped at, and why.

use serde::Serialize;

use super::{
    KernelError,
    netdev::{self, Device},
};

/// What the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookChoice {
    /// The best that loses nothing.
    #[default]
    Auto,
    /// Native XDP for receive.
    Xdp,
    /// Generic XDP for receive: turns GRO off, so only on request.
    XdpGeneric,
    /// tc for receive.
    Tc,
}

/// A hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Native XDP.
    Xdp,
    /// Generic XDP.
    XdpGeneric,
    /// A tcx link (6.6 and later).
    Tcx,
    /// A filter on the clsact qdisc.
    Clsact,
}

impl Hook {
    /// Its name for people, and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xdp => "xdp",
            Self::XdpGeneric => "xdp-generic",
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        }
    }

    /// As in [`probe_common::tap::hook`].
    pub const fn number(self) -> u8 {
        use probe_common::tap::hook;
        match self {
            Self::Xdp => hook::XDP,
            Self::XdpGeneric => hook::XDP_GENERIC,
            Self::Tcx => hook::TCX,
            Self::Clsact => hook::CLSACT,
        }
    }

    /// The tc hook of this kernel.
    pub fn tc() -> Self {
        let since_6_6 =
            aya::util::KernelVersion::current().is_ok_and(|version| version >= aya::util::KernelVersion::new(6, 6, 0));
        if since_6_6 { Self::Tcx } else { Self::Clsact }
    }
}

/// The hook for receive, with what led to it.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// Hook that is tried first.
    pub ingress: Hook,
    /// Hook for transmit.
    pub egress: Hook,
    /// Why this one for receive, in words.
    pub why: String,
    /// What is known of the interface.
    pub device: Device,
}

/// Chooses the hook for receive of an interface.
///
/// # Errors
/// [`KernelError::NoInterface`], [`KernelError::NotEthernet`], [`KernelError::Netlink`].
pub fn choose(ifindex: u32, wanted: HookChoice) -> Result<Choice, KernelError> {
    Ok(choose_for(netdev::device(ifindex)?, wanted, Hook::tc()))
}

pub(super) fn choose_for(device: Device, wanted: HookChoice, tc: Hook) -> Choice {
    let (ingress, why) = decide(&device, wanted, tc);
    Choice { ingress, egress: tc, why, device }
}

fn decide(device: &Device, wanted: HookChoice, tc: Hook) -> (Hook, String) {
    match wanted {
        HookChoice::Xdp => return (Hook::Xdp, "asked for".into()),
        HookChoice::XdpGeneric => return (Hook::XdpGeneric, "asked for".into()),
        HookChoice::Tc => return (tc, "asked for".into()),
        HookChoice::Auto => {}
    }
    if matches!(device.kind.as_deref(), Some("bond" | "team")) {
        return (tc, "XDP on a bond and XDP on its slaves exclude each other, and the slaves are where it is native".into());
    }
    if let Some(program) = device.xdp_program {
        return (tc, format!("another XDP program is there already (id {program})"));
    }
    if device.rx_vlan_offload == Some(true) {
        let why = format!(
            "rx-vlan-offload is on: XDP would not see the tags that the hardware takes out (`ethtool -K {} rxvlan off` makes it XDP)",
            device.name
        );
        return (tc, why);
    }
    match device.native_xdp {
        Some(true) => (Hook::Xdp, "the driver has native XDP, and rx-vlan-offload is off".into()),
        Some(false) => (tc, "the driver has no native XDP".into()),
        None => (Hook::Xdp, "whether the driver has native XDP is found out by attaching (the kernel tells from 6.3 on)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        Device { native_xdp: Some(true), rx_vlan_offload: Some(false), ..Device::default() }
    }

    fn auto(device: &Device) -> Hook {
        decide(device, HookChoice::Auto, Hook::Clsact).0
    }

    #[test]
    fn native_xdp_is_taken_where_it_sees_everything() {
        assert_eq!(auto(&device()), Hook::Xdp);
        assert_eq!(auto(&Device { native_xdp: None, ..device() }), Hook::Xdp);
    }

    #[test]
    fn tc_is_taken_where_xdp_would_be_generic_blind_or_in_the_way() {
        assert_eq!(auto(&Device { native_xdp: Some(false), ..device() }), Hook::Clsact);
        assert_eq!(auto(&Device { rx_vlan_offload: Some(true), ..device() }), Hook::Clsact);
        assert_eq!(auto(&Device { xdp_program: Some(9), ..device() }), Hook::Clsact);
        assert_eq!(auto(&Device { kind: Some("bond".into()), ..device() }), Hook::Clsact);
    }

    #[test]
    fn what_the_user_wants_is_taken_whatever_the_device_is() {
        let bond = Device { kind: Some("bond".into()), ..device() };
        assert_eq!(decide(&bond, HookChoice::Xdp, Hook::Tcx).0, Hook::Xdp);
        assert_eq!(decide(&device(), HookChoice::Tc, Hook::Tcx).0, Hook::Tcx);
        assert_eq!(decide(&device(), HookChoice::XdpGeneric, Hook::Tcx).0, Hook::XdpGeneric);
    }
}
