//! What passed one link in each second of a chapter, packed.
//!
//! A second that says the same as the one before needs no byte of its own: such runs are counted, up to 128 in a byte. Any other has a
//! byte of flags, then for each direction that changed two numbers: the packets as a difference from the last ones, and the bytes as a
//! difference from what so many packets of the usual size would have. Nothing is rounded: what is taken out is what was put in.

use super::varint::{difference, follow, put, take};

/// What passed in one direction in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Packets on the wire.
    pub packets: u64,
    /// Bytes of the frames as the tap saw them.
    pub bytes: u64,
}

/// One link in one second. What nobody told is `None`; in a second in which the link was not there all is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// At the ingress tap.
    pub ingress: Option<Flow>,
    /// At the egress tap.
    pub egress: Option<Flow>,
    /// Lost by the driver: received, to be transmitted.
    pub lost: Option<[u64; 2]>,
}

/// The byte of flags; without this one the byte is the length of a run, less one.
const ROW: u8 = 0x80;
const INGRESS: u8 = 1;
const EGRESS: u8 = 2;
const LOST: u8 = 4;
/// The direction's numbers follow.
const INGRESS_CHANGED: u8 = 8;
const EGRESS_CHANGED: u8 = 16;
/// The driver's losses are not zero, and follow.
const LOSSES: u8 = 32;
/// Longest run of one byte.
const RUN: u32 = 128;

/// Seconds of one link.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// The link's track.
    pub track: u16,
    bytes: Vec<u8>,
    rows: u32,
    /// Seconds at the end that are as the one before them, and are in no byte yet.
    run: u32,
    last: Row,
    coder: Coder,
}

impl Column {
    /// Of a track; it was not there in the first `absent` seconds.
    pub fn new(track: u16, absent: u32) -> Self {
        Self { track, rows: absent, run: absent, ..Self::default() }
    }

    /// Adds second number `second`, counted from 0. It was not there in those that are left out.
    pub fn push(&mut self, second: u32, row: Row) {
        let absent = second.saturating_sub(self.rows);
        if absent > 0 {
            self.add(Row::default());
            self.rows += absent - 1;
            self.run += absent - 1;
        }
        self.add(row);
    }

    /// The seconds, in order, and after them seconds in which it was not there without end.
    pub fn rows(&self) -> Rows<'_> {
        Rows { column: self, at: 0, run: 0, left: self.rows, row: Row::default(), coder: Coder::default() }
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity()
    }

    /// Gives back what is not used.
    pub fn settle(&mut self) {
        self.bytes.shrink_to_fit();
    }

    fn add(&mut self, row: Row) {
        self.rows += 1;
        if row == self.last {
            self.run += 1;
            return;
        }
        while self.run > 0 {
            let part = self.run.min(RUN);
            self.bytes.push((part - 1) as u8);
            self.run -= part;
        }
        let known = |known: bool, flag: u8| if known { flag } else { 0 };
        let changed = |flow: Option<Flow>, way: &Way| flow.is_some_and(|flow| flow != way.last);
        let losses = row.lost.filter(|lost| *lost != [0, 0]);
        self.bytes.push(
            ROW | known(row.ingress.is_some(), INGRESS)
                | known(row.egress.is_some(), EGRESS)
                | known(row.lost.is_some(), LOST)
                | known(changed(row.ingress, &self.coder.ingress), INGRESS_CHANGED)
                | known(changed(row.egress, &self.coder.egress), EGRESS_CHANGED)
                | known(losses.is_some(), LOSSES),
        );
        for (flow, way) in [(row.ingress, &mut self.coder.ingress), (row.egress, &mut self.coder.egress)] {
            if let Some(flow) = flow.filter(|flow| *flow != way.last) {
                put(&mut self.bytes, difference(way.last.packets, flow.packets));
                put(&mut self.bytes, difference(way.expected(flow.packets), flow.bytes));
                way.take(flow);
            }
        }
        for lost in losses.into_iter().flatten() {
            put(&mut self.bytes, lost);
        }
        self.last = row;
    }
}

/// What a reader of the bytes knows at each place as the writer did.
#[derive(Clone, Copy, Debug, Default)]
struct Coder {
    ingress: Way,
    egress: Way,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    /// The newest that is known.
    last: Flow,
    /// The newest that had packets.
    usual: Flow,
}

impl Way {
    /// Bytes of so many packets of the usual size.
    fn expected(&self, packets: u64) -> u64 {
        let Flow { packets: of, bytes } = self.usual;
        match (of, bytes.checked_mul(packets)) {
            (0, _) => 0,
            (of, Some(product)) => product / of,
            // More than any link carries in a second: just so that nothing overflows.
            (of, None) => (u128::from(bytes) * u128::from(packets) / u128::from(of)) as u64,
        }
    }

