//! Hands every value that the host passes to the host's own function of the same name.

mod bindings;
mod counters;
mod values;

use bindings::exports::test::torture::component_only;
use bindings::test::torture::component_only as host;
use bindings::{inline, log, Guest};

struct Torture;

bindings::export!(Torture);

impl Guest for Torture {
    /// Exercises what no other export does, and tells what it saw.
    fn run(arguments: Vec<String>) -> Result<String, String> {
        for argument in &arguments {
            log(argument);
        }
        match arguments.first().map(String::as_str) {
            Some("heap") => Ok(allocated().to_string()),
            Some("counters") => Ok(counters::exercise()),
            Some("add") => Ok(inline::add(40, 2).to_string()),
            Some(other) => Err(other.to_string()),
            None => Err(String::new()),
        }
    }
}

impl component_only::Guest for Torture {
    fn deep(v: Option<Option<Option<u8>>>) -> Option<Option<Option<u8>>> {
        host::deep(v)
    }
}

/// Counts the bytes that are allocated, so that the host sees leaks.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

fn allocated() -> usize {
    ALLOCATED.load(Ordering::Relaxed)
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}
