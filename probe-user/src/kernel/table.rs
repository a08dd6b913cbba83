//! The table of taps: which ids are in use, and which may be used again.

use probe_common::tap::{MAX_TAPS, TapInfo};

use super::KernelError;

/// State of one tap id.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Fresh,
    Used(TapInfo),
    /// Described records may still be in the recorder.
    Left {
        info: TapInfo,
        at_ns: u64,
    },
}

/// All tap ids.
#[derive(Debug)]
pub struct TapTable {
    slots: Vec<Slot>,
}

impl TapTable {
    /// No tap.
    pub fn new() -> Self {
        Self { slots: vec![Slot::Fresh; MAX_TAPS] }
    }

    /// Takes over what an earlier agent left: id and description.
    pub fn adopt(&mut self, id: u16, info: TapInfo, at_ns: u64) {
        if let Some(slot) = self.slots.get_mut(usize::from(id)) {
            *slot = Slot::Left { info, at_ns };
        }
    }

    /// Finds an id: that of an earlier tap with the same description, else a fresh one, else one whose tap ended before `oldest_ns`,
    /// from when on frames may be asked for. True beside it when the id had another description before: its counters are another's.
    pub fn take(&mut self, info: TapInfo, oldest_ns: u64) -> Result<(u16, bool), KernelError> {
        let same = |slot: &Slot| matches!(slot, Slot::Left { info: left, .. } if *left == info);
        let fresh = |slot: &Slot| matches!(slot, Slot::Fresh);
        let gone = |slot: &Slot| matches!(slot, Slot::Left { at_ns, .. } if *at_ns < oldest_ns);
        let position = |test: &dyn Fn(&Slot) -> bool| self.slots.iter().position(test);
        let id = position(&same).or_else(|| position(&fresh)).or_else(|| position(&gone));
        let id = id.ok_or(KernelError::TooManyTaps { max: MAX_TAPS })?;
        let before = std::mem::replace(&mut self.slots[id], Slot::Used(info));
        let anew = matches!(before, Slot::Left { info: left, .. } if left != info);
        Ok((u16::try_from(id).map_err(|_| KernelError::TooManyTaps { max: MAX_TAPS })?, anew))
    }

    /// The description of a tap changes.
    pub fn describe(&mut self, id: u16, info: TapInfo) {
        if let Some(slot) = self.slots.get_mut(usize::from(id)) {
            *slot = Slot::Used(info);
        }
    }

    /// A tap ends at `at_ns`.
    pub fn leave(&mut self, id: u16, at_ns: u64) {
        if let Some(slot) = self.slots.get_mut(usize::from(id))
            && let Slot::Used(info) = *slot
        {
            *slot = Slot::Left { info, at_ns };
        }
    }

    /// What this id is, or was last.
    pub fn get(&self, id: u16) -> Option<TapInfo> {
        match self.slots.get(usize::from(id))? {
            Slot::Fresh => None,
            Slot::Used(info) | Slot::Left { info, .. } => Some(*info),
        }
    }

    /// Ids and descriptions of the taps that are there, and of those that records may still name.
    pub fn described(&self) -> impl Iterator<Item = (u16, TapInfo)> {
        (0u16..).zip(&self.slots).filter_map(|(id, slot)| match slot {
            Slot::Fresh => None,
            Slot::Used(info) | Slot::Left { info, .. } => Some((id, *info)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(ifindex: u32) -> TapInfo {
        TapInfo { ifindex, master: 0, name: [0; 16], mac: [0; 6], hook: 1, direction: 1 }
    }

    #[test]
    fn ids_are_not_used_again_while_the_recorder_may_hold_their_records() {
        let mut table = TapTable::new();
        for n in 0..MAX_TAPS as u32 {
            assert_eq!(table.take(info(n + 1), 0).unwrap(), (n as u16, false));
        }
        table.leave(7, 100);
        assert!(matches!(table.take(info(1000), 100), Err(KernelError::TooManyTaps { .. })));
        assert_eq!(table.take(info(1000), 101).unwrap(), (7, true));
    }

    #[test]
    fn the_same_tap_gets_its_id_back() {
        let mut table = TapTable::new();
        assert_eq!(table.take(info(1), 0).unwrap(), (0, false));
        assert_eq!(table.take(info(2), 0).unwrap(), (1, false));
        table.leave(0, 5);
        assert_eq!(table.take(info(3), 0).unwrap(), (2, false));
        assert_eq!(table.take(info(1), 0).unwrap(), (0, false));
    }

    #[test]
    fn adopted_ids_are_kept_for_the_taps_that_had_them() {
        let mut table = TapTable::new();
        table.adopt(4, info(9), 50);
        assert_eq!(table.take(info(8), u64::MAX).unwrap(), (0, false));
        assert_eq!(table.take(info(9), u64::MAX).unwrap(), (4, false));
    }
}
