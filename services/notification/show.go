package notification

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
)

const (
	pageSize  = 100
	versionOf = 1 // of an order about which nothing was said
	askAtOnce = 8 // orders whose messages are looked up at the same time
	longestID = 200
)

// OfOrder returns the messages about an order to who may see it.
func (k *Keeper) OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) (OrderMessages, error) {
	// The order service knows who may see the order. Staff without the right to
	// messages see what any customer does.
	if !who.May(identity.NotificationsRead) {
		who.Roles = nil
	}
	if orderID == "" || len(orderID) > pageSize {
		return OrderMessages{}, ErrNotFound
	}
	if _, err := k.o.Orders.Get(ctx, who, orderID, accessToken); errors.Is(err, order.ErrNotFound) {
		return OrderMessages{}, ErrNotFound
	} else if err != nil {
		return OrderMessages{}, fmt.Errorf("order %s: %w", orderID, err)
	}
	all := OrderMessages{OrderID: orderID}
	var outlines []outline
	for d, err := range k.docs.All(ctx, docstore.Query{Index: "subject", Equal: []any{OrderSubject(orderID)}}) {
		if err != nil {
			return OrderMessages{}, err
		}
		outlines = append(outlines, outline{d.Meta, d.Shown, d.Tallied})
		if d.Status != tally {
			all.Notifications = append(all.Notifications, d.view())
		}
	}
	all.Version = versionBy(outlines)
	if more := len(all.Notifications) - pageSize; more > 0 {
		all.Notifications = all.Notifications[more:]
	}
	return all, nil
}

// Versions returns the versions of orders' messages.
func (k *Keeper) Versions(ctx context.Context, who identity.Caller, orderIDs []string) (map[string]int64, error) {
	switch {
	case !who.May(identity.NotificationsRead):
		return nil, ErrForbidden
	case len(orderIDs) > MaxVersions:
		return nil, ErrInput.Field("orderIds").Say("The versions of at most %d orders' messages can be had at once, not of %d.", MaxVersions, len(orderIDs))
	}
	versions := make([]int64, len(orderIDs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(askAtOnce)
	for i, id := range orderIDs {
		g.Go(func() (err error) {
			versions[i], err = k.version(ctx, OrderSubject(id))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	byID := make(map[string]int64, len(orderIDs))
	for i, id := range orderIDs {
		byID[id] = versions[i]
	}
	return byID, nil
}

// version is that of all messages about a subject.
func (k *Keeper) version(ctx context.Context, subject string) (int64, error) {
	var all []outline
	for d, err := range k.outlines.All(ctx, docstore.Query{Index: "subject", Equal: []any{subject}}) {
		if err != nil {
			return 0, err
		}
		all = append(all, d)
	}
	return versionBy(all), nil
}

// versionBy is the version of the messages about one subject: one more than
// all their changes, of those that were forgotten, too.
func versionBy(all []outline) int64 {
	var tallied []string
	for _, d := range all {
		tallied = append(tallied, d.Tallied...)
	}
	version := int64(versionOf)
	for _, d := range all {
		if !slices.Contains(tallied, d.ID) {
			version += d.Shown
		}
	}
	return version
}

// List returns the messages about a subject.
func (k *Keeper) List(ctx context.Context, who identity.Caller, subject string) ([]Notification, error) {
	if !who.May(identity.NotificationsRead) {
		return nil, ErrForbidden
	}
	if what, id, ok := strings.Cut(subject, ":"); !ok || what != "order" && what != "account" || id == "" || len(id) > 100 {
		return nil, ErrInput.Field("subject").Say("A subject is order: or account:, and the id.")
	}
	page, err := k.docs.Find(ctx, docstore.Query{Index: "subject", Equal: []any{subject}, Reverse: true, Limit: pageSize})
	if err != nil {
		return nil, err
	}
	all := views(page.Items)
	slices.Reverse(all)
	return all, nil
}

// Get returns one message.
func (k *Keeper) Get(ctx context.Context, who identity.Caller, id string) (Notification, error) {
	if !who.May(identity.NotificationsRead) && !who.May(identity.OperationsRead) {
		return Notification{}, ErrForbidden
	}
	if id == "" || len(id) > longestID {
		return Notification{}, ErrNotFound
	}
	d, err := k.docs.Get(ctx, id)
	if errors.Is(err, docstore.ErrNotFound) || err == nil && d.Status == tally {
		return Notification{}, ErrNotFound
	}
	if err != nil {
		return Notification{}, err
	}
	return d.view(), nil
}

// Dead returns the messages that were given up.
func (k *Keeper) Dead(ctx context.Context, who identity.Caller, after string) (Page, error) {
	if !who.May(identity.OperationsRead) {
		return Page{}, ErrForbidden
	}
	page, err := k.docs.Find(ctx, docstore.Query{Index: "dead", After: docstore.Cursor(after), Limit: pageSize})
	if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) && after != "" {
		return Page{}, ErrCursor.Field("after")
	}
	if err != nil {
		return Page{}, err
	}
	return Page{Notifications: views(page.Items), Next: string(page.Next)}, nil
}

func views(docs []document) []Notification {
	all := make([]Notification, 0, len(docs))
	for i := range docs {
		if docs[i].Status != tally {
			all = append(all, docs[i].view())
		}
	}
	return all
}
