package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

const header = "Handle,Title,Variant Price,Variant Inventory Qty\n"

// goods has two good products, and what is wrong on lines 3 to 7.
const goods = header +
	"mug,Mug,5.00,3\n" +
	"cup,Cup,cheap,3\n" +
	",Nameless,5.00,3\n" +
	"plate,Plate,7.00,many\n" +
	"bowl,,7.00,3\n" +
	"jug,Jug,7.00,3,4,5\n" +
	"pot,Pot,9.00,2\n"

// many is a file of n products.
func many(n int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range n {
		fmt.Fprintf(&b, "mug-%d,Mug %d,5.00,9\n", i, i)
	}
	return b.String()
}

func TestFilesThatAreNone(t *testing.T) {
	t.Parallel()
	set := fresh(t)
	for _, c := range []struct {
		file string
		says string
	}{
		{"nope.csv", "nope.csv: no such file"},
		{t.TempDir(), "is a directory"},
		{write(t, "empty.csv", ""), "empty"},
		{write(t, "utf16.csv", "\xff\xfeH\x00a\x00"), "UTF-16"},
		{write(t, "sheet.xlsx", "PK\x03\x04..."), "spreadsheet"},
		{write(t, "latin1.csv", header+"caf\xe9,Caf\xe9,5,1\n"), "Line 2"},
		{write(t, "other.csv", "Name,Price\nMug,5\n"), "handle"},
		{write(t, "twice.csv", "Handle,Title,Title,Variant Price\n"), "Title"},
		{write(t, "broken.json", `[{"title": "Mug"`), "broken.json"},
	} {
		run(t, set, "import", c.file).want(2, filepath.Base(c.file), c.says)
	}
	// One bad file among good ones: nothing was begun.
	run(t, set, "import", write(t, "goods.csv", goods), "nope.csv").want(2, "nope.csv")
	if left, _ := filepath.Glob(filepath.Join(set["DATA_DIR"], "*")); left != nil {
		t.Errorf("it left %v", left)
	}
}

// Bad rows are told by line, and the others are there: first on the stores
// themselves, then through the shop that runs on them.
func TestImportTellsBadRowsAndIsRepeatable(t *testing.T) {
	t.Parallel()
	set := fresh(t)
	file := write(t, "goods.csv", goods)
	bad := []string{"line 3: cup", "cheap", "line 4: Handle is empty", "line 5: plate", "many", "line 6: bowl", "Title", "line 7: 6 fields", "7 left out"}
	run(t, set, "import", file).want(3, append(bad, "2 added, 0 changed, 0 unchanged")...)
	run(t, set, "import", file).want(3, append(bad, "0 added, 0 changed, 2 unchanged")...)
	run(t, set, "check").want(0, "2 SKUs")

	s := serve(t, set)
	if _, units := s.stock("mug"); units != 3 {
		t.Errorf("%d mugs, want 3", units)
	}
	bought := s.buy("mug")
	run(t, set, "import", file).want(3, append(bad, "0 added, 0 changed, 2 unchanged")...)
	if _, units := s.stock("mug"); units != 2 {
		t.Errorf("%d mugs, want 2: the sale was forgotten", units)
	}
	var got struct {
		Products struct{ Nodes []struct{ Handle string } }
	}
	if s.ask(`{ products(first: 10) { nodes { handle } } }`, nil, &got); len(got.Products.Nodes) != 2 {
		t.Errorf("products: %+v", got)
	}
	// The merchant changes a price and counts again.
	run(t, set, "import", write(t, "goods2.csv", header+"mug,Mug,6.00,8\n")).want(0, "0 added, 1 changed, 0 unchanged")
	if _, units := s.stock("mug"); units != 8 {
		t.Errorf("%d mugs, want 8", units)
	}
	s.wantOrder(bought)
	run(t, set, "check").want(0, "1 orders", "1 payments", "taken")

	// A shop that knows another secret is somebody else's.
	for _, args := range [][]string{{"import", file}, {"check"}} {
		run(t, set.with(settings{"RPC_SECRET": password}), args...).want(1, "RPC_SECRET")
	}
	if _, units := s.stock("mug"); units != 8 {
		t.Errorf("%d mugs, want 8", units)
	}
	// A shop that is named must be there.
	run(t, set.with(settings{"CATALOG_ADDR": set["SANDBOX_ADDR"]}), "import", file).want(1, "CATALOG_ADDR", "does not answer")
	s.stop()

	// Without the shop, the sandbox's books are opened beside its own.
	run(t, set, "check").want(0, "1 orders", "1 payments")
	run(t, set, "check", "invoices").want(0, "documents")
	run(t, set, "check", "invoice").want(2, "consignments", "check --help")
	run(t, set.with(settings{"DATA_DIR": t.TempDir()}), "check").want(2, "DATA_DIR", "GRPC_ADDR")
}

func TestPricesOfAnotherCurrency(t *testing.T) {
	t.Parallel()
	set := fresh(t).with(settings{"CURRENCY": "JPY"})
	file := write(t, "goods.csv", header+"mug,Mug,5.50,3\nkettle,Kettle,5000,3\n")
	run(t, set, "import", file).want(3, "1 added", "line 2", "JPY")
	s := serve(t, set)
	o := run(t, set.with(settings{"CURRENCY": "EUR"}), "import", file)
	if o.code == 0 || !strings.Contains(o.out+o.err, "JPY") {
		t.Errorf("euros in a shop of yen: %d\n%s%s", o.code, o.out, o.err)
	}
	s.stop()
}
