package catalogrpc

import (
	"strings"
	"time"

	"ordergraph/platform/money"
	"ordergraph/platform/wire"
	"ordergraph/services/catalog"
)

// valid makes text fit for the wire, which carries UTF-8 only. The catalogue
// answers what it puts in place of other bytes as it answers those bytes.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func fromProduct(p catalog.Product) *Product {
	return &Product{
		Id: p.ID, Version: p.Version, Handle: p.Handle, Title: p.Title, Html: p.HTML, Vendor: p.Vendor, Type: p.Type,
		Tags:    p.Tags,
		Options: wire.Each(p.Options, func(o catalog.Option) *Option { return &Option{Name: o.Name, Values: o.Values} }),
		Variants: func() []*Variant {
			block, list := make([]Variant, len(p.Variants)), make([]*Variant, len(p.Variants))
			for i := range p.Variants {
				list[i] = &block[i]
				fromVariant(&p.Variants[i], list[i])
			}
			return list
		}(),
		Images: wire.Each(p.Images, fromImage), Collections: p.Collections,
		SeoTitle: p.SEO.Title, SeoDescription: p.SEO.Description, Published: p.Published,
		CreatedAt: millis(p.CreatedAt), UpdatedAt: millis(p.UpdatedAt),
	}
}

func fromVariant(v *catalog.Variant, to *Variant) {
	to.Id, to.Sku, to.Title = v.ID, v.SKU, v.Title
	to.Price, to.Currency = v.Price.Minor, v.Price.Currency
	to.WeightGrams, to.Barcode = v.WeightGrams, v.Barcode
	to.RequiresShipping, to.Taxable, to.InStock = v.RequiresShipping, v.Taxable, v.InStock
	if len(v.Selected) > 0 {
		to.Selected = make([]string, 0, 2*len(v.Selected))
		for _, s := range v.Selected {
			to.Selected = append(to.Selected, s.Name, s.Value)
		}
	}
	if v.CompareAt != nil {
		to.CompareAt = &v.CompareAt.Minor
		if v.CompareAt.Currency != v.Price.Currency {
			to.CompareAtCurrency = v.CompareAt.Currency
		}
	}
	if v.Image != nil {
		to.Image = fromImage(*v.Image)
	}
}

func toProduct(p *Product) catalog.Product {
	if p == nil {
		return catalog.Product{}
	}
	return catalog.Product{
		ID: p.Id, Version: p.Version, Handle: p.Handle, Title: p.Title, HTML: p.Html, Vendor: p.Vendor, Type: p.Type,
		Tags:     p.Tags,
		Options:  wire.Each(p.Options, func(o *Option) catalog.Option { return catalog.Option{Name: o.Name, Values: o.Values} }),
		Variants: wire.Each(p.Variants, toVariant),
		Images:   wire.Each(p.Images, toImage), Collections: p.Collections,
		SEO: catalog.SEO{Title: p.SeoTitle, Description: p.SeoDescription}, Published: p.Published,
		CreatedAt: moment(p.CreatedAt), UpdatedAt: moment(p.UpdatedAt),
	}
}

func toVariant(v *Variant) catalog.Variant {
	to := catalog.Variant{
		ID: v.Id, SKU: v.Sku, Title: v.Title, Price: money.Of(v.Price, v.Currency),
		WeightGrams: v.WeightGrams, Barcode: v.Barcode,
		RequiresShipping: v.RequiresShipping, Taxable: v.Taxable, InStock: v.InStock,
	}
	if n := len(v.Selected) / 2; n > 0 {
		to.Selected = make([]catalog.SelectedOption, n)
		for i := range n {
			to.Selected[i] = catalog.SelectedOption{Name: v.Selected[2*i], Value: v.Selected[2*i+1]}
		}
	}
	if v.CompareAt != nil {
		was := money.Of(*v.CompareAt, v.Currency)
		if v.CompareAtCurrency != "" {
			was.Currency = v.CompareAtCurrency
		}
		to.CompareAt = &was
	}
	if v.Image != nil {
		m := toImage(v.Image)
		to.Image = &m
	}
	return to
}

func fromImage(m catalog.Image) *Image {
	return &Image{Url: valid(m.URL), Alt: valid(m.Alt), Width: int64(m.Width), Height: int64(m.Height)}
}

func toImage(m *Image) catalog.Image {
	return catalog.Image{URL: m.Url, Alt: m.Alt, Width: int(m.Width), Height: int(m.Height)}
}

func fromImageOf(m *catalog.Image) *Image {
	if m == nil {
		return nil
	}
	return fromImage(*m)
}

func toImageOf(m *Image) *catalog.Image {
	if m == nil {
		return nil
	}
	to := toImage(m)
	return &to
}

func fromCollection(c catalog.Collection) *Collection {
	return &Collection{
		Id: c.ID, Handle: c.Handle, Title: c.Title, Html: c.HTML, Image: fromImageOf(c.Image),
		SeoTitle: c.SEO.Title, SeoDescription: c.SEO.Description, UpdatedAt: millis(c.UpdatedAt),
	}
}

func toCollection(c *Collection) catalog.Collection {
	return catalog.Collection{
		ID: c.Id, Handle: c.Handle, Title: c.Title, HTML: c.Html, Image: toImageOf(c.Image),
		SEO: catalog.SEO{Title: c.SeoTitle, Description: c.SeoDescription}, UpdatedAt: moment(c.UpdatedAt),
	}
}

