// Package playground opens the playground of a real shop in a real browser.
package playground

import (
	"embed"
	"os"
	"testing"

	"ordergraph/services/catalog/demo"
	"ordergraph/test/browser"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

// The story is part of the test, which has another result when it changes.
//
//go:embed story.mjs package-lock.json
var _ embed.FS

func TestStory(t *testing.T) {
	chromium := browser.Find(t)
	// Before the program: it takes the playground in as it is built.
	browser.Web(t)
	browser.Run(t, ".", "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	s := shop.Start(t, shop.One)
	s.Fill(demo.Products(60, "EUR"))
	for _, transport := range []string{"websocket", "sse"} {
		t.Run(transport, func(t *testing.T) { browser.Run(t, ".", "node", "story.mjs", s.URL, chromium, transport) })
	}
	s.Check()
}
