// Package docstorelocal keeps a service's documents in a directory of this
// machine, with nothing else installed.
//
// What it promises beyond docstore's contract:
//
//   - A write that was acknowledged is on disk, with its index entries, whole.
//     It survives kill -9 and a power failure. Nobody reads a write before it is
//     on disk.
//   - A store that is not as it was written is refused with ErrDamaged when it
//     is opened: every file is checked against a ledger of what is durable. That
//     takes about a second for a gigabyte.
//   - A directory belongs to one process. Another one is told ErrHeld and who
//     has it. More than one copy of a service needs docstoremongo.
//   - A disk that cannot be written breaks the store, not the process: it
//     answers ErrUnavailable until it is opened again.
//
// OpenMemory gives a store for tests with the same code on a disk in memory. It
// works within testing/synctest when it is opened and closed in the bubble; one
// opened outside cannot be used inside.
//
// It stands on Pebble, since of the embedded libraries in Go it alone lets many
// writers share one sync without waiting for a batch to fill. Durable writes of
// 1.5 kB a second with 1, 16 and 64 writers, on two cores: Pebble 13,500, 36,600
// and 40,000; bbolt 800, 9,000 and 20,000. bbolt reads faster (520,000 a second
// to Pebble's 90,000 to 150,000), but decoding a document takes longer than
// either, and the documents in use are kept in memory anyway.
package docstorelocal

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
)

// Store is one service's database in one directory. It belongs to one process.
type Store struct {
	db      *pebble.DB
	ledger  *ledger
	release func() error // gives the directory back
	log     *slog.Logger

	memTable uint64

	life sync.RWMutex // held by every operation; alone by Close
	shut bool

	broken atomic.Pointer[error] // why nothing works any more

	stripes stripes
	syncs   syncs
	cache   *cache

	catalog sync.Mutex
	open    map[string]*collection
}

var _ docstore.Store = (*Store)(nil)

// An Option changes how a store is opened.
type Option func(*options)

type options struct {
	log      *slog.Logger
	memTable uint64 // bytes of newest writes that are kept sorted in memory
	cache    int    // bytes
}

// WithCache lets the store keep so many bytes of documents in memory, 512 MB
// unless told otherwise. With 0 it keeps none. It takes only what the documents
// in use need.
func WithCache(bytes int) Option { return func(o *options) { o.cache = bytes } }

// WithLog sends what the engine has to say to log; without it, it is silent.
func WithLog(log *slog.Logger) Option { return func(o *options) { o.log = log } }

// Open opens the store in dir, creating both where they are missing.
func Open(dir string, opts ...Option) (*Store, error) {
	return open(dir, vfs.Default, opts)
}

// OpenMemory opens a new store that lives in memory, for tests. It is gone
// when it is closed; otherwise it behaves as one on disk.
func OpenMemory(opts ...Option) (*Store, error) {
	return open("store", vfs.NewMem(), opts)
}

func open(dir string, fs vfs.FS, opts []Option) (*Store, error) {
	o := options{log: slog.New(slog.DiscardHandler), memTable: 16 << 20, cache: 512 << 20}
	for _, opt := range opts {
		opt(&o)
	}
	s := &Store{log: o.log, memTable: o.memTable, cache: newCache(o.cache), open: map[string]*collection{}}
	s.stripes.seed = maphash.MakeSeed()
	if err := s.start(dir, fs); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, s.fault(err))
	}
	return s, nil
}

// start takes the directory, checks its files, and opens the engine. What is
// taken is given back if something fails.
func (s *Store) start(dir string, fs vfs.FS) (err error) {
	lock, err := hold(fs, dir)
	if err != nil {
		return err
	}
	s.release = func() error { return errors.Join(fs.Remove(fs.PathJoin(dir, holderName)), lock.Close()) }
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if s.ledger, err = openLedger(fs, dir); err != nil {
		return err
	}
	s.ledger.failed = func(what string, err error) {
		s.breakDown(docstore.ErrUnavailable, fmt.Sprintf("%s could not be written: %v", what, err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.ledger.close())
		}
	}()
	settings := s.settings(s.ledger)
	settings.Lock = lock
	if s.db, err = openEngine(dir, settings); err != nil {
		return err
	}
	if err = s.sweep(); err != nil {
		err = errors.Join(err, s.db.Close())
	}
	return err
}

// enter begins an operation, unless the store is closed or broken.
func (s *Store) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.life.RLock()
	if s.shut {
		err = fmt.Errorf("%w (it is closed)", docstore.ErrUnavailable)
	} else {
		err = s.halted()
	}
	if err != nil {
		s.life.RUnlock()
		return nil, err
	}
	return s.life.RUnlock, nil
}

// Ping is nil while the store can be read and written.
func (s *Store) Ping(ctx context.Context) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	leave()
	return nil
}

// Close waits for operations in flight and releases the directory.
func (s *Store) Close() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.shut {
		return nil
	}
	s.shut = true
	return s.fault(errors.Join(closeEngine(s.db), s.ledger.close(), s.release()))
}

// halted is why nothing works any more, if so.
func (s *Store) halted() error {
	if b := s.broken.Load(); b != nil {
		return *b
	}
	return nil
}

// commit makes the batch durable and closes it.
func (s *Store) commit(batch *pebble.Batch) error {
	err := s.write(batch)
	if halted := s.halted(); halted != nil {
		return halted
	}
	return errors.Join(s.fault(err), s.fault(batch.Close()))
}

// commit makes the batch durable and closes it. It puts docs, nil for none,
// under keys.
func (c *collection) commit(batch *pebble.Batch, keys [][]byte, docs []bson.Raw) error {
	c.writing.Add(1)
	defer c.writing.Add(-1)
	for _, key := range keys {
		c.store.cache.begin(key)
	}
	err := c.store.commit(batch)
	for i, key := range keys {
		if err != nil {
			c.store.cache.end(key, nil)
		} else {
			c.store.cache.end(key, slices.Clone(docs[i]))
		}
	}
	return err
}

// read returns what is under key for its writer, who holds its lock and so
// knows that it is durable. It is not to be changed.
func (s *Store) read(key []byte) (bson.Raw, error) {
	if doc, _ := s.cache.get(key); doc != nil {
		return doc, nil
	}
	doc, err := read(s.db, key)
	return doc, s.fault(err)
}

// readSettled returns what is durable under key. It is not to be changed.
func (s *Store) readSettled(key []byte) (bson.Raw, error) {
	doc, seen := s.cache.get(key)
	if doc != nil {
		return doc, nil
	}
	doc, err := read(s.db, key)
	if err != nil {
		return nil, s.fault(err)
	}
	if s.cache.offer(key, doc, seen) {
		err = s.settle()
	}
	return doc, err
}

func read(r pebble.Reader, key []byte) (bson.Raw, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	doc := append(make(bson.Raw, 0, len(value)), value...)
	return doc, closer.Close()
}

// fault says in our terms what the engine has answered. Errors that are
// declared already stay as they are.
func (s *Store) fault(err error) error {
	if err == nil || fault.KindOf(err) == fault.Canceled || fault.KindOf(err) == fault.DeadlineExceeded {
		return err
	}
	if _, declared := errors.AsType[*fault.Error](err); declared {
		return err
	}
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w: %v", docstore.ErrDamaged, err)
	}
	return fmt.Errorf("%w: %v", docstore.ErrUnavailable, err)
}
