//! Medians, quartiles and percentiles of a few measurements.

use serde::Serialize;

/// What is told of several measurements of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// First quartile.
    pub low: f64,
    /// Third quartile.
    pub high: f64,
    /// How many there are.
    pub count: usize,
}

impl Spread {
    /// Of some values; zeros when there are none. Those that are no number are left out.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share| percentile(&sorted, share).unwrap_or(0.0);
        Self { median: at(0.5), low: at(0.25), high: at(0.75), count: sorted.len() }
    }

    /// Of the values of `over`, each less or divided (by `with`) by that of the same place in `under`: measured one after the other, so
    /// that what slows the machine down slows both. The longer one's rest is left out.
    pub fn paired(over: &[f64], under: &[f64], with: fn(f64, f64) -> f64) -> Self {
        Self::of(over.iter().zip(under).map(|(over, under)| with(*over, *under)))
    }
}

/// The value below which `share` (0 to 1) of the sorted values are, between two of them where it falls there; `None` when there are none.
pub fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let (low, high) = (sorted.get(below)?, sorted.get((below + 1).min(last))?);
    Some(low + (high - low) * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_quartiles_are_those_of_the_sorted_values() {
        let spread = Spread::of([5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!((spread.low, spread.median, spread.high, spread.count), (2.0, 3.0, 4.0, 5));
        let two = Spread::of([10.0, 20.0]);
        assert_eq!((two.low, two.median, two.high), (12.5, 15.0, 17.5));
    }

    #[test]
    fn nothing_measured_is_told_as_no_measurements() {
        assert_eq!(Spread::of([f64::NAN]), Spread::default());
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn a_percentile_lies_between_its_neighbours() {
        let sorted: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.95), Some(95.0));
        assert_eq!(percentile(&[1.0, 3.0], 0.99).map(|p| (p * 100.0).round()), Some(298.0));
        assert_eq!(percentile(&[7.0], 2.0), Some(7.0));
    }

    #[test]
    fn pairs_are_compared_within_their_round() {
        let spread = Spread::paired(&[10.0, 110.0, 30.0], &[5.0, 100.0], |over, under| over - under);
        assert_eq!((spread.median, spread.count), (7.5, 2));
    }
}
