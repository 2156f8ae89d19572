//! Canonical bytes: what is signed. Fields as (id, length, bytes), ids ascending, integers shortest. One value, one encoding.
//!
//! | part | bytes |
//! | --- | --- |
//! | id, length | LEB128, shortest form |
//! | unsigned integer | big-endian without leading zero bytes; zero is no bytes at all |
//! | text | UTF-8 |
//! | list | items one after the other, each (length, bytes) |

/// The outer layout is not canonical: nothing of it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not canonical: ids must ascend, integers and lengths be shortest, nothing may be left over")]
pub struct Malformed;

/// Writes fields in ascending order.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    next: u32,
}

impl Writer {
    /// An empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes one field.
    ///
    /// # Panics
    /// In debug builds, if `id` is not above the one before: our own code wrote fields out of order.
    pub fn bytes(&mut self, id: u32, value: &[u8]) -> &mut Self {
        debug_assert!(id >= self.next, "field {id} out of order");
        self.next = id.saturating_add(1);
        put_varint(&mut self.out, u64::from(id));
        put_varint(&mut self.out, value.len() as u64);
        self.out.extend_from_slice(value);
        self
    }

    /// Writes an unsigned integer in its shortest form.
    pub fn uint(&mut self, id: u32, value: u64) -> &mut Self {
        self.bytes(id, shortest(&value.to_be_bytes()))
    }

    /// Writes an unsigned integer, or nothing where it is `None`.
    pub fn maybe_uint(&mut self, id: u32, value: Option<u64>) -> &mut Self {
        if let Some(value) = value {
            self.uint(id, value);
        }
        self
    }

    /// Writes text.
    pub fn text(&mut self, id: u32, value: &str) -> &mut Self {
        self.bytes(id, value.as_bytes())
    }

    /// Writes text, or nothing where it is `None`.
    pub fn maybe_text(&mut self, id: u32, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(id, value);
        }
        self
    }

    /// Writes a list; an empty list writes nothing.
    pub fn list<I, B>(&mut self, id: u32, items: I) -> &mut Self
    where
        I: IntoIterator<Item = B>,
        B: AsRef<[u8]>,
    {
        let mut value = Vec::new();
        for item in items {
            put_varint(&mut value, item.as_ref().len() as u64);
            value.extend_from_slice(item.as_ref());
        }
        if !value.is_empty() {
            self.bytes(id, &value);
        }
        self
    }

    /// What is written by now.
    #[must_use]
    pub fn so_far(&self) -> &[u8] {
        &self.out
    }

    /// The document.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// The fields of a document whose outer layout has been checked.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    fields: Vec<(u32, &'a [u8])>,
}

impl<'a> Fields<'a> {
    /// Checks the layout and splits the document.
    ///
    /// # Errors
    /// [`Malformed`] if ids do not ascend, a length lies or is not shortest, or bytes are left over.
    pub fn parse(mut rest: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields: Vec<(u32, &'a [u8])> = Vec::new();
        while !rest.is_empty() {
            let id = u32::try_from(take_varint(&mut rest)?).map_err(|_| Malformed)?;
            // The highest id is no field, so that there is always a next one.
            if id == u32::MAX || fields.last().is_some_and(|(last, _)| *last >= id) {
                return Err(Malformed);
            }
            fields.push((id, take_counted(&mut rest)?));
        }
        Ok(Self { fields })
    }

    /// A field's bytes, if it is there.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&'a [u8]> {
        self.fields.binary_search_by_key(&id, |(id, _)| *id).ok().and_then(|at| self.fields.get(at)).map(|(_, value)| *value)
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// [`Malformed`] if it is absent.
    pub fn bytes(&self, id: u32) -> Result<&'a [u8], Malformed> {
        self.get(id).ok_or(Malformed)
    }

    /// A field of exactly `N` bytes.
    ///
    /// # Errors
    /// [`Malformed`] if absent or of another length.
    pub fn array<const N: usize>(&self, id: u32) -> Result<[u8; N], Malformed> {
        self.bytes(id)?.try_into().map_err(|_| Malformed)
    }

    /// An unsigned integer that must be there.
    ///
    /// # Errors
    /// [`Malformed`] if absent, not shortest or above 64 bits.
    pub fn uint(&self, id: u32) -> Result<u64, Malformed> {
        read_uint(self.bytes(id)?)
    }

    /// An unsigned integer that may be absent.
    ///
    /// # Errors
    /// [`Malformed`] if there but not shortest or above 64 bits.
    pub fn maybe_uint(&self, id: u32) -> Result<Option<u64>, Malformed> {
        self.get(id).map(read_uint).transpose()
    }

    /// Text that may be absent.
    ///
    /// # Errors
    /// [`Malformed`] if there but not UTF-8.
    pub fn maybe_text(&self, id: u32) -> Result<Option<&'a str>, Malformed> {
        self.get(id).map(|bytes| std::str::from_utf8(bytes).map_err(|_| Malformed)).transpose()
    }

    /// Text that must be there.
    ///
    /// # Errors
    /// [`Malformed`] if absent or not UTF-8.
    pub fn text(&self, id: u32) -> Result<&'a str, Malformed> {
        self.maybe_text(id)?.ok_or(Malformed)
    }

    /// A list; empty where the field is absent.
    ///
    /// # Errors
    /// [`Malformed`] if an item's length lies.
    pub fn list(&self, id: u32) -> Result<Vec<&'a [u8]>, Malformed> {
        let mut rest = self.get(id).unwrap_or_default();
        let mut items = Vec::new();
        while !rest.is_empty() {
            items.push(take_counted(&mut rest)?);
        }
        Ok(items)
    }

    /// All fields in order, known or not.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &'a [u8])> + '_ {
        self.fields.iter().copied()
    }
}

/// The shortest big-endian form: leading zero bytes dropped.
fn shortest(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

fn read_uint(bytes: &[u8]) -> Result<u64, Malformed> {
    if bytes.len() > 8 || bytes.first() == Some(&0) {
        return Err(Malformed);
    }
    Ok(bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are what is wanted")]
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 0x80 here")]
    out.push(value as u8);
}

fn take_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0_u64;
    for place in 0..5 {
        let (byte, tail) = rest.split_first().ok_or(Malformed)?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            // A last byte of zero after others would be a longer spelling of the same number.
            return if *byte == 0 && place > 0 { Err(Malformed) } else { Ok(value) };
        }
    }
    Err(Malformed)
}

fn take_counted<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let len = usize::try_from(take_varint(rest)?).map_err(|_| Malformed)?;
    let (value, tail) = rest.split_at_checked(len).ok_or(Malformed)?;
    *rest = tail;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zero_is_no_bytes_and_leading_zeros_are_refused() {
        let mut writer = Writer::new();
        writer.uint(1, 0).uint(2, 258);
        assert_eq!(writer.finish(), [1, 0, 2, 2, 1, 2]);
        assert_eq!(Fields::parse(&[1, 2, 0, 5]).and_then(|fields| fields.uint(1)), Err(Malformed));
    }

    #[test]
    fn a_length_that_lies_an_order_that_falls_and_long_spellings_are_refused() {
        for bad in [&[1, 5, 0][..], &[2, 0, 1, 0], &[1, 0, 1, 0], &[0x81, 0x00, 0], &[1]] {
            assert!(Fields::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_writes_back_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(fields) = Fields::parse(&bytes) {
                let mut writer = Writer::new();
                for (id, value) in fields.iter() {
                    writer.bytes(id, value);
                }
                prop_assert_eq!(writer.finish(), bytes);
            }
        }
    }
}
