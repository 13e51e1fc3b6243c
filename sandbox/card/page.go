package card

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/money"
)

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Your bank asks</title>
<style>body{font:16px/1.5 system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.6rem 1.4rem;margin-right:.6rem}</style>
<h1>Your bank asks</h1>
{{if .Open}}<p>Do you want to pay <strong>{{.Amount}}</strong> with the card ending in {{.Last4}}?</p>
<form method="post"><button name="decision" value="confirm">Confirm</button><button name="decision" value="refuse">Refuse</button></form>
{{else}}<p>There is nothing left to confirm: this payment is {{.Status}}. You can close this page.</p>{{end}}
<p><small>A sandbox: no money is moved.</small></p></html>
`))

// page is where the customer is asked to confirm.
func (p *Processor) page(w http.ResponseWriter, r *http.Request) {
	d, err := p.get(r.Context(), r.PathValue("id"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, &d)
}

func (p *Processor) show(w http.ResponseWriter, d *intent) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pageTemplate.Execute(w, map[string]any{
		"Open": d.Status == needsAction, "Status": strings.ReplaceAll(d.Status, "_", " "),
		"Amount": money.Of(d.Amount, strings.ToUpper(d.Currency)).String(), "Last4": methods[d.Method].last4,
	})
}

var authenticationFailed = declined("payment_intent_authentication_failure", "", "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.")

var errDecision = invalid("", "decision", "decision is confirm or refuse.")

// Decide is the customer's answer to the bank's question; the page's buttons
// do the same.
func (p *Processor) Decide(ctx context.Context, intentID string, confirm bool) error {
	_, err := p.decideIntent(ctx, intentID, confirm)
	return err
}

func (p *Processor) decideIntent(ctx context.Context, id string, confirm bool) (intent, error) {
	d, err := p.intents.Update(ctx, id, func(d *intent) error {
		if d.Status != needsAction {
			return docstore.Unchanged // asked and answered before
		}
		if confirm {
			p.approve(d, p.now())
		} else {
			_ = p.declined(d, authenticationFailed, p.now())
		}
		d.plan()
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return d, missing("payment_intent", id)
	}
	p.wake()
	return d, err
}

// decide is POST /sandbox/card/confirm/{id} with decision=confirm or refuse.
// It sends the customer back to the shop, as Stripe does.
func (p *Processor) decide(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	decision := r.PostFormValue("decision")
	if decision != "confirm" && decision != "refuse" {
		p.refuse(w, errDecision)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	d, err := p.decideIntent(ctx, r.PathValue("id"), decision == "confirm")
	if err != nil {
		p.fail(w, r, err)
		return
	}
	back, err := url.Parse(d.ReturnURL)
	if err != nil || d.ReturnURL == "" {
		p.show(w, &d)
		return
	}
	q := back.Query()
	q.Set("payment_intent", d.ID)
	q.Set("redirect_status", map[bool]string{true: "succeeded", false: "failed"}[d.Status == needsCapture || d.Status == succeeded])
	back.RawQuery = q.Encode()
	w.Header().Del("Content-Type")
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}
