package feed

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"unicode"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// jsonProduct is a product as dummyjson.com/products publishes it.
type jsonProduct struct {
	ID                 json.Number `json:"id"`
	Title              string      `json:"title"`
	Description        string      `json:"description"`
	Category           string      `json:"category"`
	Price              json.Number `json:"price"`
	DiscountPercentage float64     `json:"discountPercentage"`
	Stock              int64       `json:"stock"`
	Tags               []string    `json:"tags"`
	Brand              string      `json:"brand"`
	SKU                string      `json:"sku"`
	Weight             float64     `json:"weight"` // kilograms, as far as it can be told
	Meta               struct {
		Barcode string `json:"barcode"`
	} `json:"meta"`
	Images []string `json:"images"`
}

// readJSON reads an array of products, or an object that holds one under
// "products".
func (f *File) readJSON(data []byte, currency string) error {
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		var envelope struct {
			Products []json.RawMessage `json:"products"`
		}
		if err := json.Unmarshal(data, &envelope); err != nil {
			return ErrFile.Say("This is not JSON that can be read: %v.", err)
		}
		if items = envelope.Products; items == nil {
			return ErrFile.Say(`This JSON is neither an array of products nor an object with an array "products".`)
		}
	}
	handles := map[string]bool{}
	at, line, counted := 0, 1, 0
	for n, item := range items {
		// The decoder keeps the text of each item as it stands in the file.
		if i := bytes.Index(data[at:], item); i >= 0 {
			at += i
		}
		line += bytes.Count(data[counted:at], []byte("\n"))
		counted = at
		var j jsonProduct
		if err := json.Unmarshal(item, &j); err != nil {
			f.problem(line, "", "product %d: %v", n+1, err)
			continue
		}
		p, problem := j.product(currency, line)
		if problem != "" {
			f.problem(line, "", "product %d: %s", n+1, problem)
			continue
		}
		if handles[p.Handle] && j.SKU != "" {
			p.Handle += "-" + handleOf(j.SKU)
		}
		if handles[p.Handle] {
			f.problem(line, "", "product %d: there is another product with the handle %q in this file", n+1, p.Handle)
			continue
		}
		handles[p.Handle] = true
		f.Products = append(f.Products, p)
	}
	return nil
}

func (j jsonProduct) product(currency string, line int) (Product, string) {
	if strings.TrimSpace(j.Title) == "" {
		return Product{}, "title is empty"
	}
	price, err := money.Parse(j.Price.String(), currency)
	if err != nil || price.Minor < 0 {
		return Product{}, "price " + j.Price.String() + " is not an amount in " + currency
	}
	if j.Weight < 0 || j.Weight > 1e6 || j.Stock < 0 || j.Stock > inventory.MaxQuantity {
		return Product{}, "weight or stock is out of range"
	}
	v := catalog.VariantInput{
		SKU: j.SKU, Price: price, WeightGrams: int64(math.Round(j.Weight * 1000)),
		Barcode: j.Meta.Barcode, RequiresShipping: true, Taxable: true, Line: line,
	}
	// The price is after the discount.
	if d := j.DiscountPercentage; d >= 1 && d < 100 {
		was := money.Of(int64(math.Round(float64(price.Minor)*100/(100-d))), currency)
		v.CompareAt = &was
	}
	p := Product{
		ProductInput: catalog.ProductInput{
			Handle: handleOf(j.Title), Title: j.Title, HTML: "<p>" + escape.Replace(j.Description) + "</p>",
			Vendor: j.Brand, Type: titled(j.Category), Tags: j.Tags, Published: true, Line: line,
			Variants: []catalog.VariantInput{v},
		},
		Stock: [][]Level{{{Warehouse: inventory.DefaultWarehouse, OnHand: j.Stock}}},
	}
	for _, src := range j.Images {
		p.Images = append(p.Images, catalog.Image{URL: src, Alt: j.Title})
	}
	return p, ""
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// titled is "mens-shirts" as a title: "Mens shirts".
func titled(category string) string {
	words := []rune(strings.ReplaceAll(category, "-", " "))
	if len(words) > 0 {
		words[0] = unicode.ToUpper(words[0])
	}
	return string(words)
}

// handleOf is a title as a place in a URL: "Red Lipstick" is "red-lipstick".
func handleOf(title string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(title) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
		} else if r != '\'' && r != '’' {
			dash = true
		}
	}
	return b.String()
}
