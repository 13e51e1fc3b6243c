package transport

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// compressFrom is the size of the smallest answer that is compressed, in
// bytes: what fits into one packet anyway is not.
const compressFrom = 1400

// compressLevel is the fastest. The next ones take up to half as long again
// for a product page that becomes 2 % smaller.
const compressLevel = gzip.BestSpeed

// A compressible answer is for a client that takes gzip. Streams are written
// to it as they are.
type compressible struct{ http.ResponseWriter }

// Unwrap is for http.ResponseController.
func (c compressible) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// offersGzip makes the answer compressible if the client takes that.
func offersGzip(w http.ResponseWriter, accepted []string) http.ResponseWriter {
	if len(accepted) > 0 && takesGzip(accepted) {
		return compressible{w}
	}
	return w
}

// AcceptsGzip reports whether gzip is accepted by a request of this header, and
// not less than plain text.
func AcceptsGzip(header http.Header) bool { return takesGzip(header["Accept-Encoding"]) }

func takesGzip(accepted []string) bool {
	var squeezed, any, plain preference
	for _, header := range accepted {
		for entry := range strings.SplitSeq(header, ",") {
			name, params, _ := strings.Cut(entry, ";")
			weight := preference{parametersOf(params).q, 1}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				squeezed = weight
			case "identity":
				plain = weight
			case "*":
				any = weight
			}
		}
	}
	if squeezed.precision == 0 {
		squeezed = any
	}
	return squeezed.q > 0 && squeezed.q >= plain.q
}

var compressors = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, compressLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// compress writes the parts to b as one gzip stream.
func compress(b *bytes.Buffer, parts ...[]byte) {
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(b)
	for _, part := range parts {
		_, _ = w.Write(part) // to memory
	}
	_ = w.Close()
}
