use super::*;
use crate::link::OperState;
use crate::samples::Random;

/// The messages in a captured datagram; every one must be understood.
#[cfg(target_endian = "little")]
fn captured(datagram: &[u8]) -> Vec<LinkMessage> {
    decode(datagram).into_iter().map(|decoded| decoded.message.expect("the kernel's own message")).collect()
}

#[cfg(target_endian = "little")]
fn captured_link(datagram: &[u8]) -> LinkState {
    match captured(datagram).as_slice() {
        [LinkMessage::New(state)] => (**state).clone(),
        other => panic!("not one link: {other:?}"),
    }
}

#[cfg(target_endian = "little")]
mod on_captured_bytes {
    use super::*;
    use crate::link::{Aggregator, BondState, MiiStatus};

    #[test]
    fn a_veth_that_is_up_has_its_counters_and_its_kind() {
        let link = captured_link(include_bytes!("fixtures/veth-up.bin"));
        assert_eq!((link.ifindex, link.name.as_str(), link.mtu), (3, "e0", 1500));
        assert_eq!((link.admin_up, link.carrier, link.operstate), (true, true, OperState::Up));
        assert_eq!((link.carrier_up_count, link.carrier_down_count), (1, 1));
        assert_eq!((link.kind.as_deref(), link.lower, link.master), (Some("veth"), Some(2), None));
        assert_ne!(link.mac, [0; 6]);
        assert!(link.tx_queues > 0);
    }

    #[test]
    fn the_carrier_counters_count_every_flip() {
        let link = captured_link(include_bytes!("fixtures/veth-after-flaps.bin"));
        assert_eq!((link.carrier_up_count, link.carrier_down_count), (11, 11));
    }

    #[test]
    fn a_bridge_port_has_a_master_and_no_bond_attributes() {
        let link = captured_link(include_bytes!("fixtures/bridge-port.bin"));
        assert_eq!((link.master, link.slave, link.bond), (Some(4), None, None));
    }

    #[test]
    fn messages_of_the_bridge_say_nothing_of_the_link() {
        assert_eq!(captured(include_bytes!("fixtures/af-bridge-new.bin")), [LinkMessage::Other]);
        assert_eq!(captured(include_bytes!("fixtures/af-bridge-del.bin")), [LinkMessage::Other]);
    }

    #[test]
    fn a_deleted_link_is_told_by_its_index() {
        assert_eq!(captured(include_bytes!("fixtures/veth-del.bin")), [LinkMessage::Del { ifindex: 3 }]);
    }

    #[test]
    fn a_dump_holds_several_links_and_an_end() {
        let decoded = decode(include_bytes!("fixtures/dump.bin"));
        let names: Vec<_> = decoded
            .iter()
            .map(|decoded| match &decoded.message {
                Ok(LinkMessage::New(state)) => (decoded.sequence, decoded.interrupted, state.name.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names, [(7, false, "lo"), (7, false, "br0")]);
        assert_eq!(captured(include_bytes!("fixtures/dump-done.bin")), [LinkMessage::Done]);
    }

    #[test]
    fn a_bond_tells_of_its_mode_and_of_its_partner() {
        let link = captured_link(include_bytes!("fixtures/bond-802.3ad.bin"));
        let aggregator = Aggregator { id: 1, ports: 1, actor_key: 15, partner_key: 15, partner_mac: [2, 0, 0, 0, 2, 1] };
        let bond = BondState {
            mode: "802.3ad".to_owned(),
            miimon_ms: 100,
            min_links: 0,
            active_slave: None,
            primary: None,
            aggregator: Some(aggregator),
            lacp_fast: true,
        };
        assert_eq!((link.kind.as_deref(), link.bond, link.slave), (Some("bond"), Some(bond), None));
    }

    #[test]
    fn a_slave_tells_of_its_monitor_and_of_its_port_states() {
        let link = captured_link(include_bytes!("fixtures/bond-slave.bin"));
        let slave = link.slave.expect("a slave");
        assert_eq!(
            (link.master, slave.active, slave.mii, slave.permanent_mac),
            (Some(4), true, MiiStatus::Up, [2, 0, 0, 0, 1, 1])
        );
        assert_eq!((slave.actor_state, slave.partner_state), (Some(63), Some(15)));
        let down = captured_link(include_bytes!("fixtures/bond-slave-down.bin"));
        let slave = down.slave.expect("a slave still");
        assert_eq!((down.master, down.carrier, slave.mii, slave.link_failures), (Some(4), false, MiiStatus::Down, 1));
    }

    #[test]
    fn a_bond_that_is_down_has_no_active_aggregator() {
        let link = captured_link(include_bytes!("fixtures/bond-down.bin"));
        assert_eq!((link.admin_up, link.carrier, link.operstate), (true, false, OperState::Down));
        assert_eq!(link.bond.expect("a bond").aggregator, None);
    }

    #[test]
    fn no_cut_and_no_flipped_byte_makes_the_decoder_panic() {
        let mut random = Random(7);
        for datagram in [
            &include_bytes!("fixtures/dump.bin")[..],
            include_bytes!("fixtures/bridge-port.bin"),
            include_bytes!("fixtures/bond-802.3ad.bin"),
            include_bytes!("fixtures/bond-slave.bin"),
            include_bytes!("fixtures/veth-del.bin"),
        ] {
            for length in 0..datagram.len() {
                let cut = decode(&datagram[..length]);
                let whole = cut.len().saturating_sub(1);
                assert!(cut[..whole].iter().all(|decoded| decoded.message.is_ok()), "cut to {length} bytes");
            }
            for _ in 0..20_000 {
                let mut bytes = datagram.to_vec();
                for _ in 0..1 + random.below(4) {
                    let at = random.below(bytes.len());
                    bytes[at] = random.byte();
                }
                decode(&bytes);
            }
        }
    }
}

/// An attribute, padded.
pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).expect("a short value");
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(super) fn message_of(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 16).expect("a short message");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&[0; 10]);
    bytes.extend_from_slice(payload);
    bytes
}

