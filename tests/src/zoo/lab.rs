//! Where the faults happen: a router with a bond, a switch that is its next hop, and a target behind that.
//!
//! ```text
//! router: bond0 over slave0, slave1     10.0.80.10/24   VLAN 956: 172.20.18.40/24
//! switch: bond0 over port0, port1       10.0.80.1/24    VLAN 956: 172.20.18.143/24   up0: 192.0.2.1/24
//! far:    far0                          192.0.2.9/24
//! ```

use std::fs;

use anyhow::Result;

use super::fault::{Fault, Mode};
use crate::harness::bond::{self, Making};
use crate::harness::wait::{patience, until_true};
use crate::harness::{Bonds, Launch, Netns, Scratch, Traffic, Veth};

/// The next hop of the router's default route.
pub const NEXT_HOP: &str = "10.0.80.1";
/// A target behind it.
pub const TARGET: &str = "192.0.2.9";

/// Three namespaces with traffic.
#[derive(Debug)]
pub struct Lab {
    /// Ends with the value; before the namespaces, whose interfaces it uses.
    pub traffic: Vec<Traffic>,
    /// Router and switch.
    pub bonds: Bonds,
    /// Behind the switch.
    pub far: Netns,
    /// For files.
    pub scratch: Scratch,
}

impl Lab {
    /// Makes what a fault needs, converged. `slow`: LACPDUs every 30 s on both sides.
    ///
    /// # Errors
    /// With what `ip` said, or when LACP does not converge.
    pub fn new(fault: Fault, mode: Mode, slow: bool) -> Result<Lab> {
        let mode = match mode {
            Mode::Lacp => bond::Mode::Lacp,
            Mode::ActiveBackup => bond::Mode::ActiveBackup,
        };
        let bonds = Bonds::make(Making {
            router_slow: slow,
            switch_slow: slow || fault == Fault::TimeoutMismatch,
            relay: fault == Fault::KeyMismatch,
            ..Making::of(mode)
        })?;
        let lab = Lab { traffic: Vec::new(), bonds, far: Netns::new("far")?, scratch: Scratch::new("zoo")? };
        lab.addresses()?;
        let answers = || Ok(lab.bonds.router.exec(&format!("ping -c 1 -W 1 {TARGET}")).is_ok());
        until_true("an answer of the target", patience(10), answers)?;
        Ok(lab)
    }

    fn addresses(&self) -> Result<()> {
        let Bonds { router, switch, .. } = &self.bonds;
        Veth::new(9, (switch, "up0"), (&self.far, "far0"))?;
        let tagged = "link add link bond0 name bond0.956 type vlan id 956\nlink set bond0.956 up\n";
        self.batch(
            router,
            &format!(
                "addr add 10.0.80.10/24 dev bond0\n{tagged}addr add 172.20.18.40/24 dev bond0.956\nroute add default via {NEXT_HOP}\n"
            ),
        )?;
        self.batch(
            switch,
            &format!(
                "addr add {NEXT_HOP}/24 dev bond0\n{tagged}addr add 172.20.18.143/24 dev bond0.956\naddr add 192.0.2.1/24 dev up0\n"
            ),
        )?;
        self.batch(&self.far, &format!("addr add {TARGET}/24 dev far0\nroute add default via 192.0.2.1\n"))?;
        self.forward(true)
    }

    /// Whether the switch forwards from the router to the target and back.
    ///
    /// # Errors
    /// When it cannot be set.
    pub fn forward(&self, on: bool) -> Result<()> {
        let value = if on { "1" } else { "0" };
        self.bonds.switch.run(|| fs::write("/proc/sys/net/ipv4/ip_forward", value))??;
        Ok(())
    }

    /// Calm traffic of many kinds, both ways, tagged too; and the hellos of routers.
    ///
    /// # Errors
    /// When a generator cannot be started.
    pub fn calm_traffic(&mut self) -> Result<()> {
        let Bonds { router, switch, .. } = &self.bonds;
        for (side, interface, options) in [
            (router, "bond0", "--kind udp,tcp,vlan,ipv4-options --rate 40 --flows 16"),
            (router, "bond0.956", "--kind vrrp --rate 1"),
            (switch, "bond0", "--kind udp,tcp,vlan,ipv6-ext --rate 40 --flows 16"),
            (switch, "bond0", "--kind hsrp --rate 1"),
        ] {
            self.traffic.push(Traffic::start(side, interface, &format!("{options} --duration 1h"))?);
        }
        Ok(())
    }

    /// An agent on the router's side.
    pub fn launch<'a>(&'a self, options: &'a str) -> Launch<'a> {
        Launch::new(&self.bonds.router, &self.scratch, options)
    }

    /// Runs lines of `ip` in a namespace, with one process.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn batch(&self, netns: &Netns, lines: &str) -> Result<()> {
        let path = self.scratch.path().join("batch");
        fs::write(&path, lines)?;
        netns.ip(&format!("-batch {}", path.display()))?;
        Ok(())
    }

    /// Sets ports of the switch down or up: the slaves on the router's side lose their carrier, or get it.
    ///
    /// # Errors
    /// With what `ip` said.
    pub fn ports(&self, numbers: &[u8], up: bool) -> Result<()> {
        let state = if up { "up" } else { "down" };
        let lines: String = numbers.iter().map(|number| format!("link set port{number} {state}\n")).collect();
        self.batch(&self.bonds.switch, &lines)
    }
}
