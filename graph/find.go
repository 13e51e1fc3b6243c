package graph

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/gengql"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/platform/money"
	"ordergraph/services/account"
	"ordergraph/services/catalog"
	"ordergraph/services/fulfilment"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// fromEnd marks cursors of pages that were read from the end of a list: they
// are cursors of the same list the other way round.
const fromEnd = "~"

// find asks the catalogue for a page of products, and only for what the
// operation selects of it.
func (r *Resolver) find(ctx context.Context, s catalog.Search, w view.Window) (*view.ProductConnection, error) {
	var elements bool
	op := graphql.GetOperationContext(ctx)
	for _, f := range graphql.CollectFields(op, graphql.GetFieldContext(ctx).Field.Selections, nil) {
		switch f.Name {
		case "filters", "productFilters":
			s.Facets = true
		case "totalCount":
			s.Total = true
		case "nodes", "edges", "pageInfo":
			elements = true
		}
	}
	back := false // whether the list is read the other way round
	if elements {
		var err error
		if back, err = place(&s, w); err != nil {
			return nil, err
		}
	}
	found, err := r.catalog.Search(ctx, s)
	if err != nil {
		return nil, nameCursor(err, w)
	}

	c := &view.ProductConnection{
		Nodes:   make([]view.Product, len(found.Products)),
		Cursors: found.Cursors,
		Total:   found.Total,
	}
	if s.Facets {
		currency := found.Currency
		if currency == "" {
			currency = r.shop.Currency
		}
		c.Filters = view.NewFilters(found.Facets, currency)
	}
	for i := range found.Products {
		c.Nodes[i] = view.NewProduct(r.shop, &found.Products[i])
	}
	c.PageInfo.HasNextPage, c.PageInfo.HasPreviousPage = found.HasNext, found.HasPrev
	if back {
		slices.Reverse(c.Nodes)
		c.Cursors = slices.Clone(c.Cursors)
		slices.Reverse(c.Cursors)
		for i := range c.Cursors {
			c.Cursors[i] = fromEnd + c.Cursors[i]
		}
		c.PageInfo.HasNextPage, c.PageInfo.HasPreviousPage = found.HasPrev, found.HasNext
	}
	if n := len(c.Cursors); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Cursors[0], &c.Cursors[n-1]
	}
	return c, nil
}

// place puts the window into the search. The catalogue reads on from a cursor
// and back from one; the last page of all is the first the other way round.
func place(s *catalog.Search, w view.Window) (back bool, err error) {
	after, afterEnd := cursor(w.After)
	before, beforeEnd := cursor(w.Before)
	switch {
	case afterEnd && after == "" || beforeEnd && before == "":
		return false, nameCursor(catalog.ErrCursor, w)
	case w.First != nil && w.Before != nil:
		return false, errInput.Field("before").Say("`before` goes with `last`, `after` with `first`.")
	case w.Last != nil && w.After != nil:
		return false, errInput.Field("after").Say("`after` goes with `first`, `before` with `last`.")
	case w.First != nil:
		s.Limit, back = int(*w.First), afterEnd
		if back {
			s.Before = after
		} else {
			s.After = after
		}
	case w.Last != nil:
		s.Limit, back = int(*w.Last), w.Before == nil || beforeEnd
		if back {
			s.After = before
		} else {
			s.Before = before
		}
	}
	s.Reverse = s.Reverse != back
	return back, nil
}

func cursor(c *string) (inner string, isFromEnd bool) {
	if c == nil {
		return "", false
	}
	return strings.CutPrefix(*c, fromEnd)
}

// nameCursor names the argument that holds the cursor an error is about.
func nameCursor(err error, w view.Window) error {
	for _, declared := range []*fault.Error{catalog.ErrCursor, order.ErrCursor, account.ErrCursor, fulfilment.ErrCursor, inventory.ErrCursor} {
		if errors.Is(err, declared) {
			if w.Before != nil {
				return declared.Field("before")
			}
			return declared.Field("after")
		}
	}
	return err
}

