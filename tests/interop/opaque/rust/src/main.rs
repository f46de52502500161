//! opaque-ke behind lines of JSON: ../README.md has the requests and answers.

use argon2::{Algorithm, Argon2, Params, Version};
use generic_array::{ArrayLength, GenericArray};
use opaque_ke::ciphersuite::CipherSuite;
use opaque_ke::errors::InternalError;
use opaque_ke::ksf::Ksf;
use opaque_ke::{
    ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialFinalization, CredentialRequest,
    CredentialResponse, Identifiers, RegistrationRequest, RegistrationResponse, RegistrationUpload,
    ServerLogin, ServerLoginParameters, ServerRegistration, ServerSetup,
};
use rand::rngs::OsRng;
use serde_json::{json, Value};
use std::error::Error;
use std::io::{BufRead, Write};

type Answer = Result<Value, Box<dyn Error>>;

struct Ristretto255;
impl CipherSuite for Ristretto255 {
    type OprfCs = opaque_ke::Ristretto255;
    type KeyExchange = opaque_ke::TripleDh<opaque_ke::Ristretto255, sha2::Sha512>;
    type Ksf = Stretching;
}

struct P256;
impl CipherSuite for P256 {
    type OprfCs = p256::NistP256;
    type KeyExchange = opaque_ke::TripleDh<p256::NistP256, sha2::Sha256>;
    type Ksf = Stretching;
}

/// The KSF that a request names.
#[derive(Default)]
enum Stretching {
    #[default]
    Identity,
    Argon2id(Params),
}

impl Stretching {
    fn of(request: &Value) -> Result<Self, Box<dyn Error>> {
        let argon2id = |memory, passes, lanes| {
            Params::new(memory, passes, lanes, None)
                .map(Self::Argon2id)
                .map_err(|error| error.to_string().into())
        };
        match text(request, "ksf")? {
            "identity" => Ok(Self::Identity),
            "small" => argon2id(19456, 2, 1),
            "rfc9106-2" => argon2id(65536, 3, 4),
            other => Err(format!("unknown ksf {other}").into()),
        }
    }
}

impl Ksf for Stretching {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        let Self::Argon2id(params) = self else {
            return Ok(input);
        };
        let mut output = GenericArray::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into(&input, &[0; 16], &mut output)
            .map_err(|_| InternalError::KsfError)?;
        Ok(output)
    }
}

fn text<'r>(request: &'r Value, name: &str) -> Result<&'r str, Box<dyn Error>> {
    request[name]
        .as_str()
        .ok_or_else(|| format!("{name} is missing").into())
}

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(hex::decode(text(request, name)?)?)
}

/// None where the text is empty: then it was not given.
fn given(text: &str) -> Option<&[u8]> {
    (!text.is_empty()).then_some(text.as_bytes())
}

fn identifiers(request: &Value) -> Result<Identifiers<'_>, Box<dyn Error>> {
    Ok(Identifiers {
        client: given(text(request, "client_identity")?),
        server: given(text(request, "server_identity")?),
    })
}

fn login_parameters(request: &Value) -> Result<ServerLoginParameters<'_, '_>, Box<dyn Error>> {
    Ok(ServerLoginParameters {
        context: given(text(request, "context")?),
        identifiers: identifiers(request)?,
    })
}

/// What a peer remembers between requests of one suite.
struct Peer<CS: CipherSuite> {
    setup: Option<ServerSetup<CS>>,
    registration: Option<ClientRegistration<CS>>,
    client: Option<ClientLogin<CS>>,
    server: Option<ServerLogin<CS>>,
}

