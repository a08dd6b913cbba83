//! Pairs of virtual Ethernet links.

use anyhow::Result;

use super::netns::Netns;
use super::wait::{patience, until_true};

/// A veth pair across two namespaces, both ends up: `near` in the agent's, `far` in the other one. The MACs are fixed.
#[derive(Debug)]
pub struct Veth {
    /// Name of the end in the first namespace.
    pub near: String,
    /// Name of the end in the second namespace.
    pub far: String,
}

/// MAC of the near end of pair `number`.
pub fn near_mac(number: u8) -> String {
    format!("02:4c:51:00:00:{number:02x}")
}

/// MAC of the far end of pair `number`.
pub fn far_mac(number: u8) -> String {
    format!("02:4c:52:00:00:{number:02x}")
}

/// Gives `link` the address that [`crate::traffic::Kind::GsoUdp`] sends from, and a neighbour that nobody is.
///
/// # Errors
/// With what `ip` said.
pub fn address(netns: &Netns, link: &str) -> Result<()> {
    netns.ip(&format!("addr add 198.51.100.1/24 dev {link}"))?;
    netns.ip(&format!("neigh replace 198.51.100.2 lladdr 02:4c:50:ff:00:01 dev {link} nud permanent"))?;
    Ok(())
}

impl Veth {
    /// Makes a pair with an MTU that takes jumbo frames. Both ends transmit.
    ///
    /// # Errors
    /// With what `ip` said; when an end does not come up.
    pub fn new(number: u8, near: (&Netns, &str), far: (&Netns, &str)) -> Result<Veth> {
        let pair = Veth::down(number, near, far)?;
        near.0.ip(&format!("link set {} up", near.1))?;
        far.0.ip(&format!("link set {} up", far.1))?;
        // a link gets its transmit queue some time after its carrier, together with its operstate; until then it drops without a word
        for (netns, link) in [near, far] {
            let up = || Ok(netns.ip(&format!("link show {link}"))?.contains("state UP"));
            until_true(&format!("{link} is up"), patience(10), up)?;
        }
        Ok(pair)
    }

    /// As [`Veth::new`], with both ends down.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn down(number: u8, near: (&Netns, &str), far: (&Netns, &str)) -> Result<Veth> {
        near.0.ip(&format!(
            "link add {} mtu 9200 address {} type veth peer name {} mtu 9200 address {} netns {}",
            near.1,
            near_mac(number),
            far.1,
            far_mac(number),
            far.0.name()
        ))?;
        Ok(Veth { near: near.1.into(), far: far.1.into() })
    }
}
