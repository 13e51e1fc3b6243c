package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/gid"
	"ordergraph/graph/view"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
	"ordergraph/services/catalog"
)

// productWith is the product with this handle or global id, or nil.
func (r *Resolver) productWith(ctx context.Context, handle, id *string) (*view.Product, error) {
	switch {
	case id != nil:
		key, ok := gid.Parse(gid.Product, *id)
		if !ok {
			return nil, nil
		}
		return requestOf(ctx).loaders.product(ctx, key)
	case handle != nil:
		p, err := r.catalog.ProductByHandle(ctx, *handle)
		if err != nil {
			return nil, absent(err)
		}
		shown := view.NewProduct(r.shop, &p)
		return &shown, nil
	}
	return nil, errInput.Field("handle").Say("Give the product's `handle` or its `id`.")
}

// collectionWith is the collection with this handle or global id, or nil.
func (r *Resolver) collectionWith(ctx context.Context, handle, id *string) (*view.Collection, error) {
	switch {
	case id != nil:
		key, ok := gid.Parse(gid.Collection, *id)
		if !ok {
			return nil, nil
		}
		found, err := requestOf(ctx).loaders.collectionsOf(ctx, []string{key})
		if err != nil {
			return nil, err
		}
		return found[0], nil
	case handle != nil:
		c, err := r.catalog.CollectionByHandle(ctx, *handle)
		if err != nil {
			return nil, absent(err)
		}
		shown := view.NewCollection(r.shop, &c)
		return &shown, nil
	}
	return nil, errInput.Field("handle").Say("Give the collection's `handle` or its `id`.")
}

// node is whatever a global id names, or nil.
func (r *Resolver) node(ctx context.Context, id string) (view.Node, error) {
	kind, key, ok := gid.Split(id)
	if !ok {
		return nil, nil
	}
	load := &requestOf(ctx).loaders
	switch kind {
	case gid.Product:
		p, err := load.product(ctx, key)
		if p == nil || err != nil {
			return nil, err
		}
		return p, nil
	case gid.Variant:
		v, err := load.variant(ctx, key)
		if v == nil || err != nil {
			return nil, err
		}
		return v, nil
	case gid.Collection:
		all, err := load.collectionsOf(ctx, []string{key})
		if err != nil {
			return nil, err
		}
		if all[0] != nil {
			return all[0], nil
		}
	case gid.Cart:
		c, err := r.cartWith(ctx, id)
		if c == nil || err != nil {
			return nil, err
		}
		return c, nil
	case gid.Customer:
		// Nobody else learns in this way that there is one.
		who := caller(ctx)
		if !who.May(identity.CustomersRead) {
			return nil, nil
		}
		c, err := r.account.Get(ctx, who, key)
		if err != nil {
			return nil, absent(err)
		}
		return view.NewCustomer(&c), nil
	case gid.Shop:
		if id == r.shop.ID() {
			return r.shop, nil
		}
	}
	return nil, nil
}

// nodes are whatever the ids name, each looked up beside the others so that
// those of one kind share a call. One that cannot be had is null, with an
// error of its own, and takes nothing from the others.
func (r *Resolver) nodes(ctx context.Context, ids []string) []view.Node {
	found := make([]view.Node, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			// The executor outlives panics of its own goroutines only.
			err := work.Safely(func() (err error) {
				found[i], err = r.node(ctx, id)
				return err
			})
			if err != nil {
				found[i] = nil
				graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithIndex(i)), err)
			}
		})
	}
	all.Wait()
	return found
}

// cartWith is the cart with this global id, or nil.
func (r *Resolver) cartWith(ctx context.Context, id string) (*view.Cart, error) {
	key, ok := gid.Parse(gid.Cart, id)
	if !ok {
		return nil, nil
	}
	c, err := r.cart.Get(ctx, caller(ctx), key)
	if err != nil {
		return nil, absent(err)
	}
	return view.NewCart(r.shop, &c), nil
}

// collectionsBefore is the page of collections that ends before a cursor, or
// with the last. The catalogue reads collections forwards only; a shop has few
// enough of them to read up to there.
func (r *Resolver) collectionsBefore(ctx context.Context, q catalog.CollectionQuery, before *string, last int) (*view.CollectionConnection, error) {
	c := &view.CollectionConnection{Nodes: []view.Collection{}}
	q.Limit = catalog.MaxPage
	for {
		page, err := r.catalog.Collections(ctx, q)
		if err != nil {
			return nil, err
		}
		n := len(page.Collections)
		found := false
		if before != nil {
			if i := slices.Index(page.Cursors, *before); i >= 0 {
				n, found = i, true
			}
		}
		for i := range n {
			c.Nodes = append(c.Nodes, view.NewCollection(r.shop, &page.Collections[i]))
			c.Cursors = append(c.Cursors, page.Cursors[i])
		}
		if over := len(c.Nodes) - last; over > 0 {
			c.Nodes, c.Cursors = c.Nodes[over:], c.Cursors[over:]
			c.PageInfo.HasPreviousPage = true
		}
		switch {
		case found:
			c.PageInfo.HasNextPage = true
			return c.Placed(), nil
		case !page.HasMore && before != nil:
			return nil, catalog.ErrCursor.Field("before")
		case !page.HasMore:
			return c.Placed(), nil
		}
		q.After = page.Cursors[len(page.Cursors)-1]
	}
}

// collections is a page of collections in the order of their sort key.
func (r *Resolver) collections(ctx context.Context, q catalog.CollectionQuery) (*view.CollectionConnection, error) {
	page, err := r.catalog.Collections(ctx, q)
	if err != nil {
		return nil, nameCursor(err, view.Window{})
	}
	c := &view.CollectionConnection{
		Nodes:    make([]view.Collection, len(page.Collections)),
		Cursors:  page.Cursors,
		PageInfo: view.PageInfo{HasNextPage: page.HasMore, HasPreviousPage: q.After != ""},
	}
	for i := range page.Collections {
		c.Nodes[i] = view.NewCollection(r.shop, &page.Collections[i])
	}
	return c.Placed(), nil
}
