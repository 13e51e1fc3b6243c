package docstoremongo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/test/mongoserver"
)

// away is how long the server is gone in TestMongoServerAway: half a minute where
// the server is asked for, as by make test-mongo, and else as long as one
// likes to wait.
func away() time.Duration {
	if os.Getenv(mongoserver.Required) == "1" && !testing.Short() {
		return 30 * time.Second
	}
	return 2 * time.Second
}

// shelf is the document of these tests. It remembers who took from it, so that
// a change which was applied twice, or not at all, shows.
type shelf struct {
	docstore.Meta `bson:",inline"`
	Label         string
	Stock         int
	Takers        []string
}

var (
	shelves    = docstore.Spec{Name: "shelves", Indexes: []docstore.Index{{Name: "label", Fields: []string{"label"}, Unique: true}}}
	errSoldOut = errors.New("sold out")
)

func take(who string) func(*shelf) error {
	return func(s *shelf) error {
		if s.Stock == 0 {
			return errSoldOut
		}
		s.Stock--
		s.Takers = append(s.Takers, who)
		return nil
	}
}

func openShelves(t testing.TB, uri, database string, o docstoremongo.Options) *docstore.Collection[shelf] {
	t.Helper()
	c, err := docstore.Open[shelf](t.Context(), open(t, uri, database, o), shelves)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func insertShelf(t testing.TB, c *docstore.Collection[shelf], id string, stock int) {
	t.Helper()
	if err := c.Insert(t.Context(), &shelf{Meta: docstore.Meta{ID: id}, Label: id, Stock: stock}); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, c *docstore.Collection[shelf], id string) shelf {
	t.Helper()
	s, err := c.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// impatient options: an answer that takes longer than this is lost.
var impatient = docstoremongo.Options{AnswerWithin: 6 * time.Second}

func TestMongoStaleConnections(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	proxy := mongoserver.NewProxy(t, uri)
	c := openShelves(t, proxy.URI, mongoserver.Database(t, uri), docstoremongo.Options{})
	const many = 16
	for i := range many {
		insertShelf(t, c, fmt.Sprint(i), 100)
	}
	for round := range 5 {
		var all sync.WaitGroup
		for i := range many { // each on a connection of its own
			all.Go(func() {
				if _, err := c.Update(t.Context(), fmt.Sprint(i), take(fmt.Sprint(round))); err != nil {
					t.Errorf("round %d, shelf %d: %v", round, i, err)
				}
			})
		}
		all.Wait()
		proxy.Break()
	}
	for i := range many {
		if s := get(t, c, fmt.Sprint(i)); s.Stock != 95 || s.Version != 6 || fmt.Sprint(s.Takers) != "[0 1 2 3 4]" {
			t.Errorf("shelf %d: stock %d, version %d, taken by %v; want 95, 6, [0 1 2 3 4]", i, s.Stock, s.Version, s.Takers)
		}
	}
}

func TestMongoAnswerLost(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	for _, how := range []struct {
		name string
		loss mongoserver.Loss
	}{{"Cut", mongoserver.Cut}, {"Silence", mongoserver.Silence}} {
		for _, test := range []struct {
			name    string
			command string
			run     func(t *testing.T, c, rival *docstore.Collection[shelf], lose func())
		}{
			{"Insert", "insert", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				lose()
				insertShelf(t, c, "new", 3)
				if s := get(t, c, "new"); s.Version != 1 || s.Stock != 3 {
					t.Errorf("got %+v", s)
				}
			}},
			{"InsertOfTakenID", "insert", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "taken", 3)
				lose()
				err := c.Insert(t.Context(), &shelf{Meta: docstore.Meta{ID: "taken"}, Label: "other"})
				if !errors.Is(err, docstore.ErrExists) {
					t.Errorf("got %v, want ErrExists", err)
				}
			}},
			{"InsertOfTakenKey", "insert", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "one", 3)
				lose()
				err := c.Insert(t.Context(), &shelf{Meta: docstore.Meta{ID: "two"}, Label: "one"})
				if !errors.Is(err, docstore.ErrDuplicate) {
					t.Errorf("got %v, want ErrDuplicate", err)
				}
			}},
			{"Update", "update", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "s", 3)
				lose()
				s, err := c.Update(t.Context(), "s", take("a"))
				if err != nil || s.Stock != 2 {
					t.Errorf("got %+v, %v", s, err)
				}
				if s := get(t, c, "s"); s.Stock != 2 || s.Version != 2 || len(s.Takers) != 1 {
					t.Errorf("got %+v", s)
				}
			}},
			{"UpdateThatWasWrittenOver", "update", func(t *testing.T, c, rival *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "s", 9)
				lose()
				updated := make(chan error, 1)
				go func() {
					_, err := c.Update(t.Context(), "s", take("a"))
					updated <- err
				}()
				// Rivals take the next ones before c knows of its own.
				waitFor(t, func() bool { return get(t, rival, "s").Version == 2 })
				for i := range 3 {
					if _, err := rival.Update(t.Context(), "s", take(fmt.Sprint(i))); err != nil {
						t.Fatal(err)
					}
				}
				if err := <-updated; err != nil {
					t.Error(err)
				}
				if s := get(t, c, "s"); s.Stock != 5 || s.Version != 5 || fmt.Sprint(s.Takers) != "[a 0 1 2]" {
					t.Errorf("stock %d, version %d, taken by %v", s.Stock, s.Version, s.Takers)
				}
			}},
			{"UpdateThatWasOvertaken", "update", func(t *testing.T, c, rival *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "s", 9)
				first := true
				_, err := c.Update(t.Context(), "s", func(s *shelf) error {
					if first { // a rival is faster, and the refusal is lost
						first = false
						if _, err := rival.Update(t.Context(), "s", take("rival")); err != nil {
							return err
						}
						lose()
					}
					return take("a")(s)
				})
				if err != nil {
					t.Error(err)
				}
				if s := get(t, c, "s"); s.Version != 3 || fmt.Sprint(s.Takers) != "[rival a]" {
					t.Errorf("version %d, taken by %v", s.Version, s.Takers)
				}
			}},
			{"Delete", "delete", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "s", 3)
				lose()
				if err := c.Delete(t.Context(), "s", nil); err != nil {
					t.Error(err)
				}
				if _, err := c.Get(t.Context(), "s"); !errors.Is(err, docstore.ErrNotFound) {
					t.Errorf("got %v, want ErrNotFound", err)
				}
			}},
			{"Load", "update", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				var docs []shelf
				for i := range 50 {
					docs = append(docs, shelf{Meta: docstore.Meta{ID: fmt.Sprint(i)}, Label: fmt.Sprint(i), Stock: i})
				}
				lose()
				if err := c.Load(t.Context(), docs); err != nil {
					t.Fatal(err)
				}
				for i := range docs {
					if s := get(t, c, fmt.Sprint(i)); s.Stock != i || s.Version != 1 {
						t.Errorf("got %+v", s)
					}
				}
			}},
			{"LoadThatHandsKeysOn", "update", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "a", 1)
				insertShelf(t, c, "b", 1)
				lose()
				err := c.Load(t.Context(), []shelf{
					{Meta: docstore.Meta{ID: "a"}, Label: "x"},
					{Meta: docstore.Meta{ID: "c"}, Label: "a"}, // a has just given it up
					{Meta: docstore.Meta{ID: "b"}, Label: "y"},
					{Meta: docstore.Meta{ID: "a"}, Label: "b"},
					{Meta: docstore.Meta{ID: "d"}, Label: "x"},
				})
				if err != nil {
					t.Fatal(err)
				}
				for id, label := range map[string]string{"a": "b", "b": "y", "c": "a", "d": "x"} {
					if s := get(t, c, id); s.Label != label {
						t.Errorf("%s has label %s, want %s", id, s.Label, label)
					}
				}
			}},
			{"Read", "find", func(t *testing.T, c, _ *docstore.Collection[shelf], lose func()) {
				insertShelf(t, c, "s", 3)
				lose()
				if s := get(t, c, "s"); s.Stock != 3 {
					t.Errorf("got %+v", s)
				}
			}},
		} {
			t.Run(test.name+"/"+how.name, func(t *testing.T) {
				t.Parallel()
				proxy := mongoserver.NewProxy(t, uri)
				database := mongoserver.Database(t, uri)
				c := openShelves(t, proxy.URI, database, impatient)
				rival := openShelves(t, uri, database, docstoremongo.Options{})
				test.run(t, c, rival, func() { proxy.LoseNext(test.command, how.loss) })
			})
		}
	}
}

