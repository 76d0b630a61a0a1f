//! Paths as text: `search > email > search`.

use crate::{ChannelError, ChannelId, Channels, Journeys};

/// Reads paths into columns.
///
/// Channels are separated by `>`; white space around them and empty ones are dropped, so an empty
/// text is an empty path.
///
/// **Cost.** Some fifteen nanoseconds per touch; two bytes of memory per touch and eight per path.
///
/// ```
/// use gaelp_attribution::PathReader;
///
/// let mut reader = PathReader::default();
/// reader.push("search > email > search")?;
/// reader.push("")?;
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

    /// Reads one path.
    ///
    /// # Errors
    /// [`ChannelError::TooMany`] where it has a new channel and there is no number left; the path
    /// is then not taken.
    pub fn push(&mut self, path: &str) -> Result<(), ChannelError> {
        let begin = self.codes.len();
        let mut at = 0;
        while at < path.len() {
            // A space ahead is a matter of guessing, not of waiting: nothing else needs this byte.
            let known = if path.as_bytes()[at] == b' ' {
                self.short.read(path.as_bytes(), at + 1)
            } else {
                self.short.read(path.as_bytes(), at)
            };
            if let Some((id, next)) = known {
                self.codes.push(id.get());
                at = next;
                continue;
            }
            let rest = path.as_bytes()[at..].iter();
            let length = rest.take_while(|&&byte| byte != b'>').count();
            let name = path[at..at + length].trim();
            if !name.is_empty() {
                match self.code(name) {
                    Ok(code) => self.codes.push(code),
                    Err(error) => {
                        self.codes.truncate(begin);
                        return Err(error);
                    }
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

    fn code(&mut self, name: &str) -> Result<u16, ChannelError> {
        let id = self.channels.intern(name)?;
        // With unusual white space around it, a name may be in the table already.
        if let Some(key) =
            ShortNames::key(name.as_bytes()).filter(|&key| self.short.get(key).is_none())
        {
            self.short.insert(key, id);
        }
        Ok(id.get())
    }
}

/// The numbers of names of at most eight bytes, in an open table.
#[derive(Clone, Debug, Default)]
struct ShortNames {
    /// A power of two of entries, at most an eighth of them taken; a key is never zero.
    entries: Vec<(u64, ChannelId)>,
    taken: usize,
}

impl ShortNames {
    /// The number of the known name from `begin` on, before at most one space, and where the next
    /// name begins.
    #[inline]
    fn read(&self, bytes: &[u8], begin: usize) -> Option<(ChannelId, usize)> {
        let rest = bytes.len().checked_sub(begin).filter(|&rest| rest > 0)?;
        let word = word(bytes, begin, rest);
        let length = match separator(word) {
            Some(length) => length,
            None if rest <= 8 => rest,
            None => return None,
        };
        let next = begin + length + 1;
        let spaced = length > 0 && bytes[begin + length - 1] == b' ';
        let length = length - usize::from(spaced);
        let key = word & u64::MAX.checked_shr(64 - 8 * u32::try_from(length).ok()?)?;
        // What ends in a zero byte would pass for a shorter name.
        if key >> (8 * (length - 1)) == 0 {
            return None;
        }
        Some((self.get(key)?, next))
    }

    /// The bytes of a short name as a number; names that end in a zero byte have none.
    fn key(name: &[u8]) -> Option<u64> {
        if name.len() > 8 || name.last() == Some(&0) {
            return None;
        }
        // Names that do not end in a zero byte differ as numbers.
        let longer = |key: u64, &byte: &u8| key << 8 | u64::from(byte);
        Some(name.iter().rev().fold(0, longer))
    }

    fn get(&self, key: u64) -> Option<ChannelId> {
        let mask = self.entries.len().checked_sub(1)?;
        let mut place = slot(key) & mask;
        loop {
            match self.entries[place] {
                (found, id) if found == key => return Some(id),
                (0, _) => return None,
                _ => place = (place + 1) & mask,
            }
        }
    }

    fn insert(&mut self, key: u64, id: ChannelId) {
        if self.taken * 8 >= self.entries.len() {
            let doubled = (self.entries.len() * 2).max(128);
            let old =
                std::mem::replace(&mut self.entries, vec![(0, ChannelId::default()); doubled]);
            for (key, id) in old.into_iter().filter(|&(key, _)| key != 0) {
                self.place(key, id);
            }
        }
        self.place(key, id);
        self.taken += 1;
    }

    fn place(&mut self, key: u64, id: ChannelId) {
        let mask = self.entries.len() - 1;
        let mut place = slot(key) & mask;
        while self.entries[place].0 != 0 {
            place = (place + 1) & mask;
        }
        self.entries[place] = (key, id);
    }
}

/// Up to eight bytes from `begin` on, of which there are `rest`, as a number.
#[inline]
fn word(bytes: &[u8], begin: usize, rest: usize) -> u64 {
    if let Some(word) = bytes[begin..].first_chunk() {
        return u64::from_le_bytes(*word);
    }
    if let Some(word) = bytes.last_chunk() {
        return u64::from_le_bytes(*word) >> (64 - 8 * rest);
    }
    let longer = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
    bytes[begin..].iter().rev().fold(0, longer)
}

/// Which byte of a word is the first `>`.
#[inline]
const fn separator(word: u64) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A byte that equals the separator becomes zero, and the lowest zero sets its top bit.
    let differs = word ^ (ONES * 0x3e);
    let zeros = differs.wrapping_sub(ONES) & !differs & (ONES << 7);
    if zeros == 0 {
        None
    } else {
        Some(zeros.trailing_zeros() as usize / 8)
    }
}

/// Where a key is looked for first: the upper bits of a product depend on all bits of the key.
const fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}
