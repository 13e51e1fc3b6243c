// Package pdf writes documents of text and lines, with files attached, for
// people to print and for archives to keep: PDF 1.7 as PDF/A-3b (ISO 19005-3)
// has it. The same content gives the same bytes.
//
// It does little on purpose: pages of one size, grey ink, left-to-right text
// without ligatures. What takes time, the fonts, is prepared once.
package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// A4, in millimetres.
const (
	Width  = 210.0
	Height = 297.0
)

// point is how many points a millimetre has.
const point = 72 / 25.4

// A Document is written page by page. Its fields may be set until Bytes.
type Document struct {
	Title    string
	Author   string
	Creator  string // the program, or whatever made it
	Language string // BCP 47
	Created  time.Time
	Attached []Attachment
	// Metadata are further descriptions for the XMP packet, as RDF/XML; the
	// prefix rdf is bound.
	Metadata string

	pages []*Page
	parts []*part // F0, F1, …
}

// An Attachment is a file inside of the document.
type Attachment struct {
	Name        string // ASCII
	Type        string // its media type
	Description string
	Relation    string // to the document: Alternative, Data, Source, Supplement
	Content     []byte
}

// A Page is drawn in millimetres from its upper left corner, and in ink from 0,
// black, to 255, white.
type Page struct {
	of      *Document
	content []byte
	ink     [2]int // what lines and areas have, +1
	part    *part
	size    float64
	weight  float64
}

// Page begins the next page.
func (d *Document) Page() *Page {
	p := &Page{of: d}
	d.pages = append(d.pages, p)
	return p
}

// Pages are those there are.
func (d *Document) Pages() []*Page { return d.pages }

// Text writes one line that begins at x, with its base at y, in a size in
// points. Letters that the font does not have are left out: see Font.Has.
func (p *Page) Text(f *Font, size float64, ink int, x, y float64, text string) {
	p.fill(ink)
	p.put("BT ")
	begun := false
	for _, r := range text {
		g := f.glyph(r)
		if g.part == nil {
			continue
		}
		if g.part != p.part || size != p.size {
			if begun {
				p.put("> Tj ")
			}
			p.part, p.size = g.part, size
			p.put("/F")
			p.content = strconv.AppendInt(p.content, int64(p.of.use(g.part)), 10)
			p.put(" ")
			p.number(size)
			p.put("Tf ")
			if begun {
				p.put("<")
			}
		}
		if !begun {
			begun = true
			p.number(x * point)
			p.number((Height - y) * point)
			p.put("Td <")
		}
		const digits = "0123456789ABCDEF"
		p.content = append(p.content, digits[g.id>>12], digits[g.id>>8&15], digits[g.id>>4&15], digits[g.id&15])
	}
	if begun {
		p.put("> Tj ")
	}
	p.put("ET\n")
}

// Line draws one, so many millimetres thick.
func (p *Page) Line(ink int, weight, x1, y1, x2, y2 float64) {
	p.shade(1, ink, "G\n")
	if p.weight != weight {
		p.weight = weight
		p.number(weight * point)
		p.put("w\n")
	}
	p.number(x1 * point)
	p.number((Height - y1) * point)
	p.put("m ")
	p.number(x2 * point)
	p.number((Height - y2) * point)
	p.put("l S\n")
}

// Area fills a rectangle.
func (p *Page) Area(ink int, x, y, width, height float64) {
	p.fill(ink)
	p.number(x * point)
	p.number((Height - y - height) * point)
	p.number(width * point)
	p.number(height * point)
	p.put("re f\n")
}

func (p *Page) fill(ink int) { p.shade(0, ink, "g\n") }

func (p *Page) shade(what, ink int, operator string) {
	if p.ink[what] == ink+1 {
		return
	}
	p.ink[what] = ink + 1
	p.number(float64(ink) / 255)
	p.put(operator)
}

func (p *Page) put(text string) { p.content = append(p.content, text...) }

// number writes it to the hundredth, with a space.
func (p *Page) number(f float64) {
	p.content = append(appendNumber(p.content, f), ' ')
}

