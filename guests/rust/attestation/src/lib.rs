//! Lets a WebAssembly guest prove where it runs.
//!
//! ```no_run
//! use wasmtime_attestation::attestation::{attest_vm, detect_tee, verify_token};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     println!("running on {:?}", detect_tee().tee_type);
//!     let result = attest_vm()?;
//!     assert!(verify_token(&result.token));
//!     Ok(())
//! }
//! ```
//!
//! A guest cannot detect that its own host lies; whoever it sends the token to can.
//!
//! The same source makes a component, or with the feature `legacy` a core module for hosts that
//! know no components. On other targets everything compiles, so that the rest of a guest can be
//! tested there, and calls panic.
//!
//! [`attestation`], [`attester`], [`verifier`] and [`types`] are generated from the WIT world.
//! [`guest`] is what guests called before there was one.

#![cfg_attr(not(feature = "std"), no_std)]
#![warn(missing_debug_implementations)]

mod bindings;
pub mod guest;

pub use bindings::wasmtime::attestation::{attestation, attester, types, verifier};
pub use guest::{
    attest_gpu_token, attest_vm_token, clear_attestation_cache, detect_tee_type,
    verify_attestation_token,
};
pub use types::{AttestationResult, Error, Finding, GpuInfo, TeeInfo, TeeType};
