// Package stripegateway is the way to Stripe, or to anything that speaks its
// protocol, such as the sandbox: the address alone decides.
package stripegateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"ordergraph/platform/money"
	"ordergraph/services/payment"
)

// Options of a Gateway.
type Options struct {
	SecretKey string
	URL       string // "" is https://api.stripe.com
	// ReturnURL is where customers come back to after confirming, if the order
	// names no address. Without any, Stripe offers no page to confirm on.
	ReturnURL string
	Timeout   time.Duration // of one call; default and at most 10 s
	// Dial makes the connections; nil: over the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Gateway is a payment.Gateway to Stripe.
type Gateway struct {
	client    *stripe.Client
	transport *http.Transport
	returnURL string
}

var _ payment.Gateway = (*Gateway)(nil)

const maxTimeout = 10 * time.Second // shorter than the cashier's lease

// New makes a gateway. It does not call anybody yet.
func New(o Options) (*Gateway, error) {
	if o.SecretKey == "" {
		return nil, errors.New("stripe: a secret key is needed")
	}
	if o.URL == "" {
		o.URL = stripe.APIURL
	}
	if u, err := url.Parse(o.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("stripe: %q is not a web address", o.URL)
	}
	if o.Timeout <= 0 || o.Timeout > maxTimeout {
		o.Timeout = maxTimeout
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         o.Dial,
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        128,
		MaxIdleConnsPerHost: 128,
		IdleConnTimeout:     90 * time.Second,
	}
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               stripe.String(strings.TrimSuffix(o.URL, "/")),
		HTTPClient:        &http.Client{Transport: transport, Timeout: o.Timeout},
		MaxNetworkRetries: stripe.Int64(0), // the cashier stores every attempt, so it makes them
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     silent{}, // its lines would hold e-mail addresses
	})
	return &Gateway{client: stripe.NewClient(o.SecretKey, stripe.WithBackends(backends)), transport: transport, returnURL: o.ReturnURL}, nil
}

// Close gives up the idle connections.
func (g *Gateway) Close() { g.transport.CloseIdleConnections() }

type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Infof(string, ...any)  {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}

const (
	metaOrder  = "order_id"
	metaRefund = "refund_key"
)

func (g *Gateway) params(req payment.Request) *stripe.PaymentIntentCreateParams {
	p := &stripe.PaymentIntentCreateParams{
		Amount:             stripe.Int64(toStripe(req.Amount)),
		Currency:           stripe.String(strings.ToLower(req.Amount.Currency)),
		CaptureMethod:      stripe.String("manual"),
		PaymentMethodTypes: []*string{stripe.String("card")},
		Description:        stripe.String("Order " + req.OrderID),
		Metadata:           map[string]string{metaOrder: req.OrderID},
	}
	p.AddExpand("latest_charge")
	return p
}

// Authorise makes and confirms an intent in one call.
func (g *Gateway) Authorise(ctx context.Context, key string, req payment.Request) (payment.Intent, error) {
	p := g.params(req)
	p.Confirm, p.PaymentMethod = stripe.Bool(true), stripe.String(req.Method)
	if req.Email != "" {
		p.ReceiptEmail = stripe.String(req.Email)
	}
	if back := req.ReturnURL; back != "" {
		p.ReturnURL = stripe.String(back)
	} else if g.returnURL != "" {
		p.ReturnURL = stripe.String(g.returnURL)
	}
	p.IdempotencyKey = stripe.String(key)
	in, err := g.client.V1PaymentIntents.Create(ctx, p)
	return intentOf(in, err)
}

// Forestall uses the key for an intent that is never confirmed. If Stripe
// takes it, an Authorise that is still on its way will find the key spent on
// other parameters. If Stripe says that itself, the Authorise was faster, and
// sending it once more only repeats its answer.
func (g *Gateway) Forestall(ctx context.Context, key string, req payment.Request) (payment.Intent, error) {
	p := g.params(req)
	p.IdempotencyKey = stripe.String(key)
	in, err := g.client.V1PaymentIntents.Create(ctx, p)
	if e, ok := errors.AsType[*stripe.Error](err); ok && spent(e) {
		return g.Authorise(ctx, key, req)
	}
	return intentOf(in, err)
}

