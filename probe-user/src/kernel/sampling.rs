//! How often interfaces are sampled: changed while they are tapped.

use super::{KernelError, config::check_rate, load::Kernel};

impl Kernel {
    /// From now on one packet in `rate` of those that pass this interface's taps is sampled; none with 0. Does nothing to an interface
    /// without taps, and where this is the rate already.
    ///
    /// # Errors
    /// [`KernelError::SampleRate`], [`KernelError::Map`].
    pub fn sample(&mut self, ifindex: u32, rate: u32) -> Result<(), KernelError> {
        check_rate(rate)?;
        let found = self.attached.iter().position(|attached| attached.ifindex == ifindex && attached.sample_rate != rate);
        let Some(found) = found else { return Ok(()) };
        self.set_slot(ifindex, |slot| slot.sample_rate = rate)?;
        self.attached[found].sample_rate = rate;
        Ok(())
    }

    /// The rate at which an interface is sampled; 0 where it is not.
    pub fn sample_rate(&self, ifindex: u32) -> u32 {
        self.attached.iter().find(|attached| attached.ifindex == ifindex).map_or(0, |attached| attached.sample_rate)
    }
}
