// Package catalogrpc carries the catalogue service between processes.
package catalogrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
	"ordergraph/services/catalog"
)

// Contract says how the catalogue service is reached from another process.
// Every call may be repeated: to put the same in twice changes nothing.
var Contract = host.Contract[catalog.Service]{
	Name:    "catalog",
	Service: Catalog_ServiceDesc.ServiceName,
	Serve:   func(to grpc.ServiceRegistrar, impl catalog.Service) { RegisterCatalogServer(to, server{catalog: impl}) },
	Dial:    func(conn grpc.ClientConnInterface) catalog.Service { return client{rpc: NewCatalogClient(conn)} },
	Repeatable: []string{
		"Search", "Products", "ProductByHandle", "Variants", "VariantsBySKU", "Recommendations",
		"Collections", "CollectionByHandle", "Put", "PutCollections", "Count",
	},
}

type server struct {
	UnimplementedCatalogServer
	catalog catalog.Service
}

func (s server) Search(ctx context.Context, r *SearchRequest) (*SearchResponse, error) {
	found, err := s.catalog.Search(ctx, catalog.Search{
		Text: r.Text, Collection: r.Collection, Filters: wire.Each(r.Filters, toFilter), Sort: catalog.Sort(r.Sort),
		Reverse: r.Reverse, After: r.After, Before: r.Before, Limit: int(r.Limit), Total: r.Total, Facets: r.Facets,
	})
	if err != nil {
		return nil, err
	}
	return &SearchResponse{
		Products: wire.Each(found.Products, fromProduct), Cursors: found.Cursors, HasNext: found.HasNext, HasPrev: found.HasPrev,
		Total: found.Total, Facets: wire.Each(found.Facets, fromFacet), Currency: found.Currency,
	}, nil
}

func (s server) Products(ctx context.Context, r *ProductsRequest) (*ProductList, error) {
	found, err := s.catalog.Products(ctx, r.Ids)
	if err != nil {
		return nil, err
	}
	list := &ProductList{Products: make([]*Product, 0, len(found))}
	for _, p := range found {
		list.Products = append(list.Products, fromProduct(p))
	}
	return list, nil
}

func (s server) ProductByHandle(ctx context.Context, r *HandleRequest) (*Product, error) {
	p, err := s.catalog.ProductByHandle(ctx, r.Handle)
	if err != nil {
		return nil, err
	}
	return fromProduct(p), nil
}

func (s server) Variants(ctx context.Context, r *VariantsRequest) (*VariantsResponse, error) {
	found, err := s.catalog.Variants(ctx, r.Ids)
	if err != nil {
		return nil, err
	}
	return &VariantsResponse{Products: productsOf(found)}, nil
}

// productsOf are the products of variants, each once.
func productsOf(found map[string]catalog.VariantOf) (products []*Product) {
	sent := map[string]bool{}
	for _, v := range found {
		if !sent[v.Product.ID] {
			sent[v.Product.ID] = true
			products = append(products, fromProduct(v.Product))
		}
	}
	return products
}

func (s server) VariantsBySKU(ctx context.Context, r *VariantsBySKURequest) (*VariantsBySKUResponse, error) {
	found, err := s.catalog.VariantsBySKU(ctx, r.Skus)
	if err != nil {
		return nil, err
	}
	answer := &VariantsBySKUResponse{Products: productsOf(found), Variants: make(map[string]string, len(found))}
	for sku, v := range found {
		answer.Variants[sku] = v.Variant.ID
	}
	return answer, nil
}

func (s server) Recommendations(ctx context.Context, r *RecommendationsRequest) (*ProductList, error) {
	found, err := s.catalog.Recommendations(ctx, r.ProductId, int(r.Limit))
	if err != nil {
		return nil, err
	}
	return &ProductList{Products: wire.Each(found, fromProduct)}, nil
}

