package catalogtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/platform/money"
	"ordergraph/services/catalog"
)

// A Shop is an empty catalogue that sells in Currency, and a way to say what
// inventory would.
type Shop struct {
	catalog.Service
	SetStock func(t *testing.T, sku string, in bool)
}

// Run holds a catalogue to its contract. open makes a new one each time.
func Run(t *testing.T, open func(t *testing.T) Shop) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *shop)
	}{
		{"PutKeepsIDsAndWritesOnlyChanges", putKeepsIDs},
		{"PutNamesTheFieldAtFault", putNamesTheField},
		{"PutTidiesUp", putTidiesUp},
		{"PutMakesSafeHTML", putMakesSafeHTML},
		{"WhoMayPut", whoMayPut},
		{"WhatDoesNotExistIsAbsent", absent},
		{"UnpublishedIsInvisible", unpublished},
		{"SoldUnderASKU", soldUnder},
		{"WhatIsGivenOutIsTheCallers", givenOut},
		{"WordsFind", wordsFind},
		{"BetterMatchesComeFirst", betterFirst},
		{"SyntaxFinds", syntaxFinds},
		{"BadSyntaxIsWords", badSyntax},
		{"FiltersNarrow", filtersNarrow},
		{"FacetsCount", facetsCount},
		{"FacetsIgnoreTheirOwnFilter", facetsMultiSelect},
		{"StockIsFollowed", stockFollowed},
		{"EverySortKeyBothWays", sortKeys},
		{"PagesHoldStillWhileProductsAreAdded", pagesHoldStill},
		{"PagesBackwards", pagesBackwards},
		{"ForeignCursorsAreRefused", foreignCursors},
		{"LimitsNameTheField", limits},
		{"CollectionsByRuleAndByHand", collections},
		{"CollectionsArePaged", collectionPages},
		{"RecommendationsGoWell", recommendations},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, &shop{open(t)})
		})
	}
}

type shop struct{ Shop }

var merchant = identity.Caller{Roles: []identity.Role{identity.Merchant}}

func (s *shop) put(t *testing.T, products ...catalog.ProductInput) []catalog.Product {
	t.Helper()
	results, err := s.Put(t.Context(), merchant, products)
	if err != nil {
		t.Fatal(err)
	}
	put := make([]catalog.Product, len(results))
	for i, r := range results {
		if r.Outcome == catalog.Refused {
			t.Fatalf("%s was refused: %s", products[i].Title, r.Problem)
		}
		put[i] = r.Product
	}
	return put
}

// outcome puts one product and tells what became of it.
func (s *shop) outcome(t *testing.T, p catalog.ProductInput) catalog.PutResult {
	t.Helper()
	results, err := s.Put(t.Context(), merchant, []catalog.ProductInput{p})
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

func (s *shop) search(t *testing.T, q catalog.Search) catalog.Found {
	t.Helper()
	found, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %q: %v", q.Text, err)
	}
	return found
}

// titles are what is found, in order.
func (s *shop) titles(t *testing.T, q catalog.Search) []string {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 50
	}
	list := []string{}
	for _, p := range s.search(t, q).Products {
		list = append(list, p.Title)
	}
	return list
}

func (s *shop) wantTitles(t *testing.T, q catalog.Search, want ...string) {
	t.Helper()
	got := s.titles(t, q)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("search %q %+v found %q, want %q", q.Text, q.Filters, got, want)
	}
}

func wantFault(t *testing.T, err error, want *fault.Error, field string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	} else if got := fault.Of(err).Details["field"]; got != field {
		t.Errorf("%v names the field %q, want %q", err, got, field)
	}
}

func putKeepsIDs(t *testing.T, s *shop) {
	tee := Sample()[0]
	first := s.outcome(t, tee)
	if first.Outcome != catalog.Added {
		t.Fatalf("first time: %s", first.Outcome)
	}
	if first.Product.Handle != "ocean-blue-t-shirt" {
		t.Errorf("handle %q", first.Product.Handle)
	}
	skus := map[string]bool{}
	for _, v := range first.Product.Variants {
		if v.SKU == "" || skus[v.SKU] || !strings.HasPrefix(v.ID, first.Product.ID+"-") {
			t.Errorf("variant %s: SKU %q, id %q", v.Title, v.SKU, v.ID)
		}
		skus[v.SKU] = true
	}
	again := s.outcome(t, tee)
	if again.Outcome != catalog.Unchanged || again.Product.Version != first.Product.Version {
		t.Errorf("second time: %s, version %d", again.Outcome, again.Product.Version)
	}
	if !reflect.DeepEqual(again.Product, first.Product) {
		t.Errorf("second time: %+v\nfirst: %+v", again.Product, first.Product)
	}

	// One variant goes, one comes, the order changes, one gets dearer.
	tee.Variants = []catalog.VariantInput{tee.Variants[3], tee.Variants[1], tee.Variants[0]}
	tee.Variants[0].Price = money.Of(2499, Currency)
	extra := tee.Variants[1]
	extra.SKU, extra.Options = "", []string{"XL", "Green"}
	tee.Variants = append(tee.Variants, extra)
	changed := s.outcome(t, tee)
	if changed.Outcome != catalog.Changed || changed.Product.ID != first.Product.ID || changed.Product.Version != first.Product.Version+1 {
		t.Fatalf("changed: %+v", changed)
	}
	was := map[string]catalog.Variant{}
	for _, v := range first.Product.Variants {
		was[v.Title] = v
	}
	for i, title := range []string{"M / White", "M / Blue", "S / Blue"} {
		v := changed.Product.Variants[i]
		if v.Title != title || v.ID != was[title].ID || v.SKU != was[title].SKU {
			t.Errorf("variant %d is %s %s %s, was %+v", i, v.Title, v.ID, v.SKU, was[title])
		}
	}
	for title, v := range was {
		if changed.Product.Variants[3].ID == v.ID {
			t.Errorf("the new variant has the id of %s", title)
		}
	}
	if n, err := s.Count(t.Context()); err != nil || n != 1 {
		t.Errorf("count %d, %v", n, err)
	}
	got, err := s.Variants(t.Context(), []string{was["M / Blue"].ID, was["L / Blue"].ID, was["M / Blue"].ID})
	if err != nil || len(got) != 1 || got[was["M / Blue"].ID].Product.Title != tee.Title {
		t.Errorf("variants: %+v, %v", got, err)
	}
}

