package catalog_test

import (
	"context"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogtest"
)

// shaky is a store that at times takes a product and then loses the answer.
type shaky struct {
	docstore.Store
	trouble atomic.Bool
}

type shakyProducts struct {
	docstore.Documents
	of *shaky
	n  atomic.Int64
}

func (s *shaky) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	docs, err := s.Store.Documents(ctx, spec)
	if spec.Name == "products" {
		docs = &shakyProducts{Documents: docs, of: s}
	}
	return docs, err
}

func (p *shakyProducts) Insert(ctx context.Context, doc bson.Raw) error {
	err := p.Documents.Insert(ctx, doc)
	if p.of.trouble.Load() && p.n.Add(1)%5 == 0 {
		return docstore.ErrUnavailable
	}
	return err
}

// After a Put that failed half-way, what was written is seen, and putting the
// same in again completes it without a second copy of anything.
func TestPutCompletesAfterLostAnswers(t *testing.T) {
	for range 10 {
		putTwice(t)
	}
}

func putTwice(t *testing.T) {
	t.Helper()
	store := &shaky{Store: docstoretest.Memory(t)}
	k := openKeeper(t, store)
	products := catalogtest.Many(80)
	store.trouble.Store(true)
	if _, err := k.Put(t.Context(), identity.Ourselves(), products); err == nil {
		t.Fatal("no error")
	}
	store.trouble.Store(false)
	results, err := k.Put(t.Context(), identity.Ourselves(), products)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[catalog.PutOutcome]int{}
	for _, r := range results {
		outcomes[r.Outcome]++
	}
	if outcomes[catalog.Unchanged] == 0 || outcomes[catalog.Added]+outcomes[catalog.Unchanged] != len(products) {
		t.Errorf("the second time: %v", outcomes)
	}
	for _, k := range []*catalog.Keeper{k, openKeeper(t, store)} {
		n, err := k.Count(t.Context())
		found, searchErr := k.Search(t.Context(), catalog.Search{Total: true})
		if err != nil || searchErr != nil || n != int64(len(products)) || found.Total != n {
			t.Errorf("%d products, %d found, %v, %v", n, found.Total, err, searchErr)
		}
	}
}