/// The steps for one suite. A macro, since written generically they would need all of opaque-ke's bounds.
macro_rules! peer_of {
    ($suite:ty) => {
        impl Peer<$suite> {
            fn new() -> Self {
                Self { setup: None, registration: None, client: None, server: None }
            }

            fn setup(&self) -> Result<&ServerSetup<$suite>, Box<dyn Error>> {
                self.setup.as_ref().ok_or_else(|| "no server_setup".into())
            }

            fn answer(&mut self, request: &Value) -> Answer {
                match text(request, "op")? {
                    "server_setup" => {
                        let setup = self.setup.insert(ServerSetup::new(&mut OsRng));
                        Ok(json!({ "public_key": hex::encode(setup.keypair().public().serialize()) }))
                    }
                    "registration_request" => {
                        let password = text(request, "password")?.as_bytes();
                        let started = ClientRegistration::start(&mut OsRng, password)?;
                        self.registration = Some(started.state);
                        Ok(json!({ "message": hex::encode(started.message.serialize()) }))
                    }
                    "registration_response" => {
                        let started = ServerRegistration::start(
                            self.setup()?,
                            RegistrationRequest::deserialize(&bytes(request, "message")?)?,
                            text(request, "credential_identifier")?.as_bytes(),
                        )?;
                        Ok(json!({ "message": hex::encode(started.message.serialize()) }))
                    }
                    "registration_record" => self.registration_record(request),
                    "ke1" => {
                        let password = text(request, "password")?.as_bytes();
                        let started = ClientLogin::start(&mut OsRng, password)?;
                        self.client = Some(started.state);
                        Ok(json!({ "message": hex::encode(started.message.serialize()) }))
                    }
                    "ke2" => self.ke2(request),
                    "ke3" => self.ke3(request),
                    "finish" => {
                        let finished = self.server.take().ok_or("no login")?.finish(
                            CredentialFinalization::deserialize(&bytes(request, "message")?)?,
                            login_parameters(request)?,
                        )?;
                        Ok(json!({ "session_key": hex::encode(finished.session_key) }))
                    }
                    other => Err(format!("unknown op {other}").into()),
                }
            }

            fn registration_record(&mut self, request: &Value) -> Answer {
                let ksf = Stretching::of(request)?;
                let finished = self.registration.take().ok_or("no registration")?.finish(
                    &mut OsRng,
                    text(request, "password")?.as_bytes(),
                    RegistrationResponse::deserialize(&bytes(request, "message")?)?,
                    ClientRegistrationFinishParameters::new(identifiers(request)?, Some(&ksf)),
                )?;
                Ok(json!({
                    "message": hex::encode(finished.message.serialize()),
                    "export_key": hex::encode(finished.export_key),
                    "public_key": hex::encode(finished.server_s_pk.serialize()),
                }))
            }

            fn ke2(&mut self, request: &Value) -> Answer {
                let record = match request["record"] {
                    Value::Null => None,
                    _ => Some(ServerRegistration::finish(RegistrationUpload::deserialize(
                        &bytes(request, "record")?,
                    )?)),
                };
                let started = ServerLogin::start(
                    &mut OsRng,
                    self.setup()?,
                    record,
                    CredentialRequest::deserialize(&bytes(request, "message")?)?,
                    text(request, "credential_identifier")?.as_bytes(),
                    login_parameters(request)?,
                )?;
                self.server = Some(started.state);
                Ok(json!({ "message": hex::encode(started.message.serialize()) }))
            }

            fn ke3(&mut self, request: &Value) -> Answer {
                let ksf = Stretching::of(request)?;
                let finished = self.client.take().ok_or("no login")?.finish(
                    &mut OsRng,
                    text(request, "password")?.as_bytes(),
                    CredentialResponse::deserialize(&bytes(request, "message")?)?,
                    ClientLoginFinishParameters::new(
                        given(text(request, "context")?),
                        identifiers(request)?,
                        Some(&ksf),
                    ),
                )?;
                Ok(json!({
                    "message": hex::encode(finished.message.serialize()),
                    "session_key": hex::encode(finished.session_key),
                    "export_key": hex::encode(finished.export_key),
                    "public_key": hex::encode(finished.server_s_pk.serialize()),
                }))
            }
        }
    };
}
peer_of!(Ristretto255);
peer_of!(P256);

fn main() -> Result<(), Box<dyn Error>> {
    let mut ristretto255 = Peer::<Ristretto255>::new();
    let mut p256 = Peer::<P256>::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let answer = match text(&request, "suite")? {
            "ristretto255" => ristretto255.answer(&request),
            "p256" => p256.answer(&request),
            other => Err(format!("unknown suite {other}").into()),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
