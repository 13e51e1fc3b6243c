package docstoretest

import (
	"testing"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
)

// Memory is an empty store that lives as long as the test.
func Memory(t testing.TB) docstore.Store {
	t.Helper()
	s, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}
