// Package docstoretest holds every engine of the shop's document store to the
// same promises, by trying them.
package docstoretest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ordergraph/platform/docstore"
)

// Run holds an engine to the contract. open gives a new, empty store each
// time it is called; Run closes it.
func Run(t *testing.T, open func(t *testing.T) docstore.Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, s docstore.Store)
	}{
		{"WhatWasWrittenIsRead", whatWasWrittenIsRead},
		{"EveryDeclaredError", everyDeclaredError},
		{"DocumentsThatCannotBeKept", documentsThatCannotBeKept},
		{"UpdateAndUpsert", updateAndUpsert},
		{"DeleteUnderCondition", deleteUnderCondition},
		{"ThousandUnitsAreTakenOnce", thousandUnitsAreTakenOnce},
		{"HotDocument", hotDocument},
		{"SwapHasOneWinner", swapHasOneWinner},
		{"JobIsClaimedOnce", jobIsClaimedOnce},
		{"UniqueUnderRacingInserts", uniqueUnderRacingInserts},
		{"UniqueUnderRacingUpdates", uniqueUnderRacingUpdates},
		{"UniqueKeyIsFreedAndTakenAgain", uniqueKeyIsFreedAndTakenAgain},
		{"RefusedSwapChangesNothing", refusedSwapChangesNothing},
		{"RangesAndOrder", rangesAndOrder},
		{"MissingAndNullFields", missingAndNullFields},
		{"QueriesThatCannotBeAnswered", queriesThatCannotBeAnswered},
		{"ForeignCursors", foreignCursors},
		{"CursorWhileOthersWrite", cursorWhileOthersWrite},
		{"IndexBuiltOverDocuments", indexBuiltOverDocuments},
		{"IndexDropped", indexDropped},
		{"UniqueIndexOverDuplicates", uniqueIndexOverDuplicates},
		{"SpecsThatCannotBe", specsThatCannotBe},
		{"Collections", collections},
		{"Load", load},
		{"CancelledContext", cancelledContext},
		{"ClosedStore", closedStore},
		{"AgreesWithPlainModel", agreesWithPlainModel},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			c.test(t, s)
		})
	}
}

// RunReopening holds an engine to what must outlive a restart. start is called
// once for each test and returns what opens the same database, again and again.
func RunReopening(t *testing.T, start func(t *testing.T) (reopen func() docstore.Store)) {
	t.Helper()
	t.Run("EverythingOutlivesRestart", func(t *testing.T) { everythingOutlivesRestart(t, start(t)) })
	t.Run("IndexesChangeBetweenRestarts", func(t *testing.T) { indexesChangeBetweenRestarts(t, start(t)) })
}

// parcel is the documents' type in these tests.
type parcel struct {
	docstore.Meta `bson:",inline"`
	Label         string    // unique in specs that say so
	Weight        int64     // in grams
	State         string    //
	Due           time.Time //
	Fragile       bool
	Note          *string `bson:",omitempty"`
	To            address
	Taken         int64
	By            string
	Lines         []string `bson:",omitempty"`
}

type address struct {
	City string  `bson:",omitempty"`
	Zone *string // null where there is none
}

var parcels = docstore.Spec{Name: "parcels", Indexes: []docstore.Index{
	{Name: "label", Fields: []string{"label"}, Unique: true},
	{Name: "weight", Fields: []string{"weight"}},
	{Name: "stateDue", Fields: []string{"state", "due"}},
	{Name: "fragileWeight", Fields: []string{"fragile", "weight"}},
	{Name: "note", Fields: []string{"note"}},
	{Name: "zone", Fields: []string{"to.zone"}},
}}

// plain is parcels without indexes.
var plain = docstore.Spec{Name: "parcels"}

var day = time.Date(2026, 2, 3, 4, 5, 6, 789e6, time.UTC)

func openParcels(t *testing.T, s docstore.Store, spec docstore.Spec) *docstore.Collection[parcel] {
	t.Helper()
	c, err := docstore.Open[parcel](t.Context(), s, spec)
	if err != nil {
		t.Fatalf("open collection: %v", err)
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newParcel(n int) parcel {
	return parcel{Meta: docstore.Meta{ID: fmt.Sprintf("p%05d", n)}, Label: fmt.Sprintf("label %05d", n), Weight: int64(n), State: "new", Due: day.Add(time.Duration(n) * time.Minute)}
}

func insert(t *testing.T, c *docstore.Collection[parcel], p parcel) parcel {
	t.Helper()
	if err := c.Insert(t.Context(), &p); err != nil {
		t.Fatalf("insert %s: %v", p.ID, err)
	}
	return p
}

// ids reads the whole query, page by page, and returns the documents' ids.
func ids(t *testing.T, c *docstore.Collection[parcel], q docstore.Query) []string {
	t.Helper()
	got := []string{}
	for p, err := range c.All(t.Context(), q) {
		if err != nil {
			t.Fatalf("find %+v: %v", q, err)
		}
		got = append(got, p.ID)
	}
	return got
}

func background(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }
