package card

import (
	"context"
	"net/http"
	"sort"
	"strings"

	"ordergraph/platform/docstore"
)

// A Ledger is what the processor has done with people's money: minor units by
// currency, in capitals.
type Ledger struct {
	Intents  int              `json:"intents"`
	Charges  int              `json:"charges"` // approved, whatever became of them
	Held     map[string]int64 `json:"held"`
	Captured map[string]int64 `json:"captured"`
	Refunded map[string]int64 `json:"refunded"`
	Orders   []OrderLedger    `json:"orders"` // by order id
}

// OrderLedger is what the processor has done for one order.
type OrderLedger struct {
	Order    string   `json:"order"`
	Currency string   `json:"currency"`
	Intents  []string `json:"intents"`
	Charges  int      `json:"charges"`
	Captures int      `json:"captures"`
	Held     int64    `json:"held"`
	Captured int64    `json:"captured"`
	Refunded int64    `json:"refunded"`
	Refunds  int      `json:"refunds"`
}

// Ledger adds up everything, or with an order's id, that order alone.
func (p *Processor) Ledger(ctx context.Context, order string) (Ledger, error) {
	l := Ledger{Held: map[string]int64{}, Captured: map[string]int64{}, Refunded: map[string]int64{}, Orders: []OrderLedger{}}
	q := docstore.Query{Index: "created"}
	if order != "" {
		q = docstore.Query{Index: "order", Equal: []any{order}}
	}
	orders := map[string]*OrderLedger{}
	for d, err := range p.intents.All(ctx, q) {
		if err != nil {
			return Ledger{}, err
		}
		d.settle(p.now())
		currency := strings.ToUpper(d.Currency)
		o := orders[d.Order]
		if o == nil {
			o = &OrderLedger{Order: d.Order, Currency: currency}
			orders[d.Order] = o
		}
		o.Intents = append(o.Intents, d.ID)
		l.Intents++
		if d.Charged {
			l.Charges++
			o.Charges++
		}
		if d.Received > 0 {
			o.Captures++
		}
		back := d.givenBack()
		for _, r := range d.Refunds {
			if r.Status != failed {
				o.Refunds++
			}
		}
		o.Held, o.Captured, o.Refunded = o.Held+d.Held, o.Captured+d.Received, o.Refunded+back
		l.Held[currency] += d.Held
		l.Captured[currency] += d.Received
		l.Refunded[currency] += back
	}
	for _, o := range orders {
		l.Orders = append(l.Orders, *o)
	}
	sort.Slice(l.Orders, func(i, j int) bool { return l.Orders[i].Order < l.Orders[j].Order })
	return l, nil
}

// ledgerPage answers GET /sandbox/card/ledger, with ?order=ID for one order.
func (p *Processor) ledgerPage(w http.ResponseWriter, r *http.Request) {
	l, err := p.Ledger(r.Context(), r.URL.Query().Get("order"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.reply(w, 200, encode(l))
}
