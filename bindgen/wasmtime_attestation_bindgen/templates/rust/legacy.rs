//! The pointer/length ABI for hosts without components: the feature `legacy` selects it, on
//! targets that make core modules.
//!
//! An answer is at an address that the host returns: `[u32 little-endian length][UTF-8 JSON]`,
//! and 0 is a failure. A host places it through `cabi_realloc`, in which case it is freed here, or
//! in a region of its own.

#![allow(dead_code, unused_imports, unused_macros)]

extern crate alloc;

use alloc::alloc::Layout;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::abi::{self, String};
use super::json::{self, FromJson, Value};

/// Bytes of JSON; hosts stay far below.
const LARGEST_ANSWER: usize = 1 << 24;

/// What `cabi_realloc` handed out last, for an answer is all that a host allocates.
static PLACED: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

/// Remembers what `cabi_realloc` hands out.
pub fn placed(address: *mut u8, layout: Layout) {
    let placed = [address as usize, layout.size(), layout.align()];
    for (known, value) in PLACED.iter().zip(placed) {
        known.store(value, Ordering::Relaxed);
    }
}

/// Returns the layout of what `cabi_realloc` handed out last, if it is at this address; once.
fn take_placed(address: usize) -> Option<Layout> {
    let [at, size, align] = PLACED
        .each_ref()
        .map(|known| known.swap(0, Ordering::Relaxed));
    Layout::from_size_align(size, align)
        .ok()
        .filter(|_| at == address)
}

/// Calls the host by the ABI that the build selects.
#[cfg(not(all(feature = "legacy", any(target_env = "p1", not(target_os = "wasi")))))]
macro_rules! call {
    ({ $($component:tt)* } $($legacy:tt)*) => {
        abi::call! { $($component)* }
    };
}

/// Calls the host by the ABI that the build selects.
#[cfg(all(feature = "legacy", any(target_env = "p1", not(target_os = "wasi"))))]
macro_rules! call {
    ({ $($component:tt)* }
        $name:literal fn($($core:ident),*) $(-> $out:ident)?;
        ($($form:ident $value:expr),*) => $result:ident $($error:ident)?
    ) => {{
        abi::imported!("wasmtime_attestation" $name fn($($core),*) $(-> $out)?);
        #[allow(unused)]
        let mut temps = abi::Temps::new();
        #[allow(unused_mut)]
        let mut flat = abi::Flat::new();
        $(legacy::call!(@$form flat temps $value);)*
        flat.rewind();
        // SAFETY: the arguments are what the WIT says.
        let result = unsafe { imported_($(flat.core::<$core>()),*) };
        legacy::call!(@$result result $name $($error)?)
    }};
    (@direct $flat:ident $temps:ident $value:expr) => {
        abi::Lower::flatten(&$value, &mut $flat, &mut $temps);
    };
    (@optional $flat:ident $temps:ident $value:expr) => {
        match &$value {
            ::core::option::Option::Some(value) => {
                abi::Lower::flatten(value, &mut $flat, &mut $temps);
            }
            ::core::option::Option::None => {
                $flat.push(0);
                $flat.push(0);
            }
        }
    };
    (@json $flat:ident $temps:ident $value:expr) => {
        let text = legacy::text(&$value);
        abi::Lower::flatten(&text, &mut $flat, &mut $temps);
    };
    (@nothing $result:ident $name:literal) => {
        $result
    };
    (@value $result:ident $name:literal) => {
        legacy::Direct::direct(abi::Core::into_slot($result))
    };
    (@json $result:ident $name:literal) => {
        match legacy::answer($result) {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(problem) => legacy::failed($name, problem),
        }
    };
    (@fallible $result:ident $name:literal $error:ident) => {
        match legacy::answer($result) {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(problem) => {
                ::core::result::Result::Err($error::Internal(problem.into()))
            }
        }
    };
    (@envelope $result:ident $name:literal $error:ident) => {
        match legacy::answer($result) {
            ::core::result::Result::Ok(legacy::Answered(result)) => result,
            ::core::result::Result::Err(problem) => {
                ::core::result::Result::Err($error::Internal(problem.into()))
            }
        }
    };
}
pub(crate) use call;

/// Returns JSON text.
pub fn text<T: json::ToJson + ?Sized>(value: &T) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

/// Ends the guest where a failure has no place in the result.
#[cold]
pub fn failed(function: &str, problem: &str) -> ! {
    panic!("{function}: {problem}");
}

/// Reads an answer and gives back its memory.
pub fn answer<T: FromJson>(address: i32) -> Result<T, &'static str> {
    let address = address as u32 as usize;
    if address == 0 {
        return Err("the host returned no answer");
    }
    let value = read(address);
    if let Some(layout) = take_placed(address) {
        // SAFETY: `cabi_realloc` allocated it for the host, and the value holds none of it.
        unsafe { abi::free(address as *const u8, layout.size(), layout.align()) }
    }
    value
}

