package catalog_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogtest"
)

func TestWorkersOutlivePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trap docstoretest.Trap
		k := openKeeper(t, trap.Wrap(docstoretest.Memory(t)))
		trap.Outlived(t, k.Run)
	})
}

// mined is a store that panics instead of taking a new product.
type mined struct{ docstore.Store }

type minedProducts struct{ docstore.Documents }

func (s mined) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	docs, err := s.Store.Documents(ctx, spec)
	if spec.Name == "products" {
		docs = minedProducts{docs}
	}
	return docs, err
}

func (minedProducts) Insert(context.Context, bson.Raw) error { panic("a mine") }

// The products of one Put are written side by side, each in a goroutine that
// no edge looks after.
func TestAPutThatPanicsIsAnError(t *testing.T) {
	store := docstoretest.Memory(t)
	k := openKeeper(t, mined{store})
	if _, err := k.Put(t.Context(), identity.Ourselves(), catalogtest.Many(3)); err == nil {
		t.Error("no error")
	}
	putAll(t, openKeeper(t, store), catalogtest.Many(3))
}

// News that make their writer panic keep no later news from being written.
func TestNewsComeInAfterAPanic(t *testing.T) {
	var trap docstoretest.Trap
	k := openKeeper(t, trap.Wrap(docstoretest.Memory(t)))
	putAll(t, k, catalogtest.Many(1))
	trap.Set(1)
	if err := catalog.Hear(k, t.Context(), availability(t, "SKU-0-1", true, 1)); err == nil || errors.Is(err, docstore.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if err := catalog.Hear(k, t.Context(), availability(t, "SKU-0-1", true, 1)); err != nil {
		t.Error(err)
	}
	if n := inStock(t, k); n != 1 {
		t.Errorf("%d products in stock", n)
	}
}
