package docstore

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A Partial is as much of a document as P declares, a struct that embeds Meta.
// Everything else in the document stays as it is, neither decoded nor encoded:
// a small change of a big document costs little, and who makes it need not
// know what else there is.
type Partial[P any] struct {
	Part P
	rest []byte // the other elements, as they are written
}

func (d *Partial[P]) meta() *Meta { return metaOf(&d.Part) }

// PartOf is the collection for those who read and change P of its documents.
func PartOf[P, T any](c *Collection[T]) *Collection[Partial[P]] {
	if _, ok := any(new(P)).(document); !ok {
		panic(fmt.Sprintf("docstore: %T does not embed docstore.Meta", *new(P)))
	}
	return &Collection[Partial[P]]{docs: c.docs, spec: c.spec, queue: c.queue}
}

// UnmarshalBSON is bson.Unmarshaler's.
func (d *Partial[P]) UnmarshalBSON(raw []byte) error {
	*d = Partial[P]{}
	if err := bson.Unmarshal(raw, &d.Part); err != nil {
		return err
	}
	elements, err := bson.Raw(raw).Elements()
	if err != nil {
		return err
	}
	known := keysOf(reflect.TypeFor[P]())
	for _, e := range elements {
		if key, err := e.KeyErr(); err != nil {
			return err
		} else if !known[key] {
			d.rest = append(d.rest, e...)
		}
	}
	return nil
}

// MarshalBSON is bson.Marshaler's.
func (d *Partial[P]) MarshalBSON() ([]byte, error) {
	part, err := bson.Marshal(&d.Part)
	if err != nil {
		return nil, err
	}
	whole := append(append(part[:len(part)-1], d.rest...), 0)
	binary.LittleEndian.PutUint32(whole, uint32(len(whole)))
	return whole, nil
}

var keys sync.Map // of reflect.Type: map[string]bool

// keysOf are the keys under which the fields of a struct are written.
func keysOf(t reflect.Type) map[string]bool {
	if known, ok := keys.Load(t); ok {
		return known.(map[string]bool)
	}
	known := map[string]bool{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("bson"), ",")
		switch {
		case !f.IsExported(), name == "-":
		case strings.Contains(options, "inline"):
			for key := range keysOf(f.Type) {
				known[key] = true
			}
		case name == "":
			known[strings.ToLower(f.Name)] = true
		default:
			known[name] = true
		}
	}
	keys.Store(t, known)
	return known
}
