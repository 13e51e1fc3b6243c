package catalog

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ordergraph/platform/money"
)

// A node is a part of a question.
type node struct {
	kind nodeKind
	kids []*node // of all and either
	text string  // of word and phrase, as typed
	in   uint8   // fields to look for it in
	open bool    // the word may be unfinished
	test func(*item) bool
}

type nodeKind uint8

const (
	all    nodeKind = iota // every kid holds
	either                 // one of the kids holds
	not                    // its one kid does not hold
	word
	phrase
	tested // test says so, with no bearing on the score
)

// parse reads what a customer typed: words, all of which must be found, and
// Shopify's search syntax where it is one. It never fails: what is not syntax
// is words. nil asks for everything.
func parse(text, currency string) *node {
	text = strings.ToValidUTF8(text, " ")
	p := &parser{rest: text, currency: currency}
	// The last word may be unfinished unless something stands behind it.
	last, _ := utf8.DecodeLastRuneInString(text)
	p.typing = unicode.IsLetter(last) || unicode.IsDigit(last)
	n := p.either(0)
	for p.skip(); p.rest != ""; p.skip() { // a ")" too many
		p.rest = p.rest[1:]
		if more := p.either(0); more != nil {
			n = join(all, n, more)
		}
	}
	return n
}

type parser struct {
	rest     string
	currency string
	typing   bool
}

// deepest is how far brackets may be nested; further in, they are ignored.
const deepest = 16

func (p *parser) skip() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// keyword takes the word if it stands there by itself.
func (p *parser) keyword(w string) bool {
	p.skip()
	after, ok := strings.CutPrefix(p.rest, w)
	if !ok {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(after); after != "" && !unicode.IsSpace(r) && r != '(' {
		return false
	}
	p.rest = after
	return true
}

func (p *parser) either(depth int) *node {
	n := p.all(depth)
	for p.keyword("OR") {
		if next := p.all(depth); next != nil {
			n = join(either, n, next)
		}
	}
	return n
}

func (p *parser) all(depth int) *node {
	var kids []*node
	for {
		p.skip()
		if p.rest == "" || p.rest[0] == ')' {
			break
		}
		at := p.rest
		if p.keyword("OR") {
			if len(kids) > 0 {
				p.rest = at
				break
			}
			continue // nothing before it
		}
		if p.keyword("AND") {
			continue
		}
		if n := p.unary(depth); n != nil {
			kids = append(kids, n)
		}
	}
	kids = withoutSmallWords(kids)
	switch len(kids) {
	case 0:
		return nil
	case 1:
		return kids[0]
	}
	return &node{kind: all, kids: kids}
}

func (p *parser) unary(depth int) *node {
	negated := false
	for {
		p.skip()
		if p.keyword("NOT") {
			negated = !negated
			continue
		}
		if len(p.rest) > 1 && p.rest[0] == '-' {
			if r, _ := utf8.DecodeRuneInString(p.rest[1:]); !unicode.IsSpace(r) {
				p.rest = p.rest[1:]
				negated = !negated
				continue
			}
		}
		break
	}
	var n *node
	switch {
	case p.rest == "":
	case p.rest[0] == '(':
		p.rest = p.rest[1:]
		if depth < deepest {
			n = p.either(depth + 1)
			if p.skip(); strings.HasPrefix(p.rest, ")") {
				p.rest = p.rest[1:]
			}
		}
	case p.rest[0] == ')':
	default:
		n = p.leaf()
	}
	if n != nil && negated {
		n = &node{kind: not, kids: []*node{n}}
	}
	return n
}

func (p *parser) leaf() *node {
	if q, ok := p.quoted(); ok {
		return textNode(phrase, q, anyField)
	}
	w := p.word()
	if name, value, ok := strings.Cut(w, ":"); ok && queryFields[name] {
		if value == "" {
			if q, ok := p.quoted(); ok {
				value = q
			}
		} else if c := strings.TrimLeft(value, "<>="); c == "" {
			if q, ok := p.quoted(); ok { // created_at:>"2026-01-01"
				value += q
			}
		}
		if n := p.fieldNode(name, value); n != nil {
			return n
		}
		w = name + " " + value
	}
	open := p.typing && p.rest == ""
	if bare, star := strings.CutSuffix(w, "*"); star && bare != "" {
		w, open = bare, true
	}
	n := textNode(word, w, anyField)
	if n != nil {
		n.open = open
	}
	return n
}

// quoted takes a phrase in quotation marks. A mark that is never closed is none.
func (p *parser) quoted() (string, bool) {
	if p.rest == "" || p.rest[0] != '"' && p.rest[0] != '\'' {
		return "", false
	}
	end := strings.IndexByte(p.rest[1:], p.rest[0])
	if end < 0 {
		p.rest = p.rest[1:]
		return "", false
	}
	q := p.rest[1 : 1+end]
	p.rest = p.rest[2+end:]
	return q, true
}

func (p *parser) word() string {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == ')' || r == '"' })
	if end < 0 {
		end = len(p.rest)
	}
	// A value in single quotes belongs to its field.
	if name, value, ok := strings.Cut(p.rest[:end], ":"); ok && queryFields[name] {
		if i := strings.IndexByte(value, '\''); i >= 0 && strings.Trim(value[:i], "<>=") == "" {
			from := len(name) + 1 + i + 1
			if j := strings.IndexByte(p.rest[from:], '\''); j >= 0 {
				w := name + ":" + value[:i] + p.rest[from:from+j]
				p.rest = p.rest[from+j+1:]
				return w
			}
		}
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

func textNode(kind nodeKind, text string, in uint8) *node {
	if len(words(text)) == 0 {
		return nil
	}
	return &node{kind: kind, text: text, in: in}
}

func join(kind nodeKind, a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.kind == kind:
		a.kids = append(a.kids, b)
		return a
	}
	return &node{kind: kind, kids: []*node{a, b}}
}

