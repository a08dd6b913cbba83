//! Numbers as a row of small bars.

/// What bars are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bars {
    /// Blocks of eight heights.
    Blocks,
    /// Characters that every terminal has.
    Ascii,
}

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', '-', '=', '+', '*', '%', '#'];

impl Bars {
    /// As the locale allows: `LC_ALL`, `LC_CTYPE` or `LANG`, the first that is set. Where none is, blocks: most terminals have them.
    pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
        let has_blocks = |locale: String| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
        if set.is_none_or(has_blocks) { Bars::Blocks } else { Bars::Ascii }
    }

    /// At most `width` bars, from 0 to the highest of the values: each is the highest of its part of them; a blank where nothing is
    /// known of it.
    pub fn row(self, values: &[Option<u64>], width: usize) -> String {
        let most = values.iter().flatten().max().copied().unwrap_or(0);
        let width = width.min(values.len());
        let part = |number: usize| &values[number * values.len() / width..(number + 1) * values.len() / width];
        let highest = (0..width).map(|number| part(number).iter().flatten().max().copied());
        highest.map(|value| value.map_or(' ', |value| self.bar(value, most))).collect()
    }

    fn bar(self, value: u64, most: u64) -> char {
        let bars = if self == Bars::Blocks { BLOCKS } else { ASCII };
        // 0 has the lowest, and everything above it a higher one.
        let height = (u128::from(value) * 7).div_ceil(u128::from(most.max(1)));
        bars[usize::try_from(height).unwrap_or(7).min(7)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_reach_from_nothing_to_the_highest_value_and_gaps_are_blank() {
        let values = [Some(0), Some(1), Some(50), None, Some(100)];
        assert_eq!(Bars::Blocks.row(&values, 40), "▁▂▅ █");
        assert_eq!(Bars::Ascii.row(&values, 40), "_.+ #");
        assert_eq!(Bars::Blocks.row(&[Some(0), Some(0)], 40), "▁▁");
        assert_eq!(Bars::Blocks.row(&[], 40), "");
        assert_eq!(Bars::Blocks.row(&[Some(u64::MAX), Some(u64::MAX / 2)], 2), "█▅");
    }

    #[test]
    fn a_narrower_row_keeps_the_peaks() {
        let mut values = vec![Some(1); 300];
        values[157] = Some(1000);
        let row = Bars::Blocks.row(&values, 30);
        assert_eq!((row.chars().count(), row.chars().filter(|bar| *bar == '█').count()), (30, 1));
    }

    #[test]
    fn a_locale_without_utf_8_gets_plain_characters() {
        let of =
            |name: &'static str, value: &'static str| Bars::of_locale(move |asked| (asked == name).then(|| value.to_owned()));
        assert_eq!((of("LANG", "en_US.UTF-8"), of("LC_ALL", "C.utf8")), (Bars::Blocks, Bars::Blocks));
        assert_eq!((of("LANG", "C"), of("LC_ALL", "de_DE@euro")), (Bars::Ascii, Bars::Ascii));
        assert_eq!((of("LANG", ""), of("PATH", "/bin")), (Bars::Blocks, Bars::Blocks));
    }
}
