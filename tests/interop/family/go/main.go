// Proton's go-srp behind lines of JSON; bytes are hexadecimal, numbers little-endian. An answer {"error"} ends the run, not
// the program. a and b fix an exponent; else it is random.
//
//	{"op": "register", "N", "password"}                     {"s", "v"}
//	{"op": "prove", "N", "password", "s", "B", "a"?}        {"A", "M1"}
//	{"op": "finish", "M2"}                                  {}
//	{"op": "challenge", "N", "v", "b"?}                     {"B"}
//	{"op": "check", "A", "M1"}                              {"M2", "S"}
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/ProtonMail/go-srp"
)

const bits = 2048

type fields map[string]string

func (f fields) bytes(name string) []byte {
	value, err := hex.DecodeString(f[name])
	if err != nil {
		panic(err)
	}
	return value
}

type peer struct {
	proofs *srp.Proofs
	server *srp.Server
}

// auth is what srp.NewAuth makes of a signed modulus, once the signature has verified.
func auth(request fields, s []byte) (*srp.Auth, error) {
	N := request.bytes("N")
	hashed, err := srp.HashPassword(4, request.bytes("password"), "", slices.Clip(s), N)
	return &srp.Auth{Modulus: N, ServerEphemeral: request.bytes("B"), HashedPassword: hashed, Version: 4}, err
}

func (p *peer) answer(request fields) (fields, error) {
	switch request["op"] {
	case "register":
		s, err := srp.RandomBytes(10)
		if err != nil {
			return nil, err
		}
		of, err := auth(request, s)
		if err != nil {
			return nil, err
		}
		v, err := of.GenerateVerifier(bits)
		return fields{"s": hex.EncodeToString(s), "v": hex.EncodeToString(v)}, err
	case "prove":
		of, err := auth(request, request.bytes("s"))
		if err != nil {
			return nil, err
		}
		srp.RandReader = rand.Reader
		if a := request.bytes("a"); len(a) != 0 {
			slices.Reverse(a)
			srp.RandReader = bytes.NewReader(a)
		}
		p.proofs, err = of.GenerateProofs(bits)
		if err != nil {
			return nil, err
		}
		return fields{"A": hex.EncodeToString(p.proofs.ClientEphemeral), "M1": hex.EncodeToString(p.proofs.ClientProof)}, nil
	case "finish":
		if !bytes.Equal(p.proofs.ExpectedServerProof, request.bytes("M2")) {
			return nil, errors.New("another M2")
		}
		return fields{}, nil
	case "challenge":
		var err error
		srp.RandReader = rand.Reader
		if b := request.bytes("b"); len(b) != 0 {
			p.server, err = srp.NewServerWithSecret(request.bytes("N"), request.bytes("v"), b, bits)
		} else {
			p.server, err = srp.NewServer(request.bytes("N"), request.bytes("v"), bits)
		}
		if err != nil {
			return nil, err
		}
		B, err := p.server.GenerateChallenge()
		return fields{"B": hex.EncodeToString(B)}, err
	case "check":
		M2, err := p.server.VerifyProofs(request.bytes("A"), request.bytes("M1"))
		if err != nil {
			return nil, err
		}
		S, err := p.server.GetSharedSession()
		return fields{"M2": hex.EncodeToString(M2), "S": hex.EncodeToString(S)}, err
	}
	return nil, errors.New("unknown op")
}

func main() {
	var p peer
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request fields
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			panic(err)
		}
		answer, err := p.answer(request)
		if err != nil {
			answer = fields{"error": err.Error()}
		}
		line, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}
