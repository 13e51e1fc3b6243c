package docstorelocal_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
)

// image is a store's files as they lie in its directory.
type image map[string][]byte

func readImage(t *testing.T, dir string) image {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	i := image{}
	for _, f := range files {
		if i[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

func (i image) disk(t *testing.T) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("store", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range i {
		f, err := fs.Create("store/"+name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(slices.Clone(data)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

// try opens the image. It may be refused as damaged; otherwise everything
// that was acknowledged must be there.
func (i image) try(t *testing.T, acked acknowledged) (damaged bool) {
	t.Helper()
	s, err := docstorelocal.OpenOn(i.disk(t), "store")
	if errors.Is(err, docstore.ErrDamaged) {
		return true
	}
	if err != nil {
		t.Fatalf("neither damaged nor open: %v", err)
	}
	err = acked.check(t.Context(), s)
	closed := s.Close()
	if errors.Is(err, docstore.ErrDamaged) {
		return true
	}
	if err = errors.Join(err, closed); err != nil {
		t.Fatal(err)
	}
	return false
}

func TestDamageIsNeverSilent(t *testing.T) {
	dir := t.TempDir()
	acked := acknowledged{}
	acked.runAndKill(t, dir, 0, 1200, 0)
	killed := readImage(t, dir)
	s, err := docstorelocal.Open(dir, docstorelocal.WithMemTable(256<<10))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(acked.check(t.Context(), s), s.Close()); err != nil {
		t.Fatal(err)
	}
	closed := readImage(t, dir)
	if len(acked) < 50 {
		t.Fatalf("only %d documents to damage", len(acked))
	}

	for name, whole := range map[string]image{"killed": killed, "closed": closed} {
		if whole.try(t, acked) {
			t.Fatalf("%s: the store without damage is refused", name)
		}
		kinds := map[string]bool{}
		for file, data := range whole {
			kinds[kind(file)] = true
			t.Run(fmt.Sprintf("%s/%s", name, file), func(t *testing.T) {
				refused := 0
				attempt := func(what string, data []byte) {
					damaged := image{}
					for n, d := range whole {
						damaged[n] = d
					}
					if data == nil {
						delete(damaged, file)
					} else {
						damaged[file] = data
					}
					t.Run(what, func(t *testing.T) {
						if damaged.try(t, acked) {
							refused++
						}
					})
				}
				for _, at := range places(file, len(data)) {
					flipped := slices.Clone(data)
					flipped[at] ^= 1 << (at % 8)
					attempt(fmt.Sprintf("byte %d of %d flipped", at, len(data)), flipped)
				}
				for _, length := range []int{0, len(data) / 2, len(data) - 1} {
					if length >= 0 && length < len(data) {
						attempt(fmt.Sprintf("cut to %d of %d bytes", length, len(data)), slices.Clone(data[:length]))
					}
				}
				attempt("deleted", nil)
				if vital := kind(file) != "LOCK" && kind(file) != "HOLDER"; vital && refused == 0 {
					t.Logf("no damage was noticed, and none did harm")
				}
			})
		}
		for _, want := range []string{"LEDGER", "MANIFEST", "OPTIONS", "log", "marker", "sst"} {
			if !kinds[want] {
				t.Errorf("%s: there was no %s file to damage", name, want)
			}
		}
	}
}

// kind is what sort of file this is.
func kind(file string) string {
	switch {
	case strings.HasPrefix(file, "marker"):
		return "marker"
	case strings.Contains(file, "."):
		return strings.TrimPrefix(filepath.Ext(file), ".")
	}
	name, _, _ := strings.Cut(file, "-")
	return name
}

// places are where to flip a bit: both ends, and some between, the same for
// the same file each time.
func places(file string, size int) []int {
	if size == 0 {
		return nil
	}
	seed := fnv.New64a()
	_, _ = io.WriteString(seed, file)
	r := rand.New(rand.NewPCG(seed.Sum64(), uint64(size)))
	all := []int{0, size - 1, size / 2}
	for range 4 {
		all = append(all, r.IntN(size))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestDirectoryOfAnotherProgram(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := docstorelocal.Open(dir); !errors.Is(err, docstore.ErrDamaged) || !strings.Contains(err.Error(), "letter.txt") {
		t.Errorf("a directory with other things in it: %v", err)
	}
	if _, err := docstorelocal.Open(filepath.Join(dir, "letter.txt")); err == nil {
		t.Error("a file was opened as a store")
	}
}
