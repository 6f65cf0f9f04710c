//! No core dumps: the memory of a process that sends holds keys, and customers' names and addresses.

/// One byte: too small for a file of any dump, and by that very number the kernel does not start a program that takes dumps
/// from a pipe either, for which it heeds no other limit, 0 included.
#[cfg(unix)]
const NO_DUMP: u64 = 1;

/// From here on neither this process nor one that it starts leaves a core dump. A debugger may still be attached.
///
/// # Errors
/// What the system answered where it did not let the limit be lowered.
#[cfg(unix)]
pub fn forbid() -> std::io::Result<()> {
    let core = rlimit::Resource::CORE;
    // Where less is allowed already, that stands.
    let limit = core.get_hard()?.min(NO_DUMP);
    core.set(limit, limit)
}

/// Elsewhere the system keeps no such limit.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn forbid() -> std::io::Result<()> {
    Ok(())
}