func putNamesTheField(t *testing.T, s *shop) {
	with := func(change func(*catalog.ProductInput)) catalog.ProductInput {
		p := WithOptions(Product("A shirt", 1000), "Size", "S", "M")
		change(&p)
		return p
	}
	for field, p := range map[string]catalog.ProductInput{
		"title":                with(func(p *catalog.ProductInput) { p.Title = "  " }),
		"handle":               with(func(p *catalog.ProductInput) { p.Handle = "a shirt/../etc" }),
		"vendor":               with(func(p *catalog.ProductInput) { p.Vendor = "\xff\xfe" }),
		"type":                 with(func(p *catalog.ProductInput) { p.Type = strings.Repeat("x", 300) }),
		"html":                 with(func(p *catalog.ProductInput) { p.HTML = strings.Repeat("<p>", 300_000) }),
		"tags.1":               with(func(p *catalog.ProductInput) { p.Tags = []string{"ok", "bell\a"} }),
		"images.0.url":         with(func(p *catalog.ProductInput) { p.Images = []catalog.Image{{URL: "javascript:alert(1)"}} }),
		"images.1.url":         with(func(p *catalog.ProductInput) { p.Images = []catalog.Image{{URL: "/a.jpg"}, {URL: "//evil/a.jpg"}} }),
		"options":              with(func(p *catalog.ProductInput) { p.Options = []string{"A", "B", "C", "D"} }),
		"options.0":            with(func(p *catalog.ProductInput) { p.Options = []string{""} }),
		"variants":             with(func(p *catalog.ProductInput) { p.Variants = nil }),
		"variants.1.options":   with(func(p *catalog.ProductInput) { p.Variants[1].Options = []string{"S"} }),
		"variants.0.options":   with(func(p *catalog.ProductInput) { p.Variants[0].Options = nil }),
		"variants.1.options.0": with(func(p *catalog.ProductInput) { p.Variants[1].Options = []string{" "} }),
		"variants.0.price":     with(func(p *catalog.ProductInput) { p.Variants[0].Price.Minor = -1 }),
		"variants.1.price":     with(func(p *catalog.ProductInput) { p.Variants[1].Price.Currency = "USD" }),
		"variants.0.compareAt": with(func(p *catalog.ProductInput) { was := money.Of(-5, Currency); p.Variants[0].CompareAt = &was }),
		"variants.0.weight":    with(func(p *catalog.ProductInput) { p.Variants[0].WeightGrams = -5 }),
		"variants.0.image":     with(func(p *catalog.ProductInput) { p.Variants[0].ImageURL = "data:image/png;base64,AA" }),
	} {
		results, err := s.Put(t.Context(), merchant, []catalog.ProductInput{Product("Good "+field, 100), p})
		if err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		if results[0].Outcome != catalog.Added {
			t.Errorf("%s: the good one: %+v", field, results[0])
		}
		if r := results[1]; r.Outcome != catalog.Refused || !strings.HasPrefix(r.Problem, field+": ") || r.Product.ID != "" {
			t.Errorf("%s: %s %q", field, r.Outcome, r.Problem)
		}
	}
	results, err := s.Put(t.Context(), merchant, []catalog.ProductInput{Product("Twice", 1), Product("Twice", 2)})
	if err != nil || results[0].Outcome != catalog.Added || results[1].Outcome != catalog.Refused || !strings.HasPrefix(results[1].Problem, "handle: ") {
		t.Errorf("the same handle twice: %+v, %v", results, err)
	}
	two := Product("No options", 5)
	two.Variants = append(two.Variants, two.Variants[0])
	if r := s.outcome(t, two); r.Outcome != catalog.Refused || !strings.HasPrefix(r.Problem, "variants: ") {
		t.Errorf("two variants without options: %+v", r)
	}
	many := make([]catalog.ProductInput, catalog.MaxImport+1)
	_, err = s.Put(t.Context(), merchant, many)
	wantFault(t, err, catalog.ErrInput, "products")
}

func putTidiesUp(t *testing.T, s *shop) {
	p := Product("  Crème brûlée dish  ", 700, " b ", "a", "b", "")
	p.Handle = " My-Handle "
	p.Images = []catalog.Image{{URL: "https://cdn.example.com/1.jpg", Alt: "dish"}, {URL: "https://cdn.example.com/1.jpg"}}
	p.Variants[0].ImageURL = "/pictures/2.png"
	got := s.put(t, p)[0]
	if got.Title != "Crème brûlée dish" || got.Handle != "my-handle" || !slices.Equal(got.Tags, []string{"a", "b"}) || len(got.Images) != 2 {
		t.Errorf("%+v", got)
	}
	if v := got.Variants[0]; v.Title != catalog.DefaultVariant || v.SKU != "my-handle" || v.Image == nil || v.Image.URL != "/pictures/2.png" {
		t.Errorf("%+v", v)
	}
	if h := s.put(t, Product("Crème brûlée dish", 700))[0].Handle; h != "creme-brulee-dish" {
		t.Errorf("handle %q", h)
	}
	shopify := Product("As Shopify writes it", 700)
	shopify.Options, shopify.Variants[0].Options = []string{"Title"}, []string{"Default Title"}
	if got := s.put(t, shopify)[0]; len(got.Options) != 0 || got.Variants[0].Title != catalog.DefaultVariant {
		t.Errorf("%+v", got)
	}
}

func putMakesSafeHTML(t *testing.T, s *shop) {
	for html, check := range map[string]func(string) bool{
		`<p>Fine</p><script>alert(1)</script>`:           func(h string) bool { return h == "<p>Fine</p>" },
		`<p onclick="alert(1)">Fine</p>`:                 func(h string) bool { return h == "<p>Fine</p>" },
		`<a href="javascript:alert(1)">x</a>`:            func(h string) bool { return !strings.Contains(h, "javascript") },
		`<a href=" jAvAsCrIpT:alert(1)">x</a>`:           func(h string) bool { return !strings.Contains(strings.ToLower(h), "javascript") },
		`<a href="https://example.com/">x</a>`:           func(h string) bool { return strings.Contains(h, "nofollow") && strings.Contains(h, "noopener") },
		`<img src="x" onerror="alert(1)">`:               func(h string) bool { return !strings.Contains(h, "onerror") },
		`<iframe src="https://evil.example"></iframe>ok`: func(h string) bool { return h == "ok" },
		`<style>p{}</style><ul><li>one</li></ul>`:        func(h string) bool { return h == "<ul><li>one</li></ul>" },
		`<svg><script>alert(1)</script></svg>`:           func(h string) bool { return !strings.Contains(h, "script") },
		`5 < 6 & 7 > 2`:                                  func(h string) bool { return h == "5 &lt; 6 &amp; 7 &gt; 2" },
		`<p>Fish &amp; Chips</p>`:                        func(h string) bool { return h == "<p>Fish &amp; Chips</p>" },
	} {
		p := Product("Any", 100)
		p.HTML = html
		if got := s.put(t, p)[0].HTML; !check(got) {
			t.Errorf("%s\nbecame %s", html, got)
		}
	}
}