// Where too many have written since, nobody can know: then the engine says so
// instead of doing the change a second time.
func TestMongoOutcomeThatCannotBeKnown(t *testing.T) {
	uri, about := mongoserver.Start(t)
	proxy := mongoserver.NewProxy(t, uri)
	database := mongoserver.Database(t, uri)
	// The rivals need to have written by the time it gives up waiting.
	c := openShelves(t, proxy.URI, database, docstoremongo.Options{AnswerWithin: 15 * time.Second})
	rival := openShelves(t, uri, database, docstoremongo.Options{})
	insertShelf(t, c, "s", 100)
	proxy.LoseNext("update", mongoserver.Silence)
	updated := make(chan error, 1)
	go func() {
		_, err := c.Update(t.Context(), "s", take("a"))
		updated <- err
	}()
	waitFor(t, func() bool { return get(t, rival, "s").Version == 2 })
	for i := range 20 {
		if _, err := rival.Update(t.Context(), "s", take(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-updated; !errors.Is(err, docstore.ErrUnavailable) {
		t.Errorf("%s: got %v, want ErrUnavailable", about, err)
	}
	if s := get(t, c, "s"); s.Stock != 79 || len(s.Takers) != 21 {
		t.Errorf("stock %d after 21 were taken", s.Stock)
	}
}

func TestMongoDeadlineWhileOutcomeIsUnknown(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	proxy := mongoserver.NewProxy(t, uri)
	c := openShelves(t, proxy.URI, mongoserver.Database(t, uri), docstoremongo.Options{})
	insertShelf(t, c, "s", 1)
	proxy.Lose(func(command string, _ bson.Raw) mongoserver.Loss {
		if command == "update" {
			return mongoserver.Silence
		}
		return mongoserver.Deliver
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// Who waited for the answer for longer would say that there is none.
	if _, err := c.Update(ctx, "s", take("a")); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, docstore.ErrUnavailable) {
		t.Errorf("got %v, want the context's own error", err)
	}
}

func TestMongoServerAway(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	proxy := mongoserver.NewProxy(t, uri)
	c := openShelves(t, proxy.URI, mongoserver.Database(t, uri), docstoremongo.Options{ConnectWithin: 5 * time.Second})
	const workers, each = 8, 40
	insertShelf(t, c, "shared", workers*each)
	ctx, cancel := context.WithTimeout(t.Context(), away()+5*time.Minute)
	defer cancel()

	var taken, unavailable atomic.Int64
	half, closeHalf := make(chan struct{}), sync.OnceFunc(nil)
	closeHalf = sync.OnceFunc(func() { close(half) })
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for n := range each {
				who := fmt.Sprintf("%d.%d", w, n)
				// What a service does: try again until it is known to be
				// done, and recognise what was done already.
				for {
					_, err := c.Update(ctx, "shared", func(s *shelf) error {
						for _, taker := range s.Takers {
							if taker == who {
								return docstore.Unchanged
							}
						}
						return take(who)(s)
					})
					if err == nil {
						break
					}
					if !errors.Is(err, docstore.ErrUnavailable) {
						t.Errorf("%s: %v", who, err)
						return
					}
					unavailable.Add(1)
				}
				if taken.Add(1) == workers*each/2 {
					closeHalf()
				}
			}
		})
	}
	<-half
	proxy.Down()
	began := time.Now()
	if _, err := c.Get(ctx, "shared"); !errors.Is(err, docstore.ErrUnavailable) { // and does not wait until ctx ends
		t.Errorf("read while the server is away: got %v, want ErrUnavailable", err)
	}
	waitFor(t, func() bool { return unavailable.Load() > 0 })
	<-time.After(time.Until(began.Add(away())))
	before := taken.Load()
	proxy.Up(t)
	waitFor(t, func() bool { return taken.Load() > before || taken.Load() == workers*each })
	t.Logf("away for %v; first change %v after the server was back", away(), time.Since(began)-away())
	all.Wait()

	s := get(t, c, "shared")
	seen := map[string]bool{}
	for _, who := range s.Takers {
		if seen[who] {
			t.Errorf("%s took twice", who)
		}
		seen[who] = true
	}
	if s.Stock != 0 || len(seen) != workers*each || s.Version != workers*each+1 {
		t.Errorf("stock %d, %d takers, version %d; want 0, %d, %d", s.Stock, len(seen), s.Version, workers*each, workers*each+1)
	}
	t.Logf("%d answers said that the server is away", unavailable.Load())
}

// Two processes, each with connections of its own, sell the same 1,000 units.
func TestMongoTwoProcessesSellEachUnitOnce(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	const units, attempts, goroutines = 1000, 5000, 64
	for _, broken := range []bool{false, true} {
		t.Run(fmt.Sprintf("BrokenConnections=%v", broken), func(t *testing.T) {
			proxy := mongoserver.NewProxy(t, uri)
			database := mongoserver.Database(t, uri)
			processes := []*docstore.Collection[shelf]{
				openShelves(t, proxy.URI, database, docstoremongo.Options{}),
				openShelves(t, proxy.URI, database, docstoremongo.Options{}),
			}
			insertShelf(t, processes[0], "s", units)

			if broken { // every 50th answer to a write is lost with its connection
				var writes atomic.Int64
				proxy.Lose(func(command string, _ bson.Raw) mongoserver.Loss {
					if command == "update" && writes.Add(1)%50 == 0 {
						return mongoserver.Cut
					}
					return mongoserver.Deliver
				})
			}
			var next, sold, refused, unknown atomic.Int64
			var mu sync.Mutex
			outcome := map[string]error{}
			var all sync.WaitGroup
			for g := range goroutines {
				all.Go(func() {
					for n := next.Add(1); n <= attempts; n = next.Add(1) {
						who := fmt.Sprint(n)
						_, err := processes[g%2].Update(t.Context(), "s", take(who))
						mu.Lock()
						outcome[who] = err
						mu.Unlock()
						switch {
						case err == nil:
							sold.Add(1)
						case errors.Is(err, errSoldOut):
							refused.Add(1)
						case errors.Is(err, docstore.ErrUnavailable) || errors.Is(err, docstore.ErrContended):
							unknown.Add(1)
						default:
							t.Errorf("%s: %v", who, err)
						}
					}
				})
			}
			all.Wait()
			proxy.Lose(nil)

			s := get(t, processes[0], "s")
			times := map[string]int{}
			for _, who := range s.Takers {
				times[who]++
			}
			for who, err := range outcome {
				want := map[bool]int{true: 1, false: 0}[err == nil]
				if n := times[who]; n != want && !(errors.Is(err, docstore.ErrUnavailable) && n <= 1) {
					t.Errorf("attempt %s, told %v, took %d times", who, err, n)
				}
			}
			if s.Stock != 0 || s.Version != units+1 || len(s.Takers) != units {
				t.Errorf("stock %d, version %d, %d takers; want 0, %d, %d", s.Stock, s.Version, len(s.Takers), units+1, units)
			}
			if !broken && (sold.Load() != units || unknown.Load() != 0) {
				t.Errorf("%d sold, %d unknown; want %d, 0", sold.Load(), unknown.Load(), units)
			}
			t.Logf("%d sold, %d refused, %d not known", sold.Load(), refused.Load(), unknown.Load())
		})
	}
}

// waitFor waits until what is wanted is so, for at most a minute.
func waitFor(t testing.TB, what func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !what(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it did not come to that within a minute")
		}
	}
}

func logInto(b *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
