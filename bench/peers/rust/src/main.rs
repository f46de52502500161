//! opaque-ke and pakery-opaque as peers of bench/side_by_side.py: what they are asked and answer is in ../README.md.

use generic_array::{ArrayLength, GenericArray};
use opaque_ke::ciphersuite::CipherSuite;
use opaque_ke::errors::InternalError;
use opaque_ke::ksf::Ksf;
use std::io::{BufRead, Write};

const PASSWORD: &[u8] = b"correct horse";
const USER: &[u8] = b"user 4711";

/// Nanoseconds of CPU time of this thread.
fn cpu_time() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    assert_eq!(status, 0);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The CPU time of the server's part of `count` logins and of the client's last step, from bytes to bytes: what each
/// side needs of the other is computed between the clocks.
trait Peer {
    fn describe(&self) -> String;
    fn login(&self, count: usize) -> u64;
    fn client(&self, count: usize) -> u64;
    fn connections(&self, _count: usize) -> Option<u64> {
        None
    }
}

struct Suite;
impl CipherSuite for Suite {
    type OprfCs = opaque_ke::Ristretto255;
    type KeyExchange = opaque_ke::TripleDh<opaque_ke::Ristretto255, sha2::Sha512>;
    type Ksf = NoKsf;
}

#[derive(Default)]
struct NoKsf;
impl Ksf for NoKsf {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        Ok(input)
    }
}

mod opaque_ke_peer {
    use super::{cpu_time, Suite, PASSWORD, USER};
    use opaque_ke::*;
    use rand::rngs::OsRng;

    pub struct Peer {
        setup: ServerSetup<Suite>,
        record: Vec<u8>,
    }

    impl Peer {
        pub fn new() -> Self {
            let setup = ServerSetup::<Suite>::new(&mut OsRng);
            let started = ClientRegistration::<Suite>::start(&mut OsRng, PASSWORD).unwrap();
            let response = ServerRegistration::start(&setup, started.message, USER).unwrap();
            let finished = started
                .state
                .finish(&mut OsRng, PASSWORD, response.message, Default::default())
                .unwrap();
            let record = ServerRegistration::finish(finished.message);
            Self { setup, record: record.serialize().to_vec() }
        }

        fn start(&self, ke1: &[u8]) -> (Vec<u8>, ServerLogin<Suite>) {
            let record = ServerRegistration::deserialize(&self.record).unwrap();
            let started = ServerLogin::start(
                &mut OsRng,
                &self.setup,
                Some(record),
                CredentialRequest::deserialize(ke1).unwrap(),
                USER,
                ServerLoginParameters::default(),
            )
            .unwrap();
            (started.message.serialize().to_vec(), started.state)
        }

        fn finish(state: ServerLogin<Suite>, ke3: &[u8]) {
            let ke3 = CredentialFinalization::deserialize(ke3).unwrap();
            state.finish(ke3, ServerLoginParameters::default()).unwrap();
        }

        fn run(&self, count: usize, of_server: bool) -> u64 {
            let clients: Vec<_> = (0..count)
                .map(|_| ClientLogin::<Suite>::start(&mut OsRng, PASSWORD).unwrap())
                .collect();
            let ke1s: Vec<_> =
                clients.iter().map(|client| client.message.serialize().to_vec()).collect();
            let begin = cpu_time();
            let answers: Vec<_> = ke1s.iter().map(|ke1| self.start(ke1)).collect();
            let answered = cpu_time();
            let ke3s: Vec<_> = clients
                .into_iter()
                .zip(&answers)
                .map(|(client, (ke2, _))| {
                    let ke2 = CredentialResponse::deserialize(ke2).unwrap();
                    let finished = client
                        .state
                        .finish(&mut OsRng, PASSWORD, ke2, Default::default())
                        .unwrap();
                    finished.message.serialize().to_vec()
                })
                .collect();
            let computed = cpu_time();
            for ((_, state), ke3) in answers.into_iter().zip(&ke3s) {
                Self::finish(state, ke3);
            }
            let end = cpu_time();
            if of_server { (answered - begin) + (end - computed) } else { computed - answered }
        }
    }

    impl super::Peer for Peer {
        fn describe(&self) -> String {
            let lanes = if is_x86_feature_detected!("avx2") { "AVX2" } else { "serial" };
            format!("opaque-ke 4.0.1, curve25519-dalek 4.1.3, {lanes}")
        }
        fn login(&self, count: usize) -> u64 {
            self.run(count, true)
        }
        fn client(&self, count: usize) -> u64 {
            self.run(count, false)
        }
        /// The server's thread of `count` logins over TCP on loopback, a connection each.
        fn connections(&self, count: usize) -> Option<u64> {
            use std::io::{Read, Write};
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let client = std::thread::spawn(move || {
                for _ in 0..count {
                    let started = ClientLogin::<Suite>::start(&mut OsRng, PASSWORD).unwrap();
                    let mut server = std::net::TcpStream::connect(address).unwrap();
                    server.write_all(&started.message.serialize()).unwrap();
                    let mut ke2 = [0u8; 320];
                    server.read_exact(&mut ke2).unwrap();
                    let ke2 = CredentialResponse::deserialize(&ke2).unwrap();
                    let finished = started
                        .state
                        .finish(&mut OsRng, PASSWORD, ke2, Default::default())
                        .unwrap();
                    server.write_all(&finished.message.serialize()).unwrap();
                    assert_eq!(server.read(&mut [0u8; 1]).unwrap(), 0);
                }
            });
            let begin = cpu_time();
            for _ in 0..count {
                let (mut client, _) = listener.accept().unwrap();
                let mut ke1 = [0u8; 96];
                client.read_exact(&mut ke1).unwrap();
                let (ke2, state) = self.start(&ke1);
                client.write_all(&ke2).unwrap();
                let mut ke3 = [0u8; 64];
                client.read_exact(&mut ke3).unwrap();
                Self::finish(state, &ke3);
            }
            let spent = cpu_time() - begin;
            client.join().unwrap();
            Some(spent)
        }
    }
}

