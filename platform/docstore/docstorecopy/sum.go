package docstorecopy

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A sum stands for a set of documents: two sets with the same sum are equal.
// It does not depend on the order in which they were added, since engines may
// differ about the order of ids that are not ASCII.
type sum struct {
	count   int64
	digests [4]uint64 // all digests added up, as one number of 256 bits
}

func (s *sum) add(doc bson.Raw) {
	s.count++
	d, carry := digest(doc), uint64(0)
	for i := range s.digests {
		s.digests[i], carry = bits.Add64(s.digests[i], binary.LittleEndian.Uint64(d[8*i:]), carry)
	}
}

// digest is over the fields in their order, except that the _id comes first
// wherever it stands: MongoDB moves it there.
func digest(doc bson.Raw) [sha256.Size]byte {
	h := sha256.New()
	elements, _ := doc.Elements() // engines hand out valid documents only
	for _, first := range []bool{true, false} {
		for _, e := range elements {
			if (e.Key() == "_id") == first {
				_, _ = h.Write(e)
			}
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
