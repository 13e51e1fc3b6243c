// Package clients lets the GraphQL clients that front ends use, as npm has
// them, buy things from the real program and watch their orders.
//
// Each *.test.mjs is a program that runs against one shop; the snippets of
// docs/frontend.md run against it as well.
package clients

import (
	"embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ordergraph/services/catalog/demo"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

// The scripts are part of the tests, which have another result when they change.
//
//go:embed *.mjs package.json tsconfig.json
var _ embed.FS

func TestClients(t *testing.T) {
	needNode(t)
	s := shop.Start(t, shop.One)
	s.Fill(demo.Products(40, "EUR"))
	scripts, err := filepath.Glob("*.test.mjs")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range scripts {
		t.Run(strings.TrimSuffix(name, ".test.mjs"), func(t *testing.T) {
			out := start(t, ".", []string{"SHOP_URL=" + s.URL}, "node", "--test-reporter=spec", "--test-force-exit", name).output()
			if testing.Verbose() {
				t.Log(out)
			}
		})
	}
	t.Run("page", func(t *testing.T) { page(t, s) })
	s.Check()
}
