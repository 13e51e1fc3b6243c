package order

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Limits of a list.
const (
	maxPage     = 100
	defaultPage = 20
	// maxScan is how many of a customer's orders are looked at for one page
	// of one status; what lies behind is on the next page.
	maxScan = 500
)

// Get returns the order to who may see it.
func (k *Keeper) Get(ctx context.Context, who identity.Caller, id, accessToken string) (Order, error) {
	doc, _, err := k.visible(ctx, who, id, accessToken)
	if err != nil {
		return Order{}, err
	}
	o := doc.order()
	if who.Is(identity.System) {
		o.AccessToken = doc.Token
	}
	return o, nil
}

// Versions returns the orders' versions, of which it reads nothing else.
func (k *Keeper) Versions(ctx context.Context, who identity.Caller, ids []string) (map[string]int64, error) {
	switch {
	case !who.May(identity.OrdersRead):
		return nil, ErrForbidden
	case len(ids) > MaxVersions:
		return nil, ErrInput.Field("ids").Say("The versions of at most %d orders can be had at once, not of %d.", MaxVersions, len(ids))
	}
	found, err := k.outlines.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	versions := make(map[string]int64, len(found))
	for id, o := range found {
		versions[id] = o.version()
	}
	return versions, nil
}

// visible is the order, and whether it is the caller's own; ErrNotFound where
// there is none or the caller may not see it.
func (k *Keeper) visible(ctx context.Context, who identity.Caller, id, accessToken string) (doc document, own bool, err error) {
	if id == "" || len(id) > 64 {
		return document{}, false, ErrNotFound
	}
	doc, err = k.orders.Get(ctx, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return document{}, false, ErrNotFound
	}
	if err != nil {
		return document{}, false, err
	}
	// All are worked out, so that the time taken tells nothing.
	holds := sameSecret(doc.Token, accessToken)
	owns := who.CustomerID != "" && sameSecret(doc.CustomerID, who.CustomerID)
	if !holds && !owns && !who.May(identity.OrdersRead) {
		return document{}, false, ErrNotFound
	}
	return doc, holds || owns, nil
}

func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

var statuses = map[Status]bool{
	Pending: true, Reserved: true, Paying: true, Confirmed: true, Fulfilling: true,
	Shipped: true, Delivered: true, Failed: true, Cancelled: true, Refunded: true,
}

// List returns orders, newest first.
func (k *Keeper) List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error) {
	all := who.May(identity.OrdersRead)
	switch {
	case !all && who.CustomerID == "":
		return Page{}, ErrSignIn
	case !all && q.CustomerID != "" && q.CustomerID != who.CustomerID:
		return Page{}, ErrForbidden
	case q.Limit < 0 || q.Limit > maxPage:
		return Page{}, ErrInput.Field("limit").Say("A page has at most %d orders.", maxPage)
	case q.Status != "" && !statuses[q.Status]:
		return Page{}, ErrInput.Field("status").Say("There is no such status.")
	case q.Limit == 0:
		q.Limit = defaultPage
	}
	if !all {
		q.CustomerID = who.CustomerID
	}
	find := docstore.Query{Index: "created", Reverse: true, After: docstore.Cursor(q.After), Limit: q.Limit}
	filter := false
	switch {
	case q.CustomerID != "":
		find.Index, find.Equal = "customer", []any{q.CustomerID}
		filter = q.Status != ""
	case q.Status != "":
		find.Index, find.Equal = "status", []any{string(q.Status)}
	}
	page := Page{Orders: []Order{}}
	for scanned := 0; ; {
		found, err := k.orders.Find(ctx, find)
		if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) && q.After != "" {
			return Page{}, ErrCursor.Field("after")
		}
		if err != nil {
			return Page{}, err
		}
		for i := range found.Items {
			d := &found.Items[i]
			if filter && d.Status != q.Status {
				continue
			}
			if len(page.Orders) == q.Limit {
				page.HasMore = true
				return page, nil
			}
			cursor, err := k.orders.CursorAt(find, d)
			if err != nil {
				return Page{}, err
			}
			page.Orders, page.Cursors = append(page.Orders, d.order()), append(page.Cursors, string(cursor))
		}
		scanned += len(found.Items)
		switch {
		case found.Next == "":
			return page, nil
		case len(page.Orders) == q.Limit && !filter, len(page.Orders) > 0 && scanned >= maxScan:
			page.HasMore = true
			return page, nil
		}
		find.After = found.Next
	}
}