// Capture takes what is held.
func (g *Gateway) Capture(ctx context.Context, key, intentID string) (payment.Intent, error) {
	p := &stripe.PaymentIntentCaptureParams{}
	p.AddExpand("latest_charge")
	p.IdempotencyKey = stripe.String(key)
	in, err := g.client.V1PaymentIntents.Capture(ctx, intentID, p)
	return intentOf(in, err)
}

// Cancel releases what is held.
func (g *Gateway) Cancel(ctx context.Context, key, intentID string) (payment.Intent, error) {
	p := &stripe.PaymentIntentCancelParams{}
	p.AddExpand("latest_charge")
	p.IdempotencyKey = stripe.String(key)
	in, err := g.client.V1PaymentIntents.Cancel(ctx, intentID, p)
	return intentOf(in, err)
}

// Refund gives money back.
func (g *Gateway) Refund(ctx context.Context, key, intentID string, req payment.RefundRequest) (payment.GivenBack, error) {
	p := &stripe.RefundCreateParams{
		PaymentIntent: stripe.String(intentID),
		Amount:        stripe.Int64(toStripe(req.Amount)),
		Reason:        stripe.String("requested_by_customer"),
		Metadata:      map[string]string{metaOrder: req.OrderID, metaRefund: req.Key},
	}
	p.IdempotencyKey = stripe.String(key)
	r, err := g.client.V1Refunds.Create(ctx, p)
	if err != nil {
		return payment.GivenBack{}, translate(err)
	}
	return givenBack(r), nil
}

// Intent looks one up.
func (g *Gateway) Intent(ctx context.Context, intentID string) (payment.Intent, error) {
	p := &stripe.PaymentIntentRetrieveParams{}
	p.AddExpand("latest_charge")
	in, err := g.client.V1PaymentIntents.Retrieve(ctx, intentID, p)
	return intentOf(in, err)
}

// Find asks the search first, which is quick and may be a minute late, and
// then the list, which is neither.
func (g *Gateway) Find(ctx context.Context, orderID string, since, until time.Time) ([]payment.Intent, error) {
	search := &stripe.PaymentIntentSearchParams{SearchParams: stripe.SearchParams{
		Query: fmt.Sprintf("metadata['%s']:'%s'", metaOrder, orderID), Limit: stripe.Int64(20), Single: true,
	}}
	search.AddExpand("data.latest_charge")
	var found []payment.Intent
	for in, err := range g.client.V1PaymentIntents.Search(ctx, search).All(ctx) {
		if err != nil {
			break // the list will tell
		}
		if len(found) == 20 {
			break
		}
		found = append(found, describe(in))
	}
	if len(found) > 0 {
		return found, nil
	}
	const enough = 100_000 // intents; a shop that sells more in 20 hours has the search
	read := 0
	for in, err := range g.list(ctx, &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix(), LesserThanOrEqual: until.Unix()}) {
		if err != nil {
			return nil, err
		}
		if in.OrderID == orderID {
			found = append(found, in)
		}
		if read++; read == enough {
			return nil, fmt.Errorf("%w: too many payments to look through", payment.ErrUnknown)
		}
	}
	return found, nil
}

// All reads every intent.
func (g *Gateway) All(ctx context.Context) iter.Seq2[payment.Intent, error] { return g.list(ctx, nil) }

func (g *Gateway) list(ctx context.Context, created *stripe.RangeQueryParams) iter.Seq2[payment.Intent, error] {
	p := &stripe.PaymentIntentListParams{CreatedRange: created}
	p.Limit = stripe.Int64(100)
	p.AddExpand("data.latest_charge")
	return func(yield func(payment.Intent, error) bool) {
		for in, err := range g.client.V1PaymentIntents.List(ctx, p).All(ctx) {
			if err != nil {
				yield(payment.Intent{}, translate(err))
				return
			}
			if !yield(describe(in), nil) {
				return
			}
		}
	}
}

