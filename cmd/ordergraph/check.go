package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/sandbox/card"
	"ordergraph/services"
	"ordergraph/services/fulfilment/fulfilmentrpc"
	"ordergraph/services/inventory/inventoryrpc"
	"ordergraph/services/invoice/invoicerpc"
	"ordergraph/services/order/orderrpc"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymentrpc"
)

type checkCmd struct {
	groundConfig
	cardConfig
	carrierConfig
	sellerConfig

	Books []string `arg:"" optional:"" enum:"stock,orders,payments,consignments,invoices" help:"Which: stock, orders, payments, consignments, invoices. All without."`
}

func (checkCmd) Help() string {
	return "Reads all stock, the ledger, all reservations, orders, payments, consignments and invoices, and the card processor's books, and says where they do not agree: units that are neither on hand nor sold, orders that are stuck, charged twice or not at all, invoices whose numbers have a gap, that are missing, or that are not what was written. No order, payment or stock is changed. The exit code is 1 if something was found. A running shop, which may go on selling meanwhile, is asked through GRPC_ADDR or the services' addresses; where none runs, the stores themselves are read."
}

// errFound is what a check ends with when something does not agree.
var errFound = fault.New(fault.Conflict, "found", "Something does not agree.")

// checked are the services whose books are compared, with those they call.
var checked = []string{"inventory", "catalog", "cart", "payment", "order", "fulfilment", "invoice"}

func (c *checkCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	h, done, err := c.connect(ctx, checked, c.open)
	if err != nil {
		return err
	}
	findings, err := audit(ctx, h, c.Books)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if findings > 0 {
		return errFound.Say("Something does not agree (%d findings; see above). That is a defect: keep this output and report it.", findings)
	}
	return nil
}

// open gives the services on their stores, without anything that they do in
// the background: nothing is driven on by looking at it.
func (c *checkCmd) open(ctx context.Context, h *host.Host, names []string) (done func() error, err error) {
	if c.MongoURI == "" {
		if _, err := os.Stat(filepath.Join(c.DataDir, names[0])); err != nil {
			return nil, usage("No shop runs at GRPC_ADDR=%s, and DATA_DIR=%s holds none: say where it is", c.GRPCAddr, c.DataDir)
		}
	}
	client, err := c.redis(ctx, h, c.commandLogger())
	if err != nil {
		return nil, err
	}
	ground := c.ground(h, c.commandLogger(), client)
	processor := c.processor()
	if c.toSandbox() {
		if processor, err = c.openSandbox(ctx, h); err != nil {
			return nil, fmt.Errorf("start %s: %w", outside, err)
		}
	}
	ground.Settings.Stripe = services.StripeSettings{SecretKey: c.StripeKey, URL: processor}
	ground.Settings.Carrier = c.carrier(c.SandboxAddr)
	ground.Settings.Seller = c.seller(c.Country)
	if err := services.Start(ctx, ground, names); err != nil {
		return nil, err
	}
	return h.Close, nil
}

