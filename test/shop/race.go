//go:build race

package shop

// raceFlag builds the program as the test was built.
var raceFlag = []string{"-race"}
