package docstore

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// decode is bson.Unmarshal into a new document, at a third of its cost: every
// read and every change of a document begins with it. What it does not know,
// it leaves to the driver: a value within the document where that is enough, or
// the whole document, with the error that may come of it.
func decode[T any](raw bson.Raw, doc *T) error {
	if custom, ok := any(doc).(bson.Unmarshaler); ok {
		return custom.UnmarshalBSON(raw)
	}
	if s := shapeOf(reflect.TypeFor[T]()); s.is == isRecord {
		if s.record(raw, reflect.ValueOf(doc).Elem()) {
			return nil
		}
		*doc = *new(T)
	}
	return bson.Unmarshal(raw, doc)
}

// A shape is what decode knows of a type.
type shape struct {
	is     int
	typ    reflect.Type
	elem   *shape // of a pointer or a list
	fields []field
	places map[string]int // of the fields, by key
}

type field struct {
	key   string
	index []int
	shape *shape
}

const (
	isOther = iota // the driver's
	isString
	isInt
	isFloat
	isBool
	isTime
	isPointer
	isList
	isRecord
)

var shapes sync.Map // of reflect.Type: *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s, _ := shapes.LoadOrStore(t, learn(t, map[reflect.Type]*shape{}))
	return s.(*shape)
}

// learn makes the shape of t; known are those that are being made, since a type
// may contain itself.
func learn(t reflect.Type, known map[reflect.Type]*shape) *shape {
	if s := known[t]; s != nil {
		return s
	}
	s := &shape{typ: t}
	known[t] = s
	if t == reflect.TypeFor[time.Time]() {
		s.is = isTime
		return s
	}
	// Types that decode themselves, or that the driver has a codec of its own for.
	for _, custom := range []reflect.Type{reflect.TypeFor[bson.Unmarshaler](), reflect.TypeFor[bson.ValueUnmarshaler]()} {
		if t.Implements(custom) || reflect.PointerTo(t).Implements(custom) {
			return s
		}
	}
	if from := t.PkgPath(); from == "encoding/json" || from == "net/url" || strings.HasPrefix(from, "go.mongodb.org/") {
		return s
	}
	switch t.Kind() {
	case reflect.String:
		s.is = isString
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.is = isInt
	case reflect.Float64:
		s.is = isFloat
	case reflect.Bool:
		s.is = isBool
	case reflect.Pointer:
		s.is, s.elem = isPointer, learn(t.Elem(), known)
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			s.is, s.elem = isList, learn(t.Elem(), known)
		}
	case reflect.Struct:
		if s.learnFields(t, nil, known) {
			s.is = isRecord
			s.places = make(map[string]int, len(s.fields))
			for i, f := range s.fields {
				s.places[f.key] = i
			}
			if len(s.places) < len(s.fields) {
				s.is = isOther // the driver knows which of two fields with one key it takes
			}
		}
	}
	return s
}

// learnFields adds the fields of t, which is found under index, unless their
// tags say something that is the driver's.
func (s *shape) learnFields(t reflect.Type, index []int, known map[reflect.Type]*shape) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("bson")
		key, options, _ := strings.Cut(tag, ",")
		switch {
		case f.PkgPath != "" || tag == "-":
			continue
		case !tagged && f.Tag != "" && !strings.Contains(string(f.Tag), ":"), strings.Contains(options, "truncate"):
			return false
		case key == "":
			key = strings.ToLower(f.Name)
		}
		at := append(index[:len(index):len(index)], i)
		if strings.Contains(options, "inline") {
			if f.Type.Kind() != reflect.Struct || !s.learnFields(f.Type, at, known) {
				return false
			}
			continue
		}
		s.fields = append(s.fields, field{key: key, index: at, shape: learn(f.Type, known)})
	}
	return true
}

// record decodes a document into the struct v. Like value and list it reports
// whether it could.
func (s *shape) record(raw []byte, v reflect.Value) bool {
	rest, ok := within(raw)
	next := 0 // fields nearly always come in the order of the struct
	for ok && len(rest) > 0 {
		var e element
		if e, rest, ok = cutElement(rest); !ok {
			break
		}
		i, known := next, next < len(s.fields) && s.fields[next].key == string(e.key)
		if !known {
			i, known = s.place(e.key)
		}
		if !known {
			continue
		}
		at := v
		for _, n := range s.fields[i].index {
			at = at.Field(n)
		}
		ok = s.fields[i].shape.value(e.kind, e.value, at)
		next = i + 1
	}
	return ok
}

// place is where the field with this key is. Like the driver it takes a key in
// lower case for the same.
func (s *shape) place(key []byte) (i int, known bool) {
	if i, known = s.places[string(key)]; !known {
		if lower := bytes.ToLower(key); !bytes.Equal(lower, key) {
			i, known = s.places[string(lower)]
		}
	}
	return i, known
}

