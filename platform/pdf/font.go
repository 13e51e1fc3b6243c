package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/image/font/sfnt"
)

// A Font is a typeface. Its letters are divided into parts, by what is mostly
// used together, and a document carries the parts that it uses: each is cut
// out of the typeface and compressed once in the life of the program, not once
// a document. It may be used by many documents at once.
type Font struct {
	name   string
	glyphs [256]*[256]glyph // by code point, up to U+FFFF
	parts  []*part
}

type glyph struct {
	part  *part // nil: the font does not have it
	id    uint16
	width uint16 // thousandths of the font's size
}

// A part is some letters of a typeface, as a font of its own.
type part struct {
	name  string // with the tag that says that it is a part
	of    *typeface
	runes []rune   // its letters; that at i has the id i+1
	ids   []uint16 // likewise, in the typeface
	wide  []uint16 // likewise
	ready func() *embedded
}

// An embedded part is what stands in a file: the same for every document.
type embedded struct {
	program, unicode []byte // compressed
	length           int    // of the program, before
	widths           string
}

// alphabets are the code points that come together in one part, each up to the
// next; the first part has what Western Europe uses every day.
var alphabets = []rune{0, 0x7F, 0x100, 0x250, 0x370, 0x400, 0x530, 0x1E00, 0x1F00, 0x2000, 0x2190}

const everyday = "\u00a0·×°§€£–—‘’“”„…•"

func alphabetOf(r rune) int {
	if r >= 'À' && r <= 'ÿ' || strings.ContainsRune(everyday, r) {
		return 0
	}
	i, found := slices.BinarySearch(alphabets, r)
	if !found {
		i--
	}
	return i
}

// NewFont reads TrueType programs: a letter is taken from the first that has it.
func NewFont(name string, programs ...[]byte) (*Font, error) {
	f := &Font{name: name}
	for n, content := range programs {
		t, err := parse(content)
		if err != nil {
			return nil, fmt.Errorf("font %s, program %d: %w", name, n+1, err)
		}
		parts := make([]*part, len(alphabets))
		var buffer sfnt.Buffer
		for r := rune(' '); r <= 0xFFFF; r++ {
			if r >= 0x7F && r < 0xA0 || r >= 0xD800 && r < 0xF900 || f.Has(r) {
				continue
			}
			id, err := t.names.GlyphIndex(&buffer, r)
			if err != nil {
				return nil, fmt.Errorf("font %s: %w", name, err)
			}
			if id == 0 {
				continue
			}
			p := parts[alphabetOf(r)]
			if p == nil {
				p = &part{name: tag(len(f.parts)) + "+" + name, of: t}
				p.ready = sync.OnceValue(p.embed)
				parts[alphabetOf(r)], f.parts = p, append(f.parts, p)
			}
			width := t.width(uint16(id))
			p.runes, p.ids, p.wide = append(p.runes, r), append(p.ids, uint16(id)), append(p.wide, width)
			if f.glyphs[r>>8] == nil {
				f.glyphs[r>>8] = new([256]glyph)
			}
			f.glyphs[r>>8][r&0xFF] = glyph{p, uint16(len(p.ids)), width} //nolint:gosec // 0xFFFF letters at most
		}
	}
	return f, nil
}

// tag is six capital letters, other ones for each n.
func tag(n int) string {
	text := []byte("AAAAAA")
	for i := len(text) - 1; n > 0; i-- {
		text[i] += byte(n % 26)
		n /= 26
	}
	return string(text)
}

func (f *Font) glyph(r rune) glyph {
	if r < 0 || r > 0xFFFF || f.glyphs[r>>8] == nil {
		return glyph{}
	}
	return f.glyphs[r>>8][r&0xFF]
}

// Has reports whether the font has the letter.
func (f *Font) Has(r rune) bool { return f.glyph(r).part != nil }

// Width is how wide the text is at this size in points, in millimetres.
func (f *Font) Width(text string, size float64) float64 {
	return float64(f.thousandths(text)) / 1000 * size / point
}

// thousandths is the text's width in thousandths of the font's size.
func (f *Font) thousandths(text string) (sum int) {
	for _, r := range text {
		sum += int(f.glyph(r).width)
	}
	return sum
}

// reach is how many bytes of the text are no wider than that.
func (f *Font) reach(text string, thousandths int) int {
	for i, r := range text {
		if thousandths -= int(f.glyph(r).width); thousandths < 0 {
			return i
		}
	}
	return len(text)
}

func thousandths(width, size float64) int { return int(width * point / size * 1000) }

// Fit is the text, or as much of it as is not wider than so many millimetres,
// with an ellipsis.
func (f *Font) Fit(text string, size, width float64) string {
	most := thousandths(width, size)
	if f.thousandths(text) <= most {
		return text
	}
	return text[:f.reach(text, most-f.thousandths("…"))] + "…"
}

