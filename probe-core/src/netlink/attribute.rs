//! Netlink attributes: type, length, value, one after the other, padded to four bytes (`struct nlattr`).

use super::DecodeError;

/// Bits of an attribute's type that say how it is written, not what it is (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`).
const TYPE_MASK: u16 = 0x3fff;
const HEADER: usize = 4;

/// The attributes in some bytes. Ends after the first one whose length is wrong.
pub struct Attributes<'a> {
    ifindex: u32,
    rest: &'a [u8],
}

/// One attribute.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    /// The link that it is about.
    pub ifindex: u32,
    /// Type, without its flag bits.
    pub kind: u16,
    /// Value.
    pub value: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Of a message about link `ifindex`.
    pub fn new(ifindex: u32, bytes: &'a [u8]) -> Self {
        Self { ifindex, rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest;
        // Up to three bytes of padding can be left over.
        let [l0, l1, k0, k1, ..] = *rest else { return None };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let kind = u16::from_ne_bytes([k0, k1]) & TYPE_MASK;
        let ifindex = self.ifindex;
        let Some(value) = rest.get(HEADER..length) else {
            self.rest = &[];
            return Some(Err(DecodeError::Attribute { ifindex, kind, length, left: rest.len() }));
        };
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some(Ok(Attribute { ifindex, kind, value }))
    }
}

impl<'a> Attribute<'a> {
    /// The attributes within.
    pub fn nested(self) -> Attributes<'a> {
        Attributes::new(self.ifindex, self.value)
    }

    /// The value as one byte; `name` is for the error.
    pub fn u8(self, name: &'static str) -> Result<u8, DecodeError> {
        self.array(name).map(|[byte]| byte)
    }

    /// The value as a number of two bytes.
    pub fn u16(self, name: &'static str) -> Result<u16, DecodeError> {
        self.array(name).map(u16::from_ne_bytes)
    }

    /// The value as a number of four bytes.
    pub fn u32(self, name: &'static str) -> Result<u32, DecodeError> {
        self.array(name).map(u32::from_ne_bytes)
    }

    /// The value as a number of eight bytes.
    pub fn u64(self, name: &'static str) -> Result<u64, DecodeError> {
        self.array(name).map(u64::from_ne_bytes)
    }

    /// The value as a number of four bytes that is an interface; `None` for 0.
    pub fn ifindex(self, name: &'static str) -> Result<Option<u32>, DecodeError> {
        self.u32(name).map(|index| Some(index).filter(|index| *index != 0))
    }

    /// The value as text, up to its first zero byte. Interface names are bytes to the kernel: what is not UTF-8 is replaced.
    pub fn text(self) -> String {
        let text = self.value.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    /// The value as an Ethernet address; zeros when it is of another length, as InfiniBand's and a tunnel's are.
    pub fn mac(self) -> [u8; 6] {
        self.value.try_into().unwrap_or_default()
    }

    fn array<const N: usize>(self, name: &'static str) -> Result<[u8; N], DecodeError> {
        let Attribute { ifindex, value, .. } = self;
        value.try_into().map_err(|_| DecodeError::Size { ifindex, name, length: value.len() })
    }
}
