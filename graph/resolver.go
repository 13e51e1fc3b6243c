package graph

import (
	"time"

	"ordergraph/graph/view"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// Resolver answers the fields that need a service.
type Resolver struct {
	catalog   catalog.Service
	cart      cart.Service
	order     order.Service
	inventory inventory.Service
	shop      *view.Shop
	gather    time.Duration // see Options
}
