//! Loads programs and maps, and keeps them.

use std::os::fd::AsFd as _;

use aya::{
    Ebpf,
    maps::{Array, Map, MapData, PerCpuArray, PerCpuValues},
};
use aya_log::EbpfLogger;
use probe_common::{
    ABI_VERSION,
    counters::{Losses, TapCounters},
    names::map,
    recorder::{Layout, lane},
    repeat::{KEEP, Repeat},
    tap::{TapInfo, TapSlot},
};

use super::{
    KernelConfig, KernelError,
    attach::Attached,
    carrier::{Carrier, Offsets},
    config::Division,
    cpus,
    drops::Drops,
    object::{self, ring, take},
    pin::{self, Pins},
    pod::Value,
    recorder::Recorder,
    repeats::RepeatTables,
    rings::{Events, Filled, Samples},
    table::TapTable,
};

/// Reads what the programs log.
pub type Diagnostics = EbpfLogger<&'static dyn log::Log>;

/// The loaded programs and their maps. All of it ends with this value, but for what is pinned: [`Kernel::shutdown`] ends that too.
pub struct Kernel {
    pub(super) config: KernelConfig,
    pub(super) ebpf: Ebpf,
    pub(super) slots: Array<MapData, Value<TapSlot>>,
    pub(super) info: Array<MapData, Value<TapInfo>>,
    pub(super) counters: PerCpuArray<MapData, Value<TapCounters>>,
    pub(super) losses: PerCpuArray<MapData, Value<Losses>>,
    pub(super) recorder: Recorder,
    repeats: RepeatTables,
    pub(super) table: TapTable,
    pub(super) attached: Vec<Attached>,
    pub(super) pins: Option<Pins>,
    carrier: Carrier,
    /// What the kernel drops of the watched interfaces.
    pub drops: Drops,
    pub(super) notes: Vec<String>,
    events: Option<Events>,
    samples: Option<Samples>,
    diagnostics: Option<Diagnostics>,
}

impl Kernel {
    /// Loads everything; attaches nothing but to the carrier functions.
    ///
    /// What an earlier agent left pinned is taken over when it fits; [`Kernel::notes`] says so, or why not.
    ///
    /// # Errors
    /// What is wrong with the configuration, or what the kernel refused, with the feature or capability that is missing.
    pub fn load(mut config: KernelConfig) -> Result<Self, KernelError> {
        config.check()?;
        let division = Division::of(config.memory_bytes, cpus::present())?;
        let mut notes = Vec::new();
        let pins = pin::prepare(&mut config, division, &mut notes)?;
        let mut carrier = Carrier::find();
        let mut drops = Drops::find();
        let mut ebpf = object::load(&config, division, &carrier, &drops)?;
        object::load_programs(&mut ebpf)?;
        carrier.attach(&mut ebpf);
        drops.attach(&mut ebpf, carrier.offsets != Offsets::default());
        let filled = Filled::new(ring(&mut ebpf, map::FILLED)?);
        let recorder = match take(&mut ebpf, map::RECORDER)? {
            Map::Array(data) => filled.and_then(|filled| Recorder::map(data.fd().as_fd(), division, filled)),
            _ => Err(std::io::ErrorKind::InvalidData.into()),
        };
        let recorder = recorder.map_err(|error| KernelError::Map { map: map::RECORDER, source: error.into() })?;
        let repeats = match take(&mut ebpf, map::REPEATS)? {
            Map::Array(data) => RepeatTables::map(data.fd().as_fd(), division.cpus),
            _ => Err(std::io::ErrorKind::InvalidData.into()),
        };
        let repeats = repeats.map_err(|error| KernelError::Map { map: map::REPEATS, source: error.into() })?;
        let mut layout: Array<MapData, Value<Layout>> =
            take(&mut ebpf, map::LAYOUT)?.try_into().map_err(KernelError::map(map::LAYOUT))?;
        layout.set(0, Value(layout_of(division)), 0).map_err(KernelError::map(map::LAYOUT))?;
        let diagnostics = config.log.then(|| EbpfLogger::init(&mut ebpf)).transpose();
        let diagnostics = diagnostics.map_err(|error| KernelError::Load { hint: String::new(), source: error.into() })?;
        let mut kernel = Self {
            slots: take(&mut ebpf, map::TAPS)?.try_into().map_err(KernelError::map(map::TAPS))?,
            info: take(&mut ebpf, map::TAP_INFO)?.try_into().map_err(KernelError::map(map::TAP_INFO))?,
            counters: take(&mut ebpf, map::COUNTERS)?.try_into().map_err(KernelError::map(map::COUNTERS))?,
            losses: take(&mut ebpf, map::LOSSES)?.try_into().map_err(KernelError::map(map::LOSSES))?,
            recorder,
            repeats,
            table: TapTable::new(),
            attached: Vec::new(),
            pins,
            carrier,
            drops,
            notes,
            events: Some(Events::new(ring(&mut ebpf, map::EVENTS)?)),
            samples: Some(Samples::new(ring(&mut ebpf, map::SAMPLES)?)),
            diagnostics,
            config,
            ebpf,
        };
        kernel.adopt()?;
        give_back_heap();
        Ok(kernel)
    }

