package cart_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/cart/carttest"
)

// Whatever a buyer does: no two lines are alike, none has less than one unit
// or all together more than there is, no line changes its id, and what was
// answered is what is read.
func TestCartStaysInOrder(t *testing.T) {
	shelf, clock := carttest.NewShelf(), clocktest.Still()
	stock := map[string]int64{"mug": 5, "shirt": 1_000, "poster": 3, "lamp": 0}
	k := open(t, docstoretest.Memory(t), shelf, clock)
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		r, err := k.Create(ctx, identity.Caller{}, cart.CreateInput{})
		if err != nil {
			t.Fatal(err)
		}
		id, before := r.Cart.ID, r.Cart
		variant := rapid.SampledFrom([]string{"mug", "shirt", "poster", "lamp", "unicorn"})
		attrs := rapid.SampledFrom([][]cart.Attribute{nil, {{Key: "a", Value: "1"}}, {{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}})
		line := func(t *rapid.T) string {
			if len(before.Lines) == 0 || rapid.IntRange(0, 9).Draw(t, "wrong") == 0 {
				return "nope"
			}
			return rapid.SampledFrom(before.Lines).Draw(t, "line").ID
		}
		after := func(t *rapid.T, r cart.Result, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			read, err := k.Get(ctx, identity.Caller{}, id)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(read) != fmt.Sprint(r.Cart) {
				t.Fatalf("answered\n%+v, read\n%+v", r.Cart, read)
			}
			if len(r.Problems) > 0 && fmt.Sprint(r.Cart.Lines) != fmt.Sprint(before.Lines) {
				t.Fatalf("with %+v it became\n%+v, was\n%+v", r.Problems, r.Cart.Lines, before.Lines)
			}
			sum := map[string]int64{}
			for i, l := range read.Lines {
				sum[l.Item.VariantID] += l.Quantity
				if l.Quantity < 1 || l.Quantity > cart.MaxQuantity || !l.Available || l.Subtotal != l.Item.Price.Times(l.Quantity) {
					t.Fatalf("a line is %+v", l)
				}
				for _, o := range read.Lines[:i] {
					if o.ID == l.ID || o.Item.VariantID == l.Item.VariantID && slices.Equal(o.Attributes, l.Attributes) {
						t.Fatalf("two lines are alike: %+v and %+v", o, l)
					}
				}
			}
			for v, n := range sum {
				if n > stock[v] {
					t.Fatalf("%d of %s, there are %d", n, v, stock[v])
				}
			}
			before = read
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				r, err := k.AddLines(ctx, identity.Caller{}, id, []cart.LineInput{
					{VariantID: variant.Draw(t, "variant"), Quantity: rapid.Int64Range(-1, 6).Draw(t, "n"), Attributes: attrs.Draw(t, "attributes")},
				})
				after(t, r, err)
			},
			"update": func(t *rapid.T) {
				u := cart.LineUpdate{ID: line(t)}
				if rapid.Bool().Draw(t, "with quantity") {
					u.Quantity = new(rapid.Int64Range(0, 1_001).Draw(t, "n"))
				}
				if rapid.Bool().Draw(t, "with variant") {
					u.VariantID = new(variant.Draw(t, "variant"))
				}
				if rapid.Bool().Draw(t, "with attributes") {
					u.Attributes = new(attrs.Draw(t, "attributes"))
				}
				r, err := k.UpdateLines(ctx, identity.Caller{}, id, []cart.LineUpdate{u})
				after(t, r, err)
			},
			"remove": func(t *rapid.T) {
				r, err := k.RemoveLines(ctx, identity.Caller{}, id, []string{line(t)})
				after(t, r, err)
			},
		})
	})
}
