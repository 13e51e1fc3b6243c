package feed_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"ordergraph/platform/money"
	"ordergraph/services/catalog/feed"
)

const head = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Image Alt Text,Variant Image\n"

func read(t *testing.T, text string) feed.File {
	t.Helper()
	f, err := feed.Read("products.csv", strings.NewReader(text), "EUR")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestVariantsAndImagesSpreadOverRows(t *testing.T) {
	f := read(t, "\xef\xbb\xbf"+head+
		`shirt,Shirt,"<p>Soft,`+"\n"+`and ""warm""</p>",Weaver,Tops,"summer, cotton ",TRUE,Size,S,Colour,Red,SH-S,200,4,19.90,25,https://x.test/a.jpg,front,https://x.test/b.jpg`+"\n"+
		`shirt,,,,,,,,M,,Red,SH-M,210.6,-2,20,,https://x.test/b.jpg,back,`+"\n"+
		`mug,Mug,,,,,,Title,Default Title,,,,,,7.5,0,,,`+"\n"+
		`shirt,,,,,,,,,,,,,,,,https://x.test/c.jpg,,`+"\n")
	if f.Problems != nil {
		t.Fatalf("problems: %v", f.Problems)
	}
	if len(f.Products) != 2 {
		t.Fatalf("%d products", len(f.Products))
	}
	shirt, mug := f.Products[0], f.Products[1]
	if shirt.HTML != "<p>Soft,\nand \"warm\"</p>" || !reflect.DeepEqual(shirt.Tags, []string{"summer", "cotton"}) {
		t.Errorf("shirt: %+v", shirt)
	}
	if len(shirt.Variants) != 2 || len(shirt.Images) != 3 {
		t.Fatalf("%d variants, %d images", len(shirt.Variants), len(shirt.Images))
	}
	small, medium := shirt.Variants[0], shirt.Variants[1]
	if small.Price != money.Of(1990, "EUR") || *small.CompareAt != money.Of(2500, "EUR") || small.ImageURL != "https://x.test/b.jpg" {
		t.Errorf("small: %+v", small)
	}
	if medium.Price != money.Of(2000, "EUR") || medium.CompareAt != nil || medium.WeightGrams != 211 {
		t.Errorf("medium: %+v", medium)
	}
	if shirt.Stock[0][0].OnHand != 4 || shirt.Stock[1][0].OnHand != 0 {
		t.Errorf("stock: %v", shirt.Stock)
	}
	if mug.Options != nil || len(mug.Variants) != 1 || mug.Variants[0].Options != nil || mug.Stock[0] != nil || mug.Variants[0].CompareAt != nil {
		t.Errorf("mug: %+v", mug)
	}
}

func TestBadRowsAreNamedAndTheOthersKept(t *testing.T) {
	f := read(t, head+
		"a,A,,,,,,Size,S,,,,,,abc,,,,\n"+ // line 2: price
		"a,,,,,,,,M,,,,,,5,,,,\n"+
		"a,,,,,,,,M,,,,,,5,,,,\n"+ // line 4: the same options
		"b,,,,,,,,,,,,,,5,,,,\n"+ // line 5: title
		",C,,,,,,,,,,,,,5,,,,\n"+ // line 6: handle
		"d,D,,,,,,,,,,,x,,5,,,,\n"+ // line 7: grams
		"e,E,,,,,,,,,,,,1.5,5,,,,\n"+ // line 8: quantity
		"f,F,,,,,,,,,,,,,5,,,,,,,\n"+ // line 9: too many fields
		"g,G \"quoted\" title,,,,,,,,,,,,,5,,,,\n"+ // line 10: bare quotes
		"h,H,,,,,,,,,,,,,-5,,,,\n"+ // line 11: negative
		"i,I,,,,,,,,,,,,,1.005,,,,\n"+ // line 12: too exact
		"ok,Fine,,,,,,,,,,,,,5,,,,\n")
	var handles []string
	for _, p := range f.Products {
		handles = append(handles, p.Handle)
	}
	if !reflect.DeepEqual(handles, []string{"a", "ok"}) {
		t.Errorf("products: %v", handles)
	}
	want := map[int]string{2: "Variant Price", 4: "line 3", 5: "Title is empty", 6: "Handle is empty", 7: "Variant Grams",
		8: "Variant Inventory Qty", 9: "fields", 10: "quotation mark", 11: "Variant Price", 12: "Variant Price"}
	for line, text := range want {
		found := false
		for _, p := range f.Problems {
			found = found || p.Line == line && strings.Contains(p.Text, text)
		}
		if !found {
			t.Errorf("line %d is not said to have %q", line, text)
		}
	}
	if t.Failed() {
		for _, p := range f.Problems {
			t.Logf("line %d: %s", p.Line, p.Text)
		}
	}
}

func TestAnUnclosedQuoteIsReportedWhereItOpens(t *testing.T) {
	f := read(t, head+"ok,Fine,,,,,,,,,,,,,5,,,,\n"+`a,"A,,,,,,,,,,,,,5,,,,`+"\n"+strings.Repeat("b,B,,,,,,,,,,,,,5,,,,\n", 60))
	if len(f.Products) != 1 || len(f.Problems) != 1 || f.Problems[0].Line != 3 {
		t.Errorf("%d products, problems %v", len(f.Products), f.Problems)
	}
}

func TestOtherSpellingsOfTheFormat(t *testing.T) {
	f := read(t, "Title;URL handle;Price;Inventory quantity;Status\nA;a;1.50;3;Active\nB;b;2;;Draft\n")
	if len(f.Products) != 2 || f.Products[0].Variants[0].Price.Minor != 150 || f.Products[0].Stock[0][0].OnHand != 3 {
		t.Fatalf("%+v", f)
	}
	if !f.Products[0].Published || f.Products[1].Published {
		t.Error("a draft is published")
	}
}

func TestWhatIsNoProductFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "empty",
		" \n":                      "empty",
		"\xff\xfeH\x00":            "UTF-16",
		"PK\x03\x04rest":           "spreadsheet",
		"Handle,Title\n":           "variant price",
		"Handle,Title,Handle\n":    "twice",
		head + "a,M\xfcller,,,\n":  "Line 2 is not UTF-8",
		"name;price\nx;1\n":        "handle",
		`{"a": 1}`:                 "products",
		`[{"title": "x"`:           "JSON",
		"Handle\x00,Title,Price\n": "binary",
	} {
		_, err := feed.Read("f", strings.NewReader(text), "EUR")
		if !errors.Is(err, feed.ErrFile) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	f := read(t, `{"products": [
		{"title": "Lip Stick & Co", "price": 9.99, "stock": 3, "brand": "X", "sku": "LIP-1", "weight": 2, "category": "mens-shirts", "tags": ["a"], "images": ["https://x.test/1.webp"], "description": "a < b", "discountPercentage": 10},
		{"title": "", "price": 1},
		{"title": "Lip Stick & Co", "price": 1, "sku": "LIP-2"},
		{"title": "No price"},
		{"title": 7}
	]}`)
	if len(f.Products) != 2 || len(f.Problems) != 3 {
		t.Fatalf("%d products, problems %v", len(f.Products), f.Problems)
	}
	p := f.Products[0]
	if p.Handle != "lip-stick-co" || p.Type != "Mens shirts" || p.HTML != "<p>a &lt; b</p>" || p.Variants[0].CompareAt.Minor != 1110 || p.Stock[0][0].OnHand != 3 {
		t.Errorf("%+v", p)
	}
	if f.Products[1].Handle != "lip-stick-co-lip-2" || f.Problems[0].Line != 3 {
		t.Errorf("%+v %v", f.Products[1], f.Problems)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(head + "a,A,,,,,,Size,S,,,,,,1,,,,\n")
	f.Add(`[{"title":"x","price":1}]`)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := feed.Read("f", strings.NewReader(text), "EUR")
		if err != nil {
			return
		}
		for _, p := range file.Products {
			if p.Handle == "" || p.Title == "" || len(p.Variants) == 0 || len(p.Variants) != len(p.Stock) {
				t.Errorf("%+v", p)
			}
		}
	})
}
