//! A guest that does its host what harm Rust can; its argument says which.

use std::alloc::{alloc, dealloc, Layout};
use std::hint::black_box;
use std::sync::atomic::{AtomicU8, Ordering};

#[link(wasm_import_module = "wasmtime_attestation")]
unsafe extern "C" {
    fn attest_vm() -> u32;
    fn verify_token(at: u32, size: u32) -> u32;
    fn attest(target: u32, target_size: u32, challenge: u32, challenge_size: u32) -> u32;
    fn verify(token: u32, token_size: u32, expected: u32, expected_size: u32) -> u32;
    fn clear_cache();
}

const MODES: [&str; 11] = [
    "", "lie", "recurse", "loop", "call", "flood", "allocate", "abort-in-realloc",
    "host-in-realloc", "stack-from-realloc", "steal",
];
static MODE: AtomicU8 = AtomicU8::new(0);
static mut STOLEN: [u8; 1 << 17] = [0; 1 << 17];

fn mode() -> &'static str {
    MODES.get(MODE.load(Ordering::Relaxed) as usize).unwrap_or(&"free-in-realloc")
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cabi_realloc(_: u32, _: u32, _: u32, size: usize) -> *mut u8 {
    let local = 0u8;
    unsafe {
        match mode() {
            "abort-in-realloc" => panic!("no"),
            "host-in-realloc" => {
                clear_cache();
                attest_vm();
            }
            "stack-from-realloc" => return black_box(&local) as *const u8 as *mut u8,
            "steal" => return &raw mut STOLEN as *mut u8,
            _ => {}
        }
        let layout = Layout::from_size_align(size, 1).unwrap();
        let block = alloc(layout);
        if mode() == "free-in-realloc" {
            block.write_bytes(0xff, size);
            dealloc(block, layout);
        }
        block
    }
}

fn answered() -> i32 {
    unsafe {
        let at = attest_vm();
        if at == 0 {
            return 2;
        }
        let length = (at as *const u32).read_unaligned() as usize;
        let answer = std::slice::from_raw_parts((at + 4) as *const u8, length);
        if answer.starts_with(b"{\"success\":true,") { 0 } else { 3 }
    }
}

fn lies() -> i32 {
    let end = (core::arch::wasm32::memory_size(0) << 16) as u32;
    let lies = [(end, 1), (end - 1, 2), (0, !0), (!0, 1), (!0, !0), (1, !0u32)];
    for (at, size) in lies {
        let answers = unsafe {
            verify_token(at, size) | attest(at, size, at, size) | verify(at, size, at, size)
                | attest(0, 2, at, size) | verify(0, 0, at, size)
        };
        if answers != 0 {
            return 1;
        }
    }
    answered()
}

#[inline(never)]
fn recurse(depth: u32) -> u32 {
    let frame = black_box([depth; 16]);
    unsafe { clear_cache() };
    recurse(depth + 1) + frame[0]
}

fn main() {
    let name = std::env::args().nth(1).unwrap();
    let number = MODES.iter().position(|mode| *mode == name).unwrap_or(MODES.len());
    MODE.store(number as u8, Ordering::Relaxed);
    std::process::exit(match mode() {
        "lie" => lies(),
        "recurse" => black_box(recurse(0)) as i32,
        "loop" => loop {
            black_box(0);
        },
        "call" => loop {
            unsafe { clear_cache() };
        },
        "flood" => loop {
            println!("and again, and again, and again, and again, and again");
        },
        "allocate" => loop {
            std::mem::forget(black_box(vec![1u8; 1 << 20]));
        },
        _ => answered(),
    })
}
