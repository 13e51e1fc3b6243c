package pdf

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

const producer = "Ordergraph"

// packet is the XMP that says what the document is, the same as its
// information dictionary does, and that it keeps to PDF/A-3b.
func (d *Document) packet() []byte {
	at := d.Created.UTC().Format(time.RFC3339)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<?xpacket begin="%s" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>%s</pdf:Producer></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreatorTool>%s</xmp:CreatorTool><xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%s</xmp:ModifyDate></rdf:Description>
%s</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>`, "\uFEFF", escaped(d.Title), escaped(d.Author), producer, escaped(d.Creator), at, at, d.Metadata)
	return out.Bytes()
}

func escaped(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a builder takes it all
	return out.String()
}

// appendText writes a string that people read: ASCII as it is, all else in
// UTF-16.
func appendText(to []byte, text string) []byte {
	plain := true
	for i := range len(text) {
		plain = plain && text[i] >= ' ' && text[i] < 0x7F
	}
	if !plain {
		to = append(to, "<FEFF"...)
		for _, unit := range utf16.Encode([]rune(text)) {
			to = fmt.Appendf(to, "%04X", unit)
		}
		return append(to, '>')
	}
	to = append(to, '(')
	for i := range len(text) {
		if c := text[i]; c == '(' || c == ')' || c == '\\' {
			to = append(to, '\\')
		}
		to = append(to, text[i])
	}
	return append(to, ')')
}

// name writes a media type as a name.
func name(text string) string { return strings.ReplaceAll(text, "/", "#2F") }

// greyProfile is an ICC profile (version 2.1), which says what grey is: PDF/A
// wants to know.
var greyProfile = func() []byte {
	const gamma = 0x0233 // 2.2 in eighths of bits
	text := func(kind, s string) []byte { return append([]byte(kind+"\x00\x00\x00\x00"), s...) }
	describe := func(s string) []byte {
		out := binary.BigEndian.AppendUint32(text("desc", ""), uint32(len(s)+1)) //nolint:gosec // a few bytes
		return append(append(out, s...), make([]byte, 1+4+4+2+1+67)...)          // no Unicode, no Macintosh
	}
	white := []uint32{0xF6D6, 0x10000, 0xD32D} // D50
	tags := []struct {
		name    string
		content []byte
	}{
		{"desc", describe("Grey, gamma 2.2")},
		{"cprt", text("text", "No copyright\x00")},
		{"wtpt", func() []byte {
			out := text("XYZ ", "")
			for _, v := range white {
				out = binary.BigEndian.AppendUint32(out, v)
			}
			return out
		}()},
		{"kTRC", append(binary.BigEndian.AppendUint32(text("curv", ""), 1), gamma>>8, gamma&0xFF)},
	}
	head := make([]byte, 128)
	copy(head[8:], []byte{2, 0x10})
	copy(head[12:], "mntrGRAYXYZ ")
	copy(head[24:], []byte{7, 0xE2, 0, 1, 0, 1}) // 1 January 2018
	copy(head[36:], "acsp")
	for i, v := range white {
		binary.BigEndian.PutUint32(head[68+4*i:], v)
	}
	table, content := binary.BigEndian.AppendUint32(nil, uint32(len(tags))), []byte(nil)
	for _, t := range tags {
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(128+4+12*len(tags)+len(content))) //nolint:gosec // some hundred bytes
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.content)))                  //nolint:gosec // likewise
		content = append(content, t.content...)
		for len(content)%4 != 0 {
			content = append(content, 0)
		}
	}
	out := append(append(head, table...), content...)
	binary.BigEndian.PutUint32(out, uint32(len(out))) //nolint:gosec // likewise
	return out
}()
