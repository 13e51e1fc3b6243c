package catalog

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
)

// The fields of the text index.
type field uint8

const (
	inTitle field = iota
	inNames       // vendor, type, tags, options' values
	inBody        // description
	inCodes       // SKUs, barcodes, handle: whole
	fields
)

var fieldNames = [fields]string{"t", "n", "b", "c"}

// A word in the title says more about a product than one in its tags, and
// that more than one in its description.
var fieldWeight = [fields]float32{inTitle: 10, inNames: 4, inBody: 1, inCodes: 60}

// textIndex finds the products that hold a word. It is made of bleve segments
// that never change once built, like the levels of a log-structured store: a
// new batch becomes a segment, together with those before it that are no
// greater, and what a newer segment holds is dead in the older ones.
//
// bleve's own in-memory index would grow by a segment with every batch and
// never merge them.
//
// Scores depend on the product and the question alone, not on how many other
// products there are, so that pages stay in place while products come and go.
type textIndex struct {
	mu   sync.Mutex // held by the one that changes it
	home []address  // by ordinal: where the product's words are
	now  atomic.Pointer[textSnapshot]
}

type address struct {
	segment *textSegment
	n       uint32
	item    *item
}

type textSnapshot struct {
	segments []liveSegment // the oldest and greatest first
	products int           // ordinals are below
	cache    *hitsCache
}

type liveSegment struct {
	*textSegment
	live  []uint64 // bits by number in the segment
	count int      // of live ones
}

type textSegment struct {
	reader   index.IndexReader
	ordinals []uint32
}

func newTextIndex() *textIndex {
	t := &textIndex{}
	t.now.Store(&textSnapshot{cache: newHitsCache()})
	return t
}

// mergeAtMost is how many products a segment may have and still be built
// anew: merging more would keep the writer waiting.
const mergeAtMost = 20_000

// add indexes items, in place of what was indexed of their products before.
func (t *textIndex) add(items []*item) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.now.Load()
	next := &textSnapshot{products: old.products, cache: newHitsCache()}

	fresh := make([]*item, 0, len(items))
	live := make([]liveSegment, len(old.segments))
	copy(live, old.segments)
	at := make(map[*textSegment]int, len(live))
	for i, s := range live {
		at[s.textSegment] = i
	}
	copied := map[int]bool{}
	for _, it := range items {
		for int(it.ordinal) >= len(t.home) {
			t.home = append(t.home, address{})
		}
		home := &t.home[it.ordinal]
		if home.item != nil && sameText(home.item, it) {
			continue
		}
		home.item = it
		if home.segment != nil {
			i := at[home.segment]
			if !copied[i] {
				copied[i] = true
				live[i].live = append([]uint64(nil), live[i].live...)
			}
			live[i].live[home.n/64] &^= 1 << (home.n % 64)
			live[i].count--
			home.segment = nil
		}
		if it.doc.Published {
			fresh = append(fresh, it)
		}
	}
	next.products = len(t.home)
	if len(fresh) == 0 && len(copied) == 0 {
		return nil
	}
	keep := len(live)
	for keep > 0 && live[keep-1].count <= max(len(fresh), 8) && len(fresh)+live[keep-1].count <= mergeAtMost {
		keep--
		live[keep].each(func(n uint32) { fresh = append(fresh, t.home[live[keep].ordinals[n]].item) })
	}
	next.segments = live[:keep:keep]
	for len(fresh) > 0 {
		part := fresh[:min(len(fresh), mergeAtMost)]
		fresh = fresh[len(part):]
		s, err := buildSegment(part)
		if err != nil {
			return err
		}
		l := liveSegment{s, make([]uint64, (len(s.ordinals)+63)/64), len(s.ordinals)}
		for n, o := range s.ordinals {
			l.live[n/64] |= 1 << (n % 64)
			t.home[o].segment, t.home[o].n = s, uint32(n)
		}
		next.segments = append(next.segments, l)
	}
	t.now.Store(next)
	return nil
}

func (l liveSegment) each(yield func(n uint32)) {
	for w, word := range l.live {
		for ; word != 0; word &= word - 1 {
			yield(uint32(w*64 + bits.TrailingZeros64(word)))
		}
	}
}

// sameText reports whether a search for words finds both or neither.
func sameText(a, b *item) bool {
	x, y := &a.doc, &b.doc
	if x.Published != y.Published || x.Title != y.Title || x.HTML != y.HTML || x.Vendor != y.Vendor || x.Type != y.Type ||
		x.Handle != y.Handle || len(x.Tags) != len(y.Tags) || len(x.Options) != len(y.Options) || len(x.Variants) != len(y.Variants) {
		return false
	}
	for i := range x.Tags {
		if x.Tags[i] != y.Tags[i] {
			return false
		}
	}
	for i := range x.Variants {
		v, w := &x.Variants[i], &y.Variants[i]
		if v.SKU != w.SKU || v.Barcode != w.Barcode || variantKey(v.Values) != variantKey(w.Values) {
			return false
		}
	}
	return true
}

