package view

import "ordergraph/services/inventory"

// Stock is what there is of one SKU.
type Stock struct{ of *inventory.Stock }

// NewStock shows stock.
func NewStock(s *inventory.Stock) *Stock { return &Stock{s} }

// SKU names it.
func (s *Stock) SKU() string { return s.of.SKU }

// Version grows with every change.
func (s *Stock) Version() int64 { return s.of.Version }

// Available units, over all warehouses.
func (s *Stock) Available() int64 { return s.of.Available }

// Levels are the stock, warehouse by warehouse.
func (s *Stock) Levels() []StockLevel {
	levels := make([]StockLevel, len(s.of.Levels))
	for i, l := range s.of.Levels {
		levels[i] = StockLevel(l)
	}
	return levels
}

// StockLevel is the stock in one warehouse.
type StockLevel inventory.Level

// StockUserError is why stock was not changed.
type StockUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (StockUserError) IsDisplayableError() {}

// StockConnection is a page of stock.
type StockConnection struct {
	Nodes    []Stock
	PageInfo PageInfo
	cursors  []string
}

// NewStocks shows a page; before tells whether it follows another.
func NewStocks(page inventory.Page, before bool) *StockConnection {
	c := &StockConnection{
		Nodes:    make([]Stock, len(page.Stocks)),
		PageInfo: PageInfo{HasNextPage: page.HasMore, HasPreviousPage: before},
		cursors:  page.Cursors,
	}
	for i := range page.Stocks {
		c.Nodes[i] = Stock{&page.Stocks[i]}
	}
	if n := len(c.cursors); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.cursors[0], &c.cursors[n-1]
	}
	return c
}

// Edges are the SKUs' stock with its cursors.
func (c *StockConnection) Edges() []StockEdge {
	edges := make([]StockEdge, len(c.Nodes))
	for i, node := range c.Nodes {
		edges[i] = StockEdge{Cursor: c.cursors[i], Node: node}
	}
	return edges
}

// StockEdge is the stock of one SKU in its list.
type StockEdge struct {
	Cursor string
	Node   Stock
}

// Warehouse is a place that stock lies in.
type Warehouse struct{ of *inventory.Warehouse }

// NewWarehouse shows a warehouse.
func NewWarehouse(w *inventory.Warehouse) *Warehouse { return &Warehouse{w} }

// NewWarehouses shows warehouses.
func NewWarehouses(all []inventory.Warehouse) []Warehouse {
	shown := make([]Warehouse, len(all))
	for i := range all {
		shown[i] = Warehouse{&all[i]}
	}
	return shown
}

// ID names it.
func (w *Warehouse) ID() string { return w.of.ID }

// Name is for people.
func (w *Warehouse) Name() string { return w.of.Name }

// CountryCode is where it is, or nil where nobody said.
func (w *Warehouse) CountryCode() *string { return orNil(w.of.Country) }

// Priority is when it is drawn on: the lower, the sooner.
func (w *Warehouse) Priority() int64 { return int64(w.of.Priority) }