/// `RTM_NEWLINK` of link 5 "eth5", up, with these attributes more.
fn link_with(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut payload = [0, 0, 1, 0].to_vec();
    payload.extend_from_slice(&5i32.to_ne_bytes());
    payload.extend_from_slice(&1u32.to_ne_bytes());
    payload.extend_from_slice(&[0; 4]);
    for attribute in [attribute(3, b"eth5\0"), attribute(16, &[6]), attribute(33, &[1])].iter().chain(attributes) {
        payload.extend_from_slice(attribute);
    }
    message_of(16, &payload)
}

fn only(datagram: &[u8]) -> Result<LinkMessage, DecodeError> {
    let mut decoded = decode(datagram);
    assert_eq!(decoded.len(), 1);
    decoded.remove(0).message
}

#[test]
fn a_wrong_length_is_an_error_that_names_its_place() {
    assert_eq!(only(&[1, 2, 3]), Err(DecodeError::Header { offset: 0, left: 3 }));
    let mut short = message_of(16, &[0; 16]);
    short[0..4].copy_from_slice(&12u32.to_ne_bytes());
    assert_eq!(only(&short), Err(DecodeError::Length { offset: 0, length: 12, left: 32 }));
    short[0..4].copy_from_slice(&u32::MAX.to_ne_bytes());
    assert_eq!(only(&short), Err(DecodeError::Length { offset: 0, length: 0xffff_ffff, left: 32 }));
}

#[test]
fn a_message_that_is_not_understood_does_not_hide_the_next() {
    let mut datagram = link_with(&[attribute(4, &[1, 2])]);
    datagram.extend_from_slice(&link_with(&[]));
    let decoded = decode(&datagram);
    assert_eq!(decoded[0].message, Err(DecodeError::Size { ifindex: 5, name: "IFLA_MTU", length: 2 }));
    assert!(matches!(&decoded[1].message, Ok(LinkMessage::New(state)) if state.name == "eth5"));
}

#[test]
fn an_attribute_longer_than_its_message_is_an_error() {
    let mut odd = attribute(99, &[0; 4]);
    odd[0] = 200;
    assert_eq!(only(&link_with(&[odd])), Err(DecodeError::Attribute { ifindex: 5, kind: 99, length: 200, left: 8 }));
}

#[test]
fn unknown_attributes_and_their_flag_bits_are_skipped() {
    let message = only(&link_with(&[attribute(999, &[1; 7]), attribute(18 | 0x8000, &attribute(1, b"veth"))]));
    assert!(matches!(message, Ok(LinkMessage::New(state)) if state.kind.as_deref() == Some("veth")));
}

#[test]
fn an_operstate_of_a_later_kernel_is_unknown_and_a_mac_of_another_length_is_none() {
    let message = only(&link_with(&[attribute(16, &[77]), attribute(1, &[9; 20])]));
    let Ok(LinkMessage::New(state)) = message else { panic!("{message:?}") };
    assert_eq!((state.operstate, state.mac), (OperState::Unknown, [0; 6]));
}

#[test]
fn a_lower_link_in_another_namespace_is_not_taken_for_one_of_ours() {
    let message = only(&link_with(&[attribute(5, &2u32.to_ne_bytes()), attribute(37, &0i32.to_ne_bytes())]));
    assert!(matches!(message, Ok(LinkMessage::New(state)) if state.lower.is_none()));
}

#[test]
fn a_wireless_event_is_not_taken_for_a_link_without_carrier() {
    let mut payload = [0, 0, 1, 0, 5, 0, 0, 0].to_vec();
    payload[4..8].copy_from_slice(&5i32.to_ne_bytes());
    payload.extend_from_slice(&[0; 8]);
    payload.extend_from_slice(&attribute(3, b"wlan0\0"));
    payload.extend_from_slice(&attribute(11, &[0; 16]));
    assert_eq!(only(&message_of(16, &payload)), Ok(LinkMessage::Other));
}

#[test]
fn a_link_message_without_an_index_is_an_error() {
    assert_eq!(only(&message_of(17, &[0; 16])), Err(DecodeError::Index(0)));
    assert_eq!(only(&message_of(16, &[0; 15])), Err(DecodeError::Short { kind: 16, length: 15 }));
}

#[test]
fn a_refused_dump_gives_its_error_number_and_an_acknowledgement_does_not() {
    assert_eq!(only(&message_of(2, &(-1i32).to_ne_bytes())), Ok(LinkMessage::Error(1)));
    assert_eq!(only(&message_of(3, &(-4i32).to_ne_bytes())), Ok(LinkMessage::Error(4)));
    assert_eq!(only(&message_of(2, &0i32.to_ne_bytes())), Ok(LinkMessage::Other));
    assert_eq!(only(&message_of(3, &0i32.to_ne_bytes())), Ok(LinkMessage::Done));
    assert_eq!(only(&message_of(4, &[])), Ok(LinkMessage::Overrun));
    assert_eq!(only(&message_of(16, &[])), Err(DecodeError::Short { kind: 16, length: 0 }));
}

#[test]
fn random_bytes_never_make_the_decoder_panic() {
    let mut random = Random(42);
    for _ in 0..50_000 {
        let bytes: Vec<u8> = (0..random.below(200)).map(|_| random.byte()).collect();
        decode(&bytes);
        decode(&link_with(&[attribute(18, &bytes)]));
        decode(&message_of(16, &bytes));
    }
}