// Refunds lists the refunds of an intent.
func (g *Gateway) Refunds(ctx context.Context, intentID string) ([]payment.GivenBack, error) {
	p := &stripe.RefundListParams{PaymentIntent: stripe.String(intentID)}
	p.Limit = stripe.Int64(100)
	var given []payment.GivenBack
	for r, err := range g.client.V1Refunds.List(ctx, p).All(ctx) {
		if err != nil {
			return nil, translate(err)
		}
		given = append(given, givenBack(r))
	}
	return given, nil
}

func givenBack(r *stripe.Refund) payment.GivenBack {
	return payment.GivenBack{
		ID: r.ID, Key: r.Metadata[metaRefund], Amount: fromStripe(r.Amount, string(r.Currency)), State: refundState(r.Status),
		At: time.Unix(r.Created, 0).UTC(),
	}
}

func refundState(s stripe.RefundStatus) payment.RefundState {
	switch s {
	case stripe.RefundStatusSucceeded:
		return payment.RefundSucceeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		return payment.RefundFailed
	}
	return payment.RefundPending
}

// intentOf reads an answer about an intent. A declined card is an error to
// Stripe and an intent to us.
func intentOf(in *stripe.PaymentIntent, err error) (payment.Intent, error) {
	if e, ok := errors.AsType[*stripe.Error](err); ok && e.Type == stripe.ErrorTypeCard && e.PaymentIntent != nil {
		refused := describe(e.PaymentIntent)
		if refused.Status == payment.IntentRefused {
			refused.Reason = reasonOf(e)
			return refused, nil
		}
	}
	if err != nil {
		return payment.Intent{}, translate(err)
	}
	return describe(in), nil
}

var statuses = map[stripe.PaymentIntentStatus]payment.IntentStatus{
	stripe.PaymentIntentStatusRequiresConfirmation: payment.IntentOpen,
	stripe.PaymentIntentStatusProcessing:           payment.IntentProcessing,
	stripe.PaymentIntentStatusRequiresAction:       payment.IntentAction,
	stripe.PaymentIntentStatusRequiresCapture:      payment.IntentHeld,
	stripe.PaymentIntentStatusSucceeded:            payment.IntentTaken,
	stripe.PaymentIntentStatusCanceled:             payment.IntentCancelled,
}

// statusOf reads a status. An intent that wants another payment method was
// refused if an error is noted with it, and else never tried.
func statusOf(s stripe.PaymentIntentStatus, noted bool) payment.IntentStatus {
	if s == stripe.PaymentIntentStatusRequiresPaymentMethod {
		if noted {
			return payment.IntentRefused
		}
		return payment.IntentOpen
	}
	if known, ok := statuses[s]; ok {
		return known
	}
	return payment.IntentProcessing // a status that Stripe has added since
}

func describe(in *stripe.PaymentIntent) payment.Intent {
	currency := string(in.Currency)
	d := payment.Intent{
		ID: in.ID, OrderID: in.Metadata[metaOrder], Status: statusOf(in.Status, in.LastPaymentError != nil),
		Amount: fromStripe(in.Amount, currency), Received: fromStripe(in.AmountReceived, currency), Refunded: fromStripe(0, currency),
	}
	if in.LastPaymentError != nil {
		d.Reason = reasonOf(in.LastPaymentError)
	}
	if in.NextAction != nil && in.NextAction.RedirectToURL != nil {
		d.ActionURL = in.NextAction.RedirectToURL.URL
	}
	if c := in.LatestCharge; c != nil {
		d.Refunded = fromStripe(c.AmountRefunded, currency)
		if c.PaymentMethodDetails != nil && c.PaymentMethodDetails.Card != nil {
			d.Card = payment.Card{Brand: string(c.PaymentMethodDetails.Card.Brand), Last4: c.PaymentMethodDetails.Card.Last4}
		}
	}
	return d
}

// Stripe's smallest unit is ISO 4217's minor unit, but for these; see
// https://docs.stripe.com/currencies#special-cases.
var factor = map[string]int64{"ISK": 100, "UGX": 100}

func toStripe(a money.Amount) int64 { return a.Minor * max(factor[a.Currency], 1) }

func fromStripe(n int64, currency string) money.Amount {
	currency = strings.ToUpper(currency)
	return money.Of(n/max(factor[currency], 1), currency)
}
