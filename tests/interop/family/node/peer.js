// Deployed SRP clients and servers, and Matter's SPAKE2+, as npm has them, behind lines of JSON; bytes are hexadecimal. An
// answer {"error"} ends the run, not the program. `a` and `b` fix an exponent; else it is random.
//
//   {"op": "srp-verifier", "peer", "I", "P"}                  {"s", "v"}
//   {"op": "srp-start", "peer", "I", "P", "a"?}               {"A"}
//   {"op": "srp-prove", "peer", "s", "B", "claim"?}           {"M1", "K"}
//   {"op": "srp-finish", "M2"}                                {}
//   {"op": "srp-respond", "peer", "s", "v", "I", "A", "b"?}   {"B"}
//   {"op": "srp-check", "M1"}                                 {"M2", "K"}
//   {"op": "matter-register", "passcode", "salt", "iterations"}   {"w0", "L"}
//   {"op": "matter-start", "context", "passcode", "salt", "iterations"}       {"X"}
//   {"op": "matter-finish", "Y"}                              {"hAY", "hBX", "Ke"}
//   {"op": "matter-respond", "context", "w0", "L", "X"}       {"Y", "hAY", "hBX", "Ke"}
//
// peer: "cognito" (a client alone; "pool" beside "I", and the claim's bytes follow the user's name), "fast-srp-hap" (with
// "params", the name of its parameters) or "secure-remote-password".
"use strict";

const crypto = require("node:crypto");
const readline = require("node:readline");
const { promisify } = require("node:util");

const AuthenticationHelper = require("amazon-cognito-identity-js/lib/AuthenticationHelper").default;
const CognitoInteger = require("amazon-cognito-identity-js/lib/BigInteger").default;
const hap = require("fast-srp-hap");
const matter = require("@matter/general");
const plainClient = require("secure-remote-password/client");
const plainServer = require("secure-remote-password/server");

const bytes = (hex) => Buffer.from(hex, "hex");
const text = (hex) => bytes(hex).toString("utf8");
const even = (hex) => (hex.length % 2 === 0 ? hex : `0${hex}`);

class Cognito {
  start({ pool, I, P, a }) {
    this.helper = new AuthenticationHelper(text(pool));
    Object.assign(this, { pool: text(pool), I: text(I), P: text(P) });
    if (a) {
      this.helper.smallAValue = new CognitoInteger(a, 16);
      delete this.helper.largeAValue;
    }
    this.helper.getLargeAValue((error, A) => (this.A = A));
    return { A: even(this.A.toString(16)) };
  }

  // What CognitoUser.authenticateUserDefaultAuth signs, between the helper and the network.
  async prove({ s, B, claim }) {
    const key = promisify(this.helper.getPasswordAuthenticationKey.bind(this.helper));
    const K = await key(this.I, this.P, new CognitoInteger(B, 16), new CognitoInteger(s, 16));
    const signed = Buffer.concat([Buffer.from(this.pool + this.I, "utf8"), bytes(claim)]);
    return { M1: crypto.createHmac("sha256", K).update(signed).digest("hex"), K: Buffer.from(K).toString("hex") };
  }
}

class Hap {
  constructor({ params }) {
    this.params = hap.SRP.params[params];
  }

  verifier({ I, P }) {
    const s = crypto.randomBytes(16);
    return { s: s.toString("hex"), v: hap.SRP.computeVerifier(this.params, s, bytes(I), bytes(P)).toString("hex") };
  }

  // Its client wants the salt before it has an A; that depends on `a` alone.
  start({ I, P, a }) {
    this.a = a ? bytes(a) : crypto.randomBytes(32);
    this.client = (s) => new hap.SrpClient(this.params, s, bytes(I), bytes(P), this.a, true);
    return { A: this.client(Buffer.alloc(1)).computeA().toString("hex") };
  }

  prove({ s, B }) {
    this.run = this.client(bytes(s));
    this.run.setB(bytes(B));
    return { M1: this.run.computeM1().toString("hex"), K: this.run.computeK().toString("hex") };
  }

  finish({ M2 }) {
    this.run.checkM2(bytes(M2));
    return {};
  }