    fn take(&mut self, flow: Flow) {
        self.last = flow;
        if flow.packets > 0 {
            self.usual = flow;
        }
    }
}

/// See [`Column::rows`].
#[derive(Debug)]
pub struct Rows<'a> {
    column: &'a Column,
    at: usize,
    run: u32,
    left: u32,
    row: Row,
    coder: Coder,
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.left == 0 {
            return Some(Row::default());
        }
        self.left -= 1;
        if self.run > 0 {
            self.run -= 1;
            return Some(self.row);
        }
        match self.column.bytes.get(self.at).copied() {
            // The run at the end, which is in no byte yet.
            None => self.run = self.left,
            Some(flags) if flags & ROW == 0 => {
                self.at += 1;
                self.run = u32::from(flags);
            }
            Some(flags) => {
                self.at += 1;
                self.row = self.decode(flags);
            }
        }
        Some(self.row)
    }
}

impl Rows<'_> {
    fn decode(&mut self, flags: u8) -> Row {
        let (bytes, at) = (&self.column.bytes, &mut self.at);
        let mut flow = |known: u8, changed: u8, way: &mut Way| {
            if flags & changed != 0 {
                let packets = follow(way.last.packets, take(bytes, at));
                way.take(Flow { packets, bytes: follow(way.expected(packets), take(bytes, at)) });
            }
            (flags & known != 0).then_some(way.last)
        };
        let ingress = flow(INGRESS, INGRESS_CHANGED, &mut self.coder.ingress);
        let egress = flow(EGRESS, EGRESS_CHANGED, &mut self.coder.egress);
        let losses = if flags & LOSSES == 0 { [0, 0] } else { [take(bytes, at), take(bytes, at)] };
        Row { ingress, egress, lost: (flags & LOST != 0).then_some(losses) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    fn back(column: &Column) -> Vec<Row> {
        column.rows().take(column.rows as usize).collect()
    }

    fn column(rows: &[Row]) -> Column {
        let mut column = Column::new(0, 0);
        (0..).zip(rows).for_each(|(second, row)| column.push(second, *row));
        column
    }

    fn row(ingress: u64, egress: u64) -> Row {
        let flow = |packets| Some(Flow { packets, bytes: packets * 124 });
        Row { ingress: flow(ingress), egress: flow(egress), lost: Some([0, 0]) }
    }

    #[test]
    fn whatever_is_put_in_comes_out() {
        let mut random = Random(11);
        let mut rows = Vec::new();
        while rows.len() < 5000 {
            let mut number = || random.next() >> (random.0 % 64);
            let mut flow = || Some(Flow { packets: number(), bytes: number() }).filter(|flow| flow.bytes % 7 > 0);
            let row = Row { ingress: flow(), egress: flow(), lost: Some([number(), 0]).filter(|lost| lost[0] % 3 > 0) };
            let times = if random.one_in(5) { random.below(400) } else { 1 };
            rows.extend(std::iter::repeat_n(row, times));
        }
        assert_eq!(back(&column(&rows)), rows);
    }

    #[test]
    fn seconds_in_which_it_was_not_there_are_known_as_such_at_the_start_within_and_after() {
        let mut column = Column::new(4, 300);
        column.push(300, row(1, 2));
        column.push(700, row(1, 2));
        let rows: Vec<Row> = column.rows().take(1000).collect();
        let there: Vec<usize> = (0..).zip(&rows).filter(|(_, row)| **row != Row::default()).map(|(second, _)| second).collect();
        assert_eq!((there, column.rows), (vec![300, 700], 701));
        assert_eq!(rows[700], row(1, 2));
    }

    #[test]
    fn a_calm_second_needs_next_to_nothing_a_busy_one_few_bytes() {
        let calm = column(&[row(2, 2); 600]);
        assert!(calm.bytes.len() < 16, "{} bytes", calm.bytes.len());
        let wobbles: Vec<Row> = (0..600).map(|second| row(2 + second % 2, 2)).collect();
        assert!(column(&wobbles).bytes.len() <= 600 * 3 + 8, "a byte of flags and two numbers");
        let mut random = Random(5);
        let mut flow = || {
            let packets = 100_000 + random.next() % 20_000;
            Some(Flow { packets, bytes: packets * (700 + random.next() % 30) })
        };
        let busy: Vec<Row> = (0..600).map(|_| Row { ingress: flow(), egress: flow(), lost: Some([0, 0]) }).collect();
        let bytes = column(&busy).bytes.len();
        assert!((5 * 600..14 * 600).contains(&bytes), "{bytes} bytes");
    }
}