func appendNumber(to []byte, f float64) []byte {
	n := int64(f*100 + .5)
	if f < 0 {
		to = append(to, '-')
		n = int64(-f*100 + .5)
	}
	to = strconv.AppendInt(to, n/100, 10)
	if n %= 100; n != 0 {
		to = append(to, '.', byte('0'+n/10))
		if n%10 != 0 {
			to = append(to, byte('0'+n%10))
		}
	}
	return to
}

// use is the number of a font's part in the document.
func (d *Document) use(p *part) int {
	for i, used := range d.parts {
		if used == p {
			return i
		}
	}
	d.parts = append(d.parts, p)
	return len(d.parts) - 1
}

// The objects that every document has; the others follow.
const (
	catalog = 1 + iota
	pageTree
	information
	metadata
	profile
	resources
	firstFree
)

// perPart is how many objects a part of a font takes.
const perPart = 5

// Bytes is the document.
func (d *Document) Bytes() []byte {
	firstFile := firstFree + 2*len(d.pages)
	firstPart := firstFile + 2*len(d.Attached)
	w := writer{offsets: make([]int, 0, firstPart+perPart*len(d.parts))}
	size := 8 << 10
	for _, p := range d.parts {
		size += len(p.ready().program) + len(p.ready().unicode) + len(p.ready().widths) + 1<<10
	}
	for _, a := range d.Attached {
		size += len(a.Content)
	}
	w.out = make([]byte, 0, size)
	w.put("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")

	w.begin()
	w.put("<</Type /Catalog /Pages ").ref(pageTree).put(" /Metadata ").ref(metadata).put(" /Lang ").text(d.Language).put(" /ViewerPreferences <</DisplayDocTitle true>>")
	w.put(" /OutputIntents [<</Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (Gamma 2.2) /Info (Gamma 2.2) /DestOutputProfile ").ref(profile).put(">>]")
	if len(d.Attached) > 0 {
		w.put(" /PageMode /UseAttachments /Names <</EmbeddedFiles <</Names [")
		for i, a := range d.Attached {
			w.text(a.Name).put(" ").ref(firstFile + 2*i).put(" ")
		}
		w.put("]>>>> /AF [")
		for i := range d.Attached {
			w.ref(firstFile + 2*i).put(" ")
		}
		w.put("]")
	}
	w.put(">>").end()

	w.begin()
	w.put("<</Type /Pages /Count ").int(len(d.pages)).put(" /Kids [")
	for i := range d.pages {
		w.ref(firstFree + 2*i).put(" ")
	}
	w.put("] /MediaBox [0 0 ").number(Width * point).put(" ").number(Height * point).put("]>>").end()

	date := d.Created.UTC().Format("D:20060102150405Z")
	w.begin()
	w.put("<</Title ").text(d.Title).put(" /Author ").text(d.Author).put(" /Creator ").text(d.Creator).put(" /Producer ").text(producer)
	w.put(" /CreationDate ").text(date).put(" /ModDate ").text(date).put(">>").end()

	w.begin()
	w.stream("/Type /Metadata /Subtype /XML", d.packet())

	w.begin()
	w.stream("/N 1 ", greyProfile)

	w.begin()
	w.put("<</Font <<")
	for i := range d.parts {
		w.put("/F").int(i).put(" ").ref(firstPart + perPart*i).put(" ")
	}
	w.put(">>>>").end()

	for i, p := range d.pages {
		w.begin()
		w.put("<</Type /Page /Parent ").ref(pageTree).put(" /Resources ").ref(resources).put(" /Contents ").ref(firstFree + 2*i + 1).put(">>").end()
		w.begin()
		w.compressed("", p.content)
	}
	for i, a := range d.Attached {
		w.begin()
		w.put("<</Type /Filespec /F ").text(a.Name).put(" /UF ").text(a.Name).put(" /Desc ").text(a.Description)
		w.put(" /AFRelationship /").put(a.Relation).put(" /EF <</F ").ref(firstFile + 2*i + 1).put(" /UF ").ref(firstFile + 2*i + 1).put(">>>>").end()
		w.begin()
		w.compressed(fmt.Sprintf("/Type /EmbeddedFile /Subtype /%s /Params <</Size %d /ModDate (%s)>> ", name(a.Type), len(a.Content), date), a.Content)
	}
	sum := sha256.Sum256(w.out) // the fonts are the same for all
	for i, p := range d.parts {
		w.font(firstPart+perPart*i, p)
	}
	return w.finish(sum[:16])
}

