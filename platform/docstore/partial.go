package docstore

import (
	"encoding/binary"
	"fmt"
	"reflect"

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
	if shapeOf(reflect.TypeFor[P]()).is != isRecord {
		panic(fmt.Sprintf("docstore: %T cannot be a part of a document: its keys are not those of its fields alone", *new(P)))
	}
	return &Collection[Partial[P]]{docs: c.docs, spec: c.spec, queue: c.queue}
}

// UnmarshalBSON is bson.Unmarshaler's.
func (d *Partial[P]) UnmarshalBSON(raw []byte) error {
	*d = Partial[P]{}
	if err := decode(raw, &d.Part); err != nil {
		return err
	}
	known := shapeOf(reflect.TypeFor[P]()).places
	elements, ok := within(raw)
	for ok && len(elements) > 0 {
		var e element
		if e, elements, ok = cutElement(elements); !ok {
			break
		}
		if _, mine := known[string(e.key)]; !mine {
			if d.rest == nil {
				d.rest = make([]byte, 0, len(e.whole)+len(elements))
			}
			d.rest = append(d.rest, e.whole...)
		}
	}
	if !ok {
		return fmt.Errorf("%w (it is not BSON)", ErrDocument)
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
