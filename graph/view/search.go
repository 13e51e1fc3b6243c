package view

import (
	"encoding/json"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
)

// SearchResultItem is something that can be found.
type SearchResultItem interface{ IsSearchResultItem() }

// SearchResultItemConnection is a page of what was found.
type SearchResultItemConnection struct{ Found *ProductConnection }

// Nodes are what was found.
func (c *SearchResultItemConnection) Nodes() []SearchResultItem {
	nodes := make([]SearchResultItem, len(c.Found.Nodes))
	for i := range c.Found.Nodes {
		nodes[i] = &c.Found.Nodes[i]
	}
	return nodes
}

// Edges are what was found, with cursors.
func (c *SearchResultItemConnection) Edges() []SearchResultItemEdge {
	edges := make([]SearchResultItemEdge, len(c.Found.Nodes))
	for i := range c.Found.Nodes {
		edges[i] = SearchResultItemEdge{c.Found.Cursors[i], &c.Found.Nodes[i]}
	}
	return edges
}

// PageInfo is where the page stands.
func (c *SearchResultItemConnection) PageInfo() *PageInfo { return &c.Found.PageInfo }

// ProductFilters are the properties to narrow by.
func (c *SearchResultItemConnection) ProductFilters() []Filter { return c.Found.Filters }

// TotalCount is how many there are in all.
func (c *SearchResultItemConnection) TotalCount() int64 { return c.Found.Total }

// SearchResultItemEdge is something found, in its list.
type SearchResultItemEdge struct {
	Cursor string
	Node   SearchResultItem
}

// Filter is a property to narrow a list of products by.
type Filter struct {
	ID     string
	Label  string
	Type   string
	Values []FilterValue
}

// FilterValue is one value of a filter.
type FilterValue struct {
	ID    string
	Label string
	Count int64
	Input string // a ProductFilter as JSON
}

// NewFilters shows the facets of a search.
func NewFilters(facets []catalog.Facet, currency string) []Filter {
	filters := make([]Filter, 0, len(facets))
	for _, f := range facets {
		filter := Filter{ID: f.ID, Label: f.Label, Type: string(f.Kind), Values: make([]FilterValue, 0, len(f.Values))}
		if f.Kind == catalog.FacetRange && len(f.Values) == 0 {
			filter.Values = append(filter.Values, FilterValue{ID: f.ID, Label: f.Label,
				Input: filterInput(catalog.Filter{PriceMin: &f.Min, PriceMax: &f.Max}, currency)})
		}
		for _, v := range f.Values {
			filter.Values = append(filter.Values, FilterValue{v.ID, v.Label, v.Count, filterInput(v.Filter, currency)})
		}
		filters = append(filters, filter)
	}
	return filters
}

// filterInput writes a filter as the ProductFilter that the client sends back.
func filterInput(f catalog.Filter, currency string) string {
	type price struct {
		Min json.Number `json:"min,omitempty"`
		Max json.Number `json:"max,omitempty"`
	}
	type option struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	var in struct {
		Available     *bool   `json:"available,omitempty"`
		Price         *price  `json:"price,omitempty"`
		ProductVendor string  `json:"productVendor,omitempty"`
		ProductType   string  `json:"productType,omitempty"`
		Tag           string  `json:"tag,omitempty"`
		VariantOption *option `json:"variantOption,omitempty"`
	}
	in.Available, in.ProductVendor, in.ProductType, in.Tag = f.Available, f.Vendor, f.Type, f.Tag
	if f.Option != nil {
		in.VariantOption = &option{f.Option.Name, f.Option.Value}
	}
	if f.PriceMin != nil || f.PriceMax != nil {
		in.Price = &price{}
		if f.PriceMin != nil {
			in.Price.Min = json.Number(money.Of(*f.PriceMin, currency).Decimal())
		}
		if f.PriceMax != nil {
			in.Price.Max = json.Number(money.Of(*f.PriceMax, currency).Decimal())
		}
	}
	text, err := json.Marshal(in)
	if err != nil {
		return "{}"
	}
	return string(text)
}
