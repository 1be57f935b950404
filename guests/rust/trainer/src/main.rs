//! Trains a model only where the virtual machine and every GPU are attested.
//!
//! Usage: `trainer [--allow-simulated]`

mod gate;
mod training;

use std::process::ExitCode;

fn main() -> ExitCode {
    let allow_simulated = std::env::args().any(|argument| argument == "--allow-simulated");
    if !gate::is_open(allow_simulated) {
        println!("not trained: this machine is not attested");
        return ExitCode::FAILURE;
    }
    let points = training::points(200);
    let model = training::train(&points, |epoch, loss| {
        println!("epoch {epoch}: loss {loss:.3}")
    });
    let accuracy = 100.0 * model.accuracy(&points);
    println!("trained: {accuracy:.1} % of {} points", points.len());
    ExitCode::SUCCESS
}
