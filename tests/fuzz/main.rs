//! libFuzzer over one of the targets: `sh tests/fuzz/run.sh TARGET SECONDS`.
#![no_main]

#[cfg(feature = "files")]
mod files;
#[path = "targets/mod.rs"]
mod targets;

use std::sync::LazyLock;

use targets::Target;

/// The one that `HOLDFAST_FUZZ_TARGET` names.
static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("HOLDFAST_FUZZ_TARGET").unwrap_or_default();
    let all = targets::TARGETS.iter();
    #[cfg(feature = "files")]
    let all = all.chain(files::FILES);
    let names: Vec<&str> = all.clone().map(|target| target.name).collect();
    let found = all.copied().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("HOLDFAST_FUZZ_TARGET={name:?} names none of {names:?}"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
