package docstoremongo_test

import (
	"log/slog"
	"testing"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/test/mongoserver"
)

func TestMongoConformance(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	docstoretest.Run(t, func(t *testing.T) docstore.Store {
		return open(t, uri, mongoserver.Database(t, uri), docstoremongo.Options{})
	})
}

func TestMongoConformanceOverRestarts(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	docstoretest.RunReopening(t, func(t *testing.T) func() docstore.Store {
		database := mongoserver.Database(t, uri)
		return func() docstore.Store { return open(t, uri, database, docstoremongo.Options{}) }
	})
}

func open(t testing.TB, uri, database string, o docstoremongo.Options) *docstoremongo.Store {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	store, err := docstoremongo.Open(t.Context(), uri, database, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
