//! Paths as text: `search > email > search`.

use crate::{ChannelError, ChannelId, Channels, Journeys};

/// The touches of a path for which memory is asked beforehand.
const USUAL: usize = 4;

/// Reads paths into columns.
///
/// Channels are separated by `>`; white space around them and empty ones are dropped, so an empty
/// text is an empty path.
///
/// **Cost.** Some ten nanoseconds per touch whose channel has a name of at most six bytes, more for
/// longer ones; two bytes of memory per touch and eight per path.
///
/// ```
/// use gaelp_attribution::PathReader;
///
/// let mut reader = PathReader::default();
/// reader.read(["search > email > search", ""])?;
/// assert_eq!(reader.channels().names().collect::<Vec<_>>(), ["search", "email"]);
/// assert_eq!(reader.journeys().get(0), Some(&[0, 1, 0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PathReader {
    channels: Channels,
    codes: Vec<u16>,
    offsets: Vec<u64>,
    short: ShortNames,
}

impl Default for PathReader {
    fn default() -> Self {
        Self::new(Channels::default())
    }
}

impl PathReader {
    /// A reader that goes on from known channels.
    pub fn new(channels: Channels) -> Self {
        Self {
            channels,
            codes: Vec::new(),
            offsets: vec![0],
            short: ShortNames::default(),
        }
    }

    /// Reads paths, a column of them.
    ///
    /// The same as reading one after the other, but its memory is asked for at once.
    ///
    /// # Errors
    /// As [`push`](Self::push); the paths before the one that is not taken are.
    pub fn read<S: AsRef<str>>(
        &mut self,
        paths: impl IntoIterator<Item = S>,
    ) -> Result<(), ChannelError> {
        let paths = paths.into_iter();
        let (known, _) = paths.size_hint();
        self.offsets.reserve(known);
        self.codes.reserve(known.saturating_mul(USUAL));
        for path in paths {
            self.push(path.as_ref())?;
        }
        Ok(())
    }

    /// Reads one path.
    ///
    /// # Errors
    /// [`ChannelError::TooMany`] where it has a new channel and there is no number left; the path
    /// is then not taken.
    pub fn push(&mut self, path: &str) -> Result<(), ChannelError> {
        let begin = self.codes.len();
        let bytes = path.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            // A space ahead is a matter of guessing, not of waiting: nothing else needs this byte.
            let known = if bytes[at] == b' ' {
                self.short.read(bytes, at + 1)
            } else {
                self.short.read(bytes, at)
            };
            if let Some((id, next)) = known {
                self.codes.push(id.get());
                at = next;
                continue;
            }
            let rest = bytes[at..].iter();
            let length = rest.take_while(|&&byte| byte != b'>').count();
            match self.code(&path[at..at + length]) {
                Ok(code) => self.codes.extend(code),
                Err(error) => {
                    self.codes.truncate(begin);
                    return Err(error);
                }
            }
            at += length + 1;
        }
        self.offsets.push(self.codes.len() as u64);
        Ok(())
    }

    /// The paths read so far.
    pub fn journeys(&self) -> Journeys<'_, u16, u64> {
        Journeys::trusted(&self.codes, &self.offsets, self.channels.len())
    }

    /// The channels met so far.
    pub const fn channels(&self) -> &Channels {
        &self.channels
    }

    /// The number of the name between two separators; none where there is none.
    fn code(&mut self, part: &str) -> Result<Option<u16>, ChannelError> {
        let name = part.trim();
        if name.is_empty() {
            return Ok(None);
        }
        let id = self.channels.intern(name)?;
        // With unusual white space around it, a name is not worth an entry.
        let part = part.strip_prefix(' ').unwrap_or(part);
        if part == name || part.strip_suffix(' ') == Some(name) {
            self.short.insert(part.as_bytes(), id);
        }
        Ok(Some(id.get()))
    }
}

