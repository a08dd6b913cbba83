//! Kernel modules: which others each needs (from its own `.modinfo`), the order to load them in, and their signature's removal.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

/// What the rig loads, besides what these need. `bonding` is loaded with `max_bonds=0`, or bond0 would exist already.
pub const WANTED: &[&str] = &[
    "tls",
    "bonding",
    "veth",
    "8021q",
    "bridge",
    "dummy",
    "macvlan",
    "sch_ingress",
    "sch_netem",
    "sch_tbf",
    "cls_bpf",
    "cls_matchall",
    "act_gact",
    "act_mirred",
    "virtio_pci",
    "virtio_blk",
];

/// The modules that `module` needs, out of its `depends=` note. None for a module without such a note.
pub fn depends(module: &[u8]) -> Vec<String> {
    const NOTE: &[u8] = b"\0depends=";
    let Some(at) = module.windows(NOTE.len()).position(|window| window == NOTE) else {
        return Vec::new();
    };
    let list = module[at + NOTE.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(list).split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// `module` without the signature that may be appended to it: the rig's kernel need not check it.
///
/// Source: `struct module_signature` and its magic in include/linux/module_signature.h.
pub fn without_signature(module: &[u8]) -> &[u8] {
    const MAGIC: &[u8] = b"~Module signature appended~\n";
    let cut = || {
        let signed = module.strip_suffix(MAGIC)?;
        let (body, info) = signed.split_last_chunk::<12>()?;
        let length = u32::from_be_bytes([info[8], info[9], info[10], info[11]]) as usize;
        body.get(..body.len().checked_sub(length)?)
    };
    cut().unwrap_or(module)
}

/// The names in `wanted` and all that they need, each after what it needs itself.
///
/// `needs` tells what one module needs; it is asked once for each. Names are taken with `-` as `_`.
///
/// # Errors
/// What `needs` returns, with the chain that led there.
pub fn load_order(wanted: &[&str], mut needs: impl FnMut(&str) -> Result<Vec<String>>) -> Result<Vec<String>> {
    let mut known = BTreeSet::new();
    let mut order = Vec::new();
    for name in wanted {
        visit(&plain(name), &mut needs, &mut known, &mut order, &mut BTreeSet::new())
            .with_context(|| format!("module {name}"))?;
    }
    Ok(order)
}

/// A module's name as the kernel writes it.
pub fn plain(name: &str) -> String {
    name.replace('-', "_")
}

fn visit(
    name: &str,
    needs: &mut impl FnMut(&str) -> Result<Vec<String>>,
    known: &mut BTreeSet<String>,
    order: &mut Vec<String>,
    above: &mut BTreeSet<String>,
) -> Result<()> {
    // a circle cannot be loaded in any order: insmod would say so
    if known.contains(name) || !above.insert(name.to_owned()) {
        return Ok(());
    }
    for needed in needs(name)? {
        visit(&plain(&needed), needs, known, order, above).with_context(|| format!("needed by {name}"))?;
    }
    above.remove(name);
    known.insert(name.to_owned());
    order.push(name.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn needs(name: &str) -> Result<Vec<String>> {
        let list: &[&str] = match name {
            "bridge" => &["stp", "llc"],
            "stp" => &["llc"],
            "garp" => &["stp", "llc"],
            "8021q" => &["garp"],
            "llc" | "tls" | "virtio_pci" => &[],
            other => bail!("no module {other}"),
        };
        Ok(list.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn each_module_is_loaded_once_and_after_what_it_needs() {
        let order = load_order(&["8021q", "bridge", "virtio-pci"], needs).expect("an order");
        assert_eq!(order, ["llc", "stp", "garp", "8021q", "bridge", "virtio_pci"]);
    }

    #[test]
    fn a_missing_module_is_named_with_who_needs_it() {
        let error = load_order(&["bond"], needs).expect_err("no such module");
        assert!(format!("{error:#}").contains("bond"), "{error:#}");
    }

    #[test]
    fn dependencies_are_read_from_the_modinfo_note() {
        assert_eq!(depends(b"x\0license=GPL\0depends=stp,llc\0name=bridge\0"), ["stp", "llc"]);
        assert!(depends(b"x\0license=GPL\0depends=\0name=tls\0").is_empty());
        assert!(depends(b"no note").is_empty());
    }

    #[test]
    fn an_appended_signature_is_cut_off_and_nothing_else() {
        let mut module = b"ELF and code".to_vec();
        module.extend_from_slice(b"SIGNATURE");
        module.extend_from_slice(&[0, 0, 2, 0, 0, 0, 0, 0]);
        module.extend_from_slice(&9u32.to_be_bytes());
        module.extend_from_slice(b"~Module signature appended~\n");
        assert_eq!(without_signature(&module), b"ELF and code");
        assert_eq!(without_signature(b"ELF and code"), b"ELF and code");
        assert_eq!(without_signature(b"~Module signature appended~\n"), b"~Module signature appended~\n");
    }
}
