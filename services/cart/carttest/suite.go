package carttest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
)

// A Shop is a cart service with what stands around it.
type Shop struct {
	Service cart.Service // prices by DefaultRules for EUR and DE
	Shelf   *Shelf
	Clock   *clocktest.Clock
}

// Run holds a cart service to its contract. open makes a new one over the
// shelf and the clock each time it is called.
func Run(t *testing.T, open func(t *testing.T, shelf *Shelf, clock *clocktest.Clock) cart.Service) {
	for _, c := range []struct {
		name string
		test func(*shop)
	}{
		{"CreateLeavesOutWhatIsWrong", createLeavesOutWhatIsWrong},
		{"SameVariantSameAttributesIsOneLine", sameVariantSameAttributesIsOneLine},
		{"LineIDsStay", lineIDsStay},
		{"LinesThatBecomeAlikeAreOne", linesThatBecomeAlikeAreOne},
		{"WhatDoesNotExistIsNotFound", whatDoesNotExistIsNotFound},
		{"ProblemsNameTheField", problemsNameTheField},
		{"ProblemsChangeNothing", problemsChangeNothing},
		{"NoMoreThanThereIs", noMoreThanThereIs},
		{"EveryLookPricesAnew", everyLookPricesAnew},
		{"WhatVanishesStaysVisible", whatVanishesStaysVisible},
		{"TaxAndShippingFollowTheCountry", taxAndShippingFollowTheCountry},
		{"Codes", codes},
		{"Details", details},
		{"NobodyElsesCustomer", nobodyElsesCustomer},
		{"OneLookPerRead", oneLookPerRead},
		{"CatalogueAway", catalogueAway},
		{"AddsAtOnceLoseNothing", addsAtOnceLoseNothing},
		{"Expiry", expiry},
		{"ClaimQuotesOnce", claimQuotesOnce},
		{"ClaimProblems", claimProblems},
		{"ClaimedCartStandsStill", claimedCartStandsStill},
		{"UnclaimGivesBack", unclaimGivesBack},
		{"UnclaimBeforeClaim", unclaimBeforeClaim},
		{"CompleteEndsTheCart", completeEndsTheCart},
		{"OneOrderPerCart", oneOrderPerCart},
		{"LimitedCodeHoldsUnderConcurrency", limitedCodeHoldsUnderConcurrency},
		{"OncePerCustomer", oncePerCustomer},
		{"MergeGivesAGuestsCart", mergeGivesAGuestsCart},
		{"MergeMakesOneOfTwo", mergeMakesOneOfTwo},
		{"MergeTellsWhatDoesNotFit", mergeTellsWhatDoesNotFit},
		{"MergeIsRefused", mergeIsRefused},
		{"MergeGoesIntoTheCurrentCart", mergeGoesIntoTheCurrentCart},
		{"MergedCartIsBoughtOnce", mergedCartIsBoughtOnce},
		{"MergesAtOnceDoubleNothing", mergesAtOnceDoubleNothing},
		{"MergedCartLivesWhileUsed", mergedCartLivesWhileUsed},
		{"SignedInOwnTheirCarts", signedInOwnTheirCarts},
		{"EveryPermission", everyPermission},
		{"DiscountsAreChecked", discountsAreChecked},
		{"DiscountsInPages", discountsInPages},
		{"WhatGoesOutIsACopy", whatGoesOutIsACopy},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shelf, clock := NewShelf(), clocktest.Still()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			t.Cleanup(cancel)
			c.test(&shop{T: t, ctx: ctx, Shop: Shop{open(t, shelf, clock), shelf, clock}})
		})
	}
}

type shop struct {
	*testing.T
	Shop
	ctx context.Context
}

var (
	guest   = identity.Caller{}
	program = identity.Ourselves()
	staff   = identity.Caller{Roles: []identity.Role{identity.Support}}
)

func eur(minor int64) money.Amount { return money.Of(minor, "EUR") }

func at[T any](v T) *T { return &v }

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// done is the cart after a change that had no problems.
func (s *shop) done(r cart.Result, err error) cart.Cart {
	s.Helper()
	s.must(err)
	if len(r.Problems) > 0 {
		s.Fatalf("problems: %+v", r.Problems)
	}
	return r.Cart
}

// refused is what a change that was refused says.
func (s *shop) refused(r cart.Result, err error) []cart.Problem {
	s.Helper()
	s.must(err)
	if len(r.Problems) == 0 {
		s.Fatalf("no problems, and the cart is %+v", r.Cart)
	}
	return r.Problems
}

// cart makes a cart of names with quantities.
func (s *shop) cart(lines ...any) cart.Cart {
	s.Helper()
	var in cart.CreateInput
	for i := 0; i < len(lines); i += 2 {
		in.Lines = append(in.Lines, cart.LineInput{VariantID: lines[i].(string), Quantity: int64(lines[i+1].(int))})
	}
	return s.done(s.Service.Create(s.ctx, guest, in))
}

func (s *shop) get(id string) cart.Cart {
	s.Helper()
	c, err := s.Service.Get(s.ctx, guest, id)
	s.must(err)
	return c
}

func (s *shop) add(id, variant string, n int64, attrs ...cart.Attribute) (cart.Result, error) {
	return s.Service.AddLines(s.ctx, guest, id, []cart.LineInput{{VariantID: variant, Quantity: n, Attributes: attrs}})
}

func (s *shop) update(id string, u ...cart.LineUpdate) (cart.Result, error) {
	return s.Service.UpdateLines(s.ctx, guest, id, u)
}

func (s *shop) put(d cart.Discount) {
	s.Helper()
	_, err := s.Service.PutDiscount(s.ctx, program, d)
	s.must(err)
}

func (s *shop) used(code string) int64 {
	s.Helper()
	page, err := s.Service.Discounts(s.ctx, program, "", 250)
	s.must(err)
	for _, d := range page.Discounts {
		if d.Code == code {
			return d.Used
		}
	}
	s.Fatalf("there is no discount %s", code)
	return 0
}

func (s *shop) claim(cartID, order string) (cart.Quote, []cart.Problem, error) {
	return s.Service.Claim(s.ctx, program, cart.ClaimInput{CartID: cartID, OrderID: order, Country: "DE", Rate: "standard", Email: order + "@example.com"})
}

func (s *shop) claimed(cartID, order string) cart.Quote {
	s.Helper()
	q, problems, err := s.claim(cartID, order)
	s.must(err)
	if len(problems) > 0 {
		s.Fatalf("problems: %+v", problems)
	}
	return q
}

func (s *shop) wantLines(c cart.Cart, want ...any) {
	s.Helper()
	var got []any
	for _, l := range c.Lines {
		got = append(got, l.Item.VariantID, int(l.Quantity))
	}
	if !slices.Equal(got, want) {
		s.Fatalf("the lines are %v, want %v", got, want)
	}
}

// want compares problems by code and place: "CODE lines.0.quantity".
func (s *shop) want(problems []cart.Problem, want ...string) {
	s.Helper()
	var got []string
	for _, p := range problems {
		got = append(got, strings.TrimSpace(string(p.Code)+" "+strings.Join(p.Field, ".")))
		if p.Message == "" {
			s.Errorf("%s says nothing", p.Code)
		}
	}
	if !slices.Equal(got, want) {
		s.Fatalf("the problems are %q, want %q", got, want)
	}
}

