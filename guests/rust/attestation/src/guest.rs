//! The calls that guests made before there was a WIT world, for sources that have them.
//!
//! ```no_run
//! use wasmtime_attestation::{attest_vm_token, verify_attestation_token};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let vm = attest_vm_token()?;
//!     if !vm.success {
//!         return Err(vm.error.unwrap_or("no reason given".to_string()).into());
//!     }
//!     assert!(verify_attestation_token(&vm.token.unwrap()));
//!     Ok(())
//! }
//! ```

extern crate alloc;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::attestation;
use crate::types::{Error, TeeInfo, TeeType};

/// The outcome of an attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct AttestationResult {
    /// Whether there is a token.
    pub success: bool,
    /// The token in compact form.
    pub token: Option<String>,
    /// A JSON summary of the evidence, where the host adds one.
    pub evidence: Option<String>,
    /// Why there is no token.
    pub error: Option<String>,
    /// When the token was issued, in seconds since the Unix epoch; 0 without one.
    pub timestamp: i64,
    /// The kind of environment, such as `AMD SEV-SNP`.
    pub tee_type: Option<String>,
}

/// What the host found when it looked for a trusted execution environment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct TeeDetectionResult {
    /// The kind of environment, such as `AMD SEV-SNP`, or `None`.
    pub tee_type: String,
    /// Whether this host can collect evidence from it.
    pub supports_attestation: bool,
}

/// Asks for a token about the virtual machine that this guest runs in.
///
/// # Errors
///
/// None: a failure is in the result. It is a `Result` because callers write `?`.
pub fn attest_vm_token() -> Result<AttestationResult, String> {
    Ok(attestation::attest_vm().into())
}

/// Asks for a token about one GPU.
///
/// # Errors
///
/// None: a failure is in the result. It is a `Result` because callers write `?`.
pub fn attest_gpu_token(gpu_index: u32) -> Result<AttestationResult, String> {
    Ok(attestation::attest_gpu(gpu_index).into())
}

/// Whether the host accepts a token.
#[must_use]
pub fn verify_attestation_token(token: &str) -> bool {
    attestation::verify_token(token)
}

/// Forgets the tokens that the host keeps for this guest.
pub fn clear_attestation_cache() {
    attestation::clear_cache();
}

/// Asks which trusted execution environment this guest runs in.
///
/// # Errors
///
/// None. It is a `Result` because callers write `?`.
pub fn detect_tee_type() -> Result<TeeDetectionResult, String> {
    Ok(attestation::detect_tee().into())
}

impl From<Result<crate::types::AttestationResult, Error>> for AttestationResult {
    fn from(outcome: Result<crate::types::AttestationResult, Error>) -> Self {
        match outcome {
            Ok(result) => Self {
                success: true,
                token: Some(result.token),
                evidence: result.evidence,
                error: None,
                timestamp: result.timestamp.try_into().unwrap_or(i64::MAX),
                tee_type: Some(display_name(result.tee_type).into()),
            },
            Err(error) => Self {
                success: false,
                token: None,
                evidence: None,
                error: Some(reason(error)),
                timestamp: 0,
                tee_type: None,
            },
        }
    }
}

/// Returns what an error says, without its kind: guests compare and print that.
fn reason(error: Error) -> String {
    match error {
        Error::Rejected(findings) | Error::Policy(findings) => {
            let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
            texts.join("; ")
        }
        Error::Unsupported(text)
        | Error::Unavailable(text)
        | Error::Denied(text)
        | Error::InvalidArgument(text)
        | Error::Internal(text) => text,
    }
}

impl From<TeeInfo> for TeeDetectionResult {
    fn from(info: TeeInfo) -> Self {
        Self {
            tee_type: display_name(info.tee_type).into(),
            supports_attestation: info.supports_attestation,
        }
    }
}

/// Returns the name that guests print and compare, such as `Intel TDX`.
#[must_use]
pub fn display_name(tee_type: TeeType) -> &'static str {
    match tee_type {
        TeeType::None => "None",
        TeeType::IntelTdx => "Intel TDX",
        TeeType::IntelSgx => "intel-sgx",
        TeeType::AmdSev => "AMD SEV",
        TeeType::AmdSevSnp => "AMD SEV-SNP",
        TeeType::ArmCca => "arm-cca",
        TeeType::IbmSe => "ibm-se",
        TeeType::NvidiaGpu => "NVIDIA GPU",
        TeeType::Simulated => "Simulated",
        TeeType::Other => "other",
    }
}
