package invoice_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicetest"
	"ordergraph/services/order"
)

var background = context.Background()

// copies of a confirmed order under other ids: the invoice service cannot
// tell them from orders of their own.
func copies(o order.Order, n int) []order.Order {
	all := make([]order.Order, n)
	for i := range all {
		all[i] = o
		all[i].ID = fmt.Sprintf("order-%03d", i)
	}
	return all
}

// wantNumbers fails the test unless the orders have the first numbers of the
// series, one each, and dates that ascend with them.
func wantNumbers(t *testing.T, k *invoice.Keeper, suffix, series string, orders []order.Order) {
	t.Helper()
	dates := map[string]time.Time{}
	for _, o := range orders {
		v, err := k.Get(background, identity.Ourselves(), o.ID+suffix, "")
		if err != nil || v.Status != invoice.Ready {
			t.Fatalf("%s: %+v, %v", o.ID, v, err)
		}
		if _, ok := dates[v.Number]; ok {
			t.Errorf("%s was given twice", v.Number)
		}
		dates[v.Number] = v.IssuedAt
	}
	var last time.Time
	for i := range orders {
		number := fmt.Sprintf("%s-%06d", series, i+1)
		at, ok := dates[number]
		if !ok {
			t.Errorf("%s is missing", number)
		}
		if at.Before(last) {
			t.Errorf("%s is older than its predecessor", number)
		}
		last = at
	}
}

// Sixty-four orders at once, each told of to two copies of the service.
func TestNumbersHaveNoGapUnderConcurrency(t *testing.T) {
	w := invoicetest.New(t)
	year := fmt.Sprint(w.Shop.Clock.Now().UTC().Year())
	orders := copies(*w.Buy().Order, 64)
	for i := range orders {
		orders[i].Status = order.Refunded
	}
	keepers := []*invoice.Keeper{w.Open(w.Store), w.Open(w.Store)}
	var all sync.WaitGroup
	for _, o := range orders {
		for _, k := range keepers {
			all.Go(func() {
				if err := k.Issue(background, o); err != nil {
					t.Errorf("%s: %v", o.ID, err)
				}
			})
		}
	}
	all.Wait()
	wantNumbers(t, w.Invoices, "", year, orders)
	wantNumbers(t, w.Invoices, invoice.CreditSuffix, "CN-"+year, orders)
}

// The process dies at every single write, before it is made and after it is
// made but not answered. What comes next begins with another order, so that
// the number of the dead has to be taken by somebody else.
func TestDeathAtEveryWrite(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprintf("taken=%t", taken), func(t *testing.T) {
			w := invoicetest.New(t)
			year := fmt.Sprint(w.Shop.Clock.Now().UTC().Year())
			all := copies(*w.Buy().Order, 100)
			used, deaths := 0, 0
			for {
				deaths++
				victim, other := all[used], all[used+1]
				used += 2
				victim.Status, other.Status = order.Refunded, order.Refunded
				var reaper docstoretest.Reaper
				mortal := w.Open(reaper.Wrap(w.Store))
				if taken {
					reaper.DieAfter(deaths)
				} else {
					reaper.DieBefore(deaths)
				}
				err := mortal.Issue(background, victim)
				if reaper.Dead() != (err != nil) {
					t.Fatalf("write %d: dead: %v, %v", deaths, reaper.Dead(), err)
				}
				for _, o := range []order.Order{other, victim} {
					if err := w.Invoices.Issue(background, o); err != nil {
						t.Fatalf("write %d: %v", deaths, err)
					}
				}
				if !reaper.Dead() {
					break
				}
			}
			if deaths < 10 {
				t.Errorf("only %d writes: this does not try what it should", deaths-1)
			}
			wantNumbers(t, w.Invoices, "", year, all[:used])
			wantNumbers(t, w.Invoices, invoice.CreditSuffix, "CN-"+year, all[:used])
		})
	}
}

// Each year begins with 1.
func TestSeriesOfAYear(t *testing.T) {
	w := invoicetest.New(t)
	for _, o := range copies(*w.Buy().Order, 2) {
		year := fmt.Sprint(w.Shop.Clock.Now().UTC().Year())
		if err := w.Invoices.Issue(background, o); err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, w.Invoices, "", year, []order.Order{o})
		w.Shop.Clock.Pass(366 * 24 * time.Hour)
	}
}