func (s *shop) wantErr(err error, want *fault.Error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("the error is %v, want %v", err, want)
	}
}

func createLeavesOutWhatIsWrong(s *shop) {
	r, err := s.Service.Create(s.ctx, guest, cart.CreateInput{
		Lines: []cart.LineInput{
			{VariantID: "mug", Quantity: 2}, {VariantID: "unicorn", Quantity: 1}, {VariantID: "lamp", Quantity: 1},
			{VariantID: "shirt", Quantity: 0}, {VariantID: "mug", Quantity: 1},
		},
		Codes: []string{"save", "SAVE", " "}, Note: "Ring twice",
		Attributes: []cart.Attribute{{Key: "gift", Value: "yes"}},
		Buyer:      cart.Buyer{Country: "de", Email: "ann@example.com", Phone: "+49 30 123456"},
	})
	s.must(err)
	s.want(r.Problems, "INVALID_MERCHANDISE_LINE lines.1.merchandiseId", "OUT_OF_STOCK lines.2.merchandiseId", "INVALID_QUANTITY lines.3.quantity")
	s.wantLines(r.Cart, "mug", 3)
	c := s.get(r.Cart.ID)
	if !reflect.DeepEqual(c, r.Cart) {
		s.Fatalf("read again it is\n%+v, want\n%+v", c, r.Cart)
	}
	if len(c.ID) < 24 {
		s.Errorf("the id %q can be guessed", c.ID)
	}
	if c.Buyer.Country != "DE" || c.Note != "Ring twice" || len(c.Attributes) != 1 {
		s.Errorf("buyer %+v, note %q, attributes %v", c.Buyer, c.Note, c.Attributes)
	}
	if len(c.Codes) != 1 || c.Codes[0].Code != "SAVE" || c.Codes[0].Applicable || c.Codes[0].Reason == "" {
		s.Errorf("codes %+v, want SAVE, not applicable, with a reason", c.Codes)
	}
	other := s.cart()
	if other.ID == c.ID || other.Cost.Total != eur(0) || other.Rates != nil {
		s.Errorf("an empty cart is %+v", other)
	}
}

func sameVariantSameAttributesIsOneLine(s *shop) {
	c := s.cart("shirt", 1)
	ann, bob := cart.Attribute{Key: "name", Value: "Ann"}, cart.Attribute{Key: "colour", Value: "red"}
	s.done(s.add(c.ID, "shirt", 2))
	s.done(s.add(c.ID, "shirt", 1, ann, bob))
	s.done(s.add(c.ID, "mug", 1))
	c = s.done(s.add(c.ID, "shirt", 4, bob, ann))
	s.wantLines(c, "shirt", 3, "shirt", 5, "mug", 1)
	if c.Lines[0].ID == c.Lines[1].ID {
		s.Error("two lines have one id")
	}
	if l := c.Lines[1]; l.Subtotal != eur(125_00) || l.Total != eur(125_00) || l.Discount != eur(0) || !l.Available {
		s.Errorf("the line is %+v", l)
	}
	it := c.Lines[0].Item
	if it.SKU != "sku-shirt" || it.Title != "The shirt" || it.Handle != "shirt-handle" || it.CompareAt == nil || *it.CompareAt != eur(30_00) ||
		it.ImageURL != "/images/shirt.png" || !slices.Equal(it.Options, []cart.Option{{Name: "Colour", Value: "Blue"}}) {
		s.Errorf("the item is %+v", it)
	}
}

func lineIDsStay(s *shop) {
	c := s.cart("mug", 1, "shirt", 1, "poster", 1)
	mug, shirt, poster := c.Lines[0].ID, c.Lines[1].ID, c.Lines[2].ID
	s.done(s.add(c.ID, "mug", 1))
	s.done(s.update(c.ID, cart.LineUpdate{ID: shirt, Quantity: at[int64](3), Attributes: &[]cart.Attribute{{Key: "a", Value: "b"}}}))
	s.done(s.update(c.ID, cart.LineUpdate{ID: poster, VariantID: at("ebook")}))
	c = s.get(c.ID)
	s.wantLines(c, "mug", 2, "shirt", 3, "ebook", 1)
	if got := []string{c.Lines[0].ID, c.Lines[1].ID, c.Lines[2].ID}; !slices.Equal(got, []string{mug, shirt, poster}) {
		s.Fatalf("the ids are %v, want %v", got, []string{mug, shirt, poster})
	}
	c = s.done(s.Service.RemoveLines(s.ctx, guest, c.ID, []string{mug, mug}))
	c = s.done(s.update(c.ID, cart.LineUpdate{ID: poster, Quantity: at[int64](0)}))
	s.wantLines(c, "shirt", 3)
	c = s.done(s.add(c.ID, "mug", 1))
	if c.Lines[1].ID == mug {
		s.Error("a new line has the id of one that is gone")
	}
}

func linesThatBecomeAlikeAreOne(s *shop) {
	a := cart.Attribute{Key: "name", Value: "Ann"}
	c := s.cart("shirt", 2)
	c = s.done(s.add(c.ID, "shirt", 3, a))
	first, second := c.Lines[0].ID, c.Lines[1].ID
	c = s.done(s.update(c.ID, cart.LineUpdate{ID: second, Attributes: &[]cart.Attribute{}}))
	s.wantLines(c, "shirt", 5)
	if c.Lines[0].ID != first {
		s.Error("the line that was there has another id now")
	}
}

func whatDoesNotExistIsNotFound(s *shop) {
	for _, id := range []string{"", "nope", strings.Repeat("x", 10_000), "../../etc", "ÄÖÜ\x01"} {
		_, err := s.Service.Get(s.ctx, guest, id)
		s.wantErr(err, cart.ErrNotFound)
		_, err = s.add(id, "mug", 1)
		s.wantErr(err, cart.ErrNotFound)
		_, err = s.update(id, cart.LineUpdate{ID: "x"})
		s.wantErr(err, cart.ErrNotFound)
		_, err = s.Service.RemoveLines(s.ctx, guest, id, []string{"x"})
		s.wantErr(err, cart.ErrNotFound)
		_, err = s.Service.SetBuyer(s.ctx, guest, id, cart.Buyer{})
		s.wantErr(err, cart.ErrNotFound)
		_, err = s.Service.SetDiscountCodes(s.ctx, guest, id, nil)
		s.wantErr(err, cart.ErrNotFound)
		_, err = s.Service.SetNote(s.ctx, guest, id, "")
		s.wantErr(err, cart.ErrNotFound)
		_, err = s.Service.SetAttributes(s.ctx, guest, id, nil)
		s.wantErr(err, cart.ErrNotFound)
		_, problems, err := s.claim(id, "order-1")
		s.must(err)
		s.want(problems, "CART_NOT_FOUND cartId")
		s.must(s.Service.Unclaim(s.ctx, program, id, "order-1"))
	}
}