// A writer writes the objects of a file one after another and notes where they are.
type writer struct {
	out     []byte
	offsets []int
}

func (w *writer) put(text string) *writer { w.out = append(w.out, text...); return w }

func (w *writer) int(n int) *writer { w.out = strconv.AppendInt(w.out, int64(n), 10); return w }

func (w *writer) number(f float64) *writer { w.out = appendNumber(w.out, f); return w }

func (w *writer) ref(n int) *writer { return w.int(n).put(" 0 R") }

// text is a string that people read: ASCII as it is, all else in UTF-16.
func (w *writer) text(s string) *writer { w.out = appendText(w.out, s); return w }

func (w *writer) begin() {
	w.offsets = append(w.offsets, len(w.out))
	w.int(len(w.offsets)).put(" 0 obj\n")
}

func (w *writer) end() { w.put("\nendobj\n") }

// stream writes the current object's stream and ends it.
func (w *writer) stream(dictionary string, content []byte) {
	w.put("<<").put(dictionary).put("/Length ").int(len(content)).put(">>\nstream\n")
	w.out = append(w.out, content...)
	w.put("\nendstream").end()
}

func (w *writer) compressed(dictionary string, content []byte) {
	w.stream(dictionary+"/Filter /FlateDecode ", deflate(content))
}

// font writes a part of a font, whose first object is n.
func (w *writer) font(n int, p *part) {
	e := p.ready()
	w.begin()
	w.put("<</Type /Font /Subtype /Type0 /BaseFont /").put(p.name).put(" /Encoding /Identity-H /DescendantFonts [").ref(n + 1).put("] /ToUnicode ").ref(n + 4).put(">>").end()
	w.begin()
	w.put("<</Type /Font /Subtype /CIDFontType2 /BaseFont /").put(p.name)
	w.put(" /CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>> /CIDToGIDMap /Identity /FontDescriptor ").ref(n + 2).put(" /W ").put(e.widths).put(">>").end()
	w.begin()
	w.put("<</Type /FontDescriptor /FontName /").put(p.name).put(" ").put(p.descriptor()).put(" /FontFile2 ").ref(n + 3).put(">>").end()
	w.begin()
	w.stream(fmt.Sprintf("/Filter /FlateDecode /Length1 %d ", e.length), e.program)
	w.begin()
	w.stream("/Filter /FlateDecode ", e.unicode)
}

// finish writes where everything is, and the file's id.
func (w *writer) finish(id []byte) []byte {
	start := len(w.out)
	w.put("xref\n0 ").int(len(w.offsets) + 1).put("\n0000000000 65535 f \n")
	for _, at := range w.offsets {
		w.out = fmt.Appendf(w.out, "%010d 00000 n \n", at)
	}
	w.put("trailer\n<</Size ").int(len(w.offsets) + 1).put(" /Root ").ref(catalog).put(" /Info ").ref(information)
	w.out = fmt.Appendf(w.out, " /ID [<%X> <%X>]>>\nstartxref\n%d\n%%%%EOF\n", id, id, start)
	return w.out
}

var compressors = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(nil, zlib.BestSpeed)
	if err != nil {
		panic(err) // that level there is
	}
	return w
}}

// deflate compresses the content quickly.
func deflate(content []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(content)/3 + 64)
	w := compressors.Get().(*zlib.Writer) //nolint:errcheck // nothing else is in there
	defer compressors.Put(w)
	w.Reset(&out)
	return deflated(w, &out, content)
}

func deflated(w *zlib.Writer, out *bytes.Buffer, content []byte) []byte {
	_, _ = w.Write(content) // a buffer takes it all
	_ = w.Close()
	return out.Bytes()
}
