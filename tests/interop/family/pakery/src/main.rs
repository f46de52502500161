//! pakery-spake2plus behind lines of JSON: the plus-* requests of ../peer.cpp, without suites and registration.

use pakery_core::crypto::CpaceGroup;
use pakery_crypto::{P256Group, Spake2PlusP256};
use pakery_spake2plus::{Prover, ProverState, Verifier, VerifierState};
use serde_json::{json, Value};
use std::error::Error;
use std::io::{BufRead, Write};

type Answer = Result<Value, Box<dyn Error>>;
type Scalar = <P256Group as CpaceGroup>::Scalar;

const SCALAR_SIZE: usize = 32;

#[derive(Default)]
struct State {
    prover: Option<ProverState<Spake2PlusP256>>,
    verifier: Option<VerifierState>,
}

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = request[name].as_str();
    Ok(hex::decode(
        text.ok_or_else(|| format!("{name} is missing"))?,
    )?)
}

/// A scalar that is reduced already: the wide form is big-endian.
fn scalar(reduced: &[u8]) -> Result<Scalar, Box<dyn Error>> {
    let mut wide = [0; 64];
    wide[64 - SCALAR_SIZE..].copy_from_slice(reduced);
    let scalar = P256Group::scalar_from_wide_bytes(&wide)?;
    if P256Group::scalar_to_bytes(&scalar) != reduced {
        return Err("the scalar was read in another order".into());
    }
    Ok(scalar)
}

fn answer(state: &mut State, request: &Value) -> Answer {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let of = |name| bytes(request, name);
    match request["op"].as_str() {
        Some("plus-start") => {
            let secret = of("secret")?;
            let (w0, w1) = secret.split_at(SCALAR_SIZE);
            let (share, started) = Prover::<Spake2PlusP256>::start(
                &scalar(w0)?,
                &scalar(w1)?,
                &of("context")?,
                &of("idProver")?,
                &of("idVerifier")?,
                &mut rng,
            )?;
            state.prover = Some(started);
            Ok(json!({ "shareP": hex::encode(share) }))
        }
        Some("plus-finish") => {
            let started = state.prover.take().ok_or("no start")?;
            let output = started.finish(&of("shareV")?, &of("confirmV")?)?;
            Ok(json!({
                "confirmP": hex::encode(&output.confirm_p),
                "K": hex::encode(output.session_key.as_bytes())
            }))
        }
        Some("plus-respond") => {
            let record = of("record")?;
            let (w0, l) = record.split_at(SCALAR_SIZE);
            let (share, confirm, waiting) = Verifier::<Spake2PlusP256>::start(
                &of("shareP")?,
                &scalar(w0)?,
                l,
                &of("context")?,
                &of("idProver")?,
                &of("idVerifier")?,
                &mut rng,
            )?;
            state.verifier = Some(waiting);
            Ok(json!({ "shareV": hex::encode(share), "confirmV": hex::encode(confirm) }))
        }
        Some("plus-check") => {
            let waiting = state.verifier.take().ok_or("no response")?;
            let output = waiting.finish(&of("confirmP")?)?;
            Ok(json!({ "K": hex::encode(output.session_key.as_bytes()) }))
        }
        _ => Err("unknown op".into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut state = State::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?)?;
        let answer = answer(&mut state, &request);
        let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
