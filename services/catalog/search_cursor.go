package catalog

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"strings"
)

// A place is where something stands in a list: by the number, then by the
// text, then by the id. Lists are paged by place, so that what is added or
// removed elsewhere does not move a page.
type place struct {
	n  int64
	s  string
	id string
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.n, o.n), strings.Compare(p.s, o.s), strings.Compare(p.id, o.id))
}

func direction(c int, reverse bool) int {
	if reverse {
		return -c
	}
	return c
}

// cursor writes the place down for the list with this fingerprint. It holds
// in both directions of the list.
func (p place) cursor(print uint64) string {
	b := make([]byte, 0, 17+len(p.id)+len(p.s))
	b = binary.BigEndian.AppendUint64(b, print)
	b = binary.BigEndian.AppendUint64(b, uint64(p.n))
	b = append(b, byte(len(p.id)))
	b = append(b, p.id...)
	b = append(b, p.s...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads a cursor of the list with this fingerprint, or ErrCursor.
func parseCursor(cursor string, print uint64) (place, error) {
	if len(cursor) > 4096 {
		return place{}, ErrCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < 17 || binary.BigEndian.Uint64(b) != print {
		return place{}, ErrCursor
	}
	idEnd := 17 + int(b[16])
	if idEnd > len(b) || idEnd == 17 {
		return place{}, ErrCursor
	}
	return place{int64(binary.BigEndian.Uint64(b[8:])), string(b[idEnd:]), string(b[17:idEnd])}, nil
}

// fingerprint tells cursors of different lists apart.
func fingerprint(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0xff})
	}
	return h.Sum64()
}
