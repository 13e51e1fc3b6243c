package cart

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// Get prices the cart without writing it, except that once a day at most its
// expiry is put off; that a look may fail to do so does not spoil it.
func (k *Keeper) Get(ctx context.Context, who identity.Caller, id string) (Cart, error) {
	key, err := keyOf(id)
	if err != nil {
		return Cart{}, err
	}
	doc, err := k.find(ctx, key)
	if err != nil {
		return Cart{}, err
	}
	now := k.now()
	g, err := k.look(ctx, doc.variants())
	if err != nil {
		return Cart{}, err
	}
	if doc.Claim == nil && doc.touch(now) {
		if _, err := k.carts.Update(ctx, doc.ID, func(c *cartDoc) error {
			if c.Claim != nil || c.isExpired(now) || !c.touch(now) {
				return docstore.Unchanged
			}
			return nil
		}); err != nil {
			k.log.WarnContext(ctx, "cart not kept longer", "error", err)
		}
	}
	return k.show(ctx, who, id, &doc, g, now)
}

// goods is what catalogue and inventory say about the variants of a cart.
type goods struct {
	variants map[string]catalog.VariantOf
	stock    map[string]inventory.Stock
}

// look asks the catalogue once and the inventory once.
func (k *Keeper) look(ctx context.Context, variantIDs []string) (goods, error) {
	var g goods
	if len(variantIDs) == 0 {
		return g, nil
	}
	var err error
	if g.variants, err = k.catalog.Variants(ctx, variantIDs); err != nil {
		return g, fmt.Errorf("variants of a cart: %w", err)
	}
	skus := make([]string, 0, len(g.variants))
	for _, v := range g.variants {
		if !slices.Contains(skus, v.Variant.SKU) {
			skus = append(skus, v.Variant.SKU)
		}
	}
	if len(skus) == 0 {
		return g, nil
	}
	if g.stock, err = k.stock.Levels(ctx, skus); err != nil {
		return g, fmt.Errorf("stock of a cart: %w", err)
	}
	return g, nil
}

// sold is the variant if the shop sells it at a price that can be charged.
func (g goods) sold(id, currency string) (catalog.VariantOf, bool) {
	v, ok := g.variants[id]
	p := v.Variant.Price
	return v, ok && p.Currency == currency && p.Minor >= 0 && p.Minor <= maxPrice
}

func (g goods) available(sku string) int64 { return max(0, g.stock[sku].Available) }

// item describes a line by the catalogue, or by what is remembered of it.
func (g goods) item(l lineDoc, currency string) Item {
	v, ok := g.variants[l.VariantID]
	if !ok {
		return Item{
			VariantID: l.VariantID, ProductID: l.ProductID, SKU: l.SKU, Title: l.Title, VariantTitle: l.VariantTitle,
			Handle: l.Handle, ImageURL: l.ImageURL, Price: money.Of(0, currency),
		}
	}
	it := Item{
		VariantID: l.VariantID, ProductID: v.Product.ID, SKU: v.Variant.SKU, Title: v.Product.Title, VariantTitle: v.Variant.Title,
		Handle: v.Product.Handle, Vendor: v.Product.Vendor, ImageURL: imageOf(v), Price: v.Variant.Price,
		WeightGrams: v.Variant.WeightGrams, RequiresShipping: v.Variant.RequiresShipping, Taxable: v.Variant.Taxable,
	}
	if _, sold := g.sold(l.VariantID, currency); !sold {
		it.Price = money.Of(0, currency)
	} else if c := v.Variant.CompareAt; c != nil && c.Currency == currency {
		compare := *c
		it.CompareAt = &compare
	}
	for _, o := range v.Variant.Selected {
		it.Options = append(it.Options, Option{Name: o.Name, Value: o.Value})
	}
	return it
}

func imageOf(v catalog.VariantOf) string {
	switch {
	case v.Variant.Image != nil:
		return v.Variant.Image.URL
	case len(v.Product.Images) > 0:
		return v.Product.Images[0].URL
	}
	return ""
}

// remember keeps what the buyer sees of each line.
func (c *cartDoc) remember(g goods) {
	for i := range c.Lines {
		l := &c.Lines[i]
		if v, ok := g.variants[l.VariantID]; ok {
			l.ProductID, l.SKU, l.Title, l.VariantTitle, l.Handle, l.ImageURL = v.Product.ID, v.Variant.SKU, v.Product.Title, v.Variant.Title, v.Product.Handle, imageOf(v)
		}
	}
}

