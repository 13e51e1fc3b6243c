// Package feed reads product files as merchants have them, and puts them into
// the catalogue and onto the shelves.
package feed

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// MaxFile is the largest file that is read, in bytes.
const MaxFile = 512 << 20

// ErrFile is a file that cannot be read as products at all.
var ErrFile = fault.New(fault.Invalid, "feed.file", "This is not a product file.")

// A Product is a product as a file has it, with what lies on the shelves.
type Product struct {
	catalog.ProductInput
	Stock [][]Level // of each variant; nil leaves its stock as it is
}

// A Level is how many units of a variant a warehouse has.
type Level struct {
	Warehouse string
	OnHand    int64
}

// A Problem is a part of a file that was left out.
type Problem struct {
	Line   int    // of the file, counted from 1; 0: no line in particular
	Handle string // of the product, where it is known
	Text   string
}

// String is the problem with its place: "line 3: mug: Variant Price is empty".
func (p Problem) String() string {
	text := p.Text
	if p.Handle != "" {
		text = p.Handle + ": " + text
	}
	if p.Line > 0 {
		text = fmt.Sprintf("line %d: %s", p.Line, text)
	}
	return text
}

// MaxProblems is how many problems of one file are listed.
const MaxProblems = 10_000

// A File is what was read of one file.
type File struct {
	Name     string
	Sum      string // of its content, so that the same file is known again
	Products []Product
	Problems []Problem // the first MaxProblems
	Unlisted int       // how many more there are
}

// Read reads a file: Shopify's product CSV, or a JSON array of products as
// DummyJSON publishes it. Rows that cannot be used are in Problems and do not
// hinder the others; ErrFile where nothing can be made of the whole.
func Read(name string, r io.Reader, currency string) (File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > MaxFile {
		return File{}, ErrFile.Say("%s is larger than %d MB: split it.", name, MaxFile>>20)
	}
	sum := sha256.Sum256(data)
	f := File{Name: filepath.Base(name), Sum: hex.EncodeToString(sum[:8])}
	data, err = plainText(data)
	if err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && (first[0] == '[' || first[0] == '{') {
		err = f.readJSON(data, currency)
	} else {
		err = f.readCSV(data, currency)
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// plainText strips a byte order mark and refuses what is not UTF-8.
func plainText(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return nil, ErrFile.Say("This file is in UTF-16: save it as UTF-8 (in a spreadsheet: CSV UTF-8).")
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil, ErrFile.Say("This is a spreadsheet or an archive: export it as CSV UTF-8.")
	}
	data = bytes.TrimPrefix(data, []byte{0xef, 0xbb, 0xbf})
	if !utf8.Valid(data) {
		return nil, ErrFile.Say("Line %d is not UTF-8: save the file as UTF-8 (in a spreadsheet: CSV UTF-8).", badLine(data))
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, ErrFile.Say("This file holds binary data: it is no text.")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, ErrFile.Say("This file is empty.")
	}
	return data, nil
}

func badLine(data []byte) int {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, MaxFile)
	for n := 1; lines.Scan(); n++ {
		if !utf8.Valid(lines.Bytes()) {
			return n
		}
	}
	return 1
}

// Shelves is the part of the inventory service that a load needs.
type Shelves interface {
	Adjust(ctx context.Context, who identity.Caller, changes []inventory.Change) ([]inventory.Stock, error)
}

// A Report says what became of the products of a load.
type Report struct {
	Added, Changed, Unchanged, Refused int
	Variants                           int
	Counted                            int       // SKUs whose stock is counted as the file has it, now or by an earlier load of it
	Problems                           []Problem // by line; of a file with more than MaxProblems that cannot be read, the first
	LeftOut                            int       // how many problems there are, listed or not
}

// Done is how many products are in the catalogue as the file has them.
func (r *Report) Done() int { return r.Added + r.Changed + r.Unchanged }

// batch is how many products go into the catalogue at a time.
const batch = 100

// changesAtOnce is how many changes of stock are sent in one call: a product
// may have two thousand variants, and the inventory takes only so many
// (inventory.MaxChanges) and has only so long for them.
const changesAtOnce = 2_000

// Stocks is the part of the inventory service that an import needs.
type Stocks interface {
	Shelves
	Warehouses(ctx context.Context) ([]inventory.Warehouse, error)
	PutWarehouse(ctx context.Context, who identity.Caller, w inventory.Warehouse) error
}

