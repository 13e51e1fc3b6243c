package graph

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

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
	watched   watched
	present   graphql.ErrorPresenterFunc
}
