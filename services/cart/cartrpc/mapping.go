package cartrpc

import (
	"ordergraph/platform/money"
	"ordergraph/platform/wire"
	"ordergraph/services/cart"
)

// Functions called toX read what came over the wire, the others write it. What
// is exported the order service needs as well: it keeps what the cart quoted.

// FromAmount writes a sum of money.
func FromAmount(a money.Amount) *Amount { return &Amount{Minor: a.Minor, Currency: a.Currency} }

// ToAmount reads a sum of money.
func ToAmount(a *Amount) money.Amount {
	return money.Amount{Minor: a.GetMinor(), Currency: a.GetCurrency()}
}

// FromAmountOrNil writes a sum of money that may be missing.
func FromAmountOrNil(a *money.Amount) *Amount {
	if a == nil {
		return nil
	}
	return FromAmount(*a)
}

// ToAmountOrNil reads a sum of money that may be missing.
func ToAmountOrNil(a *Amount) *money.Amount {
	if a == nil {
		return nil
	}
	v := ToAmount(a)
	return &v
}

func attribute(a cart.Attribute) *Attribute { return &Attribute{Key: a.Key, Value: a.Value} }

func toAttribute(a *Attribute) cart.Attribute {
	return cart.Attribute{Key: a.GetKey(), Value: a.GetValue()}
}

func buyer(b cart.Buyer) *Buyer {
	return &Buyer{Country: b.Country, Email: b.Email, Phone: b.Phone, CustomerId: b.CustomerID}
}

func toBuyer(b *Buyer) cart.Buyer {
	return cart.Buyer{Country: b.GetCountry(), Email: b.GetEmail(), Phone: b.GetPhone(), CustomerID: b.GetCustomerId()}
}

func lineInput(l cart.LineInput) *LineInput {
	return &LineInput{VariantId: l.VariantID, Quantity: l.Quantity, Attributes: wire.Each(l.Attributes, attribute)}
}

func toLineInput(l *LineInput) cart.LineInput {
	return cart.LineInput{VariantID: l.GetVariantId(), Quantity: l.GetQuantity(), Attributes: wire.Each(l.GetAttributes(), toAttribute)}
}

func lineUpdate(l cart.LineUpdate) *LineUpdate {
	u := &LineUpdate{Id: l.ID, VariantId: l.VariantID, Quantity: l.Quantity}
	if l.Attributes != nil {
		u.Attributes = &Attributes{Attributes: wire.Each(*l.Attributes, attribute)}
	}
	return u
}

func toLineUpdate(l *LineUpdate) cart.LineUpdate {
	u := cart.LineUpdate{ID: l.GetId(), VariantID: l.VariantId, Quantity: l.Quantity}
	if l.Attributes != nil {
		attrs := wire.Each(l.Attributes.Attributes, toAttribute)
		u.Attributes = &attrs
	}
	return u
}

// FromProblem writes what is wrong with the input.
func FromProblem(p cart.Problem) *Problem {
	return &Problem{Code: string(p.Code), Field: p.Field, Message: p.Message}
}

// ToProblem reads what is wrong with the input.
func ToProblem(p *Problem) cart.Problem {
	return cart.Problem{Code: cart.Code(p.GetCode()), Field: p.GetField(), Message: p.GetMessage()}
}

func cartView(c cart.Cart) *CartView {
	return &CartView{
		Id: c.ID, CreatedAt: wire.FromTime(c.CreatedAt), UpdatedAt: wire.FromTime(c.UpdatedAt), Lines: wire.Each(c.Lines, line), Codes: wire.Each(c.Codes, appliedCode),
		Note: c.Note, Attributes: wire.Each(c.Attributes, attribute), Buyer: buyer(c.Buyer), Cost: cost(c.Cost), Rates: wire.Each(c.Rates, shippingRate),
	}
}

func toCart(c *CartView) cart.Cart {
	return cart.Cart{
		ID: c.GetId(), CreatedAt: wire.ToTime(c.GetCreatedAt()), UpdatedAt: wire.ToTime(c.GetUpdatedAt()), Lines: wire.Each(c.GetLines(), toLine), Codes: wire.Each(c.GetCodes(), toAppliedCode),
		Note: c.GetNote(), Attributes: wire.Each(c.GetAttributes(), toAttribute), Buyer: toBuyer(c.GetBuyer()), Cost: toCost(c.GetCost()), Rates: wire.Each(c.GetRates(), toShippingRate),
	}
}

func line(l cart.Line) *Line {
	return &Line{
		Id: l.ID, Quantity: l.Quantity, Attributes: wire.Each(l.Attributes, attribute), Item: item(l.Item), Available: l.Available,
		Subtotal: FromAmount(l.Subtotal), Discount: FromAmount(l.Discount), Total: FromAmount(l.Total), Tax: FromAmount(l.Tax), TaxRate: l.TaxRate,
		Codes: wire.Each(l.Codes, codeShare),
	}
}

func toLine(l *Line) cart.Line {
	return cart.Line{
		ID: l.GetId(), Quantity: l.GetQuantity(), Attributes: wire.Each(l.GetAttributes(), toAttribute), Item: toItem(l.GetItem()), Available: l.GetAvailable(),
		Subtotal: ToAmount(l.GetSubtotal()), Discount: ToAmount(l.GetDiscount()), Total: ToAmount(l.GetTotal()), Tax: ToAmount(l.GetTax()), TaxRate: l.GetTaxRate(),
		Codes: wire.Each(l.GetCodes(), toCodeShare),
	}
}

func codeShare(s cart.CodeShare) *CodeShare {
	return &CodeShare{Code: s.Code, Amount: FromAmount(s.Amount)}
}

