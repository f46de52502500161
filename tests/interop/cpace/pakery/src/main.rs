//! pakery-cpace behind lines of JSON: ../README.md has the requests and answers.

use pakery_cpace::{CpaceInitiator, CpaceMode, CpaceOutput, CpaceResponder, InitiatorState};
use pakery_crypto::CpaceRistretto255;
use serde_json::{json, Value};
use std::error::Error;
use std::io::{BufRead, Write};

type Answer = Result<Value, Box<dyn Error>>;

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = request[name].as_str();
    Ok(hex::decode(
        text.ok_or_else(|| format!("{name} is missing"))?,
    )?)
}

fn mode(request: &Value) -> Result<CpaceMode, Box<dyn Error>> {
    match request["mode"].as_str() {
        Some("initiator-responder") => Ok(CpaceMode::InitiatorResponder),
        Some("symmetric") => Ok(CpaceMode::Symmetric),
        _ => Err("unknown mode".into()),
    }
}

fn keys(output: &CpaceOutput) -> Value {
    json!({ "ISK": hex::encode(output.isk.as_bytes()), "sid_output": hex::encode(&output.session_id) })
}

fn answer(state: &mut Option<InitiatorState<CpaceRistretto255>>, request: &Value) -> Answer {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let of = |name| bytes(request, name);
    match request["op"].as_str() {
        Some("start") => {
            let (share, started) = CpaceInitiator::<CpaceRistretto255>::start(
                &of("PRS")?,
                &of("CI")?,
                &of("sid")?,
                &of("AD")?,
                &mut rng,
            )?;
            *state = Some(started);
            Ok(json!({ "Y": hex::encode(share) }))
        }
        Some("finish") => {
            let started = state.take().ok_or("no start")?;
            Ok(keys(&started.finish(
                &of("peer_Y")?,
                &of("peer_AD")?,
                mode(request)?,
            )?))
        }
        Some("respond") => {
            let (share, output) = CpaceResponder::<CpaceRistretto255>::respond(
                &of("peer_Y")?,
                &of("PRS")?,
                &of("CI")?,
                &of("sid")?,
                &of("peer_AD")?,
                &of("AD")?,
                mode(request)?,
                &mut rng,
            )?;
            let mut answer = keys(&output);
            answer["Y"] = hex::encode(share).into();
            Ok(answer)
        }
        _ => Err("unknown op".into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut state = None;
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
