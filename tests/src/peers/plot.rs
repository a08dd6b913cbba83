//! Bar charts as SVG: one bar for each measurement, with its quartiles as a whisker, in groups one below the other.

use std::fmt::Write;

use super::stats::Spread;

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What is shown.
    pub title: &'a str,
    /// Under the title: unit, and what to know.
    pub note: &'a str,
    /// Each step of the axis is ten times the one before. Values of 0 have no bar then, but their number.
    pub log: bool,
    /// Name of the bars that stand out.
    pub ours: &'a str,
    /// Groups, each with a name and its bars.
    pub groups: Vec<(String, Vec<(String, Spread)>)>,
}

const WIDTH: f64 = 860.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 62.0;
const BAR: f64 = 15.0;
const ROW: f64 = 19.0;
const GROUP: f64 = 30.0;

impl Chart<'_> {
    /// The file.
    pub fn svg(&self) -> String {
        let rows: usize = self.groups.iter().map(|(_, bars)| bars.len()).sum();
        let height = TOP + rows as f64 * ROW + self.groups.len() as f64 * GROUP + 34.0;
        let axis = Axis::of(self);
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <title>{0}</title>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"bold\" fill=\"#1b1f24\">{0}</text>\n\
             <text x=\"16\" y=\"43\" fill=\"#57606a\">{1}</text>",
            escaped(self.title),
            escaped(self.note)
        );
        for (value, text) in axis.ticks() {
            let x = axis.x(value);
            let _ = writeln!(
                out,
                "<path d=\"M{x:.1} {TOP}V{:.1}\" stroke=\"#d8dee4\"/>\n<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#57606a\">{text}</text>",
                height - 28.0,
                height - 12.0
            );
        }
        let mut y = TOP;
        for (name, bars) in &self.groups {
            let _ = writeln!(
                out,
                "<text x=\"16\" y=\"{:.1}\" font-weight=\"bold\" fill=\"#1b1f24\">{}</text>",
                y + 20.0,
                escaped(name)
            );
            y += GROUP;
            for (name, spread) in bars {
                self.bar(&mut out, &axis, y, name, *spread);
                y += ROW;
            }
        }
        out.push_str("</svg>\n");
        out
    }

    fn bar(&self, out: &mut String, axis: &Axis, y: f64, name: &str, spread: Spread) {
        let colour = if name == self.ours { "#0a7d5a" } else { "#9aa5b1" };
        let weight = if name == self.ours { " font-weight=\"bold\"" } else { "" };
        let text = y + BAR - 3.0;
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{text:.1}\" text-anchor=\"end\" fill=\"#1b1f24\"{weight}>{}</text>",
            LEFT - 8.0,
            escaped(name)
        );
        let (zero, end) = (axis.x(if axis.log { axis.low } else { 0.0 }), axis.x(spread.median));
        let (from, to) = (zero.min(end), zero.max(end));
        let _ =
            writeln!(out, "<rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>", to - from);
        let (low, high) = (axis.x(spread.low), axis.x(spread.high));
        let middle = y + BAR / 2.0;
        let _ = writeln!(out, "<path d=\"M{low:.1} {middle:.1}H{high:.1}\" stroke=\"#1b1f24\" stroke-width=\"1.5\"/>");
        let label = high.max(to) + 6.0;
        let _ = writeln!(out, "<text x=\"{label:.1}\" y=\"{text:.1}\" fill=\"#1b1f24\"{weight}>{}</text>", number(spread.median));
    }
}

