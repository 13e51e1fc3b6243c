// Package playground opens the playground of a real shop in a real browser.
package playground

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ordergraph/services/catalog/demo"
	"ordergraph/test/shop"
)

// Required is the environment variable that, set to 1, makes the test fail
// where it would be skipped because there is no browser.
const Required = "ORDERGRAPH_REQUIRE_BROWSER"

var errNone = errors.New("needs Chromium, Node 20.19 or newer, npm and make on the PATH (Debian: apt install chromium nodejs npm)")

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

func TestStory(t *testing.T) {
	browser, err := findBrowser()
	if err != nil {
		if os.Getenv(Required) == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	// Before the program: it takes the playground in as it is built.
	command(t, "../..", "make", "web")
	command(t, ".", "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	s := shop.Start(t, shop.One)
	s.Fill(demo.Products(60, "EUR"))
	for _, transport := range []string{"websocket", "sse"} {
		t.Run(transport, func(t *testing.T) { command(t, ".", "node", "story.mjs", s.URL, browser, transport) })
	}
	s.Check()
}

func findBrowser() (string, error) {
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

// command runs a program that must succeed, within five minutes.
func command(t *testing.T, dir, name string, args ...string) {
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