func toCodeShare(s *CodeShare) cart.CodeShare {
	return cart.CodeShare{Code: s.GetCode(), Amount: ToAmount(s.GetAmount())}
}

func item(i cart.Item) *Item {
	return &Item{
		VariantId: i.VariantID, ProductId: i.ProductID, Sku: i.SKU, Title: i.Title, VariantTitle: i.VariantTitle, Handle: i.Handle,
		Vendor: i.Vendor, ImageUrl: i.ImageURL, Options: wire.Each(i.Options, option), Price: FromAmount(i.Price), CompareAt: FromAmountOrNil(i.CompareAt),
		WeightGrams: i.WeightGrams, RequiresShipping: i.RequiresShipping, Taxable: i.Taxable,
	}
}

func toItem(i *Item) cart.Item {
	return cart.Item{
		VariantID: i.GetVariantId(), ProductID: i.GetProductId(), SKU: i.GetSku(), Title: i.GetTitle(), VariantTitle: i.GetVariantTitle(), Handle: i.GetHandle(),
		Vendor: i.GetVendor(), ImageURL: i.GetImageUrl(), Options: wire.Each(i.GetOptions(), toOption), Price: ToAmount(i.GetPrice()), CompareAt: ToAmountOrNil(i.GetCompareAt()),
		WeightGrams: i.GetWeightGrams(), RequiresShipping: i.GetRequiresShipping(), Taxable: i.GetTaxable(),
	}
}

func option(o cart.Option) *Option { return &Option{Name: o.Name, Value: o.Value} }

func toOption(o *Option) cart.Option { return cart.Option{Name: o.GetName(), Value: o.GetValue()} }

func appliedCode(c cart.AppliedCode) *AppliedCode {
	return &AppliedCode{Code: c.Code, Applicable: c.Applicable, Reason: c.Reason}
}

func toAppliedCode(c *AppliedCode) cart.AppliedCode {
	return cart.AppliedCode{Code: c.GetCode(), Applicable: c.GetApplicable(), Reason: c.GetReason()}
}

func cost(c cart.Cost) *Cost {
	return &Cost{
		Currency: c.Currency, Subtotal: FromAmount(c.Subtotal), Discount: FromAmount(c.Discount), Shipping: FromAmount(c.Shipping),
		Tax: FromAmount(c.Tax), Total: FromAmount(c.Total), TaxIncluded: c.TaxIncluded,
	}
}

func toCost(c *Cost) cart.Cost {
	return cart.Cost{
		Currency: c.GetCurrency(), Subtotal: ToAmount(c.GetSubtotal()), Discount: ToAmount(c.GetDiscount()), Shipping: ToAmount(c.GetShipping()),
		Tax: ToAmount(c.GetTax()), Total: ToAmount(c.GetTotal()), TaxIncluded: c.GetTaxIncluded(),
	}
}

func shippingRate(r cart.ShippingRate) *ShippingRate {
	return &ShippingRate{Handle: r.Handle, Title: r.Title, Price: FromAmount(r.Price), MinDays: int64(r.MinDays), MaxDays: int64(r.MaxDays)}
}

func toShippingRate(r *ShippingRate) cart.ShippingRate {
	return cart.ShippingRate{Handle: r.GetHandle(), Title: r.GetTitle(), Price: ToAmount(r.GetPrice()), MinDays: int(r.GetMinDays()), MaxDays: int(r.GetMaxDays())}
}

// FromQuote writes what an order is to be made of.
func FromQuote(q cart.Quote) *Quote {
	out := &Quote{
		CartId: q.CartID, Lines: wire.Each(q.Lines, line), Codes: wire.Each(q.Codes, appliedCode), ShippingTax: FromAmount(q.ShippingTax), ShippingTaxRate: q.ShippingTaxRate,
		Cost: cost(q.Cost), Note: q.Note, Attributes: wire.Each(q.Attributes, attribute), Buyer: buyer(q.Buyer),
	}
	if q.Rate != nil {
		out.Rate = shippingRate(*q.Rate)
	}
	return out
}

// ToQuote reads what an order is to be made of.
func ToQuote(q *Quote) cart.Quote {
	out := cart.Quote{
		CartID: q.GetCartId(), Lines: wire.Each(q.GetLines(), toLine), Codes: wire.Each(q.GetCodes(), toAppliedCode), ShippingTax: ToAmount(q.GetShippingTax()), ShippingTaxRate: q.GetShippingTaxRate(),
		Cost: toCost(q.GetCost()), Note: q.GetNote(), Attributes: wire.Each(q.GetAttributes(), toAttribute), Buyer: toBuyer(q.GetBuyer()),
	}
	if q.GetRate() != nil {
		rate := toShippingRate(q.GetRate())
		out.Rate = &rate
	}
	return out
}

func discount(d cart.Discount) *Discount {
	return &Discount{
		Code: d.Code, Kind: string(d.Kind), BasisPoints: d.BasisPoints, Amount: FromAmount(d.Amount), Minimum: FromAmount(d.Minimum),
		StartsAt: wire.FromTime(d.StartsAt), EndsAt: wire.FromTime(d.EndsAt), UsageLimit: d.UsageLimit, OncePerCustomer: d.OncePerCustomer, Used: d.Used,
	}
}

func toDiscount(d *Discount) cart.Discount {
	return cart.Discount{
		Code: d.GetCode(), Kind: cart.DiscountKind(d.GetKind()), BasisPoints: d.GetBasisPoints(), Amount: ToAmount(d.GetAmount()), Minimum: ToAmount(d.GetMinimum()),
		StartsAt: wire.ToTime(d.GetStartsAt()), EndsAt: wire.ToTime(d.GetEndsAt()), UsageLimit: d.GetUsageLimit(), OncePerCustomer: d.GetOncePerCustomer(), Used: d.GetUsed(),
	}
}