// filters translates what a client narrows by. One ProductFilter may hold
// several properties: all of them must hold.
func (r *Resolver) filters(in []gengql.ProductFilter) ([]catalog.Filter, error) {
	var filters []catalog.Filter
	for _, f := range in {
		if f.Available != nil {
			filters = append(filters, catalog.Filter{Available: f.Available})
		}
		if f.ProductVendor != nil && *f.ProductVendor != "" {
			filters = append(filters, catalog.Filter{Vendor: *f.ProductVendor})
		}
		if f.ProductType != nil && *f.ProductType != "" {
			filters = append(filters, catalog.Filter{Type: *f.ProductType})
		}
		if f.Tag != nil && *f.Tag != "" {
			filters = append(filters, catalog.Filter{Tag: *f.Tag})
		}
		if f.VariantOption != nil {
			filters = append(filters, catalog.Filter{Option: &catalog.SelectedOption{Name: f.VariantOption.Name, Value: f.VariantOption.Value}})
		}
		if f.Price != nil && (f.Price.Min != nil || f.Price.Max != nil) {
			var filter catalog.Filter
			var err error
			if filter.PriceMin, err = r.minor(f.Price.Min); err != nil {
				return nil, err
			}
			if filter.PriceMax, err = r.minor(f.Price.Max); err != nil {
				return nil, err
			}
			filters = append(filters, filter)
		}
	}
	return filters, nil
}

// minor is a price of the main unit in minor units.
func (r *Resolver) minor(price *float64) (*int64, error) {
	if price == nil {
		return nil, nil
	}
	units := math.Round(*price * math.Pow10(money.Digits(r.shop.Currency)))
	if math.IsNaN(units) || math.Abs(units) > 1<<53 {
		return nil, errInput.Field("price").Say("%g is not a price.", *price)
	}
	n := int64(units)
	return &n, nil
}

// sorts are the schema's orders of products that the catalogue calls differently.
var sorts = map[string]catalog.Sort{
	"CREATED":            catalog.ByCreated,
	"COLLECTION_DEFAULT": catalog.Manual,
}

func sortOf(key *string, otherwise catalog.Sort) catalog.Sort {
	if key == nil {
		return otherwise
	}
	if s, ok := sorts[*key]; ok {
		return s
	}
	return catalog.Sort(*key)
}

func is(flag *bool) bool { return flag != nil && *flag }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// absent turns "there is no such thing" into null.
func absent(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// recommended is how many products are recommended for one, and mostSuggested
// and mostOrders the longest lists of suggestions and orders.
const (
	recommended   = 10
	mostSuggested = 10
	mostOrders    = 100
)

// suggest finds products while the customer types; nil for no text.
func (r *Resolver) suggest(ctx context.Context, typed string, limit *int32, types []string, hide bool) (*gengql.PredictiveSearchResult, error) {
	n := int32(mostSuggested)
	if limit != nil {
		n = *limit
	}
	if n < 1 || n > mostSuggested {
		return nil, errInput.Field("limit").Say("`limit` must be from 1 to %d, not %d.", mostSuggested, n)
	}
	if strings.TrimSpace(typed) == "" {
		return nil, nil
	}
	p := &gengql.PredictiveSearchResult{
		Articles: []gengql.Article{}, Collections: []view.Collection{}, Pages: []gengql.Page{},
		Products: []view.Product{}, Queries: []gengql.SearchQuerySuggestion{},
	}
	if len(types) > 0 && !slices.Contains(types, "PRODUCT") {
		return p, nil
	}
	s := catalog.Search{Text: typed, Sort: catalog.Relevance, Limit: int(n)}
	if hide {
		s.Filters = []catalog.Filter{{Available: &hide}}
	}
	found, err := r.catalog.Search(ctx, s)
	if err != nil {
		return nil, err
	}
	p.Products = view.NewProducts(r.shop, found.Products)
	return p, nil
}

// units adds up what is left of several SKUs; nil where none is counted.
func units(stock []*inventory.Stock) *int32 {
	var total int64
	counted := false
	for _, s := range stock {
		if s != nil {
			total, counted = total+s.Available, true
		}
	}
	if !counted {
		return nil
	}
	n := int32(min(total, math.MaxInt32))
	return &n
}

// words are the values of one facet over the whole catalogue.
func (r *Resolver) words(ctx context.Context, facet string, first int32) (*view.StringConnection, error) {
	found, err := r.catalog.Search(ctx, catalog.Search{Facets: true})
	if err != nil {
		return nil, err
	}
	var words []string
	for _, f := range found.Facets {
		if f.ID == facet {
			for _, v := range f.Values {
				words = append(words, v.Label)
			}
		}
	}
	return view.NewStrings(words, first), nil
}
