//! Links for tests: what rtnetlink says of them, cut down to what matters.

use crate::lacp::{PortInfo, PortState};
use crate::link::{BondState, LinkState, MiiStatus, OperState, SlaveState};
use crate::time::Mono;

pub const fn at(ms: u64) -> Mono {
    Mono(ms * 1_000_000)
}

pub fn link(ifindex: u32, name: &str) -> LinkState {
    LinkState {
        ifindex,
        name: name.to_owned(),
        mtu: 1500,
        admin_up: true,
        carrier: true,
        operstate: OperState::Up,
        carrier_up_count: 1,
        carrier_down_count: 1,
        ..LinkState::default()
    }
}

pub fn bond(ifindex: u32, name: &str) -> LinkState {
    LinkState { kind: Some("bond".to_owned()), bond: Some(BondState::default()), ..link(ifindex, name) }
}

pub fn slave(ifindex: u32, name: &str, master: u32) -> LinkState {
    LinkState { master: Some(master), slave: Some(SlaveState::default()), ..link(ifindex, name) }
}

/// The link after it lost its carrier once more, and the bond's monitor saw it.
pub fn down(state: LinkState) -> LinkState {
    let carrier_down_count = state.carrier_down_count + 1;
    let slave = state.slave.clone().map(|slave| SlaveState { mii: MiiStatus::Down, ..slave });
    LinkState { carrier: false, operstate: OperState::Down, carrier_down_count, slave, ..state }
}

/// The link after its carrier came once more, and the bond's monitor saw it.
pub fn up(state: LinkState) -> LinkState {
    let carrier_up_count = state.carrier_up_count + 1;
    let slave = state.slave.clone().map(|slave| SlaveState { mii: MiiStatus::Up, ..slave });
    LinkState { carrier: true, operstate: OperState::Up, carrier_up_count, slave, ..state }
}

/// bond0 (10) with its slaves eth1 (1) and eth2 (2), and mgmt (4), all up; lone0 (3) besides.
pub fn links() -> Vec<LinkState> {
    vec![slave(2, "eth2", 10), slave(1, "eth1", 10), bond(10, "bond0"), link(3, "lone0"), link(4, "mgmt")]
}

/// The names to watch of [`links`].
pub fn watched() -> crate::table::Watched {
    crate::table::Watched { bonds: vec!["bond0".to_owned()], interfaces: vec!["mgmt".to_owned()] }
}

/// A port of system 02:00:00:00:00:`system`, key 9.
pub fn port(system: u8, port: u16, state: u8) -> PortInfo {
    let system = if system == 0 { [0; 6] } else { [2, 0, 0, 0, 0, system] };
    let key = if port == 0 { 0 } else { 9 };
    PortInfo { system_priority: 65_535, system, key, port_priority: 255, port, state: PortState(state) }
}

/// A LACPDU from its destination address on, 124 bytes.
pub fn lacpdu(actor: PortInfo, partner: PortInfo) -> Vec<u8> {
    let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 0x55, 0x88, 0x09, 1, 1];
    for (kind, info) in [(1, actor), (2, partner)] {
        frame.extend([kind, 20]);
        frame.extend(info.system_priority.to_be_bytes());
        frame.extend(info.system);
        for number in [info.key, info.port_priority, info.port] {
            frame.extend(number.to_be_bytes());
        }
        frame.extend([info.state.0, 0, 0, 0]);
    }
    frame.extend([3, 16]);
    frame.resize(124, 0);
    frame
}

/// A small generator of numbers (xorshift): the same at every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}