func whoMayPut(t *testing.T, s *shop) {
	identitytest.Needs(t, identity.ProductsWrite, func(who identity.Caller) error {
		_, err := s.Put(t.Context(), who, Sample()[:1])
		return err
	})
	identitytest.Needs(t, identity.ProductsWrite, func(who identity.Caller) error {
		return s.PutCollections(t.Context(), who, []catalog.CollectionInput{{Title: "x"}})
	})
}

func absent(t *testing.T, s *shop) {
	p := s.put(t, Sample()[0])[0]
	got, err := s.Products(t.Context(), []string{"nothing", p.ID, "", "\xff"})
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[p.ID], p) {
		t.Errorf("products: %+v, %v", got, err)
	}
	variants, err := s.Variants(t.Context(), []string{"nothing", p.ID, p.ID + "-99", p.ID + "-x", "-1", p.Variants[1].ID})
	if err != nil || len(variants) != 1 || !reflect.DeepEqual(variants[p.Variants[1].ID], catalog.VariantOf{Variant: p.Variants[1], Product: p}) {
		t.Errorf("variants: %+v, %v", variants, err)
	}
	if byHandle, err := s.ProductByHandle(t.Context(), p.Handle); err != nil || !reflect.DeepEqual(byHandle, p) {
		t.Errorf("by handle: %+v, %v", byHandle, err)
	}
	_, err = s.ProductByHandle(t.Context(), "nothing")
	wantFault(t, err, catalog.ErrNotFound, "")
	_, err = s.CollectionByHandle(t.Context(), "nothing")
	wantFault(t, err, catalog.ErrNotFound, "")
	if list, err := s.Recommendations(t.Context(), "nothing", 4); err != nil || len(list) != 0 {
		t.Errorf("recommendations: %+v, %v", list, err)
	}
	if found := s.search(t, catalog.Search{Collection: "nothing", Limit: 10, Total: true, Facets: true}); len(found.Products) != 0 || found.Total != 0 || len(found.Facets) != 0 {
		t.Errorf("in no collection: %+v", found)
	}
}

func unpublished(t *testing.T, s *shop) {
	hidden := Sample()[0]
	s.put(t, Sample()...)
	p, err := s.ProductByHandle(t.Context(), "ocean-blue-t-shirt")
	if err != nil {
		t.Fatal(err)
	}
	hidden.Published = false
	if r := s.outcome(t, hidden); r.Outcome != catalog.Changed {
		t.Fatalf("%+v", r)
	}
	_, err = s.ProductByHandle(t.Context(), p.Handle)
	wantFault(t, err, catalog.ErrNotFound, "")
	if got, err := s.Products(t.Context(), []string{p.ID}); err != nil || len(got) != 0 {
		t.Errorf("products: %+v, %v", got, err)
	}
	if got, err := s.Variants(t.Context(), []string{p.Variants[0].ID}); err != nil || len(got) != 0 {
		t.Errorf("variants: %+v, %v", got, err)
	}
	for _, text := range []string{"", "ocean", "tee-m-blu", "-mug"} {
		if slices.Contains(s.titles(t, catalog.Search{Text: text}), p.Title) {
			t.Errorf("a search for %q finds it", text)
		}
	}
	if got, err := s.Recommendations(t.Context(), p.ID, 5); err != nil || len(got) != 0 {
		t.Errorf("recommendations of it: %v", err)
	}
	if n, err := s.Count(t.Context()); err != nil || n != int64(len(Sample())) {
		t.Errorf("count %d, %v", n, err)
	}
	hidden.Published = true
	s.put(t, hidden)
	s.wantTitles(t, catalog.Search{Text: "ocean"}, p.Title)
}

func givenOut(t *testing.T, s *shop) {
	p := s.put(t, Sample()[0])[0]
	spoil := func(p catalog.Product) {
		p.Tags[0], p.Options[0].Values[0], p.Variants[0].SKU = "spoiled", "spoiled", "spoiled"
		p.Variants[1].Selected[0].Value, p.Variants[0].Selected[1].Value = "spoiled", "spoiled"
	}
	want, err := s.ProductByHandle(t.Context(), p.Handle)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := s.ProductByHandle(t.Context(), p.Handle)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v, %v", got, want, err)
		}
		spoil(got)
		spoil(s.search(t, catalog.Search{Limit: 1}).Products[0])
		many, err := s.Products(t.Context(), []string{p.ID})
		if err != nil {
			t.Fatal(err)
		}
		spoil(many[p.ID])
	}
}

func wordsFind(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	for text, want := range map[string][]string{
		"scarf":              {"Wool Scarf"},
		"scarves mugs":       {},
		"mugs":               {"Café Mug", "Enamel Mug", "Travel Mug"},
		"MUG":                {"Café Mug", "Enamel Mug", "Travel Mug"},
		"cafe":               {"Café Mug"},
		"CAFÉ mug":           {"Café Mug"},
		"topferei":           {"Café Mug"},
		"leather":            {"Leather Wallet", "Leather Belt"},
		"lether":             {"Leather Wallet", "Leather Belt"},
		"leahter blet":       {"Leather Belt"},
		"notbook":            {"Notebook, dotted", "Fountain Pen"},
		"mgu":                {}, // too short for a typo
		"leat":               {"Leather Wallet", "Leather Belt"},
		"leat ":              {}, // the word is finished
		"travel mu":          {"Travel Mug"},
		"t-shirt":            {"Ocean Blue T-Shirt"},
		"tshirt":             {"Ocean Blue T-Shirt"},
		"the mug for travel": {"Travel Mug"},
		"TEE-M-BLU":          {"Ocean Blue T-Shirt"},
		"tee-m-blu":          {"Ocean Blue T-Shirt"},
		"4006381333931":      {"Ocean Blue T-Shirt"},
		"4006381333932":      {},
		"organic cotton":     {"Ocean Blue T-Shirt"},
		"red":                {"Linen Shirt"},
		"&":                  allTitles(),
		"  ":                 allTitles(),
	} {
		s.wantTitles(t, catalog.Search{Text: text}, want...)
	}
}

