package invoice_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/identity"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicetest"
	"ordergraph/services/order"
)

// damage changes a document behind the service's back.
func damage(t *testing.T, w *invoicetest.World, collection, id string, change func(doc bson.M) bson.M) {
	t.Helper()
	docs, err := w.Store.Documents(background, specOf(t, w, collection))
	if err != nil {
		t.Fatal(err)
	}
	found, err := docs.Get(background, id)
	if err != nil || found[0] == nil {
		t.Fatalf("%s of %s: %v", id, collection, err)
	}
	var doc bson.M
	if err := bson.Unmarshal(found[0], &doc); err != nil {
		t.Fatal(err)
	}
	version, _ := doc["version"].(int64)
	if doc = change(doc); doc == nil {
		err = docs.Delete(background, id, version)
	} else {
		raw, marshalErr := bson.Marshal(doc)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		err = docs.Load(background, []bson.Raw{raw})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever is wrong with the books is found, by its name.
func TestAuditFinds(t *testing.T) {
	year := func(w *invoicetest.World) string { return fmt.Sprint(w.Shop.Clock.Now().UTC().Year()) }
	set := func(field string, value any) func(bson.M) bson.M {
		return func(doc bson.M) bson.M { doc[field] = value; return doc }
	}
	gone := func(bson.M) bson.M { return nil }
	for name, c := range map[string]struct {
		collection string
		of         int // which of three invoices, or -1: the series
		change     func(bson.M) bson.M
		checked    int
		says       []string // in the order of the books
	}{
		"an invoice is gone":       {"invoices", 1, gone, 2, []string{"is missing", "is owed"}},
		"the last invoice is gone": {"invoices", 2, gone, 2, []string{"is missing, with", "is owed"}},
		"numbers were skipped":     {"series", -1, set("last", int64(5)), 3, []string{"000004 is missing", "was given to"}},
		"files are gone":           {"files", 0, gone, 3, []string{"its files are missing"}},
		"a file was changed":       {"files", 0, set("xml", []byte("<a/>")), 3, []string{"not what was written"}},
		"a total was changed": {"invoices", 0, func(doc bson.M) bson.M {
			b, _ := doc["body"].(bson.D)
			for i := range b {
				if b[i].Key == "orderNumber" {
					b[i].Value = "another"
				}
			}
			return doc
		}, 3, []string{"renders to other bytes"}},
		"another edition is let be": {"invoices", 0, func(doc bson.M) bson.M {
			doc["edition"] = "last year's"
			b, _ := doc["body"].(bson.D)
			b[0].Value = "en"
			return doc
		}, 3, nil},
		"an older successor": {"invoices", 1, set("issuedAt", time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)), 3, []string{"is older", "renders to other bytes"}},
		"no such order":      {"invoices", 0, set("orderId", "nobody"), 3, []string{"there is no order", "is owed"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := invoicetest.New(t)
			ids := make([]string, 3)
			for i := range ids {
				o := w.Buy().Order
				if err := w.Invoices.Issue(background, *o); err != nil {
					t.Fatal(err)
				}
				ids[i] = o.ID
			}
			w.Shop.Clock.Pass(time.Hour)
			w.WantAudit(w.Invoices, 3)
			id := year(w)
			if c.of >= 0 {
				id = ids[c.of]
			}
			damage(t, w, c.collection, id, c.change)
			var all []invoice.Finding
			checked, after := 0, ""
			for {
				report, err := w.Invoices.Audit(background, identity.Ourselves(), after)
				if err != nil {
					t.Fatal(err)
				}
				checked += report.Checked
				all = append(all, report.Findings...)
				if after = report.Next; after == "" {
					break
				}
			}
			if checked != c.checked || len(all) != len(c.says) {
				t.Fatalf("%d documents, %+v; want %d, %q", checked, all, c.checked, c.says)
			}
			for i, says := range c.says {
				if got := all[i].ID + " " + all[i].Detail; !strings.Contains(got, says) {
					t.Errorf("%q, want %q", got, says)
				}
			}
		})
	}
}

// Two pages of one series, and a second series beside it.
func TestAuditOfManyNumbers(t *testing.T) {
	w := invoicetest.New(t)
	for i, o := range copies(*w.Buy().Order, 110) {
		if i < 5 {
			o.Status = order.Refunded
		}
		if err := w.Invoices.Issue(background, o); err != nil {
			t.Fatal(err)
		}
	}
	var all []invoice.Finding
	pages := 0
	for after := ""; !strings.HasPrefix(after, "documents/"); pages++ {
		report, err := w.Invoices.Audit(background, identity.Ourselves(), after)
		if err != nil {
			t.Fatal(err)
		}
		all, after = append(all, report.Findings...), report.Next
	}
	if len(all) > 0 || pages != 4 {
		t.Errorf("%d pages, %+v", pages, all)
	}
}
