package clients

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/test/child"
)

// required is the environment variable that, set to 1, makes tests fail where
// they would be skipped because there is no Node.js.
const required = "ORDERGRAPH_REQUIRE_NODE"

const modules = "node_modules"

// stamp names the lock file that the modules were installed by.
const stamp = ".installed"

var install = sync.OnceValue(installModules)

// The clients want Node.js of this major version or later.
const oldestNode = 20

var errNoNode = fmt.Errorf("no Node.js %d or later with npm on the PATH to test with: see https://nodejs.org", oldestNode)

// needNode installs the clients, once for each lock file. Without Node.js the
// test is skipped, or fails if that is not allowed.
func needNode(t *testing.T) {
	t.Helper()
	err := install()
	switch {
	case errors.Is(err, errNoNode) && os.Getenv(required) != "1":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// installModules installs what package-lock.json says, beside the place where
// it is to be, and then moves it there: an installation that was interrupted,
// or another one at the same time, does no harm.
func installModules() error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errNoNode
	}
	major := 0
	version, err := exec.Command("node", "--version").Output() // v20.19.2
	if err == nil {
		_, err = fmt.Sscanf(string(version), "v%d.", &major)
	}
	if err != nil || major < oldestNode {
		return errNoNode
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	want := hex.EncodeToString(sum[:])
	if installed(want) {
		return nil
	}
	dir, err := os.MkdirTemp(".", modules+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, modules, stamp), []byte(want), 0o600); err != nil {
		return err
	}
	if _, err := os.Stat(modules); err == nil {
		if err := os.Rename(modules, filepath.Join(dir, "old")); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(dir, modules), modules); err != nil && !installed(want) {
		return err
	}
	return nil
}

func installed(want string) bool {
	got, err := os.ReadFile(filepath.Join(modules, stamp))
	return err == nil && string(got) == want
}

// most is how long one script may take on a machine that has other things to do.
const most = 6 * time.Minute

// A script is a program that runs beside the shop.
type script struct {
	t    *testing.T
	name string
	in   io.WriteCloser
	said buffer
	run  *child.Process
}

// start starts a program with more environment; it ends with the test.
func start(t *testing.T, dir string, env []string, program string, args ...string) *script {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	s := &script{t: t, name: strings.Join(append([]string{program}, args...), " ")}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &s.said, &s.said
	var err error
	if s.in, err = cmd.StdinPipe(); err == nil {
		s.run, err = child.Start(cmd)
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		<-s.run.Done()
	})
	return s
}

// output is what the script said, once it has ended well.
func (s *script) output() string {
	s.t.Helper()
	if err := s.run.Err(); err != nil {
		s.t.Errorf("%s: %v\n%s", s.name, err, s.said.String())
	}
	return s.said.String()
}

// waitFor waits until the script has said a line that begins like this.
func (s *script) waitFor(line string) {
	s.t.Helper()
	ended := false
	for end := time.Now().Add(most); ; time.Sleep(20 * time.Millisecond) {
		if strings.HasPrefix(s.said.String(), line) || strings.Contains(s.said.String(), "\n"+line) {
			return
		}
		if ended || time.Now().After(end) {
			s.t.Fatalf("%s did not say %q:\n%s", s.name, line, s.said.String())
		}
		select {
		case <-s.run.Done():
			ended = true // look once more
		default:
		}
	}
}

// buffer keeps what a script says.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
