//! A file system image for a config drive (ISO 9660 level 2, ECMA-119): what guests' systems mount read-only.
//!
//! Names are written in capitals with a version, as the standard has them; systems show them in lower case and without. Deliberately
//! absent: Rock Ridge and Joliet, which nothing here needs.

use std::collections::{BTreeMap, BTreeSet};

const SECTOR: usize = 2048;
/// The first sectors are the system's, then come the descriptors.
const DESCRIPTORS: usize = 16;
/// Path tables: with numbers little end first, and big end first.
const TABLES: [usize; 2] = [DESCRIPTORS + 2, DESCRIPTORS + 3];
const FIRST_DIRECTORY: usize = TABLES[1] + 1;
/// 2000-01-01: the image is the same whenever it is made.
const DATE: [u8; 7] = [100, 1, 1, 0, 0, 0, 0];
const NO_DATE: [u8; 17] = *b"0000000000000000\0";

/// An image with these files; paths are of up to eight directories, and a directory's names and the table of directories fit a sector each.
/// None when they do not.
pub fn image(label: &str, files: &BTreeMap<String, Vec<u8>>) -> Option<Vec<u8>> {
    let directories = directories(files);
    let sectors = |bytes: usize| bytes.div_ceil(SECTOR);
    let mut next = FIRST_DIRECTORY + directories.len();
    let mut places = BTreeMap::new();
    for (path, content) in files {
        places.insert(path.as_str(), Extent { at: next, bytes: content.len() });
        next += sectors(content.len());
    }
    let at = |directory: &str| directories.iter().position(|known| known == directory).map(|number| FIRST_DIRECTORY + number);
    let mut image = vec![0; next * SECTOR];
    put(&mut image, DESCRIPTORS, &volume(label, next, path_table(&directories, u16::to_le_bytes, u32::to_le_bytes).len()));
    put(&mut image, DESCRIPTORS + 1, b"\xffCD001\x01");
    put_sector(&mut image, TABLES[0], &path_table(&directories, u16::to_le_bytes, u32::to_le_bytes))?;
    put_sector(&mut image, TABLES[1], &path_table(&directories, u16::to_be_bytes, u32::to_be_bytes))?;
    for directory in &directories {
        let (own, above) = (at(directory)?, at(parent(directory))?);
        let mut records =
            [record(&[0], Extent { at: own, bytes: SECTOR }, true), record(&[1], Extent { at: above, bytes: SECTOR }, true)].concat();
        let mut entries: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for child in directories.iter().filter(|child| !child.is_empty() && parent(child) == directory) {
            let name = base(child).to_ascii_uppercase().into_bytes();
            entries.insert(name.clone(), record(&name, Extent { at: at(child)?, bytes: SECTOR }, true));
        }
        for (path, extent) in places.iter().filter(|(path, _)| parent(path) == directory) {
            let name = file_name(base(path));
            entries.insert(name.clone(), record(&name, *extent, false));
        }
        records.extend(entries.into_values().flatten());
        put_sector(&mut image, own, &records)?;
    }
    for (path, content) in files {
        put(&mut image, places[path.as_str()].at, content);
    }
    Some(image)
}

/// Where a file or directory is.
#[derive(Clone, Copy)]
struct Extent {
    at: usize,
    bytes: usize,
}

fn put(image: &mut [u8], sector: usize, bytes: &[u8]) {
    image[sector * SECTOR..][..bytes.len()].copy_from_slice(bytes);
}

fn put_sector(image: &mut [u8], sector: usize, bytes: &[u8]) -> Option<()> {
    (bytes.len() <= SECTOR).then(|| put(image, sector, bytes))
}

/// All directories by depth and then by name, the root first.
fn directories(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut found = BTreeSet::from([(0, String::new())]);
    for path in files.keys() {
        let mut directory = parent(path);
        while !directory.is_empty() {
            found.insert((directory.split('/').count(), directory.to_owned()));
            directory = parent(directory);
        }
    }
    found.into_iter().map(|(_, directory)| directory).collect()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn base(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, base)| base)
}

/// A file's name has a dot, also one without an extension, and a version.
fn file_name(name: &str) -> Vec<u8> {
    let dot = if name.contains('.') { "" } else { "." };
    format!("{}{dot};1", name.to_ascii_uppercase()).into_bytes()
}

/// A number in both byte orders.
fn both32(number: usize) -> [u8; 8] {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    bytes
}

const fn both16(number: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (number.to_le_bytes(), number.to_be_bytes());
    [a, b, c, d]
}

