//! Attaches the programs to interfaces, and takes them off again.

use aya::programs::{
    LinkOrder, SchedClassifier, TcAttachType, Xdp, XdpMode,
    links::FdLink,
    tc::{NlOptions, SchedClassifierLink, TcAttachOptions, qdisc_add_clsact},
};
use probe_common::{
    names::{map, program},
    tap::{MAX_TAPS, NO_TAP, TAP_SLOTS, TapInfo, TapSlot, direction},
};

use super::{
    KernelError,
    hook::{self, Choice, Hook, HookChoice},
    leftovers,
    load::Kernel,
    lock::Lock,
    netdev::{self, Device},
    object,
    pin::{HeldLink, Pins, Which},
    pod::Value,
};

/// An interface to tap.
#[derive(Clone, Debug)]
pub struct LinkToTap {
    /// Index.
    pub ifindex: u32,
    /// Name.
    pub name: String,
    /// ifindex of its bond, or 0.
    pub master: u32,
    /// Hook for receive.
    pub ingress: HookChoice,
    /// Whether to tap transmit as well.
    pub egress: bool,
}

/// A tap that is there.
#[derive(Clone, Debug)]
pub struct Tap {
    /// Tap id, as in the records.
    pub id: u16,
    /// Interface.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// ifindex of its bond when the tap was made, or 0.
    pub master: u32,
    /// Bits per second when the tap was made, where the driver told.
    pub speed_bps: Option<u64>,
    /// Hook.
    pub hook: Hook,
    /// One of [`probe_common::tap::direction`].
    pub direction: u8,
    /// Why this hook, in words.
    pub why: String,
}

/// The taps of one interface and what holds them there.
pub(super) struct Attached {
    pub(super) ifindex: u32,
    pub(super) taps: Vec<Tap>,
    pub(super) sample_rate: u32,
    /// Dropping a link detaches it.
    links: Vec<HeldLink>,
    /// The clsact qdisc is ours: it was not there before.
    own_qdisc: bool,
    _lock: Lock,
}

impl Kernel {
    /// Taps an interface.
    ///
    /// # Errors
    /// [`KernelError::InUse`] when another agent watches it; what the kernel refused otherwise. Nothing stays attached then.
    pub fn attach(&mut self, link: &LinkToTap) -> Result<Vec<Tap>, KernelError> {
        if self.attached.iter().any(|attached| attached.ifindex == link.ifindex) {
            return Err(KernelError::AlreadyAttached { name: link.name.clone() });
        }
        let slot = self.slots.get(&slot_of(link.ifindex), 0).map_err(KernelError::map(map::TAPS))?.0;
        if slot.ifindex != 0 && slot.ifindex != link.ifindex && self.attached.iter().any(|a| a.ifindex == slot.ifindex) {
            return Err(KernelError::SlotCollision { ifindex: link.ifindex, other: slot.ifindex });
        }
        let mut device = netdev::device(link.ifindex).map_err(|error| match error {
            KernelError::NoInterface { ifindex, .. } => KernelError::NoInterface { name: link.name.clone(), ifindex },
            error => error,
        })?;
        let ours = |pins: &Pins| {
            let held = |hook| pins.has(Which { ifindex: link.ifindex, direction: direction::INGRESS, hook });
            held(Hook::Xdp) || held(Hook::XdpGeneric)
        };
        if self.pins.as_ref().is_some_and(ours) {
            // An earlier agent's, which we are going to replace.
            device.xdp_program = None;
        }
        let tc = if self.config.tcx { Hook::tc() } else { Hook::Clsact };
        let choice = hook::choose_for(device, link.ingress, tc);
        let lock = Lock::interface(link.ifindex, &link.name)?;
        self.attached.push(Attached {
            ifindex: link.ifindex,
            taps: Vec::new(),
            sample_rate: self.config.sample_rate,
            links: Vec::new(),
            own_qdisc: false,
            _lock: lock,
        });
        let attached = self.attached.len() - 1;
        if let Err(error) = self.attach_hooks(attached, link, choice) {
            self.detach(link.ifindex);
            return Err(error);
        }
        Ok(self.attached[attached].taps.clone())
    }

