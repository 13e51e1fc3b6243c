package docstoremongo

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"ordergraph/platform/docstore"
	"ordergraph/test/mongoserver"
)

// A find reads no more of an index than it returns if its filter is, field by
// field in the index's order: equalities, then one range, then only "is
// there"; and if its order is the index's. These are all the finds there are.
var stretchTests = []struct {
	name  string
	query docstore.Query
	after bson.D // the document whose cursor it continues from
	want  []string
	order string
}{
	{"All", docstore.Query{}, nil,
		[]string{`{}`}, `{_id: 1}`},
	{"AllFrom", docstore.Query{From: "a", Until: "b", Reverse: true}, nil,
		[]string{`{_id: {$gte: "a",$lt: "b"}}`}, `{_id: -1}`},
	{"AllAfter", docstore.Query{}, bson.D{{Key: "_id", Value: "x"}},
		[]string{`{_id: {$gt: "x"}}`}, `{_id: 1}`},
	{"Index", docstore.Query{Index: "ab"}, nil,
		[]string{`{a: {$ne: null},b: {$ne: null}}`}, `{a: 1,b: 1,_id: 1}`},
	{"Equal", docstore.Query{Index: "ab", Equal: []any{"s"}, From: 5}, nil,
		[]string{`{a: "s",b: {$gte: 5}}`}, `{a: 1,b: 1,_id: 1}`},
	{"EqualAfter", docstore.Query{Index: "ab", Equal: []any{"s"}, From: 5}, bson.D{{Key: "_id", Value: "x"}, {Key: "a", Value: "s"}, {Key: "b", Value: 7}},
		[]string{
			`{a: "s",b: {$eq: 7},_id: {$gt: "x"},$and: [{b: {$gte: 5}}]}`,
			`{a: "s",b: {$gt: 7},$and: [{b: {$gte: 5}}]}`,
		}, `{a: 1,b: 1,_id: 1}`},
	{"AfterBackwards", docstore.Query{Index: "ab", Reverse: true, Until: "t"}, bson.D{{Key: "_id", Value: "x"}, {Key: "a", Value: "s"}, {Key: "b", Value: 7}},
		[]string{
			`{a: {$eq: "s"},b: {$eq: 7},_id: {$lt: "x"},$and: [{a: {$lt: "t"}}]}`,
			`{a: {$eq: "s"},b: {$lt: 7},$and: [{a: {$lt: "t"}}]}`,
			`{a: {$lt: "s"},$and: [{a: {$lt: "t"}}],b: {$ne: null}}`,
		}, `{a: -1,b: -1,_id: -1}`},
	{"Unique", docstore.Query{Index: "c", Equal: []any{true}}, nil,
		[]string{`{c: true}`}, `{c: 1}`},
	{"UniqueAfter", docstore.Query{Index: "c"}, bson.D{{Key: "_id", Value: "x"}, {Key: "c", Value: 7}},
		[]string{`{c: {$eq: 7},_id: {$gt: "x"}}`, `{c: {$gt: 7}}`}, `{c: 1}`},
}

var stretchSpec = docstore.Spec{Name: "things", Indexes: []docstore.Index{
	{Name: "ab", Fields: []string{"a", "b"}},
	{Name: "c", Fields: []string{"c"}, Unique: true},
}}

func stretchPlan(t *testing.T, q docstore.Query, after bson.D) docstore.Plan {
	t.Helper()
	if after != nil {
		raw, err := bson.Marshal(after)
		if err == nil {
			q.After, err = docstore.CursorAt(stretchSpec, q, raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plan, err := docstore.NewPlan(stretchSpec, q)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestMongoFindsAreStretchesOfAnIndex(t *testing.T) {
	for _, test := range stretchTests {
		t.Run(test.name, func(t *testing.T) {
			plan := stretchPlan(t, test.query, test.after)
			var got []string
			for _, filter := range stretches(plan) {
				got = append(got, plainly(t, filter))
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("filters\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if _, order := access(plan); plainly(t, order) != test.order {
				t.Errorf("order %s, want %s", plainly(t, order), test.order)
			}
		})
	}
}

// plainly writes a document as people do.
func plainly(t *testing.T, d bson.D) string {
	t.Helper()
	json, err := bson.MarshalExtJSON(d, false, false)
	if err != nil {
		t.Fatal(err)
	}
	text := string(json)
	for _, name := range []string{"a", "b", "c", "_id", "$gt", "$gte", "$lt", "$eq", "$ne", "$and"} {
		text = strings.ReplaceAll(text, `"`+name+`":`, name+": ")
	}
	return text
}

// On a server that explains its plans, none of the finds sorts, reads outside
// of an index, or looks at more entries than it returns.
func TestMongoFindReadsOnlyItsStretch(t *testing.T) {
	uri, about := mongoserver.Start(t)
	store, err := Open(t.Context(), uri, mongoserver.Database(t, uri), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	opened, err := store.Documents(t.Context(), stretchSpec)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		doc, err := bson.Marshal(bson.D{{Key: "_id", Value: fmt.Sprintf("%c%d", 'a'+i%26, i)}, {Key: "version", Value: int64(1)}, {Key: "stamp", Value: "s"},
			{Key: "a", Value: string(rune('p' + i%5))}, {Key: "b", Value: i % 11}, {Key: "c", Value: i}})
		if err == nil {
			err = opened.Insert(t.Context(), doc)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range stretchTests {
		plan := stretchPlan(t, test.query, test.after)
		hint, order := access(plan)
		for _, filter := range stretches(plan) {
			var explained struct {
				ExecutionStats struct {
					NReturned         int `bson:"nReturned"`
					TotalKeysExamined int `bson:"totalKeysExamined"`
					TotalDocsExamined int `bson:"totalDocsExamined"`
				} `bson:"executionStats"`
			}
			result := store.db.RunCommand(t.Context(), bson.D{
				{Key: "explain", Value: bson.D{{Key: "find", Value: stretchSpec.Name}, {Key: "filter", Value: filter},
					{Key: "sort", Value: order}, {Key: "hint", Value: hint}, {Key: "limit", Value: 21}}},
				{Key: "verbosity", Value: "executionStats"},
			})
			const noSuchCommand = 59
			var refused mongo.ServerError
			if errors.As(result.Err(), &refused) && refused.HasErrorCode(noSuchCommand) {
				// Its plans cannot be seen: that its answers are right is all
				// that can be said, and the other tests do.
				t.Logf("%s does not explain its plans", about)
				return
			}
			raw, err := result.Raw()
			if err == nil {
				err = bson.Unmarshal(raw, &explained)
			}
			if err != nil {
				t.Fatal(err)
			}
			stats := explained.ExecutionStats
			plan := raw.Lookup("queryPlanner", "winningPlan").String()
			// One more where the range ends, and one where null is skipped.
			if spare := 3; stats.TotalKeysExamined > stats.NReturned+spare || stats.TotalDocsExamined > stats.NReturned ||
				strings.Contains(plan, `"SORT"`) || strings.Contains(plan, `"COLLSCAN"`) {
				t.Errorf("%s %s: %d returned, %d keys and %d documents read: %s", test.name, plainly(t, filter),
					stats.NReturned, stats.TotalKeysExamined, stats.TotalDocsExamined, plan)
			}
		}
	}
}
