//! A LACPDU's bytes (IEEE 802.1AX-2014, 6.4.2).

use serde::Serialize;

use super::PortState;
use crate::link;

/// One end of a link, as a LACPDU describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PortInfo {
    /// Priority of the system.
    pub system_priority: u16,
    /// The system.
    #[serde(serialize_with = "link::serialize_mac")]
    pub system: [u8; 6],
    /// Operational key: ports with the same one may be one aggregate.
    pub key: u16,
    /// Priority of the port.
    pub port_priority: u16,
    /// Number of the port.
    pub port: u16,
    /// Its state.
    pub state: PortState,
}

/// A LACPDU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lacpdu {
    /// Who sent it.
    pub actor: PortInfo,
    /// What the sender knows of the other end.
    pub partner: PortInfo,
}

/// A frame that is no LACPDU, or a broken one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PduError {
    /// Neither slow protocols' ethertype nor subtype 1.
    #[error("not a LACPDU")]
    Other,
    /// It ends too early.
    #[error("LACPDU of {length} bytes: {wanted} are wanted")]
    Short {
        /// Bytes that are there, from the destination address on.
        length: usize,
        /// Bytes that there should be at least.
        wanted: usize,
    },
    /// A TLV has another type or length than its place wants.
    #[error("LACPDU, byte {at}: TLV of type {kind} and length {length}")]
    Tlv {
        /// Where, from the destination address on.
        at: usize,
        /// Its type.
        kind: u8,
        /// Its length.
        length: u8,
    },
}

/// Where the actor's TLV begins: addresses, ethertype, subtype, version.
const ACTOR: usize = 16;
/// Bytes of a TLV of a port.
const TLV: usize = 20;

impl Lacpdu {
    /// Reads a frame, from its destination address on.
    ///
    /// # Errors
    /// See [`PduError`].
    pub fn decode(frame: &[u8]) -> Result<Self, PduError> {
        if frame.get(12..15) != Some(&[0x88, 0x09, 1]) {
            return Err(PduError::Other);
        }
        let port = |at: usize, kind: u8| {
            let short = PduError::Short { length: frame.len(), wanted: ACTOR + 2 * TLV };
            let tlv: &[u8; TLV] = frame.get(at..).and_then(<[u8]>::first_chunk).ok_or(short)?;
            if (tlv[0], usize::from(tlv[1])) != (kind, TLV) {
                return Err(PduError::Tlv { at, kind: tlv[0], length: tlv[1] });
            }
            let u16_at = |i: usize| u16::from_be_bytes([tlv[i], tlv[i + 1]]);
            Ok(PortInfo {
                system_priority: u16_at(2),
                system: [tlv[4], tlv[5], tlv[6], tlv[7], tlv[8], tlv[9]],
                key: u16_at(10),
                port_priority: u16_at(12),
                port: u16_at(14),
                state: PortState(tlv[16]),
            })
        };
        Ok(Self { actor: port(ACTOR, 1)?, partner: port(ACTOR + TLV, 2)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lacpdu_or_cut_short_is_told_with_its_place() {
        assert_eq!(Lacpdu::decode(&[0; 60]), Err(PduError::Other));
        let mut frame = vec![0; 124];
        frame[12..16].copy_from_slice(&[0x88, 0x09, 1, 1]);
        assert_eq!(Lacpdu::decode(&frame), Err(PduError::Tlv { at: 16, kind: 0, length: 0 }));
        assert_eq!(Lacpdu::decode(&frame[..20]), Err(PduError::Short { length: 20, wanted: 56 }));
        frame[16..18].copy_from_slice(&[1, 20]);
        frame[36..38].copy_from_slice(&[2, 20]);
        frame[32] = 0x45;
        let pdu = Lacpdu::decode(&frame).expect("a LACPDU");
        assert_eq!(pdu.actor.state.to_string(), "activity, aggregation, defaulted");
        assert_eq!(pdu.partner, PortInfo::default());
    }
}