func (s *shape) value(kind bson.Type, data []byte, v reflect.Value) bool {
	if (kind == bson.TypeNull || kind == bson.TypeUndefined) && s.is != isOther {
		v.SetZero()
		return true
	}
	switch {
	case s.is == isString && kind == bson.TypeString:
		if data[len(data)-1] != 0 {
			return false
		}
		v.SetString(string(data[4 : len(data)-1]))
	case s.is == isInt && (kind == bson.TypeInt32 || kind == bson.TypeInt64):
		n := int64(int32(binary.LittleEndian.Uint32(data)))
		if kind == bson.TypeInt64 {
			n = int64(binary.LittleEndian.Uint64(data))
		}
		if v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
	case s.is == isFloat && kind == bson.TypeDouble:
		v.SetFloat(math.Float64frombits(binary.LittleEndian.Uint64(data)))
	case s.is == isBool && kind == bson.TypeBoolean:
		v.SetBool(data[0] == 1)
		return data[0] <= 1
	case s.is == isTime && kind == bson.TypeDateTime:
		*v.Addr().Interface().(*time.Time) = time.UnixMilli(int64(binary.LittleEndian.Uint64(data))).UTC()
	case s.is == isPointer:
		if v.IsNil() {
			v.Set(reflect.New(s.elem.typ))
		}
		return s.elem.value(kind, data, v.Elem())
	case s.is == isList && kind == bson.TypeArray:
		return s.list(data, v)
	case s.is == isRecord && kind == bson.TypeEmbeddedDocument:
		return s.record(data, v)
	default:
		return bson.UnmarshalValue(kind, data, v.Addr().Interface()) == nil
	}
	return true
}

func (s *shape) list(raw []byte, v reflect.Value) bool {
	all, ok := within(raw)
	n := 0
	for rest := all; ok && len(rest) > 0; n++ {
		_, rest, ok = cutElement(rest)
	}
	if !ok {
		return false
	}
	v.Set(reflect.MakeSlice(s.typ, n, n))
	for i := range n {
		var e element
		e, all, _ = cutElement(all)
		if !s.elem.value(e.kind, e.value, v.Index(i)) {
			return false
		}
	}
	return true
}

// An element of a document, as it is written.
type element struct {
	kind  bson.Type
	key   []byte
	value []byte
	whole []byte // with kind and key
}

// within are the elements of a document.
func within(raw []byte) (elements []byte, ok bool) {
	n := len(raw)
	if n < 5 || int64(binary.LittleEndian.Uint32(raw)) != int64(n) || raw[n-1] != 0 {
		return nil, false
	}
	return raw[4 : n-1], true
}

// cutElement splits the first of the elements from the rest.
func cutElement(elements []byte) (e element, rest []byte, ok bool) {
	end := bytes.IndexByte(elements[1:], 0) + 2
	if end < 2 {
		return e, nil, false
	}
	e = element{kind: bson.Type(elements[0]), key: elements[1 : end-1], value: elements[end:]}
	n := sizeOf(e.kind, e.value)
	if n < 0 || n > len(e.value) {
		return e, nil, false
	}
	e.value, e.whole = e.value[:n], elements[:end+n]
	return e, elements[end+n:], true
}

// find is the document's element with this key.
func find(raw []byte, key string) (e element, there bool) {
	rest, ok := within(raw)
	for ok && len(rest) > 0 {
		if e, rest, ok = cutElement(rest); ok && string(e.key) == key {
			return e, true
		}
	}
	return element{}, false
}

// sizeOf is how many bytes a value has that data begins with, or -1.
func sizeOf(kind bson.Type, data []byte) int {
	counted := func(more, least int) int { // bytes, after a number that says how many
		if len(data) < 4 {
			return -1
		}
		n := int(int32(binary.LittleEndian.Uint32(data)))
		if n < least {
			return -1
		}
		return n + more
	}
	switch kind {
	case bson.TypeNull, bson.TypeUndefined, bson.TypeMinKey, bson.TypeMaxKey:
		return 0
	case bson.TypeBoolean:
		return 1
	case bson.TypeInt32:
		return 4
	case bson.TypeInt64, bson.TypeDouble, bson.TypeDateTime, bson.TypeTimestamp:
		return 8
	case bson.TypeObjectID:
		return 12
	case bson.TypeDecimal128:
		return 16
	case bson.TypeString, bson.TypeSymbol, bson.TypeJavaScript:
		return counted(4, 1)
	case bson.TypeBinary:
		return counted(5, 0)
	case bson.TypeDBPointer:
		return counted(16, 1)
	case bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeCodeWithScope:
		return counted(0, 5)
	case bson.TypeRegex:
		pattern := bytes.IndexByte(data, 0) + 1
		options := bytes.IndexByte(data[pattern:], 0) + 1
		if pattern > 0 && options > 0 {
			return pattern + options
		}
	}
	return -1
}