func problemsNameTheField(s *shop) {
	c := s.cart("shirt", 1)
	line := c.Lines[0].ID
	many := func(n int) (attrs []cart.Attribute) {
		for i := range n {
			attrs = append(attrs, cart.Attribute{Key: fmt.Sprint(i), Value: "x"})
		}
		return attrs
	}
	long := strings.Repeat("ä", 10_000)

	for quantity, want := range map[int64]string{
		0: "INVALID_QUANTITY", -1: "INVALID_QUANTITY", math.MinInt64: "INVALID_QUANTITY",
		cart.MaxQuantity + 1: "MAXIMUM_EXCEEDED", math.MaxInt64: "MAXIMUM_EXCEEDED", cart.MaxQuantity: "MAXIMUM_EXCEEDED", // with the one there is
	} {
		s.want(s.refused(s.add(c.ID, "shirt", quantity)), want+" lines.0.quantity")
	}
	for _, id := range []string{"", "unicorn", long, "gid://shopify/ProductVariant/1"} {
		s.want(s.refused(s.add(c.ID, id, 1)), "INVALID_MERCHANDISE_LINE lines.0.merchandiseId")
	}
	s.want(s.refused(s.Service.AddLines(s.ctx, guest, c.ID, []cart.LineInput{{VariantID: "mug", Quantity: 1}, {VariantID: "?", Quantity: -1}})),
		"INVALID_QUANTITY lines.1.quantity", "INVALID_MERCHANDISE_LINE lines.1.merchandiseId")
	s.want(s.refused(s.Service.AddLines(s.ctx, guest, c.ID, make([]cart.LineInput, cart.MaxLines+1))), "MAXIMUM_EXCEEDED lines")
	s.want(s.refused(s.add(c.ID, "lamp", 1)), "OUT_OF_STOCK lines.0.merchandiseId")
	s.want(s.refused(s.add(c.ID, "mug", 1, cart.Attribute{})), "INVALID lines.0.attributes.0.key")
	s.want(s.refused(s.add(c.ID, "mug", 1, cart.Attribute{Key: "a"}, cart.Attribute{Key: "a"})), "INVALID lines.0.attributes.1.key")
	s.want(s.refused(s.add(c.ID, "mug", 1, cart.Attribute{Key: "a", Value: long})), "INVALID lines.0.attributes.0.value")
	s.want(s.refused(s.add(c.ID, "mug", 1, cart.Attribute{Key: "a\x00"})), "INVALID lines.0.attributes.0.key")
	s.want(s.refused(s.add(c.ID, "mug", 1, many(cart.MaxAttributes+1)...)), "MAXIMUM_EXCEEDED lines.0.attributes")

	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: line, Quantity: at[int64](-1)})), "INVALID_QUANTITY lines.0.quantity")
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: line, Quantity: at[int64](math.MaxInt64)})), "MAXIMUM_EXCEEDED lines.0.quantity")
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: "nope"})), "INVALID_LINE lines.0.id")
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: line, VariantID: at("unicorn")})), "INVALID_MERCHANDISE_LINE lines.0.merchandiseId")
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: line, VariantID: at("lamp")})), "OUT_OF_STOCK lines.0.merchandiseId")
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: line, Attributes: at(many(cart.MaxAttributes + 1))})), "MAXIMUM_EXCEEDED lines.0.attributes")
	s.want(s.refused(s.update(c.ID, make([]cart.LineUpdate, cart.MaxLines+1)...)), "MAXIMUM_EXCEEDED lines")
	s.want(s.refused(s.Service.RemoveLines(s.ctx, guest, c.ID, []string{line, "nope"})), "INVALID_LINE lineIds.1")
	s.want(s.refused(s.Service.RemoveLines(s.ctx, guest, c.ID, make([]string, cart.MaxLines+1))), "MAXIMUM_EXCEEDED lineIds")

	for _, country := range []string{"XX", "D", "DEU", "Germany", "1"} {
		s.want(s.refused(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{Country: country})), "INVALID_COUNTRY buyerIdentity.countryCode")
	}
	for _, email := range []string{"ann", "ann@", "@example.org", "ann@localhost", "Ann <ann@example.com>", "a nn@example.com", "ann@example.com\nann", strings.Repeat("a", 250) + "@example.com"} {
		problems := s.refused(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{Email: email}))
		s.want(problems, "INVALID buyerIdentity.email")
		if strings.Contains(problems[0].Message, email) {
			s.Errorf("the message tells the address: %s", problems[0].Message)
		}
	}
	for _, phone := range []string{"call me", "123", "+49 30 1234567890123456", "12+34567"} {
		s.want(s.refused(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{Phone: phone})), "INVALID buyerIdentity.phone")
	}
	s.want(s.refused(s.Service.SetDiscountCodes(s.ctx, guest, c.ID, []string{"OK", long})), "INVALID discountCodes.1")
	s.want(s.refused(s.Service.SetDiscountCodes(s.ctx, guest, c.ID, make([]string, cart.MaxCodes+1))), "MAXIMUM_EXCEEDED discountCodes")
	s.want(s.refused(s.Service.SetNote(s.ctx, guest, c.ID, long)), "INVALID note")
	s.want(s.refused(s.Service.SetNote(s.ctx, guest, c.ID, "bell\a")), "INVALID note")
	s.want(s.refused(s.Service.SetAttributes(s.ctx, guest, c.ID, many(cart.MaxAttributes+1))), "MAXIMUM_EXCEEDED attributes")
	s.want(s.refused(s.Service.SetAttributes(s.ctx, guest, c.ID, []cart.Attribute{{Value: "x"}})), "INVALID attributes.0.key")
}

func problemsChangeNothing(s *shop) {
	c := s.cart("shirt", 1)
	before := s.get(c.ID)
	s.Clock.Pass(time.Minute)
	r, err := s.Service.AddLines(s.ctx, guest, c.ID, []cart.LineInput{{VariantID: "mug", Quantity: 1}, {VariantID: "unicorn", Quantity: 1}})
	s.refused(r, err)
	if !reflect.DeepEqual(r.Cart, before) {
		s.Errorf("the answer is %+v, want %+v", r.Cart, before)
	}
	s.refused(s.update(c.ID, cart.LineUpdate{ID: before.Lines[0].ID, Quantity: at[int64](9)}, cart.LineUpdate{ID: "nope"}))
	s.refused(s.Service.RemoveLines(s.ctx, guest, c.ID, []string{before.Lines[0].ID, "nope"}))
	if got := s.get(c.ID); !reflect.DeepEqual(got, before) {
		s.Errorf("the cart is %+v, want %+v", got, before)
	}
	// 250 lines are as many as a cart has.
	var lines []cart.LineInput
	for i := range cart.MaxLines {
		lines = append(lines, cart.LineInput{VariantID: "shirt", Quantity: 1, Attributes: []cart.Attribute{{Key: "n", Value: fmt.Sprint(i)}}})
	}
	full := s.done(s.Service.Create(s.ctx, guest, cart.CreateInput{Lines: lines}))
	s.want(s.refused(s.add(full.ID, "mug", 1)), "MAXIMUM_EXCEEDED lines.0")
	s.done(s.add(full.ID, "shirt", 1, cart.Attribute{Key: "n", Value: "7"}))
	if got := s.get(full.ID); len(got.Lines) != cart.MaxLines || got.Lines[7].Quantity != 2 {
		s.Errorf("%d lines, the eighth of %d", len(got.Lines), got.Lines[7].Quantity)
	}
}