func fromFilter(f catalog.Filter) *Filter {
	to := &Filter{
		Available: f.Available, Vendor: valid(f.Vendor), Type: valid(f.Type), Tag: valid(f.Tag),
		PriceMin: f.PriceMin, PriceMax: f.PriceMax, Collection: valid(f.Collection),
	}
	if f.Option != nil {
		to.Option = &SelectedOption{Name: valid(f.Option.Name), Value: valid(f.Option.Value)}
	}
	return to
}

func toFilter(f *Filter) catalog.Filter {
	if f == nil {
		return catalog.Filter{}
	}
	to := catalog.Filter{
		Available: f.Available, Vendor: f.Vendor, Type: f.Type, Tag: f.Tag,
		PriceMin: f.PriceMin, PriceMax: f.PriceMax, Collection: f.Collection,
	}
	if f.Option != nil {
		to.Option = &catalog.SelectedOption{Name: f.Option.Name, Value: f.Option.Value}
	}
	return to
}

func fromFacet(f catalog.Facet) *Facet {
	return &Facet{
		Id: f.ID, Label: f.Label, Kind: string(f.Kind), Min: f.Min, Max: f.Max,
		Values: wire.Each(f.Values, func(v catalog.FacetValue) *FacetValue {
			return &FacetValue{Id: v.ID, Label: v.Label, Count: v.Count, Filter: fromFilter(v.Filter)}
		}),
	}
}

func toFacet(f *Facet) catalog.Facet {
	return catalog.Facet{
		ID: f.Id, Label: f.Label, Kind: catalog.FacetKind(f.Kind), Min: f.Min, Max: f.Max,
		Values: wire.Each(f.Values, func(v *FacetValue) catalog.FacetValue {
			return catalog.FacetValue{ID: v.Id, Label: v.Label, Count: v.Count, Filter: toFilter(v.Filter)}
		}),
	}
}

func fromAmount(a money.Amount) *Amount { return &Amount{Minor: a.Minor, Currency: valid(a.Currency)} }

func toAmount(a *Amount) money.Amount { return money.Of(a.GetMinor(), a.GetCurrency()) }

func fromInput(p catalog.ProductInput) *ProductInput {
	return &ProductInput{
		Handle: valid(p.Handle), Title: valid(p.Title), Html: valid(p.HTML), Vendor: valid(p.Vendor), Type: valid(p.Type), Tags: wire.Each(p.Tags, valid), Options: wire.Each(p.Options, valid),
		Variants: wire.Each(p.Variants, func(v catalog.VariantInput) *VariantInput {
			to := &VariantInput{
				Sku: valid(v.SKU), Options: wire.Each(v.Options, valid), Price: fromAmount(v.Price), WeightGrams: v.WeightGrams, Barcode: valid(v.Barcode),
				RequiresShipping: v.RequiresShipping, Taxable: v.Taxable, ImageUrl: valid(v.ImageURL), Line: int64(v.Line),
			}
			if v.CompareAt != nil {
				to.CompareAt = fromAmount(*v.CompareAt)
			}
			return to
		}),
		Images: wire.Each(p.Images, fromImage), SeoTitle: valid(p.SEO.Title), SeoDescription: valid(p.SEO.Description),
		Published: p.Published, Line: int64(p.Line),
	}
}

func toInput(p *ProductInput) catalog.ProductInput {
	return catalog.ProductInput{
		Handle: p.Handle, Title: p.Title, HTML: p.Html, Vendor: p.Vendor, Type: p.Type, Tags: p.Tags, Options: p.Options,
		Variants: wire.Each(p.Variants, func(v *VariantInput) catalog.VariantInput {
			to := catalog.VariantInput{
				SKU: v.Sku, Options: v.Options, Price: toAmount(v.Price), WeightGrams: v.WeightGrams, Barcode: v.Barcode,
				RequiresShipping: v.RequiresShipping, Taxable: v.Taxable, ImageURL: v.ImageUrl, Line: int(v.Line),
			}
			if v.CompareAt != nil {
				was := toAmount(v.CompareAt)
				to.CompareAt = &was
			}
			return to
		}),
		Images: wire.Each(p.Images, toImage), SEO: catalog.SEO{Title: p.SeoTitle, Description: p.SeoDescription},
		Published: p.Published, Line: int(p.Line),
	}
}

func fromCollectionInput(c catalog.CollectionInput) *CollectionInput {
	return &CollectionInput{
		Handle: valid(c.Handle), Title: valid(c.Title), Html: valid(c.HTML), Image: fromImageOf(c.Image),
		SeoTitle: valid(c.SEO.Title), SeoDescription: valid(c.SEO.Description), Rules: wire.Each(c.Rules, fromFilter), Products: wire.Each(c.Products, valid),
	}
}

func toCollectionInput(c *CollectionInput) catalog.CollectionInput {
	return catalog.CollectionInput{
		Handle: c.Handle, Title: c.Title, HTML: c.Html, Image: toImageOf(c.Image),
		SEO: catalog.SEO{Title: c.SeoTitle, Description: c.SeoDescription}, Rules: wire.Each(c.Rules, toFilter), Products: c.Products,
	}
}