func allTitles() []string {
	var titles []string
	for _, p := range Sample() {
		titles = append(titles, p.Title)
	}
	return titles
}

func betterFirst(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	s.put(t, Product("Mug", 100), Product("Shirts of the world, a mug", 100), Product("Skirt", 100), Product("Muggy weather umbrella", 100))
	for text, want := range map[string][]string{
		"mug": {"Mug", "Café Mug", "Enamel Mug", "Travel Mug", "Shirts of the world, a mug", "Muggy weather umbrella"},
		// In title, type and description, in title and type, in a long title, in the description.
		"shirt":           {"Ocean Blue T-Shirt", "Linen Shirt", "Shirts of the world, a mug", "Enamel Mug"},
		"dotted notebook": {"Notebook, dotted", "Fountain Pen"},
	} {
		if got := s.titles(t, catalog.Search{Text: text}); !slices.Equal(got, want) {
			t.Errorf("%q found %q, want %q", text, got, want)
		}
	}
}

func syntaxFinds(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	for text, want := range map[string][]string{
		`"dotted notebook"`:                          {"Fountain Pen"},
		`"mug café"`:                                 {},
		`-mug leather OR scarf`:                      {"Leather Belt", "Leather Wallet", "Wool Scarf"},
		`mug -travel`:                                {"Café Mug", "Enamel Mug"},
		`mug NOT tag:outdoor`:                        {"Café Mug"},
		`tag:gift`:                                   {"Café Mug", "Leather Wallet", "Notebook, dotted", "Fountain Pen"},
		`tag:GIFT -vendor:Papierhaus`:                {"Café Mug", "Leather Wallet"},
		`vendor:"Töpferei Süd"`:                      {"Café Mug"},
		`vendor:'topferei sud'`:                      {"Café Mug"},
		`vendor:Sattler*`:                            {"Leather Wallet", "Leather Belt"},
		`product_type:mugs AND tag:kitchen`:          {"Café Mug", "Enamel Mug"},
		`title:leather`:                              {"Leather Wallet", "Leather Belt"},
		`title:notebook`:                             {"Notebook, dotted"},
		`title:note*`:                                {"Notebook, dotted"},
		`handle:travel-mug`:                          {"Travel Mug"},
		`sku:tee-m-blu`:                              {"Ocean Blue T-Shirt"},
		`variants.price:>55`:                         {"Leather Wallet", "Camping Stove"},
		`variants.price:>=55.00 variants.price:<59`:  {"Cast Iron Pan"},
		`variants.price:12`:                          {"Café Mug"},
		`(tag:wool OR tag:linen) nordwind`:           {"Wool Scarf", "Linen Shirt"},
		`created_at:<2000-01-01`:                     {},
		`mug created_at:>'2000-01-01T00:00:00Z'`:     {"Café Mug", "Enamel Mug", "Travel Mug"},
		`mug updated_at:>=2000-01-01`:                {"Café Mug", "Enamel Mug", "Travel Mug"},
		`available_for_sale:true`:                    {},
		`available_for_sale:false title:mug`:         {"Café Mug", "Enamel Mug", "Travel Mug"},
		`tag_not:gift product_type:Mugs`:             {"Enamel Mug", "Travel Mug"},
		`note* -pen`:                                 {"Notebook, dotted"},
		`-tag:gift -tag:kitchen -tag:outdoor -shirt`: {"Wool Scarf", "Leather Belt"},
	} {
		s.wantTitles(t, catalog.Search{Text: text}, want...)
	}
}

func badSyntax(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	for text, want := range map[string][]string{
		`"travel mug`:              {"Travel Mug"},
		`(travel (mug`:             {"Travel Mug"},
		`travel) mug)`:             {"Travel Mug"},
		`travel AND`:               {"Travel Mug"},
		`OR travel`:                {"Travel Mug"},
		`travel OR`:                {"Travel Mug"},
		`travel:mug`:               {"Travel Mug"},
		`- travel`:                 {"Travel Mug"},
		`variants.price:>cheap`:    {},
		`available_for_sale:maybe`: {},
		`()`:                       allTitles(),
		"\xff\xfe travel":          {"Travel Mug"},
		"travel\x00mug":            {"Travel Mug"},
	} {
		s.wantTitles(t, catalog.Search{Text: text}, want...)
	}
	for _, text := range []string{`(((((((((((((((((((((((((a`, `-`, `"`, `--`, `:`, `tag:`, `:x`, `*`, `-*`, `"" ''`, `NOT NOT NOT`, strings.Repeat("(", 512), strings.Repeat("-", 512), strings.Repeat(`"a" `, 128)} {
		s.search(t, catalog.Search{Text: text, Limit: 5, Facets: true, Total: true})
	}
}

func ptr[T any](v T) *T { return &v }

func option(name, value string) catalog.Filter {
	return catalog.Filter{Option: &catalog.SelectedOption{Name: name, Value: value}}
}

