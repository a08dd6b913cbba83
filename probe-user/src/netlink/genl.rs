//! Generic netlink: a family by its name, and one question to it.

use netlink_sys::protocols::NETLINK_GENERIC;

use super::request::{self, Ask};

const GENL_ID_CTRL: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const GENLMSGHDR: usize = 4;

/// The attributes of the first answer to a command of a family with one attribute; `None` where the kernel has no such family, or refuses.
pub fn ask(family: &str, command: u8, attribute: u16, value: &[u8]) -> Option<Vec<u8>> {
    let name = [family.as_bytes(), &[0]].concat();
    let control = exchange(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, &name)?;
    let family = request::u16_at(request::find(&control, CTRL_ATTR_FAMILY_ID)?, 0)?;
    exchange(family, command, attribute, value)
}

fn exchange(family: u16, command: u8, attribute: u16, value: &[u8]) -> Option<Vec<u8>> {
    let mut payload = vec![command, 1, 0, 0];
    request::put(&mut payload, attribute, value);
    let answers = request::request(NETLINK_GENERIC, family, &Ask::One, &payload).ok()?;
    Some(answers.first()?.get(GENLMSGHDR..)?.to_vec())
}