    fn attach_hooks(&mut self, attached: usize, link: &LinkToTap, choice: Choice) -> Result<(), KernelError> {
        // A clsact qdisc that held nothing but filters of ours was ours too: this time it goes with us.
        if leftovers::remove_filters(link.ifindex)? > 0 {
            leftovers::remove_empty_clsact(link.ifindex);
        }
        let Choice { ingress, egress, mut why, device } = choice;
        let (held, hook) = match ingress {
            Hook::Xdp | Hook::XdpGeneric => match self.attach_xdp(&device, ingress) {
                Ok(held) => (Some(held), ingress),
                Err(error) if link.ingress == HookChoice::Auto => {
                    why = format!("native XDP does not attach ({error})");
                    (None, egress)
                }
                Err(error) => return Err(error),
            },
            tc => (None, tc),
        };
        let tap = self.describe(link, &device, hook, direction::INGRESS, why)?;
        let sample_rate = self.config.sample_rate;
        self.set_slot(link.ifindex, |slot| (slot.ingress, slot.sample_rate) = (tap.id, sample_rate))?;
        self.attached[attached].taps.push(tap);
        let held = match held {
            Some(held) => held,
            None => self.attach_tc(attached, &device, hook, TcAttachType::Ingress)?,
        };
        self.attached[attached].links.push(held);
        if link.egress {
            let tap = self.describe(link, &device, egress, direction::EGRESS, "the only hook for transmit".into())?;
            self.set_slot(link.ifindex, |slot| slot.egress = tap.id)?;
            self.attached[attached].taps.push(tap);
            let held = self.attach_tc(attached, &device, egress, TcAttachType::Egress)?;
            self.attached[attached].links.push(held);
        }
        Ok(())
    }

    /// Takes all taps off an interface; also one that has vanished, and took its links with it. Does nothing when there are none.
    pub fn detach(&mut self, ifindex: u32) {
        let Some(position) = self.attached.iter().position(|attached| attached.ifindex == ifindex) else { return };
        let attached = self.attached.swap_remove(position);
        let own_qdisc = attached.own_qdisc;
        for link in attached.links {
            link.detach();
        }
        if own_qdisc {
            leftovers::remove_empty_clsact(ifindex);
        }
        let now = monotonic_ns();
        for tap in &attached.taps {
            self.table.leave(tap.id, now);
        }
        // An array element can always be written.
        let _ = self.slots.set(slot_of(ifindex), Value(TapSlot::FREE), 0);
    }

    /// To be called when all interfaces of the start are attached: detaches what an earlier agent left behind and nobody took over.
    ///
    /// # Errors
    /// [`KernelError::Netlink`] when old tc filters cannot be removed.
    pub fn settle(&mut self) -> Result<(), KernelError> {
        if let Some(pins) = &mut self.pins {
            pins.drop_old();
        }
        let filters = leftovers::sweep()?;
        if filters > 0 {
            self.notes.push(format!("removed {filters} tc filters of an agent that was killed"));
        }
        Ok(())
    }

    /// Takes over the taps of an earlier agent's maps.
    pub(super) fn adopt(&mut self) -> Result<(), KernelError> {
        if !self.pins.as_ref().is_some_and(|pins| pins.adopted) {
            return Ok(());
        }
        let mut taps = 0;
        for id in 0..MAX_TAPS as u16 {
            let Value(info) = self.info.get(&u32::from(id), 0).map_err(KernelError::map(map::TAP_INFO))?;
            if info.ifindex != 0 {
                self.table.adopt(id, info, monotonic_ns());
                taps += 1;
            }
        }
        self.notes.push(format!("took over the recorder of an earlier agent, with {taps} taps"));
        Ok(())
    }

    /// Ends a start that failed. What was taken over from an earlier agent stays as it is, for the next start.
    pub fn abandon(self) {
        if !self.pins.as_ref().is_some_and(|pins| pins.adopted) {
            self.shutdown();
        }
    }

    /// Takes every tap off, and unpins everything: after this nothing of ours is left in the kernel.
    pub fn shutdown(mut self) {
        let indexes: Vec<u32> = self.attached.iter().map(|attached| attached.ifindex).collect();
        for ifindex in indexes {
            self.detach(ifindex);
        }
        if let Some(pins) = self.pins.take() {
            pins.remove();
        }
    }

    /// The taps that are there.
    pub fn taps(&self) -> impl Iterator<Item = &Tap> {
        self.attached.iter().flat_map(|attached| &attached.taps)
    }

    /// An interface has a new name.
    ///
    /// # Errors
    /// [`KernelError::Map`].
    pub fn rename(&mut self, ifindex: u32, name: &str) -> Result<(), KernelError> {
        let Some(attached) = self.attached.iter_mut().find(|attached| attached.ifindex == ifindex) else { return Ok(()) };
        for tap in &mut attached.taps {
            name.clone_into(&mut tap.name);
            let info = info_of(tap);
            self.table.describe(tap.id, info);
            self.info.set(u32::from(tap.id), Value(info), 0).map_err(KernelError::map(map::TAP_INFO))?;
        }
        Ok(())
    }

    fn describe(
        &mut self,
        link: &LinkToTap,
        device: &Device,
        hook: Hook,
        direction: u8,
        why: String,
    ) -> Result<Tap, KernelError> {
        let mut tap = Tap {
            id: NO_TAP,
            ifindex: link.ifindex,
            name: device.name.clone(),
            mac: device.mac,
            master: link.master,
            speed_bps: device.speed_bps,
            hook,
            direction,
            why,
        };
        let info = info_of(&tap);
        // Older frames may be in the recorder still, but no incident reaches so far back.
        let (id, anew) = self.table.take(info, monotonic_ns().saturating_sub(self.config.wanted_ns))?;
        tap.id = id;
        if anew {
            self.zero_counters(id)?;
        }
        self.info.set(u32::from(tap.id), Value(info), 0).map_err(KernelError::map(map::TAP_INFO))?;
        Ok(tap)
    }