func (s server) Collections(ctx context.Context, r *CollectionsRequest) (*CollectionsResponse, error) {
	page, err := s.catalog.Collections(ctx, catalog.CollectionQuery{
		IDs: r.Ids, Sort: catalog.CollectionSort(r.Sort), Reverse: r.Reverse, After: r.After, Limit: int(r.Limit),
	})
	if err != nil {
		return nil, err
	}
	return &CollectionsResponse{Collections: wire.Each(page.Collections, fromCollection), Cursors: page.Cursors, HasMore: page.HasMore}, nil
}

func (s server) CollectionByHandle(ctx context.Context, r *HandleRequest) (*Collection, error) {
	c, err := s.catalog.CollectionByHandle(ctx, r.Handle)
	if err != nil {
		return nil, err
	}
	return fromCollection(c), nil
}

func (s server) Put(ctx context.Context, r *PutRequest) (*PutResponse, error) {
	results, err := s.catalog.Put(ctx, host.CallerOf(ctx), wire.Each(r.Products, toInput))
	if err != nil {
		return nil, err
	}
	return &PutResponse{Results: wire.Each(results, func(p catalog.PutResult) *PutResult {
		to := &PutResult{Outcome: string(p.Outcome), Problem: p.Problem}
		if p.Product.ID != "" {
			to.Product = fromProduct(p.Product)
		}
		return to
	})}, nil
}

func (s server) PutCollections(ctx context.Context, r *PutCollectionsRequest) (*PutCollectionsResponse, error) {
	return &PutCollectionsResponse{}, s.catalog.PutCollections(ctx, host.CallerOf(ctx), wire.Each(r.Collections, toCollectionInput))
}

func (s server) Count(ctx context.Context, _ *CountRequest) (*CountResponse, error) {
	n, err := s.catalog.Count(ctx)
	return &CountResponse{Count: n}, err
}

type client struct{ rpc CatalogClient }

func (c client) Search(ctx context.Context, q catalog.Search) (catalog.Found, error) {
	r, err := c.rpc.Search(ctx, &SearchRequest{
		Text: valid(q.Text), Collection: valid(q.Collection), Filters: wire.Each(q.Filters, fromFilter), Sort: valid(string(q.Sort)),
		Reverse: q.Reverse, After: valid(q.After), Before: valid(q.Before), Limit: int64(q.Limit), Total: q.Total, Facets: q.Facets,
	})
	if err != nil {
		return catalog.Found{}, err
	}
	return catalog.Found{
		Products: wire.Each(r.Products, toProduct), Cursors: r.Cursors, HasNext: r.HasNext, HasPrev: r.HasPrev,
		Total: r.Total, Facets: wire.Each(r.Facets, toFacet), Currency: r.Currency,
	}, nil
}

func (c client) Products(ctx context.Context, ids []string) (map[string]catalog.Product, error) {
	r, err := c.rpc.Products(ctx, &ProductsRequest{Ids: wire.Each(ids, valid)})
	if err != nil {
		return nil, err
	}
	found := make(map[string]catalog.Product, len(r.Products))
	for _, p := range r.Products {
		found[p.Id] = toProduct(p)
	}
	return found, nil
}

func (c client) ProductByHandle(ctx context.Context, handle string) (catalog.Product, error) {
	r, err := c.rpc.ProductByHandle(ctx, &HandleRequest{Handle: valid(handle)})
	if err != nil {
		return catalog.Product{}, err
	}
	return toProduct(r), nil
}

