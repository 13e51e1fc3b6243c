package invoice

import (
	"fmt"

	"ordergraph/platform/docstore"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

// A credit is a refund for which the order is owed a credit note.
type credit struct {
	id    string // of the note
	note  string
	whole bool       // all that was invoiced
	quote cart.Quote // otherwise: what is given back, as if it were sold
}

// creditIDs are the ids of the credit notes that the order is owed.
func creditIDs(o *order.Order) (ids []string) {
	if len(o.Refunds) == 0 && o.Status == order.Refunded {
		return []string{creditID(o.ID, order.RefundOfCancel)}
	}
	for _, r := range o.Refunds {
		if r.State == order.RefundSucceeded {
			ids = append(ids, creditID(o.ID, r.ID))
		}
	}
	return ids
}

func creditID(orderID, refundID string) string {
	if refundID == order.RefundOfCancel {
		return orderID + CreditSuffix
	}
	return orderID + CreditSuffix + "-" + refundID
}

// credits are the refunds that have succeeded. An order that is REFUNDED and
// tells of none was given back whole.
func credits(o order.Order, invoice document) []credit {
	if len(o.Refunds) == 0 && o.Status == order.Refunded {
		return []credit{{id: creditID(o.ID, order.RefundOfCancel), whole: true}}
	}
	if len(o.Refunds) == 0 {
		return nil
	}
	var all []credit
	rest := newRest(o.Quote)
	for i := range o.Refunds {
		r := &o.Refunds[i]
		if r.State == order.RefundFailed {
			continue
		}
		c := credit{id: creditID(o.ID, r.ID), whole: r.Amount.Minor == invoice.Body.Bill.Paid}
		if r.ID != order.RefundOfCancel { // there the reason is in the customer's own words
			c.note = r.Reason
		}
		if !c.whole {
			c.quote = rest.take(o.Quote, r, tongueFor(invoice.Body.Locale, invoice.Body.Currency, invoice.Body.Seller.Country).words)
		}
		if r.State == order.RefundSucceeded {
			all = append(all, c)
		}
	}
	return all
}

// A rest is what of an order's price was not given back yet, with the tax, by
// the rate of the tax. What is given back for nothing in particular is taken
// from it in proportion.
type rest struct {
	rates []int64
	left  map[int64]int64
}

func newRest(q cart.Quote) *rest {
	r := &rest{left: map[int64]int64{}}
	gross := func(net, tax, rate int64) {
		if _, ok := r.left[rate]; !ok {
			r.rates = append(r.rates, rate)
		}
		if !q.Cost.TaxIncluded {
			net += tax
		}
		r.left[rate] += net
	}
	for i := range q.Lines {
		gross(q.Lines[i].Total.Minor, q.Lines[i].Tax.Minor, q.Lines[i].TaxRate)
	}
	if q.Rate != nil {
		gross(q.Cost.Shipping.Minor, q.ShippingTax.Minor, q.ShippingTaxRate)
	}
	return r
}

// take is the refund as a quote of what is given back, tax included. It has a
// line at least, even if only the shipping is given back: the standard wants it.
func (s *rest) take(sold cart.Quote, r *order.Refund, in *words) cart.Quote {
	currency := sold.Cost.Currency
	q := cart.Quote{Cost: cart.Cost{Currency: currency, Shipping: money.Of(0, currency), TaxIncluded: true, Total: r.Amount}}
	open := r.Amount.Minor
	add := func(item cart.Item, quantity, minor, rate int64) {
		if minor == 0 {
			return
		}
		amount := money.Of(minor, currency)
		q.Lines = append(q.Lines, cart.Line{Item: item, Quantity: quantity, Subtotal: amount, Total: amount, TaxRate: rate})
		s.left[rate] -= minor
		open -= minor
	}
	for _, back := range r.Lines {
		for i := range sold.Lines {
			if l := &sold.Lines[i]; l.ID == back.LineID {
				add(l.Item, back.Quantity, back.Amount.Minor, l.TaxRate)
			}
		}
	}
	shipping := int64(0)
	if sold.Rate != nil {
		shipping = r.Shipping.Minor
		s.left[sold.ShippingTaxRate] -= shipping
		open -= shipping
	}
	weights := make([]int64, len(s.rates))
	for i, rate := range s.rates {
		weights[i] = max(s.left[rate], 0)
	}
	for i, share := range money.Of(open, currency).Split(weights) {
		add(cart.Item{Title: in.Reduction}, 1, share.Minor, s.rates[i])
	}
	switch {
	case shipping == 0:
	case len(q.Lines) == 0:
		s.left[sold.ShippingTaxRate] += shipping
		add(cart.Item{Title: fmt.Sprintf("%s (%s)", in.Shipping, sold.Rate.Title)}, 1, shipping, sold.ShippingTaxRate)
	default:
		q.Rate, q.ShippingTaxRate, q.Cost.Shipping = sold.Rate, sold.ShippingTaxRate, r.Shipping
	}
	return q
}

// credit is a new credit note with all that will stand in it: what was
// invoiced, and what of it is given back.
func (k *Keeper) credit(c credit, invoice document) document {
	d := document{
		Meta: docstore.Meta{ID: c.id}, Kind: KindCreditNote, OrderID: invoice.OrderID, Status: Pending, Key: c.id,
		Series: fmt.Sprintf("CN-%04d", k.now().Year()), CustomerID: invoice.CustomerID, Body: invoice.Body,
	}
	d.Body.Refers, d.Body.Note = &reference{invoice.Number, invoice.IssuedAt}, c.note
	if !c.whole {
		d.Body.Bill = calculate(c.quote, d.Body.Seller.Country, d.Body.ShipTo.Country)
	}
	return d
}
