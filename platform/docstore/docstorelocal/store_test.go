package docstorelocal_test

import (
	"testing"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
)

func openDir(t testing.TB, dir string) *docstorelocal.Store {
	t.Helper()
	s, err := docstorelocal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContractOnDisk(t *testing.T) {
	docstoretest.Run(t, func(t *testing.T) docstore.Store { return openDir(t, t.TempDir()) })
	docstoretest.RunReopening(t, func(t *testing.T) func() docstore.Store {
		dir := t.TempDir()
		return func() docstore.Store { return openDir(t, dir) }
	})
}

func TestContractInMemory(t *testing.T) {
	docstoretest.Run(t, func(t *testing.T) docstore.Store {
		return openMemory(t)
	})
}
