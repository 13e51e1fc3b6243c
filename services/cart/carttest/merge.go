package carttest

import (
	"fmt"
	"strings"
	"sync"

	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/services/cart"
)

var (
	ann = identity.Caller{CustomerID: "ann", Roles: []identity.Role{identity.Customer}}
	bob = identity.Caller{CustomerID: "bob", Roles: []identity.Role{identity.Customer}}
)

func (s *shop) cartOf(who identity.Caller, in cart.CreateInput) cart.Cart {
	s.Helper()
	return s.done(s.Service.Create(s.ctx, who, in))
}

func (s *shop) merge(who identity.Caller, guestCartID string) cart.Result {
	s.Helper()
	r, err := s.Service.Merge(s.ctx, who, guestCartID)
	s.must(err)
	s.want(r.Problems)
	return r
}

func (s *shop) getAs(who identity.Caller, id string) cart.Cart {
	s.Helper()
	c, err := s.Service.Get(s.ctx, who, id)
	s.must(err)
	return c
}

func line(variant string, n int64, attrs ...cart.Attribute) cart.LineInput {
	return cart.LineInput{VariantID: variant, Quantity: n, Attributes: attrs}
}

func mergeGivesAGuestsCart(s *shop) {
	c := s.cart("mug", 2)
	merged := s.merge(ann, c.ID).Cart
	if merged.ID != c.ID || merged.Buyer.CustomerID != "ann" {
		s.Errorf("the cart is %+v", merged)
	}
	s.wantLines(merged, "mug", 2)
	s.wantLines(s.merge(ann, c.ID).Cart, "mug", 2)
	s.wantLines(s.get(c.ID), "mug", 2)
}

func mergeMakesOneOfTwo(s *shop) {
	s.put(cart.Discount{Code: "OURS", Kind: cart.FreeShipping})
	engraved := cart.Attribute{Key: "engraving", Value: "A"}
	own := s.cartOf(ann, cart.CreateInput{
		Lines: []cart.LineInput{line("mug", 1), line("shirt", 2, engraved)}, Codes: []string{"OURS"}, Note: "ours",
		Attributes: []cart.Attribute{{Key: "gift", Value: "yes"}}, Buyer: cart.Buyer{Country: "FR", Email: "ann@example.com"},
	})
	guests := s.cartOf(guest, cart.CreateInput{
		Lines: []cart.LineInput{line("shirt", 3), line("mug", 2), line("shirt", 4, engraved)}, Codes: []string{"THEIRS", "OURS"}, Note: "theirs",
		Attributes: []cart.Attribute{{Key: "gift", Value: "no"}, {Key: "from", Value: "ad"}}, Buyer: cart.Buyer{Country: "DE", Phone: "+49 30 123456"},
	})
	for range 3 {
		r := s.merge(ann, guests.ID)
		s.want(r.Warnings)
		for _, id := range []string{own.ID, guests.ID} {
			c := s.getAs(ann, id)
			s.wantLines(c, "mug", 3, "shirt", 6, "shirt", 3)
			if c.ID != id || c.Lines[0].ID != own.Lines[0].ID || c.Lines[1].ID != own.Lines[1].ID || c.Lines[2].ID != guests.Lines[0].ID {
				s.Errorf("the lines' ids are not as they were: %+v", c.Lines)
			}
			if len(c.Codes) != 2 || c.Codes[0].Code != "OURS" || c.Codes[1].Code != "THEIRS" || c.Note != "ours" {
				s.Errorf("codes %+v, note %q", c.Codes, c.Note)
			}
			if fmt.Sprint(c.Attributes) != "[{from ad} {gift yes}]" {
				s.Errorf("attributes %v", c.Attributes)
			}
			if want := (cart.Buyer{Country: "FR", Email: "ann@example.com", Phone: "+49 30 123456", CustomerID: "ann"}); c.Buyer != want {
				s.Errorf("the buyer is %+v", c.Buyer)
			}
		}
	}
	// Both ids are the cart's now.
	s.done(s.Service.AddLines(s.ctx, guest, guests.ID, []cart.LineInput{line("poster", 1)}))
	s.wantLines(s.done(s.Service.RemoveLines(s.ctx, ann, own.ID, []string{own.Lines[1].ID})), "mug", 3, "shirt", 3, "poster", 1)
	s.wantLines(s.get(guests.ID), "mug", 3, "shirt", 3, "poster", 1)
}

