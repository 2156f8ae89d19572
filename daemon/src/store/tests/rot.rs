//! Bit rot in the file itself: wherever a bit flips, rows come back right or the damage is noticed (trust.md R4).

use super::*;

/// Flips tried in one run of the test; the places are spread over the whole file.
const FLIPS: usize = 600;

enum Noticed {
    SetAside,
    Garbled,
    BadRows,
    Harmless,
}

fn try_once(dir: &TempDir, expected: &[Row]) -> Noticed {
    let opened = open(dir);
    if opened.set_aside.is_some() {
        return Noticed::SetAside;
    }
    let mut rows = Vec::new();
    match opened.store.load(|row| rows.push(row)) {
        Err(StoreError::Garbled { .. }) => Noticed::Garbled,
        Err(other) => panic!("not an answer to bit rot: {other}"),
        Ok(loaded) if loaded.bad > 0 => Noticed::BadRows,
        Ok(_) => {
            assert!(rows == expected, "rows differ and nobody noticed");
            Noticed::Harmless
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_in_the_file_is_noticed_or_harmless() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rows = one_of_each();
    rows.extend((10..120).map(|number| Row::Entry(entry(4, number, Some(&[number.to_le_bytes()[0]; 150])))));
    fill(&dir, rows);
    let (expected, _) = load(&dir);
    start(&dir, small()).writer.close().expect("closes");
    let path = dir.path().join("data").join(DATABASE);
    let sound = fs::read(&path).expect("read");
    let mut seen = [0; 4];
    for flip in 0..FLIPS {
        let mut bytes = sound.clone();
        let at = (flip * sound.len() / FLIPS + flip * 7 % 64) % sound.len();
        bytes[at] ^= 1 << (flip % 8);
        fs::write(&path, bytes).expect("flip");
        seen[try_once(&dir, &expected) as usize] += 1;
        fs::remove_dir_all(dir.path().join("data")).expect("away");
        make_folder(&dir.path().join("data")).expect("anew");
    }
    assert!(seen.iter().all(|count| *count > 0), "set aside, garbled, bad rows, harmless: {seen:?}");
}
