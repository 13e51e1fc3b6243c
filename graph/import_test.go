package graph_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
)

const importFile = `mutation ($file: Upload!) { productsImport(file: $file) {
	import { productCount stockCount leftOutCount leftOut { line handle message } } userErrors { code field message } } }`

// A merchant imports a file: what can be sold is, what cannot is listed, and
// the same file again brings back nothing that was sold since.
func TestProductsImport(t *testing.T) {
	s := graphtest.New(t, nil)
	mira := s.Staff(identity.Merchant)
	const file = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty\n" +
		"kite,Kite,Colour,Red,KITE-R,19.90,7\n" +
		"kite,,,Blue,KITE-B,19.90,3\n" +
		"yoyo,Yo-yo,,,YOYO,free,1\n" +
		",Nameless,,,NONE,1.00,1\n" +
		"drum,Drum,,,DRUM,25.00,\n"
	again := func() map[string]any {
		t.Helper()
		a := s.UploadAs(mira.Access, importFile, "toys.csv", file)
		got, ok := graphtest.Get(a.Data, "productsImport").(map[string]any)
		if a.Status != 200 || !ok || graphtest.Get(got, "userErrors.0") != nil {
			t.Fatalf("status %d: %s", a.Status, a.Body)
		}
		return got
	}
	first := again()
	if graphtest.Get(first, "import.productCount") != 2.0 || graphtest.Get(first, "import.stockCount") != 2.0 || graphtest.Get(first, "import.leftOutCount") != 3.0 {
		t.Errorf("%v", first)
	}
	left := func(i int) string {
		of := fmt.Sprintf("import.leftOut.%d.", i)
		return fmt.Sprint(graphtest.Get(first, of+"line"), " ", graphtest.Get(first, of+"handle"), " ", graphtest.Get(first, of+"message"))
	}
	for i, want := range []string{"4 yoyo Variant Price", "4 yoyo no row", "5 <nil> Handle is empty"} {
		if got := left(i); !strings.HasPrefix(got, want) {
			t.Errorf("left out: %s, want %s", got, want)
		}
	}
	s.DoAs(mira.Access, `mutation { stockAdjust(input: {sku: "KITE-R", delta: -2, idempotencyKey: "sold-elsewhere"}) { userErrors { code } } }`, nil)
	second := again()
	if graphtest.Get(second, "import.productCount") != 2.0 || graphtest.Get(second, "import.stockCount") != 2.0 {
		t.Errorf("again: %v", second)
	}
	got := s.DoAs(mira.Access, `{ stocks(first: 9, sku: "KITE") { nodes { sku available variant { title product { title } } } } drum: stock(sku: "DRUM") { sku } }`, nil)
	if text := fmt.Sprint(got); text != "map[drum:<nil> stocks:map[nodes:[map[available:3 sku:KITE-B variant:map[product:map[title:Kite] title:Blue]] map[available:5 sku:KITE-R variant:map[product:map[title:Kite] title:Red]]]]]" {
		t.Error(text)
	}
}

