//! Carrier edges from the kernel itself, where it allows tracing programs.

use aya::{
    Btf, Ebpf,
    programs::{FEntry, ProgramError},
};
use probe_common::names::program;

use super::{KernelConfig, btf::Types, config::Division, drops::Drops, lock, object};

/// Where the fields are that the programs read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// `net_device.ifindex`
    pub ifindex: u32,
    /// `net_device.state`
    pub state: u32,
    /// `net_device.nd_net`
    pub net: u32,
    /// `net.ns.inum`
    pub net_inum: u32,
}

/// The carrier programs.
pub struct Carrier {
    pub(super) offsets: Offsets,
    /// Inode of our network namespace.
    pub(super) netns: u32,
    state: Result<(), String>,
}

impl Carrier {
    /// Finds the offsets.
    pub fn find() -> Self {
        let found = Types::of_kernel().and_then(|types| offsets(&types));
        let netns = lock::netns_inode().ok().and_then(|inode| u32::try_from(inode).ok()).unwrap_or(0);
        let (offsets, state) = match found {
            Ok(offsets) => (offsets, Err("not attached".into())),
            Err(why) => (Offsets::default(), Err(why)),
        };
        Self { offsets, netns, state }
    }

    /// Loads and attaches the programs; keeps the reason when that does not work.
    pub fn attach(&mut self, ebpf: &mut Ebpf) {
        if self.offsets == Offsets::default() {
            return;
        }
        self.state = try_attach(ebpf);
    }

    /// Whether edges come, or why not.
    pub fn state(&self) -> Result<(), &str> {
        match &self.state {
            Ok(()) => Ok(()),
            Err(why) => Err(why),
        }
    }
}

fn offsets(types: &Types) -> Result<Offsets, String> {
    let field = |structure: &str, path: &[&str]| {
        types.offset(structure, path).ok_or_else(|| format!("the kernel's BTF has no {structure}.{}", path.join(".")))
    };
    Ok(Offsets {
        ifindex: field("net_device", &["ifindex"])?,
        state: field("net_device", &["state"])?,
        net: field("net_device", &["nd_net"])?,
        net_inum: field("net", &["ns", "inum"])?,
    })
}

/// Whether the kernel lets us trace `netif_carrier_on`, by trying; why not, otherwise.
pub(super) fn try_tracing() -> Result<(), String> {
    let mut carrier = Carrier::find();
    if carrier.offsets == Offsets::default() {
        return carrier.state;
    }
    let config = KernelConfig { stages: 0, ..KernelConfig::default() };
    let division = Division { cpus: 1, blocks: [2, 2] };
    let mut ebpf = object::load(&config, division, &carrier, &Drops::find()).map_err(|error| error.to_string())?;
    carrier.attach(&mut ebpf);
    carrier.state
}

fn try_attach(ebpf: &mut Ebpf) -> Result<(), String> {
    // Tens of megabytes, for a moment.
    let btf = Btf::from_sys_fs().map_err(|error| format!("the kernel has no BTF: {error}"))?;
    for (name, function) in [(program::CARRIER_ON, "netif_carrier_on"), (program::CARRIER_OFF, "netif_carrier_off")] {
        let program = ebpf.program_mut(name).ok_or_else(|| format!("the object has no {name}"))?;
        let program: &mut FEntry = program.try_into().map_err(|error: ProgramError| error.to_string())?;
        program.load(function, &btf).and_then(|()| program.attach()).map_err(|error| refused(&error))?;
    }
    Ok(())
}

fn refused(error: &ProgramError) -> String {
    let io = match error {
        ProgramError::LoadError { io_error, .. } => Some(io_error),
        ProgramError::SyscallError(error) => Some(&error.io_error),
        _ => None,
    };
    match io.and_then(std::io::Error::raw_os_error) {
        Some(libc::EPERM) => "the kernel refuses tracing programs (EPERM: lockdown, or CAP_PERFMON is missing)".into(),
        _ => io.map_or_else(|| error.to_string(), |io| format!("the kernel refuses fentry programs: {io}")),
    }
}
