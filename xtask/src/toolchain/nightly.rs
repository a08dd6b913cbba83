//! The ordinary way: a rustup nightly that has rust-src.

use std::process::Command;

use super::{Compiler, has_sources, linker, llvm};
use crate::exec::quiet;
use crate::ui;

/// The first nightly of rustup that has its sources, and for whose LLVM there is or can be a linker.
pub fn find() -> Option<Compiler> {
    let list = quiet(Command::new("rustup").args(["toolchain", "list"])).ok()?;
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| name.starts_with("nightly")) {
        if !has_sources(name) {
            ui::note(&format!("{name} has no rust-src (`rustup component add rust-src --toolchain {name}`): not used"));
            continue;
        }
        let Some(llvm) = llvm(name) else { continue };
        if linker::possible(llvm) {
            return Some(Compiler { name: name.to_owned(), bootstrap: false, llvm });
        }
        ui::note(&format!(
            "{name} has LLVM {llvm}, and there is neither a bpf-linker on PATH nor an LLVM {llvm} to build one: not used"
        ));
    }
    None
}