func filtersNarrow(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	price := func(min, max *int64) catalog.Filter { return catalog.Filter{PriceMin: min, PriceMax: max} }
	for _, c := range []struct {
		filters []catalog.Filter
		want    []string
	}{
		{[]catalog.Filter{{Type: "mugs"}}, []string{"Café Mug", "Enamel Mug", "Travel Mug"}},
		{[]catalog.Filter{{Type: "Mugs"}, {Tag: "Outdoor"}}, []string{"Enamel Mug", "Travel Mug"}},
		{[]catalog.Filter{{Tag: "wool"}, {Tag: "linen"}}, []string{"Wool Scarf", "Linen Shirt"}},
		{[]catalog.Filter{{Vendor: "Papierhaus"}, {Vendor: "Nordwind"}, {Tag: "gift"}}, []string{"Notebook, dotted", "Fountain Pen"}},
		{[]catalog.Filter{{Vendor: "Nobody"}}, nil},
		{[]catalog.Filter{option("Size", "S")}, []string{"Ocean Blue T-Shirt"}},
		{[]catalog.Filter{option("size", "m"), option("colour", "White")}, []string{"Ocean Blue T-Shirt", "Linen Shirt"}},
		// There is L and there is White, but no White in S.
		{[]catalog.Filter{option("Size", "S"), option("Colour", "White")}, nil},
		{[]catalog.Filter{option("Size", "S"), option("Size", "L"), option("Colour", "Red")}, []string{"Linen Shirt"}},
		{[]catalog.Filter{option("Material", "Wood")}, nil},
		{[]catalog.Filter{price(ptr(int64(5900)), nil)}, []string{"Leather Wallet", "Camping Stove"}},
		{[]catalog.Filter{price(nil, ptr(int64(1200)))}, []string{"Café Mug", "Notebook, dotted"}},
		{[]catalog.Filter{price(ptr(int64(1200)), ptr(int64(1500)))}, []string{"Café Mug", "Enamel Mug"}},
		{[]catalog.Filter{price(ptr(int64(1200)), ptr(int64(1200))), price(ptr(int64(7900)), nil)}, []string{"Café Mug", "Camping Stove"}},
		{[]catalog.Filter{{Available: ptr(true)}}, nil},
		{[]catalog.Filter{{Available: ptr(true)}, {Available: ptr(false)}, {Tag: "wool"}}, []string{"Wool Scarf"}},
		{[]catalog.Filter{{Collection: "nothing"}}, nil},
	} {
		s.wantTitles(t, catalog.Search{Filters: c.filters}, c.want...)
		if found := s.search(t, catalog.Search{Filters: c.filters, Total: true, Facets: true}); found.Total != int64(len(c.want)) || len(found.Products) != 0 {
			t.Errorf("%+v: total %d with facets, want %d", c.filters, found.Total, len(c.want))
		}
	}
	s.wantTitles(t, catalog.Search{Text: "mug", Filters: []catalog.Filter{{Vendor: "Lagerfeuer"}}}, "Enamel Mug", "Travel Mug")
	for i, filters := range [][]catalog.Filter{{{}}, {{Tag: "a"}, {Tag: "a", Vendor: "b"}}} {
		_, err := s.Search(t.Context(), catalog.Search{Filters: filters})
		wantFault(t, err, catalog.ErrInput, fmt.Sprintf("filters.%d", i))
	}
}

// counts are the facets as text: "filter.p.vendor Nordwind" → 3.
func counts(facets []catalog.Facet) map[string]int64 {
	m := map[string]int64{}
	for _, f := range facets {
		for _, v := range f.Values {
			m[f.ID+" "+v.Label] = v.Count
		}
		if f.Kind == catalog.FacetRange {
			m[f.ID+" min"], m[f.ID+" max"] = f.Min, f.Max
		}
	}
	return m
}

func wantCounts(t *testing.T, got []catalog.Facet, want map[string]int64) {
	t.Helper()
	if c := counts(got); !reflect.DeepEqual(c, want) {
		t.Errorf("facets %v\nwant   %v", c, want)
	}
}

func facetsCount(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	found := s.search(t, catalog.Search{Text: "shirt", Facets: true, Total: true})
	if found.Total != 3 || found.Currency != Currency || found.Products != nil {
		t.Errorf("%+v", found)
	}
	wantCounts(t, found.Facets, map[string]int64{
		"filter.v.availability In stock": 0, "filter.v.availability Out of stock": 3,
		"filter.v.price min": 1500, "filter.v.price max": 4999,
		"filter.p.product_type Shirts": 2, "filter.p.product_type Mugs": 1,
		"filter.p.vendor Nordwind": 2, "filter.p.vendor Lagerfeuer": 1,
		"filter.v.option.size S": 1, "filter.v.option.size M": 2, "filter.v.option.size L": 2,
		"filter.v.option.colour Blue": 1, "filter.v.option.colour White": 2, "filter.v.option.colour Red": 1,
		"filter.p.tag cotton": 1, "filter.p.tag summer": 2, "filter.p.tag linen": 1, "filter.p.tag kitchen": 1, "filter.p.tag outdoor": 1,
	})
	// Each value's filter narrows the search to as many as it promised.
	for _, f := range found.Facets {
		for i, v := range f.Values {
			if i > 0 && f.Kind == catalog.FacetList && v.Count > f.Values[i-1].Count {
				t.Errorf("%s is not in order: %+v", f.ID, f.Values)
			}
			if n := s.search(t, catalog.Search{Text: "shirt", Filters: []catalog.Filter{v.Filter}, Total: true}).Total; n != v.Count {
				t.Errorf("%s: %d promised, %d found", v.ID, v.Count, n)
			}
		}
	}
	if f := s.search(t, catalog.Search{Text: "nothing like this", Facets: true}).Facets; len(f) != 0 {
		t.Errorf("facets of nothing: %+v", f)
	}
}

func facetsMultiSelect(t *testing.T, s *shop) {
	products := s.put(t, Sample()...)
	for _, p := range products {
		for i, v := range p.Variants {
			if i%2 == 0 {
				s.SetStock(t, v.SKU, true)
			}
		}
	}
	// For any filters: choosing one more value of a facet that has some chosen
	// adds it to them; of another facet, narrows to what it promised.
	for _, filters := range [][]catalog.Filter{
		nil,
		{{Vendor: "Nordwind"}},
		{{Vendor: "Nordwind"}, {Tag: "summer"}},
		{option("Size", "M")},
		{option("Size", "M"), option("Colour", "White")},
		{{Available: ptr(true)}},
		{{Available: ptr(false)}},
		{{Available: ptr(true)}, option("Size", "L")},
		{{Available: ptr(false)}, option("Size", "L")},
		{{PriceMin: ptr(int64(1500)), PriceMax: ptr(int64(4500))}, {Type: "Mugs"}},
		{{PriceMin: ptr(int64(1500)), PriceMax: ptr(int64(4500))}, option("Colour", "White"), {Available: ptr(true)}},
		{{Tag: "no such tag"}},
	} {
		found := s.search(t, catalog.Search{Filters: filters, Facets: true, Total: true})
		if plain := s.search(t, catalog.Search{Filters: filters, Total: true}); plain.Total != found.Total {
			t.Errorf("%+v: %d with facets, %d without", filters, found.Total, plain.Total)
		}
		for _, f := range found.Facets {
			others := slices.DeleteFunc(slices.Clone(filters), func(x catalog.Filter) bool { return facetOf(x) == f.ID })
			for _, v := range f.Values {
				alone := s.search(t, catalog.Search{Filters: append(slices.Clone(others), v.Filter), Total: true}).Total
				if alone != v.Count {
					t.Errorf("%+v: %s promised %d, choosing it finds %d", filters, v.ID, v.Count, alone)
				}
			}
			if f.Kind == catalog.FacetRange {
				in := s.search(t, catalog.Search{Filters: append(slices.Clone(others), catalog.Filter{PriceMin: &f.Min, PriceMax: &f.Max}), Total: true}).Total
				if all := s.search(t, catalog.Search{Filters: others, Total: true}).Total; in != all {
					t.Errorf("%+v: price facet %d–%d holds %d of %d", filters, f.Min, f.Max, in, all)
				}
			}
		}
	}
	wantCounts(t, s.search(t, catalog.Search{Filters: []catalog.Filter{{Vendor: "Papierhaus"}}, Facets: true}).Facets, map[string]int64{
		"filter.v.availability In stock": 2, "filter.v.availability Out of stock": 0,
		"filter.v.price min": 900, "filter.v.price max": 3900,
		"filter.p.product_type Stationery": 2,
		"filter.p.tag gift":                2, "filter.p.tag paper": 1, "filter.p.tag writing": 1,
		"filter.p.vendor Papierhaus": 2, "filter.p.vendor Nordwind": 3, "filter.p.vendor Töpferei Süd": 1,
		"filter.p.vendor Lagerfeuer": 4, "filter.p.vendor Sattler & Co": 2,
	})
}