// A file that cannot be imported is answered with the reason, and so is what
// is no file.
func TestProductsImportRefuses(t *testing.T) {
	s := graphtest.New(t, nil)
	mira := s.Staff(identity.Merchant)
	for name, c := range map[string]struct{ content, code, says string }{
		"empty":          {"", "INVALID", "empty"},
		"a picture":      {"\x89PNG\r\n\x1a\n\x00\x00", "INVALID", "UTF-8"},
		"a spreadsheet":  {"PK\x03\x04 and so on", "INVALID", "CSV UTF-8"},
		"another table":  {"a,b\n1,2\n", "INVALID", "handle"},
		"broken JSON":    {`[{"title":`, "INVALID", "JSON"},
		"nested JSON":    {strings.Repeat("[", 1<<20), "INVALID", "JSON"},
		"too many lines": {strings.Repeat("\n", 250_001), "TOO_LARGE", "250000 lines"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.UploadAs(mira.Access, importFile, "file", c.content)
			message := fmt.Sprint(graphtest.Get(a.Data, "productsImport.userErrors.0.message"))
			if graphtest.Get(a.Data, "productsImport.userErrors.0.code") != c.code || graphtest.Get(a.Data, "productsImport.import") != nil || !strings.Contains(message, c.says) {
				t.Errorf("status %d: %s", a.Status, a.Body)
			}
		})
	}
	for name, a := range map[string]graphtest.Answer{
		"a word for a file":       s.AskAs(mira.Access, importFile, graphtest.Vars{"file": "products.csv"}),
		"an object for a file":    s.AskAs(mira.Access, importFile, graphtest.Vars{"file": graphtest.Vars{"name": "products.csv"}}),
		"no file":                 s.AskAs(mira.Access, importFile, nil),
		"a file for a word":       s.UploadAs(mira.Access, `query ($file: String!) { product(handle: $file) { id } }`, "file", "x"),
		"a file for a number":     s.UploadAs(mira.Access, `query ($file: Int!) { products(first: $file) { nodes { id } } }`, "file", "x"),
		"a file for an input":     s.UploadAs(mira.Access, `mutation ($file: CartInput) { cartCreate(input: $file) { cart { id } } }`, "file", "x"),
		"a file for a list":       s.UploadAs(mira.Access, `query ($file: [ID!]!) { nodes(ids: $file) { id } }`, "file", "x"),
		"a file for an enum":      s.UploadAs(mira.Access, `query ($file: ProductSortKeys) { products(first: 1, sortKey: $file) { nodes { id } } }`, "file", "x"),
		"a file nobody asked for": s.UploadAs(mira.Access, `query ($file: Nothing) { shop { name } }`, "file", "x"),
	} {
		if len(a.Errors) == 0 || graphtest.Get(a.Data, "productsImport") != nil || a.Errors[0].Extensions["code"] == nil || a.Errors[0].Extensions["code"] == "INTERNAL_SERVER_ERROR" {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	if log := s.Log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
}

// What could not be imported to its end says how far it came, and goes on when
// it is imported again.
func TestProductsImportGoesOn(t *testing.T) {
	var calls atomic.Int64
	s := graphtest.New(t, func(o *graph.Options) { o.Catalog = &tiring{o.Catalog, &calls} })
	mira := s.Staff(identity.Merchant)
	var file strings.Builder
	file.WriteString("Handle,Title,Variant Price,Variant Inventory Qty\n")
	for i := range 150 {
		fmt.Fprintf(&file, "part-%d,Part %d,1.00,%d\n", i, i, i)
	}
	a := s.UploadAs(mira.Access, importFile, "parts.csv", file.String())
	message := fmt.Sprint(graphtest.Get(a.Data, "productsImport.userErrors.0.message"))
	if graphtest.Get(a.Data, "productsImport.userErrors.0.code") != "UNFINISHED" || graphtest.Get(a.Data, "productsImport.import.productCount") != 100.0 || !strings.Contains(message, "100 of 150") {
		t.Errorf("%s", a.Body)
	}
	a = s.UploadAs(mira.Access, importFile, "parts.csv", file.String())
	if graphtest.Get(a.Data, "productsImport.userErrors.0") != nil || graphtest.Get(a.Data, "productsImport.import.productCount") != 150.0 || graphtest.Get(a.Data, "productsImport.import.stockCount") != 150.0 {
		t.Errorf("%s", a.Body)
	}
}

// tiring is a catalogue that cannot be reached at the second Put.
type tiring struct {
	catalog.Service
	calls *atomic.Int64
}

var errTired = fault.New(fault.Unavailable, "test.tired", "The catalogue is away.")

func (c *tiring) Put(ctx context.Context, who identity.Caller, products []catalog.ProductInput) ([]catalog.PutResult, error) {
	if c.calls.Add(1) == 2 {
		return nil, errTired
	}
	return c.Service.Put(ctx, who, products)
}
