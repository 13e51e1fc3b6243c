package docstorelocal_test

import (
	"errors"
	"testing"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
)

type account struct {
	docstore.Meta `bson:",inline"`
	Cents         int64
}

// TestProgramDiesAtEveryWrite is what the Reaper is for: a transfer over two
// stores in three writes, killed at each of them in both ways.
func TestProgramDiesAtEveryWrite(t *testing.T) {
	ctx := t.Context()
	transfer := func(from, to docstore.Store) error {
		a, err := docstore.Open[account](ctx, from, docstore.Spec{Name: "accounts"})
		if err != nil {
			return err
		}
		if _, err := a.Upsert(ctx, "a", func(a *account) error { a.Cents -= 5; return nil }); err != nil {
			return err
		}
		b, err := docstore.Open[account](ctx, to, docstore.Spec{Name: "accounts"})
		if err != nil {
			return err
		}
		_, err = b.Upsert(ctx, "b", func(b *account) error { b.Cents += 5; return nil })
		return err
	}
	for _, way := range []struct {
		name  string
		die   func(*docstoretest.Reaper, int)
		after []int64 // what has arrived in a and b, over the number of the deadly write
	}{
		{"before", (*docstoretest.Reaper).DieBefore, []int64{0, 0, -5, -5}},
		{"after", (*docstoretest.Reaper).DieAfter, []int64{0, -5, -5, 0}},
	} {
		for n := 1; ; n++ {
			from, to := openMemory(t), openMemory(t)
			var reaper docstoretest.Reaper
			way.die(&reaper, n)
			mortal := reaper.Wrap(from)
			err := transfer(mortal, reaper.Wrap(to))
			if !reaper.Dead() {
				if err != nil || n != 5 || reaper.Writes() != 4 {
					t.Fatalf("%s: ended at %d after %d writes: %v", way.name, n, reaper.Writes(), err)
				}
				break
			}
			<-reaper.Died()
			if !errors.Is(err, docstore.ErrUnavailable) || !errors.Is(mortal.Ping(ctx), docstore.ErrUnavailable) {
				t.Fatalf("%s %d: %v", way.name, n, err)
			}
			var sum int64
			for _, s := range []docstore.Store{from, to} {
				c, err := docstore.Open[account](ctx, s, docstore.Spec{Name: "accounts"})
				if err != nil {
					t.Fatal(err)
				}
				for a, err := range c.All(ctx, docstore.Query{}) {
					if err != nil {
						t.Fatal(err)
					}
					sum += a.Cents
				}
			}
			if sum != way.after[n-1] {
				t.Errorf("died %s write %d: the accounts hold %d, want %d", way.name, n, sum, way.after[n-1])
			}
		}
	}
}

func openMemory(t testing.TB) *docstorelocal.Store {
	t.Helper()
	s, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
