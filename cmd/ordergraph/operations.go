package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ordergraph/graph"
)

type operationsCmd struct {
	Register registerCmd `cmd:"" help:"Register operations, so that a gateway with SAFELIST=on admits them."`
}

type registerCmd struct {
	Files  []string `arg:"" name:"file" type:"existingfile" help:"Documents in GraphQL (.graphql), or manifests as Apollo's tools write them (.json)."`
	Output string   `short:"o" name:"output" env:"OPERATIONS_FILE" default:"operations.json" type:"path" placeholder:"FILE" help:"The manifest they are added to."`
}

func (c *registerCmd) Help() string {
	return "Checks the operations against the schema and adds those that are new to the manifest, in Apollo's format. Gateways read it again when it changes; what clients in the field still send stays in it. When anything is wrong, nothing is changed."
}

// Run registers all the files, or nothing.
func (c *registerCmd) Run() error {
	manifest, err := readRegistered(c.Output)
	if err != nil {
		return err
	}
	var operations []graph.Registered
	var errs []error
	for _, file := range c.Files {
		text, err := os.ReadFile(file)
		if err == nil {
			var found []graph.Registered
			found, err = graph.ReadOperations(text)
			operations = append(operations, found...)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s", file, strings.ReplaceAll(err.Error(), "\n", "\n  ")))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("nothing was registered:\n%w", err)
	}
	added := manifest.Register(operations)
	if len(added) > 0 {
		text, err := json.MarshalIndent(manifest, "", "  ")
		if err != nil {
			return err
		}
		if err := replaceFile(c.Output, append(text, '\n')); err != nil {
			return fmt.Errorf("%s: %w", c.Output, err)
		}
	}
	for _, op := range added {
		fmt.Printf("new: %s %s %s\n", op.Type, op.Name, op.ID)
	}
	fmt.Printf("%d new, %d operations in %s\n", len(added), len(manifest.Operations), shorten(c.Output))
	return nil
}

// readRegistered is the manifest so far; an empty one if there is none.
func readRegistered(file string) (graph.Manifest, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return graph.Manifest{}, nil
	}
	if err != nil {
		return graph.Manifest{}, err
	}
	m, err := graph.ReadManifest(text)
	if err != nil {
		return m, usage("%s is %v", file, err)
	}
	return m, nil
}

// replaceFile puts a whole file into the place of another: who reads it sees
// the one or the other.
func replaceFile(file string, text []byte) error {
	fresh, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(fresh.Name()) }() // it is not there any more when all went well
	_, err = fresh.Write(text)
	if err := errors.Join(err, fresh.Chmod(0o644), fresh.Sync(), fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), file)
}
