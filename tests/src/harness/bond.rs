//! Two bonds that are partners: the router's with the agent, the switch's in another namespace. Needs the bonding driver.

use anyhow::{Context, Result};
use serde_json::Value;

use super::netns::Netns;
use super::veth::{Veth, far_mac, near_mac};
use super::wait::{patience, until_true};

/// Name of the bond on either side.
pub const BOND: &str = "bond0";

/// Mode of the bonds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 802.3ad with fast LACPDUs.
    Lacp,
    /// active-backup on the router's side; the switch has a bridge-like second leg that swallows.
    ActiveBackup,
}

/// `bond0` over `slave0` and `slave1` in `router`, and its partner `bond0` over `port0` and `port1` in `switch`.
#[derive(Debug)]
pub struct Bonds {
    /// Where the agent runs.
    pub router: Netns,
    /// The other side.
    pub switch: Netns,
    mode: Mode,
}

impl Bonds {
    /// Makes both sides and waits until every port is distributing.
    ///
    /// # Errors
    /// With what `ip` said (no bonding driver), or when LACP does not converge.
    pub fn new(mode: Mode) -> Result<Bonds> {
        let bonds = Bonds { router: Netns::new("router")?, switch: Netns::new("switch")?, mode };
        for number in 0..2u8 {
            let (slave, port) = (format!("slave{number}"), format!("port{number}"));
            Veth::down(number, (&bonds.router, &slave), (&bonds.switch, &port))?;
        }
        bonds.make_router_bond()?;
        bonds.switch.ip(&format!("link add {BOND} address {} mtu 9200 type bond {}", far_mac(0x80), mode.words()))?;
        for number in 0..2 {
            bonds.enslave(&bonds.router, &format!("slave{number}"))?;
            bonds.enslave(&bonds.switch, &format!("port{number}"))?;
        }
        bonds.switch.ip(&format!("link set {BOND} up"))?;
        bonds.router.ip(&format!("link set {BOND} up"))?;
        bonds.converged()?;
        Ok(bonds)
    }

    /// Makes the router's bond without slaves, down.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn make_router_bond(&self) -> Result<()> {
        let words = format!("link add {BOND} address {} mtu 9200 type bond {}", near_mac(0x80), self.mode.words());
        self.router.ip(&words)?;
        Ok(())
    }

    /// Puts a link into the bond of its side: down first, or the kernel refuses.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn enslave(&self, side: &Netns, link: &str) -> Result<()> {
        side.ip(&format!("link set {link} down"))?;
        side.ip(&format!("link set {link} master {BOND}"))?;
        side.ip(&format!("link set {link} up"))?;
        Ok(())
    }

    /// Adds a third pair to both bonds.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn add_third(&self) -> Result<()> {
        Veth::down(2, (&self.router, "slave2"), (&self.switch, "port2"))?;
        self.enslave(&self.switch, "port2")?;
        self.enslave(&self.router, "slave2")
    }

    /// Waits until the bond has carrier and, with LACP, every slave's state is 63 on both sides: collecting and distributing.
    ///
    /// # Errors
    /// When that takes too long: with the last states.
    pub fn converged(&self) -> Result<()> {
        let mut last = String::new();
        let result = until_true("the bonds did not converge", patience(20), || {
            let states = self.states()?;
            last = format!("{states:?}");
            let lacp_done = self.mode != Mode::Lacp || states.iter().all(|state| *state == (63, 63));
            Ok(lacp_done && !states.is_empty() && self.carrier(BOND)?)
        });
        result.with_context(|| format!("actor and partner states: {last}"))
    }

    /// Actor's and partner's port state of every slave of the router (0 where the mode has none).
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn states(&self) -> Result<Vec<(u64, u64)>> {
        let links = links(&self.router)?;
        let slaves = links.iter().filter(|link| link["master"] == BOND);
        let state = |link: &Value, name: &str| {
            let data = &link["linkinfo"]["info_slave_data"];
            data[name].as_u64().unwrap_or(0)
        };
        Ok(slaves.map(|link| (state(link, "ad_actor_oper_port_state"), state(link, "ad_partner_oper_port_state"))).collect())
    }

    /// Whether a link of the router has carrier.
    ///
    /// # Errors
    /// With what `ip` said; when there is no such link.
    pub fn carrier(&self, link: &str) -> Result<bool> {
        carrier(&self.router, link)
    }
}

impl Mode {
    fn words(self) -> &'static str {
        match self {
            Mode::Lacp => "mode 802.3ad lacp_rate fast miimon 100 xmit_hash_policy layer3+4",
            Mode::ActiveBackup => "mode active-backup miimon 100",
        }
    }
}

/// Every link of a namespace, as `ip -json` tells it.
///
/// # Errors
/// With what `ip` said.
pub fn links(netns: &Netns) -> Result<Vec<Value>> {
    let text = netns.ip("-details -json link show")?;
    serde_json::from_str(&text).with_context(|| format!("ip -json said: {text}"))
}

/// Whether a link has carrier.
///
/// # Errors
/// With what `ip` said; when there is no such link.
pub fn carrier(netns: &Netns, link: &str) -> Result<bool> {
    let links = links(netns)?;
    let found = links.iter().find(|found| found["ifname"] == link).with_context(|| format!("there is no {link}"))?;
    Ok(found["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "LOWER_UP")))
}
