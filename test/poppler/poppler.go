// Package poppler reads PDF documents with Poppler's programs, which many
// viewers are made of.
package poppler

import (
	"os"
	"os/exec"
	"testing"
)

// Required is the environment variable that, set to 1, makes tests fail where
// they would be skipped because Poppler is not installed.
const Required = "ORDERGRAPH_REQUIRE_POPPLER"

// Run runs one of the programs, which must succeed, and returns what it said.
// Without Poppler the test is skipped, or fails where it is Required.
func Run(t *testing.T, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv(Required) == "1" {
			t.Fatalf("%s is not installed: run test/need", program)
		}
		t.Skipf("%s is not installed", program)
	}
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}
