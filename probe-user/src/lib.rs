//! Linkprobe's agent: loader, netlink, rings, files.
