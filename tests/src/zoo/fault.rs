//! The faults by name. Shared with `xtask`, which takes them on its command line: nothing but clap and the standard library here.

use clap::ValueEnum;

/// A way to break a bond, or what lies behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Fault {
    /// The reference incident: one packet is sent again and again, and nothing that is sent reaches the wire; receiving works
    TxDuplication,
    /// Both slaves lose their carrier
    CarrierBoth,
    /// One slave loses its carrier
    CarrierOne,
    /// The bond is set down
    AdminDown,
    /// The links are up, and the partner's LACPDUs stop
    PartnerLacpDead,
    /// The partner comes back as another system
    PartnerRestart,
    /// One slave is wired to a port of another aggregate
    KeyMismatch,
    /// The partner sends LACPDUs at its own rate, which is too slow for us
    TimeoutMismatch,
    /// Nothing that the switch sends arrives, not even LACPDUs; the carriers stay
    RxBlackout,
    /// The next hop no longer answers
    NextHopDead,
    /// A target behind the next hop no longer answers; the next hop does
    PathOnly,
    /// One slave's carrier goes and comes 20 times within a second
    Flapping,
    /// The bond's queue is full: the kernel drops what is sent
    TxDrops,
    /// Both slaves are taken out of the bond, one after the other
    SlaveRemoved,
    /// Nothing breaks: heavy ordinary traffic starts and stops, and there must be no incident
    Clean,
}

/// Mode of the bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Mode {
    /// 802.3ad
    Lacp,
    /// active-backup
    ActiveBackup,
}

impl Fault {
    /// Whether it has a meaning in a mode.
    pub fn fits(self, mode: Mode) -> bool {
        let about_lacp =
            matches!(self, Fault::PartnerLacpDead | Fault::PartnerRestart | Fault::KeyMismatch | Fault::TimeoutMismatch);
        mode == Mode::Lacp || !about_lacp
    }

    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
