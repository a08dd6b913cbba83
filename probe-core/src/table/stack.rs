//! What lies on a link: VLANs, macvlans and the like, and bridges that it is a port of, however deep.

use std::collections::BTreeSet;

use crate::link::LinkState;

/// The links `order`, then all that lie on them, in that order.
pub fn stacked(links: &[&LinkState], mut order: Vec<u32>) -> Vec<u32> {
    let mut known: BTreeSet<u32> = order.iter().copied().collect();
    let mut next = 0;
    while let Some(below) = order.get(next).copied() {
        next += 1;
        let bridge = links.iter().find(|link| link.ifindex == below).and_then(|link| link.master);
        let above = links.iter().filter(|link| {
            // A veth's lower link is its other end.
            let on_it = link.lower == Some(below) && link.kind.as_deref() != Some("veth");
            on_it || Some(link.ifindex) == bridge && link.kind.as_deref() == Some("bridge")
        });
        let new: Vec<u32> = above.map(|link| link.ifindex).filter(|ifindex| known.insert(*ifindex)).collect();
        order.extend(new);
    }
    order
}
