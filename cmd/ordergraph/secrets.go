package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// variables are the names of all environment variables that the commands know.
func variables(node *kong.Node) []string {
	var names []string
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, variables(child)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// readSecretFiles sets NAME to the content of the file that NAME_FILE names,
// as container platforms hand out secrets.
func readSecretFiles(names []string) error {
	for _, name := range names {
		file := os.Getenv(name + "_FILE")
		if file == "" {
			continue
		}
		if os.Getenv(name) != "" {
			return fmt.Errorf("%s and %s_FILE are both set: keep one of them", name, name)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%s_FILE: %w", name, err)
		}
		if err := os.Setenv(name, strings.TrimSpace(string(text))); err != nil {
			return fmt.Errorf("%s_FILE=%s: its content cannot be the value of a variable: %w", name, file, err)
		}
	}
	return nil
}

// secret is what this process shows the others. On one machine they find it
// in the folder they share, so that no one else on the machine can call them.
func (c *groundConfig) secret() (string, error) {
	if c.RPCSecret != "" {
		return c.RPCSecret, nil
	}
	text, err := sharedSecret(c.DataDir)
	if err != nil {
		return "", fmt.Errorf("DATA_DIR=%s: %w", c.DataDir, err)
	}
	return text, nil
}

// sharedSecret reads the folder's secret, or makes it. It is linked into place
// whole, so that of several processes starting at once one makes the secret
// and the others read it.
func sharedSecret(dir string) (string, error) {
	file := filepath.Join(dir, "rpc-secret")
	if text, err := os.ReadFile(file); err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	fresh, err := os.CreateTemp(dir, ".rpc-secret-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(fresh.Name()) }()
	_, err = fresh.WriteString(rand.Text())
	if err := errors.Join(err, fresh.Close()); err != nil {
		return "", err
	}
	if err := os.Link(fresh.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}
