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

/// How two bonds are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    /// Their mode.
    pub mode: Mode,
    /// The router asks for LACPDUs every 30 s, not every second.
    pub router_slow: bool,
    /// The switch does.
    pub switch_slow: bool,
    /// `slave1` ends at `wire1` in the switch, which hands everything to `port1` and back: so that another port can be put there
    /// while the carrier stays. The bonds have the same system then, and `bond1` over `other1` has another key.
    pub relay: bool,
}

impl Making {
    /// Of a mode, with fast LACPDUs, wired directly.
    pub fn of(mode: Mode) -> Making {
        Making { mode, router_slow: false, switch_slow: false, relay: false }
    }
}

/// `bond0` over `slave0` and `slave1` in `router`, and its partner `bond0` over `port0` and `port1` in `switch`.
#[derive(Debug)]
pub struct Bonds {
    /// Where the agent runs.
    pub router: Netns,
    /// The other side.
    pub switch: Netns,
    making: Making,
}

impl Bonds {
    /// Makes both sides and waits until every port is distributing.
    ///
    /// # Errors
    /// With what `ip` said (no bonding driver), or when LACP does not converge.
    pub fn new(mode: Mode) -> Result<Bonds> {
        Bonds::make(Making::of(mode))
    }

    /// As [`Bonds::new`], as it is wanted.
    ///
    /// # Errors
    /// See [`Bonds::new`].
    pub fn make(making: Making) -> Result<Bonds> {
        let bonds = Bonds { router: Netns::new("router")?, switch: Netns::new("switch")?, making };
        Veth::down(0, (&bonds.router, "slave0"), (&bonds.switch, "port0"))?;
        if making.relay {
            bonds.make_relay()?;
        } else {
            Veth::down(1, (&bonds.router, "slave1"), (&bonds.switch, "port1"))?;
        }
        bonds.make_router_bond()?;
        let mut words = making.mode.words(making.switch_slow);
        if making.relay {
            words += &format!(" ad_actor_system {} ad_user_port_key 1", far_mac(0x80));
        }
        bonds.switch.ip(&format!("link add {BOND} address {} mtu 9200 type bond {words}", far_mac(0x80)))?;
        for number in 0..2 {
            bonds.enslave(&bonds.router, &format!("slave{number}"))?;
            bonds.enslave(&bonds.switch, &format!("port{number}"))?;
        }
        if making.mode == Mode::ActiveBackup {
            // both sides use the same pair, or nothing would pass
            bonds.switch.ip(&format!("link set {BOND} type bond primary port0"))?;
            bonds.router.ip(&format!("link set {BOND} type bond primary slave0"))?;
        }
        bonds.switch.ip(&format!("link set {BOND} up"))?;
        bonds.router.ip(&format!("link set {BOND} up"))?;
        bonds.converged()?;
        Ok(bonds)
    }

    /// Puts the port behind `wire1` to which `slave1` is wired: `tap1` leads to `port1` of bond0, `tapx` to `other1` of bond1.
    ///
    /// # Errors
    /// With what `tc` said.
    pub fn wire(&self, tap: &str) -> Result<()> {
        for link in ["wire1", "tap1", "tapx"] {
            // the qdisc takes its filters with it; there is none at first
            let _ = self.switch.exec(&format!("tc qdisc del dev {link} clsact"));
        }
        for (from, to) in [("wire1", tap), (tap, "wire1")] {
            self.switch.exec(&format!("tc qdisc add dev {from} clsact"))?;
            let filter = format!("tc filter add dev {from} ingress matchall action mirred egress redirect dev {to}");
            self.switch.exec(&filter)?;
        }
        Ok(())
    }

    fn make_relay(&self) -> Result<()> {
        Veth::down(1, (&self.router, "slave1"), (&self.switch, "wire1"))?;
        let words = self.making.mode.words(self.making.switch_slow);
        let system = far_mac(0x80);
        for line in [
            "link add tap1 mtu 9200 type veth peer name port1 mtu 9200".to_owned(),
            "link add tapx mtu 9200 type veth peer name other1 mtu 9200".to_owned(),
            format!(
                "link add bond1 address {} mtu 9200 type bond {words} ad_actor_system {system} ad_user_port_key 2",
                far_mac(0x81)
            ),
            "link set other1 master bond1".to_owned(),
        ] {
            self.switch.ip(&line)?;
        }
        for link in ["wire1", "tap1", "tapx"] {
            self.switch.ip(&format!("link set {link} up"))?;
        }
        self.switch.ip("link set bond1 up")?;
        self.wire("tap1")
    }

    /// Makes the router's bond without slaves, down.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn make_router_bond(&self) -> Result<()> {
        let words = format!(
            "link add {BOND} address {} mtu 9200 type bond {}",
            near_mac(0x80),
            self.making.mode.words(self.making.router_slow)
        );
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
        // who asks for slow LACPDUs has no timeout flag
        let state = |slow: bool| if slow { 61 } else { 63 };
        let whole = (state(self.making.router_slow), state(self.making.switch_slow));
        let result = until_true("the bonds did not converge", patience(20), || {
            let states = self.states()?;
            last = format!("{states:?}");
            let lacp_done = self.making.mode != Mode::Lacp || states.iter().all(|state| *state == whole);
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
    fn words(self, slow: bool) -> String {
        let rate = if slow { "slow" } else { "fast" };
        match self {
            Mode::Lacp => format!("mode 802.3ad lacp_rate {rate} miimon 100 xmit_hash_policy layer3+4"),
            Mode::ActiveBackup => "mode active-backup miimon 100".to_owned(),
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