func mergeTellsWhatDoesNotFit(s *shop) {
	s.Shelf.Put("pin", 100, 1, 100_000)
	ours := []cart.LineInput{line("mug", 3), line("pin", cart.MaxQuantity-1)}
	for i := range cart.MaxLines - 3 {
		ours = append(ours, line("ebook", 1, cart.Attribute{Key: "n", Value: fmt.Sprint(i)}))
	}
	var many []string
	for i := range cart.MaxCodes {
		many = append(many, fmt.Sprintf("CODE-%d", i))
	}
	own := s.cartOf(ann, cart.CreateInput{Lines: ours, Codes: many})
	guests := s.cartOf(guest, cart.CreateInput{
		Lines: []cart.LineInput{line("mug", 4), line("pin", 5), line("shirt", 1), line("giftcard", 1), line("poster", 1), line("anvil", 1)}, Codes: []string{"ONE-MORE"},
	})
	s.Shelf.SetStock("poster", 0)
	s.Shelf.Remove("giftcard")
	for range 2 { // who did not hear the answer is told again
		r := s.merge(ann, guests.ID)
		s.want(r.Warnings,
			"NOT_ENOUGH_STOCK lines.0.quantity", "MAXIMUM_EXCEEDED lines.1.quantity", "INVALID_MERCHANDISE_LINE lines.3.merchandiseId",
			"MAXIMUM_EXCEEDED lines.4", "MAXIMUM_EXCEEDED lines.5", "DISCOUNT_NOT_APPLICABLE discountCodes")
		if n := len(r.Cart.Lines); n != cart.MaxLines || r.Cart.Lines[0].Quantity != 5 || r.Cart.Lines[1].Quantity != cart.MaxQuantity {
			s.Errorf("%d lines, %d mugs, %d pins", n, r.Cart.Lines[0].Quantity, r.Cart.Lines[1].Quantity)
		}
	}
	if c := s.getAs(ann, own.ID); len(c.Codes) != cart.MaxCodes {
		s.Errorf("codes %+v", c.Codes)
	}
}

func mergeIsRefused(s *shop) {
	_, err := s.Service.Merge(s.ctx, guest, s.cart("mug", 1).ID)
	s.wantErr(err, cart.ErrSignIn)
	bobs := s.cartOf(bob, cart.CreateInput{Lines: []cart.LineInput{line("mug", 1)}})
	_, err = s.Service.Merge(s.ctx, ann, bobs.ID)
	s.wantErr(err, cart.ErrForbidden)
	s.wantLines(s.get(bobs.ID), "mug", 1)

	theirs := s.cart("poster", 1) // into bob's
	s.wantLines(s.merge(bob, theirs.ID).Cart, "mug", 1, "poster", 1)
	_, err = s.Service.Merge(s.ctx, ann, theirs.ID)
	s.wantErr(err, cart.ErrForbidden)

	bought := s.cart("shirt", 1)
	s.claimed(bought.ID, "order-1")
	r, err := s.Service.Merge(s.ctx, ann, bought.ID)
	s.must(err)
	s.want(r.Problems, "CART_IN_CHECKOUT")
	s.wantLines(r.Cart, "shirt", 1)
	s.must(s.Service.Complete(s.ctx, program, bought.ID, "order-1"))
	for _, id := range []string{bought.ID, "never-was", strings.Repeat("x", 200)} {
		_, err = s.Service.Merge(s.ctx, ann, id)
		s.wantErr(err, cart.ErrNotFound)
	}
	idle := s.cart("mug", 1)
	s.Clock.Pass(2 * cart.KeepFor)
	_, err = s.Service.Merge(s.ctx, ann, idle.ID)
	s.wantErr(err, cart.ErrNotFound)
}

