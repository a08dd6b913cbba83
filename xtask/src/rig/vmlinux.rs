//! Takes the uncompressed kernel out of a bzImage: booting that by PVH saves the unpacking under emulation.
//!
//! Source: Documentation/arch/x86/boot.rst: `setup_sects` at 0x1f1, `HdrS` at 0x202, the protocol's version at 0x206,
//! `payload_offset` and `payload_length` at 0x248 (protocol 2.08 on), counted from the end of the setup sectors.

use anyhow::{Context, Result, bail, ensure};

/// How a payload is compressed: the name of the program that unpacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// LZ4's legacy frame (Debian's cloud kernels of 6.1)
    Lz4,
    /// xz with the x86 filter (other kernels of 6.1, and modules)
    Xz,
    /// Zstandard (Debian's 6.12)
    Zstd,
}

/// The compressed kernel in `image`, without the length that the kernel's build appends, and its packing.
///
/// # Errors
/// When `image` is no bzImage of protocol 2.08 or later, is cut off, or is packed by something else.
pub fn payload(image: &[u8]) -> Result<(&[u8], Packing)> {
    let magic = image.get(0x202..0x206).context("too short for a kernel image")?;
    ensure!(magic == b"HdrS", "not a bzImage: no HdrS at 0x202");
    let version = u16::from_le_bytes([byte(image, 0x206)?, byte(image, 0x207)?]);
    ensure!(version >= 0x208, "boot protocol {version:#x} is older than 2.08");
    let setup_sectors = match byte(image, 0x1f1)? {
        0 => 4,
        sectors => usize::from(sectors),
    };
    let start = (setup_sectors + 1) * 512 + word(image, 0x248)?;
    let length = word(image, 0x24c)?;
    let packed = start
        .checked_add(length)
        .and_then(|end| image.get(start..end))
        .with_context(|| format!("the payload of {length} bytes at {start} is not all there"))?;
    // the unpacked size after the stream is no part of it
    let (stream, _size) = packed.split_last_chunk::<4>().context("an empty payload")?;
    match stream.get(..4) {
        Some(b"\x28\xb5\x2f\xfd") => Ok((stream, Packing::Zstd)),
        Some(b"\xfd7zX") => Ok((stream, Packing::Xz)),
        Some(b"\x02\x21\x4c\x18") => Ok((stream, Packing::Lz4)),
        other => bail!("payload starts with {other:x?}: neither zstd, xz nor lz4"),
    }
}

fn byte(image: &[u8], at: usize) -> Result<u8> {
    image.get(at).copied().with_context(|| format!("cut off before {at:#x}"))
}

fn word(image: &[u8], at: usize) -> Result<usize> {
    let bytes = image.get(at..).and_then(|rest| rest.first_chunk::<4>()).context("cut off in the header")?;
    Ok(u32::from_le_bytes(*bytes) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with two setup sectors, and `payload` 16 bytes behind them.
    fn image(payload: &[u8]) -> Vec<u8> {
        let mut image = vec![0u8; 3 * 512 + 16];
        image[0x1f1] = 2;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x206..0x208].copy_from_slice(&0x20f_u16.to_le_bytes());
        image[0x248..0x24c].copy_from_slice(&16u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        image.extend_from_slice(payload);
        image.extend_from_slice(b"what follows");
        image
    }

    #[test]
    fn a_payload_is_found_without_the_appended_size() {
        let zstd = image(b"\x28\xb5\x2f\xfdkernelSIZE");
        assert_eq!(payload(&zstd).expect("a payload"), (&b"\x28\xb5\x2f\xfdkernel"[..], Packing::Zstd));
        let xz = image(b"\xfd7zXZ\0kernelSIZE");
        assert_eq!(payload(&xz).expect("a payload"), (&b"\xfd7zXZ\0kernel"[..], Packing::Xz));
        let lz4 = image(b"\x02\x21\x4c\x18kernelSIZE");
        assert_eq!(payload(&lz4).expect("a payload"), (&b"\x02\x21\x4c\x18kernel"[..], Packing::Lz4));
    }

    #[test]
    fn a_cut_off_image_and_a_strange_one_are_refused() {
        let whole = image(b"\x28\xb5\x2f\xfdkernelSIZE");
        assert!(payload(&whole[..3 * 512 + 20]).is_err());
        assert!(payload(&whole[..0x249]).is_err());
        assert!(payload(b"\x7fELF").is_err());
        assert!(payload(&image(b"\x1f\x8b\x08\0gzip")).is_err());
    }
}
