package docstore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

type (
	colour string
	cents  int64

	inside struct {
		Deep  string `bson:"deep"`
		Note  *string
		Inner []inside `bson:"inner"`
	}

	// doubled has a codec of its own.
	doubled struct{ n int32 }

	everything struct {
		Meta     `bson:",inline"`
		Text     string            `bson:"text,omitempty"`
		Colour   colour            `bson:"colour"`
		CamelKey string            `bson:"camelKey"`
		Untagged int               // under "untagged"
		Small    int8              `bson:"small"`
		Wide     int64             `bson:"wide"`
		Cents    *cents            `bson:"cents,omitempty"`
		Float    float64           `bson:"float"`
		Narrow   float32           `bson:"narrow"`
		Whole    uint32            `bson:"whole"`
		Yes      bool              `bson:"yes"`
		At       time.Time         `bson:"at"`
		Due      *time.Time        `bson:"due"`
		Wait     time.Duration     `bson:"wait"`
		Bytes    []byte            `bson:"bytes"`
		Words    []string          `bson:"words"`
		Numbers  []int32           `bson:"numbers"`
		Three    [3]string         `bson:"three"`
		Lists    [][]cents         `bson:"lists"`
		Inside   inside            `bson:"inside"`
		Perhaps  *inside           `bson:"perhaps"`
		Many     []inside          `bson:"many"`
		Pointers []*inside         `bson:"pointers"`
		Names    map[string]string `bson:"names"`
		Rooms    map[colour]inside `bson:"rooms"`
		Any      any               `bson:"any"`
		Anys     []any             `bson:"anys"`
		D        bson.D            `bson:"d"`
		M        bson.M            `bson:"m"`
		Raw      bson.Raw          `bson:"raw"`
		Value    bson.RawValue     `bson:"value"`
		Object   bson.ObjectID     `bson:"object"`
		Link     url.URL           `bson:"link"`
		Doubled  doubled           `bson:"doubled"`
		Doubles  []*doubled        `bson:"doubles"`
		Skipped  string            `bson:"-"`
	}
)

func (d *doubled) UnmarshalBSONValue(kind byte, data []byte) error {
	n, ok := bson.RawValue{Type: bson.Type(kind), Value: data}.AsInt64OK()
	if !ok || n%2 != 0 {
		return fmt.Errorf("not twice anything")
	}
	d.n = int32(n / 2)
	return nil
}

// TestDecodesAsTheDriverDoes gives all kinds of values to fields of all types,
// in all orders, and wants what bson.Unmarshal makes of them, or its error.
func TestDecodesAsTheDriverDoes(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, seed))
	whole, refused := 0, 0
	for n := range 5000 {
		doc := randomDocument(random)
		raw, err := bson.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if n%4 == 0 { // damaged: whatever comes of it, it is the same
			raw[random.IntN(len(raw))] ^= 1 << random.IntN(8)
		}
		var got, want everything
		gotErr, wantErr := decode(raw, &got), bson.Unmarshal(raw, &want)
		if strings.Contains(fmt.Sprint(want), "NaN") {
			continue // which nothing equals
		}
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || gotErr == nil && !reflect.DeepEqual(got, want) {
			for i := range reflect.TypeFor[everything]().NumField() {
				g, w := reflect.ValueOf(got).Field(i).Interface(), reflect.ValueOf(want).Field(i).Interface()
				if !reflect.DeepEqual(g, w) {
					t.Errorf("%s: %#v; the driver: %#v", reflect.TypeFor[everything]().Field(i).Name, g, w)
				}
			}
			t.Fatalf("seed %d, document %d: %v; the driver: %v", seed, n, gotErr, wantErr)
		}
		if wantErr == nil {
			whole++
		} else {
			refused++
		}
	}
	if whole < 1000 || refused < 200 {
		t.Errorf("%d documents were decoded and %d refused: too few to show anything", whole, refused)
	}
}

