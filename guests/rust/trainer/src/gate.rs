//! Whether this machine may see the data: every part of it is attested, or the reason is told.
//!
//! A guest cannot detect that its own host lies. The gate keeps an honest host from training on
//! the wrong machine; against a dishonest one, whoever owns the data verifies the tokens before
//! releasing it.

use wasmtime_attestation::attestation::{attest_gpu, attest_vm, detect_tee, verify_token};
use wasmtime_attestation::guest::display_name;
use wasmtime_attestation::{AttestationResult, Error, TeeType};

/// Whether the virtual machine and every GPU, of at least one, are attested; says why not.
pub fn is_open(allow_simulated: bool) -> bool {
    let gpus = detect_tee().gpu_count;
    // All of them are asked, so that everything that is wrong is said at once.
    let mut open = is_attested("vm", attest_vm(), allow_simulated);
    for index in 0..gpus {
        open &= is_attested(&format!("gpu {index}"), attest_gpu(index), allow_simulated);
    }
    if gpus == 0 {
        println!("gpu: refused, there is none");
    }
    open && gpus > 0
}

fn is_attested(
    part: &str,
    answer: Result<AttestationResult, Error>,
    allow_simulated: bool,
) -> bool {
    let checked = check(answer, allow_simulated);
    match &checked {
        Ok(tee_type) => println!("{part}: attested, {}", display_name(*tee_type)),
        Err(reason) => println!("{part}: refused, {reason}"),
    }
    checked.is_ok()
}

/// Returns what a token is about, if it counts.
fn check(
    answer: Result<AttestationResult, Error>,
    allow_simulated: bool,
) -> Result<TeeType, String> {
    let result = answer.map_err(|error| error.to_string())?;
    if !verify_token(&result.token) {
        return Err("the host does not accept its token".into());
    }
    if result.tee_type == TeeType::Simulated && !allow_simulated {
        return Err("a simulation proves nothing (--allow-simulated trains all the same)".into());
    }
    Ok(result.tee_type)
}
