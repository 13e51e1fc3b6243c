package feed

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// column names a column of Shopify's product CSV, in lower case. Shopify has
// had two templates; both are read, in any order and case.
// Source: help.shopify.com, "Using CSV files to import and export products".
type column string

const (
	colHandle    column = "handle"
	colTitle     column = "title"
	colBody      column = "body (html)"
	colVendor    column = "vendor"
	colType      column = "type"
	colTags      column = "tags"
	colPublished column = "published"
	colStatus    column = "status"
	colSKU       column = "variant sku"
	colGrams     column = "variant grams"
	colQuantity  column = "variant inventory qty"
	colPrice     column = "variant price"
	colCompareAt column = "variant compare at price"
	colShipping  column = "variant requires shipping"
	colTaxable   column = "variant taxable"
	colBarcode   column = "variant barcode"
	colImage     column = "image src"
	colImageAlt  column = "image alt text"
	colPicture   column = "variant image"
	colSEOTitle  column = "seo title"
	colSEOText   column = "seo description"
)

var alias = map[string]column{
	"url handle":                colHandle,
	"description":               colBody,
	"published on online store": colPublished,
	"sku":                       colSKU,
	"weight value (grams)":      colGrams,
	"inventory quantity":        colQuantity,
	"price":                     colPrice,
	"compare-at price":          colCompareAt,
	"variant compare-at price":  colCompareAt,
	"requires shipping":         colShipping,
	"charge tax":                colTaxable,
	"barcode":                   colBarcode,
	"product image url":         colImage,
	"variant image url":         colPicture,
}

const maxOptions = 3

func optionName(n int) column  { return column(fmt.Sprintf("option%d name", n)) }
func optionValue(n int) column { return column(fmt.Sprintf("option%d value", n)) }

// A row of the file, by column.
type row struct {
	line   int
	header map[column]int
	fields []string
}

