package cart

import (
	"context"
	"errors"
	"slices"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// A mergeDoc says where a guest's cart has gone. While Due is set it is on its
// way and still holds what was in it; after, it only leads there.
type mergeDoc struct {
	Into string     `bson:"into"` // key of the customer's cart
	Due  *time.Time `bson:"due,omitempty"`
}

// A mergedDoc is what a customer's cart remembers of a guest's: that it took
// what was in it, or refused to.
type mergedDoc struct {
	Guest    string    `bson:"guest"` // key of the guest's cart
	Refused  bool      `bson:"refused,omitempty"`
	Warnings []Problem `bson:"warnings,omitempty"` // told again to who repeats the merge
}

// maxMerged is how many guests' carts a cart remembers: more than could be on
// their way at once.
const maxMerged = 100

// errMoved says that a cart is not here but where follow leads.
var errMoved = errors.New("cart: merged into another")

// Merge goes in steps, each one write, and may be repeated after any of them:
//
//  1. The guest's cart is put into the customer's name and marked with the
//     cart it goes into. Where the customer has none, that is all. Nothing in
//     a marked cart changes any more.
//  2. The customer's cart takes what is in it, and remembers in the same write
//     that it did; or, should an order have it meanwhile, that it refuses to.
//  3. The guest's cart is emptied and only leads to the other from then on; or
//     it stays as it is, and is the customer's newest cart.
//
// Whoever comes to a marked cart, the sweep at the latest, takes the steps
// that are left. What the customer's cart remembers decides between those who
// do so at once.
func (k *Keeper) Merge(ctx context.Context, who identity.Caller, guestCartID string) (Result, error) {
	if who.CustomerID == "" {
		return Result{}, ErrSignIn
	}
	if guestCartID == "" {
		return k.handOut(ctx, who)
	}
	key, err := keyOf(guestCartID)
	if err != nil {
		return Result{}, err
	}
	into, err := k.current(ctx, who.CustomerID, key)
	if err != nil {
		return Result{}, err
	}
	var problems []Problem
	now := k.now()
	_, err = k.carts.Update(ctx, key, func(c *cartDoc) error {
		problems = nil
		switch {
		case c.gone(now):
			return ErrNotFound
		case c.Merge != nil, c.Buyer.CustomerID == who.CustomerID:
			return docstore.Unchanged
		case c.Buyer.CustomerID != "":
			return ErrForbidden
		case c.Claim != nil:
			problems = []Problem{inCheckout()}
			return docstore.Unchanged
		}
		c.Buyer.CustomerID, c.UpdatedAt = who.CustomerID, now
		c.touch(now)
		if into != "" {
			c.Merge = &mergeDoc{Into: into, Due: &now}
		}
		return nil
	})
	if err != nil {
		return Result{}, orNotFound(err)
	}
	doc, err := k.find(ctx, key)
	if err != nil {
		return Result{}, err
	}
	if len(problems) == 0 && doc.Buyer.CustomerID != who.CustomerID {
		return Result{}, ErrForbidden
	}
	g, err := k.look(ctx, doc.variants())
	if err != nil {
		return Result{}, err
	}
	result := Result{Problems: problems}
	if m := doc.tookFrom(key); m != nil {
		result.Warnings = m.Warnings
	}
	result.Cart, err = k.show(ctx, who, guestCartID, &doc, g, now)
	return result, err
}

// handOut gives the customer's current cart one more id: those it has are
// known to the devices that made them, and only their hashes here.
func (k *Keeper) handOut(ctx context.Context, who identity.Caller) (Result, error) {
	into, err := k.current(ctx, who.CustomerID, "")
	if err != nil {
		return Result{}, err
	}
	if into == "" {
		return Result{}, ErrNotFound
	}
	id, now := newToken(), k.now()
	key, err := keyOf(id)
	if err != nil {
		return Result{}, err
	}
	doc := cartDoc{Meta: docstore.Meta{ID: key}, CreatedAt: now, UpdatedAt: now, Merge: &mergeDoc{Into: into}}
	doc.touch(now)
	if err := k.carts.Insert(ctx, &doc); err != nil {
		return Result{}, err
	}
	cart, err := k.Get(ctx, who, id)
	return Result{Cart: cart}, err
}

// current is the key of the customer's cart that was changed last and can be
// changed now, other than this one; "" when there is none.
func (k *Keeper) current(ctx context.Context, customer, other string) (string, error) {
	now := k.now()
	for c, err := range k.carts.All(ctx, docstore.Query{Index: indexCustomer, Equal: []any{customer}, Reverse: true, Limit: 10}) {
		if err != nil {
			return "", err
		}
		if c.ID != other && c.Claim == nil && c.Merge == nil && !c.isExpired(now) {
			return c.ID, nil
		}
	}
	return "", nil
}

// find reads the cart that the key leads to; ErrNotFound where it is gone.
func (k *Keeper) find(ctx context.Context, key string) (cartDoc, error) {
	for range mostSteps {
		doc, err := k.carts.Get(ctx, key)
		switch {
		case err != nil:
			return cartDoc{}, orNotFound(err)
		case doc.gone(k.now()):
			return cartDoc{}, ErrNotFound
		case doc.Merge == nil:
			return doc, nil
		}
		if key, err = k.follow(ctx, key); err != nil {
			return cartDoc{}, err
		}
	}
	return cartDoc{}, docstore.ErrContended
}

// update changes the cart that the key leads to.
func (k *Keeper) update(ctx context.Context, key string, change func(*cartDoc) error) (cartDoc, error) {
	for range mostSteps {
		doc, err := k.carts.Update(ctx, key, func(c *cartDoc) error {
			if c.Merge != nil {
				return errMoved
			}
			return change(c)
		})
		if !errors.Is(err, errMoved) {
			return doc, orNotFound(err)
		}
		if key, err = k.follow(ctx, key); err != nil {
			return cartDoc{}, err
		}
	}
	return cartDoc{}, docstore.ErrContended
}

// mostSteps is how often a search for a cart looks elsewhere. One step leads
// there; another is taken when a merge is refused on the way.
const mostSteps = 4

// follow is the key of the cart that this one leads to. A merge on its way is
// brought to its end first.
func (k *Keeper) follow(ctx context.Context, key string) (string, error) {
	doc, err := k.carts.Get(ctx, key)
	now := k.now()
	switch {
	case err != nil:
		return "", orNotFound(err)
	case doc.gone(now):
		return "", ErrNotFound
	case doc.Merge == nil:
		return key, nil
	case doc.Merge.Due != nil:
		return k.finishMerge(ctx, &doc)
	}
	if doc.touch(now) { // it lives as long as it is used
		if _, err := k.carts.Update(ctx, key, func(c *cartDoc) error {
			if c.isExpired(now) || !c.touch(now) {
				return docstore.Unchanged
			}
			return nil
		}); err != nil {
			k.log.WarnContext(ctx, "cart not kept longer", "error", err)
		}
	}
	return doc.Merge.Into, nil
}

// finishMerge takes steps 2 and 3 for a marked cart, and returns the key of
// the cart that has the goods.
func (k *Keeper) finishMerge(ctx context.Context, guest *cartDoc) (string, error) {
	now := k.now()
	into, err := k.carts.Update(ctx, guest.Merge.Into, func(c *cartDoc) error {
		if c.tookFrom(guest.ID) != nil {
			return docstore.Unchanged
		}
		m := mergedDoc{Guest: guest.ID}
		if c.Claim != nil || c.gone(now) {
			m.Refused = true
		} else {
			g, err := k.look(ctx, with(c.variants(), guest.variants()))
			if err != nil {
				return err
			}
			m.Warnings = k.takeAll(c, guest, g)
			c.fill() // what it took was counted with the guest's
			c.remember(g)
			c.UpdatedAt = now
			c.touch(now)
		}
		c.Merged = append(c.Merged[max(0, len(c.Merged)-maxMerged+1):], m)
		return nil
	})
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return "", err
	}
	m := into.tookFrom(guest.ID)
	taken := m != nil && !m.Refused
	doc, err := k.carts.Update(ctx, guest.ID, func(c *cartDoc) error {
		if c.Merge == nil || c.Merge.Due == nil {
			return docstore.Unchanged
		}
		if !taken {
			c.Merge = nil
			return nil
		}
		c.Merge.Due = nil
		c.Lines, c.Codes, c.Note, c.Attributes, c.Buyer, c.Refused = nil, nil, "", nil, Buyer{}, nil
		return nil
	})
	if err != nil {
		return "", orNotFound(err)
	}
	if doc.Merge == nil {
		return doc.ID, nil
	}
	return doc.Merge.Into, nil
}