func noMoreThanThereIs(s *shop) {
	c := s.cart("mug", 2)
	r, err := s.add(c.ID, "mug", 9)
	s.wantLines(s.done(r, err), "mug", 5)
	s.want(r.Warnings, "NOT_ENOUGH_STOCK lines.0.quantity")
	r, err = s.add(c.ID, "mug", 1)
	s.wantLines(s.done(r, err), "mug", 5)
	s.want(r.Warnings, "NOT_ENOUGH_STOCK lines.0.quantity")

	// What another line of the SKU has is not there any more.
	engraved := cart.Attribute{Key: "name", Value: "Ann"}
	s.want(s.refused(s.add(c.ID, "mug", 1, engraved)), "OUT_OF_STOCK lines.0.merchandiseId")
	line := s.get(c.ID).Lines[0].ID
	s.done(s.update(c.ID, cart.LineUpdate{ID: line, Quantity: at[int64](3)}))
	r, err = s.add(c.ID, "mug", 3, engraved)
	c = s.done(r, err)
	s.wantLines(c, "mug", 3, "mug", 2)
	s.want(r.Warnings, "NOT_ENOUGH_STOCK lines.0.quantity")
	r, err = s.update(c.ID, cart.LineUpdate{ID: line, Quantity: at[int64](4)})
	s.wantLines(s.done(r, err), "mug", 3, "mug", 2)
	s.want(r.Warnings, "NOT_ENOUGH_STOCK lines.0.quantity")

	// The stock shrinks: the first line still has it, less can always be wanted.
	s.Shelf.SetStock("mug", 4)
	c = s.get(c.ID)
	if !c.Lines[0].Available || c.Lines[1].Available {
		s.Errorf("available are %v and %v, want the first alone", c.Lines[0].Available, c.Lines[1].Available)
	}
	s.Shelf.SetStock("mug", 0)
	s.wantLines(s.done(s.update(c.ID, cart.LineUpdate{ID: line, Quantity: at[int64](1)})), "mug", 1, "mug", 2)
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: line, Quantity: at[int64](2)})), "OUT_OF_STOCK lines.0.merchandiseId")
}

func everyLookPricesAnew(s *shop) {
	c := s.cart("mug", 2)
	if c.Cost.Total != eur(20_00) {
		s.Fatalf("the total is %v", c.Cost.Total)
	}
	s.Shelf.Change("mug", func(v *catalog.VariantOf) { v.Variant.Price, v.Product.Title = eur(11_50), "Our mug" })
	c = s.get(c.ID)
	if c.Cost.Total != eur(23_00) || c.Cost.Subtotal != eur(23_00) || c.Lines[0].Subtotal != eur(23_00) || c.Lines[0].Item.Title != "Our mug" {
		s.Errorf("after the price changed it is %+v", c)
	}
	s.Shelf.SetStock("mug", 1)
	if s.get(c.ID).Lines[0].Available {
		s.Error("two of one can be bought")
	}
	s.Shelf.Change("mug", func(v *catalog.VariantOf) { v.Variant.Price.Currency = "USD" })
	if c = s.get(c.ID); c.Lines[0].Available || c.Cost.Total != eur(0) {
		s.Errorf("a price in another currency: %+v", c)
	}
}

func whatVanishesStaysVisible(s *shop) {
	c := s.cart("mug", 2, "shirt", 1)
	s.Shelf.Remove("mug")
	c = s.get(c.ID)
	s.wantLines(c, "mug", 2, "shirt", 1)
	l := c.Lines[0]
	if l.Available || l.Subtotal != eur(0) || l.Item.Title != "The mug" || l.Item.VariantTitle != "Blue" || l.Item.ImageURL == "" || c.Cost.Total != eur(25_00) {
		s.Errorf("the line is %+v and the total %v", l, c.Cost.Total)
	}
	_, problems, err := s.claim(c.ID, "order-1")
	s.must(err)
	s.want(problems, "INVALID_MERCHANDISE_LINE lines.0")
	if !strings.Contains(problems[0].Message, "The mug") {
		s.Errorf("%q does not say what is gone", problems[0].Message)
	}
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: l.ID, Quantity: at[int64](3)})), "INVALID_MERCHANDISE_LINE lines.0.merchandiseId")
	s.wantLines(s.done(s.update(c.ID, cart.LineUpdate{ID: l.ID, Quantity: at[int64](1)})), "mug", 1, "shirt", 1)
	s.wantLines(s.done(s.Service.RemoveLines(s.ctx, guest, c.ID, []string{l.ID})), "shirt", 1)
	s.claimed(c.ID, "order-2")
}

func taxAndShippingFollowTheCountry(s *shop) {
	c := s.cart("mug", 2, "giftcard", 1)
	if !c.Cost.TaxIncluded || c.Lines[0].TaxRate != 1900 || c.Lines[0].Tax != eur(3_19) || c.Lines[1].Tax != eur(0) || c.Cost.Tax != eur(3_19) || c.Cost.Total != eur(70_00) {
		s.Errorf("in Germany it costs %+v", c.Cost)
	}
	if len(c.Rates) != 2 || c.Rates[0].Handle != "standard" || c.Rates[0].Price != eur(0) || c.Rates[1].Handle != "express" {
		s.Errorf("the rates are %+v; standard is free from 50.00", c.Rates)
	}
	c = s.done(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{Country: "FR"}))
	if c.Lines[0].TaxRate != 2000 || c.Lines[0].Tax != eur(3_33) || c.Rates[0].Price.Minor == 0 {
		s.Errorf("in France it is %+v", c)
	}
	c = s.done(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{Country: "US"}))
	if c.Cost.Tax != eur(0) || c.Cost.Total != eur(70_00) || c.Rates[0].Title != "International" {
		s.Errorf("in the United States it is %+v", c)
	}
	if c := s.cart("ebook", 1); c.Rates != nil {
		s.Errorf("an e-book is shipped by %+v", c.Rates)
	}
	heavy := s.cart("anvil", 2)
	if heavy.Rates != nil {
		s.Errorf("50 kg are sent by %+v", heavy.Rates)
	}
	_, problems, err := s.claim(heavy.ID, "order-1")
	s.must(err)
	s.want(problems, "SHIPPING_RATE_UNAVAILABLE country")
}

