//! A writer that keeps what the system said when it refused.

use std::io::{Error, ErrorKind, Result, Write};

/// Passes on to `inner`, and keeps the first error. Writers of tables hand on a text in its place, and a buffer that is
/// dropped hands on nothing: then a full disk would be a fault of the program, or no fault at all.
#[derive(Debug)]
pub struct Watched<W> {
    inner: W,
    refused: Option<Error>,
}

impl<W> Watched<W> {
    /// Nothing has been refused yet.
    pub fn new(inner: W) -> Self {
        Self { inner, refused: None }
    }

    /// `result`, unless the system refused something: then that.
    pub fn verdict<T, E: From<Error>>(self, result: std::result::Result<T, E>) -> std::result::Result<T, E> {
        self.refused.map_or(result, |error| Err(error.into()))
    }

    fn watch<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result
            && error.kind() != ErrorKind::Interrupted
            && self.refused.is_none()
        {
            let same = |number| Error::from_raw_os_error(number);
            let alike = || Error::new(error.kind(), error.to_string());
            self.refused = Some(error.raw_os_error().map_or_else(alike, same));
        }
        result
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let result = self.inner.write(bytes);
        self.watch(result)
    }

    fn flush(&mut self) -> Result<()> {
        let result = self.inner.flush();
        self.watch(result)
    }
}

#[cfg(test)]
mod tests {
    use super::Watched;
    use std::io::{BufWriter, Error, ErrorKind, Result, Write};

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            Err(ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_refusal_is_told_as_it_was_also_where_it_was_swallowed_or_reworded() {
        for told in [Ok(()), Err(Error::other("parquet: out of spec"))] {
            let mut watched = Watched::new(Full);
            drop(BufWriter::new(&mut watched).write(b"x"));
            assert_eq!(watched.verdict(told).unwrap_err().kind(), ErrorKind::StorageFull);
        }
        assert!(Watched::new(Full).verdict(Ok::<_, Error>(())).is_ok());
    }
}
