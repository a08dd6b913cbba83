//! What a frame is: the classes that are counted, and the lane that each is recorded in.

/// Number of slots of a tap's class table. A power of two, so that a kernel program can mask an index.
pub const CLASSES: usize = 32;

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal, $lane:ident;)*) => {
        /// Names of the classes as the kernel programs and the agent number them.
        pub mod id {
            $($(#[$doc])* pub const $name: u8 = $value;)*
        }
        /// Name of a class for people and for JSON; `None` for a number that no class has.
        pub const fn name(class: u8) -> Option<&'static str> {
            match class { $($value => Some($text),)* _ => None }
        }
        /// Bit `n` is set when frames of class `n` are recorded in the control lane.
        pub const CONTROL_LANE: u32 = 0 $(| (classes!(@lane $lane) << $value))*;
    };
    (@lane control) => { 1u32 };
    (@lane bulk) => { 0u32 };
}

classes! {
    /// No class of its own.
    OTHER = 0, "other", bulk;
    /// Too short or malformed for what its headers claim.
    MALFORMED = 1, "malformed", bulk;
    /// ARP and RARP.
    ARP = 2, "arp", control;
    /// LACPDU: slow protocols, subtype 1.
    LACP = 3, "lacp", control;
    /// Other slow protocols: marker, OAM.
    SLOW = 4, "slow", control;
    /// LLDP.
    LLDP = 5, "lldp", control;
    /// Spanning tree (LLC 42-42-03, or SNAP for PVST+), and CDP and its like.
    STP = 6, "stp", control;
    /// TCP in IPv4.
    TCP4 = 7, "tcp4", bulk;
    /// UDP in IPv4.
    UDP4 = 8, "udp4", bulk;
    /// ICMP in IPv4.
    ICMP4 = 9, "icmp4", control;
    /// Any other protocol in IPv4.
    IP4 = 10, "ip4", bulk;
    /// TCP in IPv6.
    TCP6 = 11, "tcp6", bulk;
    /// UDP in IPv6.
    UDP6 = 12, "udp6", bulk;
    /// ICMPv6 that is neither neighbour discovery nor multicast listener discovery.
    ICMP6 = 13, "icmp6", control;
    /// Any other protocol in IPv6.
    IP6 = 14, "ip6", bulk;
    /// Neighbour discovery: ICMPv6 types 133 to 137.
    ND = 15, "nd", control;
    /// VRRP (IP protocol 112).
    VRRP = 16, "vrrp", control;
    /// OSPF (IP protocol 89).
    OSPF = 17, "ospf", control;
    /// BFD (UDP ports 3784, 3785, 4784, 6784).
    BFD = 18, "bfd", control;
    /// HSRP (UDP ports 1985 and 2029).
    HSRP = 19, "hsrp", control;
    /// BGP (TCP port 179).
    BGP = 20, "bgp", control;
    /// IGMP, and multicast listener discovery (ICMPv6 types 130 to 132 and 143).
    IGMP = 21, "igmp", control;
    /// A fragment of IPv4 or IPv6 other than the first: it has no header of its upper layer.
    FRAGMENT = 22, "fragment", bulk;
    /// MPLS.
    MPLS = 23, "mpls", bulk;
    /// IS-IS (LLC FE-FE-03).
    ISIS = 24, "isis", control;
}

/// True when frames of this class are recorded in the control lane.
pub const fn is_control(class: u8) -> bool {
    class < 32 && CONTROL_LANE & (1 << class) != 0
}
