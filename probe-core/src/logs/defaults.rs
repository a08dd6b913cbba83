//! The patterns that are looked for without being asked for.

use super::Pattern;

/// Name, regular expression, whether it is a trigger; of failures.
const FAILURES: [(&str, &str, bool); 9] = [
    // drivers/net/bonding/bond_main.c, bond_3ad.c
    ("bonding-slave-down", r"link status definitely down", false),
    ("bonding-no-slave", r"now running without any active interface", false),
    ("bonding-no-partner", r"No 802\.3ad response from the link partner", false),
    // Drivers with and without phylib: `NIC Link is Down`, `eth0: Link is Down`, `eth0: link down`. Not `SATA link down`.
    ("driver-link-down", r"(?i)(?:nic (?:copper )?link is|: link is|: link) down\b", false),
    // net/sched/sch_generic.c: the driver no longer transmits, of which netlink says nothing.
    ("transmit-timeout", r"NETDEV WATCHDOG: .*transmit queue \d+ timed out", true),
    ("keepalived-fault", r"Entering FAULT STATE", true),
    // FRR's, Quagga's and Vyatta's ospfd and ospf6d, BIRD: a neighbour leaves Full.
    ("ospf-neighbour-down", r"AdjChg: Nbr .*Full -> |Neighbor state change .*\[Full\]->|changed state from Full to ", true),
    // FRR's bgpd and bfdd.
    ("neighbour-down", r"(?i)%ADJCHANGE: neighbor .* down\b|Session-Change: .*\bup -> down\b", true),
    // What daemons say of their interfaces: `interface dp0bond0 DOWN`, `Kernel is reporting: interface eth1 DOWN`.
    ("interface-down", r"(?i)\binterface [\w.:@-]+ (?:is |changed state to |state )?down\b", true),
];

/// The same, of recoveries.
const RECOVERIES: [(&str, &str, bool); 7] = [
    ("bonding-slave-up", r"link status definitely up", false),
    ("bonding-active", r"active interface up!|the new active one", false),
    ("driver-link-up", r"(?i)(?:nic (?:copper )?link is|: link is|: link) up\b|: link becomes ready", false),
    ("keepalived-state", r"Entering (?:MASTER|BACKUP) STATE", true),
    ("ospf-neighbour-up", r"AdjChg: Nbr .*-> Full\b|Neighbor state change .*->\[Full\]|changed state from \w+ to Full\b", true),
    ("neighbour-up", r"(?i)%ADJCHANGE: neighbor .* up\b|Session-Change: .*-> up\b", true),
    ("interface-up", r"(?i)\binterface [\w.:@-]+ (?:is |changed state to |state )?up\b", true),
];