mod pakery_peer {
    use super::{cpu_time, PASSWORD, USER};
    use pakery_crypto::OpaqueRistretto255;
    use pakery_opaque::*;

    type Rng = rand_core::UnwrapErr<getrandom::SysRng>;
    fn rng() -> Rng {
        rand_core::UnwrapErr(getrandom::SysRng)
    }

    pub struct Peer {
        setup: ServerSetup<OpaqueRistretto255>,
        record: Vec<u8>,
    }

    impl Peer {
        pub fn new() -> Self {
            let setup = ServerSetup::<OpaqueRistretto255>::new(&mut rng()).unwrap();
            let (request, state) =
                ClientRegistration::<OpaqueRistretto255>::start(PASSWORD, &mut rng()).unwrap();
            let response =
                ServerRegistration::<OpaqueRistretto255>::start(&setup, &request, USER).unwrap();
            let (record, _) = state.finish(&response, b"", b"", &mut rng()).unwrap();
            Self { setup, record: record.serialize() }
        }

        fn start(&self, ke1: &[u8]) -> (Vec<u8>, ServerLoginState) {
            let record =
                RegistrationRecord::deserialize::<OpaqueRistretto255>(&self.record).unwrap();
            let ke1 = KE1::deserialize::<OpaqueRistretto255>(ke1).unwrap();
            let (ke2, state) = ServerLogin::<OpaqueRistretto255>::start(
                &self.setup, &record, &ke1, USER, b"", b"", b"", &mut rng(),
            )
            .unwrap();
            (ke2.serialize(), state)
        }

        fn run(&self, count: usize, of_server: bool) -> u64 {
            let clients: Vec<_> = (0..count)
                .map(|_| ClientLogin::<OpaqueRistretto255>::start(PASSWORD, &mut rng()).unwrap())
                .collect();
            let ke1s: Vec<_> = clients.iter().map(|(ke1, _)| ke1.serialize()).collect();
            let begin = cpu_time();
            let answers: Vec<_> = ke1s.iter().map(|ke1| self.start(ke1)).collect();
            let answered = cpu_time();
            let ke3s: Vec<_> = clients
                .into_iter()
                .zip(&answers)
                .map(|((_, client), (ke2, _))| {
                    let ke2 = KE2::deserialize::<OpaqueRistretto255>(ke2).unwrap();
                    client.finish(&ke2, b"", b"", b"").unwrap().0.serialize()
                })
                .collect();
            let computed = cpu_time();
            for ((_, state), ke3) in answers.into_iter().zip(&ke3s) {
                state.finish(&KE3::deserialize::<OpaqueRistretto255>(ke3).unwrap()).unwrap();
            }
            let end = cpu_time();
            if of_server { (answered - begin) + (end - computed) } else { computed - answered }
        }
    }

    impl super::Peer for Peer {
        fn describe(&self) -> String {
            // curve25519-dalek 5 has its AVX-512 back end only if the compiler may use the instructions everywhere.
            let lanes = if cfg!(all(target_feature = "avx512ifma", target_feature = "avx512vl")) {
                "AVX-512 IFMA"
            } else if is_x86_feature_detected!("avx2") {
                "AVX2"
            } else {
                "serial"
            };
            format!("pakery-opaque 0.6.2, curve25519-dalek 5.0.0, {lanes}")
        }
        fn login(&self, count: usize) -> u64 {
            self.run(count, true)
        }
        fn client(&self, count: usize) -> u64 {
            self.run(count, false)
        }
    }
}

fn main() {
    let peer: Box<dyn Peer> = match std::env::args().nth(1).as_deref() {
        Some("opaque-ke") => Box::new(opaque_ke_peer::Peer::new()),
        Some("pakery-opaque") => Box::new(pakery_peer::Peer::new()),
        _ => panic!("usage: opaque_peers opaque-ke|pakery-opaque"),
    };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (step, count) = line.split_once(' ').unwrap_or((&line, "0"));
        let count = count.parse().unwrap();
        let answer = match step {
            "describe" => peer.describe(),
            "login" | "eights" => peer.login(count).to_string(), // they answer one after the other
            "client" => peer.client(count).to_string(),
            "connections" => match peer.connections(count) {
                Some(spent) => spent.to_string(),
                None => "unknown".to_string(),
            },
            _ => "unknown".to_string(),
        };
        writeln!(out, "{answer}").unwrap();
        out.flush().unwrap();
    }
}
