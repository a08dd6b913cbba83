use super::*;
use crate::samples::{lacpdu, port};

#[test]
fn a_whole_lacpdu_is_read_as_it_was_written() {
    let (actor, partner) = (port(1, 2, 0x3f), port(7, 0x1234, 0x85));
    let frame = lacpdu(actor, partner);
    assert_eq!(frame.len(), 124);
    assert_eq!(Lacpdu::decode(&frame), Ok(Lacpdu { actor, partner }));
    assert_eq!(Lacpdu::decode(&frame[..56]), Ok(Lacpdu { actor, partner }), "what comes behind the two ports is not needed");
}

#[test]
fn one_that_is_cut_anywhere_or_has_any_byte_changed_is_read_or_refused() {
    let frame = lacpdu(port(1, 1, 0x3f), port(2, 1, 0x3f));
    for length in 0..56 {
        assert!(Lacpdu::decode(&frame[..length]).is_err(), "{length} bytes");
    }
    for place in 0..frame.len() {
        for value in 0..=255 {
            let mut changed = frame.clone();
            changed[place] = value;
            let read = Lacpdu::decode(&changed);
            let matters = matches!(place, 12..=14 | 16 | 17 | 36 | 37);
            assert_eq!(read.is_err(), matters && value != frame[place], "byte {place} is {value}");
        }
    }
}
