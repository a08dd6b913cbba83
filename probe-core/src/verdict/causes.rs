//! What can cause what.

use super::FindingKind::{self, *};

/// What a kind of finding can bring about, at the same bond or interface. Nothing that stands earlier in [`ORDER`] follows from what
/// stands later, so that no chain goes round.
const fn effects(kind: FindingKind) -> &'static [FindingKind] {
    match kind {
        AdminDown | SlaveRemoved => &[
            RxBlackout,
            TxBlackout,
            LocalDrops,
            PartnerSilent,
            LacpdusNotSent,
            LacpdusNotArriving,
            Degraded,
            BondCarriesNothing,
            BondDown,
            NextHopUnreachable,
            PathLoss,
            PartnerChanged,
            LogFailure,
        ],
        CarrierLoss | Flapping => &[
            LocalDrops,
            PartnerSilent,
            LacpdusNotArriving,
            PartnerChanged,
            Degraded,
            BondCarriesNothing,
            BondDown,
            NextHopUnreachable,
            PathLoss,
            LogFailure,
        ],
        DuplicateStorm => &[
            GhostPackets,
            LocalDrops,
            TxBlackout,
            LacpdusNotSent,
            LacpdusNotArriving,
            PartnerSilent,
            Degraded,
            BondCarriesNothing,
            BondDown,
            NextHopUnreachable,
            PathLoss,
            LogFailure,
        ],
        LocalDrops => &[
            GhostPackets,
            TxBlackout,
            RxBlackout,
            LacpdusNotArriving,
            PartnerSilent,
            Degraded,
            BondCarriesNothing,
            BondDown,
            NextHopUnreachable,
            PathLoss,
            LogFailure,
        ],
        TxBlackout => &[
            GhostPackets,
            LacpdusNotArriving,
            PartnerSilent,
            Degraded,
            BondCarriesNothing,
            BondDown,
            NextHopUnreachable,
            PathLoss,
            LogFailure,
        ],
        RxBlackout => &[LacpdusNotArriving, Degraded, BondCarriesNothing, BondDown, NextHopUnreachable, PathLoss, LogFailure],
        PartnerChanged => &[
            LacpKeyMismatch,
            LacpdusNotArriving,
            PartnerSilent,
            Degraded,
            BondCarriesNothing,
            BondDown,
            NextHopUnreachable,
            PathLoss,
            LogFailure,
        ],
        LacpKeyMismatch => {
            &[LacpdusNotArriving, Degraded, BondCarriesNothing, BondDown, NextHopUnreachable, PathLoss, LogFailure]
        }
        LacpdusNotSent => {
            &[LacpdusNotArriving, PartnerSilent, Degraded, BondCarriesNothing, BondDown, NextHopUnreachable, PathLoss, LogFailure]
        }
        LacpdusNotArriving => &[PartnerSilent, Degraded, BondCarriesNothing, BondDown, NextHopUnreachable, PathLoss, LogFailure],
        PartnerSilent => &[Degraded, BondCarriesNothing, BondDown, NextHopUnreachable, PathLoss, LogFailure],
        Degraded => &[BondCarriesNothing, BondDown, LogFailure],
        BondCarriesNothing => &[BondDown, NextHopUnreachable, PathLoss, LogFailure],
        BondDown => &[NextHopUnreachable, PathLoss, LogFailure],
        NextHopUnreachable => &[PathLoss, LogFailure],
        LacpTimeoutMismatch => &[PartnerSilent, Degraded, BondCarriesNothing, BondDown, NextHopUnreachable, PathLoss, LogFailure],
        GhostPackets | PathLoss | LogFailure | Recovered => &[],
    }
}

/// The kinds, causes before what they can cause.
const ORDER: [FindingKind; 22] = [
    AdminDown,
    SlaveRemoved,
    CarrierLoss,
    Flapping,
    DuplicateStorm,
    LocalDrops,
    TxBlackout,
    GhostPackets,
    RxBlackout,
    PartnerChanged,
    LacpKeyMismatch,
    LacpTimeoutMismatch,
    LacpdusNotSent,
    LacpdusNotArriving,
    PartnerSilent,
    Degraded,
    BondCarriesNothing,
    BondDown,
    NextHopUnreachable,
    PathLoss,
    LogFailure,
    Recovered,
];

/// Whether one can bring about the other.
pub fn can_cause(cause: FindingKind, effect: FindingKind) -> bool {
    effects(cause).contains(&effect)
}

/// Place in the order of causes: of two that are equally old, the lower one is the cause.
pub fn rank(kind: FindingKind) -> usize {
    ORDER.iter().position(|of| *of == kind).unwrap_or(ORDER.len())
}

/// True for what is never the beginning of a story: something must have brought it about.
pub fn is_symptom(kind: FindingKind) -> bool {
    matches!(kind, BondDown | BondCarriesNothing | Degraded | GhostPackets)
}

/// True for what is told beside, unless something follows from it.
pub fn is_remark(kind: FindingKind) -> bool {
    matches!(kind, LogFailure | LacpTimeoutMismatch | Recovered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_chain_goes_round() {
        for cause in ORDER {
            for effect in effects(cause) {
                assert!(rank(cause) < rank(*effect), "{cause:?} → {effect:?}");
            }
        }
    }

    #[test]
    fn the_reference_incident_has_a_way_from_the_storm_to_the_fall() {
        for (cause, effect) in [(DuplicateStorm, TxBlackout), (TxBlackout, LacpdusNotArriving), (LacpdusNotArriving, BondDown)] {
            assert!(can_cause(cause, effect));
        }
        assert!(!can_cause(BondDown, CarrierLoss) && !can_cause(TxBlackout, DuplicateStorm));
    }
}