// buildSegment indexes items by themselves.
func buildSegment(items []*item) (*textSegment, error) {
	queue := index.NewAnalysisQueue(2)
	defer queue.Close()
	builder, err := scorch.NewScorch(scorch.Name, map[string]any{"path": ""}, queue)
	if err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	if err := builder.Open(); err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	batch := index.NewBatch()
	for _, it := range items {
		batch.Update(it.document())
	}
	if err := builder.Batch(batch); err != nil {
		_ = builder.Close()
		return nil, fmt.Errorf("search index: %w", err)
	}
	reader, err := builder.Reader()
	if err != nil {
		_ = builder.Close()
		return nil, fmt.Errorf("search index: %w", err)
	}
	// The reader keeps what it reads; the builder's goroutine is not needed.
	if err := builder.Close(); err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	s := &textSegment{reader: reader, ordinals: make([]uint32, len(items))}
	var id index.IndexInternalID
	for n := range s.ordinals {
		id = index.NewIndexInternalID(id, uint64(n))
		name, err := reader.ExternalID(id)
		if err != nil || len(name) != 4 {
			return nil, fmt.Errorf("search index: product %d of %d: %w", n, len(items), err)
		}
		s.ordinals[n] = binary.BigEndian.Uint32([]byte(name))
	}
	return s, nil
}

// document is the item as bleve is to index it: nothing stored, no positions,
// no doc values.
func (it *item) document() index.Document {
	doc := document.NewDocument(string(binary.BigEndian.AppendUint32(nil, it.ordinal)))
	add := func(f field, options index.FieldIndexingOptions, texts ...string) {
		doc.AddField(document.NewTextFieldCustom(fieldNames[f], nil, nil, index.IndexField|options, analyser{texts, f == inCodes}))
	}
	d := &it.doc
	add(inTitle, index.SkipFreqNorm, d.Title)
	names := append([]string{d.Vendor, d.Type}, d.Tags...)
	for _, o := range d.Options {
		names = append(names, o.Values...)
	}
	add(inNames, index.SkipFreqNorm, names...)
	add(inBody, 0, plainText(d.HTML))
	codes := make([]string, 1, 1+2*len(d.Variants))
	codes[0] = d.Handle
	for i := range d.Variants {
		codes = append(codes, d.Variants[i].SKU)
		if b := d.Variants[i].Barcode; b != "" {
			codes = append(codes, b)
		}
	}
	add(inCodes, index.SkipFreqNorm, codes...)
	return doc
}

// An analyser gives bleve the words of texts.
type analyser struct {
	texts []string
	whole bool // each text is one word
}

var _ analysis.Analyzer = analyser{}

func (a analyser) Analyze([]byte) analysis.TokenStream {
	var tokens []analysis.Token
	add := func(w string, _ bool) {
		if len(w) <= maxTerm {
			tokens = append(tokens, analysis.Token{Term: []byte(w), Position: len(tokens) + 1})
		}
	}
	for _, text := range a.texts {
		if a.whole {
			add(fold(text), false)
		} else {
			eachWord(text, add)
		}
	}
	stream := make(analysis.TokenStream, len(tokens))
	for i := range tokens {
		stream[i] = &tokens[i]
	}
	return stream
}

// maxTerm is the longest word that is indexed, in bytes.
const maxTerm = 256

// A wordQuery asks for the products that hold a word.
type wordQuery struct {
	word   string
	fields uint8 // bits
	prefix bool  // the word may be unfinished
	exact  bool  // no typos
}

const anyField = 1<<inTitle | 1<<inNames | 1<<inBody

// How many words an unfinished or a mistyped one can stand for, per field and
// segment.
const (
	endingsAtMost = 256
	typosAtMost   = 64
)

// find returns the products that hold the word, scored. Typos are allowed
// where the word, as it stands, is found nowhere: one in a word of four
// letters or more, two in one of eight or more; none in numbers.
func (s *textSnapshot) find(ctx context.Context, q wordQuery) (*hits, error) {
	if h, ok := s.cache.get(q); ok {
		return h, nil
	}
	scores := takeScores(s.products)
	defer scores.giveBack()
	for f := range fields {
		if q.fields&(1<<f) == 0 {
			continue
		}
		scores.nextField()
		for _, seg := range s.segments {
			if err := seg.collect(ctx, f, q.word, 1, scores); err != nil {
				return nil, err
			}
		}
		if q.prefix {
			if err := s.expand(ctx, f, q.word, 0, scores); err != nil {
				return nil, err
			}
		}
	}
	if edits := editsFor(q.word); scores.empty() && !q.exact && edits > 0 {
		// A nearer word is better: two typos are thought of only where one does not help.
		for allowed := 1; allowed <= edits && scores.empty(); allowed++ {
			for f := range fields {
				if q.fields&(1<<f) == 0 {
					continue
				}
				scores.nextField()
				if err := s.expand(ctx, f, q.word, allowed, scores); err != nil {
					return nil, err
				}
			}
		}
	}
	h := scores.hits()
	s.cache.put(q, h)
	return h, nil
}

