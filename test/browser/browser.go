// Package browser finds a real browser for tests, and runs what drives it.
package browser

import (
	"context"
	_ "embed" // of the stage
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Required is the environment variable that, set to 1, makes tests fail where
// they would be skipped because there is no browser.
const Required = "ORDERGRAPH_REQUIRE_BROWSER"

var errNone = errors.New("needs Chromium, Node 20.19 or newer, npm and make on the PATH (Debian: apt install chromium nodejs npm)")

// Find is the path of a browser; without one the test is skipped, or fails
// where it is Required.
func Find(t *testing.T) string {
	t.Helper()
	path, err := Path()
	if err != nil {
		if os.Getenv(Required) == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// Path is the path of a browser, for programs that have no test to skip.
func Path() (string, error) {
	for _, program := range []string{"node", "npm", "make"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", errNone
		}
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNone
}

// The stage is part of every test that drives a browser, which has another
// result when it changes.
//
//go:embed stage.mjs
var _ string

// Web has make build what browsers get, before a program is built that takes it
// in. It looks at the sources, since `go test` would otherwise give a result once
// more that is from before they changed.
func Web(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.FromSlash("../../web"), func(_ string, entry fs.DirEntry, err error) error {
		if entry != nil && (entry.Name() == "node_modules" || entry.Name() == "dist") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	Run(t, "../..", "make", "web")
}

// Run runs a program that must succeed, within five minutes.
func Run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.FromSlash(dir)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	t.Logf("%s %v\n%s", name, args, out)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
