//go:build !linux

package cli

import (
	"os/exec"
	"testing"
)

func onTerminal(t *testing.T, _ *exec.Cmd) (screen func() string) {
	t.Skip("terminals are made on Linux only")
	return nil
}