func facetOf(f catalog.Filter) string {
	switch {
	case f.Available != nil:
		return "filter.v.availability"
	case f.Vendor != "":
		return "filter.p.vendor"
	case f.Type != "":
		return "filter.p.product_type"
	case f.Tag != "":
		return "filter.p.tag"
	case f.Option != nil:
		return "filter.v.option." + strings.ToLower(f.Option.Name)
	case f.PriceMin != nil || f.PriceMax != nil:
		return "filter.v.price"
	}
	return ""
}

func stockFollowed(t *testing.T, s *shop) {
	p := s.put(t, Sample()...)[0]
	s.SetStock(t, p.Variants[1].SKU, true)
	got, err := s.ProductByHandle(t.Context(), p.Handle)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.Variants {
		if v.InStock != (i == 1) {
			t.Errorf("%s in stock: %v", v.Title, v.InStock)
		}
	}
	in := catalog.Filter{Available: ptr(true)}
	s.wantTitles(t, catalog.Search{Filters: []catalog.Filter{in}}, p.Title)
	s.wantTitles(t, catalog.Search{Text: "available_for_sale:true"}, p.Title)
	s.wantTitles(t, catalog.Search{Filters: []catalog.Filter{in, option("Size", "M")}}, p.Title)
	s.wantTitles(t, catalog.Search{Filters: []catalog.Filter{in, option("Size", "S")}})

	// What is known of the stock survives a change of the product.
	tee := Sample()[0]
	tee.Title = "Ocean Blue Tee"
	tee.Handle = p.Handle
	if changed := s.put(t, tee)[0]; !changed.Variants[1].InStock {
		t.Error("the stock was forgotten")
	}
	s.SetStock(t, p.Variants[1].SKU, false)
	s.wantTitles(t, catalog.Search{Filters: []catalog.Filter{in}})
	// And it may be known before the product.
	s.SetStock(t, "later", true)
	late := Product("Late", 100)
	late.Variants[0].SKU = "later"
	s.put(t, late)
	s.wantTitles(t, catalog.Search{Filters: []catalog.Filter{in}}, "Late")
}

var sorts = []catalog.Sort{
	"", catalog.Relevance, catalog.ByTitle, catalog.ByPrice, catalog.ByCreated, catalog.ByUpdated,
	catalog.ByVendor, catalog.ByType, catalog.ByID, catalog.BestSelling, catalog.Manual,
}

func sortKeys(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	for _, sort := range sorts {
		up := s.titles(t, catalog.Search{Sort: sort})
		down := s.titles(t, catalog.Search{Sort: sort, Reverse: true})
		slices.Reverse(down)
		if !slices.Equal(up, down) || len(up) != len(Sample()) {
			t.Errorf("%s: %q\nreversed: %q", sort, up, down)
		}
	}
	first := func(sort catalog.Sort, reverse bool) string {
		return s.titles(t, catalog.Search{Sort: sort, Reverse: reverse, Limit: 1})[0]
	}
	for _, c := range []struct {
		sort         catalog.Sort
		first, final string
	}{
		{catalog.ByTitle, "Café Mug", "Wool Scarf"},
		{catalog.ByPrice, "Notebook, dotted", "Camping Stove"},
		{catalog.Relevance, "Café Mug", "Wool Scarf"},
	} {
		if a, b := first(c.sort, false), first(c.sort, true); a != c.first || b != c.final {
			t.Errorf("%s goes from %q to %q", c.sort, a, b)
		}
	}
	vendors := []string{}
	for _, p := range s.search(t, catalog.Search{Sort: catalog.ByVendor, Limit: 50}).Products {
		vendors = append(vendors, p.Vendor)
	}
	if !slices.IsSorted(vendors) {
		t.Errorf("vendors: %q", vendors)
	}
}

func pagesHoldStill(t *testing.T, s *shop) {
	for _, sort := range sorts {
		for _, text := range []string{"", "shirt"} {
			for _, reverse := range []bool{false, true} {
				q := catalog.Search{Text: text, Sort: sort, Reverse: reverse, Limit: 2}
				before := map[string]int{}
				s.put(t, Sample()...)
				for _, p := range s.search(t, catalog.Search{Text: text, Limit: 250}).Products {
					before[p.ID] = 0
				}
				for page := 0; ; page++ {
					found := s.search(t, q)
					if found.HasPrev != (page > 0) {
						t.Errorf("%s page %d: has previous: %v", sort, page, found.HasPrev)
					}
					for _, p := range found.Products {
						if _, old := before[p.ID]; old {
							before[p.ID]++
						}
					}
					if !found.HasNext {
						break
					}
					q.After = found.Cursors[len(found.Cursors)-1]
					if page < 6 { // somebody adds a product between the pages
						s.put(t, Product(fmt.Sprintf("Shirt %s %v %d %q", sort, reverse, page, text), int64(10+page*1000), "shirt"))
					}
					if page > 200 {
						t.Fatal("no end")
					}
				}
				for id, times := range before {
					if times != 1 {
						t.Errorf("sort %s of %q, reverse %v: %s came %d times", sort, text, reverse, id, times)
					}
				}
			}
		}
	}
}