    pub(super) fn set_slot(&mut self, ifindex: u32, change: impl FnOnce(&mut TapSlot)) -> Result<(), KernelError> {
        let index = slot_of(ifindex);
        let mut slot = self.slots.get(&index, 0).map_err(KernelError::map(map::TAPS))?.0;
        if slot.ifindex != ifindex {
            slot = TapSlot { ifindex, ..TapSlot::FREE };
        }
        change(&mut slot);
        self.slots.set(index, Value(slot), 0).map_err(KernelError::map(map::TAPS))
    }

    fn attach_xdp(&mut self, device: &Device, hook: Hook) -> Result<HeldLink, KernelError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| KernelError::Attach {
            name: device.name.clone(),
            hook: hook.name(),
            source: error,
        };
        if let Some(program) = device.xdp_program {
            return Err(failed(format!("another XDP program is there already (id {program})").into()));
        }
        let mode = if hook == Hook::XdpGeneric { XdpMode::Skb } else { XdpMode::Driver };
        // A driver that has frames in one buffer anyway is spared a call per frame. Where it can have several, or nobody knows, the
        // program must take them: else the interface's MTU could not be raised any more.
        let one_buffer = hook == Hook::Xdp && device.native_xdp_frags == Some(false);
        let name = if one_buffer { program::XDP_INGRESS } else { program::XDP_FRAGS };
        let xdp: &mut Xdp = object::xdp(&mut self.ebpf, name)?;
        let which = Which { ifindex: device.ifindex, direction: direction::INGRESS, hook };
        if let Some(old) = self.pins.as_mut().and_then(|pins| pins.take(which))
            && let Some(held) = HeldLink::replace_xdp(&old, xdp)
        {
            return Ok(held);
        }
        let id = xdp.attach_to_if_index(device.ifindex, mode).map_err(|error| failed(chain(&error).into()))?;
        let link = xdp.take_link(id).map_err(|error| failed(error.into()))?;
        let link = FdLink::try_from(link).map_err(|error| failed(error.into()))?;
        HeldLink::hold(link, self.pins.as_ref(), which).map_err(failed)
    }

    fn attach_tc(&mut self, attached: usize, device: &Device, hook: Hook, way: TcAttachType) -> Result<HeldLink, KernelError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| KernelError::Attach {
            name: device.name.clone(),
            hook: hook.name(),
            source: error,
        };
        let (name, direction) = match way {
            TcAttachType::Egress => (program::TC_EGRESS, direction::EGRESS),
            _ => (program::TC_INGRESS, direction::INGRESS),
        };
        if hook == Hook::Clsact && add_clsact(&device.name).map_err(failed)? {
            self.attached[attached].own_qdisc = true;
        }
        let classifier: &mut SchedClassifier = object::classifier(&mut self.ebpf, name)?;
        let which = Which { ifindex: device.ifindex, direction, hook };
        if let Some(old) = self.pins.as_mut().and_then(|pins| pins.take(which))
            && let Some(held) = HeldLink::replace_tc(&old, classifier)
        {
            return Ok(held);
        }
        let options = match (hook, way) {
            (Hook::Clsact, _) => TcAttachOptions::Netlink(NlOptions::default()),
            // What arrives is seen before others may drop it, and what leaves after they may have.
            (_, TcAttachType::Egress) => TcAttachOptions::TcxOrder(LinkOrder::last()),
            _ => TcAttachOptions::TcxOrder(LinkOrder::first()),
        };
        let id = classifier.attach_with_options(&device.name, way, options).map_err(|error| failed(chain(&error).into()))?;
        let link: SchedClassifierLink = classifier.take_link(id).map_err(|error| failed(error.into()))?;
        if hook == Hook::Clsact {
            return Ok(HeldLink::Filter(link));
        }
        let link = FdLink::try_from(link).map_err(|error| failed(error.into()))?;
        HeldLink::hold(link, self.pins.as_ref(), which).map_err(failed)
    }
}

/// True when the qdisc was not there before.
fn add_clsact(name: &str) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    match qdisc_add_clsact(name) {
        Ok(()) => Ok(true),
        Err(aya::programs::TcError::NetlinkError(error)) if error.raw_os_error() == Some(libc::EEXIST) => Ok(false),
        Err(error) => Err(chain(&error).into()),
    }
}

/// An error and what caused it, in one line: aya's errors do not name their sources.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |mut text, cause| {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        text
    })
}

fn slot_of(ifindex: u32) -> u32 {
    ifindex % TAP_SLOTS as u32
}

fn info_of(tap: &Tap) -> TapInfo {
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().take(15).zip(tap.name.bytes()) {
        *to = from;
    }
    TapInfo { ifindex: tap.ifindex, master: tap.master, name, mac: tap.mac, hook: tap.hook.number(), direction: tap.direction }
}

fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}