func editsFor(word string) int {
	n := 0
	for _, r := range word {
		if '0' <= r && r <= '9' {
			return 0
		}
		n++
	}
	switch {
	case n < 4:
		return 0
	case n < 8:
		return 1
	}
	return 2
}

// expand collects words that begin with word (edits 0), or differ from it in
// at most that many letters.
func (s *textSnapshot) expand(ctx context.Context, f field, word string, edits int, to *scores) error {
	for _, seg := range s.segments {
		var dict index.FieldDict
		var err error
		if edits == 0 {
			dict, err = seg.reader.FieldDictPrefix(fieldNames[f], []byte(word))
		} else {
			fuzzy, ok := seg.reader.(index.IndexReaderFuzzy)
			if !ok {
				return nil
			}
			dict, err = fuzzy.FieldDictFuzzy(fieldNames[f], word, edits, "")
		}
		if err != nil {
			return fmt.Errorf("search index: %w", err)
		}
		most := typosAtMost
		if edits == 0 {
			most = endingsAtMost
		}
		for range most {
			entry, err := dict.Next()
			if err != nil {
				return fmt.Errorf("search index: %w", err)
			}
			if entry == nil {
				break
			}
			if entry.Term == word {
				continue
			}
			weight := float32(0.5)
			if edits == 0 { // the less is missing, the better
				weight = 0.4 + 0.4*float32(len(word))/float32(len(entry.Term))
			}
			if err := seg.collect(ctx, f, entry.Term, weight, to); err != nil {
				return err
			}
		}
		if err := dict.Close(); err != nil {
			return fmt.Errorf("search index: %w", err)
		}
	}
	return nil
}

// collect adds the live products that hold the term in the field.
func (l liveSegment) collect(ctx context.Context, f field, term string, weight float32, to *scores) error {
	counted := f == inBody
	postings, err := l.reader.TermFieldReader(ctx, []byte(term), fieldNames[f], counted, false, false)
	if err != nil {
		return fmt.Errorf("search index: %w", err)
	}
	defer func() { _ = postings.Close() }()
	weight *= fieldWeight[f]
	var doc index.TermFieldDoc
	for {
		d, err := postings.Next(&doc)
		if err != nil {
			return fmt.Errorf("search index: %w", err)
		}
		if d == nil {
			return nil
		}
		n := d.ID.Value()
		if l.live[n/64]&(1<<(n%64)) == 0 {
			continue
		}
		w := weight
		if counted && d.Freq > 1 {
			w *= 1 + 0.25*float32(math.Log2(float64(min(d.Freq, 16))))
		}
		to.add(l.ordinals[n], w)
	}
}

// scores gathers what each product scores for one word: the best of each
// field, added up.
type scores struct {
	sum   []float32 // by ordinal
	best  []float32 // of this field
	all   []uint64  // bits: has a score
	field []uint64  // bits: has one of this field
	any   bool
}

var scorePool = sync.Pool{New: func() any { return new(scores) }}

func takeScores(products int) *scores {
	s := scorePool.Get().(*scores)
	if len(s.sum) < products {
		n := products + products/4 + 64
		*s = scores{sum: make([]float32, n), best: make([]float32, n), all: make([]uint64, (n+63)/64), field: make([]uint64, (n+63)/64)}
	}
	return s
}

func (s *scores) giveBack() {
	clear(s.all)
	clear(s.field)
	s.any = false
	scorePool.Put(s)
}

func (s *scores) empty() bool { return !s.any }

func (s *scores) nextField() {
	if s.any {
		clear(s.field)
	}
}

func (s *scores) add(ordinal uint32, score float32) {
	w, b := ordinal/64, uint64(1)<<(ordinal%64)
	s.any = true
	switch {
	case s.all[w]&b == 0:
		s.all[w] |= b
		s.field[w] |= b
		s.sum[ordinal], s.best[ordinal] = score, score
	case s.field[w]&b == 0:
		s.field[w] |= b
		s.sum[ordinal] += score
		s.best[ordinal] = score
	case score > s.best[ordinal]:
		s.sum[ordinal] += score - s.best[ordinal]
		s.best[ordinal] = score
	}
}

func (s *scores) hits() *hits {
	n := 0
	for _, word := range s.all {
		n += bits.OnesCount64(word)
	}
	h := &hits{ordinals: make([]uint32, 0, n), scores: make([]float32, 0, n)}
	for w, word := range s.all {
		for ; word != 0; word &= word - 1 {
			o := uint32(w*64 + bits.TrailingZeros64(word))
			h.ordinals = append(h.ordinals, o)
			h.scores = append(h.scores, s.sum[o])
		}
	}
	return h
}
