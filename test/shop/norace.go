//go:build !race

package shop

// raceFlags build the program as the test was built.
var raceFlags []string