func withoutSmallWords(kids []*node) []*node {
	var rest []*node
	telling := false
	for _, n := range kids {
		if n.kind == word && n.in == anyField && smallWords[fold(n.text)] {
			continue
		}
		telling = telling || n.kind == word || n.kind == phrase
		rest = append(rest, n)
	}
	if !telling {
		return kids
	}
	return rest
}

// The fields that Shopify's syntax may name.
var queryFields = map[string]bool{
	"title": true, "tag": true, "tag_not": true, "vendor": true, "product_type": true, "handle": true,
	"sku": true, "barcode": true, "variants.sku": true, "variants.barcode": true, "variants.price": true,
	"available_for_sale": true, "created_at": true, "updated_at": true,
}

// fieldNode is the test that field:value stands for, or nil if the value does
// not suit the field.
func (p *parser) fieldNode(name, value string) *node {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	test := func(f func(*item) bool) *node { return &node{kind: tested, test: f} }
	is := matcher(value)
	switch name {
	case "title":
		if bare, star := strings.CutSuffix(value, "*"); star {
			if n := textNode(word, bare, 1<<inTitle); n != nil {
				n.open = true
				return n
			}
			return nil
		}
		if strings.ContainsRune(value, ' ') {
			return textNode(phrase, value, 1<<inTitle)
		}
		return textNode(word, value, 1<<inTitle)
	case "tag", "tag_not":
		has := func(it *item) bool {
			for _, t := range it.doc.Tags {
				if is(t) {
					return true
				}
			}
			return false
		}
		if name == "tag_not" {
			return test(func(it *item) bool { return !has(it) })
		}
		return test(has)
	case "vendor":
		return test(func(it *item) bool { return is(it.doc.Vendor) })
	case "product_type":
		return test(func(it *item) bool { return is(it.doc.Type) })
	case "handle":
		return test(func(it *item) bool { return is(it.doc.Handle) })
	case "sku", "variants.sku":
		return test(func(it *item) bool {
			for i := range it.doc.Variants {
				if is(it.doc.Variants[i].SKU) {
					return true
				}
			}
			return false
		})
	case "barcode", "variants.barcode":
		return test(func(it *item) bool {
			for i := range it.doc.Variants {
				if b := it.doc.Variants[i].Barcode; b != "" && is(b) {
					return true
				}
			}
			return false
		})
	case "available_for_sale":
		want, err := strconv.ParseBool(strings.ToLower(value))
		if err != nil {
			return nil
		}
		return test(func(it *item) bool { return it.inStock == want })
	case "variants.price":
		op, number := comparison(value)
		amount, err := money.Parse(number, p.currency)
		if err != nil {
			return nil
		}
		return test(func(it *item) bool {
			for i := range it.variants {
				if price := it.variants[i].price; op.holds(price, amount.Minor, amount.Minor+1) {
					return true
				}
			}
			return false
		})
	case "created_at", "updated_at":
		op, moment := comparison(value)
		from, until, ok := moments(moment)
		if !ok {
			return nil
		}
		if name == "created_at" {
			return test(func(it *item) bool { return op.holds(it.created, from, until) })
		}
		return test(func(it *item) bool { return op.holds(it.updated, from, until) })
	}
	return nil
}

// matcher compares with a value whatever the letters' case and accents; a
// star at its end stands for any ending, a star alone for anything at all.
func matcher(value string) func(string) bool {
	want := fold(value)
	if start, star := strings.CutSuffix(want, "*"); star {
		return func(s string) bool { return s != "" && strings.HasPrefix(fold(s), start) }
	}
	return func(s string) bool { return fold(s) == want }
}

type comparator uint8

const (
	equal comparator = iota
	less
	atMost
	more
	atLeast
)

func comparison(value string) (comparator, string) {
	for _, c := range []struct {
		sign string
		op   comparator
	}{{">=", atLeast}, {"<=", atMost}, {">", more}, {"<", less}, {"=", equal}} {
		if rest, ok := strings.CutPrefix(value, c.sign); ok {
			return c.op, strings.TrimSpace(rest)
		}
	}
	return equal, value
}

// holds compares v with the span from…until (excluded), such as a whole day.
func (c comparator) holds(v, from, until int64) bool {
	switch c {
	case less:
		return v < from
	case atMost:
		return v < until
	case more:
		return v >= until
	case atLeast:
		return v >= from
	}
	return v >= from && v < until
}

// moments are the first millisecond of a day or second and the first one
// after it, in UTC unless the text says otherwise.
func moments(s string) (from, until int64, ok bool) {
	for _, layout := range []struct {
		text string
		span time.Duration
	}{
		{time.DateOnly, 24 * time.Hour}, {time.RFC3339, time.Second}, {"2006-01-02T15:04:05", time.Second},
	} {
		if t, err := time.Parse(layout.text, s); err == nil {
			return t.UnixMilli(), t.Add(layout.span).UnixMilli(), true
		}
	}
	return 0, 0, false
}
