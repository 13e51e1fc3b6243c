package docstorelocal_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
)

// writeSome writes from several goroutines until stop is closed or a write
// fails, and notes what was acknowledged.
func writeSome(s docstore.Store, name string, stop <-chan struct{}, noted func(id string, version int64)) error {
	ctx := context.Background()
	c, err := docstore.Open[record](ctx, s, records)
	if err != nil {
		return err
	}
	errs := make(chan error, writers)
	for w := range writers {
		go func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					errs <- nil
					return
				default:
				}
				id := fmt.Sprintf("%s-w%d-%d", name, w, n/2)
				if n%7 == 0 {
					id = fmt.Sprintf("shared-%d", rand.N(20))
				}
				r, err := c.Upsert(ctx, id, func(r *record) error {
					r.fill()
					r.Key = fmt.Sprintf("key of %s at %d", id, r.Version/3)
					return nil
				})
				if err != nil {
					errs <- err
					return
				}
				noted(id, r.Version)
			}
		}()
	}
	for range writers {
		err = errors.Join(err, <-errs)
	}
	return err
}

// notes is acknowledged, for many goroutines.
type notes struct {
	mu  sync.Mutex
	all acknowledged
}

func (n *notes) note(id string, version int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all[id] = max(n.all[id], version)
}

func (n *notes) now() acknowledged {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.all)
}

