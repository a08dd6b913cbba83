//! What the tests share: [`traffic`] makes frames that can be checked byte by byte wherever they turn up, and [`harness`]
//! makes network namespaces, links and bonds, runs the agent in them and reads what it wrote.

pub mod harness;
pub mod traffic;