func (r row) get(c column) string {
	i, ok := r.header[c]
	if !ok || i >= len(r.fields) {
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

func (f *File) problem(line int, handle, format string, args ...any) {
	if len(f.Problems) == MaxProblems {
		f.Unlisted++
		return
	}
	f.Problems = append(f.Problems, Problem{Line: line, Handle: handle, Text: fmt.Sprintf(format, args...)})
}

// readCSV gathers the rows of each handle, wherever they stand.
func (f *File) readCSV(data []byte, currency string) error {
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma = delimiter(data)
	reader.FieldsPerRecord = -1
	head, err := reader.Read()
	if err != nil {
		return ErrFile.Say("The first line cannot be read as CSV: %v.", reason(err))
	}
	header, err := readHeader(head)
	if err != nil {
		return err
	}

	var order []string
	groups := map[string][]row{}
	for {
		fields, err := reader.Read()
		if err == io.EOF {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			if errors.Is(bad.Err, csv.ErrQuote) && bad.Line > bad.StartLine+50 {
				f.problem(bad.StartLine, "", "a quotation mark opened here is not closed properly until line %d: the rows between were left out", bad.Line)
			} else {
				f.problem(bad.StartLine, "", "%s", reason(err))
			}
			continue
		}
		if err != nil {
			return err
		}
		line, _ := reader.FieldPos(0)
		if !slices.ContainsFunc(fields, func(s string) bool { return strings.TrimSpace(s) != "" }) {
			continue
		}
		if len(fields) > len(head) {
			f.problem(line, "", "%d fields where the header has %d: a text with %q in it needs quotation marks", len(fields), len(head), reader.Comma)
			continue
		}
		r := row{line, header, fields}
		handle := strings.ToLower(r.get(colHandle))
		if handle == "" {
			f.problem(line, "", "Handle is empty")
			continue
		}
		if _, known := groups[handle]; !known {
			order = append(order, handle)
		}
		groups[handle] = append(groups[handle], r)
	}
	for _, handle := range order {
		if p, ok := f.product(handle, groups[handle], currency); ok {
			f.Products = append(f.Products, p)
		}
	}
	return nil
}

func reason(err error) string {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		switch {
		case errors.Is(bad.Err, csv.ErrBareQuote):
			return fmt.Sprintf("a quotation mark stands inside a text without quotation marks (column %d): write it twice, and the text in quotation marks", bad.Column)
		case errors.Is(bad.Err, csv.ErrQuote):
			return "a quotation mark opened here is not closed, or something follows the closing one"
		}
	}
	return err.Error()
}

// delimiter is what the header uses: spreadsheets write semicolons in some
// countries, and tabs on request.
func delimiter(data []byte) rune {
	head, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', bytes.Count(head, []byte(","))
	for _, d := range []rune{';', '\t'} {
		if n := bytes.Count(head, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}

func readHeader(head []string) (map[column]int, error) {
	header := make(map[column]int, len(head))
	for i, name := range head {
		c := column(strings.ToLower(strings.TrimSpace(name)))
		if a, ok := alias[string(c)]; ok {
			c = a
		}
		if _, twice := header[c]; twice && c != "" {
			return nil, ErrFile.Say("The column %q stands in the header twice.", name)
		}
		header[c] = i
	}
	for _, must := range []column{colHandle, colTitle, colPrice} {
		if _, ok := header[must]; !ok {
			return nil, ErrFile.Say("There is no column %q in the first line: this does not look like Shopify's product CSV.", must)
		}
	}
	return header, nil
}

// product makes one product of its rows. Rows that cannot be used are
// reported; without a usable variant, the product is.
func (f *File) product(handle string, rows []row, currency string) (Product, bool) {
	first := rows[0]
	p := Product{ProductInput: catalog.ProductInput{
		Handle:    handle,
		Title:     first.get(colTitle),
		HTML:      first.get(colBody),
		Vendor:    first.get(colVendor),
		Type:      first.get(colType),
		SEO:       catalog.SEO{Title: first.get(colSEOTitle), Description: first.get(colSEOText)},
		Published: isTrue(first.get(colPublished), true) && isLive(first.get(colStatus)),
		Line:      first.line,
	}}
	if p.Title == "" {
		f.problem(first.line, handle, "Title is empty, so the product's %d rows were left out", len(rows))
		return p, false
	}
	for tag := range strings.SplitSeq(first.get(colTags), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			p.Tags = append(p.Tags, tag)
		}
	}
	for n := 1; n <= maxOptions; n++ {
		if name := first.get(optionName(n)); name != "" {
			p.Options = append(p.Options, name)
		}
	}
	// A product without a choice has one option "Title" with "Default Title".
	plain := len(p.Options) == 1 && strings.EqualFold(p.Options[0], "Title") && first.get(optionValue(1)) == "Default Title"
	if plain {
		p.Options = nil
	}
	seen := map[string]int{}
	for _, r := range rows {
		if src := r.get(colImage); src != "" && !slices.ContainsFunc(p.Images, func(i catalog.Image) bool { return i.URL == src }) {
			p.Images = append(p.Images, catalog.Image{URL: src, Alt: r.get(colImageAlt)})
		}
		if r.get(optionValue(1)) == "" && r.get(colPrice) == "" && r.get(colSKU) == "" {
			continue // a row that only adds a picture
		}
		v, stock, problem := r.variant(p.Options, currency)
		key := strings.ToLower(strings.Join(v.Options, "\x00"))
		if at, twice := seen[key]; problem == "" && twice {
			problem = fmt.Sprintf("the same options as in line %d", at)
		}
		if problem != "" {
			f.problem(r.line, handle, "%s", problem)
			continue
		}
		seen[key] = r.line
		p.Variants = append(p.Variants, v)
		p.Stock = append(p.Stock, stock)
	}
	if len(p.Variants) == 0 {
		f.problem(first.line, handle, "no row of this product has a variant that can be sold, so it was left out")
		return p, false
	}
	return p, true
}

// variant reads the row's variant, or says which column is wrong.
func (r row) variant(options []string, currency string) (v catalog.VariantInput, stock []Level, problem string) {
	v = catalog.VariantInput{
		SKU:              strings.TrimPrefix(r.get(colSKU), "'"), // spreadsheets quote numbers so
		Barcode:          strings.TrimPrefix(r.get(colBarcode), "'"),
		RequiresShipping: isTrue(r.get(colShipping), true),
		Taxable:          isTrue(r.get(colTaxable), true),
		ImageURL:         r.get(colPicture),
		Line:             r.line,
	}
	for n := range options {
		value := r.get(optionValue(n + 1))
		if value == "" {
			return v, nil, fmt.Sprintf("Option%d Value is empty (%s)", n+1, options[n])
		}
		v.Options = append(v.Options, value)
	}
	price := r.get(colPrice)
	if price == "" {
		return v, nil, "Variant Price is empty"
	}
	var err error
	if v.Price, err = money.Parse(price, currency); err != nil || v.Price.Minor < 0 {
		return v, nil, fmt.Sprintf("Variant Price %q is not an amount in %s such as 19.99", price, currency)
	}
	if was := r.get(colCompareAt); was != "" {
		amount, err := money.Parse(was, currency)
		if err != nil || amount.Minor < 0 {
			return v, nil, fmt.Sprintf("Variant Compare At Price %q is not an amount in %s such as 19.99", was, currency)
		}
		if amount.Minor > 0 {
			v.CompareAt = &amount
		}
	}
	if grams := r.get(colGrams); grams != "" {
		g, err := strconv.ParseFloat(grams, 64)
		if err != nil || g < 0 || g > 1e9 || math.IsNaN(g) {
			return v, nil, fmt.Sprintf("Variant Grams %q is not a weight in grams", grams)
		}
		v.WeightGrams = int64(math.Round(g))
	}
	if qty := r.get(colQuantity); qty != "" {
		n, err := strconv.ParseInt(qty, 10, 64)
		if err != nil || n > inventory.MaxQuantity {
			return v, nil, fmt.Sprintf("Variant Inventory Qty %q is not a number of units up to %d", qty, inventory.MaxQuantity)
		}
		// Shopify counts below zero what it sold without having it.
		stock = []Level{{Warehouse: inventory.DefaultWarehouse, OnHand: max(n, 0)}}
	}
	return v, stock, ""
}

func isTrue(s string, empty bool) bool {
	switch strings.ToLower(s) {
	case "":
		return empty
	case "true", "yes", "1", "y":
		return true
	}
	return false
}

func isLive(status string) bool { return status == "" || strings.EqualFold(status, "active") }
