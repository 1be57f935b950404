//! The pointer/length ABI for hosts without components: the feature `legacy` selects it, on
//! targets that make core modules.
//!
//! An answer is at an address that the host returns: `[u32 little-endian length][UTF-8 JSON]`,
//! and 0 is a failure. A host places it through `cabi_realloc`, in which case it is freed here, or
//! in a region of its own.

#![allow(dead_code, unused_imports, unused_macros)]

use core::sync::atomic::{AtomicUsize, Ordering};

use super::abi::{self, Lift, String};
use super::json::{self, FromJson, Value};

/// Bytes of JSON; hosts stay far below.
const LARGEST_ANSWER: usize = 1 << 24;

/// What `cabi_realloc` handed out last, for an answer is all that a host allocates.
static PLACED: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// Remembers what `cabi_realloc` hands out.
pub fn placed(address: *mut u8, size: usize) {
    PLACED[0].store(address as usize, Ordering::Relaxed);
    PLACED[1].store(size, Ordering::Relaxed);
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
        // SAFETY: the host passed it.
        unsafe { abi::lift_one($result) }
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
    // SAFETY: it is within the memory of this guest, and is not written meanwhile.
    let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, length(address)?) };
    let value = json::parse(&bytes[4..]).and_then(|value| T::from_json(&value));
    if address == PLACED[0].swap(0, Ordering::Relaxed) {
        // SAFETY: `cabi_realloc` allocated it for the host, and the value holds none of it.
        unsafe { abi::free(address as *const u8, PLACED[1].load(Ordering::Relaxed), 1) }
    }
    value
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

/// A type that comes in the envelope that guests in the field read.
pub trait Envelope: Sized {
    type Error;

    fn open(envelope: &Value<'_>) -> Result<Result<Self, Self::Error>, json::Problem>;
}

/// What an envelope holds.
pub struct Answered<T: Envelope>(pub Result<T, T::Error>);

impl<T: Envelope> FromJson for Answered<T> {
    fn from_json(value: &Value<'_>) -> Result<Self, json::Problem> {
        T::open(value).map(Self)
    }
}

/// The envelope `{"success":…,"token":…,"evidence":…,"error":…,"timestamp":…,"tee_type":…}`, with
/// `error_code` where the host is not older than that.
macro_rules! envelope {
    ($result:ident, $error:ident, $finding:ident, $tee_type:ident) => {
        impl legacy::Envelope for $result {
            type Error = $error;

            fn open(
                envelope: &json::Value<'_>,
            ) -> ::core::result::Result<::core::result::Result<Self, $error>, json::Problem> {
                use json::FromJson;
                let success = bool::from_json(envelope.member("success")?)?;
                if !success {
                    let error = ::core::option::Option::<abi::String>::from_json(
                        envelope.member("error")?,
                    )?;
                    let code = envelope.member("error_code")?.text().unwrap_or("internal");
                    let detail = error.unwrap_or_else(|| "the host gave no reason".into());
                    let findings = |detail| {
                        abi::Vec::from([$finding {
                            check: code.into(),
                            detail,
                        }])
                    };
                    return ::core::result::Result::Ok(::core::result::Result::Err(match code {
                        "unsupported" => $error::Unsupported(detail),
                        "unavailable" => $error::Unavailable(detail),
                        "rejected" => $error::Rejected(findings(detail)),
                        "policy" => $error::Policy(findings(detail)),
                        "denied" => $error::Denied(detail),
                        "invalid-argument" => $error::InvalidArgument(detail),
                        _ => $error::Internal(detail),
                    }));
                }
                let tee_type = ::core::option::Option::from_json(envelope.member("tee_type")?)?;
                ::core::result::Result::Ok(::core::result::Result::Ok(Self {
                    token: FromJson::from_json(envelope.member("token")?)?,
                    evidence: FromJson::from_json(envelope.member("evidence")?)?,
                    timestamp: FromJson::from_json(envelope.member("timestamp")?)?,
                    tee_type: tee_type.unwrap_or($tee_type::Other),
                }))
            }
        }
    };
}
pub(crate) use envelope;
