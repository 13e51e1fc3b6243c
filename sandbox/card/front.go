package card

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/money"
)

var frontTemplate = template.Must(template.New("front").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Card processor (sandbox)</title>
<style>body{font:15px/1.5 system-ui;max-width:64rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%;margin-bottom:2rem}
td,th{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid #ddd}td.n{text-align:right}code{font-size:.9em}</style>
<h1>Card processor <small>(a sandbox: no money is moved)</small></h1>
<h2>Latest payments</h2>
{{if .Payments}}<table><tr><th>Order</th><th>Card</th><th>Amount</th><th>Status</th><th>Captured</th><th>Refunded</th></tr>
{{range .Payments}}<tr><td>{{.Order}}</td><td>{{.Brand}} {{.Last4}}</td><td class="n">{{.Amount}}</td><td>{{if .Confirm}}<a href="{{.Confirm}}">{{.Status}}</a>{{else}}{{.Status}}{{end}}</td><td class="n">{{.Captured}}</td><td class="n">{{.Refunded}}</td></tr>
{{end}}</table>{{else}}<p>None yet.</p>{{end}}
<h2>Test cards</h2>
<table><tr><th>Payment method</th><th>What happens</th></tr>
{{range .Cards}}<tr><td><code>{{.Name}}</code></td><td>{{.What}}</td></tr>
{{end}}</table>
<h2>Trouble on purpose</h2>
<p><code>curl -d '{"lost":0.2}' {{.Base}}/sandbox/card/faults</code>, and <code>{}</code> to heal. Now: <code>{{.Faults}}</code></p>
<p><a href="/sandbox/card/ledger">Ledger</a> as JSON.</p></html>
`))

// what tells a person what a test card does.
func (m method) what() string {
	switch {
	case m.declines != nil:
		return "declined: " + m.declines.DeclineCode
	case m.action:
		return "the customer must confirm"
	case m.slow:
		return "approved, slowly"
	case m.answerLost:
		return "approved, but the first answer to each operation is lost"
	case m.down:
		return "approved, after some attempts that nobody answers"
	case m.refunds == pending:
		return "approved; refunds take a moment"
	case m.refunds == failed:
		return "approved; refunds fail after a moment"
	}
	return "approved"
}

// front is GET /sandbox/card/: what arrived, and what one can do.
func (p *Processor) front(w http.ResponseWriter, r *http.Request) {
	page, err := p.intents.Find(r.Context(), docstore.Query{Index: "created", Reverse: true, Limit: 50})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	type payment struct{ Order, Brand, Last4, Amount, Status, Captured, Refunded, Confirm string }
	var payments []payment
	for i := range page.Items {
		d := &page.Items[i]
		d.settle(p.now())
		m, currency := methods[d.Method], strings.ToUpper(d.Currency)
		row := payment{
			Order: d.Order, Brand: m.brand, Last4: m.last4, Status: strings.ReplaceAll(d.Status, "_", " "),
			Amount: money.Of(d.Amount, currency).String(), Captured: money.Of(d.Received, currency).String(), Refunded: money.Of(d.givenBack(), currency).String(),
		}
		if d.Status == needsAction {
			row.Confirm = "/sandbox/card/confirm/" + d.ID
		}
		payments = append(payments, row)
	}
	type testCard struct{ Name, What string }
	var cards []testCard
	for name, m := range methods {
		cards = append(cards, testCard{name, m.what()})
	}
	slices.SortFunc(cards, func(a, b testCard) int {
		if a.What != b.What {
			return strings.Compare(a.What, b.What)
		}
		return strings.Compare(a.Name, b.Name)
	})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = frontTemplate.Execute(w, map[string]any{"Payments": payments, "Cards": cards, "Faults": encode(p.Faults()), "Base": "http://" + r.Host})
}