// show is the cart as the caller sees it now.
func (k *Keeper) show(ctx context.Context, who identity.Caller, id string, c *cartDoc, g goods, now time.Time) (Cart, error) {
	codes, err := k.entered(ctx, c, c.Buyer.Email)
	if err != nil {
		return Cart{}, err
	}
	p := k.rules.price(basket{Lines: k.wares(c, g), Codes: codes, Country: k.countryOf(c.Buyer.Country), Now: now})
	buyer := c.Buyer
	if buyer.CustomerID != "" && buyer.CustomerID != who.CustomerID && !who.May(identity.CartsWrite) {
		buyer = Buyer{Country: buyer.Country}
	}
	return Cart{
		ID: id, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Lines: k.lines(c, g, p), Codes: p.Codes,
		Note: c.Note, Attributes: slices.Clone(c.Attributes), Buyer: buyer, Cost: p.Cost, Rates: p.Rates,
	}, nil
}

func (k *Keeper) countryOf(country string) string {
	if country == "" {
		return k.rules.Country
	}
	return country
}

// wares are the cart's lines as pricing sees them; what is not sold any more
// costs and weighs nothing.
func (k *Keeper) wares(c *cartDoc, g goods) []ware {
	wares := make([]ware, len(c.Lines))
	for i, l := range c.Lines {
		wares[i].Quantity = l.Quantity
		if v, ok := g.sold(l.VariantID, k.rules.Currency); ok {
			wares[i] = ware{
				Price: v.Variant.Price.Minor, Quantity: l.Quantity, Grams: max(0, min(v.Variant.WeightGrams, maxGrams)),
				Ships: v.Variant.RequiresShipping, Taxable: v.Variant.Taxable,
			}
		}
	}
	return wares
}

// maxGrams is the most that pricing takes one unit to weigh: a thousand tonnes.
const maxGrams = 1_000_000_000

// lines puts the priced lines together with what they are. The stock of a SKU
// goes to its lines in their order.
func (k *Keeper) lines(c *cartDoc, g goods, p priced) []Line {
	if len(c.Lines) == 0 {
		return nil
	}
	lines := make([]Line, len(c.Lines))
	promised := map[string]int64{} // by SKU
	for i, l := range c.Lines {
		it := g.item(l, k.rules.Currency)
		_, sold := g.sold(l.VariantID, k.rules.Currency)
		promised[it.SKU] += l.Quantity
		q := p.Lines[i]
		lines[i] = Line{
			ID: l.ID, Quantity: l.Quantity, Attributes: slices.Clone(l.Attributes), Item: it,
			Available: sold && promised[it.SKU] <= g.available(it.SKU),
			Subtotal:  q.Subtotal, Discount: q.Discount, Total: q.Total, Tax: q.Tax, TaxRate: q.TaxRate, Codes: q.Codes,
		}
	}
	return lines
}

// entered looks up the cart's codes, in their order, for the buyer with this
// e-mail address ("" when it is not known yet). What the cart's own order
// holds of them is not counted against it.
func (k *Keeper) entered(ctx context.Context, c *cartDoc, email string) ([]entered, error) {
	if len(c.Codes) == 0 {
		return nil, nil
	}
	docs, err := k.discounts.GetMany(ctx, slices.DeleteFunc(slices.Clone(c.Codes), func(code string) bool { return !isCode(code) }))
	if err != nil {
		return nil, err
	}
	all := make([]entered, len(c.Codes))
	for i, code := range c.Codes {
		all[i].Code = code
		doc, ok := docs[code]
		if !ok {
			continue
		}
		doc.Held = slices.DeleteFunc(doc.Held, func(h hold) bool { return h.Cart == c.ID })
		d := doc.public()
		all[i].Discount = &d
		if customer := customerHash(code, email); d.OncePerCustomer && customer != "" {
			if all[i].UsedByMe, err = k.usedBy(ctx, &doc, customer); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// usedBy reports whether the customer has used the code, or is about to.
func (k *Keeper) usedBy(ctx context.Context, d *discountDoc, customer string) (bool, error) {
	if slices.ContainsFunc(d.Held, func(h hold) bool { return h.Customer == customer }) {
		return true, nil
	}
	page, err := k.redemptions.Find(ctx, docstore.Query{Index: "customer", Equal: []any{d.ID, customer}, Limit: 1})
	return len(page.Items) > 0, err
}

// customerHash stands for an e-mail address in the memory of one code, so
// that the memory tells nobody's address and does not link codes.
func customerHash(code, email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	if email == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("ordergraph discount " + code + "\x00" + email))
	return hex.EncodeToString(sum[:16])
}
