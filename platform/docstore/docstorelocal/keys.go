package docstorelocal

import (
	"encoding/binary"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Keys sort as the documents do:
//
//	'c' name                          a collection's declaration
//	'n'                               the next free number
//	'd' collection(4) id              a document
//	'i' index(4) value… id            an index entry; its value is the id
//
// Numbers of collections and indexes are never given twice, so what an
// interrupted index build left behind can be told from what is in use.
const (
	spaceCatalog  = 'c'
	spaceNext     = 'n'
	spaceDocument = 'd'
	spaceIndex    = 'i'
)

func catalogKey(name string) []byte { return append([]byte{spaceCatalog}, name...) }

func space(kind byte, number uint32) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, 64), kind), number)
}

func documentKey(collection uint32, id string) []byte {
	return append(space(spaceDocument, collection), id...)
}

// after returns the least key greater than all keys that start with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// The classes of values, in MongoDB's order. A value sorts after every value
// of a lower class, and a bound reaches only over its own class.
const (
	classNumber = 0x10
	classString = 0x20
	classBool   = 0x30
	classTime   = 0x40
	classEnd    = 0x50
)

func class(v bson.RawValue) byte {
	switch v.Type {
	case bson.TypeString:
		return classString
	case bson.TypeBoolean:
		return classBool
	case bson.TypeDateTime:
		return classTime
	default:
		return classNumber
	}
}

// appendValue appends v so that byte order is value order, whatever follows.
// 5 as an int32, an int64 and a double are the same.
func appendValue(key []byte, v bson.RawValue) []byte {
	switch v.Type {
	case bson.TypeString:
		return appendString(append(key, classString), v.StringValue())
	case bson.TypeBoolean:
		if v.Boolean() {
			return append(key, classBool, 1)
		}
		return append(key, classBool, 0)
	case bson.TypeDateTime:
		return appendInt(append(key, classTime), v.DateTime())
	case bson.TypeInt32:
		return appendInt(append(key, classNumber+2), int64(v.Int32()))
	case bson.TypeInt64:
		return appendInt(append(key, classNumber+2), v.Int64())
	default:
		return appendDouble(key, v.Double())
	}
}

// appendString ends the string with 00 01 and writes 00 within it as 00 FF,
// so that a prefix sorts before what it begins.
func appendString(key []byte, s string) []byte {
	for i := range len(s) {
		if key = append(key, s[i]); s[i] == 0 {
			key = append(key, 0xff)
		}
	}
	return append(key, 0, 1)
}

func appendInt(key []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(key, uint64(n)^1<<63)
}

// appendDouble writes a double as the whole number below it and, if it is not
// whole, FF (which is more than any value that may follow) and its own bits.
func appendDouble(key []byte, d float64) []byte {
	bits := math.Float64bits(d)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	switch {
	case math.IsNaN(d):
		return append(key, classNumber)
	case d < math.MinInt64:
		return binary.BigEndian.AppendUint64(append(key, classNumber+1), bits)
	case d >= math.MaxInt64:
		return binary.BigEndian.AppendUint64(append(key, classNumber+3), bits)
	}
	whole := math.Floor(d)
	key = appendInt(append(key, classNumber+2), int64(whole))
	if whole != d {
		key = binary.BigEndian.AppendUint64(append(key, 0xff), bits)
	}
	return key
}
