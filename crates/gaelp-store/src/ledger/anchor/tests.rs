use super::*;

fn anchors() -> Anchors {
    let mut anchors = Anchors::default();
    let hash = Hash([0xab; 32]);
    anchors.set("main", LedgerHead { seq: 12, hash });
    anchors.set("äöü \"quoted\"\n", LedgerHead::START);
    anchors
}

/// The file as it was first written: later versions must read it. The digest was computed by an
/// implementation of BLAKE3 in another language.
const WRITTEN: &str = concat!(
    "gaelp ledger heads 1\n",
    "{\"account\":\"main\",\"seq\":12,\"hash\":\"",
    "abababababababababababababababababababababababababababababababab\"}\n",
    "{\"account\":\"äöü \\\"quoted\\\"\\n\",\"seq\":0,\"hash\":\"",
    "21e502c6d560cc869bec68efe0f08662b10f64a41a9807e81a890fb2912100cf\"}\n",
    "blake3 0a545814aa6a0f5c0227ae523bca710a98c21e59b74fecb93bcc9b9faee5e71a\n",
);

#[test]
fn what_is_written_is_what_was_written_first() {
    let text = anchors().encode().expect("text");
    assert_eq!(text, WRITTEN);
    assert_eq!(Anchors::decode(WRITTEN.as_bytes()), Some(anchors()));
}

#[test]
fn every_cut_and_every_flipped_bit_shows() {
    let bytes = WRITTEN.as_bytes();
    for length in 0..bytes.len() {
        assert_eq!(Anchors::decode(&bytes[..length]), None, "cut at {length}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Anchors::decode(&flipped), None, "bit {bit}");
    }
    assert_eq!(Anchors::decode(&[bytes, b"\n"].concat()), None);
}

/// A digest that fits does not make up for a line that this crate would not write.
#[test]
fn only_its_own_form_is_read() {
    for lines in [
        "{\"account\":\"a\",\"seq\":1}\n",
        "{\"account\":\"a\",\"seq\":-1,\"hash\":\"00\"}\n",
        "\n",
        "x\n",
    ] {
        let text = format!("{FORMAT}\n{lines}");
        let digest = blake3::hash(text.as_bytes()).to_hex();
        let text = format!("{text}{DIGEST}{digest}\n");
        assert_eq!(Anchors::decode(text.as_bytes()), None, "{lines}");
    }
    let empty = Anchors::default();
    let text = empty.encode().expect("text");
    assert_eq!(Anchors::decode(text.as_bytes()), Some(empty));
}

#[test]
fn a_file_is_replaced_in_one_piece() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("s.sqlite");
    assert!(AnchorFile::beside(&database).is_err(), "there is none yet");
    fs::write(&database, "")?;
    let file = AnchorFile::beside(&database)?;
    assert_eq!(file.read()?, Ok(Anchors::default()));
    // What a killed process left half-written is in nobody's way.
    fs::write(folder.path().join("s.sqlite.head.new"), "gael")?;
    file.write(&anchors())?;
    assert_eq!(file.read()?, Ok(anchors()));
    let mut names: Vec<_> = fs::read_dir(folder.path())?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    assert_eq!(names, ["s.sqlite", "s.sqlite.head"]);
    fs::write(folder.path().join("s.sqlite.head"), vec![b' '; 2 << 20])?;
    assert_eq!(file.read()?, Err(Unreadable));
    Ok(())
}

/// Whoever opens the database through a link must find the same anchor.
#[cfg(unix)]
#[test]
fn a_link_leads_to_the_same_file() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("s.sqlite");
    fs::write(&database, "")?;
    let link = folder.path().join("link.sqlite");
    std::os::unix::fs::symlink(&database, &link)?;
    assert_eq!(
        AnchorFile::beside(&link)?.path,
        AnchorFile::beside(&database)?.path
    );
    Ok(())
}
