//! How many frames there are to one sample, for each interface.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Most frames to one sample that can be asked for: as many as the kernel programs can count down.
pub const MAX_RATE: u32 = 1 << 20;
/// Where a link does not tell its speed: the rate of a gigabit.
const UNKNOWN_SPEED: u32 = 1000;
/// Bits per second for each frame of the rate: 1 in 1000 at 1 Gbit/s, 1 in 10000 at 10 Gbit/s.
const BITS_PER_FRAME: u64 = 1_000_000;
/// A slow link is not sampled more often than this, and a fast one not less often than that.
const ADAPTIVE: (u64, u64) = (100, 100_000);
/// Longest name of an interface, bytes.
const LONGEST_INTERFACE: usize = 15;
const FORM: &str = "write auto, a number N for one frame in N (0 for none), or INTERFACE=auto and INTERFACE=N";

/// How often an interface is sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rate {
    /// By the link's speed.
    #[default]
    Auto,
    /// One frame in so many; 0 for none. At most [`MAX_RATE`].
    OneIn(u32),
}

impl Rate {
    /// The N of one in N for a link of this speed in bits per second; 0 for none.
    ///
    /// By the speed, a link that is full has as many samples in a second whatever its speed is.
    pub fn of(self, speed_bps: Option<u64>) -> u32 {
        match (self, speed_bps) {
            (Rate::OneIn(n), _) => n.min(MAX_RATE),
            (Rate::Auto, None | Some(0)) => UNKNOWN_SPEED,
            (Rate::Auto, Some(speed)) => {
                u32::try_from((speed / BITS_PER_FRAME).clamp(ADAPTIVE.0, ADAPTIVE.1)).unwrap_or(UNKNOWN_SPEED)
            }
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Auto => f.write_str("auto"),
            Rate::OneIn(n) => write!(f, "{n}"),
        }
    }
}

impl FromStr for Rate {
    type Err = SamplingError;

    fn from_str(text: &str) -> Result<Self, SamplingError> {
        if text == "auto" {
            return Ok(Rate::Auto);
        }
        let refused = |problem| Err(SamplingError::new(text, problem));
        match text.parse() {
            Ok(n) if n > MAX_RATE => refused(format!("at most {MAX_RATE} frames to a sample can be counted")),
            Ok(n) => Ok(Rate::OneIn(n)),
            Err(_) => refused(FORM.to_owned()),
        }
    }
}

/// How often the interfaces are sampled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// Those that are not named.
    pub default: Rate,
    /// Those that are, by name.
    pub by_interface: Vec<(String, Rate)>,
}

/// A text that is no rate.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text:?} is no sampling rate: {problem}")]
pub struct SamplingError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl SamplingError {
    fn new(text: &str, problem: String) -> Self {
        Self { text: text.chars().take(100).collect(), problem }
    }
}

impl Sampling {
    /// Puts it together from texts like `auto`, `1000` and `eth1=400`, in any order.
    ///
    /// # Errors
    /// A text that is none of these, and what is said twice.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, SamplingError> {
        let mut default = None;
        let mut by_interface: Vec<(String, Rate)> = Vec::new();
        for text in texts {
            let refused = |problem: String| SamplingError::new(text, problem);
            let Some((name, rate)) = text.rsplit_once('=') else {
                if default.replace(text.parse()?).is_some() {
                    return Err(refused("there is one before that is for all interfaces".to_owned()));
                }
                continue;
            };
            let odd = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
            if name.is_empty() || name.len() > LONGEST_INTERFACE || name.contains(odd) {
                return Err(refused(format!("{name:?} is no name of an interface")));
            }
            if by_interface.iter().any(|(other, _)| other == name) {
                return Err(refused(format!("there is one before for {name}")));
            }
            let rate = rate.parse().map_err(|error: SamplingError| refused(error.problem))?;
            by_interface.push((name.to_owned(), rate));
        }
        Ok(Self { default: default.unwrap_or_default(), by_interface })
    }

    /// How often this interface is sampled.
    pub fn of(&self, interface: &str) -> Rate {
        self.by_interface.iter().find(|(name, _)| name == interface).map_or(self.default, |(_, rate)| *rate)
    }

    /// The texts that it is made of, as [`Sampling::parse`] takes them.
    pub fn texts(&self) -> Vec<String> {
        let named = self.by_interface.iter().map(|(name, rate)| format!("{name}={rate}"));
        std::iter::once(self.default.to_string()).chain(named).collect()
    }
}

impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIGABIT: u64 = 1_000_000_000;

    #[test]
    fn a_full_link_has_as_many_samples_whatever_its_speed_is() {
        assert_eq!(Rate::Auto.of(Some(GIGABIT)), 1000);
        assert_eq!(Rate::Auto.of(Some(10 * GIGABIT)), 10_000);
        assert_eq!(Rate::Auto.of(Some(25 * GIGABIT)), 25_000);
        assert_eq!(Rate::Auto.of(Some(GIGABIT / 10)), 100);
        assert_eq!(Rate::Auto.of(Some(GIGABIT / 100)), 100, "not more often than one in 100");
        assert_eq!(Rate::Auto.of(Some(400 * GIGABIT)), 100_000, "not less often than one in 100000");
        assert_eq!((Rate::Auto.of(None), Rate::Auto.of(Some(0))), (1000, 1000));
        assert_eq!(Rate::Auto.of(Some(u64::MAX)), 100_000);
    }

    #[test]
    fn a_number_is_the_rate_at_any_speed() {
        assert_eq!(Rate::OneIn(400).of(Some(10 * GIGABIT)), 400);
        assert_eq!(Rate::OneIn(0).of(Some(GIGABIT)), 0);
        assert_eq!(Rate::OneIn(u32::MAX).of(None), MAX_RATE);
    }

    #[test]
    fn rates_for_all_and_for_some_come_back_as_they_were_written() {
        let sampling = Sampling::parse(["eth1=400", "2000", "eth2=auto", "eth0.956=0"]).expect("rates");
        assert_eq!(sampling.to_string(), "2000, eth1=400, eth2=auto, eth0.956=0");
        assert_eq!(sampling.of("eth1"), Rate::OneIn(400));
        assert_eq!(sampling.of("eth2"), Rate::Auto);
        assert_eq!(sampling.of("eth0.956"), Rate::OneIn(0));
        assert_eq!(sampling.of("eth3"), Rate::OneIn(2000));
        let texts = sampling.texts();
        assert_eq!(Sampling::parse(texts.iter().map(String::as_str)), Ok(sampling));
        assert_eq!(Sampling::parse([]), Ok(Sampling { default: Rate::Auto, by_interface: Vec::new() }));
    }

    #[test]
    fn what_is_no_rate_or_said_twice_is_told() {
        let told = |texts: &[&str]| Sampling::parse(texts.iter().copied()).expect_err("refused").to_string();
        assert!(told(&["often"]).starts_with("\"often\" is no sampling rate: write auto, a number N"));
        assert!(told(&["eth1=often"]).starts_with("\"eth1=often\" is no sampling rate: write auto"));
        assert!(told(&["-1"]).contains("write auto"));
        assert!(told(&["1048577"]).contains("at most 1048576"));
        assert!(told(&["=4"]).contains("no name of an interface"));
        assert!(told(&["a name with spaces=4"]).contains("no name of an interface"));
        assert!(told(&["auto", "100"]).contains("for all interfaces"));
        assert!(told(&["eth1=1", "eth1=2"]).contains("one before for eth1"));
    }
}
