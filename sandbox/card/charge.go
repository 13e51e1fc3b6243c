package card

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const maxAmount = 99_999_999 // Stripe's limit, in minor units

func amountOf(form url.Values, name string) (int64, *trouble) {
	n, err := strconv.ParseInt(form.Get(name), 10, 64)
	switch {
	case form.Get(name) == "":
		return 0, invalid("parameter_missing", name, "Missing required param: %s.", name)
	case err != nil:
		return 0, invalid("parameter_invalid_integer", name, "Invalid integer: %s", form.Get(name))
	case n < 1:
		return 0, invalid("parameter_invalid_integer", name, "This value must be greater than or equal to 1.")
	case n > maxAmount:
		return 0, invalid("amount_too_large", name, "Amount must be no more than 999,999.99.")
	}
	return n, nil
}

func webURL(s, param string) *trouble {
	if s == "" {
		return nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(s) > 2048 {
		return invalid("url_invalid", param, "Not a valid URL")
	}
	return nil
}

// create is POST /v1/payment_intents. The intent's id comes of the
// idempotency key, so that a repeated call meets its own intent.
func (p *Processor) create(req *request) (plan, *trouble) {
	form := req.form
	amount, t := amountOf(form, "amount")
	if t != nil {
		return plan{}, t
	}
	currency := strings.ToLower(form.Get("currency"))
	if len(currency) != 3 {
		return plan{}, invalid("parameter_missing", "currency", "Invalid currency: %s", currency)
	}
	capture := form.Get("capture_method")
	switch capture {
	case "":
		capture = "automatic"
	case "automatic", "automatic_async", "manual":
	default:
		return plan{}, invalid("", "capture_method", "Invalid capture_method: must be one of automatic, automatic_async, or manual")
	}
	name := form.Get("payment_method")
	if _, known := methods[name]; name != "" && !known {
		return plan{}, invalid("resource_missing", "payment_method", "No such PaymentMethod: '%s'", name)
	}
	if t := webURL(form.Get("return_url"), "return_url"); t != nil {
		return plan{}, t
	}
	meta, t := metadata(form)
	if t != nil {
		return plan{}, t
	}
	confirm := form.Get("confirm") == "true"
	if confirm && name == "" {
		return plan{}, invalid("", "payment_method", "You cannot confirm this PaymentIntent because it's missing a payment method.")
	}
	id := "pi_" + rand.Text()[:24]
	if req.key != "" {
		sum := sha256.Sum256([]byte(req.key))
		id = "pi_" + hex.EncodeToString(sum[:12])
	}
	return plan{id: id, fresh: true, method: name, change: func(d *intent) (any, *trouble) {
		if d.Version != 0 {
			return nil, keyReused // the key made this intent, yet has no answer: never by this code
		}
		created := req.now
		d.Created, d.Order, d.Amount, d.Currency, d.Method, d.Capture = &created, meta["order_id"], amount, currency, name, capture
		d.Email, d.ReturnURL, d.Description, d.Metadata = form.Get("receipt_email"), form.Get("return_url"), form.Get("description"), meta
		d.PageURL, d.APIVersion = req.base+"/sandbox/card/confirm/"+d.ID, req.apiVersion
		d.Status = needsMethod
		if name != "" {
			d.Status = needsConfirm
		}
		if confirm {
			if t := p.charge(d, req.now); t != nil {
				return nil, t
			}
		}
		return d.json(req.expand), nil
	}}, nil
}

// confirm is POST /v1/payment_intents/{id}/confirm.
func (p *Processor) confirm(req *request) (plan, *trouble) {
	name := req.form.Get("payment_method")
	if _, known := methods[name]; name != "" && !known {
		return plan{}, invalid("resource_missing", "payment_method", "No such PaymentMethod: '%s'", name)
	}
	if t := webURL(req.form.Get("return_url"), "return_url"); t != nil {
		return plan{}, t
	}
	return plan{id: req.id, change: func(d *intent) (any, *trouble) {
		if d.Status != needsMethod && d.Status != needsConfirm && d.Status != needsAction {
			return nil, unexpectedState(d, "confirmed")
		}
		if name != "" {
			d.Method = name
		}
		if u := req.form.Get("return_url"); u != "" {
			d.ReturnURL = u
		}
		if d.Method == "" {
			return nil, invalid("", "payment_method", "You cannot confirm this PaymentIntent because it's missing a payment method.")
		}
		if t := p.charge(d, req.now); t != nil {
			return nil, t
		}
		return d.json(req.expand), nil
	}}, nil
}

// charge asks the card's bank.
func (p *Processor) charge(d *intent, now time.Time) *trouble {
	m := methods[d.Method]
	switch {
	case m.declines != nil:
		return p.declined(d, m.declines, now)
	case m.action:
		d.Status, d.LastError = needsAction, nil
		p.tell(d, "payment_intent.requires_action", d.json(false), now)
	default:
		p.approve(d, now)
	}
	return nil
}

func (p *Processor) approve(d *intent, now time.Time) {
	d.Charged, d.LastError = true, nil
	if d.Capture == "manual" {
		d.Status, d.Held = needsCapture, d.Amount
		p.tell(d, "payment_intent.amount_capturable_updated", d.json(false), now)
		return
	}
	d.Status, d.Received = succeeded, d.Amount
	p.tell(d, "payment_intent.succeeded", d.json(false), now)
}

func (p *Processor) declined(d *intent, why *trouble, now time.Time) *trouble {
	d.Status, d.LastError = needsMethod, why
	t := *why
	t.Charge, t.Intent = d.chargeID(), d.json(false)
	p.tell(d, "payment_intent.payment_failed", d.json(false), now)
	return &t
}

// capture is POST /v1/payment_intents/{id}/capture.
func (p *Processor) capture(req *request) (plan, *trouble) {
	var amount int64
	if req.form.Has("amount_to_capture") {
		var t *trouble
		if amount, t = amountOf(req.form, "amount_to_capture"); t != nil {
			return plan{}, t
		}
	}
	return plan{id: req.id, change: func(d *intent) (any, *trouble) {
		if d.Status != needsCapture {
			return nil, unexpectedState(d, "captured")
		}
		if amount > d.Held {
			return nil, invalid("amount_too_large", "amount_to_capture", "The provided amount_to_capture must be at most %d.", d.Held)
		}
		d.Status, d.Received, d.Held = succeeded, d.Held, 0
		if amount > 0 {
			d.Received = amount
		}
		p.tell(d, "payment_intent.succeeded", d.json(false), req.now)
		return d.json(req.expand), nil
	}}, nil
}

// cancel is POST /v1/payment_intents/{id}/cancel.
func (p *Processor) cancel(req *request) (plan, *trouble) {
	return plan{id: req.id, change: func(d *intent) (any, *trouble) {
		switch d.Status {
		case needsMethod, needsConfirm, needsAction, needsCapture:
		default:
			return nil, unexpectedState(d, "canceled")
		}
		d.Status, d.Held, d.Canceled, d.Why = canceled, 0, req.now.Unix(), req.form.Get("cancellation_reason")
		p.tell(d, "payment_intent.canceled", d.json(false), req.now)
		return d.json(req.expand), nil
	}}, nil
}