/// What stands in an entry without a name: text has no byte of ones only.
const EMPTY: (u64, ChannelId) = (u64::MAX, ChannelId::new(0));

/// Tables of fewer entries grow for want of a place of its own for every name: 32 kB.
const SPARSE: usize = 2_048;

/// The numbers of names of at most seven bytes, a space behind it included, in an open table.
///
/// A key is a name as it is written, with its space and its separator: so names that end in a zero
/// byte are told apart too.
#[derive(Clone, Debug, Default)]
struct ShortNames {
    /// A power of two of entries, at most an eighth of them taken.
    entries: Vec<(u64, ChannelId)>,
    taken: usize,
}

impl ShortNames {
    /// The number of the known name from `begin` on, and where the next name begins.
    #[inline]
    fn read(&self, bytes: &[u8], begin: usize) -> Option<(ChannelId, usize)> {
        let word = word(bytes, begin);
        let ends = separators(word);
        // All up to the first separator; without one, the whole word, which no key equals.
        let id = self.get(word & (ends ^ ends.wrapping_sub(1)))?;
        Some((id, begin + (ends.trailing_zeros() as usize + 1) / 8))
    }

    #[inline]
    fn get(&self, key: u64) -> Option<ChannelId> {
        let mask = self.entries.len().checked_sub(1)?;
        let mut place = slot(key) & mask;
        loop {
            match self.entries[place] {
                (found, id) if found == key => return Some(id),
                EMPTY => return None,
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// Adds a name as it is written, where it is short and new.
    fn insert(&mut self, name: &[u8], id: ChannelId) {
        if name.len() > 7 {
            return;
        }
        let key = word(name, 0);
        if self.get(key).is_some() {
            return;
        }
        if self.taken * 8 >= self.entries.len() {
            self.grow();
        }
        self.taken += 1;
        let mut moved = self.place(key, id);
        // A few names all find their own place: no comparison of theirs ever fails.
        while moved && self.entries.len() < SPARSE {
            moved = self.grow();
        }
    }

    /// Doubles the table; whether an entry had to go elsewhere than its own place.
    fn grow(&mut self) -> bool {
        let doubled = (self.entries.len() * 2).max(256);
        let old = std::mem::replace(&mut self.entries, vec![EMPTY; doubled]);
        let mut moved = false;
        for (key, id) in old.into_iter().filter(|&entry| entry != EMPTY) {
            moved |= self.place(key, id);
        }
        moved
    }

    /// Puts an entry into its own place or after it; whether after.
    fn place(&mut self, key: u64, id: ChannelId) -> bool {
        let mask = self.entries.len() - 1;
        let own = slot(key) & mask;
        let mut place = own;
        while self.entries[place] != EMPTY {
            place = (place + 1) & mask;
        }
        self.entries[place] = (key, id);
        place != own
    }
}

/// Eight bytes from `begin` on as a number; where there are fewer, a separator follows them.
#[inline]
fn word(bytes: &[u8], begin: usize) -> u64 {
    let rest = bytes.get(begin..).unwrap_or_default();
    if let Some(word) = rest.first_chunk() {
        return u64::from_le_bytes(*word);
    }
    let end = SEPARATOR << (8 * rest.len());
    if let Some(word) = bytes.last_chunk() {
        // Of eight bytes at least one is not of the rest.
        return u64::from_le_bytes(*word) >> 8 >> (56 - 8 * rest.len()) | end;
    }
    let longer = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
    rest.iter().rev().fold(0, longer) | end
}

/// What separates names.
const SEPARATOR: u64 = b'>' as u64;

/// A number whose lowest bit is the top bit of the first separator of a word; zero without any.
#[inline]
const fn separators(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A byte that equals the separator becomes zero, and the lowest zero sets its top bit.
    let differs = word ^ (ONES * SEPARATOR);
    differs.wrapping_sub(ONES) & !differs & (ONES << 7)
}

/// Where a key is looked for first: the upper bits of a product depend on all bits of the key.
const fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}
