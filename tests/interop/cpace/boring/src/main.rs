//! BoringSSL's CPace behind lines of JSON: ../README.md has the requests and answers.

use boring_sys as ffi;
use serde_json::{json, Value};
use std::error::Error;
use std::io::{BufRead, Write};
use std::ptr::NonNull;

type Answer = Result<Value, Box<dyn Error>>;

const MESSAGE_SIZE: usize = ffi::CPACE_MSG_LEN as usize;
const ISK_SIZE: usize = ffi::CPACE_SHARED_SECRET_LEN as usize;

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let text = request[name].as_str();
    Ok(hex::decode(
        text.ok_or_else(|| format!("{name} is missing"))?,
    )?)
}

struct Context(NonNull<ffi::CPACE_CTX>);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the pointer came from CPACE_CTX_new and is freed here alone.
        unsafe { ffi::CPACE_CTX_free(self.0.as_ptr()) }
    }
}

impl Context {
    fn new(role: ffi::cpace_role_t, request: &Value) -> Result<Self, Box<dyn Error>> {
        let of = |name| bytes(request, name);
        let (prs, ci, ad, sid) = (of("PRS")?, of("CI")?, of("AD")?, of("sid")?);
        // SAFETY: each pointer goes with its length, and BoringSSL copies.
        let context = unsafe {
            ffi::CPACE_CTX_new(
                role,
                prs.as_ptr(),
                prs.len(),
                ci.as_ptr(),
                ci.len(),
                ad.as_ptr(),
                ad.len(),
                sid.as_ptr(),
                sid.len(),
            )
        };
        NonNull::new(context)
            .map(Self)
            .ok_or_else(|| "CPACE_CTX_new".into())
    }

    fn share(&mut self) -> Result<String, Box<dyn Error>> {
        let mut share = [0; MESSAGE_SIZE];
        // SAFETY: the buffer has the size that the function writes.
        match unsafe { ffi::CPACE_generate_msg(self.0.as_ptr(), share.as_mut_ptr()) } {
            1 => Ok(hex::encode(share)),
            _ => Err("CPACE_generate_msg".into()),
        }
    }

    fn keys(&mut self, request: &Value) -> Answer {
        let (share, ad) = (bytes(request, "peer_Y")?, bytes(request, "peer_AD")?);
        if share.len() != MESSAGE_SIZE {
            return Err("a share has 32 bytes".into());
        }
        let (mut isk, mut sid_output) = ([0; ISK_SIZE], [0; ISK_SIZE]);
        // SAFETY: the share has its size, the AD its length, and both outputs the sizes that are written.
        let processed = unsafe {
            ffi::CPACE_process_msg(
                self.0.as_ptr(),
                share.as_ptr(),
                ad.as_ptr(),
                ad.len(),
                isk.as_mut_ptr(),
                sid_output.as_mut_ptr(),
            )
        };
        match processed {
            1 => Ok(json!({ "ISK": hex::encode(isk), "sid_output": hex::encode(sid_output) })),
            _ => Err("CPACE_process_msg".into()),
        }
    }
}

fn answer(state: &mut Option<Context>, request: &Value) -> Answer {
    if request["mode"] != "initiator-responder" {
        return Err("BoringSSL has the initiator-responder mode alone".into());
    }
    match request["op"].as_str() {
        Some("start") => {
            let context = Context::new(ffi::cpace_role_t::cpace_role_initiator, request)?;
            Ok(json!({ "Y": state.insert(context).share()? }))
        }
        Some("finish") => state.take().ok_or("no start")?.keys(request),
        Some("respond") => {
            let mut context = Context::new(ffi::cpace_role_t::cpace_role_responder, request)?;
            let share = context.share()?;
            let mut answer = context.keys(request)?;
            answer["Y"] = share.into();
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
