//! Every link of this network namespace, as it is now.

use std::io;

use probe_core::link::LinkState;
use probe_core::netlink::{DecodeError, LinkMessage, decode};

use super::dump_links;

/// A dump that links changed under is asked for again so many times; what comes last is taken as it is.
const TRIES: usize = 5;

/// A dump of all links.
#[derive(Debug, Default)]
pub struct Links {
    /// Those that could be understood.
    pub links: Vec<LinkState>,
    /// What could not.
    pub undecodable: Vec<DecodeError>,
}

/// Asks for every link.
///
/// # Errors
/// When the kernel refuses or does not answer.
pub fn links() -> io::Result<Links> {
    for _ in 1..TRIES {
        let (links, interrupted) = once()?;
        if !interrupted {
            return Ok(links);
        }
    }
    Ok(once()?.0)
}

fn once() -> io::Result<(Links, bool)> {
    let mut found = Links::default();
    let mut interrupted = false;
    for decoded in dump_links()?.iter().flat_map(|datagram| decode(datagram)) {
        interrupted |= decoded.interrupted;
        match decoded.message {
            Ok(LinkMessage::New(link)) => found.links.push(*link),
            Ok(LinkMessage::Error(errno)) => return Err(io::Error::from_raw_os_error(errno)),
            Ok(LinkMessage::Overrun) => interrupted = true,
            Ok(LinkMessage::Del { .. } | LinkMessage::Stats { .. } | LinkMessage::Done | LinkMessage::Other) => {}
            Err(error) => found.undecodable.push(error),
        }
    }
    Ok((found, interrupted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_among_the_links() {
        let found = links().expect("rtnetlink answers");
        assert_eq!(found.undecodable, []);
        assert!(found.links.iter().any(|link| link.name == "lo" && link.ifindex == 1));
    }
}
