//! The rows of `linkprobe watch`: the columns that the operator's old polling script wrote.

use serde::Serialize;

use crate::table::{Link, LinkTable};
use crate::time::{Mono, seconds};
use crate::timeline::What;

/// Names of the columns; [`Row::csv`] writes them in this order, after the date.
pub const HEADER: &str = "date, if, carr, state, age, chngs";

/// A link at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name.
    #[serde(rename = "if")]
    pub name: String,
    /// Carrier: 1 or 0. A link that is set down has none.
    pub carr: u8,
    /// Operational state as sysfs calls it.
    pub state: &'static str,
    /// Seconds since carrier or operational state changed; `None` when that was before the agent's start.
    pub age: Option<f64>,
    /// Changes since the kernel made the link.
    pub chngs: u64,
}

impl Row {
    /// Of a link at `now`.
    pub fn of(link: &Link, now: Mono) -> Self {
        Self {
            name: link.state.name.clone(),
            carr: u8::from(link.state.carrier),
            state: link.state.operstate.name(),
            age: link.age(now).map(seconds),
            chngs: link.changes(),
        }
    }

    /// The row as CSV under [`HEADER`], without a line end. An unknown age is an empty column.
    pub fn csv(&self, date: &str) -> String {
        let age = self.age.map(|age| format!("{age:.3}")).unwrap_or_default();
        format!("{date}, {}, {}, {}, {age}, {}", self.name, self.carr, self.state, self.chngs)
    }
}

/// The watched links at `now`: each bond before its slaves, then the others.
pub fn rows(table: &LinkTable, now: Mono) -> Vec<Row> {
    table.watched().map(|(link, _)| Row::of(link, now)).collect()
}

/// Whether an entry changes a column of its link's row.
pub fn changes_row(what: &What) -> bool {
    matches!(what, What::Appeared { .. } | What::Renamed { .. } | What::Carrier { .. } | What::Flaps { .. } | What::Oper { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, bond, down, links, watched};
    use crate::timeline::Source;

    #[test]
    fn a_row_reads_as_the_old_script_wrote_it() {
        let mut table = LinkTable::new(watched());
        table.start(at(0), links());
        table.apply(at(10_000), Source::Netlink, down(bond(10, "bond0")));
        let rows = rows(&table, at(75_227));
        let written: Vec<_> = rows.iter().map(|row| row.csv("2017-11-30T18:57:12+0900")).collect();
        assert_eq!(
            written,
            [
                "2017-11-30T18:57:12+0900, bond0, 0, down, 65.227, 3",
                "2017-11-30T18:57:12+0900, eth1, 1, up, , 2",
                "2017-11-30T18:57:12+0900, eth2, 1, up, , 2",
                "2017-11-30T18:57:12+0900, mgmt, 1, up, , 2",
            ]
        );
        assert_eq!(HEADER.split(", ").count(), written[0].split(", ").count());
    }

    #[test]
    fn a_row_in_json_has_the_names_of_the_columns() {
        let row = Row { name: "bond0".to_owned(), carr: 0, state: "down", age: None, chngs: 2 };
        let json = serde_json::to_string(&row).expect("a row");
        assert_eq!(json, r#"{"if":"bond0","carr":0,"state":"down","age":null,"chngs":2}"#);
    }
}
