//! BoringSSL's SPAKE2+ behind lines of JSON: the plus-* requests of ../peer.cpp, without suites and registration, and
//! plus-time.

use boring_sys as _; // links BoringSSL
use serde_json::{json, Value};
use std::error::Error;
use std::io::{BufRead, Write};

type Answer = Result<Value, Box<dyn Error>>;

const SCALAR_SIZE: usize = 32;

#[repr(C)]
struct Bytes {
    data: *const u8,
    size: usize,
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            size: bytes.len(),
        }
    }
}

#[repr(C)]
struct Inputs {
    context: Bytes,
    id_prover: Bytes,
    id_verifier: Bytes,
}

#[repr(C)]
struct Prover {
    _opaque: [u8; 0],
}
#[repr(C)]
struct Verifier {
    _opaque: [u8; 0],
}

extern "C" {
    fn shim_prover(
        inputs: *const Inputs,
        w0: Bytes,
        w1: Bytes,
        share: *mut [u8; 65],
    ) -> *mut Prover;
    fn shim_prover_finish(
        prover: *mut Prover,
        share: Bytes,
        confirm: Bytes,
        own_confirm: *mut [u8; 32],
        key: *mut [u8; 32],
    ) -> i32;
    fn shim_prover_free(prover: *mut Prover);
    fn shim_verifier(
        inputs: *const Inputs,
        w0: Bytes,
        l: Bytes,
        share: Bytes,
        own_share: *mut [u8; 65],
        confirm: *mut [u8; 32],
        key: *mut [u8; 32],
    ) -> *mut Verifier;
    fn shim_verifier_check(verifier: *mut Verifier, confirm: Bytes) -> i32;
    fn shim_verifier_free(verifier: *mut Verifier);
    fn shim_verifier_time(
        inputs: *const Inputs,
        w0: Bytes,
        l: Bytes,
        share: Bytes,
        runs: u64,
    ) -> u64;
}

#[derive(Default)]
struct State {
    prover: Option<*mut Prover>,
    verifier: Option<(*mut Verifier, [u8; 32])>,
}

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = request[name].as_str();
    Ok(hex::decode(
        text.ok_or_else(|| format!("{name} is missing"))?,
    )?)
}

fn answer(state: &mut State, request: &Value) -> Answer {
    let of = |name| bytes(request, name);
    let op = request["op"].as_str().ok_or("no op")?;
    let optional = |name| {
        if request[name].is_null() {
            Ok(Vec::new())
        } else {
            of(name)
        }
    };
    let (context, id_prover, id_verifier) = (
        optional("context")?,
        optional("idProver")?,
        optional("idVerifier")?,
    );
    let inputs = Inputs {
        context: context.as_slice().into(),
        id_prover: id_prover.as_slice().into(),
        id_verifier: id_verifier.as_slice().into(),
    };
    // SAFETY: each pointer goes with its length and lives through the call, BoringSSL copies; what is returned is freed
    // once, when it is taken out of the state.
    unsafe {
        match op {
            "plus-start" => {
                let secret = of("secret")?;
                let (w0, w1) = secret.split_at(SCALAR_SIZE);
                let mut share = [0; 65];
                let prover = shim_prover(&inputs, w0.into(), w1.into(), &mut share);
                if prover.is_null() {
                    return Err("Prover".into());
                }
                state.prover = Some(prover);
                Ok(json!({ "shareP": hex::encode(share) }))
            }
            "plus-finish" => {
                let (share, confirm) = (of("shareV")?, of("confirmV")?);
                let prover = state.prover.take().ok_or("no start")?;
                let (mut own_confirm, mut key) = ([0; 32], [0; 32]);
                let finished = shim_prover_finish(
                    prover,
                    share.as_slice().into(),
                    confirm.as_slice().into(),
                    &mut own_confirm,
                    &mut key,
                );
                shim_prover_free(prover);
                match finished {
                    1 => Ok(json!({ "confirmP": hex::encode(own_confirm), "K": hex::encode(key) })),
                    _ => Err("ComputeConfirmation".into()),
                }
            }
            "plus-respond" => {
                let (record, share) = (of("record")?, of("shareP")?);
                let (w0, l) = record.split_at(SCALAR_SIZE);
                let (mut own_share, mut confirm, mut key) = ([0; 65], [0; 32], [0; 32]);
                let verifier = shim_verifier(
                    &inputs,
                    w0.into(),
                    l.into(),
                    share.as_slice().into(),
                    &mut own_share,
                    &mut confirm,
                    &mut key,
                );
                if verifier.is_null() {
                    return Err("ProcessProverShare".into());
                }
                state.verifier = Some((verifier, key));
                Ok(json!({ "shareV": hex::encode(own_share), "confirmV": hex::encode(confirm) }))
            }
            "plus-check" => {
                let confirm = of("confirmP")?;
                let (verifier, key) = state.verifier.take().ok_or("no response")?;
                let checked = shim_verifier_check(verifier, confirm.as_slice().into());
                shim_verifier_free(verifier);
                match checked {
                    1 => Ok(json!({ "K": hex::encode(key) })),
                    _ => Err("VerifyProverConfirmation".into()),
                }
            }
            "plus-time" => {
                let (record, share) = (of("record")?, of("shareP")?);
                let (w0, l) = record.split_at(SCALAR_SIZE);
                let runs = request["runs"].as_u64().ok_or("runs is missing")?;
                Ok(json!({
                    "ns": shim_verifier_time(&inputs, w0.into(), l.into(), share.as_slice().into(), runs) / runs
                }))
            }
            _ => Err("unknown op".into()),
        }
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
