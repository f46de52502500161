// circl's OPRF as a peer of bench/side_by_side.py: what it is asked and answers is in ../README.md.
package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"syscall"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/oprf"
)

// Nanoseconds of CPU time of this process.
func cpuTime() int64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// RFC 9497's BlindEvaluate, from bytes to bytes.
func evaluate(count int) int64 {
	suite := oprf.SuiteRistretto255
	key, err := oprf.GenerateKey(suite, rand.Reader)
	must(err)
	server := oprf.NewServer(suite, key)
	_, request, err := oprf.NewClient(suite).Blind([][]byte{[]byte("correct horse")})
	must(err)
	blinded, err := request.Elements[0].MarshalBinaryCompress()
	must(err)
	begin := cpuTime()
	for i := 0; i < count; i++ {
		element := group.Ristretto255.NewElement()
		must(element.UnmarshalBinary(blinded))
		evaluation, err := server.Evaluate(&oprf.EvaluationRequest{Elements: []oprf.Blinded{element}})
		must(err)
		_, err = evaluation.Elements[0].MarshalBinaryCompress()
		must(err)
	}
	return cpuTime() - begin
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var step string
		var count int
		fmt.Sscan(lines.Text(), &step, &count)
		switch step {
		case "describe":
			fmt.Println("circl 1.6.1, go-ristretto")
		case "evaluate":
			fmt.Println(evaluate(count))
		default:
			fmt.Println("unknown")
		}
	}
}
