package docstorelocal

import "github.com/cockroachdb/pebble/v2/vfs"

// OpenOn opens a store on a file system of the test's own.
func OpenOn(fs vfs.FS, dir string, opts ...Option) (*Store, error) { return open(dir, fs, opts) }

// WithMemTable makes a store with few documents behave as one with many.
func WithMemTable(bytes uint64) Option { return func(o *options) { o.memTable = bytes } }
