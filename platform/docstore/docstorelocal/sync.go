package docstorelocal

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"ordergraph/platform/docstore"
)

// syncs has all that write at the same time share one sync of the log, and
// readers wait for those that are under way instead of asking for more.
type syncs struct {
	writing  atomic.Int64 // writes that are not durable yet
	arriving atomic.Int64 // those of them that have no round yet

	mu   sync.Mutex
	now  round // is being synced; nil: none
	next round // is synced next; nil: nobody waits for it
}

// A round is closed when what was written before it began is durable.
type round chan struct{}

// write has the batch written, and returns when it is durable or the store
// broken.
func (s *Store) write(batch *pebble.Batch) error {
	y := &s.syncs
	y.writing.Add(1)
	defer y.writing.Add(-1)
	y.arriving.Add(1)
	err := s.apply(batch)
	y.mu.Lock()
	y.arriving.Add(-1)
	if err != nil {
		y.mu.Unlock()
		return err
	}
	s.join()
	return nil
}

// settle returns when all that could be read before it was called is durable.
func (s *Store) settle() error {
	y := &s.syncs
	y.mu.Lock()
	switch {
	case y.next != nil || y.arriving.Load() > 0:
		s.join()
	case y.now != nil:
		r := y.now
		y.mu.Unlock()
		<-r
	default:
		y.mu.Unlock()
	}
	return s.halted()
}

// join waits for the next round. Who is the first of one, and finds nobody
// syncing, syncs for all. s.syncs.mu is held, and given back.
func (s *Store) join() {
	y := &s.syncs
	r, leads := y.next, false
	if r == nil {
		r = make(round)
		y.next, leads = r, y.now == nil
	}
	y.mu.Unlock()
	if leads {
		s.sync()
	}
	<-r
}

// sync makes the next round durable.
func (s *Store) sync() {
	y := &s.syncs
	if y.writing.Load() > 1 {
		// Where the processors have more to do than to wait for the disk, others
		// are about to write as well: let them, and sync once for all.
		runtime.Gosched()
	}
	y.mu.Lock()
	r := y.next
	y.now, y.next = r, nil
	y.mu.Unlock()
	s.syncLog()
	y.mu.Lock()
	y.now = nil
	more := y.next != nil
	y.mu.Unlock()
	close(r)
	if more {
		go s.sync()
	}
}

// apply writes the batch, so that it can be read.
func (s *Store) apply(batch *pebble.Batch) (err error) {
	defer s.survive(&err)
	return batch.Commit(pebble.NoSync)
}

// syncLog makes what was applied durable. Otherwise, the store is broken.
func (s *Store) syncLog() {
	var err error
	defer s.survive(&err)
	if err = s.db.LogData(nil, pebble.Sync); err != nil {
		s.breakDown(docstore.ErrUnavailable, err.Error())
	}
}

// survive is deferred around calls of Pebble that panic where a log can no
// longer be written. To us that is a store that is away.
func (s *Store) survive(err *error) {
	if p := recover(); p != nil {
		s.breakDown(docstore.ErrUnavailable, fmt.Sprint(p))
		*err = s.halted()
	}
}