func pagesBackwards(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	for _, sort := range sorts {
		all := s.search(t, catalog.Search{Sort: sort, Limit: 50})
		last := len(all.Cursors) - 1
		var got []string
		before := all.Cursors[last]
		for before != "" {
			page := s.search(t, catalog.Search{Sort: sort, Before: before, Limit: 3})
			if !page.HasNext {
				t.Errorf("%s: nothing behind a page that ends before another", sort)
			}
			var ids []string
			for _, p := range page.Products {
				ids = append(ids, p.ID)
			}
			got = append(ids, got...)
			before = ""
			if page.HasPrev {
				before = page.Cursors[0]
			}
		}
		for i, id := range got {
			if all.Products[i].ID != id {
				t.Fatalf("%s: backwards %d is another than forwards", sort, i)
			}
		}
		if len(got) != last {
			t.Errorf("%s: %d backwards, want %d", sort, len(got), last)
		}
		// A cursor holds in both directions of the list.
		back := s.search(t, catalog.Search{Sort: sort, Reverse: true, After: all.Cursors[3], Limit: 50})
		if len(back.Products) != 3 || back.Products[0].ID != all.Products[2].ID {
			t.Errorf("%s: reversed from the fourth: %d", sort, len(back.Products))
		}
		between := s.search(t, catalog.Search{Sort: sort, After: all.Cursors[1], Before: all.Cursors[5], Limit: 50})
		if len(between.Products) != 3 || between.Products[0].ID != all.Products[2].ID || !between.HasNext || !between.HasPrev {
			t.Errorf("%s: between: %d %v %v", sort, len(between.Products), between.HasPrev, between.HasNext)
		}
	}
}

func foreignCursors(t *testing.T, s *shop) {
	s.put(t, Sample()...)
	page := s.search(t, catalog.Search{Text: "mug", Sort: catalog.ByTitle, Limit: 1})
	good := page.Cursors[0]
	for _, cursor := range []string{"x", "%%%", "\xff", good + "A", good[:10], strings.Repeat("A", 10_000), "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		_, err := s.Search(t.Context(), catalog.Search{Text: "mug", Sort: catalog.ByTitle, Limit: 1, After: cursor})
		if cursor == good+"A" && err == nil {
			continue // still a place in this list
		}
		wantFault(t, err, catalog.ErrCursor, "")
		_, err = s.Collections(t.Context(), catalog.CollectionQuery{After: cursor, Limit: 1})
		wantFault(t, err, catalog.ErrCursor, "")
	}
	for _, q := range []catalog.Search{
		{Text: "pan", Sort: catalog.ByTitle}, {Text: "mug", Sort: catalog.ByPrice},
		{Text: "mug", Sort: catalog.ByTitle, Filters: []catalog.Filter{{Tag: "gift"}}}, {Text: "mug", Sort: catalog.ByTitle, Collection: "c"},
	} {
		q.After, q.Limit = good, 1
		_, err := s.Search(t.Context(), q)
		wantFault(t, err, catalog.ErrCursor, "")
		q.After, q.Before = "", good
		_, err = s.Search(t.Context(), q)
		wantFault(t, err, catalog.ErrCursor, "")
	}
}

func limits(t *testing.T, s *shop) {
	for field, q := range map[string]catalog.Search{
		"text":    {Text: strings.Repeat("x", catalog.MaxQuery+1)},
		"limit":   {Limit: catalog.MaxPage + 1},
		"sort":    {Sort: "COLOUR"},
		"filters": {Filters: slices.Repeat([]catalog.Filter{{Tag: "a"}}, 1000)},
	} {
		_, err := s.Search(t.Context(), q)
		wantFault(t, err, catalog.ErrInput, field)
	}
	_, err := s.Search(t.Context(), catalog.Search{Limit: -1})
	wantFault(t, err, catalog.ErrInput, "limit")
	_, err = s.Collections(t.Context(), catalog.CollectionQuery{Limit: -1})
	wantFault(t, err, catalog.ErrInput, "limit")
	_, err = s.Collections(t.Context(), catalog.CollectionQuery{Sort: "COLOUR"})
	wantFault(t, err, catalog.ErrInput, "sort")
	ids := make([]string, catalog.MaxIDs+1)
	_, err = s.Products(t.Context(), ids)
	wantFault(t, err, catalog.ErrInput, "ids")
	_, err = s.Variants(t.Context(), ids)
	wantFault(t, err, catalog.ErrInput, "ids")
	_, err = s.Collections(t.Context(), catalog.CollectionQuery{IDs: ids})
	wantFault(t, err, catalog.ErrInput, "ids")
	_, err = s.Recommendations(t.Context(), "x", -1)
	wantFault(t, err, catalog.ErrInput, "limit")
	_, err = s.Recommendations(t.Context(), "x", catalog.MaxPage+1)
	wantFault(t, err, catalog.ErrInput, "limit")
}

func (s *shop) putCollections(t *testing.T, in ...catalog.CollectionInput) {
	t.Helper()
	if err := s.PutCollections(t.Context(), merchant, in); err != nil {
		t.Fatal(err)
	}
}

func collections(t *testing.T, s *shop) {
	sample := Sample()
	s.put(t, sample[:6]...)
	s.putCollections(t,
		catalog.CollectionInput{Handle: "outdoor", Title: "Outdoor", HTML: `<p onclick="x">Go!</p>`, Rules: []catalog.Filter{{Tag: "Outdoor"}}, Image: &catalog.Image{URL: "/o.png"}},
		catalog.CollectionInput{Title: "Camp kitchen", Rules: []catalog.Filter{{Tag: "kitchen"}, {Vendor: "lagerfeuer"}}},
		catalog.CollectionInput{Handle: "picks", Title: "Our picks", Products: []string{"wool-scarf", "cast-iron-pan", "linen-shirt", "café-mug", "cafe-mug"}},
	)
	s.put(t, sample[6:]...) // members that come later join
	get := func(handle string) catalog.Collection {
		c, err := s.CollectionByHandle(t.Context(), handle)
		if err != nil {
			t.Fatalf("%s: %v", handle, err)
		}
		return c
	}
	outdoor, camp, picks := get("outdoor"), get("camp-kitchen"), get("picks")
	if outdoor.HTML != "<p>Go!</p>" || outdoor.Image == nil || outdoor.Title != "Outdoor" {
		t.Errorf("%+v", outdoor)
	}
	s.wantTitles(t, catalog.Search{Collection: outdoor.ID}, "Enamel Mug", "Travel Mug", "Camping Stove")
	s.wantTitles(t, catalog.Search{Collection: camp.ID}, "Enamel Mug", "Cast Iron Pan")
	s.wantTitles(t, catalog.Search{Filters: []catalog.Filter{{Collection: camp.ID}, {Collection: picks.ID}}, Text: "-wool"},
		"Enamel Mug", "Cast Iron Pan", "Linen Shirt", "Café Mug")
	byHand := []string{"Wool Scarf", "Cast Iron Pan", "Linen Shirt", "Café Mug"}
	if got := s.titles(t, catalog.Search{Collection: picks.ID, Sort: catalog.Manual}); !slices.Equal(got, byHand) {
		t.Errorf("picks: %q, want %q", got, byHand)
	}
	pan, err := s.ProductByHandle(t.Context(), "cast-iron-pan")
	if err != nil || !slices.Equal(pan.Collections, []string{camp.ID, picks.ID}) {
		t.Errorf("the pan is in %v, %v", pan.Collections, err)
	}

	// Changing the rule moves the products; ids stay.
	s.putCollections(t, catalog.CollectionInput{Title: "Camp kitchen", Rules: []catalog.Filter{{Type: "mugs"}}})
	if again := get("camp-kitchen"); again.ID != camp.ID {
		t.Errorf("id was %s, is %s", camp.ID, again.ID)
	}
	s.wantTitles(t, catalog.Search{Collection: camp.ID}, "Café Mug", "Enamel Mug", "Travel Mug")

	for field, in := range map[string]catalog.CollectionInput{
		"title":      {Handle: "x"},
		"handle":     {Handle: "x y", Title: "X"},
		"rules.0":    {Title: "X", Rules: []catalog.Filter{{Available: ptr(true)}}},
		"products.1": {Title: "X", Products: []string{"a", "b c"}},
	} {
		err := s.PutCollections(t.Context(), merchant, []catalog.CollectionInput{{Title: "Fine"}, in})
		wantFault(t, err, catalog.ErrInput, "collections.1")
		if err != nil && !strings.Contains(fault.Of(err).Message, "collections.1."+field+":") {
			t.Errorf("%s: %s", field, fault.Of(err).Message)
		}
	}
	if _, err := s.CollectionByHandle(t.Context(), "fine"); err == nil {
		t.Error("one collection was put in though the other was refused")
	}
}

