//! Records of `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg): `priority,sequence,microseconds,flags;text`, then lines of a dictionary.

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number of the record: one more than that of the record before.
    pub sequence: u64,
    /// When it was written, microseconds: [`super::Stamps`] knows what that says. `None` where it is no number.
    pub stamp_us: Option<u64>,
    /// Its text, the dictionary left out.
    pub text: String,
}

/// Reads a record; `None` for what is none. Bytes that the kernel wrote as `\x0a` stay as they are.
pub fn record(bytes: &[u8]) -> Option<Record> {
    let (prefix, rest) = bytes.split_at_checked(bytes.iter().position(|byte| *byte == b';')?)?;
    let mut fields = std::str::from_utf8(prefix).ok()?.split(',').skip(1);
    let sequence = fields.next()?.parse().ok()?;
    let stamp_us = fields.next().and_then(|stamp| stamp.parse().ok());
    let text = rest.get(1..)?.split(|byte| *byte == b'\n').next()?;
    Some(Record { sequence, stamp_us, text: super::lines::readable(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_a_number_a_stamp_and_a_text_without_its_dictionary() {
        let bytes = b"6,1234,5140900,-;e1000e: eth1 NIC Link is Down; really\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:19.0\n";
        let text = "e1000e: eth1 NIC Link is Down; really".to_owned();
        let expected = Record { sequence: 1234, stamp_us: Some(5_140_900), text };
        assert_eq!(record(bytes), Some(expected));
        let empty = |stamp_us| Some(Record { sequence: 7, stamp_us, text: String::new() });
        assert_eq!(record(b"6,7,1,-,caller=T1;\n"), empty(Some(1)));
        assert_eq!(record(b"6,7,-1,-;\n"), empty(None));
    }

    #[test]
    fn what_is_no_record_is_none() {
        for bytes in [&b""[..], b";", b"6;x", b"6,x,1,-;x", b"6,7,1,-", b"\xff,7;x"] {
            assert_eq!(record(bytes), None, "{bytes:?}");
        }
    }
}