/// A directory record (ECMA-119, 9.1).
fn record(name: &[u8], extent: Extent, directory: bool) -> Vec<u8> {
    let length = (33 + name.len()).next_multiple_of(2);
    let mut bytes = vec![length as u8, 0];
    bytes.extend(both32(extent.at));
    bytes.extend(both32(extent.bytes));
    bytes.extend(DATE);
    bytes.extend([if directory { 2 } else { 0 }, 0, 0]);
    bytes.extend(both16(1));
    bytes.push(name.len() as u8);
    bytes.extend(name);
    bytes.resize(length, 0);
    bytes
}

/// The table of directories (ECMA-119, 9.4), with numbers in one byte order.
fn path_table(directories: &[String], of16: fn(u16) -> [u8; 2], of32: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, directory) in directories.iter().enumerate() {
        let name = if directory.is_empty() { vec![0] } else { base(directory).to_ascii_uppercase().into_bytes() };
        let above = directories.iter().position(|known| known == parent(directory)).unwrap_or(0) + 1;
        bytes.extend([name.len() as u8, 0]);
        bytes.extend(of32((FIRST_DIRECTORY + number) as u32));
        bytes.extend(of16(above as u16));
        bytes.extend(&name);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
    }
    bytes
}

/// The primary volume descriptor (ECMA-119, 8.4).
fn volume(label: &str, sectors: usize, table_bytes: usize) -> Vec<u8> {
    let mut bytes = b"\x01CD001\x01\0".to_vec();
    let mut field = |content: &[u8], length: usize, fill: u8| {
        let content = &content[..content.len().min(length)];
        bytes.extend(content);
        bytes.extend(vec![fill; length - content.len()]);
    };
    field(b"", 32, b' ');
    field(label.as_bytes(), 32, b' ');
    field(b"", 8, 0);
    field(&both32(sectors), 8, 0);
    field(b"", 32, 0);
    field(&both16(1), 4, 0);
    field(&both16(1), 4, 0);
    field(&both16(SECTOR as u16), 4, 0);
    field(&both32(table_bytes), 8, 0);
    field(&(TABLES[0] as u32).to_le_bytes(), 8, 0);
    field(&(TABLES[1] as u32).to_be_bytes(), 8, 0);
    field(&record(&[0], Extent { at: FIRST_DIRECTORY, bytes: SECTOR }, true), 34, 0);
    for length in [128, 128, 128, 128, 37, 37, 37] {
        field(b"", length, b' ');
    }
    for _ in 0..4 {
        field(&NO_DATE, 17, 0);
    }
    field(&[1], 1, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> usize {
        let (little, big) = (bytes[..4].try_into().expect("four"), bytes[4..8].try_into().expect("four"));
        assert_eq!(u32::from_le_bytes(little), u32::from_be_bytes(big));
        u32::from_le_bytes(little) as usize
    }

    /// Names and contents, read as a system does.
    fn read(image: &[u8], record: &[u8], prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        let (at, bytes) = (number(&record[2..]), number(&record[10..]));
        let content = &image[at * SECTOR..][..bytes];
        if record[25] & 2 == 0 {
            found.insert(prefix.to_owned(), content.to_vec());
            return;
        }
        let mut rest = content;
        while let Some(length) = rest.first().filter(|length| **length > 0) {
            let (entry, after) = rest.split_at(usize::from(*length));
            rest = after;
            let name = &entry[33..][..usize::from(entry[32])];
            if name.len() > 1 || name[0] > 1 {
                let name = String::from_utf8_lossy(name).to_lowercase();
                let name = name.trim_end_matches(";1").trim_end_matches('.');
                read(image, entry, &format!("{prefix}/{name}"), found);
            }
        }
    }

    #[test]
    fn what_is_put_in_is_read_out() {
        let files = BTreeMap::from([
            ("openstack/latest/meta_data.json".to_owned(), b"{}".to_vec()),
            ("openstack/latest/user_data".to_owned(), vec![7; 3 * SECTOR + 1]),
            ("openstack/latest/vendor_data2.json".to_owned(), Vec::new()),
            ("openstack/content/0000".to_owned(), vec![1; SECTOR]),
        ]);
        let image = image("config-2", &files).expect("an image");
        assert_eq!(image.len() % SECTOR, 0);
        let volume = &image[DESCRIPTORS * SECTOR..];
        assert_eq!((&volume[1..6], &volume[40..48]), (&b"CD001"[..], &b"config-2"[..]));
        assert_eq!(number(&volume[80..]) * SECTOR, image.len());
        let mut found = BTreeMap::new();
        read(&image, &volume[156..190], "", &mut found);
        let wanted: BTreeMap<String, Vec<u8>> = files.into_iter().map(|(path, content)| (format!("/{path}"), content)).collect();
        assert_eq!(found, wanted);
        let many = (0..100).map(|n| (format!("file-{n}"), Vec::new())).collect();
        assert!(super::image("x", &many).is_none(), "too many for a sector");
    }
}