// tookFrom is what the cart remembers of a guest's; nil: nothing.
func (c *cartDoc) tookFrom(guest string) *mergedDoc {
	i := slices.IndexFunc(c.Merged, func(m mergedDoc) bool { return m.Guest == guest })
	if i < 0 {
		return nil
	}
	return &c.Merged[i]
}

// takeAll puts what is in the guest's cart into the customer's. What does not
// fit is told; where both say something, the customer's stays.
func (k *Keeper) takeAll(c, guest *cartDoc, g goods) (warnings []Problem) {
	for i, l := range guest.Lines {
		warnings = append(warnings, k.takeLine(c, g, l, path("lines", i))...)
	}
	for _, code := range guest.Codes {
		switch {
		case slices.Contains(c.Codes, code):
		case len(c.Codes) < MaxCodes:
			c.Codes = append(c.Codes, code)
		default:
			warnings = append(warnings, problem(CodeDiscount, path("discountCodes"), "A cart may have at most %d discount codes; %s was left out.", MaxCodes, code))
		}
	}
	for _, a := range guest.Attributes {
		if slices.ContainsFunc(c.Attributes, func(b Attribute) bool { return a.Key == b.Key }) {
			continue
		}
		before := c.Attributes
		if c.Attributes = tidyAttributes(append(slices.Clone(before), a)); len(c.Attributes) > MaxAttributes || !c.attributesFit() {
			c.Attributes = before
			warnings = append(warnings, problem(CodeTooMany, path("attributes"), "The attribute %q was left out: there are too many.", a.Key))
		}
	}
	if c.Note == "" {
		c.Note = guest.Note
	}
	for _, f := range []struct{ ours, theirs *string }{
		{&c.Buyer.Country, &guest.Buyer.Country}, {&c.Buyer.Email, &guest.Buyer.Email}, {&c.Buyer.Phone, &guest.Buyer.Phone},
	} {
		if *f.ours == "" {
			*f.ours = *f.theirs
		}
	}
	for _, r := range guest.Refused { // their claims must not come after all
		c.refuse(r)
	}
	return warnings
}

// takeLine adds a guest's line as AddLines would, but takes as much of it as
// fits, and keeps its id.
func (k *Keeper) takeLine(c *cartDoc, g goods, l lineDoc, at []string) (warnings []Problem) {
	want := l.Quantity
	if i := slices.IndexFunc(c.Lines, l.like); i >= 0 {
		if room := max(0, MaxQuantity-c.Lines[i].Quantity); want > room {
			warnings = append(warnings, problem(CodeTooMany, under(at, "quantity"), "There may be at most %d units in one line: %d of %s were left out.", MaxQuantity, want-room, g.name(l)))
			if want = room; want == 0 {
				return warnings
			}
		}
	}
	before := len(c.Lines)
	v := k.addLine(c, g, LineInput{VariantID: l.VariantID, Quantity: want, Attributes: l.Attributes}, at)
	if len(c.Lines) > before {
		c.Lines[before].ID = l.ID
	}
	return slices.Concat(warnings, v.warnings, v.problems)
}

func inCheckout() Problem {
	return problem(CodeClaimed, nil, "An order is being made of this cart. It can be changed when that has ended.")
}
