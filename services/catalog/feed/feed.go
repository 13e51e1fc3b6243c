// Package feed reads product files as merchants have them, and puts them into
// the catalogue and onto the shelves.
package feed

import (
	"bufio"
	"bytes"
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
	Line int // of the file, counted from 1; 0: no line in particular
	Text string
}

// A File is what was read of one file.
type File struct {
	Name     string
	Sum      string // of its content, so that the same file is known again
	Products []Product
	Problems []Problem
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
	Problems                           []Problem
}

// batch is how many products go into the catalogue at a time.
const batch = 100

// changesAtOnce is how many changes of stock are sent in one call: a product
// may have two thousand variants, and the inventory takes only so many
// (inventory.MaxChanges) and has only so long for them.
const changesAtOnce = 2_000

// Load puts products into the catalogue and their stock onto the shelves. It
// can be repeated: products are known by their handle, and the stock that one
// file states is counted once for it, so that loading a file again does not
// bring back what was sold since. source names the file's content.
func Load(ctx context.Context, who identity.Caller, products []Product, source string, to catalog.Service, shelves Shelves, progress func(done int)) (Report, error) {
	var report Report
	for start := 0; start < len(products); start += batch {
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
			if _, err := shelves.Adjust(ctx, who, some); err != nil {
				if !errors.Is(err, inventory.ErrNegative) {
					return report, fmt.Errorf("adjust stock: %w", err)
				}
				report.adjustOneByOne(ctx, who, some, shelves)
			}
		}
		if progress != nil {
			progress(start + len(part))
		}
	}
	return report, nil
}

// adjustOneByOne finds out which of the changes cannot be, because buyers
// were promised more than the file says is there.
func (r *Report) adjustOneByOne(ctx context.Context, who identity.Caller, changes []inventory.Change, shelves Shelves) {
	for _, c := range changes {
		if _, err := shelves.Adjust(ctx, who, []inventory.Change{c}); err != nil {
			r.Problems = append(r.Problems, Problem{Text: fmt.Sprintf("stock of %s: %s", c.SKU, fault.Of(err).Message)})
		}
	}
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
		r.Problems = append(r.Problems, Problem{Line: p.Line, Text: fmt.Sprintf("%s: %s", p.Handle, result.Problem)})
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
