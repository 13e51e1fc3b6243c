package order

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/inventory"
	"ordergraph/services/payment"
)

const (
	maxRefunds      = 50  // of one order
	maxRefundReason = 500 // bytes
)

// A refund is money given back, as it is kept. It is stored before the
// payment service hears of it.
type refund struct {
	Refund `bson:",inline"`

	Key   string `bson:"key,omitempty"`   // the caller's idempotency key
	Print string `bson:"print,omitempty"` // of the input that came with it
	// Owed: it is made again until it succeeds. Of any other, a definite no of
	// the processor is the end.
	Owed bool `bson:"owed,omitempty"`
	// Tries counts those that the processor refused or the bank sent back; the
	// next one takes another key.
	Tries   int  `bson:"tries,omitempty"`
	Restock bool `bson:"restock,omitempty"` // its goods came back and have yet to be taken in
}

// key is the refund's at the payment service.
func (b *refund) key() string {
	key := b.ID
	if key != RefundOfCancel {
		key = "refund-" + key
	}
	if b.Tries > 0 {
		key += "-" + strconv.Itoa(b.Tries+1)
	}
	return key
}

// Refund notes what is to be given back in the order before anything is done,
// so that it outlives a crash, and then drives, or waits for who does.
func (k *Keeper) Refund(ctx context.Context, who identity.Caller, in RefundInput) (RefundResult, error) {
	if !who.May(identity.PaymentsRefund) {
		return RefundResult{}, ErrForbidden
	}
	if err := in.check(); err != nil {
		return RefundResult{}, err
	}
	print, id, news := in.fingerprint(), "", false
	changed, err := k.orders.Update(ctx, in.OrderID, func(d *document) error {
		news = false
		if i := slices.IndexFunc(d.Refunds, func(b refund) bool { return b.Key == in.IdempotencyKey }); i >= 0 {
			if d.Refunds[i].Print != print {
				return ErrKeyReused.Field("idempotencyKey").Say("This idempotency key was used for another refund. Use a new one.")
			}
			id = d.Refunds[i].ID
			return docstore.Unchanged
		}
		now := k.now()
		b, err := d.worth(in)
		if err != nil {
			return err
		}
		b.ID, b.At, b.State, b.Key, b.Print = d.nextRefund(), now, RefundPending, in.IdempotencyKey, print
		d.Refunds = append(d.Refunds, b)
		id, news = b.ID, true
		d.Saga.Waits = 0
		if !d.leased(now) {
			d.Saga.Owner, d.Saga.Due = "", &now
		}
		k.ring(d, d.Version+1)
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return RefundResult{}, ErrNotFound
	}
	if err != nil {
		return RefundResult{}, err
	}
	if news {
		k.o.Log.InfoContext(ctx, "money of an order is to be given back", "order", in.OrderID, "refund", id, "staff", who.CustomerID)
		k.rung(&changed)
	}
	if r := k.running(in.OrderID); r != nil {
		r.poke()
	}
	doc, err := k.settle(ctx, in.OrderID, k.inline(ctx))
	if err != nil {
		return RefundResult{}, err
	}
	result := RefundResult{Order: doc.orderFor(who, doc.belongsTo(who))}
	for _, r := range result.Order.Refunds {
		if r.ID == id {
			result.Refund = r
		}
	}
	return result, nil
}

func (in RefundInput) check() error {
	switch {
	case in.OrderID == "" || len(in.OrderID) > 64:
		return ErrNotFound
	case len(in.IdempotencyKey) < minKey || len(in.IdempotencyKey) > maxKey || !printable(in.IdempotencyKey):
		return ErrInput.Field("idempotencyKey").Say("The idempotency key must have %d to %d printable ASCII characters; best a UUID.", minKey, maxKey)
	case len(in.Reason) > maxRefundReason || !utf8.ValidString(in.Reason):
		return ErrInput.Field("reason").Say("The reason must be text of at most %d bytes.", maxRefundReason)
	case len(in.Lines) > inventory.MaxLines:
		return ErrInput.Field("lines").Say("At most %d lines can be given back at once.", inventory.MaxLines)
	case in.Amount != nil && in.Amount.Minor <= 0:
		return ErrInput.Field("amount").Say("The amount must be more than zero.")
	case len(in.Lines) == 0 && !in.Shipping && in.Amount == nil:
		return ErrInput.Say("Say what is given back: lines, the shipping, or an amount.")
	case len(in.Lines) == 0 && in.Restock:
		return ErrInput.Field("restock").Say("Say by the lines what came back.")
	}
	return nil
}

func (in RefundInput) fingerprint() string {
	in.IdempotencyKey = ""
	text, err := json.Marshal(in)
	if err != nil {
		panic(fmt.Sprintf("order: fingerprint of a refund: %v", err)) // strings and numbers always encode
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// nextRefund is the id of the order's next refund.
func (d *document) nextRefund() string {
	n := 1
	for _, b := range d.Refunds {
		if b.ID != RefundOfCancel {
			n++
		}
	}
	return strconv.Itoa(n)
}

// worth is the refund that the input asks for.
func (d *document) worth(in RefundInput) (refund, error) {
	switch {
	case rank[d.Status] == 0 && d.Status != Refunded || d.Quote == nil:
		return refund{}, ErrNotRefundable.Say("An order that is %s has no money to be given back.", d.Status)
	case d.Cancel != nil:
		return refund{}, ErrNotRefundable.Say("The order is called off: all of its money goes back by itself.")
	case len(d.Refunds) >= maxRefunds:
		return refund{}, ErrNotRefundable.Say("This order has had %d refunds, which is as many as it can have.", maxRefunds)
	}
	b := refund{Restock: in.Restock}
	b.Reason = in.Reason
	for i, l := range in.Lines {
		at := fmt.Sprintf("lines.%d.", i)
		have := d.lineOf(l.LineID)
		if have == nil {
			return refund{}, ErrInput.Field(at + "lineId").Say("The order has no such line.")
		}
		if slices.ContainsFunc(b.Lines, func(o RefundLine) bool { return o.LineID == l.LineID }) {
			return refund{}, ErrInput.Field(at + "lineId").Say("This line is there twice.")
		}
		back := d.unitsBack(l.LineID)
		switch {
		case l.Quantity < 1:
			return refund{}, ErrInput.Field(at + "quantity").Say("The quantity must be at least one.")
		case l.Quantity > have.Quantity-back:
			return refund{}, ErrTooMuch.Field(at+"quantity").Say("%d of these are left to be given back.", have.Quantity-back)
		}
		b.Lines = append(b.Lines, RefundLine{LineID: l.LineID, Quantity: l.Quantity, Amount: d.priceOf(have, back, l.Quantity)})
	}
	left := d.left()
	b.Shipping = money.Of(0, left.Currency)
	if in.Shipping {
		b.Shipping = d.shippingLeft()
	}
	b.Amount = b.sum()
	if in.Amount != nil {
		if in.Amount.Currency != left.Currency {
			return refund{}, ErrInput.Field("amount").Say("The order was paid in %s.", left.Currency)
		}
		b.comeTo(*in.Amount)
	}
	switch {
	case b.Amount.Minor == 0:
		return refund{}, ErrInput.Say("Nothing was paid for that, or it was given back already.")
	case b.Amount.Minor > left.Minor:
		return refund{}, ErrTooMuch.Field("amount").Say("At most %s can still be given back.", left)
	case d.ships() && d.Progress.gone() == 0 && (b.Restock || b.Amount == left):
		return refund{}, ErrNotSent
	}
	return b, nil
}

// sum is what the refund's lines and its shipping come to.
func (b *refund) sum() money.Amount {
	sum := b.Shipping
	for _, l := range b.Lines {
		sum = sum.Plus(l.Amount)
	}
	return sum
}

// comeTo makes the refund one of so much. Where that is less than its lines
// and its shipping come to, each is for its share.
func (b *refund) comeTo(amount money.Amount) {
	b.Amount = amount
	if amount.Minor >= b.sum().Minor {
		return
	}
	weights := []int64{b.Shipping.Minor}
	for _, l := range b.Lines {
		weights = append(weights, l.Amount.Minor)
	}
	shares := amount.Split(weights)
	b.Shipping = shares[0]
	for i := range b.Lines {
		b.Lines[i].Amount = shares[i+1]
	}
}

func (d *document) lineOf(id string) *cart.Line {
	for i := range d.Quote.Lines {
		if d.Quote.Lines[i].ID == id {
			return &d.Quote.Lines[i]
		}
	}
	return nil
}

// priceOf is what was paid for so many units of a line, taxes included, of
// which some went back before: all of them together come to all that was paid.
func (d *document) priceOf(l *cart.Line, before, units int64) money.Amount {
	paid := l.Total
	if !d.Quote.Cost.TaxIncluded {
		paid = paid.Plus(l.Tax)
	}
	upTo := func(n int64) money.Amount { return paid.Split([]int64{n, l.Quantity - n})[0] }
	return upTo(before + units).Minus(upTo(before))
}

// given are the refunds that were not refused.
func (d *document) given(yield func(*refund) bool) {
	for i := range d.Refunds {
		if b := &d.Refunds[i]; b.State != RefundFailed && !yield(b) {
			return
		}
	}
}

// left is what was paid and is not on its way back.
func (d *document) left() money.Amount {
	left := d.Quote.Cost.Total
	for b := range d.given {
		left = left.Minus(b.Amount)
	}
	return left
}

func (d *document) shippingLeft() money.Amount {
	left := d.Quote.Cost.Shipping
	if !d.Quote.Cost.TaxIncluded {
		left = left.Plus(d.Quote.ShippingTax)
	}
	for b := range d.given {
		left = left.Minus(b.Shipping)
	}
	return left
}

func (d *document) unitsBack(lineID string) (units int64) {
	for b := range d.given {
		for _, l := range b.Lines {
			if l.LineID == lineID {
				units += l.Quantity
			}
		}
	}
	return units
}

// ships reports whether something of the order is sent.
func (d *document) ships() bool {
	return slices.ContainsFunc(d.Quote.Lines, func(l cart.Line) bool { return l.Item.RequiresShipping })
}

// pays reports whether a refund is on its way.
func (d *document) pays() bool {
	return slices.ContainsFunc(d.Refunds, func(b refund) bool { return b.State == RefundPending })
}

// owes reports whether there is something left to do for a refund.
func (d *document) owes() bool {
	return slices.ContainsFunc(d.Refunds, func(b refund) bool { return b.State == RefundPending || b.Restock })
}

// oweAll adds the refund of all that is left, for an order that is called off.
// While others are on their way it is not known how much that is.
func (d *document) oweAll(now time.Time) {
	left := d.left()
	if d.pays() || left.Minor <= 0 {
		return
	}
	b := refund{Owed: true}
	b.ID, b.At, b.State, b.Reason = RefundOfCancel, now, RefundPending, "The order was cancelled."
	b.Shipping = d.shippingLeft()
	for i := range d.Quote.Lines {
		l := &d.Quote.Lines[i]
		if back := d.unitsBack(l.ID); back < l.Quantity {
			b.Lines = append(b.Lines, RefundLine{LineID: l.ID, Quantity: l.Quantity - back, Amount: d.priceOf(l, back, l.Quantity-back)})
		}
	}
	b.comeTo(left)
	d.Refunds = append(d.Refunds, b)
}

// closed brings an order into REFUNDED that was sent, if all of its money is
// back.
func (d *document) closed(now time.Time) bool {
	sent := d.Status == Shipped || d.Status == Delivered || rank[d.Status] > 0 && !d.ships()
	if !sent || d.Cancel != nil || len(d.Refunds) == 0 || d.pays() || d.left().Minor > 0 {
		return false
	}
	d.enter(Refunded, now, "All of the money is back.")
	return true
}

// refundPatience is how long a refund that the processor refused waits for the
// next attempt; twice as long each time, up to about five hours.
const refundPatience = 5 * time.Minute

// payOut asks for every refund that is on its way, and notes what came of it.
func (r *run) payOut(ctx context.Context) error {
	var seen payment.Payment
	ended := map[string]RefundState{}
	var errs []error
	for i := range r.doc.Refunds {
		b := &r.doc.Refunds[i]
		if b.State != RefundPending {
			continue
		}
		p, state, err := r.give(ctx, b)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("refund %s: %w", b.ID, err))
		case state != RefundPending:
			ended[b.ID] = state
		}
		if p.State != "" {
			seen = p
		}
	}
	switch {
	case len(ended) > 0: // what failed is tried again by the next step
	case len(errs) > 0:
		return errors.Join(errs...)
	default:
		return fmt.Errorf("refund: %w", errNotYet)
	}
	return r.write(ctx, anyway, func(d *document) {
		now := r.k.now()
		if seen.State != "" {
			d.see(seen)
			// Nobody looks again at what a bank has sent back meanwhile.
			if d.reopen(seen, now) {
				d.enter(d.Status, now, bankSentBack)
			}
		}
		d.paidOut(ended, now)
	})
}

// give asks for one refund; it is asked for with the same key again and again.
func (r *run) give(ctx context.Context, b *refund) (payment.Payment, RefundState, error) {
	ctx, cancel := r.ask(ctx)
	defer cancel()
	key := b.key()
	req := payment.RefundRequest{OrderID: r.doc.ID, Key: key, Amount: b.Amount, Reason: b.Reason}
	p, err := r.k.o.Payment.Refund(ctx, ourselves, req)
	if errors.Is(err, payment.ErrTooMuch) || errors.Is(err, payment.ErrMismatch) {
		now, getErr := r.k.o.Payment.Get(ctx, ourselves, r.doc.ID)
		if getErr != nil {
			return payment.Payment{}, "", errors.Join(err, getErr)
		}
		// Some of it went back by another door, such as the processor's desk:
		// that counts, and what is owed is the rest.
		rest := leftAt(now)
		switch {
		case !b.Owed:
			p = now
		case kept(now).Minor == 0:
			return now, RefundSucceeded, nil
		case slices.ContainsFunc(now.Refunds, func(known payment.Refund) bool { return known.Key == key }):
			p, err = now, nil // the rest was asked for before
		case rest.Minor > 0:
			req.Amount = rest
			p, err = r.k.o.Payment.Refund(ctx, ourselves, req)
		}
	}
	switch {
	case err != nil && (b.Owed || passing(err)):
		return payment.Payment{}, "", err
	case err != nil:
		r.k.o.Log.ErrorContext(ctx, "the payment service refuses a refund", "order", r.doc.ID, "refund", b.ID, "error", err)
		return p, RefundFailed, nil
	}
	for _, known := range p.Refunds {
		if known.Key != key {
			continue
		}
		if known.State == payment.RefundFailed {
			r.k.o.Log.ErrorContext(ctx, "the processor refused a refund", "order", r.doc.ID, "refund", b.ID, "tries", b.Tries+1)
		}
		return p, RefundState(known.State), nil
	}
	return p, RefundPending, nil
}

// leftAt is what was taken of a payment and is not on its way back.
func leftAt(p payment.Payment) money.Amount {
	left := p.Captured
	for _, known := range p.Refunds {
		if known.State != payment.RefundFailed {
			left = left.Minus(known.Amount)
		}
	}
	return left
}

// paidOut notes how refunds ended, and goes on with the order.
func (d *document) paidOut(ended map[string]RefundState, now time.Time) {
	d.Saga.Waits = 0
	var again time.Duration // until a refused refund is made again
	for i := range d.Refunds {
		b := &d.Refunds[i]
		state, ok := ended[b.ID]
		switch {
		case !ok || b.State != RefundPending:
		case state == RefundSucceeded:
			b.State = state
			if b.ID != RefundOfCancel {
				d.enter(d.Status, now, b.Amount.String()+" went back to the customer.")
			}
		case b.Owed:
			again = refundPatience << min(b.Tries, 6)
			b.Tries++
		default:
			b.State = state
			d.enter(d.Status, now, "A refund of "+b.Amount.String()+" was refused.")
		}
	}
	switch {
	case again > 0:
		due := now.Add(again)
		d.Saga.Owner, d.Saga.Due = "", &due
	case d.Status == Cancelled:
		d.payBackDone(now)
	default:
		d.closed(now)
		if !d.owes() && !d.Saga.CartLeft && d.Cancel == nil {
			d.rest()
		}
	}
}

// payBackDone ends an order that was called off and whose goods are back, or
// has the rest of its money refunded.
func (d *document) payBackDone(now time.Time) {
	d.oweAll(now)
	if d.pays() {
		return
	}
	cause := "The money is back."
	if d.Quote.Cost.Total.Minor == 0 {
		cause = "There was nothing to pay back."
	}
	d.Saga.CartLeft = false
	d.enter(Refunded, now, cause)
	d.rest()
}

const bankSentBack = "The bank sent a refund back; it is made again."

// sentBack brings an order that rests back to where refunds are made, if some
// had succeeded and failed after all.
func (d *document) sentBack(p payment.Payment, now time.Time) bool {
	if !d.reopen(p, now) {
		return false
	}
	status := d.Status
	switch {
	case status == Refunded && d.Cancel != nil:
		status = Cancelled
	case status == Refunded:
		status = d.Progress.status()
	}
	due := now.Add(refundPatience)
	d.Saga.Due = &due
	d.see(p)
	d.enter(status, now, bankSentBack)
	return true
}

// reopen has refunds made again that had succeeded and failed after all.
func (d *document) reopen(p payment.Payment, now time.Time) bool {
	if d.Status == Refunded && len(d.Refunds) == 0 && kept(p).Minor > 0 {
		d.oweAll(now) // called off and paid back before refunds were kept with the order
		return d.pays()
	}
	found := false
	for i := range d.Refunds {
		b := &d.Refunds[i]
		if b.State != RefundSucceeded {
			continue
		}
		at := slices.IndexFunc(p.Refunds, func(known payment.Refund) bool { return known.Key == b.key() })
		// One that is not there went by another door, which all of it must have.
		if at < 0 && kept(p).Minor > 0 || at >= 0 && p.Refunds[at].State == payment.RefundFailed {
			b.State, b.Owed = RefundPending, true
			b.Tries++
			found = true
		}
	}
	return found
}

// takeIn has what came back with refunds taken into stock.
func (r *run) takeIn(ctx context.Context) error {
	var done []string
	for _, b := range r.doc.Refunds {
		if !b.Restock {
			continue
		}
		var units []inventory.Line
		for _, l := range b.Lines {
			units = append(units, inventory.Line{SKU: r.doc.lineOf(l.LineID).Item.SKU, Quantity: l.Quantity})
		}
		call, cancel := r.call(ctx)
		err := r.k.o.Fulfilment.TakeBack(call, ourselves, r.doc.ID, b.ID, units)
		cancel()
		if err != nil && passing(err) {
			return fmt.Errorf("take back the goods of refund %s: %w", b.ID, err)
		}
		if err != nil {
			r.k.o.Log.ErrorContext(ctx, "the goods of a refund cannot be taken back", "order", r.doc.ID, "refund", b.ID, "error", err)
		}
		done = append(done, b.ID)
	}
	return r.write(ctx, anyway, func(d *document) {
		for i := range d.Refunds {
			if slices.Contains(done, d.Refunds[i].ID) {
				d.Refunds[i].Restock = false
			}
		}
		if !d.owes() && !d.Saga.CartLeft && d.Cancel == nil {
			d.rest()
		}
	})
}

// refunds are the refunds as others see them.
func (d *document) refunds() []Refund {
	var shown []Refund
	for _, b := range d.Refunds {
		b.Lines = slices.Clone(b.Lines)
		shown = append(shown, b.Refund)
	}
	return shown
}
