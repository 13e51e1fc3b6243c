package docstorelocal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
)

// The tests in this file run a second copy of the test binary, which writes
// and says what was acknowledged, and kill it.
const (
	writerDir   = "DOCSTORELOCAL_WRITER_DIR"
	writerRound = "DOCSTORELOCAL_WRITER_ROUND"
	writers     = 6
	leaving     = -1
)

type record struct {
	docstore.Meta `bson:",inline"`
	Key           string // unique
	Group         string
	Rank          int64
	Body          string // says id and version over and over: half a document would show
}

func (r *record) fill() {
	next := r.Version + 1
	r.Rank = (next * 7919) % 1000
	r.Group = fmt.Sprint("group ", next%5)
	r.Body = body(r.ID, next)
}

func body(id string, version int64) string {
	return strings.Repeat(fmt.Sprintf("%s@%d,", id, version), 40)
}

var (
	byKey   = docstore.Index{Name: "key", Fields: []string{"key"}, Unique: true}
	byGroup = docstore.Index{Name: "group", Fields: []string{"group", "rank"}}
	byBody  = docstore.Index{Name: "body", Fields: []string{"body", "rank"}}
	records = docstore.Spec{Name: "records", Indexes: []docstore.Index{byKey, byGroup}}
)

// writeUntilKilled is the other process. For every acknowledged write it says
// "id version", with version 0 for a deletion, and leaving before one.
func writeUntilKilled(dir, round string) error {
	ctx := context.Background()
	s, err := docstorelocal.Open(dir, docstorelocal.WithMemTable(256<<10))
	if err != nil {
		return err
	}
	spec := records
	if n, _ := strconv.Atoi(round); n%3 == 2 {
		spec.Indexes = append(spec.Indexes, byBody) // dies while building an index, or after
	}
	c, err := docstore.Open[record](ctx, s, spec)
	if err != nil {
		return err
	}
	say := func(id string, version int64) { fmt.Printf("%s %d\n", id, version) }
	change := func(id string) error {
		r, err := c.Upsert(ctx, id, func(r *record) error {
			r.fill()
			r.Key = fmt.Sprintf("key of %s at %d", id, r.Version/3)
			return nil
		})
		if err == nil {
			say(id, r.Version)
		}
		return err
	}
	failed := make(chan error)
	for w := range writers {
		go func() {
			for n := 0; ; n++ {
				own := fmt.Sprintf("r%s-w%d-%d", round, w, n)
				err := change(own)
				if err == nil && n%4 == 1 {
					err = change(own)
				}
				if err == nil && n%3 == 0 {
					err = change(fmt.Sprintf("shared-%d", rand.N(20)))
				}
				if err == nil && n%5 == 4 {
					say(own, leaving)
					if err = c.Delete(ctx, own, nil); err == nil {
						say(own, 0)
					}
				}
				if err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// acknowledged is the last acknowledged version of every document, 0 if it was
// deleted, leaving if it may be there or not.
type acknowledged map[string]int64

// runAndKill lets the other process write so much, or for so long if much is 0,
// and kills it.
func (a acknowledged) runAndKill(t testing.TB, dir string, round, much int, long time.Duration) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), writerDir+"="+dir, fmt.Sprintf("%s=%d", writerRound, round))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if much == 0 {
		kill := time.AfterFunc(long, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
	}
	lines := bufio.NewReader(out)
	for said := 1; ; said++ {
		if said == much {
			_ = cmd.Process.Kill()
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the last line may be cut: it says nothing then
		}
		id, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		v, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			t.Fatalf("the other process said %q", line)
		}
		if was, known := a[id]; !known || v <= 0 || v > was {
			a[id] = v
		}
	}
	_ = cmd.Wait()
	if complaints.Len() > 0 {
		t.Fatalf("the other process failed: %s", complaints.String())
	}
}

// check wants every acknowledged write in the store, whole, and every index in
// agreement with the documents.
func (a acknowledged) check(ctx context.Context, s docstore.Store) error {
	c, err := docstore.Open[record](ctx, s, records)
	if err != nil {
		return err
	}
	found := map[string]record{}
	for r, err := range c.All(ctx, docstore.Query{Limit: 1000}) {
		if err != nil {
			return err
		}
		if r.Body != body(r.ID, r.Version) || r.Key != fmt.Sprintf("key of %s at %d", r.ID, (r.Version-1)/3) {
			return fmt.Errorf("%s at version %d is not whole", r.ID, r.Version)
		}
		found[r.ID] = r
	}
	for id, version := range a {
		r, there := found[id]
		switch {
		case version == 0 && there:
			return fmt.Errorf("%s was deleted, and is there", id)
		case version > 0 && !there:
			return fmt.Errorf("%s was acknowledged at version %d, and is missing", id, version)
		case version > 0 && r.Version < version:
			return fmt.Errorf("%s was acknowledged at version %d, and is at %d", id, version, r.Version)
		}
	}
	for _, index := range records.Indexes {
		n := 0
		var before record
		for r, err := range c.All(ctx, docstore.Query{Index: index.Name, Limit: 1000}) {
			if err != nil {
				return err
			}
			if found[r.ID].Version != r.Version {
				return fmt.Errorf("index %s has %s", index.Name, r.ID)
			}
			if index.Name == "group" && (before.Group > r.Group || before.Group == r.Group && before.Rank > r.Rank) {
				return fmt.Errorf("index %s has %s out of order", index.Name, r.ID)
			}
			before = r
			n++
		}
		if n != len(found) {
			return fmt.Errorf("index %s has %d of %d documents", index.Name, n, len(found))
		}
	}
	return nil
}

func TestKilledWhileWriting(t *testing.T) {
	dir := t.TempDir()
	acked := acknowledged{}
	for round := range 20 {
		// The first kills come while the store is being created or opened.
		much := 0
		if round > 5 {
			much = 200 + rand.N(600)
		}
		acked.runAndKill(t, dir, round, much, rand.N(60*time.Millisecond))
		s, err := docstorelocal.Open(dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		err = acked.check(t.Context(), s)
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatalf("round %d, %d documents acknowledged: %v", round, len(acked), err)
		}
	}
	t.Logf("%d documents acknowledged over 20 kills", len(acked))
	if len(acked) < 1000 {
		t.Errorf("only %d documents were written: the kills came too early to show anything", len(acked))
	}
}

func TestSecondProcessIsToldWhoHoldsIt(t *testing.T) {
	dir := t.TempDir()
	s := openDir(t, dir)
	if _, err := docstorelocal.Open(dir); !errors.Is(err, docstore.ErrHeld) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("within one process: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command(self)
	other.Env = append(os.Environ(), writerDir+"="+dir)
	said, err := other.CombinedOutput()
	host, _ := os.Hostname()
	for _, want := range []string{"docstore.held", fmt.Sprintf("process %d on %s", os.Getpid(), host), "directory of its own"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the second process said %q (%v), want %q in it", said, err, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openDir(t, dir).Close()
}