  respond({ s, v, I, A, b }) {
    const identity = { username: bytes(I), salt: bytes(s), verifier: bytes(v) };
    this.server = new hap.SrpServer(this.params, identity, b ? bytes(b) : crypto.randomBytes(32));
    this.server.setA(bytes(A));
    return { B: this.server.computeB().toString("hex") };
  }

  check({ M1 }) {
    this.server.checkM1(bytes(M1));
    return { M2: this.server.computeM2().toString("hex"), K: this.server.computeK().toString("hex") };
  }
}

class Plain {
  verifier({ I, P }) {
    const s = plainClient.generateSalt();
    return { s, v: plainClient.deriveVerifier(plainClient.derivePrivateKey(s, text(I), text(P))) };
  }

  start({ I, P, a }) {
    Object.assign(this, { I: text(I), P: text(P), ephemeral: plainClient.generateEphemeral() });
    if (!a) return { A: this.ephemeral.public };
    // An exponent that is given: A as a verifier for it.
    this.ephemeral = { secret: a, public: plainClient.deriveVerifier(a) };
    return { A: this.ephemeral.public };
  }

  prove({ s, B }) {
    const x = plainClient.derivePrivateKey(s, this.I, this.P);
    this.session = plainClient.deriveSession(this.ephemeral.secret, B, s, this.I, x);
    return { M1: this.session.proof, K: this.session.key };
  }

  finish({ M2 }) {
    plainClient.verifySession(this.ephemeral.public, this.session, M2);
    return {};
  }

  respond({ s, v, I, A }) {
    const ephemeral = plainServer.generateEphemeral(v);
    this.check = ({ M1 }) => {
      const session = plainServer.deriveSession(ephemeral.secret, A, s, text(I), v, M1);
      return { M2: session.proof, K: session.key };
    };
    return { B: ephemeral.public };
  }
}

const peers = { cognito: Cognito, "fast-srp-hap": Hap, "secure-remote-password": Plain };

// Matter's passcode session: the documents' X and Y are shareP and shareV, hBX and hAY confirmV and confirmP.
class Matter {
  constructor() {
    this.crypto = new matter.NodeJsStyleCrypto(crypto);
  }

  parameters({ salt, iterations }) {
    return { salt: bytes(salt), iterations };
  }

  answer({ Ke, hAY, hBX }, rest = {}) {
    const hex = (value) => Buffer.from(matter.Bytes.of(value)).toString("hex");
    const all = { Ke, hAY, hBX, ...rest };
    return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, hex(value)]));
  }

  async register(request) {
    const { w0, L } = await matter.Spake2p.computeW0L(this.crypto, this.parameters(request), request.passcode);
    return { w0: w0.toString(16).padStart(64, "0"), L: Buffer.from(matter.Bytes.of(L)).toString("hex") };
  }

  async start(request) {
    const { w0, w1 } = await matter.Spake2p.computeW0W1(this.crypto, this.parameters(request), request.passcode);
    this.run = matter.Spake2p.create(this.crypto, bytes(request.context), w0);
    Object.assign(this, { w1, X: this.run.computeX() });
    return { X: Buffer.from(matter.Bytes.of(this.X)).toString("hex") };
  }

  async finish({ Y }) {
    return this.answer(await this.run.computeSecretAndVerifiersFromY(this.w1, this.X, bytes(Y)));
  }

  async respond({ context, w0, L, X }) {
    const run = matter.Spake2p.create(this.crypto, bytes(context), BigInt(`0x${w0}`));
    const Y = run.computeY();
    return this.answer(await run.computeSecretAndVerifiersFromX(bytes(L), bytes(X), Y), { Y });
  }
}

let srp;
const device = new Matter();

async function answer(request) {
  const [kind, step] = request.op.split("-");
  if (kind === "matter") return device[step](request);
  if (step === "verifier" || step === "start" || step === "respond") srp = new peers[request.peer](request);
  return srp[step](request);
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let reply;
    try {
      reply = await answer(JSON.parse(line));
    } catch (error) {
      reply = { error: String(error.message || error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
})();
