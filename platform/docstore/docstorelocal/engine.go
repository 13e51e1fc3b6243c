package docstorelocal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ordergraph/platform/docstore"
)

// settings are how this store uses Pebble. The newest format lets Pebble tell a
// torn end of its log from a damaged one; bloom filters spare looking for new
// ids in every level.
func (s *Store) settings(fs vfs.FS) *pebble.Options {
	o := &pebble.Options{
		FS:                 fs,
		FormatMajorVersion: pebble.FormatNewest,
		CacheSize:          64 << 20,
		MemTableSize:       s.memTable,
		Logger:             engineLog{s},
	}
	listener := pebble.EventListener{
		BackgroundError: func(err error) { s.log.Error("The local store cannot work in the background.", "error", err) },
		DataCorruption:  func(info pebble.DataCorruptionInfo) { s.breakDown(docstore.ErrDamaged, info.String()) },
	}
	o.EventListener = &listener
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return block.FastestCompression }
	}
	return o
}

// breakDown makes every further operation answer err, and leaves the files as
// they are.
func (s *Store) breakDown(err error, why string) {
	err = fmt.Errorf("%w: %s", err, why)
	if s.broken.CompareAndSwap(nil, &err) {
		s.log.Error("The local store has broken down.", "error", err)
	}
	s.ledger.lost.Store(true)
}

// engineLog is what Pebble logs to.
type engineLog struct{ s *Store }

func (l engineLog) Infof(format string, args ...any) {
	if l.s.log.Enabled(context.Background(), slog.LevelDebug-4) {
		l.s.log.Log(context.Background(), slog.LevelDebug-4, fmt.Sprintf(format, args...))
	}
}

func (l engineLog) Errorf(format string, args ...any) {
	l.s.log.Error("The local store's engine reports an error.", "error", fmt.Sprintf(format, args...))
}

func (l engineLog) Fatalf(format string, args ...any) {
	l.s.breakDown(docstore.ErrUnavailable, fmt.Sprintf(format, args...))
}

// openEngine is pebble.Open, which on some kinds of damage panics.
func openEngine(dir string, settings *pebble.Options) (db *pebble.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", docstore.ErrDamaged, p)
		}
	}()
	db, err = pebble.Open(dir, settings)
	if err != nil && !fromSystem(err) {
		// Everything that Pebble refuses, it refuses for what is in the files.
		err = fmt.Errorf("%w: %v", docstore.ErrDamaged, err)
	}
	return db, err
}

// fromSystem tells an error of the operating system, such as a full disk.
func fromSystem(err error) bool {
	if errors.Is(err, os.ErrNotExist) {
		return false // a file that ought to be there
	}
	_, path := errors.AsType[*os.PathError](err)
	_, call := errors.AsType[syscall.Errno](err)
	return path || call
}

// closeEngine closes Pebble, which on a broken store panics.
func closeEngine(db *pebble.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", docstore.ErrUnavailable, p)
		}
	}()
	return db.Close()
}
