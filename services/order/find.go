package order

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Get returns the order to who may see it.
func (k *Keeper) Get(ctx context.Context, who identity.Caller, id, accessToken string) (Order, error) {
	doc, own, err := k.visible(ctx, who, id, accessToken)
	if err != nil {
		return Order{}, err
	}
	o := doc.orderFor(who, own)
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
