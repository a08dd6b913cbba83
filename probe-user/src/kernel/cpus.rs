//! CPUs that can run programs.

use std::fs;

/// Number of CPUs that need blocks: the highest number of a CPU that is present, plus one. CPUs that are merely possible (a virtual
/// machine may declare hundreds) would only take memory; should one come up, its frames are counted as not recorded.
pub fn present() -> u32 {
    let possible = || aya::util::nr_cpus().ok().and_then(|n| u32::try_from(n).ok());
    fs::read_to_string("/sys/devices/system/cpu/present").ok().and_then(|text| count(&text)).or_else(possible).unwrap_or(1)
}

/// Highest number of a list like `0-3,8`, plus one.
fn count(list: &str) -> Option<u32> {
    list.trim().split([',', '-']).map(|number| number.parse::<u32>().ok()).max()?.and_then(|highest| highest.checked_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_cpu_of_a_list_counts() {
        assert_eq!([count("0\n"), count("0-7\n"), count("0-3,8-11")], [Some(1), Some(8), Some(12)]);
        assert_eq!(count("x"), None);
    }
}