/// All of them, failures first.
pub(super) fn patterns() -> impl Iterator<Item = Pattern> {
    let all = FAILURES.iter().map(|pattern| (true, pattern)).chain(RECOVERIES.iter().map(|pattern| (false, pattern)));
    all.map(|(failure, (name, regex, fires))| Pattern {
        name: (*name).to_owned(),
        failure,
        fires: *fires,
        regex: (*regex).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Patterns;

    fn named(line: &str) -> Option<String> {
        let patterns = Patterns::new(&[]).expect("the default patterns");
        patterns.find(line).map(|p| format!("{}{}", p.name, if p.fires { "!" } else { "" }))
    }

    #[test]
    fn every_default_pattern_compiles_and_matches_no_empty_line() {
        for pattern in patterns() {
            assert_eq!(pattern.check(), Ok(()), "{}", pattern.name);
        }
    }

    #[test]
    fn lines_that_routers_write_are_known() {
        for (line, name) in [
            ("bond0: (slave eth1): link status definitely down, disabling slave", "bonding-slave-down"),
            ("bond0: link status definitely down for interface eth1, disabling it", "bonding-slave-down"),
            ("bond0: (slave eth1): link status definitely up, 10000 Mbps full duplex", "bonding-slave-up"),
            ("bond0: now running without any active interface!", "bonding-no-slave"),
            ("bond0: active interface up!", "bonding-active"),
            ("bond0: Warning: No 802.3ad response from the link partner for any adapters in the bond", "bonding-no-partner"),
            ("ixgbe 0000:01:00.0 eth1: NIC Link is Down", "driver-link-down"),
            ("ixgbe 0000:01:00.0 eth1: NIC Link is Up 10 Gbps, Flow Control: RX/TX", "driver-link-up"),
            ("bnx2 0000:02:00.0: eth0: NIC Copper Link is Down", "driver-link-down"),
            ("tg3 0000:03:00.0 eth2: Link is down", "driver-link-down"),
            ("r8169 0000:04:00.0 eth3: Link is Up - 1Gbps/Full - flow control rx/tx", "driver-link-up"),
            ("mlx5_core 0000:3b:00.0 ens1f0: Link down", "driver-link-down"),
            ("IPv6: ADDRCONF(NETDEV_CHANGE): eth1: link becomes ready", "driver-link-up"),
            ("NETDEV WATCHDOG: eth1 (ixgbe): transmit queue 3 timed out", "transmit-timeout!"),
            ("Nov 30 18:57:12 r1 Keepalived_vrrp[2211]: (vrrp-1) Entering FAULT STATE", "keepalived-fault!"),
            ("Nov 30 18:59:12 r1 Keepalived_vrrp[2211]: VRRP_Instance(vrrp-1) Entering MASTER STATE", "keepalived-state!"),
            ("Nov 30 18:57:12 r1 ospf6d[1987]: interface dp0bond0 DOWN", "interface-down!"),
            ("Nov 30 18:57:12 r1 Keepalived_vrrp[2211]: Kernel is reporting: interface dp0bond0 UP", "interface-up!"),
            ("ospfd[701]: AdjChg: Nbr 10.0.0.1(default) on bond0:10.0.0.2: Full -> Deleted (KillNbr)", "ospf-neighbour-down!"),
            ("ospfd[701]: AdjChg: Nbr 10.0.0.1(default) on bond0:10.0.0.2: Loading -> Full (LoadingDone)", "ospf-neighbour-up!"),
            ("bird: ospf1: Neighbor 10.0.0.1 on bond0 changed state from Full to Down", "ospf-neighbour-down!"),
            // OSPFv3: FRR's, Quagga's and Vyatta's ospf6d, as notices of adjacencies and as they debug neighbours
            ("ospf6d[704]: AdjChg: Nbr 10.0.0.1%bond0: Full -> Down (InactivityTimer)", "ospf-neighbour-down!"),
            ("ospf6d[704]: AdjChg: Nbr 10.0.0.1%bond0: Loading -> Full (LoadingDone)", "ospf-neighbour-up!"),
            ("ospf6d[704]: Neighbor state change 10.0.0.1%bond0: [Full]->[Down] (InactivityTimer)", "ospf-neighbour-down!"),
            ("OSPF6: Neighbor state change 10.0.0.1%dp0bond0: [Full]->[Init]", "ospf-neighbour-down!"),
            ("OSPF6: Neighbor state change 10.0.0.1%dp0bond0: [Loading]->[Full]", "ospf-neighbour-up!"),
            ("bgpd[702]: %ADJCHANGE: neighbor 10.0.0.1(r2) in vrf default Down Interface down", "neighbour-down!"),
            ("bgpd[702]: %ADJCHANGE: neighbor 10.0.0.1(r2) in vrf default Up", "neighbour-up!"),
            ("bfdd[703]: Session-Change: [mhop:no peer:10.0.0.1]: up -> down reason:control-expired", "neighbour-down!"),
        ] {
            assert_eq!(named(line).as_deref(), Some(name), "{line}");
        }
    }

    #[test]
    fn ordinary_lines_are_not() {
        for line in [
            "ata1: SATA link down (SStatus 0 SControl 300)",
            "ata1: SATA link up 6.0 Gbps (SStatus 133 SControl 300)",
            "bond0: (slave eth1): Enslaving as a backup interface with an up link",
            "bond0: (slave eth1): Releasing backup interface",
            "bonding: bond0 is being created...",
            "8021q: adding VLAN 0 to HW filter on device bond0",
            "device eth1 entered promiscuous mode",
            "br0: port 1(veth0) entered blocking state",
            "sshd[1]: Accepted publickey for root from 10.0.0.1 port 22",
            "systemd[1]: Shutting down interface statistics collector",
            "dhclient: DHCPACK of 10.0.0.2 from 10.0.0.1",
            "named[7]: listening on IPv4 interface eth0, 10.0.0.1#53",
            "ospf6d[704]: Neighbor state change 10.0.0.1%bond0: [Init]->[Down] (InactivityTimer)",
            "ospf6d[704]: AdjChg: Nbr 10.0.0.1%bond0: Twoway -> Init (1-WayReceived)",
            "Keepalived_vrrp[2211]: Registering Kernel netlink reflector",
            "",
        ] {
            assert_eq!(named(line), None, "{line}");
        }
    }
}