func codes(s *shop) {
	now := s.Clock.Now()
	s.put(cart.Discount{Code: "ten", Kind: cart.Percentage, BasisPoints: 1_000})
	s.put(cart.Discount{Code: "FIVE", Kind: cart.Fixed, Amount: eur(5_00), Minimum: eur(25_00)})
	s.put(cart.Discount{Code: "SHIP", Kind: cart.FreeShipping})
	s.put(cart.Discount{Code: "SOON", Kind: cart.Percentage, BasisPoints: 5_000, StartsAt: now.Add(time.Hour), EndsAt: now.Add(2 * time.Hour)})
	c := s.cart("mug", 1, "poster", 1)
	apply := func(codes ...string) cart.Cart {
		s.Helper()
		return s.done(s.Service.SetDiscountCodes(s.ctx, guest, c.ID, codes))
	}
	applies := func(c cart.Cart, want ...string) {
		s.Helper()
		var got []string
		for _, code := range c.Codes {
			if code.Applicable {
				got = append(got, code.Code)
			} else if code.Reason == "" {
				s.Errorf("%s does not apply, for no reason", code.Code)
			}
		}
		if !slices.Equal(got, want) {
			s.Fatalf("%v apply, want %v", got, want)
		}
	}
	got := apply("five", "soon", "TEN", "nonsense!", "ten")
	if len(got.Codes) != 4 {
		s.Errorf("the codes are %+v", got.Codes)
	}
	applies(got, "TEN")
	if got.Cost.Total != eur(16_19) || got.Cost.Discount != eur(1_80) || got.Cost.Subtotal != eur(16_19) {
		s.Errorf("10%% off 17.99 is %+v", got.Cost)
	}
	s.Clock.Pass(time.Hour)
	applies(s.get(c.ID), "SOON", "TEN")
	s.done(s.add(c.ID, "mug", 2))
	got = s.get(c.ID) // 37.99: half, a tenth of the rest, five off
	applies(got, "FIVE", "SOON", "TEN")
	if got.Cost.Total != eur(37_99-19_00-1_90-5_00) {
		s.Errorf("the total is %v", got.Cost.Total)
	}
	s.Clock.Pass(time.Hour)
	applies(s.get(c.ID), "FIVE", "TEN")
	got = apply("SHIP")
	applies(got, "SHIP")
	if got.Cost.Total != eur(37_99) {
		s.Errorf("the total is %v: no rate is chosen yet", got.Cost.Total)
	}
	q := s.claimed(c.ID, "order-1")
	if q.Cost.Shipping != eur(0) || q.Cost.Total != eur(37_99) || q.Cost.Discount != eur(4_90) || q.Rate == nil || q.Rate.Price != eur(4_90) {
		s.Errorf("shipped free it is %+v by %+v", q.Cost, q.Rate)
	}
	c = s.cart("mug", 1)
	apply("TEN")
	if got := apply(""); len(got.Codes) != 0 {
		s.Errorf("no codes are %+v", got.Codes)
	}
}

func details(s *shop) {
	c := s.cart("mug", 1)
	s.done(s.Service.SetNote(s.ctx, guest, c.ID, "Line one\nLine two"))
	s.done(s.Service.SetAttributes(s.ctx, guest, c.ID, []cart.Attribute{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}}))
	s.Clock.Pass(time.Minute)
	c = s.done(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{Country: " at ", Email: " ann@example.com ", Phone: "+43 1 5880-0"}))
	if c.Note != "Line one\nLine two" || len(c.Attributes) != 2 || c.Buyer != (cart.Buyer{Country: "AT", Email: "ann@example.com", Phone: "+43 1 5880-0"}) {
		s.Errorf("the cart is %+v", c)
	}
	changed := c.UpdatedAt
	if !changed.Equal(s.Clock.Now()) || !c.CreatedAt.Before(changed) {
		s.Errorf("made %v, changed %v", c.CreatedAt, changed)
	}
	s.Clock.Pass(time.Minute)
	c = s.done(s.Service.SetNote(s.ctx, guest, c.ID, c.Note))
	if !c.UpdatedAt.Equal(changed) {
		s.Error("the same note again is a change")
	}
	c = s.done(s.Service.SetNote(s.ctx, guest, c.ID, ""))
	c = s.done(s.Service.SetAttributes(s.ctx, guest, c.ID, nil))
	c = s.done(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{}))
	if c.Note != "" || c.Attributes != nil || c.Buyer != (cart.Buyer{}) {
		s.Errorf("emptied, the cart is %+v", c)
	}
}

func nobodyElsesCustomer(s *shop) {
	c := s.cart("mug", 1)
	for _, who := range []identity.Caller{guest, ann} {
		_, err := s.Service.SetBuyer(s.ctx, who, c.ID, cart.Buyer{CustomerID: "bob"})
		s.wantErr(err, cart.ErrForbidden)
		_, err = s.Service.Create(s.ctx, who, cart.CreateInput{Buyer: cart.Buyer{CustomerID: "bob"}})
		s.wantErr(err, cart.ErrForbidden)
	}
	r := s.done(s.Service.SetBuyer(s.ctx, ann, c.ID, cart.Buyer{CustomerID: "ann"}))
	if r.Buyer.CustomerID != "ann" {
		s.Errorf("the buyer is %+v", r.Buyer)
	}
}

func oneLookPerRead(s *shop) {
	c := s.cart("mug", 1, "shirt", 1, "poster", 1)
	s.put(cart.Discount{Code: "TEN", Kind: cart.Percentage, BasisPoints: 1_000})
	for name, call := range map[string]func(){
		"Get":              func() { s.get(c.ID) },
		"AddLines":         func() { s.done(s.add(c.ID, "ebook", 1)) },
		"UpdateLines":      func() { s.done(s.update(c.ID, cart.LineUpdate{ID: c.Lines[0].ID, Quantity: at[int64](2)})) },
		"RemoveLines":      func() { s.done(s.Service.RemoveLines(s.ctx, guest, c.ID, []string{c.Lines[1].ID})) },
		"SetDiscountCodes": func() { s.done(s.Service.SetDiscountCodes(s.ctx, guest, c.ID, []string{"TEN"})) },
		"SetNote":          func() { s.done(s.Service.SetNote(s.ctx, guest, c.ID, "hello")) },
	} {
		looks, counts := s.Shelf.Asked()
		call()
		if l, n := s.Shelf.Asked(); l != looks+1 || n != counts+1 {
			s.Errorf("%s asks the catalogue %d times and the stock %d times", name, l-looks, n-counts)
		}
	}
}

func catalogueAway(s *shop) {
	c := s.cart("mug", 1)
	away := fault.New(fault.Unavailable, "shelf.away", "The shelf is away.")
	s.Shelf.Break(away)
	_, err := s.Service.Get(s.ctx, guest, c.ID)
	s.wantErr(err, away)
	_, err = s.add(c.ID, "mug", 1)
	s.wantErr(err, away)
	_, _, err = s.claim(c.ID, "order-1")
	s.wantErr(err, away)
	s.Shelf.Break(nil)
	s.wantLines(s.get(c.ID), "mug", 1)
	s.claimed(c.ID, "order-1")
}

func addsAtOnceLoseNothing(s *shop) {
	c := s.cart()
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for n := range 5 {
				name := "shirt"
				if (i+n)%2 == 0 {
					name = "ebook"
				}
				if r, err := s.add(c.ID, name, 1); err != nil || len(r.Problems) > 0 {
					s.Errorf("add: %v, %v", err, r.Problems)
				}
			}
		})
	}
	wg.Wait()
	c = s.get(c.ID)
	if len(c.Lines) != 2 || c.Lines[0].Quantity != 80 || c.Lines[1].Quantity != 80 {
		s.Errorf("160 adds left %+v", c.Lines)
	}
}

func expiry(s *shop) {
	idle, looked, claimed := s.cart("mug", 1), s.cart("mug", 1), s.cart("mug", 1)
	s.claimed(claimed.ID, "order-1")
	for range 4 {
		s.Clock.Pass(cart.KeepFor / 2)
		s.get(looked.ID)
	}
	_, err := s.Service.Get(s.ctx, guest, idle.ID)
	s.wantErr(err, cart.ErrNotFound)
	_, err = s.add(idle.ID, "mug", 1)
	s.wantErr(err, cart.ErrNotFound)
	_, problems, err := s.claim(idle.ID, "order-2")
	s.must(err)
	s.want(problems, "CART_NOT_FOUND cartId")
	s.get(claimed.ID)
	s.must(s.Service.Unclaim(s.ctx, program, claimed.ID, "order-1"))
	s.get(claimed.ID)
}