    /// A handle to the recorder, for another thread.
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// What was counted of each frame that came more often than is recorded one by one; by each CPU for itself.
    pub fn repeats(&self) -> Vec<Repeat> {
        self.repeats.read(u64::from(KEEP) + 1)
    }

    /// Copies that were recorded because there was no place to count them.
    pub fn repeats_untracked(&self) -> u64 {
        self.repeats.untracked()
    }

    /// Carrier edges, and frames that cannot wait; `None` when they were taken before.
    pub fn take_events(&mut self) -> Option<Events> {
        self.events.take()
    }

    /// The samples; `None` when they were taken before.
    pub fn take_samples(&mut self) -> Option<Samples> {
        self.samples.take()
    }

    /// The programs' own diagnostics: its descriptor becomes readable, and `flush` hands them to the `log` crate. `None` when they are
    /// off, or were taken before.
    pub fn take_diagnostics(&mut self) -> Option<Diagnostics> {
        self.diagnostics.take()
    }

    /// Whether carrier edges come, or why not, in words.
    pub fn carrier_edges(&self) -> Result<(), &str> {
        self.carrier.state()
    }

    /// What did not go as it should but does not keep us from working, in words.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Tap ids and what they are: those that are there, and those that the recorder may still hold frames of.
    pub fn described_taps(&self) -> impl Iterator<Item = (u16, TapInfo)> {
        self.table.described()
    }

    /// What the tap with this id is, or was.
    pub fn described_tap(&self, id: u16) -> Option<TapInfo> {
        self.table.get(id)
    }

    /// Counters of every tap that [`Self::described_taps`] names, summed over CPUs.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn counters(&self) -> Result<Vec<(u16, TapCounters)>, KernelError> {
        self.described_taps().map(|(id, _)| Ok((id, self.counters_of(id)?))).collect()
    }

    /// Counters of one tap id, summed over CPUs; `sample_skip` is 0.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn counters_of(&self, tap: u16) -> Result<TapCounters, KernelError> {
        let per_cpu = self.counters.get(&u32::from(tap), 0).map_err(KernelError::map(map::COUNTERS))?;
        let mut sum = TapCounters::ZERO;
        for Value(counters) in per_cpu.iter() {
            sum.add(counters);
        }
        Ok(sum)
    }

    pub(super) fn zero_counters(&mut self, tap: u16) -> Result<(), KernelError> {
        let failed = || KernelError::map(map::COUNTERS);
        let cpus = aya::util::nr_cpus().map_err(|(_, error)| KernelError::Map { map: map::COUNTERS, source: error.into() })?;
        let zeros = PerCpuValues::try_from(vec![Value(TapCounters::ZERO); cpus])
            .map_err(|error| KernelError::Map { map: map::COUNTERS, source: error.into() })?;
        self.counters.set(u32::from(tap), zeros, 0).map_err(failed())
    }

    /// Losses that no tap can be blamed for, summed over CPUs.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn losses(&self) -> Result<Losses, KernelError> {
        let per_cpu = self.losses.get(&0, 0).map_err(KernelError::map(map::LOSSES))?;
        Ok(per_cpu.iter().fold(Losses::default(), |sum, Value(losses)| Losses {
            events_lost: sum.events_lost + losses.events_lost,
            unwatched: sum.unwatched + losses.unwatched,
            drops_uncounted: sum.drops_uncounted + losses.drops_uncounted,
        }))
    }
}

pub(super) const fn layout_of(division: Division) -> Layout {
    Layout {
        abi_version: ABI_VERSION,
        cpus: division.cpus,
        blocks_control: division.blocks[lane::CONTROL],
        blocks_bulk: division.blocks[lane::BULK],
    }
}

/// One heap for all threads, which is only to be called before there are any: glibc gives each thread one of its own, and of those what is
/// free at their ends is never given back. Few threads allocate, and seldom at the same time.
pub fn one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it only sets a number that the allocator reads.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives free memory back. Loading takes tens of megabytes for a moment, the kernel's type information most of them; glibc would keep
/// them.
pub fn give_back_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it only returns free memory to the system.
    unsafe {
        libc::malloc_trim(0);
    }
}