func collectionPages(t *testing.T, s *shop) {
	var in []catalog.CollectionInput
	for _, title := range []string{"Éclairs", "apples", "Zucchini", "Dates", "Bananas", "cherries"} {
		in = append(in, catalog.CollectionInput{Title: title})
	}
	s.putCollections(t, in...)
	for _, sort := range []catalog.CollectionSort{"", catalog.CollectionsByTitle, catalog.CollectionsByUpdated, catalog.CollectionsByID} {
		for _, reverse := range []bool{false, true} {
			q := catalog.CollectionQuery{Sort: sort, Reverse: reverse, Limit: 4}
			var titles, ids []string
			for {
				page, err := s.Collections(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range page.Collections {
					titles, ids = append(titles, c.Title), append(ids, c.ID)
				}
				if !page.HasMore {
					break
				}
				q.After = page.Cursors[len(page.Cursors)-1]
			}
			want := []string{"apples", "Bananas", "cherries", "Dates", "Éclairs", "Zucchini"}
			if reverse {
				slices.Reverse(want)
			}
			if (sort == "" || sort == catalog.CollectionsByTitle) && !slices.Equal(titles, want) {
				t.Errorf("%q reverse %v: %q", sort, reverse, titles)
			}
			if len(titles) != 6 {
				t.Errorf("%q reverse %v: %q", sort, reverse, titles)
			}
			page, err := s.Collections(t.Context(), catalog.CollectionQuery{IDs: []string{ids[2], "nothing", ids[0], ids[2]}})
			if err != nil || len(page.Collections) != 2 || page.Collections[0].ID != ids[2] {
				t.Errorf("by id: %+v, %v", page, err)
			}
		}
	}
}

func recommendations(t *testing.T, s *shop) {
	products := s.put(t, Sample()...)
	by := map[string]catalog.Product{}
	for _, p := range products {
		by[p.Title] = p
	}
	titles := func(of string, limit int) []string {
		list, err := s.Recommendations(t.Context(), by[of].ID, limit)
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, p := range list {
			titles = append(titles, p.Title)
		}
		return titles
	}
	got := titles("Enamel Mug", 3)
	if len(got) != 3 || !slices.Contains(got[:2], "Travel Mug") || slices.Contains(got, "Enamel Mug") {
		t.Errorf("with the enamel mug: %q", got)
	}
	if again := titles("Enamel Mug", 3); !slices.Equal(again, got) {
		t.Errorf("then: %q, now: %q", got, again)
	}
	// What can be bought comes first.
	s.SetStock(t, by["Cast Iron Pan"].Variants[0].SKU, true)
	if got := titles("Enamel Mug", 3); got[0] != "Cast Iron Pan" {
		t.Errorf("in stock first: %q", got)
	}
	if all := titles("Enamel Mug", 0); len(all) == 0 || len(all) > catalog.Recommended || slices.Contains(all, "Wool Scarf") {
		t.Errorf("all: %q", all)
	}
}

func soldUnder(t *testing.T, s *shop) {
	shirt := WithOptions(Product("Shirt", 2000), "Size", "S", "M")
	shirt.Variants[0].SKU, shirt.Variants[1].SKU = "shirt-s", "shirt-m"
	copied, hidden := Product("Copy of the shirt", 1000), Product("Hidden", 1000)
	copied.Variants[0].SKU, hidden.Variants[0].SKU, hidden.Published = "shirt-m", "hidden-1", false
	put := s.put(t, shirt, copied, hidden)
	under := func(skus ...string) map[string]catalog.VariantOf {
		t.Helper()
		found, err := s.VariantsBySKU(t.Context(), skus)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	found := under("shirt-s", "shirt-m", "shirt-s", "hidden-1", "unheard-of", "", "\xff")
	if len(found) != 2 || found["shirt-s"].Product.ID != put[0].ID || found["shirt-s"].Variant.Title != "S" || len(found["shirt-s"].Product.Variants) != 2 {
		t.Errorf("%+v", found)
	}
	least := min(put[0].ID, put[1].ID)
	if got := found["shirt-m"]; got.Product.ID != least || got.Variant.SKU != "shirt-m" {
		t.Errorf("of two: %s of %s, want of %s", got.Variant.ID, got.Product.ID, least)
	}

	// Another SKU takes the place of the first.
	shirt.Handle, shirt.Variants[0].SKU = put[0].Handle, "shirt-small"
	s.put(t, shirt)
	if found := under("shirt-s", "shirt-small"); len(found) != 1 || found["shirt-small"].Variant.Title != "S" {
		t.Errorf("renamed: %+v", found)
	}
	if _, err := s.VariantsBySKU(t.Context(), make([]string, catalog.MaxIDs+1)); !errors.Is(err, catalog.ErrInput) {
		t.Errorf("too many: %v", err)
	}
}
