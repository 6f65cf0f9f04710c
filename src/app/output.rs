//! Standard output: results only, and a reader that has gone away is no failure.

use super::exit::{AppError, Next};
use crate::model::harmless;
use crate::runs::remedy;
use std::io::{ErrorKind, Write};

/// `value` for a program, on lines of its own.
pub fn json(value: &impl serde::Serialize) -> Result<String, AppError> {
    let json = serde_json::to_string_pretty(value);
    Ok(json.map_err(|error| AppError::Internal(Box::new(error)))? + "\n")
}

/// Writes `text` whole, without what a terminal would obey. A closed pipe (`tether-recon … | head`) is success; a full disk is not.
pub fn write_text(out: &mut dyn Write, text: &str) -> Result<(), AppError> {
    match out.write_all(harmless(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let said = format!("failed to write to standard output: {error}; {}", remedy(&error));
            Err(AppError::Disk { error: said.into(), next: Next::Again })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::write_text;
    use std::io::{Error, ErrorKind, Write};

    struct Refuses(ErrorKind);

    impl Write for Refuses {
        fn write(&mut self, _: &[u8]) -> Result<usize, Error> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_success_and_a_full_disk_is_exit_5() {
        assert!(write_text(&mut Refuses(ErrorKind::BrokenPipe), "text").is_ok());
        let full = write_text(&mut Refuses(ErrorKind::StorageFull), "text").unwrap_err();
        assert_eq!(full.exit_code().code(), 5);
    }
}
