package card

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ordergraph/platform/docstore"
)

// get reads an intent as it is now, with refunds settled whose time has come.
func (p *Processor) get(ctx context.Context, id string) (intent, error) {
	d, err := p.intents.Get(ctx, id)
	if errors.Is(err, docstore.ErrNotFound) || err == nil && d.Created == nil {
		return d, missing("payment_intent", id)
	}
	d.settle(p.now())
	return d, err
}

// retrieve is GET /v1/payment_intents/{id}.
func (p *Processor) retrieve(ctx context.Context, r *http.Request, q url.Values) (any, error) {
	d, err := p.get(ctx, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return d.json(expands(q, "latest_charge")), nil
}

// retrieveCharge is GET /v1/charges/{id}.
func (p *Processor) retrieveCharge(ctx context.Context, r *http.Request, _ url.Values) (any, error) {
	id := r.PathValue("id")
	d, err := p.get(ctx, "pi_"+strings.TrimPrefix(id, "ch_"))
	if err == nil && !d.Charged {
		err = missing("charge", id)
	}
	if err != nil {
		return nil, err
	}
	return d.charge(), nil
}

// retrieveRefund is GET /v1/refunds/{id}.
func (p *Processor) retrieveRefund(ctx context.Context, r *http.Request, _ url.Values) (any, error) {
	id := r.PathValue("id")
	stem, _, _ := strings.Cut(strings.TrimPrefix(id, "re_"), "_")
	d, err := p.get(ctx, "pi_"+stem)
	if err != nil {
		return nil, missing("refund", id)
	}
	for i := range d.Refunds {
		if d.Refunds[i].ID == id {
			return d.refund(i), nil
		}
	}
	return nil, missing("refund", id)
}

func limitOf(q url.Values) (int, error) {
	if q.Get("limit") == "" {
		return 10, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > 100 {
		return 0, invalid("parameter_invalid_integer", "limit", "limit is from 1 to 100.")
	}
	return n, nil
}

// createdRange reads created[gte], [gt], [lt] and [lte], in seconds since 1970.
func createdRange(q url.Values) (from, until any, err error) {
	for name, set := range map[string]func(int64){
		"created[gte]": func(s int64) { from = time.Unix(s, 0) }, "created[gt]": func(s int64) { from = time.Unix(s+1, 0) },
		"created[lt]": func(s int64) { until = time.Unix(s, 0) }, "created[lte]": func(s int64) { until = time.Unix(s+1, 0) },
	} {
		if q.Get(name) == "" {
			continue
		}
		seconds, err := strconv.ParseInt(q.Get(name), 10, 64)
		if err != nil {
			return nil, nil, invalid("parameter_invalid_integer", "created", "Invalid integer: %s", q.Get(name))
		}
		set(seconds)
	}
	return from, until, nil
}

// list is GET /v1/payment_intents: the newest first.
func (p *Processor) list(ctx context.Context, _ *http.Request, q url.Values) (any, error) {
	limit, err := limitOf(q)
	if err != nil {
		return nil, err
	}
	query := docstore.Query{Index: "created", Reverse: true, Limit: limit}
	if query.From, query.Until, err = createdRange(q); err != nil {
		return nil, err
	}
	if after := q.Get("starting_after"); after != "" {
		d, err := p.get(ctx, after)
		if err != nil {
			return nil, err
		}
		if query.After, err = p.intents.CursorAt(query, &d); err != nil {
			return nil, err
		}
	}
	page, err := p.intents.Find(ctx, query)
	if err != nil {
		return nil, err
	}
	return object{"object": "list", "url": "/v1/payment_intents", "has_more": page.Next != "", "data": p.shown(page.Items, q)}, nil
}

// shown is how a list shows intents, as they stand now.
func (p *Processor) shown(intents []intent, q url.Values) []object {
	data := make([]object, len(intents))
	for i := range intents {
		intents[i].settle(p.now())
		data[i] = intents[i].json(expands(q, "data.latest_charge"))
	}
	return data
}

var searchForm = regexp.MustCompile(`^\s*metadata\[(?:'order_id'|"order_id")\]\s*:\s*(?:'([^']*)'|"([^"]*)")\s*$`)

// search is GET /v1/payment_intents/search for metadata['order_id']:'…', the
// one query the shop asks.
func (p *Processor) search(ctx context.Context, _ *http.Request, q url.Values) (any, error) {
	limit, err := limitOf(q)
	if err != nil {
		return nil, err
	}
	m := searchForm.FindStringSubmatch(q.Get("query"))
	if m == nil {
		return nil, invalid("", "query", "This sandbox searches for metadata['order_id']:'…' only.")
	}
	query := docstore.Query{Index: "order", Equal: []any{m[1] + m[2]}, Reverse: true, Limit: limit, After: docstore.Cursor(q.Get("page"))}
	if lag := p.Faults().SearchLag; lag > 0 {
		query.Until = p.now().Add(-time.Duration(lag))
	}
	page, err := p.intents.Find(ctx, query)
	if errors.Is(err, docstore.ErrCursor) {
		return nil, invalid("", "page", "This page does not belong to this query.")
	}
	if err != nil {
		return nil, err
	}
	return object{"object": "search_result", "url": "/v1/payment_intents/search", "has_more": page.Next != "", "next_page": orNull(string(page.Next)), "data": p.shown(page.Items, q)}, nil
}

// listRefunds is GET /v1/refunds, of one intent or of all.
func (p *Processor) listRefunds(ctx context.Context, _ *http.Request, q url.Values) (any, error) {
	limit, err := limitOf(q)
	if err != nil {
		return nil, err
	}
	data, more, after := []object{}, false, q.Get("starting_after")
	add := func(d *intent) bool {
		d.settle(p.now())
		for i := len(d.Refunds) - 1; i >= 0; i-- {
			switch {
			case after != "":
				if d.Refunds[i].ID == after {
					after = ""
				}
			case len(data) == limit:
				more = true
				return false
			default:
				data = append(data, d.refund(i))
			}
		}
		return true
	}
	if id := q.Get("payment_intent"); id != "" {
		d, err := p.get(ctx, id)
		if err != nil {
			return nil, err
		}
		add(&d)
	} else {
		for d, err := range p.intents.All(ctx, docstore.Query{Index: "refunded", Reverse: true}) {
			if err != nil {
				return nil, err
			}
			if !add(&d) {
				break
			}
		}
	}
	return object{"object": "list", "url": "/v1/refunds", "has_more": more, "data": data}, nil
}
