package docstore

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Of the last stampsKept writes it is known whether they were made; of older
// ones it is known that it is not known.
func TestWroteRemembersTheLastWrites(t *testing.T) {
	version := func(n int, stamp string) bson.Raw {
		raw, err := bson.Marshal(Meta{ID: "a", Version: int64(n), Stamp: stamp})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	var history []bson.Raw
	stamp := ""
	for n := 1; n <= 3*stampsKept; n++ {
		stamp = stampAfter(stamp)
		history = append(history, version(n, stamp))
		if kept := strings.Count(stamp, ".") + 1; kept != min(n, stampsKept) {
			t.Fatalf("version %d has %d stamps", n, kept)
		}
		for i, wrote := range history {
			yes, sure := Wrote(history[n-1], wrote)
			if known := n-1-i < stampsKept; yes != known || sure != known {
				t.Errorf("version %d of version %d: %v, %v; want %v", n, i+1, yes, sure, known)
			}
			rival := version(i+1, stampAfter(""))
			if yes, sure := Wrote(history[n-1], rival); yes || sure != (n-1-i < stampsKept) {
				t.Errorf("version %d of a rival of version %d: %v, %v", n, i+1, yes, sure)
			}
		}
	}
	if yes, sure := Wrote(history[0], history[5]); yes || !sure {
		t.Errorf("a document that was made anew: %v, %v", yes, sure)
	}
	// Stamps that others than Collection gave, one word each.
	if got := fmt.Sprint(Wrote(version(4, "x"), version(4, "x"))); got != "true true" {
		t.Error(got)
	}
	if got := fmt.Sprint(Wrote(version(5, "x"), version(4, "y"))); got != "false false" {
		t.Error(got)
	}
}
