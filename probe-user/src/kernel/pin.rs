//! Maps and links pinned on a bpffs: a killed agent leaves them, and the next one takes them over.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use aya::{
    maps::{Array, Map, MapData, MapError},
    programs::{
        SchedClassifier, Xdp,
        links::{FdLink, PinnedLink},
        tc::SchedClassifierLink,
        xdp::XdpLink,
    },
};
use probe_common::{names::map, recorder::Layout};

use super::{
    KernelConfig, KernelError,
    config::Division,
    hook::Hook,
    load::layout_of,
    lock::{Lock, netns_inode},
    pod::Value,
};

/// Maps that are pinned: all that history and the programs of an earlier agent need.
pub const MAPS: [&str; 7] = [map::TAPS, map::TAP_INFO, map::LAYOUT, map::COUNTERS, map::LOSSES, map::LANES, map::RECORDER];

/// `BPF_FS_MAGIC` (linux/magic.h).
const BPF_FS_MAGIC: u64 = 0xcafe_4a11;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The pin directory, while it is ours.
pub(super) struct Pins {
    dir: PathBuf,
    netns: u64,
    /// The maps are an earlier agent's.
    pub(super) adopted: bool,
    /// Links of an earlier agent that no tap has taken over yet, by file name.
    old: Vec<String>,
    _lock: Lock,
}

/// Which link a pin is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which {
    pub(super) ifindex: u32,
    pub(super) direction: u8,
    pub(super) hook: Hook,
}

/// What holds a program at its hook.
pub(super) enum HeldLink {
    Link(FdLink),
    Pinned(PinnedLink),
    /// On clsact: a filter.
    Filter(SchedClassifierLink),
}

/// Looks at the pin directory. Sets `config.pin` to `None` when nothing can be pinned there.
pub(super) fn prepare(
    config: &mut KernelConfig,
    division: Division,
    notes: &mut Vec<String>,
) -> Result<Option<Pins>, KernelError> {
    let Some(dir) = config.pin.clone() else { return Ok(None) };
    if !on_bpffs(&dir) {
        notes.push(format!("{} is not on a bpffs: nothing is pinned, so a killed agent loses its history", dir.display()));
        config.pin = None;
        return Ok(None);
    }
    let failed = |source| KernelError::File { path: dir.clone(), source };
    match fs::create_dir_all(&dir) {
        // Many systems let only root into their bpffs: no reason not to record.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            notes.push(format!("{}: {error}: nothing is pinned, so a killed agent loses its history", dir.display()));
            config.pin = None;
            return Ok(None);
        }
        made => made.map_err(failed)?,
    }
    let lock = Lock::directory(&dir)?;
    let names: Vec<String> =
        fs::read_dir(&dir).map_err(failed)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let mut pins = Pins { dir: dir.clone(), netns: netns_inode()?, adopted: false, old: Vec::new(), _lock: lock };
    if names.is_empty() {
        return Ok(Some(pins));
    }
    match fits(&dir, &names, division) {
        Ok(()) => {
            pins.adopted = true;
            pins.old = names.into_iter().filter(|name| name.starts_with("link-")).collect();
        }
        Err(why) => {
            notes.push(format!(
                "what an earlier agent left in {} cannot be taken over ({why}): its history is dropped",
                dir.display()
            ));
            for name in names {
                fs::remove_file(dir.join(name)).map_err(failed)?;
            }
        }
    }
    Ok(Some(pins))
}

/// Whether maps of an earlier agent are as ours would be; why not, otherwise.
fn fits(dir: &Path, names: &[String], division: Division) -> Result<(), String> {
    if let Some(missing) = MAPS.iter().find(|name| !names.iter().any(|there| there == *name)) {
        return Err(format!("map {missing} is missing"));
    }
    let data = MapData::from_pin(dir.join(map::LAYOUT)).map_err(|error| error.to_string())?;
    let layout: Array<_, Value<Layout>> = Map::Array(data).try_into().map_err(|error| match error {
        MapError::InvalidValueSize { size: ours, expected: theirs } => {
            format!("its layout has {theirs} bytes, ours {ours}: it is of another version")
        }
        other => other.to_string(),
    })?;
    let Value(theirs) = layout.get(&0, 0).map_err(|error| error.to_string())?;
    let ours = layout_of(division);
    if theirs.abi_version != ours.abi_version {
        return Err(format!("its maps are of version {}, ours of {}", theirs.abi_version, ours.abi_version));
    }
    if theirs != ours {
        return Err(format!(
            "it has {} CPUs with {} and {} blocks, we want {} with {} and {}",
            theirs.cpus, theirs.blocks_control, theirs.blocks_bulk, ours.cpus, ours.blocks_control, ours.blocks_bulk
        ));
    }
    Ok(())
}