func mergeGoesIntoTheCurrentCart(s *shop) {
	_, err := s.Service.Merge(s.ctx, ann, "")
	s.wantErr(err, cart.ErrNotFound)
	first := s.cartOf(ann, cart.CreateInput{Lines: []cart.LineInput{line("mug", 1)}})
	s.Clock.Pass(1)
	second := s.cartOf(ann, cart.CreateInput{Lines: []cart.LineInput{line("poster", 1)}})
	s.Clock.Pass(1_000_000_000)
	s.done(s.Service.SetNote(s.ctx, guest, first.ID, "changed last"))
	s.wantLines(s.merge(ann, s.cart("shirt", 1).ID).Cart, "mug", 1, "shirt", 1)
	elsewhere := s.merge(ann, "").Cart
	if elsewhere.ID == first.ID || elsewhere.ID == "" {
		s.Errorf("the new id is %q", elsewhere.ID)
	}
	s.wantLines(elsewhere, "mug", 1, "shirt", 1)
	s.wantLines(s.done(s.add(elsewhere.ID, "mug", 1)), "mug", 2, "shirt", 1)
	s.wantLines(s.get(first.ID), "mug", 2, "shirt", 1)

	// One that an order has is not the current one.
	s.claimed(elsewhere.ID, "order-1")
	s.wantLines(s.merge(ann, s.cart("ebook", 1).ID).Cart, "poster", 1, "ebook", 1)
	s.wantLines(s.get(second.ID), "poster", 1, "ebook", 1)
	s.must(s.Service.Complete(s.ctx, program, elsewhere.ID, "order-1"))
	_, err = s.Service.Get(s.ctx, ann, first.ID)
	s.wantErr(err, cart.ErrNotFound)
	_, err = s.Service.Get(s.ctx, ann, elsewhere.ID)
	s.wantErr(err, cart.ErrNotFound)
}

func mergedCartIsBoughtOnce(s *shop) {
	s.put(cart.Discount{Code: "ONE", Kind: cart.FreeShipping, UsageLimit: 1})
	own := s.cartOf(ann, cart.CreateInput{Lines: []cart.LineInput{line("mug", 1)}})
	guests := s.cartOf(guest, cart.CreateInput{Lines: []cart.LineInput{line("shirt", 1)}, Codes: []string{"ONE"}})
	s.claimed(guests.ID, "given-back")
	s.must(s.Service.Unclaim(s.ctx, program, guests.ID, "given-back"))
	s.merge(ann, guests.ID)
	// An order that gave the guest's cart back does not get the customer's.
	_, _, err := s.claim(guests.ID, "given-back")
	s.wantErr(err, cart.ErrUnclaimed)

	q := s.claimed(guests.ID, "order-1")
	if q.CartID != guests.ID || len(q.Lines) != 2 {
		s.Errorf("the quote is %+v", q)
	}
	_, problems, err := s.claim(own.ID, "order-2")
	s.must(err)
	s.want(problems, "CART_IN_CHECKOUT cartId")
	s.must(s.Service.Unclaim(s.ctx, program, guests.ID, "order-1"))
	s.claimed(own.ID, "order-3")
	s.must(s.Service.Complete(s.ctx, program, own.ID, "order-3"))
	_, problems, err = s.claim(guests.ID, "order-4")
	s.must(err)
	s.want(problems, "CART_COMPLETED cartId")
	if n := s.used("ONE"); n != 1 {
		s.Errorf("the code was used %d times", n)
	}
}

func mergesAtOnceDoubleNothing(s *shop) {
	own := s.cartOf(ann, cart.CreateInput{Lines: []cart.LineInput{line("shirt", 1)}})
	var guests []string
	for range 4 {
		guests = append(guests, s.cart("shirt", 10).ID)
	}
	var wg sync.WaitGroup
	for _, id := range guests {
		for range 4 {
			wg.Go(func() {
				if _, err := s.Service.Merge(s.ctx, ann, id); err != nil {
					s.Error(err)
				}
				if _, err := s.Service.Get(s.ctx, ann, id); err != nil {
					s.Error(err)
				}
			})
		}
	}
	wg.Wait()
	s.wantLines(s.get(own.ID), "shirt", 41)
}

func mergedCartLivesWhileUsed(s *shop) {
	s.cartOf(ann, cart.CreateInput{Lines: []cart.LineInput{line("mug", 1)}})
	guests := s.cart("shirt", 1)
	s.merge(ann, guests.ID)
	for range 5 {
		s.Clock.Pass(cart.KeepFor / 2)
		s.wantLines(s.get(guests.ID), "mug", 1, "shirt", 1)
	}
	s.Clock.Pass(2 * cart.KeepFor)
	_, err := s.Service.Get(s.ctx, ann, guests.ID)
	s.wantErr(err, cart.ErrNotFound)
}