func claimQuotesOnce(s *shop) {
	s.put(cart.Discount{Code: "TEN", Kind: cart.Percentage, BasisPoints: 1_000})
	c := s.done(s.Service.Create(s.ctx, guest, cart.CreateInput{
		Lines: []cart.LineInput{{VariantID: "mug", Quantity: 2, Attributes: []cart.Attribute{{Key: "name", Value: "Ann"}}}, {VariantID: "shirt", Quantity: 1}},
		Codes: []string{"TEN", "NONE"}, Note: "Ring twice", Buyer: cart.Buyer{Email: "ann@example.com"},
	}))
	q := s.claimed(c.ID, "order-1")
	if q.CartID != c.ID || len(q.Lines) != 2 || q.Note != "Ring twice" || q.Buyer.Email != "ann@example.com" || len(q.Codes) != 2 || !q.Codes[0].Applicable || q.Codes[1].Applicable {
		s.Errorf("the quote is %+v", q)
	}
	if q.Cost.Subtotal != eur(40_50) || q.Cost.Shipping != eur(4_90) || q.Cost.Total != eur(45_40) || q.ShippingTax != eur(78) || q.ShippingTaxRate != 1900 {
		s.Errorf("the quote's cost is %+v, %v of shipping", q.Cost, q.ShippingTax)
	}
	s.Shelf.Change("mug", func(v *catalog.VariantOf) { v.Variant.Price = eur(99_00) })
	s.Shelf.SetStock("mug", 0)
	s.Clock.Pass(time.Hour)
	again, problems, err := s.Service.Claim(s.ctx, program, cart.ClaimInput{CartID: c.ID, OrderID: "order-1", Country: "US", Rate: "express"})
	s.must(err)
	s.want(problems)
	if !reflect.DeepEqual(q, again) {
		s.Errorf("repeated, the quote is\n%+v, was\n%+v", again, q)
	}
	if n := s.used("TEN"); n != 1 {
		s.Errorf("TEN was used %d times", n)
	}
	s.must(s.Service.Complete(s.ctx, program, c.ID, "order-1"))
	if again = s.claimed(c.ID, "order-1"); !reflect.DeepEqual(q, again) {
		s.Errorf("after the end, the quote is\n%+v, was\n%+v", again, q)
	}
}

func claimProblems(s *shop) {
	claim := func(c cart.Cart, in cart.ClaimInput) []cart.Problem {
		s.Helper()
		in.CartID, in.OrderID = c.ID, "order-1"
		q, problems, err := s.Service.Claim(s.ctx, program, in)
		s.must(err)
		if !reflect.DeepEqual(q, cart.Quote{}) {
			s.Errorf("with problems there is a quote: %+v", q)
		}
		return problems
	}
	s.want(claim(s.cart(), cart.ClaimInput{}), "CART_EMPTY cartId")
	c := s.cart("mug", 1)
	s.want(claim(c, cart.ClaimInput{Country: "Germany", Email: "ann"}), "INVALID_COUNTRY country", "INVALID email")
	s.want(claim(c, cart.ClaimInput{Rate: "pigeon"}), "SHIPPING_RATE_UNAVAILABLE rate")
	s.want(claim(c, cart.ClaimInput{ExpectTotal: at(eur(10_00))}), "INVALID expectedTotal")
	s.want(claim(c, cart.ClaimInput{ExpectTotal: at(money.Of(14_90, "USD"))}), "INVALID expectedTotal")
	if q, problems, err := s.Service.Claim(s.ctx, program, cart.ClaimInput{CartID: c.ID, OrderID: "order-2", ExpectTotal: at(eur(14_90))}); err != nil || len(problems) > 0 || q.Rate == nil || q.Rate.Handle != "standard" {
		s.Errorf("without a rate the cheapest is taken: %+v, %v, %v", q, problems, err)
	}
	// Two lines of one SKU share its stock.
	two := s.cart("poster", 2)
	s.done(s.add(two.ID, "poster", 1, cart.Attribute{Key: "frame", Value: "oak"}))
	s.Shelf.SetStock("poster", 2)
	s.want(claim(two, cart.ClaimInput{}), "OUT_OF_STOCK lines.1")
	s.Shelf.SetStock("poster", 1)
	s.want(claim(two, cart.ClaimInput{}), "NOT_ENOUGH_STOCK lines.0.quantity", "OUT_OF_STOCK lines.1")
	s.Shelf.SetStock("poster", 3)
	s.claimed(two.ID, "order-1")
	// What is not shipped needs no rate.
	q, problems, err := s.Service.Claim(s.ctx, program, cart.ClaimInput{CartID: s.cart("ebook", 1).ID, OrderID: "order-1", Rate: "pigeon"})
	if err != nil || len(problems) > 0 || q.Rate != nil || q.Cost.Shipping != eur(0) || q.Cost.Total != eur(12_00) {
		s.Errorf("an e-book: %+v, %v, %v", q, problems, err)
	}
	for _, order := range []string{"", strings.Repeat("x", 200)} {
		_, _, err := s.Service.Claim(s.ctx, program, cart.ClaimInput{CartID: c.ID, OrderID: order})
		s.wantErr(err, cart.ErrInput)
		s.wantErr(s.Service.Unclaim(s.ctx, program, c.ID, order), cart.ErrInput)
		s.wantErr(s.Service.Complete(s.ctx, program, c.ID, order), cart.ErrInput)
	}
}

func claimedCartStandsStill(s *shop) {
	c := s.cart("mug", 1)
	s.claimed(c.ID, "order-1")
	want := "CART_IN_CHECKOUT"
	s.want(s.refused(s.add(c.ID, "mug", 1)), want)
	s.want(s.refused(s.update(c.ID, cart.LineUpdate{ID: c.Lines[0].ID, Quantity: at[int64](2)})), want)
	s.want(s.refused(s.Service.RemoveLines(s.ctx, guest, c.ID, []string{c.Lines[0].ID})), want)
	s.want(s.refused(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{})), want)
	s.want(s.refused(s.Service.SetDiscountCodes(s.ctx, guest, c.ID, nil)), want)
	s.want(s.refused(s.Service.SetNote(s.ctx, guest, c.ID, "")), want)
	s.want(s.refused(s.Service.SetAttributes(s.ctx, guest, c.ID, nil)), want)
	s.wantLines(s.get(c.ID), "mug", 1)
	_, problems, err := s.claim(c.ID, "order-2")
	s.must(err)
	s.want(problems, "CART_IN_CHECKOUT cartId")
}

