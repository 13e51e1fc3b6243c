package order

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// Checkout inserts the order and drives it at once, for at most
// Deadlines.Answer; what is not done by then, the sweeper does. A repeated
// call with the same key waits for whoever drives, and answers the same.
func (k *Keeper) Checkout(ctx context.Context, who identity.Caller, in CheckoutInput) (CheckoutResult, error) {
	in, problems := validate(in)
	if len(problems) > 0 {
		return CheckoutResult{Problems: problems}, nil
	}
	defer k.o.Bus.Rush()()
	until := k.inline(ctx)
	print := fingerprint(in)
	for attempt := 0; ; attempt++ {
		doc, err := k.insert(ctx, who, in, print, func(r *run) error {
			r.until, r.waits, r.inserted = until, true, true
			return r.driveOn(ctx)
		})
		var known *fault.Error
		switch {
		case err == nil:
			return result(doc), nil
		case !errors.Is(err, docstore.ErrDuplicate):
			return CheckoutResult{}, err
		case errors.As(err, &known) && known.Details["index"] == indexNumber && attempt < 5:
			continue // one in a billion: another order has this number
		}
		break
	}

	doc, err := k.byKey(ctx, in.IdempotencyKey)
	switch {
	case err != nil:
		return CheckoutResult{}, err
	case doc.Fingerprint != print:
		return CheckoutResult{}, ErrKeyReused.Field("idempotencyKey")
	}
	if !doc.steady() {
		if doc, err = k.settle(ctx, doc.ID, until); err != nil {
			return CheckoutResult{}, err
		}
	}
	return result(doc), nil
}

// insert stores a new order, leased to a run of this process, and has it
// driven. ErrDuplicate: the key, or by chance the number, is taken.
func (k *Keeper) insert(ctx context.Context, who identity.Caller, in CheckoutInput, print string, drive func(*run) error) (document, error) {
	now := k.now()
	d := document{
		Key: in.IdempotencyKey, Fingerprint: print, CreatedAt: now, CustomerID: who.CustomerID,
		CartID: in.CartID, Email: in.Email, Phone: in.Phone, Locale: in.Locale,
		ShipTo: in.ShippingAddress, BillTo: in.BillingAddress, Rate: in.ShippingRate,
		Method: in.PaymentMethod, ReturnURL: in.ReturnURL, Expect: in.ExpectTotal,
	}
	d.identify()
	d.enter(Pending, now, "The order was received.")
	k.ring(&d, 1)
	r, _ := k.begin(d.ID) // the id is new, so nobody drives it
	defer k.end(d.ID, r)
	r.lease(&d)
	if err := k.orders.Insert(ctx, &d); err != nil {
		return document{}, err
	}
	r.doc = d
	k.entered(&r.doc)
	k.rung(&r.doc)
	err := drive(r)
	return r.doc, err
}

func (k *Keeper) byKey(ctx context.Context, key string) (document, error) {
	page, err := k.orders.Find(ctx, docstore.Query{Index: indexKey, Equal: []any{key}, Limit: 1})
	if err != nil {
		return document{}, err
	}
	if len(page.Items) == 0 {
		return document{}, fmt.Errorf("order of a key that is taken: %w", docstore.ErrNotFound)
	}
	return page.Items[0], nil
}

func result(d document) CheckoutResult {
	o := d.order()
	return CheckoutResult{Order: &o, AccessToken: d.Token}
}

// fingerprint tells one valid input from another. The caller is no part of
// it: a guest who signs in between two attempts means the same order.
func fingerprint(in CheckoutInput) string {
	in.IdempotencyKey = ""
	text, err := json.Marshal(in)
	if err != nil {
		panic(fmt.Sprintf("order: fingerprint: %v", err)) // strings and numbers always encode
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
