//! A metric with all its samples.

use super::Labels;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until what counts begins anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// What is told is in the labels; the value is 1.
    Info,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Counted.
    Whole(u64),
    /// Measured.
    Real(f64),
}

/// One value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: Number,
}

/// A metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Name without `_total` and `_info`; it ends with the unit where there is one.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// seconds, bytes or ratio; `None` for what has no unit.
    pub unit: Option<&'static str>,
    /// For people.
    pub help: &'static str,
    /// Its samples, each with other labels.
    pub samples: Vec<Sample>,
}

impl Family {
    /// A counter without samples.
    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(Kind::Counter, name, help)
    }

    /// A gauge without samples.
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(Kind::Gauge, name, help)
    }

    /// An info without samples.
    pub fn info(name: &'static str, help: &'static str) -> Self {
        Self::new(Kind::Info, name, help)
    }

    fn new(kind: Kind, name: &'static str, help: &'static str) -> Self {
        let unit = ["seconds", "bytes", "ratio"].into_iter().find(|unit| name.ends_with(&format!("_{unit}")));
        Self { name, kind, unit, help, samples: Vec::new() }
    }

    /// Adds a sample.
    pub fn add(&mut self, labels: Labels, value: impl Into<Number>) {
        self.samples.push(Sample { labels, value: value.into() });
    }

    /// With one sample more.
    #[must_use]
    pub fn with(mut self, labels: Labels, value: impl Into<Number>) -> Self {
        self.add(labels, value);
        self
    }

    /// With a sample if there is a value.
    #[must_use]
    pub fn with_some(self, labels: Labels, value: Option<impl Into<Number>>) -> Self {
        match value {
            Some(value) => self.with(labels, value),
            None => self,
        }
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<bool> for Number {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}
