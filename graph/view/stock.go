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