// openSandbox gives the address of the sandbox, which runs where the shop
// does: if it does not, its books are opened here.
func (c *checkCmd) openSandbox(ctx context.Context, h *host.Host) (address string, err error) {
	var dialer net.Dialer
	if conn, err := dialer.DialContext(ctx, "tcp", fromHere(c.SandboxAddr)); err == nil {
		return c.processor(), conn.Close()
	}
	store, err := docstorelocal.Open(filepath.Join(c.DataDir, outside))
	if err != nil {
		return "", fmt.Errorf("DATA_DIR: %w", err)
	}
	h.OnClose("sandbox store", store.Close)
	books, err := card.New(ctx, card.Options{Store: store, SecretKey: c.StripeKey, Log: c.commandLogger()})
	if err != nil {
		return "", err
	}
	listener, err := listen(ctx, "SANDBOX_ADDR", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: books, ReadHeaderTimeout: 10 * time.Second}
	h.OnClose("sandbox", server.Close)
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// An area is a part of the shop's books, and what became of its check.
type area struct {
	name, of string // "stock", "SKUs"
	checked  int
	findings []string
	note     string
}

// books are what can be checked, in this order.
var books = []struct {
	name  string
	audit func(context.Context, *host.Host) (area, error)
}{
	{"stock", auditStock}, {"orders", auditOrders}, {"payments", auditPayments}, {"consignments", auditConsignments}, {"invoices", auditInvoices},
}

// audit compares the books, all of them if none are named, and prints a table
// of it.
func audit(ctx context.Context, h *host.Host, names []string) (findings int, err error) {
	var areas []area
	for _, b := range books {
		if len(names) > 0 && !slices.Contains(names, b.name) {
			continue
		}
		a, err := b.audit(ctx, h)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", a.name, err)
		}
		areas = append(areas, a)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\tchecked\tfindings\t")
	for _, a := range areas {
		fmt.Fprintf(table, "%s\t%d %s\t%d\t%s\n", a.name, a.checked, a.of, len(a.findings), a.note)
	}
	if err := table.Flush(); err != nil {
		return 0, err
	}
	for _, a := range areas {
		for _, f := range a.findings {
			fmt.Printf("%s: %s\n", a.name, f)
		}
		findings += len(a.findings)
	}
	return findings, nil
}

func auditStock(ctx context.Context, h *host.Host) (area, error) {
	a := area{name: "stock", of: "SKUs"}
	stock, err := host.Use(h, inventoryrpc.Contract)
	if err != nil {
		return a, err
	}
	return a, a.page(func(after string) (checked int, findings []string, next string, err error) {
		report, err := stock.Audit(ctx, identity.Ourselves(), after)
		return report.Checked, report.Findings, report.Next, err
	})
}

func auditOrders(ctx context.Context, h *host.Host) (area, error) {
	a := area{name: "orders", of: "orders"}
	orders, err := host.Use(h, orderrpc.Contract)
	if err != nil {
		return a, err
	}
	return a, a.page(func(after string) (checked int, findings []string, next string, err error) {
		report, err := orders.Audit(ctx, identity.Ourselves(), after)
		for _, f := range report.Findings {
			findings = append(findings, fmt.Sprintf("order %s: %s: %s", f.OrderID, f.Rule, f.Detail))
		}
		return report.Checked, findings, report.Next, err
	})
}

func auditConsignments(ctx context.Context, h *host.Host) (area, error) {
	a := area{name: "consignments", of: "orders"}
	parcels, err := host.Use(h, fulfilmentrpc.Contract)
	if err != nil {
		return a, err
	}
	return a, a.page(func(after string) (checked int, findings []string, next string, err error) {
		report, err := parcels.Audit(ctx, identity.Ourselves(), after)
		for _, f := range report.Findings {
			findings = append(findings, fmt.Sprintf("order %s: %s", f.OrderID, f.Detail))
		}
		return report.Checked, findings, report.Next, err
	})
}

func auditInvoices(ctx context.Context, h *host.Host) (area, error) {
	a := area{name: "invoices", of: "documents"}
	invoices, err := host.Use(h, invoicerpc.Contract)
	if err != nil {
		return a, err
	}
	return a, a.page(func(after string) (checked int, findings []string, next string, err error) {
		report, err := invoices.Audit(ctx, identity.Ourselves(), after)
		for _, f := range report.Findings {
			findings = append(findings, f.ID+": "+f.Detail)
		}
		return report.Checked, findings, report.Next, err
	})
}

// page reads on until there is no next page.
func (a *area) page(read func(after string) (checked int, findings []string, next string, err error)) error {
	bar := newBar(-1, a.name)
	defer func() { _ = bar.Finish() }()
	for after := ""; ; {
		checked, findings, next, err := read(after)
		if err != nil {
			return err
		}
		a.checked += checked
		a.findings = append(a.findings, findings...)
		_ = bar.Set(a.checked)
		if after = next; after == "" {
			return nil
		}
	}
}

// auditWithin is how long the processor's books may take to read.
const auditWithin = 30 * time.Minute

func auditPayments(ctx context.Context, h *host.Host) (area, error) {
	a := area{name: "payments", of: "payments"}
	payments, err := host.Use(h, paymentrpc.Contract)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, auditWithin)
	defer cancel()
	bar := newBar(-1, a.name)
	defer func() { _ = bar.Finish() }()
	report, err := payments.Audit(ctx, identity.Ourselves())
	// The two books cannot be read at the same moment: in a shop that sells,
	// what differs is looked at again, and counts if it stays.
	for try := 0; err == nil && len(report.Differences) > 0 && try < 2; try++ {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return a, ctx.Err()
		}
		before := report.Differences
		if report, err = payments.Audit(ctx, identity.Ourselves()); err == nil {
			report.Differences = slices.DeleteFunc(report.Differences, func(d payment.Difference) bool { return !slices.Contains(before, d) })
		}
	}
	if err != nil {
		return a, err
	}
	a.checked = report.Payments
	for _, d := range report.Differences {
		a.findings = append(a.findings, fmt.Sprintf("order %s: %s", d.OrderID, d.What))
	}
	a.note = fmt.Sprintf("taken %s, given back %s", sums(report.Captured), sums(report.Refunded))
	if theirs := report.Theirs; !maps.Equal(withoutZero(theirs.Captured), withoutZero(report.Captured)) || !maps.Equal(withoutZero(theirs.Refunded), withoutZero(report.Refunded)) {
		a.note += fmt.Sprintf("; the processor: %s, %s", sums(theirs.Captured), sums(theirs.Refunded))
	}
	if report.Unsettled > 0 {
		a.note += fmt.Sprintf("; %d under way", report.Unsettled)
	}
	return a, nil
}

func withoutZero(minor map[string]int64) map[string]int64 {
	kept := maps.Clone(minor)
	maps.DeleteFunc(kept, func(_ string, n int64) bool { return n == 0 })
	return kept
}

// sums are amounts of money, by currency.
func sums(minor map[string]int64) string {
	var all []string
	for _, currency := range slices.Sorted(maps.Keys(withoutZero(minor))) {
		all = append(all, money.Of(minor[currency], currency).String())
	}
	if all == nil {
		return "nothing"
	}
	return strings.Join(all, " and ")
}