func unclaimGivesBack(s *shop) {
	s.put(cart.Discount{Code: "ONE", Kind: cart.Fixed, Amount: eur(1_00), UsageLimit: 1, OncePerCustomer: true})
	c, other := s.cart("mug", 1), s.cart("mug", 1)
	for _, id := range []string{c.ID, other.ID} {
		s.done(s.Service.SetDiscountCodes(s.ctx, guest, id, []string{"ONE"}))
	}
	s.claimed(c.ID, "order-1")
	if n := s.used("ONE"); n != 1 {
		s.Fatalf("ONE was used %d times", n)
	}
	if got := s.get(c.ID); !got.Codes[0].Applicable {
		s.Error("the code does not apply to the cart whose order holds it")
	}
	if got := s.get(other.ID); got.Codes[0].Applicable {
		s.Error("the code applies to another cart, too")
	}
	_, problems, err := s.claim(other.ID, "order-2")
	s.must(err)
	s.want(problems, "DISCOUNT_USED_UP discountCodes.0")
	for range 3 {
		s.must(s.Service.Unclaim(s.ctx, program, c.ID, "order-1"))
		if n := s.used("ONE"); n != 0 {
			s.Fatalf("given back, ONE was used %d times", n)
		}
	}
	_, _, err = s.claim(c.ID, "order-1")
	s.wantErr(err, cart.ErrUnclaimed)
	s.wantErr(s.Service.Complete(s.ctx, program, c.ID, "order-1"), cart.ErrUnclaimed)
	s.done(s.add(c.ID, "mug", 1))
	s.claimed(other.ID, "order-2")
	s.must(s.Service.Unclaim(s.ctx, program, c.ID, "order-1"))
	if n := s.used("ONE"); n != 1 {
		s.Fatalf("ONE was used %d times", n)
	}
}

func unclaimBeforeClaim(s *shop) {
	c := s.cart("mug", 1)
	s.must(s.Service.Unclaim(s.ctx, program, c.ID, "order-1"))
	_, _, err := s.claim(c.ID, "order-1")
	s.wantErr(err, cart.ErrUnclaimed)
	s.claimed(c.ID, "order-2")
	s.must(s.Service.Unclaim(s.ctx, program, c.ID, "order-3")) // does not touch what is order-2's
	s.must(s.Service.Complete(s.ctx, program, c.ID, "order-2"))
}

func completeEndsTheCart(s *shop) {
	s.put(cart.Discount{Code: "TWO", Kind: cart.Fixed, Amount: eur(2_00), UsageLimit: 2})
	c := s.cart("mug", 1)
	s.done(s.Service.SetDiscountCodes(s.ctx, guest, c.ID, []string{"TWO"}))
	s.wantErr(s.Service.Complete(s.ctx, program, c.ID, "order-1"), cart.ErrUnclaimed)
	s.claimed(c.ID, "order-1")
	s.wantErr(s.Service.Complete(s.ctx, program, c.ID, "order-2"), cart.ErrUnclaimed)
	for range 3 {
		s.must(s.Service.Complete(s.ctx, program, c.ID, "order-1"))
		if n := s.used("TWO"); n != 1 {
			s.Fatalf("TWO was used %d times", n)
		}
	}
	_, err := s.Service.Get(s.ctx, guest, c.ID)
	s.wantErr(err, cart.ErrNotFound)
	_, err = s.add(c.ID, "mug", 1)
	s.wantErr(err, cart.ErrNotFound)
	_, problems, err := s.claim(c.ID, "order-2")
	s.must(err)
	s.want(problems, "CART_COMPLETED cartId")
	s.wantErr(s.Service.Unclaim(s.ctx, program, c.ID, "order-1"), cart.ErrCompleted)
	s.must(s.Service.Unclaim(s.ctx, program, c.ID, "order-2"))
	if n := s.used("TWO"); n != 1 {
		s.Fatalf("TWO was used %d times", n)
	}
}

