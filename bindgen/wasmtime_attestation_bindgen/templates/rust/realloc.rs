//! The function through which hosts place what they pass.
//!
//! One program can have only one of these, however many bindings are in it. Where another crate
//! has it, the feature `no-realloc` of this crate leaves it out here.

extern crate alloc;

use alloc::alloc::Layout;

use super::abi;
use super::legacy;

/// Allocates memory for what the host passes.
///
/// # Safety
///
/// Like `realloc` of C, and `align` is a power of two.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    if new_size == 0 && old_size == 0 {
        return align as *mut u8;
    }
    let Ok(layout) = Layout::from_size_align(old_size, align) else {
        abi::invalid();
    };
    let Ok(wanted) = Layout::from_size_align(new_size, align) else {
        abi::invalid();
    };
    // SAFETY: `old` was allocated here with this layout, and neither size is 0 where it is used.
    let new = unsafe {
        match (old_size, new_size) {
            (0, _) => alloc::alloc::alloc(wanted),
            (_, 0) => {
                alloc::alloc::dealloc(old, layout);
                return align as *mut u8;
            }
            _ => alloc::alloc::realloc(old, layout, new_size),
        }
    };
    if new.is_null() {
        abi::invalid();
    }
    legacy::placed(new, wanted);
    new
}