fn read<T: FromJson>(address: usize) -> Result<T, &'static str> {
    // SAFETY: it is within the memory of this guest, and is not written meanwhile.
    let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, length(address)?) };
    T::from_json(&json::parse(&bytes[4..])?)
}

/// Returns how many bytes an answer has, its length included.
fn length(address: usize) -> Result<usize, &'static str> {
    let end = memory_size();
    if address > end.saturating_sub(4) {
        return Err("the host returned an address outside of memory");
    }
    // SAFETY: four bytes from there on are within memory.
    let length = unsafe { (address as *const [u8; 4]).read() };
    let length = u32::from_le_bytes(length) as usize;
    if length > LARGEST_ANSWER || length > end - address - 4 {
        return Err("the host returned an answer outside of memory");
    }
    Ok(4 + length)
}

#[cfg(target_arch = "wasm32")]
fn memory_size() -> usize {
    core::arch::wasm32::memory_size(0).saturating_mul(1 << 16)
}

#[cfg(not(target_arch = "wasm32"))]
fn memory_size() -> usize {
    0
}

/// A type whose results are core values.
pub trait Direct {
    fn direct(slot: u64) -> Self;
}

// One is true; whatever else a host returns, it is no permission.
impl Direct for bool {
    fn direct(slot: u64) -> Self {
        slot == 1
    }
}

macro_rules! direct {
    ($($type:ty)*) => {$(
        impl Direct for $type {
            fn direct(slot: u64) -> Self {
                slot as Self
            }
        }
    )*};
}

direct! { u8 i8 u16 i16 u32 i32 u64 i64 }

/// `{"success":…,"token":…,"evidence":…,"error":…,"timestamp":…,"tee_type":…}`, as guests in the
/// field read it, with `error_code` where the host is not older than that.
pub struct Envelope {
    pub success: bool,
    pub token: Option<String>,
    pub evidence: Option<String>,
    pub error: Option<String>,
    pub timestamp: Option<u64>,
    pub tee_type: Option<String>,
    pub error_code: Option<String>,
}

json::record! {
    Envelope {
        "success" success,
        "token" token,
        "evidence" evidence,
        "error" error,
        "timestamp" timestamp,
        "tee_type" tee_type,
        "error_code" error_code,
    }
}

/// A type that comes in an envelope.
pub trait Enveloped: Sized {
    type Error;

    fn open(envelope: Envelope) -> Result<Result<Self, Self::Error>, json::Problem>;
}

/// Splits the text of a finding into its check, which is one word, and the detail; without a
/// check it is one of `code`.
pub fn finding(text: String, code: &str) -> (String, String) {
    match text.split_once(": ") {
        Some((check, detail)) if !check.contains(' ') => (check.into(), detail.into()),
        _ => (code.into(), text),
    }
}

/// What an envelope holds.
pub struct Answered<T: Enveloped>(pub Result<T, T::Error>);

impl<T: Enveloped> FromJson for Answered<T> {
    fn from_json(value: &Value<'_>) -> Result<Self, json::Problem> {
        T::open(Envelope::from_json(value)?).map(Self)
    }
}

/// How `attestation-result` and its error are read from an envelope.
macro_rules! envelope {
    ($result:ident, $error:ident, $finding:ident, $tee_type:ident) => {
        impl legacy::Enveloped for $result {
            type Error = $error;

            fn open(
                envelope: legacy::Envelope,
            ) -> ::core::result::Result<::core::result::Result<Self, $error>, json::Problem> {
                use ::core::option::Option::Some;
                use ::core::result::Result::{Err, Ok};
                if !envelope.success {
                    let code = envelope.error_code.unwrap_or_default();
                    let detail = envelope
                        .error
                        .unwrap_or_else(|| "the host gave no reason".into());
                    let findings = |text| {
                        let (check, detail) = legacy::finding(text, &code);
                        abi::Vec::from([$finding { check, detail }])
                    };
                    return Ok(Err(match code.as_str() {
                        "unsupported" => $error::Unsupported(detail),
                        "unavailable" => $error::Unavailable(detail),
                        "rejected" => $error::Rejected(findings(detail)),
                        "policy" => $error::Policy(findings(detail)),
                        "denied" => $error::Denied(detail),
                        "invalid-argument" => $error::InvalidArgument(detail),
                        _ => $error::Internal(detail),
                    }));
                }
                let (Some(token), Some(timestamp)) = (envelope.token, envelope.timestamp) else {
                    return Err("the host reports success without a token or its time");
                };
                if token.is_empty() {
                    return Err("the host reports success with an empty token");
                }
                let label = json::Value::String(envelope.tee_type.unwrap_or_default());
                Ok(Ok(Self {
                    token,
                    evidence: envelope.evidence,
                    timestamp,
                    tee_type: json::FromJson::from_json(&label).unwrap_or($tee_type::Other),
                }))
            }
        }
    };
}
pub(crate) use envelope;