// TestPowerFailure takes what a disk may hold when the power fails: all that
// was synced, and any part of the rest.
func TestPowerFailure(t *testing.T) {
	disk := vfs.NewCrashableMem()
	noted := notes{all: acknowledged{}}
	for round := range 3 {
		s, err := docstorelocal.OpenOn(disk, "store", docstorelocal.WithMemTable(256<<10))
		if err != nil {
			t.Fatal(err)
		}
		stop, ended := make(chan struct{}), make(chan error)
		go func() { ended <- writeSome(s, fmt.Sprint("round ", round), stop, noted.note) }()
		var left []*vfs.MemFS
		for failure := range 5 {
			time.Sleep(rand.N(20 * time.Millisecond)) // any moment will do
			acked := noted.now()
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[failure%3], RNG: rand.New(rand.NewPCG(uint64(round), uint64(failure)))}
			clone := disk.CrashClone(cfg)
			left = append(left, clone)
			after, err := docstorelocal.OpenOn(clone, "store")
			if err != nil {
				t.Fatalf("round %d, failure %d: %v", round, failure, err)
			}
			if err := errors.Join(acked.check(t.Context(), after), after.Close()); err != nil {
				t.Fatalf("round %d, failure %d: %v", round, failure, err)
			}
		}
		close(stop)
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Fatal(err)
		}
		// Go on from what one of the failures left, and forget what came later.
		disk = left[rand.N(len(left))]
		s, err = docstorelocal.OpenOn(disk, "store")
		if err != nil {
			t.Fatal(err)
		}
		c, err := docstore.Open[record](t.Context(), s, records)
		if err != nil {
			t.Fatal(err)
		}
		noted.all = acknowledged{}
		for r, err := range c.All(t.Context(), docstore.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			noted.all[r.ID] = r.Version
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPowerFailureAtEveryStep stops at every single thing the store does to its
// disk, from its creation to its second closing, and once more when it has just
// been opened again.
func TestPowerFailureAtEveryStep(t *testing.T) {
	disk := vfs.NewCrashableMem()
	noted := notes{all: acknowledged{}}
	type failure struct {
		at    string
		disk  *vfs.MemFS
		acked acknowledged
	}
	var mu sync.Mutex
	var failures []failure
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, seed))
	traced := faultyDisk{errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			mu.Lock()
			defer mu.Unlock()
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(3) * 50, RNG: random}
			failures = append(failures, failure{fmt.Sprintf("step %d, %v of %s, %d%% unsynced", len(failures), op.Kind, op.Path, cfg.UnsyncedDataPercent), nil, noted.now()})
			failures[len(failures)-1].disk = disk.CrashClone(cfg)
		}
		return nil
	}))}
	for life := range 2 {
		s, err := docstorelocal.OpenOn(traced, "store", docstorelocal.WithMemTable(256<<10))
		if err != nil {
			t.Fatal(err)
		}
		c, err := docstore.Open[record](t.Context(), s, records)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 20 {
			r := record{Meta: docstore.Meta{ID: fmt.Sprintf("life %d, %d", life, n)}}
			r.Key = fmt.Sprintf("key of %s at 0", r.ID)
			r.fill()
			if err := c.Insert(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
			noted.note(r.ID, 1)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range failures {
		s, err := docstorelocal.OpenOn(f.disk, "store")
		if err != nil {
			t.Errorf("%s: %v", f.at, err)
			continue
		}
		err = f.acked.check(t.Context(), s)
		again := f.disk.CrashClone(vfs.CrashCloneCfg{})
		if err = errors.Join(err, s.Close()); err != nil {
			t.Errorf("%s: %v", f.at, err)
		}
		if s, err = docstorelocal.OpenOn(again, "store"); err != nil {
			t.Errorf("%s, and again: %v", f.at, err)
			continue
		}
		if err := errors.Join(f.acked.check(t.Context(), s), s.Close()); err != nil {
			t.Errorf("%s, and again: %v", f.at, err)
		}
	}
	t.Logf("%d failures, seed %d", len(failures), seed)
}

// TestNobodyReadsWhatCouldBeLost has the power fail as soon as somebody has read
// what others are writing, on a disk whose syncs take their time.
func TestNobodyReadsWhatCouldBeLost(t *testing.T) {
	for name, read := range map[string]func(c *docstore.Collection[record], noted *notes) error{
		"by index": func(c *docstore.Collection[record], noted *notes) error {
			for n := range 5 {
				page, err := c.Find(t.Context(), docstore.Query{Index: "group", Equal: []any{fmt.Sprint("group ", n)}, Limit: 1000})
				if err != nil {
					return err
				}
				for _, r := range page.Items {
					noted.note(r.ID, r.Version)
				}
			}
			return nil
		},
		"by id": func(c *docstore.Collection[record], noted *notes) error {
			for w := range writers {
				for n := range 200 {
					r, err := c.Get(t.Context(), fmt.Sprintf("by id-w%d-%d", w, n))
					if errors.Is(err, docstore.ErrNotFound) {
						break
					} else if err != nil {
						return err
					}
					noted.note(r.ID, r.Version)
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 8 {
				readAndFail(t, name, read)
			}
		})
	}
}

func readAndFail(t *testing.T, name string, read func(*docstore.Collection[record], *notes) error) {
	t.Helper()
	disk := vfs.NewCrashableMem()
	slow := faultyDisk{errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData {
			time.Sleep(time.Millisecond)
		}
		return nil
	}))}
	s, err := docstorelocal.OpenOn(slow, "store", docstorelocal.WithCache(0))
	if err != nil {
		t.Fatal(err)
	}
	c, err := docstore.Open[record](t.Context(), s, records)
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- writeSome(s, name, stop, func(string, int64) {}) }()
	noted := notes{all: acknowledged{}}
	for err == nil && len(noted.all) < 10 {
		err = read(c, &noted)
	}
	failed := disk.CrashClone(vfs.CrashCloneCfg{})
	close(stop)
	if err := errors.Join(err, <-ended, s.Close()); err != nil {
		t.Fatal(err)
	}
	after, err := docstorelocal.OpenOn(failed, "store")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(noted.all.check(t.Context(), after), after.Close()); err != nil {
		t.Errorf("of %d documents read: %v", len(noted.all), err)
	}
}

