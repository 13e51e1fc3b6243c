package catalogrpc_test

import (
	"context"
	"reflect"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogrpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, catalogrpc.Contract, catalog.Service(e))
	wiretest.Whole(t, client, &e.Calls, func(args []reflect.Value, answer []any) {
		switch found := answer[0].(type) {
		case map[string]catalog.Product:
			for id, p := range found {
				p.ID = id
				found[id] = p
			}
		case map[string]catalog.VariantOf:
			asked, _ := args[1].Interface().([]string)
			these := map[string]catalog.VariantOf{}
			for _, v := range found {
				v.Variant.ID = asked[len(these)]
				v.Product.Variants[0] = v.Variant
				these[v.Variant.ID] = v
			}
			answer[0] = these
		}
	})
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Search(_ context.Context, q catalog.Search) (catalog.Found, error) {
	e.Took(q)
	return wiretest.Answer[catalog.Found](&e.Calls, 0), nil
}

func (e *echo) Products(_ context.Context, ids []string) (map[string]catalog.Product, error) {
	e.Took(ids)
	return wiretest.Answer[map[string]catalog.Product](&e.Calls, 0), nil
}

func (e *echo) ProductByHandle(_ context.Context, handle string) (catalog.Product, error) {
	e.Took(handle)
	return wiretest.Answer[catalog.Product](&e.Calls, 0), nil
}

func (e *echo) Variants(_ context.Context, ids []string) (map[string]catalog.VariantOf, error) {
	e.Took(ids)
	return wiretest.Answer[map[string]catalog.VariantOf](&e.Calls, 0), nil
}

func (e *echo) VariantsBySKU(_ context.Context, skus []string) (map[string]catalog.VariantOf, error) {
	e.Took(skus)
	return wiretest.Answer[map[string]catalog.VariantOf](&e.Calls, 0), nil
}

func (e *echo) Recommendations(_ context.Context, productID string, limit int) ([]catalog.Product, error) {
	e.Took(productID, limit)
	return wiretest.Answer[[]catalog.Product](&e.Calls, 0), nil
}

func (e *echo) Collections(_ context.Context, q catalog.CollectionQuery) (catalog.CollectionPage, error) {
	e.Took(q)
	return wiretest.Answer[catalog.CollectionPage](&e.Calls, 0), nil
}

func (e *echo) CollectionByHandle(_ context.Context, handle string) (catalog.Collection, error) {
	e.Took(handle)
	return wiretest.Answer[catalog.Collection](&e.Calls, 0), nil
}

func (e *echo) Put(_ context.Context, who identity.Caller, products []catalog.ProductInput) ([]catalog.PutResult, error) {
	e.Took(who, products)
	return wiretest.Answer[[]catalog.PutResult](&e.Calls, 0), nil
}

func (e *echo) PutCollections(_ context.Context, who identity.Caller, collections []catalog.CollectionInput) error {
	e.Took(who, collections)
	return nil
}

func (e *echo) Count(_ context.Context) (int64, error) {
	e.Took()
	return wiretest.Answer[int64](&e.Calls, 0), nil
}
