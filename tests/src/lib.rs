//! What the tests share: [`traffic`] makes frames that can be checked byte by byte wherever they turn up, and [`harness`]
//! makes network namespaces, links and bonds, runs the agent in them and reads what it wrote. [`dump`] makes capture files,
//! [`fixture`] has incidents that need no network at all, and [`zoo`] breaks bonds in every way that the verdict has to know.

pub mod dump;
pub mod fixture;
pub mod harness;
pub mod live;
pub mod peers;
pub mod traffic;
pub mod zoo;
