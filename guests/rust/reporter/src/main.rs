//! Says where it runs, and does its work only where that is attested.
//!
//! A guest cannot detect that its own host lies; whoever it sends the token to can.

use std::process::ExitCode;

use wasmtime_attestation::attestation::{attest_vm, detect_tee, verify_token};
use wasmtime_attestation::attester::{self, Challenge, Target};
use wasmtime_attestation::guest::display_name;
use wasmtime_attestation::verifier::{self, Expectations, Verdict};
use wasmtime_attestation::{Error, TeeType};

/// Stands for data that only a confidential machine may see.
const SECRET_DATA: [(f64, f64); 5] = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0), (4.0, 9.0)];

fn main() -> ExitCode {
    let required = std::env::args().any(|argument| argument == "--require");
    match attest() {
        Ok(()) => {
            train(&SECRET_DATA);
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!("not attested: {reason}");
            if required {
                println!("decided: to stop, since attestation is required");
                return ExitCode::FAILURE;
            }
            println!("decided: to go on without the secret data");
            ExitCode::SUCCESS
        }
    }
}

fn attest() -> Result<(), Box<dyn std::error::Error>> {
    let tee = detect_tee();
    println!("detected: {}", display_name(tee.tee_type));

    let result = attest_vm()?;
    println!("token: {} characters", result.token.len());
    if !verify_token(&result.token) {
        return Err("the host does not accept its own token".into());
    }
    println!("forged: {}", verify_token(&forge(&result.token)));

    let verdict = answer_challenge()?;
    println!("challenge: {:?}", verdict.status);

    let simulated = result.tee_type == TeeType::Simulated;
    let worth = if simulated {
        ", which proves nothing"
    } else {
        ""
    };
    println!("attested: {}{worth}", display_name(result.tee_type));
    Ok(())
}

/// Plays both sides: attests for a challenge and verifies the answer as a relying party would.
fn answer_challenge() -> Result<Verdict, Error> {
    let nonce = b"chosen by the relying party".to_vec();
    let audience = Some("reporter".to_string());
    let answer = attester::attest(
        Target::Vm,
        &Challenge {
            nonce: nonce.clone(),
            user_data: Some(b"a public key".to_vec()),
            audience: audience.clone(),
        },
    )?;
    let expected = Expectations {
        nonce: Some(nonce),
        audience,
        max_age_seconds: Some(60),
        policy: Some("hardware-only".to_string()),
    };
    verifier::verify(&answer.token, &expected)
}

/// Changes the signature.
fn forge(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    format!("{signed}.{}", signature.chars().rev().collect::<String>())
}

/// Fits y = slope x + intercept by gradient descent.
fn train(data: &[(f64, f64)]) {
    let (mut slope, mut intercept) = (0.0, 0.0);
    let rate = 0.05 / data.len() as f64;
    for _ in 0..2000 {
        let errors = data.iter().map(|(x, y)| (x, slope * x + intercept - y));
        let (by_slope, by_intercept) =
            errors.fold((0.0, 0.0), |(s, i), (x, error)| (s + error * x, i + error));
        slope -= rate * by_slope;
        intercept -= rate * by_intercept;
    }
    println!("trained: y = {slope:.0} x + {intercept:.0}");
}
