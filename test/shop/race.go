//go:build race

package shop

// raceFlags build the program as the test was built, as make does. In what
// hashes passwords nothing is shared, and the detector would make each sign-in
// take a second and more.
var raceFlags = []string{"-race", "-gcflags=golang.org/x/crypto/blowfish=-race=false"}
