package pdf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"pgregory.net/rapid"

	"ordergraph/test/poppler"
)

var sans = sync.OnceValue(func() *Font {
	f, err := NewFont("Sans", liberationsansregular.TTF, dejavusans.TTF)
	if err != nil {
		panic(err)
	}
	return f
})

func letter(text ...string) *Document {
	d := &Document{
		Title: "Brief (№ 1)", Author: "Åsa \\ Ödön", Creator: "test", Language: "de", Created: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		Attached: []Attachment{{Name: "data.xml", Type: "text/xml", Description: "Zahlen", Relation: "Data", Content: []byte("<a>\xc3\xa4</a>")}},
	}
	for _, lines := range text {
		p := d.Page()
		p.Area(230, 20, 10, 100, 5)
		for i, line := range strings.Split(lines, "\n") {
			p.Text(sans(), 11, 0, 20, 30+10*float64(i), line)
		}
		p.Line(128, .3, 20, 200, 190, 200)
	}
	return d
}

// Other programs read what was written, in every alphabet, and find no fault.
func TestReadByOthers(t *testing.T) {
	first := "Zażółć gęślą jaźń (\\) čřž ÄÖÜß\nЩеглы, їжак, ђак\nἈλέξανδρος Ερμού\nTiếng Việt, ₹ 1.234,56 €, ½ – „“ □"
	path := filepath.Join(t.TempDir(), "letter.pdf")
	if err := os.WriteFile(path, letter(first, "zweite Seite").Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := poppler.Run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf says %s", out)
	}
	text := poppler.Run(t, "pdftotext", "-layout", path, "-")
	for _, line := range append(strings.Split(first, "\n"), "zweite Seite") {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in %q", line, text)
		}
	}
	info := poppler.Run(t, "pdfinfo", path)
	for _, want := range []string{"Brief (№ 1)", `Åsa \ Ödön`, "Pages:           2", "A4"} {
		if !strings.Contains(info, want) {
			t.Errorf("pdfinfo does not say %q:\n%s", want, info)
		}
	}
	if fonts := poppler.Run(t, "pdffonts", path); strings.Contains(fonts, " no ") || !strings.Contains(fonts, "AAAAAA+Sans") {
		t.Errorf("not all fonts are embedded, in part, with their letters:\n%s", fonts)
	}
	out := filepath.Join(t.TempDir(), "data.xml")
	poppler.Run(t, "pdfdetach", "-save", "1", "-o", out, path)
	if got, err := os.ReadFile(out); err != nil || string(got) != "<a>ä</a>" {
		t.Errorf("%s, %v", got, err)
	}
}

// The same bytes, whoever writes them at the same time.
func TestSameBytes(t *testing.T) {
	fresh, err := NewFont("Sans", liberationsansregular.TTF, dejavusans.TTF)
	if err != nil {
		t.Fatal(err)
	}
	write := func(f *Font, text string) []byte {
		d := letter("ß")
		d.Page().Text(f, 9, 60, 20, 20, text)
		return d.Bytes()
	}
	texts := []string{"abc", "Чайник abc", "Φλιτζάνι", "½ ₹"}
	got := make([][]byte, 8*len(texts))
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i] = write(fresh, texts[i%len(texts)]) })
	}
	all.Wait()
	for i := range got {
		if !bytes.Equal(got[i], got[i%len(texts)]) {
			t.Errorf("%q has become other bytes", texts[i%len(texts)])
		}
	}
	if bytes.Equal(got[0], got[1]) {
		t.Error("other text, the same bytes")
	}
}

// A part of a font draws its letters as the whole does.
func TestPartsAreTheirFont(t *testing.T) {
	whole, err := sfnt.Parse(liberationsansregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range sans().parts[:4] {
		cut, err := sfnt.Parse(withNames(p.of.cut(p.ids)))
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		var a, b sfnt.Buffer
		for i, id := range p.ids {
			want, err := whole.LoadGlyph(&a, sfnt.GlyphIndex(id), fixed.I(64), nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := cut.LoadGlyph(&b, sfnt.GlyphIndex(i+1), fixed.I(64), nil)
			if err != nil {
				t.Fatalf("%s: %q: %v", p.name, p.runes[i], err)
			}
			if fmt.Sprint(want) != fmt.Sprint(got) {
				t.Errorf("%s: %q is drawn in another way", p.name, p.runes[i])
			}
			wide, err := whole.GlyphAdvance(&a, sfnt.GlyphIndex(id), fixed.I(1000), font.HintingNone)
			if err != nil || max(wide.Round()-int(p.wide[i]), int(p.wide[i])-wide.Round()) > 1 {
				t.Errorf("%s: %q is %d wide, not %d", p.name, p.runes[i], p.wide[i], wide.Round())
			}
		}
	}
}

// withNames adds the tables to a program that sfnt asks for and PDF does not.
func withNames(program []byte) []byte {
	out := bytes.Clone(program)
	out[5] = 8
	shifted := out[:12]
	rest := out[12 : 12+16*6]
	var table []byte
	entry := func(name string, at, length int) []byte {
		e := append([]byte(name), 0, 0, 0, 0)
		return append(e, byte(at>>24), byte(at>>16), byte(at>>8), byte(at), 0, 0, byte(length>>8), byte(length))
	}
	cmap := []byte{0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12, 0, 4, 0, 24, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 1, 0, 0}
	post := append([]byte{0, 3, 0, 0}, make([]byte, 28)...)
	end := len(out) + 32
	table = append(table, entry("cmap", end, len(cmap))...)
	for i := range 6 {
		e := bytes.Clone(rest[16*i : 16*i+16])
		at := int(e[8])<<24 | int(e[9])<<16 | int(e[10])<<8 | int(e[11]) + 32
		e[8], e[9], e[10], e[11] = byte(at>>24), byte(at>>16), byte(at>>8), byte(at)
		table = append(table, e...)
	}
	table = append(table, entry("post", end+len(cmap), len(post))...)
	all := append(bytes.Clone(shifted), table...)
	all = append(all, out[12+16*6:]...)
	return append(append(all, cmap...), post...)
}

// Whatever is broken into lines is all there, and no line is too wide unless
// it is a single letter.
func TestWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abcW äЩ  ½")), 0, 60, -1).Draw(t, "text")
		width := rapid.Float64Range(1, 60).Draw(t, "width")
		lines := sans().Wrap(text, 10, width)
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(text), ""); got != want {
			t.Errorf("%q became %q", text, lines)
		}
		for _, line := range lines {
			if line == "" || sans().Width(line, 10) > width && len([]rune(line)) > 1 {
				t.Errorf("%q is %.1f mm wide of %.1f", line, sans().Width(line, 10), width)
			}
		}
		if fit := sans().Fit(text, 10, width); sans().Width(fit, 10) > width && fit != "…" {
			t.Errorf("%q does not fit into %.1f mm", fit, width)
		}
	})
}

func TestNumbers(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 1: "1", 1.5: "1.5", 595.276: "595.28", .04: "0.04", -2.25: "-2.25", 0.999: "1"} {
		if got := string(appendNumber(nil, f)); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestNoFont(t *testing.T) {
	for _, content := range [][]byte{nil, []byte("no font"), liberationsansregular.TTF[:2000]} {
		if _, err := NewFont("Sans", content); err == nil {
			t.Errorf("%d bytes are a font", len(content))
		}
	}
}