func signedInOwnTheirCarts(s *shop) {
	for name, change := range map[string]func(id string) (cart.Result, error){
		"AddLines": func(id string) (cart.Result, error) {
			return s.Service.AddLines(s.ctx, ann, id, []cart.LineInput{line("mug", 1)})
		},
		"SetBuyer": func(id string) (cart.Result, error) {
			return s.Service.SetBuyer(s.ctx, ann, id, cart.Buyer{Country: "FR"})
		},
		"SetNote":          func(id string) (cart.Result, error) { return s.Service.SetNote(s.ctx, ann, id, "x") },
		"SetDiscountCodes": func(id string) (cart.Result, error) { return s.Service.SetDiscountCodes(s.ctx, ann, id, []string{"A"}) },
	} {
		c := s.cart("shirt", 1)
		if got := s.done(change(c.ID)).Buyer.CustomerID; got != "ann" {
			s.Errorf("after %s by ann the customer is %q", name, got)
		}
		// Who comes after does not take it over, nor see who she is.
		s.done(s.Service.SetNote(s.ctx, bob, c.ID, "bob was here"))
		s.done(s.Service.SetBuyer(s.ctx, guest, c.ID, cart.Buyer{Country: "FR", Email: "ann@example.com"}))
		_, err := s.Service.SetBuyer(s.ctx, bob, c.ID, cart.Buyer{CustomerID: "bob"})
		s.wantErr(err, cart.ErrForbidden)
		if b := s.getAs(ann, c.ID).Buyer; b != (cart.Buyer{Country: "FR", Email: "ann@example.com", CustomerID: "ann"}) {
			s.Errorf("after %s ann's buyer is %+v", name, b)
		}
		for _, who := range []identity.Caller{guest, bob, {CustomerID: "w", Roles: []identity.Role{identity.Warehouse}}} {
			if b := s.getAs(who, c.ID).Buyer; b != (cart.Buyer{Country: "FR"}) {
				s.Errorf("after %s %v sees the buyer %+v", name, who, b)
			}
		}
		if b := s.getAs(staff, c.ID).Buyer; b.Email != "ann@example.com" {
			s.Errorf("support sees %+v", b)
		}
	}
	seller := identity.Caller{CustomerID: "s", Roles: []identity.Role{identity.Support}}
	c := s.done(s.Service.SetBuyer(s.ctx, seller, s.cart("mug", 1).ID, cart.Buyer{CustomerID: "bob"}))
	if c.Buyer.CustomerID != "bob" {
		s.Errorf("support made it the cart of %q", c.Buyer.CustomerID)
	}
	own := s.cartOf(seller, cart.CreateInput{Lines: []cart.LineInput{line("mug", 1)}})
	if own.Buyer.CustomerID != "s" {
		s.Errorf("the cart of who works here is of %q", own.Buyer.CustomerID)
	}
}

func everyPermission(s *shop) {
	identitytest.Needs(s.T, identity.DiscountsWrite, func(who identity.Caller) error {
		_, err := s.Service.PutDiscount(s.ctx, who, cart.Discount{Code: "A", Kind: cart.FreeShipping})
		return err
	})
	identitytest.Needs(s.T, identity.DiscountsRead, func(who identity.Caller) error {
		_, err := s.Service.Discounts(s.ctx, who, "", 10)
		return err
	})
	c := s.cart("mug", 1)
	identitytest.Needs(s.T, identity.CartsWrite, func(who identity.Caller) error {
		_, err := s.Service.SetBuyer(s.ctx, who, c.ID, cart.Buyer{CustomerID: "bob"})
		return err
	})
	for _, call := range []func(identity.Caller) error{
		func(who identity.Caller) error {
			_, _, err := s.Service.Claim(s.ctx, who, cart.ClaimInput{CartID: c.ID, OrderID: "order-1"})
			return err
		},
		func(who identity.Caller) error { return s.Service.Unclaim(s.ctx, who, c.ID, "order-1") },
		func(who identity.Caller) error { return s.Service.Complete(s.ctx, who, c.ID, "order-1") },
	} {
		identitytest.OnlyTheProgram(s.T, call)
	}
}
