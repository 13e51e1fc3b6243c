package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ordergraph/graph/transport"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/platform/telemetry"
	"ordergraph/services/invoice"
)

// InvoicePath is where Invoices is to be mounted.
const InvoicePath = view.InvoicePath

var errNoInvoices = fault.New(fault.Unavailable, "graph.no_invoices", "This server does not offer invoices.")

// invoiceOf is an order's invoice as the caller may see it; nil for none.
func (r *Resolver) invoiceOf(ctx context.Context, orderID, accessToken string) (*view.Invoice, error) {
	if r.invoice == nil {
		return nil, errNoInvoices
	}
	v, err := r.invoice.Get(ctx, caller(ctx), orderID, accessToken)
	if err != nil {
		return nil, absent(err)
	}
	return view.NewInvoice(r.shop, &v), nil
}

func (r *Resolver) invoicesOf(ctx context.Context, o *view.Order) ([]view.Invoice, error) {
	if r.invoice == nil {
		return []view.Invoice{}, nil
	}
	id, token := o.Key()
	all, err := r.invoice.OfOrder(ctx, caller(ctx), id, token)
	if err != nil {
		return nil, err
	}
	return view.NewInvoices(r.shop, all), nil
}

// downloadWithin is how long the services may take for one file.
const downloadWithin = 20 * time.Second

// Invoices serves `GET /invoices/ID.pdf` and `.xml` to who may see them:
// customers and staff by their session, guests by the order's access token,
// which stands behind "Bearer" or in the address as `token`. What a browser
// gets it shows as a download, and keeps nowhere.
func Invoices(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Sessions == nil {
		o.Sessions = transport.Guests{}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), downloadWithin)
		defer cancel()
		id := telemetry.CleanRequestID(r.Header.Get("X-Request-Id"))
		ctx = telemetry.WithRequestID(ctx, id)
		header := w.Header()
		header.Set("X-Request-Id", id)
		header.Set("Cache-Control", "no-store")
		header.Set("Referrer-Policy", "no-referrer") // the address may hold the token
		header.Set("X-Content-Type-Options", "nosniff")
		file, err := o.download(ctx, r)
		if err != nil {
			o.turnDown(ctx, w, err)
			return
		}
		header.Set("Content-Type", file.ContentType)
		header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", file.Name))
		header.Set("Content-Length", strconv.Itoa(len(file.Content)))
		header.Set("Content-Security-Policy", "sandbox")
		_, _ = w.Write(file.Content)
	})
}

func (o Options) download(ctx context.Context, r *http.Request) (invoice.File, error) {
	id, format, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, InvoicePath), ".")
	if o.Invoice == nil || format != string(invoice.PDF) && format != string(invoice.XML) {
		return invoice.File{}, invoice.ErrNotFound
	}
	shown, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	token := r.URL.Query().Get("token")
	if shown != "" && !strings.Contains(shown, ".") { // sessions' tokens are JWT, which have dots
		token, shown = cmp.Or(token, shown), ""
	}
	session, err := o.Sessions.Open(ctx, r, shown)
	if err != nil {
		return invoice.File{}, err
	}
	return o.Invoice.File(ctx, session.Caller, id, invoice.Format(format), token)
}

// statuses are how HTTP says what kind of error it is.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Unauthenticated: http.StatusUnauthorized, fault.PermissionDenied: http.StatusForbidden, fault.Exhausted: http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable, fault.DeadlineExceeded: http.StatusGatewayTimeout, fault.Canceled: 499,
}

func (o Options) turnDown(ctx context.Context, w http.ResponseWriter, err error) {
	e := fault.Of(err)
	status := cmp.Or(statuses[e.Kind], http.StatusInternalServerError)
	switch {
	case status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	if status >= http.StatusInternalServerError && !errors.Is(err, invoice.ErrPending) {
		o.Log.ErrorContext(ctx, "an invoice could not be downloaded", "reason", e.Code, "error", err)
	}
	http.Error(w, e.Message, status)
}
