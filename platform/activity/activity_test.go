package activity_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/activity"
	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
)

// A world is a store and its processes, at a time that stands still.
type world struct {
	*clocktest.Clock
	t     *testing.T
	store docstore.Store
}

func newWorld(t *testing.T) *world {
	return &world{clocktest.Still(), t, docstoretest.Memory(t)}
}

// process is one more process of the service.
func (w *world) process() *activity.Recorder {
	w.t.Helper()
	r, err := activity.Open(w.t.Context(), activity.Options{Store: w.store, Now: w.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) write(processes ...*activity.Recorder) {
	w.t.Helper()
	for _, r := range processes {
		if err := r.Write(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// read is what the process shows of the last minutes, by the minute's distance
// from now and the name.
func (w *world) read(r activity.Board, minutes int) map[string]int64 {
	w.t.Helper()
	report, err := r.Read(w.t.Context(), identity.Ourselves(), w.Now().Truncate(time.Minute).Add(-time.Duration(minutes-1)*time.Minute))
	if err != nil {
		w.t.Fatal(err)
	}
	seen := map[string]int64{}
	for _, m := range report.Minutes {
		for _, c := range m.Counts {
			seen[fmt.Sprintf("%d %s%s", int(w.Now().Truncate(time.Minute).Sub(m.At)/time.Minute), c.Name, c.Label)] += c.N
		}
	}
	return seen
}

func (w *world) want(got, want map[string]int64) {
	w.t.Helper()
	if !reflect.DeepEqual(got, want) {
		w.t.Errorf("got %v, want %v", got, want)
	}
}

func TestEachMinuteIsCountedForItself(t *testing.T) {
	w := newWorld(t)
	r := w.process()
	r.Count("placed", "")
	r.Count("failed", "TIMEOUT")
	w.Pass(59*time.Second + 999*time.Millisecond)
	r.Count("placed", "")
	w.Pass(time.Millisecond)
	r.Count("placed", "")
	w.Pass(2 * time.Minute) // of which one is quiet
	r.Count("placed", "")
	w.write(r)
	w.want(w.read(r, 60), map[string]int64{"3 placed": 2, "3 failedTIMEOUT": 1, "2 placed": 1, "0 placed": 1})
	w.want(w.read(r, 1), map[string]int64{"0 placed": 1})
}

// All processes show the sum of what all have written, before and after each
// other, also of minutes that are over.
func TestProcessesAreReadAsOne(t *testing.T) {
	w := newWorld(t)
	a, b := w.process(), w.process()
	a.Count("placed", "")
	b.Count("placed", "")
	w.write(a, b)
	w.want(w.read(a, 5), map[string]int64{"0 placed": 2})
	w.want(w.read(b, 5), map[string]int64{"0 placed": 2})
	a.Count("placed", "")
	w.Pass(2 * time.Second)
	b.Count("confirmed", "")
	w.write(a, b)
	w.want(w.read(a, 5), map[string]int64{"0 placed": 3, "0 confirmed": 1})
	b.Count("placed", "")
	w.Pass(3 * time.Minute)
	w.want(w.read(a, 5), map[string]int64{"3 placed": 3, "3 confirmed": 1})
	w.write(b) // its store was away meanwhile
	w.Pass(2 * time.Second)
	w.want(w.read(a, 5), map[string]int64{"3 placed": 4, "3 confirmed": 1})
	w.want(w.read(w.process(), 5), map[string]int64{"3 placed": 4, "3 confirmed": 1}) // one that has just begun
}

// A version grows when there is more to see, and is the same for all processes.
func TestAVersionTellsWhetherThereIsMore(t *testing.T) {
	w := newWorld(t)
	a, b := w.process(), w.process()
	version := func(r *activity.Recorder) int64 {
		t.Helper()
		w.Pass(2 * time.Second)
		report, err := r.Read(t.Context(), identity.Ourselves(), w.Now())
		if err != nil {
			t.Fatal(err)
		}
		return report.Version
	}
	first := version(a)
	if version(a) != first || version(b) != first {
		t.Error("it grew for nothing")
	}
	a.Count("placed", "")
	w.write(a)
	second := version(a)
	if second <= first || version(b) != second {
		t.Error("it did not grow, or not for all")
	}
	b.Count("placed", "")
	w.write(b)
	if third := version(a); third <= second || version(b) != third {
		t.Error("it did not grow, or not for all")
	}
	w.Pass(3 * activity.Kept)
	if err := a.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if version(w.process()) <= second {
		t.Error("it shrank when all was forgotten")
	}
}

// What is written once is not written again, and what could not be is later.
func TestOneWriteForEachMinuteThatChanged(t *testing.T) {
	w := newWorld(t)
	counted := &countedStore{Store: w.store}
	w.store = counted
	r := w.process()
	wrote := func(want int) {
		t.Helper()
		if got := counted.take(); got != want {
			t.Errorf("%d documents were written, want %d", got, want)
		}
	}
	w.write(r)
	wrote(0)
	for range 1000 {
		r.Count("placed", "")
	}
	w.write(r, r)
	wrote(1)
	r.Count("placed", "")
	w.Pass(time.Minute)
	r.Count("placed", "")
	counted.away = errors.New("the store is away")
	if err := r.Write(t.Context()); !errors.Is(err, counted.away) {
		t.Error(err)
	}
	wrote(2)
	counted.away = nil
	w.write(r, r)
	wrote(2)
	w.want(w.read(r, 2), map[string]int64{"1 placed": 1001, "0 placed": 1})
}

// A countedStore counts the documents that are loaded, and may be away.
type countedStore struct {
	docstore.Store
	mu    sync.Mutex
	wrote int
	away  error
}

func (s *countedStore) take() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.wrote
	s.wrote = 0
	return n
}

func (s *countedStore) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	docs, err := s.Store.Documents(ctx, spec)
	return countedDocuments{docs, s}, err
}

type countedDocuments struct {
	docstore.Documents
	of *countedStore
}

func (d countedDocuments) Load(ctx context.Context, docs []bson.Raw) error {
	d.of.mu.Lock()
	d.of.wrote += len(docs)
	away := d.of.away
	d.of.mu.Unlock()
	if away != nil {
		return away
	}
	return d.Documents.Load(ctx, docs)
}

// Who is killed takes with it what was not written yet, and nothing else; who
// stops takes nothing.
func TestAKillLosesWhatWasNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := docstoretest.Memory(t)
		open := func() *activity.Recorder {
			r, err := activity.Open(t.Context(), activity.Options{Store: store})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		killed, stopped := open(), open()
		ctx, end := context.WithCancel(t.Context())
		var work sync.WaitGroup
		for _, r := range []*activity.Recorder{killed, stopped} {
			work.Go(func() { _ = r.Run(ctx) })
		}
		killed.Count("placed", "")
		stopped.Count("placed", "")
		time.Sleep(2500 * time.Millisecond)
		killed.Count("placed", "")
		stopped.Count("placed", "")
		end()
		work.Wait()
		if err := stopped.Close(); err != nil {
			t.Fatal(err)
		}
		report, err := open().Read(t.Context(), identity.Ourselves(), time.Now().Add(-time.Hour))
		if err != nil || len(report.Minutes) != 1 || report.Minutes[0].Counts[0].N != 3 {
			t.Errorf("%+v %v, want 3 in one minute", report, err)
		}
	})
}

// What is older than a day is shown to nobody, and deleted.
func TestADayIsKept(t *testing.T) {
	w := newWorld(t)
	r := w.process()
	r.Count("placed", "")
	w.write(r)
	w.Pass(activity.Kept - time.Minute)
	r.Count("placed", "")
	w.write(r)
	sweep := func(left int) {
		t.Helper()
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		docs, err := docstore.Open[docstore.Meta](t.Context(), w.store, docstore.Spec{Name: "activity", Indexes: []docstore.Index{{Name: "written", Fields: []string{"written"}}}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := docs.Find(t.Context(), docstore.Query{})
		if err != nil || len(page.Items) != left {
			t.Errorf("%d documents are left (%v), want %d", len(page.Items), err, left)
		}
	}
	sweep(2)
	w.want(w.read(r, 1440), map[string]int64{"1439 placed": 1, "0 placed": 1})
	w.Pass(3 * time.Minute)
	sweep(1)
	w.want(w.read(r, 1440), map[string]int64{"3 placed": 1})
	w.want(w.read(w.process(), 1440), map[string]int64{"3 placed": 1})
}

// However many labels there are, a minute keeps a hundred kinds.
func TestLabelsAreBounded(t *testing.T) {
	w := newWorld(t)
	r := w.process()
	for i := range 1000 {
		r.Count("failed", fmt.Sprint(i))
		r.CountTook("confirmed", fmt.Sprint(i), time.Second)
	}
	r.Count("failed", "7")
	w.write(r)
	seen := w.read(r, 1)
	if len(seen) != 100 || seen["0 failed7"] != 2 {
		t.Errorf("%d kinds, and of a known one %d", len(seen), seen["0 failed7"])
	}
}

func TestWhoMayRead(t *testing.T) {
	w := newWorld(t)
	r := w.process()
	for _, who := range []identity.Caller{{}, {CustomerID: "ada", Roles: []identity.Role{identity.Customer}}, {CustomerID: "bob", Roles: []identity.Role{identity.Support}}} {
		if _, err := r.Read(t.Context(), who, w.Now()); !errors.Is(err, activity.ErrForbidden) {
			t.Errorf("%+v: %v", who, err)
		}
	}
	if _, err := r.Read(t.Context(), identity.Caller{CustomerID: "eve", Roles: []identity.Role{identity.Merchant}}, w.Now()); err != nil {
		t.Error(err)
	}
}

// Several services' counts are read as one, minute by minute; or not at all.
func TestBoardsAreReadAsOne(t *testing.T) {
	w := newWorld(t)
	carts := world{w.Clock, t, docstoretest.Memory(t)}
	a, b := carts.process(), w.process()
	a.Count("carts", "")
	b.Count("placed", "")
	w.Pass(time.Minute)
	b.Count("placed", "")
	w.Pass(time.Minute)
	a.Count("carts", "")
	w.write(a, b)
	all := activity.Boards{a, b}
	w.want(w.read(all, 5), map[string]int64{"2 carts": 1, "2 placed": 1, "1 placed": 1, "0 carts": 1})
	one, err := a.Read(t.Context(), identity.Ourselves(), w.Now())
	if err != nil {
		t.Fatal(err)
	}
	both, err := all.Read(t.Context(), identity.Ourselves(), w.Now().Add(-time.Hour))
	if err != nil || both.Version <= one.Version || len(both.Minutes) != 3 {
		t.Errorf("%+v %v", both, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := all.Read(ctx, identity.Ourselves(), w.Now()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := all.Read(t.Context(), identity.Caller{}, w.Now()); !errors.Is(err, activity.ErrForbidden) {
		t.Error(err)
	}
}

// Nothing is lost between those who count and those who write and read.
func TestManyCountAtOnce(t *testing.T) {
	store := docstoretest.Memory(t)
	var processes []*activity.Recorder
	for range 2 {
		r, err := activity.Open(t.Context(), activity.Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		processes = append(processes, r)
	}
	began := time.Now()
	var all sync.WaitGroup
	for _, r := range processes {
		for range 8 {
			all.Go(func() {
				for range 1000 {
					r.Count("placed", "")
					r.CountTook("confirmed", "", time.Second)
				}
			})
		}
		all.Go(func() {
			for range 20 {
				_ = r.Write(t.Context())
				_, _ = r.Read(t.Context(), identity.Ourselves(), began)
			}
		})
	}
	all.Wait()
	for _, r := range processes {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	fresh, err := activity.Open(t.Context(), activity.Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	report, err := fresh.Read(t.Context(), identity.Ourselves(), began.Truncate(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var sum []activity.Count
	for _, m := range report.Minutes {
		sum = activity.Sum(sum, m.Counts)
	}
	want := []activity.Count{{Name: "confirmed", N: 16_000, Took: sum[0].Took}, {Name: "placed", N: 16_000}}
	if !reflect.DeepEqual(sum, want) || len(sum[0].Took) != 1 || sum[0].Took[0].N != 16_000 {
		t.Errorf("%+v", sum)
	}
}
