//! The first look: how each file begins, which links it has packets of, and who talks on them.

use std::sync::atomic::Ordering;

use probe_core::dump::{Frame, Head, Interface, LinkType, Unreadable};
use probe_core::replay::{Links, Scout};

use super::args::Named;
use super::clock::beginning;
use super::input::{BUFFER, Input};
use super::interrupt::Interrupt;
use super::merge::Source;
use super::open::Position;

/// Unpacked bytes of each file that are looked at, at most.
const LOOK: u64 = 256 << 20;
/// Packets after which it is asked whether that is enough.
const STEP: u64 = 1024;
/// First stamps by which it is told when a file begins.
const STAMPS: usize = 3;
/// Most links of one file; what passes further ones is taken for the file's own link.
const MOST_LINKS: usize = 1024;

/// Bytes that are read of these files at most, as they are on the disk.
pub fn share(files: &[Named]) -> u64 {
    files.iter().map(share_of).sum()
}

fn share_of(file: &Named) -> u64 {
    // A packed file is hardly larger than what is in it.
    file.size().min(LOOK)
}

/// Looks into every file; `position` is moved on to what [`share`] says of all of them. Returns those that can be read, what was found, and why others cannot.
pub fn look(files: Vec<Named>, position: &Position, interrupt: &Interrupt) -> (Vec<Source>, Scout, Vec<String>) {
    let (mut sources, mut scout, mut problems) = (Vec::new(), Scout::default(), Vec::new());
    let mut done = 0;
    for file in files {
        done += share_of(&file);
        let looked = look_into(file, &mut scout, position, interrupt);
        // Most often a part of it is enough.
        position.store(done, Ordering::Relaxed);
        match looked {
            Ok(source) => sources.push(source),
            Err(problem) => problems.push(problem),
        }
    }
    (sources, scout, problems)
}

fn look_into(file: Named, scout: &mut Scout, position: &Position, interrupt: &Interrupt) -> Result<Source, String> {
    let input = Input::open(&file.path, position, BUFFER);
    let mut input = input.map_err(|error| format!("{}: {error}", file.path.display()))?;
    let mut names = Names::new(&file);
    let mut room = Vec::new();
    let (mut stamps, mut count) = (Vec::new(), 0u64);
    while let Some(head) = input.next_packet() {
        stamps.extend(head.at_ns.filter(|_| stamps.len() < STAMPS));
        if let Ok((link, frame)) = names.frame(input.interfaces(), &head, input.bytes(&head), &mut room, scout) {
            scout.packet(link, frame.bytes, frame.direction);
        }
        count += 1;
        let looks = count % STEP == 0;
        if looks && (input.offset() >= LOOK || interrupt.is_asked() || names.are_settled(scout)) {
            break;
        }
    }
    match input.problem() {
        // A file that is no capture at all; one that is damaged further on is read as far as that.
        Some(problem) if input.format().is_none() => Err(format!("{}: {problem}", file.path.display())),
        _ => Ok(Source::new(file, names, beginning(&stamps))),
    }
}

/// The links of one file: which of them a packet passed.
#[derive(Clone, Debug)]
pub struct Names {
    /// As the user says, or else as the file is called.
    name: String,
    said: bool,
    /// Interface in the file, index that the kernel told, link.
    known: Vec<(u32, u32, usize)>,
}

impl Names {
    fn new(file: &Named) -> Self {
        let name = file.name.clone().unwrap_or_else(|| file.stem());
        Self { name, said: file.name.is_some(), known: Vec::new() }
    }

    fn are_settled(&self, scout: &Scout) -> bool {
        !self.known.is_empty() && self.known.iter().all(|(.., link)| scout.is_settled(*link))
    }

    /// A packet as a frame with its link.
    ///
    /// # Errors
    /// For one that has no link type that is read, or is too short for it.
    #[inline]
    pub fn frame<'a>(
        &mut self,
        interfaces: &[Interface],
        head: &Head,
        bytes: &'a [u8],
        room: &'a mut Vec<u8>,
        links: &mut impl Links,
    ) -> Result<(usize, Frame<'a>), Unreadable> {
        let link_type = interfaces.get(head.interface as usize).map_or(LinkType::ETHERNET, |of| of.link_type);
        let frame = link_type.frame(bytes, head.length, room)?;
        let ifindex = if frame.ifindex == 0 { head.ifindex } else { frame.ifindex };
        let known = self.known.iter().find(|known| (known.0, known.1) == (head.interface, ifindex)).map(|(.., link)| *link);
        let link = known.unwrap_or_else(|| self.add(interfaces, head.interface, ifindex, links));
        Ok((link, Frame { direction: frame.direction.or(head.direction), ..frame }))
    }

    fn add(&mut self, interfaces: &[Interface], interface: u32, ifindex: u32, links: &mut impl Links) -> usize {
        let described = interfaces.get(interface as usize);
        let own = described.map(|of| of.name.as_str()).filter(|name| !self.said && !matches!(*name, "" | "-"));
        let name = own.unwrap_or(&self.name);
        let mac = described.map_or([0; 6], |of| of.mac);
        if self.known.len() >= MOST_LINKS {
            return links.link(&self.name, [0; 6]);
        }
        let link = match ifindex {
            0 => links.link(name, mac),
            // One file of many interfaces, whose names nobody wrote down: `tcpdump -i any`.
            number => links.link(&format!("{name}:{number}"), mac),
        };
        self.known.push((interface, ifindex, link));
        link
    }
}
