package payment

import (
	"context"
	"net/url"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
)

// Authorise holds the amount. The request, the attempt and its key are stored
// in one write before the processor hears of them.
func (c *Cashier) Authorise(ctx context.Context, who identity.Caller, req Request) (Payment, error) {
	if err := onlyOurselves(who); err != nil {
		return Payment{}, err
	}
	if err := req.check(); err != nil {
		return Payment{}, err
	}
	return c.ask(ctx, req.OrderID, true, func(r *record) error {
		switch {
		case r.Version == 0:
			r.Amount, r.Method, r.Email, r.ReturnURL = req.Amount, req.Method, req.Email, req.ReturnURL
			r.Captured = money.Of(0, req.Amount.Currency)
			r.State, r.CreatedAt = Authorising, c.now()
			return nil
		case r.Begun == nil && r.Method == "":
			return docstore.Unchanged // voided before it began
		case r.request() != req:
			return ErrMismatch
		}
		return docstore.Unchanged
	})
}

func (r *record) request() Request {
	return Request{OrderID: r.ID, Amount: r.Amount, Method: r.Method, Email: r.Email, ReturnURL: r.ReturnURL}
}

func (req Request) check() error {
	if err := checkID("orderId", req.OrderID); err != nil {
		return err
	}
	if err := checkAmount(req.Amount); err != nil {
		return err
	}
	switch {
	case req.Method == "" || len(req.Method) > 255 || strings.ContainsAny(req.Method, " \t\r\n"):
		return ErrInput.Field("method").Say("The payment method is missing or not valid.")
	case looksLikeCard(req.Method):
		return ErrInput.Field("method").Say("A payment method is a token of the processor, never a card number.")
	case len(req.Email) > 512:
		return ErrInput.Field("email").Say("The e-mail address is too long.")
	case len(req.ReturnURL) > 2048:
		return ErrInput.Field("returnUrl").Say("The return address is too long.")
	}
	if req.ReturnURL != "" {
		if u, err := url.Parse(req.ReturnURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return ErrInput.Field("returnUrl").Say("The return address is not a web address.")
		}
	}
	return nil
}

// checkID accepts what can be part of an idempotency key: up to 100 printable
// characters without spaces.
func checkID(field, id string) error {
	if id == "" || len(id) > 100 {
		return ErrInput.Field(field).Say("An id has 1 to 100 characters.")
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '\'' || c == '"' || c == '\\' {
			return ErrInput.Field(field).Say("An id has no spaces, quotes or characters beyond ASCII.")
		}
	}
	return nil
}

func checkAmount(a money.Amount) error {
	if a.Minor <= 0 {
		return ErrInput.Field("amount").Say("The amount must be more than zero.")
	}
	if len(a.Currency) != 3 || strings.ToUpper(a.Currency) != a.Currency {
		return ErrInput.Field("amount").Say("The amount needs an ISO 4217 currency.")
	}
	return nil
}

// looksLikeCard is true for 12 or more digits, however they are grouped.
func looksLikeCard(s string) bool {
	digits := 0
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c != '-' && c != '.' && c != '_' && c != '/':
			return false
		}
	}
	return digits >= 12
}
