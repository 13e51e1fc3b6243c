package catalog

import (
	"context"
	"slices"
	"strings"
)

// A matching answers a question from one state of the index. The shelf is
// locked for reading while it works.
type matching struct {
	text  *textSnapshot
	items []*item
	typos int // how many more words may be taken for mistyped ones
}

// typoWords is how many words of one question may be mistyped: to look for
// what a word may have been meant to be costs most of all.
const typoWords = 6

// match are the products that the question asks for, scored.
func (m *matching) match(ctx context.Context, n *node) (*hits, error) {
	switch n.kind {
	case all, either:
		var found *hits
		for _, kid := range n.kids {
			if n.kind == all && found != nil && found.none() {
				break
			}
			h, err := m.match(ctx, kid)
			if err != nil {
				return nil, err
			}
			switch {
			case found == nil:
				found = h
			case n.kind == all:
				found = found.and(h)
			default:
				found = found.or(h)
			}
		}
		return found, nil
	case not:
		h, err := m.match(ctx, n.kids[0])
		if err != nil {
			return nil, err
		}
		return h.not(), nil
	case word:
		return m.word(ctx, n)
	case phrase:
		return m.phrase(ctx, n)
	}
	h := &hits{}
	for i, it := range m.items {
		if it != nil && n.test(it) {
			h.ordinals = append(h.ordinals, uint32(i))
		}
	}
	return h, nil
}

// word finds what one word, as typed, stands for: itself, a code (a SKU or
// barcode, whole), or, for several that are joined, all of them or their
// compound.
func (m *matching) word(ctx context.Context, n *node) (*hits, error) {
	var parts []string
	var compounds []string
	eachWord(n.text, func(w string, joined bool) {
		if joined {
			compounds = append(compounds, w)
		} else {
			parts = append(parts, w)
		}
	})
	none := &hits{}
	codes := none
	if n.in == anyField {
		var err error
		if codes, err = m.text.find(ctx, wordQuery{word: fold(n.text), fields: 1 << inCodes, exact: true}); err != nil {
			return nil, err
		}
	}
	var found *hits
	for i, part := range parts {
		q := wordQuery{word: part, fields: n.in, exact: true}
		q.prefix = n.open && i == len(parts)-1 && len(part) > 1
		h, err := m.text.find(ctx, q)
		if err == nil && h.none() && codes.none() && m.typos > 0 && editsFor(part) > 0 {
			m.typos--
			q.exact = false
			h, err = m.text.find(ctx, q)
		}
		if err != nil {
			return nil, err
		}
		if found == nil {
			found = h
		} else {
			found = found.and(h)
		}
	}
	if found == nil {
		found = none
	}
	for _, c := range compounds {
		h, err := m.text.find(ctx, wordQuery{word: c, fields: n.in, exact: true})
		if err != nil {
			return nil, err
		}
		found = found.or(h)
	}
	if len(codes.ordinals) > 0 {
		found = found.or(codes)
	}
	return found, nil
}

// phrase finds words that stand one after another. The index knows which
// products hold them all; whether in this order, their texts say.
func (m *matching) phrase(ctx context.Context, n *node) (*hits, error) {
	want := words(n.text)
	var found *hits
	for _, w := range want {
		h, err := m.text.find(ctx, wordQuery{word: w, fields: n.in, exact: true})
		if err != nil {
			return nil, err
		}
		if found == nil {
			found = h
		} else {
			found = found.and(h)
		}
	}
	if len(want) < 2 {
		return found, nil
	}
	kept := &hits{}
	for i, o := range found.ordinals {
		if int(o) < len(m.items) && m.items[o] != nil && m.items[o].says(want, n.in) {
			kept.add(o, 2*found.score(i))
		}
	}
	return kept, nil
}

// says reports whether the words stand one after another in one of the texts.
func (it *item) says(want []string, in uint8) bool {
	if in&(1<<inTitle) != 0 && follows(it.doc.Title, want) {
		return true
	}
	if in&(1<<inNames) != 0 {
		d := &it.doc
		if follows(d.Vendor, want) || follows(d.Type, want) ||
			slices.ContainsFunc(d.Tags, func(t string) bool { return follows(t, want) }) {
			return true
		}
		for _, o := range d.Options {
			if slices.ContainsFunc(o.Values, func(v string) bool { return follows(v, want) }) {
				return true
			}
		}
	}
	return in&(1<<inBody) != 0 && follows(plainText(it.doc.HTML), want)
}

func follows(text string, want []string) bool {
	have := words(text)
	for i := 0; i+len(want) <= len(have); i++ {
		if slices.Equal(have[i:i+len(want)], want) {
			return true
		}
	}
	return false
}

// positive is the question as plain words in their order, for titles that say
// just that; "" if it is not one.
func positive(n *node) string {
	var list []string
	var walk func(*node)
	walk = func(n *node) {
		switch n.kind {
		case all:
			for _, kid := range n.kids {
				walk(kid)
			}
		case word, phrase:
			list = append(list, words(n.text)...)
		}
	}
	if n != nil {
		walk(n)
	}
	return strings.Join(list, " ")
}

// titleBonus ranks products whose title is, begins with, or holds the question
// as it stands above those that hold its words here and there, and of equals
// those with the shorter title.
func (it *item) titleBonus(asked string) float32 {
	bonus := 3 / float32(it.titleWords)
	if asked == "" {
		return bonus
	}
	at := strings.Index(it.words, asked)
	end := at + len(asked)
	if at >= 0 && (at == 0 || it.words[at-1] == ' ') && (end == len(it.words) || it.words[end] == ' ') {
		switch {
		case len(it.words) == len(asked):
			bonus += 30
		case at == 0:
			bonus += 8
		default:
			bonus += 4
		}
	}
	return bonus
}
