package catalogrpc_test

import (
	"context"
	"strings"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogrpc"
)

// What is within the catalogue's limits arrives, however large it is.
func TestLongDescriptions(t *testing.T) {
	text := strings.Repeat("x", 100<<10) // a fifth of what the catalogue takes
	shop := &large{text: text}
	client := hosttest.Loopback(t, catalogrpc.Contract, catalog.Service(shop))

	found, err := client.Search(t.Context(), catalog.Search{Limit: catalog.MaxPage})
	if err != nil || len(found.Products) != catalog.MaxPage {
		t.Errorf("a page: %d products, %v", len(found.Products), err)
	}
	all := make([]catalog.ProductInput, catalog.MaxImport)
	for i := range all {
		all[i].HTML, all[i].Line = strings.Repeat("y", 60<<10), i
	}
	put, err := client.Put(t.Context(), identity.Ourselves(), all)
	if err != nil || len(put) != len(all) {
		t.Fatalf("%d of %d were put in: %v", len(put), len(all), err)
	}
	for i, line := range shop.lines {
		if line != i {
			t.Fatalf("line %d came as %d", line, i)
		}
	}
	if len(shop.lines) != len(all) {
		t.Errorf("%d of %d came", len(shop.lines), len(all))
	}
}

// large is a shop that says much about everything.
type large struct {
	echo
	text  string
	lines []int
}

func (l *large) Search(context.Context, catalog.Search) (catalog.Found, error) {
	found := catalog.Found{Products: make([]catalog.Product, catalog.MaxPage)}
	for i := range found.Products {
		found.Products[i].HTML = l.text
	}
	return found, nil
}

func (l *large) Put(_ context.Context, _ identity.Caller, products []catalog.ProductInput) ([]catalog.PutResult, error) {
	results := make([]catalog.PutResult, len(products))
	for i, p := range products {
		l.lines = append(l.lines, p.Line)
		results[i] = catalog.PutResult{Outcome: catalog.Added, Product: catalog.Product{ID: "p", HTML: p.HTML}}
	}
	return results, nil
}
