// @serenity-kit/opaque as a peer of bench/side_by_side.py: what it is asked and answers is in ../README.md.
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const path = require("node:path");
const { createRequire } = require("node:module");

// The argument is the folder in which `npm ci` has been run.
const opaque = createRequire(path.join(path.resolve(process.argv[2]), "package.json"))("@serenity-kit/opaque");

const password = "correct horse";
const userIdentifier = "user 4711";
// The package always stretches; this is the least that Argon2id takes, and the client's time is not measured here.
const keyStretching = { "argon2id-custom": { iterations: 1, memory: 8, parallelism: 1 } };

// Nanoseconds of CPU time of this process.
function cpuTime() {
  const { user, system } = process.cpuUsage();
  return 1000 * (user + system);
}

function enroll(serverSetup) {
  const started = opaque.client.startRegistration({ password });
  const { registrationResponse } = opaque.server.createRegistrationResponse({
    serverSetup,
    userIdentifier,
    registrationRequest: started.registrationRequest,
  });
  return opaque.client.finishRegistration({
    clientRegistrationState: started.clientRegistrationState,
    registrationResponse,
    password,
    keyStretching,
  }).registrationRecord;
}

// The server's part of `count` logins, from message to message.
function login(count, serverSetup, registrationRecord) {
  const clients = Array.from({ length: count }, () => opaque.client.startLogin({ password }));
  const begin = cpuTime();
  const answers = clients.map(({ startLoginRequest }) =>
    opaque.server.startLogin({ serverSetup, userIdentifier, registrationRecord, startLoginRequest }),
  );
  const answered = cpuTime();
  const finished = clients.map(({ clientLoginState }, i) =>
    opaque.client.finishLogin({ clientLoginState, loginResponse: answers[i].loginResponse, password, keyStretching }),
  );
  const computed = cpuTime();
  answers.forEach(({ serverLoginState }, i) =>
    opaque.server.finishLogin({ serverLoginState, finishLoginRequest: finished[i].finishLoginRequest }),
  );
  return answered - begin + (cpuTime() - computed);
}

opaque.ready.then(() => {
  const serverSetup = opaque.server.createSetup();
  const record = enroll(serverSetup);
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const [step, count] = line.split(" ");
    const answer =
      step === "describe" ? "@serenity-kit/opaque 1.1.0, WebAssembly in Node.js " + process.versions.node
      : step === "login" ? login(Number(count), serverSetup, record)
      : "unknown";
    fs.writeSync(1, answer + "\n");
  });
});
