//! A writer of cpio archives in the "newc" format, which is what a Linux initramfs is made of.
//!
//! Source: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel. Everything belongs to root,
//! parent directories are added by themselves, and the trailer is written by [`Archive::finish`].

use std::collections::BTreeSet;

const FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const SYMLINK: u32 = 0o120_000;

/// An archive being written to memory.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    directories: BTreeSet<String>,
    inode: u32,
}

impl Archive {
    /// An empty archive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the directory `path` (absolute or not) and its parents, mode 755; again is no harm.
    pub fn directory(&mut self, path: &str) {
        let path = path.trim_matches('/');
        if path.is_empty() || self.directories.contains(path) {
            return;
        }
        self.parents(path);
        self.directories.insert(path.to_owned());
        self.entry(path, DIRECTORY | 0o755, &[]);
    }

    /// Adds a regular file; `mode` is its permission bits.
    pub fn file(&mut self, path: &str, mode: u32, data: &[u8]) {
        let path = path.trim_matches('/');
        self.parents(path);
        self.entry(path, FILE | (mode & 0o7777), data);
    }

    /// Adds a symbolic link at `path` that points to `to`.
    pub fn symlink(&mut self, path: &str, to: &str) {
        let path = path.trim_matches('/');
        self.parents(path);
        self.entry(path, SYMLINK | 0o777, to.as_bytes());
    }

    /// The archive's bytes with the trailer, a multiple of 512 long, so that another may follow.
    pub fn finish(mut self) -> Vec<u8> {
        self.inode = 0;
        self.header("TRAILER!!!", 0, 0);
        self.pad(512);
        self.bytes
    }

    fn parents(&mut self, path: &str) {
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent);
        }
    }

    fn entry(&mut self, path: &str, mode: u32, data: &[u8]) {
        self.inode += 1;
        self.header(path, mode, data.len());
        self.bytes.extend_from_slice(data);
        self.pad(4);
    }

    fn header(&mut self, path: &str, mode: u32, size: usize) {
        let links = u32::from(mode != 0);
        let fields: [u32; 13] = [
            self.inode,
            mode,
            0, // uid
            0, // gid
            links,
            0, // mtime
            u32::try_from(size).unwrap_or(u32::MAX),
            0, // device
            0,
            0, // device, of special files
            0,
            u32::try_from(path.len() + 1).unwrap_or(u32::MAX),
            0, // checksum: none in newc
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad(4);
    }

    fn pad(&mut self, to: usize) {
        let len = self.bytes.len().next_multiple_of(to);
        self.bytes.resize(len, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_header_of_110_bytes_its_name_and_its_data_each_padded_to_four() {
        let mut archive = Archive::new();
        archive.file("/init", 0o755, b"hello");
        let bytes = archive.finish();
        let header = "070701\
            00000001000081ed0000000000000000000000010000000000000005\
            000000000000000000000000000000000000000500000000";
        assert_eq!(header.len(), 110);
        assert_eq!(&bytes[..110], header.as_bytes());
        // 110 + 5 bytes of name and its end are 115: one byte of padding
        assert_eq!(&bytes[110..116], b"init\0\0");
        assert_eq!(&bytes[116..124], b"hello\0\0\0");
    }

    #[test]
    fn parents_come_before_their_children_and_only_once() {
        let mut archive = Archive::new();
        archive.file("a/b/one", 0o644, b"1");
        archive.file("a/b/two", 0o644, b"2");
        let text = String::from_utf8_lossy(&archive.finish()).into_owned();
        let names: Vec<&str> = ["a\0", "a/b\0", "a/b/one\0", "a/b/two\0"].into();
        let places: Vec<usize> = names.iter().filter_map(|name| text.find(name)).collect();
        assert_eq!(places.len(), 4);
        assert!(places.is_sorted());
        assert_eq!(text.matches("070701").count(), 5, "four entries and the trailer");
    }

    #[test]
    fn an_archive_ends_with_the_trailer_at_a_multiple_of_512() {
        let bytes = Archive::new().finish();
        assert_eq!(bytes.len() % 512, 0);
        assert!(bytes.windows(10).any(|window| window == b"TRAILER!!!"));
    }
}
