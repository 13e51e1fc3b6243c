package demo_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"ordergraph/services/catalog/demo"
)

func TestProductsAreDistinctAndComplete(t *testing.T) {
	products := demo.Products(2000, "EUR")
	handles, skus := map[string]bool{}, map[string]bool{}
	categories, variants := map[string]bool{}, 0
	for _, p := range products {
		if handles[p.Handle] {
			t.Errorf("handle %q twice", p.Handle)
		}
		handles[p.Handle] = true
		categories[p.Type] = true
		if len(p.Stock) != len(p.Variants) {
			t.Errorf("%s: %d stocks for %d variants", p.Handle, len(p.Stock), len(p.Variants))
		}
		for _, v := range p.Variants {
			variants++
			if skus[v.SKU] {
				t.Errorf("SKU %q twice", v.SKU)
			}
			skus[v.SKU] = true
			if v.Price.Minor <= 0 || v.WeightGrams <= 0 || len(v.Options) != len(p.Options) {
				t.Errorf("%s: odd variant %+v", p.Handle, v)
			}
			if v.CompareAt != nil && v.CompareAt.Minor <= v.Price.Minor {
				t.Errorf("%s: reduced from %v to %v", v.SKU, v.CompareAt, v.Price)
			}
		}
	}
	if len(categories) < 8 || variants < 6500 {
		t.Errorf("%d categories, %d variants", len(categories), variants)
	}
	if !reflect.DeepEqual(products[:50], demo.Products(50, "EUR")) {
		t.Error("the first products depend on how many are asked for")
	}
}

func TestPricesFollowTheCurrency(t *testing.T) {
	eur, jpy := demo.Products(1, "EUR")[0].Variants[0].Price, demo.Products(1, "JPY")[0].Variants[0].Price
	if jpy.Minor != eur.Minor/100 || jpy.Currency != "JPY" {
		t.Errorf("%v and %v", eur, jpy)
	}
}

func TestEveryPictureIsDrawn(t *testing.T) {
	seen := map[string]bool{}
	urls := []string{}
	for _, p := range demo.Products(demo.Size, "EUR") {
		for _, i := range p.Images {
			urls = append(urls, i.URL)
		}
	}
	for _, c := range demo.Collections() {
		urls = append(urls, c.Image.URL)
	}
	for _, url := range urls {
		if seen[url] {
			continue
		}
		seen[url] = true
		w := httptest.NewRecorder()
		demo.Pictures().ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		if w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" {
			t.Fatalf("%s: %d %s", url, w.Code, w.Header())
		}
		for d := xml.NewDecoder(w.Body); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", url, err)
			}
		}
	}
}

func TestPictureNamesAreChecked(t *testing.T) {
	for _, name := range []string{"", "mug.sea.svg", "mug.sea.<script>.svg", "mug.none.harbour.svg", "none.sea.harbour.svg", "mug.sea." + strings.Repeat("a", 50) + ".svg"} {
		if _, ok := demo.Picture(name); ok {
			t.Errorf("%q is drawn", name)
		}
	}
}