// Import brings a file into the shop: Load of all its products, after the
// warehouse that files speak of was opened if there is none. Who may not do
// all of it does nothing: catalog.ErrForbidden, inventory.ErrForbidden. With
// another error the report says how far it came; importing the file again goes
// on from there.
func Import(ctx context.Context, who identity.Caller, f File, to catalog.Service, stock Stocks, progress func(done int)) (Report, error) {
	switch {
	case !who.May(identity.ProductsWrite):
		return Report{}, catalog.ErrForbidden
	case f.hasStock() && !who.May(identity.StockWrite):
		return Report{}, inventory.ErrForbidden.Say("This file says how many there are, and you may not count stock. Leave that out of it.")
	}
	if err := openMain(ctx, who, stock); err != nil {
		return Report{}, err
	}
	report, err := Load(ctx, who, f.Products, "import:"+f.Sum, to, stock, progress)
	report.Problems = slices.Concat(f.Problems, report.Problems)
	slices.SortStableFunc(report.Problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	report.LeftOut = len(report.Problems) + f.Unlisted
	return report, err
}

func (f *File) hasStock() bool {
	return slices.ContainsFunc(f.Products, func(p Product) bool {
		return slices.ContainsFunc(p.Stock, func(of []Level) bool { return len(of) > 0 })
	})
}

// openMain opens the warehouse whose stock files state, unless it is there.
func openMain(ctx context.Context, who identity.Caller, stock Stocks) error {
	there, err := stock.Warehouses(ctx)
	if err != nil || slices.ContainsFunc(there, func(w inventory.Warehouse) bool { return w.ID == inventory.DefaultWarehouse }) {
		return err
	}
	return stock.PutWarehouse(ctx, who, inventory.Warehouse{ID: inventory.DefaultWarehouse, Name: "Main", Priority: 1})
}

// Load puts products into the catalogue and their stock onto the shelves. It
// can be repeated: products are known by their handle, and the stock that one
// file states is counted once for it, so that loading a file again does not
// bring back what was sold since. source names the file's content.
func Load(ctx context.Context, who identity.Caller, products []Product, source string, to catalog.Service, shelves Shelves, progress func(done int)) (Report, error) {
	var report Report
	counted := map[string]bool{}
	for start := 0; start < len(products); start += batch {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		part := products[start:min(start+batch, len(products))]
		inputs := make([]catalog.ProductInput, len(part))
		for i, p := range part {
			inputs[i] = p.ProductInput
		}
		results, err := to.Put(ctx, who, inputs)
		if err != nil {
			return report, fmt.Errorf("put products: %w", err)
		}
		var changes []inventory.Change
		for i, r := range results {
			report.count(part[i], r)
			if r.Outcome != catalog.Refused {
				changes = append(changes, part[i].changes(r.Product, source)...)
			}
		}
		for some := range slices.Chunk(changes, changesAtOnce) {
			if err := report.adjust(ctx, who, some, shelves, counted); err != nil {
				return report, fmt.Errorf("adjust stock: %w", err)
			}
		}
		if progress != nil {
			progress(start + len(part))
		}
	}
	return report, nil
}

// adjust makes changes of stock together or, if one of them cannot be because
// buyers were promised more than the file says is there, each by itself.
func (r *Report) adjust(ctx context.Context, who identity.Caller, changes []inventory.Change, shelves Shelves, counted map[string]bool) error {
	_, err := shelves.Adjust(ctx, who, changes)
	switch {
	case err == nil:
		for _, c := range changes {
			counted[c.SKU] = true
		}
	case !errors.Is(err, inventory.ErrNegative):
		return err
	case len(changes) == 1:
		r.Problems = append(r.Problems, Problem{Text: fmt.Sprintf("stock of %s: %s", changes[0].SKU, fault.Of(err).Message)})
	default:
		for one := range slices.Chunk(changes, 1) {
			if err := r.adjust(ctx, who, one, shelves, counted); err != nil {
				return err
			}
		}
	}
	r.Counted = len(counted)
	return nil
}

func (r *Report) count(p Product, result catalog.PutResult) {
	switch result.Outcome {
	case catalog.Added:
		r.Added++
	case catalog.Changed:
		r.Changed++
	case catalog.Unchanged:
		r.Unchanged++
	case catalog.Refused:
		r.Refused++
		r.Problems = append(r.Problems, Problem{Line: p.Line, Handle: p.Handle, Text: result.Problem})
		return
	}
	r.Variants += len(result.Product.Variants)
}

// changes says how the stock of each variant is to be. The catalogue answers
// with the variants that it has, so they are found by their options.
func (p Product) changes(as catalog.Product, source string) []inventory.Change {
	skus := make(map[string]string, len(as.Variants))
	for _, v := range as.Variants {
		key := make([]string, len(v.Selected))
		for i, s := range v.Selected {
			key[i] = s.Value
		}
		skus[strings.Join(key, "\x00")] = v.SKU
	}
	var changes []inventory.Change
	for i, v := range p.Variants {
		if i >= len(p.Stock) {
			break
		}
		sku, ok := skus[strings.Join(v.Options, "\x00")]
		if !ok && len(as.Variants) == 1 {
			sku = as.Variants[0].SKU
		}
		if sku == "" {
			continue
		}
		for _, level := range p.Stock[i] {
			units := level.OnHand
			changes = append(changes, inventory.Change{
				Key: source + ":" + sku + ":" + level.Warehouse, SKU: sku, Warehouse: level.Warehouse, Set: &units, Reason: "import",
			})
		}
	}
	return changes
}
