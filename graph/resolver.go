package graph

import (
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/session"
	"ordergraph/graph/transport"
	"ordergraph/graph/view"
	"ordergraph/platform/activity"
	"ordergraph/platform/deadletter"
	"ordergraph/services/account"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
	"ordergraph/services/fulfilment"
	"ordergraph/services/inventory"
	"ordergraph/services/invoice"
	"ordergraph/services/notification"
	"ordergraph/services/order"
	"ordergraph/services/payment"
)

// Resolver answers the fields that need a service.
type Resolver struct {
	deadLetters  deadletter.Desk
	activity     activity.Board
	account      account.Service
	catalog      catalog.Service
	cart         cart.Service
	order        order.Service
	inventory    inventory.Service
	payment      payment.Service
	fulfilment   fulfilment.Service
	shop         *view.Shop
	gather       time.Duration // see Options
	watched      watched
	sessions     transport.Sessions
	cookies      session.Cookies
	address      func(*http.Request) string
	present      graphql.ErrorPresenterFunc
	invoice      invoice.Service
	notification notification.Service
}
