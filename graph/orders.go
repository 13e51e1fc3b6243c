package graph

import (
	"context"
	"errors"
	"strings"
	"time"

	"ordergraph/graph/gengql"
	"ordergraph/graph/gid"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/services/order"
)

func (r *Resolver) ordersOf(ctx context.Context, of *view.Customer, first int32, after, status *string) (*view.OrderConnection, error) {
	q := order.ListQuery{CustomerID: of.Key()}
	if status != nil {
		q.Statuses = []order.Status{order.Status(*status)}
	}
	return r.orders(ctx, q, first, after)
}

// listOf is the list that a filter asks for. A text that is given must be one:
// an empty one would list everything, which is not what was asked for.
func listOf(filter *gengql.OrderFilter) (q order.ListQuery, err error) {
	if filter == nil {
		return q, nil
	}
	for _, s := range filter.Statuses {
		q.Statuses = append(q.Statuses, order.Status(s))
	}
	for _, t := range []struct {
		name  string
		given *string
	}{{"number", filter.Number}, {"email", filter.Email}} {
		if t.given != nil && strings.TrimSpace(*t.given) == "" {
			return q, errInput.Field("filter."+t.name).Say("`%s` is empty: leave it out to list orders whatever theirs is.", t.name)
		}
	}
	q.Number, q.Email = text(filter.Number), text(filter.Email)
	if filter.CustomerID != nil {
		key, ok := gid.Parse(gid.Customer, *filter.CustomerID)
		if !ok {
			return q, errInput.Field("filter.customerId").Say("`customerId` must be the global id of a customer.")
		}
		q.CustomerID = key
	}
	q.From, q.Before = timeOr(filter.CreatedFrom), timeOr(filter.CreatedBefore)
	return q, nil
}

func timeOr(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// orders is a page of the orders that are asked for and the caller may see.
func (r *Resolver) orders(ctx context.Context, q order.ListQuery, first int32, after *string) (*view.OrderConnection, error) {
	if first > mostOrders {
		return nil, errInput.Field("first").Say("`first` of orders must be from 0 to %d, not %d.", mostOrders, first)
	}
	q.After, q.Limit = text(after), max(1, int(first))
	page, err := r.order.List(ctx, caller(ctx), q)
	if err != nil {
		return nil, inFilter(nameCursor(err, view.Window{}))
	}
	if first == 0 { // which the service takes for no wish
		page = order.Page{HasMore: page.HasMore || len(page.Orders) > 0}
	}
	return view.NewOrders(r.shop, page, after != nil), nil
}

// inFilter names the part of the filter that the order service did not like.
func inFilter(err error) error {
	known, ok := errors.AsType[*fault.Error](err)
	if !ok || !errors.Is(known, order.ErrInput) {
		return err
	}
	return known.Field("filter." + known.Details["field"])
}