func oneOrderPerCart(s *shop) {
	s.put(cart.Discount{Code: "A", Kind: cart.Fixed, Amount: eur(1_00)})
	s.put(cart.Discount{Code: "B", Kind: cart.Percentage, BasisPoints: 500})
	c := s.cart("mug", 1)
	s.done(s.Service.SetDiscountCodes(s.ctx, guest, c.ID, []string{"A", "B"}))
	var wg sync.WaitGroup
	var mu sync.Mutex
	quotes := map[string]cart.Quote{}
	for i := range 40 {
		order := fmt.Sprint("order-", i%4) // each ten times at once
		wg.Go(func() {
			q, problems, err := s.claim(c.ID, order)
			if err != nil {
				s.Errorf("%s: %v", order, err)
			}
			if len(problems) > 0 {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if first, ok := quotes[order]; ok && !reflect.DeepEqual(first, q) {
				s.Errorf("%s has two quotes", order)
			}
			quotes[order] = q
		})
	}
	wg.Wait()
	if len(quotes) != 1 {
		s.Errorf("%d orders have the cart", len(quotes))
	}
	if a, b := s.used("A"), s.used("B"); a != 1 || b != 1 {
		s.Errorf("the codes were used %d and %d times", a, b)
	}
}

func limitedCodeHoldsUnderConcurrency(s *shop) {
	s.put(cart.Discount{Code: "TENFOLD", Kind: cart.Percentage, BasisPoints: 1_000, UsageLimit: 10})
	s.put(cart.Discount{Code: "ANY", Kind: cart.Fixed, Amount: eur(1_00)})
	var wg sync.WaitGroup
	var won, lost atomic.Int64
	for i := range 64 {
		c := s.done(s.Service.Create(s.ctx, guest, cart.CreateInput{Lines: []cart.LineInput{{VariantID: "shirt", Quantity: 1}}, Codes: []string{"TENFOLD", "ANY"}}))
		wg.Go(func() {
			order := fmt.Sprint("order-", i)
			_, problems, err := s.claim(c.ID, order)
			switch {
			case err != nil:
				s.Errorf("%s: %v", order, err)
			case len(problems) == 0:
				won.Add(1)
				if i%2 == 0 {
					err = s.Service.Complete(s.ctx, program, c.ID, order)
				}
			case len(problems) == 1 && problems[0].Code == cart.CodeDiscountUsedUp:
				lost.Add(1)
				err = s.Service.Unclaim(s.ctx, program, c.ID, order)
			default:
				s.Errorf("%s: %+v", order, problems)
			}
			if err != nil {
				s.Errorf("%s: %v", order, err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 10 || lost.Load() != 54 {
		s.Errorf("%d have it, %d have not; want 10 and 54", won.Load(), lost.Load())
	}
	if a, b := s.used("TENFOLD"), s.used("ANY"); a != 10 || b != 10 {
		s.Errorf("the codes were used %d and %d times, want 10 each", a, b)
	}
}

func oncePerCustomer(s *shop) {
	s.put(cart.Discount{Code: "HELLO", Kind: cart.Percentage, BasisPoints: 1_000, OncePerCustomer: true})
	claim := func(order, email string) (string, []cart.Problem) {
		s.Helper()
		c := s.done(s.Service.Create(s.ctx, guest, cart.CreateInput{Lines: []cart.LineInput{{VariantID: "shirt", Quantity: 1}}, Codes: []string{"hello"}}))
		_, problems, err := s.Service.Claim(s.ctx, program, cart.ClaimInput{CartID: c.ID, OrderID: order, Country: "DE", Email: email})
		s.must(err)
		return c.ID, problems
	}
	_, problems := claim("order-0", "")
	s.want(problems, "INVALID email")
	first, problems := claim("order-1", "Ann@Example.com")
	s.want(problems)
	_, problems = claim("order-2", "ann@example.com")
	s.want(problems, "DISCOUNT_USED_UP discountCodes.0")
	_, problems = claim("order-3", "bob@example.com")
	s.want(problems)
	s.must(s.Service.Unclaim(s.ctx, program, first, "order-1"))
	second, problems := claim("order-4", "ann@example.com")
	s.want(problems)
	s.must(s.Service.Complete(s.ctx, program, second, "order-4"))
	_, problems = claim("order-5", " ANN@example.com")
	s.want(problems, "DISCOUNT_USED_UP discountCodes.0")
	if n := s.used("HELLO"); n != 2 {
		s.Errorf("HELLO was used %d times, want 2", n)
	}
	// Who gives the address before sees it before.
	c := s.done(s.Service.Create(s.ctx, guest, cart.CreateInput{
		Lines: []cart.LineInput{{VariantID: "shirt", Quantity: 1}}, Codes: []string{"hello"}, Buyer: cart.Buyer{Email: "ann@example.com"},
	}))
	if c.Codes[0].Applicable || c.Cost.Total != eur(25_00) {
		s.Errorf("used before, the code is %+v", c.Codes[0])
	}
	// Many orders of one customer at once: one has it.
	var wg sync.WaitGroup
	var won atomic.Int64
	for i := range 16 {
		wg.Go(func() {
			c, err := s.Service.Create(s.ctx, guest, cart.CreateInput{Lines: []cart.LineInput{{VariantID: "shirt", Quantity: 1}}, Codes: []string{"hello"}})
			if err != nil {
				s.Error(err)
				return
			}
			order := fmt.Sprint("rush-", i)
			_, problems, err := s.Service.Claim(s.ctx, program, cart.ClaimInput{CartID: c.Cart.ID, OrderID: order, Email: "cid@example.com"})
			if err == nil && len(problems) == 0 {
				won.Add(1)
				err = s.Service.Complete(s.ctx, program, c.Cart.ID, order)
			}
			if err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		s.Errorf("one customer used it %d times at once", won.Load())
	}
}

func discountsAreChecked(s *shop) {
	now := s.Clock.Now()
	for _, c := range []struct {
		field string
		d     cart.Discount
	}{
		{"code", cart.Discount{Kind: cart.FreeShipping}},
		{"code", cart.Discount{Code: "TEN PERCENT", Kind: cart.FreeShipping}},
		{"code", cart.Discount{Code: "A/B", Kind: cart.FreeShipping}},
		{"code", cart.Discount{Code: strings.Repeat("A", 65), Kind: cart.FreeShipping}},
		{"kind", cart.Discount{Code: "A"}},
		{"kind", cart.Discount{Code: "A", Kind: "GIFT"}},
		{"basisPoints", cart.Discount{Code: "A", Kind: cart.Percentage}},
		{"basisPoints", cart.Discount{Code: "A", Kind: cart.Percentage, BasisPoints: -1}},
		{"basisPoints", cart.Discount{Code: "A", Kind: cart.Percentage, BasisPoints: 10_001}},
		{"amount", cart.Discount{Code: "A", Kind: cart.Fixed}},
		{"amount", cart.Discount{Code: "A", Kind: cart.Fixed, Amount: money.Of(100, "USD")}},
		{"amount", cart.Discount{Code: "A", Kind: cart.Fixed, Amount: eur(-1)}},
		{"amount", cart.Discount{Code: "A", Kind: cart.Fixed, Amount: eur(math.MaxInt64)}},
		{"minimum", cart.Discount{Code: "A", Kind: cart.FreeShipping, Minimum: eur(-1)}},
		{"minimum", cart.Discount{Code: "A", Kind: cart.FreeShipping, Minimum: money.Of(1, "USD")}},
		{"endsAt", cart.Discount{Code: "A", Kind: cart.FreeShipping, StartsAt: now, EndsAt: now}},
		{"usageLimit", cart.Discount{Code: "A", Kind: cart.FreeShipping, UsageLimit: -1}},
	} {
		_, err := s.Service.PutDiscount(s.ctx, program, c.d)
		s.wantErr(err, cart.ErrInput)
		if got := fault.Of(err).Details["field"]; got != c.field {
			s.Errorf("%+v: the field is %q, want %q", c.d, got, c.field)
		}
	}
	d := cart.Discount{Code: "a-1", Kind: cart.Fixed, Amount: eur(5_00), Minimum: eur(20_00), StartsAt: now, EndsAt: now.Add(time.Hour), UsageLimit: 7, OncePerCustomer: true, Used: 99}
	got, err := s.Service.PutDiscount(s.ctx, program, d)
	s.must(err)
	d.Code, d.Used = "A-1", 0
	if !reflect.DeepEqual(got, d) {
		s.Errorf("it is %+v, want %+v", got, d)
	}
	for _, d := range cart.DemoDiscounts("EUR") {
		s.put(d)
	}
}

func discountsInPages(s *shop) {
	for i := range 25 {
		s.put(cart.Discount{Code: fmt.Sprintf("CODE-%02d", i), Kind: cart.FreeShipping})
	}
	var seen []string
	for after, pages := "", 0; ; pages++ {
		page, err := s.Service.Discounts(s.ctx, staff, after, 10)
		s.must(err)
		for _, d := range page.Discounts {
			seen = append(seen, d.Code)
		}
		if after = page.Next; after == "" {
			break
		}
		if pages > 5 {
			s.Fatal("it does not end")
		}
	}
	if len(seen) != 25 || !slices.IsSorted(seen) {
		s.Errorf("they are %v", seen)
	}
	_, err := s.Service.Discounts(s.ctx, staff, "nonsense", 10)
	if fault.KindOf(err) != fault.Invalid {
		s.Errorf("a foreign cursor: %v", err)
	}
	for _, limit := range []int{-1, 1_000} {
		_, err = s.Service.Discounts(s.ctx, staff, "", limit)
		s.wantErr(err, cart.ErrInput)
	}
}

func whatGoesOutIsACopy(s *shop) {
	lines := []cart.LineInput{{VariantID: "shirt", Quantity: 1, Attributes: []cart.Attribute{{Key: "a", Value: "b"}}}}
	c := s.done(s.Service.Create(s.ctx, guest, cart.CreateInput{Lines: lines, Attributes: []cart.Attribute{{Key: "x", Value: "y"}}}))
	lines[0].Attributes[0].Value = "changed"
	c.Lines[0].Attributes[0].Value = "changed"
	c.Lines[0].Item.Options[0].Value = "changed"
	c.Lines[0].Item.CompareAt.Minor = 1
	c.Attributes[0].Value = "changed"
	got := s.get(c.ID)
	if l := got.Lines[0]; l.Attributes[0].Value != "b" || l.Item.Options[0].Value != "Blue" || l.Item.CompareAt.Minor != 30_00 || got.Attributes[0].Value != "y" {
		s.Errorf("what was changed outside has changed inside: %+v", got)
	}
	q := s.claimed(c.ID, "order-1")
	q.Lines[0].Item.Options[0].Value, q.Rate.Price.Minor = "changed", 1
	if again := s.claimed(c.ID, "order-1"); again.Lines[0].Item.Options[0].Value != "Blue" || again.Rate.Price.Minor == 1 {
		s.Errorf("the quote has changed: %+v", again)
	}
}
