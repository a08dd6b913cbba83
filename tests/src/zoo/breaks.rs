//! How each fault is made, and healed: by what the kernel has, so that everything that follows is real.

use anyhow::Result;

use super::fault::Fault;
use super::lab::{Lab, NEXT_HOP};
use crate::harness::{Netns, Traffic};

/// How many packets a second a storm has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storm {
    /// As many as it goes.
    FlatOut,
    /// So many.
    Rate(u32),
}

impl Lab {
    /// Breaks it. What sends because of the fault joins the lab's traffic.
    ///
    /// # Errors
    /// With what `ip` or `tc` said.
    pub fn break_it(&mut self, fault: Fault, storm: Storm) -> Result<()> {
        let (router, switch) = (&self.bonds.router, &self.bonds.switch);
        match fault {
            Fault::TxDuplication => {
                let rate = match storm {
                    Storm::FlatOut => "--flat-out".to_owned(),
                    Storm::Rate(rate) => format!("--rate {rate} --burst 32"),
                };
                let copies = format!("--kind keepalive {rate} --duration 1h");
                let storm = Traffic::start(router, "bond0", &copies)?;
                // behind the taps, which see what is handed over; receiving goes on
                block(router, &["slave0", "slave1"])?;
                self.traffic.push(storm);
            }
            Fault::CarrierBoth => self.ports(&[0, 1], false)?,
            Fault::CarrierOne => self.ports(&[0], false)?,
            Fault::AdminDown => drop(router.ip("link set bond0 down")?),
            Fault::SlaveRemoved => self.batch(router, "link set slave0 nomaster\nlink set slave1 nomaster\n")?,
            Fault::Flapping => self.batch(switch, &"link set port0 down\nlink set port0 up\n".repeat(20))?,
            Fault::PartnerLacpDead => self.on_lacpdus("drop")?,
            Fault::TimeoutMismatch => self.on_lacpdus("drop random determ pass 8")?,
            Fault::PartnerRestart => {
                let lines =
                    "link set bond0 down\nlink set bond0 type bond ad_actor_system 02:00:00:00:ee:01\nlink set bond0 up\n";
                self.batch(switch, lines)?;
            }
            Fault::KeyMismatch => self.bonds.wire("tapx")?,
            Fault::RxBlackout => block(switch, &["port0", "port1"])?,
            Fault::NextHopDead => {
                self.forward(false)?;
                switch.ip(&format!("addr del {NEXT_HOP}/24 dev bond0"))?;
            }
            Fault::PathOnly => block(&self.far, &["far0"])?,
            Fault::TxDrops => {
                router.exec("tc qdisc replace dev bond0 root tbf rate 1mbit burst 10kb limit 20kb")?;
                self.traffic.push(Traffic::start(router, "bond0", "--kind udp --size 1000 --rate 600 --flows 16 --duration 1h")?);
            }
            Fault::Clean => {
                for (side, kinds) in [(router, "udp,tcp,vlan,qinq,gso,arp"), (switch, "udp,tcp,vlan,fragments,ipv6-ext")] {
                    let options = format!("--kind {kinds} --rate 1500 --flows 64 --duration 1h");
                    self.traffic.push(Traffic::start(side, "bond0", &options)?);
                }
            }
        }
        Ok(())
    }

    /// Takes the fault away, where that is done by other means than its making.
    ///
    /// # Errors
    /// With what `ip` or `tc` said.
    pub fn heal(&mut self, fault: Fault) -> Result<()> {
        let (router, switch) = (&self.bonds.router, &self.bonds.switch);
        match fault {
            Fault::TxDuplication => {
                drop(self.traffic.pop());
                unblock(router, &["slave0", "slave1"])?;
            }
            Fault::CarrierBoth => self.ports(&[0, 1], true)?,
            Fault::CarrierOne => self.ports(&[0], true)?,
            Fault::AdminDown => drop(router.ip("link set bond0 up")?),
            Fault::SlaveRemoved => {
                for slave in ["slave0", "slave1"] {
                    self.bonds.enslave(router, slave)?;
                }
            }
            Fault::PartnerLacpDead | Fault::TimeoutMismatch => {
                for port in ["port0", "port1"] {
                    switch.exec(&format!("tc qdisc del dev {port} clsact"))?;
                }
            }
            Fault::KeyMismatch => self.bonds.wire("tap1")?,
            Fault::RxBlackout => unblock(switch, &["port0", "port1"])?,
            Fault::NextHopDead => {
                switch.ip(&format!("addr add {NEXT_HOP}/24 dev bond0"))?;
                self.forward(true)?;
            }
            Fault::PathOnly => unblock(&self.far, &["far0"])?,
            Fault::TxDrops => {
                drop(self.traffic.pop());
                router.exec("tc qdisc del dev bond0 root")?;
            }
            Fault::Clean => self.traffic.truncate(self.traffic.len().saturating_sub(2)),
            Fault::Flapping | Fault::PartnerRestart => {}
        }
        Ok(())
    }

    /// What becomes of the LACPDUs that the switch sends.
    fn on_lacpdus(&self, action: &str) -> Result<()> {
        for port in ["port0", "port1"] {
            self.bonds.switch.exec(&format!("tc qdisc replace dev {port} clsact"))?;
            let filter = format!("tc filter add dev {port} egress protocol 0x8809 matchall action {action}");
            self.bonds.switch.exec(&filter)?;
        }
        Ok(())
    }
}

/// A queue without room: all that the link transmits is dropped, behind the taps.
fn block(netns: &Netns, links: &[&str]) -> Result<()> {
    for link in links {
        netns.exec(&format!("tc qdisc replace dev {link} root pfifo limit 0"))?;
    }
    Ok(())
}

fn unblock(netns: &Netns, links: &[&str]) -> Result<()> {
    for link in links {
        netns.exec(&format!("tc qdisc del dev {link} root"))?;
    }
    Ok(())
}