func randomDocument(r *rand.Rand) bson.D {
	doc := suiting(r, reflect.TypeFor[everything]()).(bson.D)
	for _, key := range []string{"_id", "unknown", "TEXT", "camelkey", "hidden", "skipped", "note"} {
		doc = append(doc, bson.E{Key: key, Value: text(r)})
	}
	doc = append(doc, bson.E{Key: "version", Value: int64(7)})
	if r.IntN(2) == 0 {
		r.Shuffle(len(doc), func(i, j int) { doc[i], doc[j] = doc[j], doc[i] })
	}
	for range r.IntN(3) - 1 { // some values of any kind, instead of those that suit
		doc[r.IntN(len(doc))].Value = anything(r, 3)
	}
	return doc
}

// suiting is a value that a field of type t was written as, perhaps.
func suiting(r *rand.Rand, t reflect.Type) any {
	switch reflect.Zero(t).Interface().(type) {
	case time.Time:
		return bson.DateTime(r.Int64N(4e12) - 2e12)
	case url.URL:
		return "https://example.org/" + text(r)
	case doubled:
		return 2 * r.Int32N(100)
	case bson.ObjectID:
		return bson.NewObjectID()
	case []byte:
		return []byte(text(r))
	case bson.D, bson.M, bson.Raw:
		return bson.D{{Key: text(r), Value: anything(r, 2)}}
	case bson.RawValue:
		return anything(r, 2)
	}
	switch t.Kind() {
	case reflect.String:
		return text(r)
	case reflect.Int8, reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32:
		return []any{int32(r.IntN(128)), int64(r.IntN(128))}[r.IntN(2)]
	case reflect.Float32, reflect.Float64:
		return float64(2 + 100*r.Float32())
	case reflect.Bool:
		return r.IntN(2) == 0
	case reflect.Pointer:
		if r.IntN(3) == 0 {
			return nil
		}
		return suiting(r, t.Elem())
	case reflect.Array:
		return bson.A{text(r), text(r), text(r)}
	case reflect.Slice:
		list := bson.A{}
		for range r.IntN(3) {
			list = append(list, suiting(r, t.Elem()))
		}
		return list
	case reflect.Map:
		return bson.D{{Key: text(r), Value: suiting(r, t.Elem())}}
	case reflect.Struct:
		doc := bson.D{}
		for f := range t.Fields() {
			key, _, _ := strings.Cut(f.Tag.Get("bson"), ",")
			if key == "" {
				key = strings.ToLower(f.Name)
			}
			if f.IsExported() && !f.Anonymous && r.IntN(4) > 0 {
				doc = append(doc, bson.E{Key: key, Value: suiting(r, f.Type)})
			}
		}
		return doc
	}
	return anything(r, 2)
}

func text(r *rand.Rand) string { return []string{"", "a", "mug", "Größe", "<b>"}[r.IntN(5)] }

func anything(r *rand.Rand, depth int) any {
	if depth > 0 && r.IntN(4) == 0 {
		return bson.D{{Key: "deep", Value: anything(r, depth-1)}, {Key: text(r), Value: anything(r, depth-1)}}
	}
	if depth > 0 && r.IntN(4) == 0 {
		return bson.A{anything(r, depth-1), anything(r, depth-1)}
	}
	return []any{
		nil, text(r), r.Int32(), r.Int64(), int64(r.IntN(300)), 2 + 100*r.Float64(), math.NaN(), 3.0, r.IntN(2) == 0,
		bson.DateTime(r.Int64N(4e12)), bson.NewObjectID(), bson.Undefined{}, bson.MinKey{}, bson.MaxKey{}, bson.Symbol(text(r)),
		bson.JavaScript(text(r)), bson.CodeWithScope{Code: "x", Scope: bson.D{}}, bson.Regex{Pattern: text(r), Options: "i"},
		bson.Timestamp{T: 1, I: 2}, bson.NewDecimal128(1, 2), bson.Binary{Subtype: byte(r.IntN(3)), Data: []byte(text(r))},
		bson.DBPointer{DB: text(r), Pointer: bson.NewObjectID()},
	}[r.IntN(22)]
}
