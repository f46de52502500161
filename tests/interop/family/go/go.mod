module pake-interop-family

go 1.21

require github.com/ProtonMail/go-srp v0.0.7

require (
	github.com/ProtonMail/bcrypt v0.0.0-20210511135022-227b4adcab57 // indirect
	github.com/ProtonMail/go-crypto v0.0.0-20230321155629-9a39f2531310 // indirect
	github.com/cloudflare/circl v1.1.0 // indirect
	github.com/cronokirby/saferith v0.33.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	golang.org/x/crypto v0.7.0 // indirect
	golang.org/x/sys v0.6.0 // indirect
)