/// True when `dir`, or what of it exists, is on a bpffs.
pub fn on_bpffs(dir: &Path) -> bool {
    let existing = dir.ancestors().find(|path| path.exists());
    existing
        .and_then(|path| rustix::fs::statfs(path).ok())
        .is_some_and(|stat| u64::try_from(stat.f_type).is_ok_and(|magic| magic & 0xffff_ffff == BPF_FS_MAGIC))
}

impl Pins {
    fn file(&self, which: Which) -> String {
        format!("link-{}-{}-{}-{}", self.netns, which.ifindex, which.direction, which.hook.name())
    }

    /// True when an earlier agent's link holds this hook.
    pub(super) fn has(&self, which: Which) -> bool {
        self.old.contains(&self.file(which))
    }

    /// Takes an earlier agent's link to this hook; one of the same interface and direction at another hook is detached.
    pub(super) fn take(&mut self, which: Which) -> Option<PathBuf> {
        let wanted = self.file(which);
        let prefix = format!("link-{}-{}-{}-", self.netns, which.ifindex, which.direction);
        let (mine, others) = std::mem::take(&mut self.old).into_iter().partition(|name| name.starts_with(&prefix));
        self.old = others;
        let mut found = None;
        for name in mine {
            let path = self.dir.join(&name);
            if name == wanted {
                found = Some(path);
            } else {
                let _ = fs::remove_file(path);
            }
        }
        found
    }

    /// Detaches what no tap has taken over. Returns how many links that were.
    pub(super) fn drop_old(&mut self) -> usize {
        let old = std::mem::take(&mut self.old);
        // What is gone already needs no removal.
        old.iter().for_each(|name| drop(fs::remove_file(self.dir.join(name))));
        old.len()
    }

    /// Unpins everything.
    pub(super) fn remove(self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.for_each(|entry| drop(fs::remove_file(entry.path())));
        let _ = fs::remove_dir(&self.dir);
        // The directory of all agents' pins goes with the last of them.
        let _ = self.dir.parent().map(fs::remove_dir);
    }
}

impl HeldLink {
    /// Holds a new link, pinned where pins are.
    pub(super) fn hold(link: FdLink, pins: Option<&Pins>, which: Which) -> Result<Self, BoxError> {
        let Some(pins) = pins else { return Ok(Self::Link(link)) };
        let path = pins.dir.join(pins.file(which));
        // A link of an interface that has vanished may have left its pin.
        let _ = fs::remove_file(&path);
        Ok(Self::Pinned(link.pin(&path)?))
    }

    /// Puts our program in the place of an earlier agent's, without a gap. `None`, and the pin gone, when its interface has vanished.
    pub(super) fn replace_xdp(pin: &Path, xdp: &mut Xdp) -> Option<Self> {
        let replaced = (|| -> Result<Self, BoxError> {
            let link = XdpLink::try_from(FdLink::from(PinnedLink::from_pin(pin)?))?;
            let id = xdp.attach_to_link(link)?;
            // The pin holds it; a second descriptor of it is not needed.
            drop(FdLink::try_from(xdp.take_link(id)?)?);
            Ok(Self::Pinned(PinnedLink::from_pin(pin)?))
        })();
        Self::or_unpin(replaced, pin)
    }

    /// As [`Self::replace_xdp`], for tcx.
    pub(super) fn replace_tc(pin: &Path, classifier: &mut SchedClassifier) -> Option<Self> {
        let replaced = (|| -> Result<Self, BoxError> {
            let link = SchedClassifierLink::try_from(FdLink::from(PinnedLink::from_pin(pin)?))?;
            let id = classifier.attach_to_link(link)?;
            drop(FdLink::try_from(classifier.take_link(id)?)?);
            Ok(Self::Pinned(PinnedLink::from_pin(pin)?))
        })();
        Self::or_unpin(replaced, pin)
    }

    fn or_unpin(replaced: Result<Self, BoxError>, pin: &Path) -> Option<Self> {
        if replaced.is_err() {
            let _ = fs::remove_file(pin);
        }
        replaced.ok()
    }

    /// Takes the program off. An interface that has vanished has done so itself.
    pub(super) fn detach(self) {
        match self {
            Self::Link(link) => drop(link),
            Self::Pinned(pinned) => drop(pinned.unpin()),
            Self::Filter(filter) => drop(filter),
        }
    }
}