/// From values to places.
struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    fn of(chart: &Chart<'_>) -> Self {
        let spreads = || chart.groups.iter().flat_map(|(_, bars)| bars).map(|(_, spread)| spread);
        let most = spreads().map(|spread| spread.high.max(spread.median)).fold(0.0, f64::max);
        if chart.log {
            let least =
                spreads().map(|spread| spread.low.min(spread.median)).filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
            let least = if least.is_finite() { least } else { 1.0 };
            let high = 10f64.powf(most.max(least * 10.0).log10().ceil());
            return Self { low: 10f64.powf(least.log10().floor()), high, log: true };
        }
        let least = spreads().map(|spread| spread.low.min(spread.median)).fold(0.0, f64::min);
        Self { low: if least < 0.0 { least } else { 0.0 }, high: if most > 0.0 { most * 1.05 } else { 1.0 }, log: false }
    }

    fn x(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.low).log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        if self.log {
            let (from, to) = (self.low.log10().round() as i32, self.high.log10().round() as i32);
            return (from..=to).map(|power| 10f64.powi(power)).map(|value| (value, number(value))).collect();
        }
        let step = step(self.high - self.low);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).map(|n| n as f64 * step).map(|value| (value, number(value))).collect()
    }
}

/// A round step that makes four to ten of a length.
fn step(length: f64) -> f64 {
    let power = 10f64.powf((length / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| length / step <= 8.0).unwrap_or(power * 10.0)
}

/// A number with two digits that tell something, and a unit of thousands.
pub fn number(value: f64) -> String {
    let (size, unit) = match value.abs() {
        size if size >= 1e12 => (1e12, "T"),
        size if size >= 1e9 => (1e9, "G"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let value = value / size;
    let digits = match value.abs() {
        0.0 => 0,
        size if size >= 10.0 => 0,
        size if size >= 1.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64) -> Spread {
        Spread { median, low: median * 0.9, high: median * 1.2, count: 5 }
    }

    fn chart(log: bool, values: &[f64]) -> Chart<'static> {
        let bars = values.iter().enumerate().map(|(i, value)| (format!("peer {i}"), spread(*value))).collect();
        Chart { title: "a < b", note: "ns & more", log, ours: "peer 0", groups: vec![("10k/s".to_owned(), bars)] }
    }

    fn widths(svg: &str) -> Vec<f64> {
        let bars = svg.lines().filter(|line| line.starts_with("<rect x="));
        bars.filter_map(|line| line.split("width=\"").nth(1)?.split('"').next()?.parse().ok()).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_nothing_leaves_the_page() {
        let svg = chart(false, &[10.0, 20.0, 40.0]).svg();
        let widths = widths(&svg);
        assert!((widths[1] / widths[0] - 2.0).abs() < 0.01 && (widths[2] / widths[0] - 4.0).abs() < 0.01, "{widths:?}");
        assert!(widths.iter().all(|width| *width <= WIDTH - LEFT - RIGHT));
    }

    #[test]
    fn on_a_logarithmic_axis_tenfold_is_a_step() {
        let widths = widths(&chart(true, &[2.0, 20.0, 200.0, 0.0]).svg());
        assert!(((widths[2] - widths[1]) - (widths[1] - widths[0])).abs() < 0.2, "{widths:?}");
        assert_eq!(widths[3], 0.0);
    }

    #[test]
    fn text_is_escaped_and_every_element_is_closed() {
        let svg = chart(false, &[1.0]).svg();
        assert!(svg.contains("a &lt; b") && svg.contains("ns &amp; more"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 0.043, 0.25, 4.4, 80.0, 1234.0, 96_500.0, 7.6e8].map(number);
        assert_eq!(texts, ["0", "0.043", "0.25", "4.4", "80", "1234", "96k", "760M"]);
    }

    #[test]
    fn an_axis_has_a_few_round_ticks_also_below_zero() {
        let chart = chart(false, &[-30.0, 100.0]);
        let ticks = Axis::of(&chart).ticks();
        assert!((4..=10).contains(&ticks.len()), "{ticks:?}");
        assert!(ticks.iter().any(|(_, text)| text == "0"));
        let widths = widths(&chart.svg());
        assert!((widths[1] / widths[0] - 100.0 / 30.0).abs() < 0.05, "bars begin at zero: {widths:?}");
    }
}
