// @serenity-kit/opaque and @serenity-kit/opaque-p256 behind lines of JSON: ../README.md has the requests and answers.
// Run it where `npm ci` has been run: node peer.js
"use strict";

const readline = require("node:readline");

const packages = {
  ristretto255: require("@serenity-kit/opaque"),
  p256: require("@serenity-kit/opaque-p256"),
};
const hex = (base64url) => Buffer.from(base64url, "base64url").toString("hex");
const base64url = (text) => Buffer.from(text, "hex").toString("base64url");
const identifiers = ({ client_identity, server_identity }) => ({
  client: client_identity || undefined,
  server: server_identity || undefined,
});
const keyStretching = {
  "rfc9106-2": undefined, // what the packages do unless told otherwise
  small: { "argon2id-custom": { iterations: 2, memory: 19456, parallelism: 1 } },
};

const state = {};

function withoutContext({ context }) {
  if (context) throw new Error("the packages have no context");
}

function stretching({ ksf }) {
  if (!(ksf in keyStretching)) throw new Error("unknown ksf");
  return keyStretching[ksf];
}

const operations = {
  server_setup(opaque) {
    state.setup = opaque.server.createSetup();
    return { public_key: hex(opaque.server.getPublicKey(state.setup)) };
  },
  registration_request(opaque, { password }) {
    const started = opaque.client.startRegistration({ password });
    state.registration = started.clientRegistrationState;
    return { message: hex(started.registrationRequest) };
  },
  registration_response(opaque, { message, credential_identifier }) {
    const { registrationResponse } = opaque.server.createRegistrationResponse({
      serverSetup: state.setup,
      userIdentifier: credential_identifier,
      registrationRequest: base64url(message),
    });
    return { message: hex(registrationResponse) };
  },
  registration_record(opaque, request) {
    const finished = opaque.client.finishRegistration({
      clientRegistrationState: state.registration,
      registrationResponse: base64url(request.message),
      password: request.password,
      identifiers: identifiers(request),
      keyStretching: stretching(request),
    });
    return {
      message: hex(finished.registrationRecord),
      export_key: hex(finished.exportKey),
      public_key: hex(finished.serverStaticPublicKey),
    };
  },
  ke1(opaque, { password }) {
    const started = opaque.client.startLogin({ password });
    state.client = started.clientLoginState;
    return { message: hex(started.startLoginRequest) };
  },
  ke2(opaque, request) {
    withoutContext(request);
    const started = opaque.server.startLogin({
      serverSetup: state.setup,
      userIdentifier: request.credential_identifier,
      registrationRecord: request.record === null ? null : base64url(request.record),
      startLoginRequest: base64url(request.message),
      identifiers: identifiers(request),
    });
    state.server = started.serverLoginState;
    return { message: hex(started.loginResponse) };
  },
  ke3(opaque, request) {
    withoutContext(request);
    const finished = opaque.client.finishLogin({
      clientLoginState: state.client,
      loginResponse: base64url(request.message),
      password: request.password,
      identifiers: identifiers(request),
      keyStretching: stretching(request),
    });
    if (!finished) throw new Error("the login failed");
    return {
      message: hex(finished.finishLoginRequest),
      session_key: hex(finished.sessionKey),
      export_key: hex(finished.exportKey),
      public_key: hex(finished.serverStaticPublicKey),
    };
  },
  finish(opaque, request) {
    const { sessionKey } = opaque.server.finishLogin({
      serverLoginState: state.server,
      finishLoginRequest: base64url(request.message),
      identifiers: identifiers(request),
    });
    return { session_key: hex(sessionKey) };
  },
};

async function main() {
  await Promise.all(Object.values(packages).map((opaque) => opaque.ready));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      const request = JSON.parse(line);
      answer = operations[request.op](packages[request.suite], request);
    } catch (error) {
      answer = { error: String(error.message ?? error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

main();