// Wrap breaks the text into lines that are no wider than so many millimetres:
// at spaces, and inside of words that are wider than a line.
func (f *Font) Wrap(text string, size, width float64) []string {
	var lines []string
	most := thousandths(width, size)
	for _, word := range strings.Fields(text) {
		if n := len(lines) - 1; n >= 0 && f.thousandths(lines[n])+f.thousandths(" ")+f.thousandths(word) <= most {
			lines[n] += " " + word
			continue
		}
		for f.thousandths(word) > most {
			_, least := utf8.DecodeRuneInString(word)
			end := max(f.reach(word, most), least)
			lines, word = append(lines, word[:end]), word[end:]
		}
		if word != "" {
			lines = append(lines, word)
		}
	}
	return lines
}

// A typeface is a TrueType program, as far as it is needed here.
type typeface struct {
	names   *sfnt.Font
	tables  map[string][]byte
	em      int
	metrics int // how many advances there are
	long    bool
}

var errFont = errors.New("this is no TrueType font")

func parse(content []byte) (*typeface, error) {
	names, err := sfnt.Parse(content)
	if err != nil {
		return nil, err
	}
	t := &typeface{names: names, tables: map[string][]byte{}}
	for i := range int(binary.BigEndian.Uint16(content[4:])) { // sfnt has checked that it is all there
		entry := content[12+16*i:]
		from, length := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		t.tables[string(entry[:4])] = content[from : from+length]
	}
	for name, least := range map[string]int{"head": 54, "hhea": 36, "maxp": 6, "hmtx": 4, "loca": 4, "glyf": 1} {
		if len(t.tables[name]) < least {
			return nil, fmt.Errorf("%w: table %s", errFont, name)
		}
	}
	t.em = int(binary.BigEndian.Uint16(t.tables["head"][18:]))
	t.long = binary.BigEndian.Uint16(t.tables["head"][50:]) != 0
	t.metrics = int(binary.BigEndian.Uint16(t.tables["hhea"][34:]))
	return t, nil
}

// advance is how far the next letter stands, in the typeface's units.
func (t *typeface) advance(id uint16) uint16 {
	return binary.BigEndian.Uint16(t.tables["hmtx"][4*min(int(id), t.metrics-1):])
}

// width is that in thousandths.
func (t *typeface) width(id uint16) uint16 {
	return uint16((int(t.advance(id))*1000 + t.em/2) / t.em) //nolint:gosec // some thousands at most
}

// bearing is what the letter leaves free at its left.
func (t *typeface) bearing(id uint16) uint16 {
	table := t.tables["hmtx"]
	if int(id) < t.metrics {
		return binary.BigEndian.Uint16(table[4*int(id)+2:])
	}
	return binary.BigEndian.Uint16(table[4*t.metrics+2*(int(id)-t.metrics):])
}

// outline is a letter's drawing.
func (t *typeface) outline(id uint16) []byte {
	loca := t.tables["loca"]
	at := func(i int) uint32 {
		if t.long {
			return binary.BigEndian.Uint32(loca[4*i:])
		}
		return 2 * uint32(binary.BigEndian.Uint16(loca[2*i:]))
	}
	return t.tables["glyf"][at(int(id)):at(int(id)+1)]
}

// Flags of the components that a letter is composed of.
const (
	wordArguments = 1 << iota
	_
	_
	oneScale
	_
	moreComponents
	twoScales
	fourScales
	instructions
)

