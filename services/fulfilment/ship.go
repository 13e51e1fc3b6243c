package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Ship notes that the carrier is asked before it is.
func (k *Keeper) Ship(ctx context.Context, who identity.Caller, id string, in ShipInput) (Consignment, error) {
	if err := in.check(); err != nil {
		return Consignment{}, err
	}
	d, c, err := k.change(ctx, who, id, func(d *document, c *consignment) error {
		switch {
		case c.State == Shipping, c.State == Shipped:
			return docstore.Unchanged
		case c.State != Packed:
			return unfit(c)
		}
		missing := c.missing()
		switch {
		case len(missing) > 0 && !in.Short:
			return ErrShort
		case len(missing) == len(c.Lines) && !anyPacked(c.Lines):
			return ErrShort.Say("Nothing was found of it, so there is nothing to ship. Pack it, or call the order off.")
		}
		now := k.now()
		due := now.Add(2 * k.o.Call) // by then this call has ended, or died
		c.enter(Shipping, now)
		c.Due = &due
		if in.ByHand != nil {
			t := *in.ByHand
			t.Status = ""
			c.enter(Shipped, now)
			c.Tracking, c.ByHand = &t, true
		}
		if len(missing) > 0 {
			d.owe(now, d.shortfall(c)...)
			kept := c.Lines[:0:0]
			for _, l := range c.Lines {
				if l.Quantity = l.Packed; l.Packed > 0 {
					kept = append(kept, l)
				}
			}
			c.Lines = kept
			d.Parts = append(d.Parts, consignment{
				N: len(d.Parts) + 1, Warehouse: c.Warehouse, State: Open, Lines: missing, CreatedAt: now, UpdatedAt: now,
				Problem: "was not found when " + id + " was picked", Due: nil,
			})
		}
		return nil
	})
	if err != nil {
		return Consignment{}, err
	}
	// The caller may go away; the booking is made all the same.
	ctx = context.WithoutCancel(ctx)
	if len(d.Owed) > 0 {
		k.try(ctx, "correct the stock", d.ID, func() error { return k.correct(ctx, d.ID) })
	}
	if c.State != Shipping {
		return c, nil
	}
	_, n, _ := splitID(id)
	d, err = k.book(ctx, d.ID, n)
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return Consignment{}, ErrCarrier.Say("The carrier does not take this parcel: %s", refusal.Reason)
	}
	if err != nil {
		k.o.Log.WarnContext(ctx, "a booking's outcome is not known; it is made again with its key", "consignment", id, "error", err)
		return c, nil
	}
	return d.show(d.part(n)), nil
}

func (in ShipInput) check() error {
	if in.ByHand == nil {
		return nil
	}
	for _, part := range []struct{ name, text string }{{"company", in.ByHand.Company}, {"number", in.ByHand.Number}} {
		if part.text == "" || len(part.text) > maxTracking || !utf8.ValidString(part.text) || strings.ContainsFunc(part.text, unicode.IsControl) {
			return ErrInput.Field("tracking."+part.name).Say("This must be one line of 1 to %d bytes.", maxTracking)
		}
	}
	if in.ByHand.URL == "" {
		return nil
	}
	if u, err := url.Parse(in.ByHand.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(in.ByHand.URL) > maxURL {
		return ErrInput.Field("tracking.url").Say("This is not a web address.")
	}
	return nil
}

// Limits of what people say of a carrier, in bytes.
const (
	maxTracking = 100
	maxURL      = 2048
)

func anyPacked(lines []Line) bool {
	for _, l := range lines {
		if l.Packed > 0 {
			return true
		}
	}
	return false
}

// book makes the booking of a consignment that is Shipping, or makes it again.
// An error that is no Refusal leaves it in doubt, to be made again later.
func (k *Keeper) book(ctx context.Context, orderID string, n int) (document, error) {
	d, err := k.docs.Get(ctx, orderID)
	if err != nil {
		return d, err
	}
	c := d.part(n)
	if c == nil || c.State != Shipping {
		return d, nil
	}
	key := c.key(orderID)
	call, cancel := k.call(ctx)
	defer cancel()
	o, err := k.o.Orders.Get(call, ourselves, orderID, "")
	var t Tracking
	if err == nil {
		parcel := Parcel{Reference: idOf(orderID, n), To: o.ShippingAddress}
		for _, l := range c.Lines {
			parcel.Units += l.Packed
		}
		t, err = k.o.Carrier.Book(call, key, parcel)
	}
	refusal, refused := errors.AsType[*Refusal](err)
	d, wrote := k.write(ctx, orderID, func(d *document) error {
		c := d.part(n)
		if c.State != Shipping || c.key(orderID) != key {
			return docstore.Unchanged // somebody else was faster
		}
		now := k.now()
		switch {
		case err == nil:
			due := now.Add(k.o.Track)
			if c.Tries > 0 {
				due = now // booked a while ago, it may have moved, and we did not listen
			}
			c.enter(Shipped, now)
			c.Tracking, c.Due = &t, &due
		case refused:
			c.enter(Packed, now)
			c.Bookings++
			c.Problem = refusal.Reason
		default:
			c.Due, c.Tries = k.later(now, c.Tries), c.Tries+1
		}
		return nil
	})
	switch {
	case err != nil:
		return d, fmt.Errorf("book the carrier for %s: %w", idOf(orderID, n), err)
	case wrote != nil:
		return d, wrote
	}
	return d, nil
}

// CallOff ends the consignments, unless one of them may be with the carrier.
// Where there are none yet, the document it leaves prevents them.
func (k *Keeper) CallOff(ctx context.Context, who identity.Caller, orderID string) error {
	if !who.Is(identity.System) {
		return ErrForbidden
	}
	return k.callOff(ctx, orderID)
}
