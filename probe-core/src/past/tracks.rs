//! Whose history it is. A link is the same as long as it is: a new name does not make it another one. One that is made anew under the
//! name of one that is gone goes on where that one ended, whatever its index.

use std::collections::BTreeMap;

use super::condition::Condition;
use crate::time::Mono;
use crate::timeline::LinkName;

/// Most tracks: more links and targets than that have no history, which is counted.
const MOST: usize = 8192;

/// A link or a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A link, as it is called now.
    Link(LinkName),
    /// A target, by its name.
    Target(String),
}

impl Subject {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Subject::Link(link) => &link.name,
            Subject::Target(name) => name,
        }
    }
}

/// What is known of a link or a target now.
#[derive(Clone, Debug)]
pub struct Track {
    /// Which.
    pub subject: Subject,
    /// Interface index of its bond when it was seen last; 0 where it had none.
    pub master: u32,
    /// Its condition, once that was told.
    pub condition: Option<Condition>,
    /// Its place among the columns of the open chapter.
    pub column: Option<usize>,
    /// Its changes in the open chapter.
    pub changes: u16,
    /// When it was seen last.
    pub seen: Mono,
}

/// All tracks, by number.
#[derive(Clone, Debug, Default)]
pub struct Tracks {
    tracks: BTreeMap<u16, Track>,
    /// Tracks of links, by index as it was seen last.
    links: BTreeMap<u32, u16>,
    next: u16,
}

impl Tracks {
    /// The track of a link; `None` when there are too many.
    pub fn link(&mut self, at: Mono, link: &LinkName) -> Option<(u16, &mut Track)> {
        let same = |track: &Track| matches!(&track.subject, Subject::Link(known) if known.name == link.name);
        let known = self.links.get(&link.ifindex).copied().filter(|number| self.tracks.get(number).is_some_and(same));
        let number = known.or_else(|| {
            // The one that was there last, where there are several.
            let named = self.tracks.iter().filter(|(_, track)| same(track)).max_by_key(|(_, track)| track.seen);
            let number = named.map(|(number, _)| *number).or_else(|| self.add(Subject::Link(link.clone())))?;
            self.links.retain(|_, known| *known != number);
            self.links.insert(link.ifindex, number);
            Some(number)
        })?;
        let track = self.tracks.get_mut(&number)?;
        track.seen = at;
        if let Subject::Link(known) = &mut track.subject {
            known.ifindex = link.ifindex;
        }
        Some((number, track))
    }

    /// The track of a target; `None` when there are too many.
    pub fn target(&mut self, at: Mono, name: &str) -> Option<(u16, &mut Track)> {
        let same = |track: &Track| matches!(&track.subject, Subject::Target(known) if known == name);
        let known = self.tracks.iter().find(|(_, track)| same(track)).map(|(number, _)| *number);
        let number = known.or_else(|| self.add(Subject::Target(name.to_owned())))?;
        let track = self.tracks.get_mut(&number)?;
        track.seen = at;
        Some((number, track))
    }

    /// A link has another name now.
    pub fn rename(&mut self, from: &str, link: &LinkName) {
        let Some(number) = self.links.get(&link.ifindex) else { return };
        if let Some(Track { subject: Subject::Link(known), .. }) = self.tracks.get_mut(number)
            && known.name == from
        {
            known.name.clone_from(&link.name);
        }
    }

    /// A link by its index, when it has a track.
    pub fn by_index(&mut self, ifindex: u32) -> Option<(u16, &mut Track)> {
        let number = *self.links.get(&ifindex)?;
        self.tracks.get_mut(&number).map(|track| (number, track))
    }

    /// All, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Track)> {
        self.tracks.iter().map(|(number, track)| (*number, track))
    }

    /// All, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u16, &mut Track)> {
        self.tracks.iter_mut().map(|(number, track)| (*number, track))
    }

    /// Forgets those that were seen last before `oldest`.
    pub fn forget(&mut self, oldest: Mono) {
        self.tracks.retain(|_, track| track.seen >= oldest);
        self.links.retain(|_, number| self.tracks.contains_key(number));
    }

    /// Bytes of memory, about.
    pub fn memory(&self) -> usize {
        self.tracks.len() * (size_of::<Track>() + 64)
    }

    fn add(&mut self, subject: Subject) -> Option<u16> {
        if self.tracks.len() >= MOST {
            return None;
        }
        // There are more numbers than tracks.
        while self.tracks.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let track = Track { subject, master: 0, condition: None, column: None, changes: 0, seen: Mono(0) };
        self.tracks.insert(number, track);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    fn name(ifindex: u32, name: &str) -> LinkName {
        LinkName { ifindex, name: name.to_owned() }
    }

    #[test]
    fn a_link_stays_the_same_through_renames_also_when_two_change_names() {
        let mut tracks = Tracks::default();
        let number = |tracks: &mut Tracks, link: &LinkName| tracks.link(at(1), link).map(|(number, _)| number);
        let (one, two) = (number(&mut tracks, &name(1, "eth1")), number(&mut tracks, &name(2, "eth2")));
        tracks.rename("eth1", &name(1, "tmp"));
        tracks.rename("eth2", &name(2, "eth1"));
        tracks.rename("tmp", &name(1, "eth2"));
        assert_eq!(number(&mut tracks, &name(1, "eth2")), one);
        assert_eq!(number(&mut tracks, &name(2, "eth1")), two);
    }

    #[test]
    fn a_link_that_is_made_anew_goes_on_and_another_one_under_its_old_index_does_not() {
        let mut tracks = Tracks::default();
        let number = |tracks: &mut Tracks, link: &LinkName| tracks.link(at(1), link).map(|(number, _)| number);
        let first = number(&mut tracks, &name(7, "bond0"));
        let other = number(&mut tracks, &name(7, "eth9"));
        assert_ne!(other, first, "index 7 was given to another link");
        assert_eq!(number(&mut tracks, &name(12, "bond0")), first);
        assert_eq!(tracks.by_index(12).map(|(number, _)| number), first);
        assert_eq!(tracks.by_index(7).map(|(number, _)| number), other);
    }

    #[test]
    fn tracks_are_bounded_and_those_that_nothing_tells_of_any_more_are_forgotten() {
        let mut tracks = Tracks::default();
        let added = (0..20_000).filter(|n| tracks.link(at(u64::from(*n)), &name(*n, &format!("v{n}"))).is_some()).count();
        assert_eq!(added, MOST);
        tracks.forget(at(8000));
        assert_eq!(tracks.iter().count(), MOST - 8000);
        assert!(tracks.target(at(9000), "10.0.0.1").is_some());
    }
}