func (c client) Variants(ctx context.Context, ids []string) (map[string]catalog.VariantOf, error) {
	r, err := c.rpc.Variants(ctx, &VariantsRequest{Ids: wire.Each(ids, valid)})
	if err != nil {
		return nil, err
	}
	asked := make(map[string]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	return variantsIn(r.Products, asked), nil
}

// variantsIn are those of the products' variants that were asked for, by id.
func variantsIn(products []*Product, asked map[string]bool) map[string]catalog.VariantOf {
	found := make(map[string]catalog.VariantOf, len(asked))
	for _, sent := range products {
		p := toProduct(sent)
		for _, v := range p.Variants {
			if asked[v.ID] {
				found[v.ID] = catalog.VariantOf{Variant: v, Product: p}
			}
		}
	}
	return found
}

func (c client) VariantsBySKU(ctx context.Context, skus []string) (map[string]catalog.VariantOf, error) {
	r, err := c.rpc.VariantsBySKU(ctx, &VariantsBySKURequest{Skus: wire.Each(skus, valid)})
	if err != nil {
		return nil, err
	}
	asked := make(map[string]bool, len(r.Variants))
	for _, id := range r.Variants {
		asked[id] = true
	}
	byID := variantsIn(r.Products, asked)
	found := make(map[string]catalog.VariantOf, len(r.Variants))
	for sku, id := range r.Variants {
		if v, ok := byID[id]; ok {
			found[sku] = v
		}
	}
	return found, nil
}

func (c client) Recommendations(ctx context.Context, productID string, limit int) ([]catalog.Product, error) {
	r, err := c.rpc.Recommendations(ctx, &RecommendationsRequest{ProductId: valid(productID), Limit: int64(limit)})
	if err != nil {
		return nil, err
	}
	return wire.Each(r.Products, toProduct), nil
}

func (c client) Collections(ctx context.Context, q catalog.CollectionQuery) (catalog.CollectionPage, error) {
	r, err := c.rpc.Collections(ctx, &CollectionsRequest{
		Ids: wire.Each(q.IDs, valid), Sort: valid(string(q.Sort)), Reverse: q.Reverse, After: valid(q.After), Limit: int64(q.Limit),
	})
	if err != nil {
		return catalog.CollectionPage{}, err
	}
	return catalog.CollectionPage{Collections: wire.Each(r.Collections, toCollection), Cursors: r.Cursors, HasMore: r.HasMore}, nil
}

func (c client) CollectionByHandle(ctx context.Context, handle string) (catalog.Collection, error) {
	r, err := c.rpc.CollectionByHandle(ctx, &HandleRequest{Handle: valid(handle)})
	if err != nil {
		return catalog.Collection{}, err
	}
	return toCollection(r), nil
}

// putAtOnce is how large one message of products is, in bytes, about: their
// answer repeats them.
const putAtOnce = 8 << 20

// Put sends products in as many calls as they need: each is put in by itself,
// so it does not matter which go together. (Of two with one handle the second
// is refused in one call, and in another it counts.)
func (c client) Put(ctx context.Context, who identity.Caller, products []catalog.ProductInput) ([]catalog.PutResult, error) {
	ctx = host.WithCaller(ctx, who)
	var results []catalog.PutResult
	put := &PutRequest{}
	send := func() error {
		r, err := c.rpc.Put(ctx, put)
		if err != nil {
			return err
		}
		for _, p := range r.Results {
			results = append(results, catalog.PutResult{Product: toProduct(p.Product), Outcome: catalog.PutOutcome(p.Outcome), Problem: p.Problem})
		}
		put = &PutRequest{}
		return nil
	}
	size := 0
	for _, product := range products {
		p := fromInput(product)
		more := proto.Size(p)
		if len(put.Products) > 0 && size+more > putAtOnce && len(products) <= catalog.MaxImport {
			if err := send(); err != nil {
				return nil, err
			}
			size = 0
		}
		put.Products, size = append(put.Products, p), size+more
	}
	if err := send(); err != nil {
		return nil, err
	}
	return results, nil
}

func (c client) PutCollections(ctx context.Context, who identity.Caller, collections []catalog.CollectionInput) error {
	_, err := c.rpc.PutCollections(host.WithCaller(ctx, who), &PutCollectionsRequest{Collections: wire.Each(collections, fromCollectionInput)})
	return err
}

func (c client) Count(ctx context.Context) (int64, error) {
	r, err := c.rpc.Count(ctx, &CountRequest{})
	return r.GetCount(), err
}