// cut makes a font program of these letters, and what they are composed of,
// under ids from 1 on. It leaves out what says how to draw on coarse screens.
func (t *typeface) cut(ids []uint16) []byte {
	order := append([]uint16{0}, ids...) // id 0 is for what is missing
	at := map[uint16]uint16{}            // where components went
	var glyf, loca, hmtx []byte
	for i := 0; i < len(order); i++ {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf))) //nolint:gosec // less than the typeface has
		hmtx = binary.BigEndian.AppendUint16(hmtx, t.advance(order[i]))
		hmtx = binary.BigEndian.AppendUint16(hmtx, t.bearing(order[i]))
		drawn := t.outline(order[i])
		if len(drawn) < 10 {
			continue // a space
		}
		if contours := int16(binary.BigEndian.Uint16(drawn)); contours >= 0 { //nolint:gosec // that is how it is kept
			program := 10 + 2*int(contours)
			length := int(binary.BigEndian.Uint16(drawn[program:]))
			glyf = append(glyf, drawn[:program]...)
			glyf = append(glyf, 0, 0)
			glyf = append(glyf, drawn[program+2+length:]...)
		} else {
			glyf = append(glyf, drawn[:10]...)
			for rest, more := drawn[10:], true; more; {
				flags, of := binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
				to, ok := at[of]
				if !ok {
					to = uint16(len(order)) //nolint:gosec // no more than the typeface has, twice
					at[of], order = to, append(order, of)
				}
				size := 6
				if flags&wordArguments != 0 {
					size += 2
				}
				switch {
				case flags&oneScale != 0:
					size += 2
				case flags&twoScales != 0:
					size += 4
				case flags&fourScales != 0:
					size += 8
				}
				glyf = binary.BigEndian.AppendUint16(glyf, flags&^instructions)
				glyf = binary.BigEndian.AppendUint16(glyf, to)
				glyf = append(glyf, rest[4:size]...)
				rest, more = rest[size:], flags&moreComponents != 0
			}
		}
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf))) //nolint:gosec // less than the typeface has
	head, hhea, maxp := slices.Clone(t.tables["head"]), slices.Clone(t.tables["hhea"]), slices.Clone(t.tables["maxp"])
	binary.BigEndian.PutUint32(head[8:], 0)                   // the sum of all, below
	binary.BigEndian.PutUint16(head[50:], 1)                  // long offsets
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(order))) //nolint:gosec // as above
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(order)))  //nolint:gosec // as above

	tables := []struct {
		name    string
		content []byte
	}{{"glyf", glyf}, {"head", head}, {"hhea", hhea}, {"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}}
	// Six tables: the greatest power of two below is four.
	out := []byte{0, 1, 0, 0, 0, 6, 0, 64, 0, 2, 0, 32}
	offset, headAt := len(out)+16*len(tables), 0
	for _, table := range tables {
		if table.name == "head" {
			headAt = offset
		}
		out = append(out, table.name...)
		out = binary.BigEndian.AppendUint32(out, checksum(table.content))
		out = binary.BigEndian.AppendUint32(out, uint32(offset))             //nolint:gosec // less than the typeface has
		out = binary.BigEndian.AppendUint32(out, uint32(len(table.content))) //nolint:gosec // likewise
		offset += (len(table.content) + 3) &^ 3
	}
	for _, table := range tables {
		out = append(out, table.content...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	binary.BigEndian.PutUint32(out[headAt+8:], 0xB1B0AFBA-checksum(out))
	return out
}

// checksum is the sum of the content as numbers of four bytes.
func checksum(content []byte) (sum uint32) {
	for ; len(content) >= 4; content = content[4:] {
		sum += binary.BigEndian.Uint32(content)
	}
	var rest [4]byte
	copy(rest[:], content)
	return sum + binary.BigEndian.Uint32(rest[:])
}

// embed is the part as it stands in files.
func (p *part) embed() *embedded {
	program := p.of.cut(p.ids)
	widths := []byte("[1 [")
	for _, w := range p.wide {
		widths = append(strconv.AppendUint(widths, uint64(w), 10), ' ')
	}
	return &embedded{program: squeeze(program), length: len(program), unicode: squeeze(p.toUnicode()), widths: string(widths) + "]]"}
}

// squeeze compresses as far as can be: it is done once.
func squeeze(content []byte) []byte {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		panic(err) // that level there is
	}
	return deflated(w, &out, content)
}

// toUnicode says which letters the ids stand for, so that text can be searched
// and copied.
func (p *part) toUnicode() []byte {
	type span struct{ first, last, letter int }
	var spans []span
	for i, r := range p.runes {
		id := i + 1
		if n := len(spans) - 1; n >= 0 && id&0xFF != 0 && r&0xFF != 0 && int(r) == spans[n].letter+id-spans[n].first {
			spans[n].last = id
			continue
		}
		spans = append(spans, span{id, id, int(r)})
	}
	var out strings.Builder
	out.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for some := range slices.Chunk(spans, 100) {
		fmt.Fprintf(&out, "%d beginbfrange\n", len(some))
		for _, s := range some {
			fmt.Fprintf(&out, "<%04X> <%04X> <%04X>\n", s.first, s.last, s.letter)
		}
		out.WriteString("endbfrange\n")
	}
	out.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return []byte(out.String())
}

// descriptor describes the typeface to who has to replace it.
func (p *part) descriptor() string {
	t := p.of
	scale := func(table string, at int) int {
		return int(int16(binary.BigEndian.Uint16(t.tables[table][at:]))) * 1000 / t.em //nolint:gosec // that is how it is kept
	}
	capitals := scale("hhea", 4) * 4 / 5
	if os2 := t.tables["OS/2"]; len(os2) >= 90 && binary.BigEndian.Uint16(os2) >= 2 {
		capitals = scale("OS/2", 88)
	}
	return fmt.Sprintf("/Flags 4 /ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d /StemV 80 /FontBBox [%d %d %d %d]",
		scale("hhea", 4), scale("hhea", 6), capitals, scale("head", 36), scale("head", 38), scale("head", 40), scale("head", 42))
}
