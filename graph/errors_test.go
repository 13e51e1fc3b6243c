package graph_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ordergraph/graph"
	"ordergraph/graph/gid"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/services/catalog"
)

// trouble is a catalogue in which everything goes wrong in the same way.
type trouble struct {
	catalog.Service
	product func(context.Context) (catalog.Product, error)
}

func (c *trouble) ProductByHandle(ctx context.Context, _ string) (catalog.Product, error) {
	return c.product(ctx)
}

const secret = "password=hunter2"

func TestErrorsAreTranslated(t *testing.T) {
	c := &trouble{}
	shop := graphtest.New(t, func(o *graph.Options) { c.Service, o.Catalog = o.Catalog, c })
	declared := func(kind fault.Kind) error {
		return fmt.Errorf("%s: %w", secret, fault.New(kind, "test.trouble", "Nothing is well.").Field("handle"))
	}
	for name, e := range map[string]struct {
		err     error
		code    string
		reason  string
		message string
		logged  bool
	}{
		"invalid":           {declared(fault.Invalid), "BAD_USER_INPUT", "test.trouble", "Nothing is well.", false},
		"conflict":          {declared(fault.Conflict), "CONFLICT", "test.trouble", "Nothing is well.", false},
		"unauthenticated":   {declared(fault.Unauthenticated), "UNAUTHENTICATED", "test.trouble", "Nothing is well.", false},
		"permission denied": {declared(fault.PermissionDenied), "FORBIDDEN", "test.trouble", "Nothing is well.", false},
		"exhausted":         {declared(fault.Exhausted), "THROTTLED", "test.trouble", "Nothing is well.", false},
		"unavailable":       {declared(fault.Unavailable), "UNAVAILABLE", "test.trouble", "Nothing is well.", true},
		"deadline":          {declared(fault.DeadlineExceeded), "TIMEOUT", "test.trouble", "Nothing is well.", true},
		"internal":          {declared(fault.Internal), "INTERNAL_SERVER_ERROR", "test.trouble", "Nothing is well.", true},
		"a context's own":   {context.DeadlineExceeded, "TIMEOUT", "deadline_exceeded", "took too long", true},
		"another secret":    {fmt.Errorf("%s: %w", secret, host.ErrStranger), "INTERNAL_SERVER_ERROR", "graph.set_up", "our side", true},
		"undeclared":        {errors.New(secret), "INTERNAL_SERVER_ERROR", "internal", "our side", true},
	} {
		t.Run(name, func(t *testing.T) {
			c.product = func(context.Context) (catalog.Product, error) { return catalog.Product{}, e.err }
			id := "test-" + strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), "'", "")
			a := shop.Send("POST", "", map[string]string{"Content-Type": "application/json", "X-Request-Id": id},
				[]byte(`{"query":"{product(handle:\"x\"){id} again:product(handle:\"x\"){id} shop{name}}"}`))
			want(t, a.Data, "product", nil)
			want(t, a.Data, "shop.name", "Try-out")
			if a.Status != 200 || len(a.Errors) != 2 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			got := a.Errors[0]
			want(t, got.Extensions, "code", e.code)
			want(t, got.Extensions, "reason", e.reason)
			if !strings.Contains(got.Message, e.message) {
				t.Errorf("message %q, want %q", got.Message, e.message)
			}
			if e.reason == "test.trouble" {
				want(t, got.Extensions, "field", "handle")
			}
			if strings.Contains(string(a.Body), secret) {
				t.Error("the answer gives away what is inside")
			}
			entries, reference := 0, any(nil)
			if e.logged {
				entries, reference = 1, id
			}
			if got.Extensions["reference"] != reference {
				t.Errorf("the reference is %v, want %v", got.Extensions["reference"], reference)
			}
			if n := strings.Count(shop.Log.String(), `"request":"`+id+`"`); n != entries {
				t.Errorf("it stands in the log %d times, want %d: %s", n, entries, shop.Log)
			}
		})
	}

	t.Run("not found is null", func(t *testing.T) {
		c.product = func(context.Context) (catalog.Product, error) { return catalog.Product{}, declared(fault.NotFound) }
		want(t, shop.Do(`{product(handle:"x"){id}}`, nil), "product", nil)
	})
	t.Run("a panic", func(t *testing.T) {
		c.product = func(context.Context) (catalog.Product, error) { panic(secret + " panic") }
		a := shop.Ask(`{product(handle:"x"){id} shop{name}}`, nil)
		want(t, a.Data, "shop.name", "Try-out")
		want(t, a.Errors[0].Extensions, "code", "INTERNAL_SERVER_ERROR")
		if strings.Contains(string(a.Body), secret) {
			t.Error("the answer gives away what is inside")
		}
		if log := shop.Log.String(); strings.Count(log, secret+" panic") != 1 || !strings.Contains(log, "errors_test.go") {
			t.Errorf("the log does not tell of it once, with the place: %s", log)
		}
	})
	t.Run("the time of an operation", func(t *testing.T) {
		c := &trouble{}
		shop := graphtest.New(t, func(o *graph.Options) { c.Service, o.Catalog, o.Limits.Time = o.Catalog, c, 50*time.Millisecond })
		c.product = func(ctx context.Context) (catalog.Product, error) {
			<-ctx.Done()
			return catalog.Product{}, ctx.Err()
		}
		a := shop.Ask(`{product(handle:"x"){id}}`, nil)
		if len(a.Errors) == 0 {
			t.Fatalf("%s", a.Body)
		}
		want(t, a.Errors[0].Extensions, "code", "TIMEOUT")
	})
}

// half is a catalogue that has lost its collections.
type half struct{ catalog.Service }

func (half) Collections(context.Context, catalog.CollectionQuery) (catalog.CollectionPage, error) {
	return catalog.CollectionPage{}, fault.New(fault.Unavailable, "test.away", "The collections are away.")
}

// What cannot be had by its id takes nothing from what can.
func TestOneOfManyNodesFails(t *testing.T) {
	shop := graphtest.New(t, func(o *graph.Options) { o.Catalog = half{o.Catalog} })
	product := gid.Of(gid.Product, shop.Product("Café Mug").ID)
	a := shop.Ask(`query($ids:[ID!]!){nodes(ids:$ids){id}}`, graphtest.Vars{"ids": []string{gid.Of(gid.Collection, "mugs"), product, "nonsense"}})
	want(t, a.Data, "nodes.1.id", product)
	want(t, a.Data, "nodes.0", nil)
	want(t, a.Data, "nodes.2", nil)
	if len(a.Errors) != 1 || fmt.Sprint(a.Errors[0].Path) != "[nodes 0]" {
		t.Fatalf("%s", a.Body)
	}
	want(t, a.Errors[0].Extensions, "code", "UNAVAILABLE")
}