// TestDiskFailsWhileWriting: the write is not acknowledged, everything after it
// answers ErrUnavailable at once, and what was acknowledged is there when the
// disk works again.
func TestDiskFailsWhileWriting(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails func(op errorfs.Op) bool
	}{
		{"log cannot be synced", func(op errorfs.Op) bool {
			return strings.HasSuffix(op.Path, ".log") && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData)
		}},
		{"log cannot be written", func(op errorfs.Op) bool {
			return strings.HasSuffix(op.Path, ".log") && op.Kind == errorfs.OpFileWrite
		}},
		{"manifest cannot be written", func(op errorfs.Op) bool {
			return strings.Contains(op.Path, "MANIFEST") && op.Kind == errorfs.OpFileWrite
		}},
		{"manifest cannot be synced", func(op errorfs.Op) bool {
			return strings.Contains(op.Path, "MANIFEST") && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData)
		}},
		{"ledger cannot be written", func(op errorfs.Op) bool {
			return strings.Contains(op.Path, "LEDGER") && op.Kind == errorfs.OpFileWriteAt
		}},
		{"nothing can be written", func(op errorfs.Op) bool {
			return op.Kind.ReadOrWrite() == errorfs.OpIsWrite
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := vfs.NewMem()
			var failing atomic.Bool
			faulty := faultyDisk{errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if failing.Load() && c.fails(op) {
					return syscall.ENOSPC
				}
				return nil
			}))}
			s, err := docstorelocal.OpenOn(faulty, "store", docstorelocal.WithMemTable(256<<10))
			if err != nil {
				t.Fatal(err)
			}
			noted := notes{all: acknowledged{}}
			ended := make(chan error)
			go func() { ended <- writeSome(s, "first", nil, noted.note) }()
			for len(noted.now()) < 300 {
				time.Sleep(time.Millisecond)
			}
			failing.Store(true)
			if err := <-ended; !errors.Is(err, docstore.ErrUnavailable) {
				t.Errorf("writing ended with %v, want ErrUnavailable", err)
			}
			if err := s.Ping(t.Context()); !errors.Is(err, docstore.ErrUnavailable) {
				t.Errorf("Ping: %v, want ErrUnavailable", err)
			}
			_ = s.Close() // it may complain; it must come back
			failing.Store(false)
			s, err = docstorelocal.OpenOn(disk, "store")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(noted.now().check(t.Context(), s), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNoRoomAhead has lives on a disk too full for zeros ahead of what is written
// take turns with others, and the power fail at the end of each: the store goes
// on without, and opens logs that end in zeros and logs that do not, as those of
// older programs.
func TestNoRoomAhead(t *testing.T) {
	disk := vfs.NewCrashableMem()
	noted := notes{all: acknowledged{}}
	for life := range 4 {
		var refused atomic.Int64
		s, err := docstorelocal.OpenOn(faultyDisk{errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if life%2 == 0 && op.Kind == errorfs.OpFileWriteAt && strings.HasSuffix(op.Path, ".log") {
				refused.Add(1)
				return syscall.ENOSPC
			}
			return nil
		}))}, "store", docstorelocal.WithMemTable(256<<10))
		if err != nil {
			t.Fatalf("life %d: %v", life, err)
		}
		if err := noted.now().check(t.Context(), s); err != nil {
			t.Fatalf("life %d: %v", life, err)
		}
		stop, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- writeSome(s, fmt.Sprint("life ", life), stop, noted.note) }()
		for most := len(noted.now()) + 200; len(noted.now()) < most && len(ended) == 0; {
			time.Sleep(time.Millisecond)
		}
		close(stop)
		err = <-ended
		failed := disk.CrashClone(vfs.CrashCloneCfg{})
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatalf("life %d: %v", life, err)
		}
		if life%2 == 0 && refused.Load() == 0 {
			t.Error("nobody asked for room")
		}
		disk = failed
	}
}

// faultyDisk injects faults into reused files too, which errorfs does not.
type faultyDisk struct{ *errorfs.FS }

func (d faultyDisk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := d.Remove(from); err != nil {
		return nil, err
	}
	return d.Create(to, c)
}

// TestInBubble shows that a store in memory works within testing/synctest if
// it is opened and closed in the bubble.
func TestInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := docstorelocal.OpenMemory()
		if err != nil {
			t.Fatal(err)
		}
		c, err := docstore.Open[record](t.Context(), s, records)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for n := range 100 {
			if err := c.Insert(t.Context(), &record{Meta: docstore.Meta{ID: fmt.Sprint(n)}, Key: fmt.Sprint(n), Group: "g", Rank: int64(n)}); err != nil {
				t.Fatal(err)
			}
			if n%10 == 0 {
				time.Sleep(time.Hour)
				synctest.Wait()
			}
		}
		if page, err := c.Find(t.Context(), docstore.Query{Index: "group", Equal: []any{"g"}, From: 90}); err != nil || len(page.Items) != 10 {
			t.Errorf("found %d, %v", len(page.Items), err)
		}
		if d := time.Since(start); d != 10*time.Hour {
			t.Errorf("%v went by", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
