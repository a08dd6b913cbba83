//! What the bench of peers computes and reads, apart from the measuring: [`stats`], [`flips`], what each tool says at its end ([`said`]), the
//! records of its files ([`records`]), and the plots ([`plot`]).

pub mod flips;
pub mod plot;
pub mod records;
pub mod said;
pub mod stats;
