//! What the operating system refused of a file, and what a person does about it.

use std::io::{Error, ErrorKind};

/// What to do, by what was refused. Messages end with it, and whoever knows how to go on adds: `, then …`.
const REMEDIES: &[(ErrorKind, &str)] = &[
    (ErrorKind::StorageFull, "make room"),
    (ErrorKind::QuotaExceeded, "make room, or raise the quota"),
    (ErrorKind::FileTooLarge, "raise the limit on the size of files (`ulimit -f`)"),
    (ErrorKind::ReadOnlyFilesystem, "make the disk writable"),
    (ErrorKind::PermissionDenied, "let this user write there"),
    (ErrorKind::AlreadyExists, "move away what stands there"),
    (ErrorKind::NotADirectory, "move away what stands there"),
    (ErrorKind::NotFound, "put back what was removed"),
    (ErrorKind::StaleNetworkFileHandle, "put the state folder on a local disk"),
];

/// What to do about `error`, as words that follow a semicolon.
pub fn remedy(error: &Error) -> &'static str {
    let known = REMEDIES.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or("look at the disk and at the system's log", |(_, remedy)| remedy)
}

/// Whether `error` says that the folder is not for this user to write: its cause is where the configuration points.
pub fn is_forbidden(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::AlreadyExists
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::remedy;
    use std::io::Error;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_wants_room_and_a_failing_one_wants_a_look() {
        for (number, said) in [(28, "make room"), (27, "raise the limit on the size of files (`ulimit -f`)")] {
            assert_eq!(remedy(&Error::from_raw_os_error(number)), said);
        }
        assert_eq!(remedy(&Error::from_raw_os_error(5)), "look at the disk and at the system's log");
    }
}
