package docstorelocal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
)

// A ledger writes down, for every file of the store, how many bytes of it are
// durable and their checksum. Pebble alone takes a damaged end of its log, a
// missing log or a shortened manifest for the traces of a crash, and goes on
// without what they held; with the ledger such damage is told from a crash,
// because what was acknowledged stands in it.
//
// It is kept by standing between Pebble and the file system. A file enters
// when its directory entry is durable, what is synced is noted before the
// sync is answered, and a file leaves before it is removed. So every line of
// the ledger is true at every moment, also after a power failure, when the
// ledger itself may be a little older than the files.
//
// When something cannot be written, the store is broken: it answers
// ErrUnavailable to everything until it is opened again, and its files stay as
// they are. Pebble, which ends the process or waits for ever in such a case,
// is not told; it goes on writing, into the void.
//
// The file is an array of lines of 128 bytes, which no sector boundary cuts:
// the first says how many there are, an empty one is all zeros.
type ledger struct {
	vfs.FS
	dir    string
	failed func(what string, _ error) // breaks the store
	lost   atomic.Bool                // the store is broken: its files stay as they are
	void   vfs.FS                     // and what Pebble still writes goes here

	mu    sync.Mutex
	file  vfs.File
	files map[string]*fileState
	free  []int64 // empty lines
	lines int64
}

// fileState is what is known of one file.
type fileState struct {
	name     string
	line     int64  // 0: not in the ledger
	length   int64  // durable bytes
	sum      uint32 // and their checksum
	anchored bool   // its directory entry is durable
}

const (
	ledgerName = "LEDGER"
	holderName = "HOLDER"
	lockName   = "LOCK"
	logSuffix  = ".log"

	lineSize    = 128
	nameAt      = 16 // in a line: length of the file, checksum, length of the name, name
	mostName    = lineSize - 4 - nameAt
	ledgerMagic = "ordergraph documents 1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encodeLine writes a line; its last four bytes are its own checksum.
func encodeLine(name string, length int64, sum uint32) []byte {
	line := make([]byte, lineSize)
	binary.LittleEndian.PutUint64(line, uint64(length))
	binary.LittleEndian.PutUint32(line[8:], sum)
	line[12] = byte(len(name))
	copy(line[nameAt:], name)
	binary.LittleEndian.PutUint32(line[lineSize-4:], crc32.Checksum(line[:lineSize-4], castagnoli))
	return line
}

func decodeLine(line []byte) (name string, length int64, sum uint32, ok bool) {
	if len(line) < lineSize || binary.LittleEndian.Uint32(line[lineSize-4:]) != crc32.Checksum(line[:lineSize-4], castagnoli) || line[12] > mostName {
		return "", 0, 0, false
	}
	return string(line[nameAt : nameAt+int(line[12])]), int64(binary.LittleEndian.Uint64(line)), binary.LittleEndian.Uint32(line[8:]), true
}

// openLedger opens the ledger of the store in dir and checks all files
// against it, or begins one where there is no store yet.
func openLedger(fs vfs.FS, dir string) (*ledger, error) {
	l := &ledger{FS: fs, dir: dir, files: map[string]*fileState{}, void: vfs.NewMem()}
	if err := l.void.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	names, err := fs.List(dir)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, ledgerName) {
		for _, name := range names {
			if name != lockName && name != holderName && name != ledgerName+".new" {
				return nil, fmt.Errorf("%w: there is %s, but no %s", docstore.ErrDamaged, name, ledgerName)
			}
		}
		if err := l.begin(); err != nil {
			return nil, err
		}
	}
	if l.file, err = fs.OpenReadWrite(l.path(ledgerName), vfs.WriteCategoryUnspecified); err != nil {
		return nil, err
	}
	if err := l.check(); err != nil {
		return nil, errors.Join(err, l.file.Close())
	}
	return l, nil
}

func (l *ledger) path(name string) string { return l.FS.PathJoin(l.dir, name) }

// begin makes an empty ledger, whole or not at all.
func (l *ledger) begin() error {
	f, err := l.FS.Create(l.path(ledgerName+".new"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	const lines = 64
	_, err = f.Write(append(encodeLine(ledgerMagic, lines, 0), make([]byte, (lines-1)*lineSize)...))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := l.FS.Rename(l.path(ledgerName+".new"), l.path(ledgerName)); err != nil {
		return err
	}
	d, err := l.FS.OpenDir(l.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// check reads the ledger and every file in it.
func (l *ledger) check() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	all := make([]byte, info.Size())
	if n, err := l.file.ReadAt(all, 0); n < len(all) {
		return fmt.Errorf("%w: %s: %v", docstore.ErrDamaged, ledgerName, err)
	}
	magic, lines, _, ok := decodeLine(all)
	if !ok || magic != ledgerMagic || int64(len(all)) < lines*lineSize {
		return fmt.Errorf("%w: %s is not as it was written", docstore.ErrDamaged, ledgerName)
	}
	l.lines = lines
	empty := make([]byte, lineSize)
	for n := lines - 1; n > 0; n-- {
		line := all[n*lineSize:][:lineSize]
		if bytes.Equal(line, empty) {
			l.free = append(l.free, n)
			continue
		}
		name, length, sum, ok := decodeLine(line)
		if !ok || l.files[name] != nil {
			return fmt.Errorf("%w: %s is not as it was written, at line %d", docstore.ErrDamaged, ledgerName, n)
		}
		l.files[name] = &fileState{name: name, line: n, length: length, sum: sum, anchored: true}
	}
	var readers errgroup.Group
	readers.SetLimit(4)
	for _, f := range l.files {
		readers.Go(func() error { return l.checkFile(f) })
	}
	return readers.Wait()
}

func (l *ledger) checkFile(f *fileState) error {
	file, err := l.FS.Open(l.path(f.name), vfs.SequentialReadsOption)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s is missing", docstore.ErrDamaged, f.name)
	} else if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, io.LimitReader(file, f.length), make([]byte, min(f.length+1, 1<<20)))
	err = errors.Join(err, file.Close())
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s cannot be read: %v", docstore.ErrDamaged, f.name, err)
	case n < f.length:
		return fmt.Errorf("%w: %s has %d bytes of %d", docstore.ErrDamaged, f.name, n, f.length)
	case sum.Sum32() != f.sum:
		return fmt.Errorf("%w: %s is not as it was written", docstore.ErrDamaged, f.name)
	}
	return nil
}

// close releases the ledger when Pebble is closed.
func (l *ledger) close() error {
	return errors.Join(l.file.Sync(), l.file.Close())
}

// note writes the file's line. l.mu is held.
func (l *ledger) note(f *fileState) error {
	if f.line == 0 {
		if len(f.name) > mostName {
			return fmt.Errorf("file name %s is too long for the ledger", f.name)
		}
		if len(l.free) == 0 {
			if err := l.grow(); err != nil {
				return err
			}
		}
		f.line = l.free[len(l.free)-1]
		l.free = l.free[:len(l.free)-1]
	}
	_, err := l.file.WriteAt(encodeLine(f.name, f.length, f.sum), f.line*lineSize)
	return err
}

// grow doubles the ledger: first the room, then the line that says so.
func (l *ledger) grow() error {
	if _, err := l.file.WriteAt(make([]byte, l.lines*lineSize), l.lines*lineSize); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	if _, err := l.file.WriteAt(encodeLine(ledgerMagic, 2*l.lines, 0), 0); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	for n := 2*l.lines - 1; n >= l.lines; n-- {
		l.free = append(l.free, n)
	}
	l.lines *= 2
	return nil
}

// forget takes the file out, durably, before it is removed or given another
// name. l.mu is held.
func (l *ledger) forget(name string) error {
	f := l.files[name]
	delete(l.files, name)
	if f == nil || f.line == 0 {
		return nil
	}
	if _, err := l.file.WriteAt(make([]byte, lineSize), f.line*lineSize); err != nil {
		return err
	}
	l.free = append(l.free, f.line)
	f.line = 0
	return l.file.Sync()
}

// begun follows a file that was just created, or taken anew with so many bytes
// in it.
func (l *ledger) begun(path string, file vfs.File, size int64) vfs.File {
	f := &fileState{name: l.FS.PathBase(path)}
	l.files[f.name] = f
	return &ledgerFile{File: file, ledger: l, state: f, isLog: strings.HasSuffix(path, logSuffix), size: size}
}

// give breaks the store if err is not nil, and reports whether it is broken.
func (l *ledger) give(what string, err error) (lost bool) {
	if err != nil {
		l.failed(what, err) // before anything is pretended
		l.lost.Store(true)
	}
	return l.lost.Load()
}

func (l *ledger) Create(path string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(l.FS.PathBase(path), "marker.") {
		// Pebble trusts the file system to keep the order of new names. Not
		// every one does, and a marker must not outlive what it points to.
		d, err := l.OpenDir(l.dir)
		if err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
		if err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var file vfs.File
	err := error(nil)
	if !l.lost.Load() {
		if err = l.forget(l.FS.PathBase(path)); err == nil {
			file, err = l.FS.Create(path, category)
		}
	}
	if l.give(path, err) {
		return l.void.Create(path, category)
	}
	return l.begun(path, file, 0), nil
}

func (l *ledger) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var file vfs.File
	var info vfs.FileInfo
	err := error(nil)
	if !l.lost.Load() {
		if err = errors.Join(l.forget(l.FS.PathBase(from)), l.forget(l.FS.PathBase(to))); err == nil {
			if file, err = l.FS.ReuseForWrite(from, to, category); err == nil {
				info, err = file.Stat()
			}
		}
	}
	if l.give(to, err) {
		return l.void.Create(to, category)
	}
	return l.begun(to, file, info.Size()), nil
}

func (l *ledger) Rename(from, to string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := error(nil)
	if !l.lost.Load() {
		f := l.files[l.FS.PathBase(from)]
		err = errors.Join(l.forget(l.FS.PathBase(from)), l.forget(l.FS.PathBase(to)))
		if err == nil {
			err = l.FS.Rename(from, to)
		}
		if err == nil && f != nil {
			f.name, f.anchored = l.FS.PathBase(to), false
			l.files[f.name] = f
		}
	}
	if l.give(to, err) {
		_ = l.void.Rename(from, to)
	}
	return nil
}

func (l *ledger) Remove(path string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost.Load() {
		return nil
	}
	if err := l.forget(l.FS.PathBase(path)); l.give(path, err) {
		return nil
	}
	return l.FS.Remove(path)
}

func (l *ledger) Open(path string, opts ...vfs.OpenOption) (vfs.File, error) {
	if l.lost.Load() {
		if file, err := l.void.Open(path, opts...); err == nil {
			return file, nil
		}
	}
	return l.FS.Open(path, opts...)
}

func (l *ledger) Stat(path string) (vfs.FileInfo, error) {
	if l.lost.Load() {
		if info, err := l.void.Stat(path); err == nil {
			return info, nil
		}
	}
	return l.FS.Stat(path)
}

func (l *ledger) OpenDir(path string) (vfs.File, error) {
	d, err := l.FS.OpenDir(path)
	if err != nil || path != l.dir {
		return d, err
	}
	return &ledgerDir{d, l}, nil
}

func (l *ledger) Unwrap() vfs.FS { return l.FS }

// ledgerDir is the store's directory. When it is synced, the files in it enter
// the ledger.
type ledgerDir struct {
	vfs.File
	ledger *ledger
}

func (d *ledgerDir) Sync() error {
	if !d.ledger.lost.Load() {
		d.ledger.give("the directory", d.ledger.anchor(d.File))
	}
	return nil
}

func (l *ledger) anchor(dir vfs.File) error {
	l.mu.Lock()
	var fresh []*fileState
	for _, f := range l.files {
		if !f.anchored {
			fresh = append(fresh, f)
		}
	}
	l.mu.Unlock()
	if err := dir.Sync(); err != nil || len(fresh) == 0 {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range fresh {
		if l.files[f.name] == f { // neither removed nor renamed meanwhile
			f.anchored = true
			if err := l.note(f); err != nil {
				return err
			}
		}
	}
	return l.file.Sync()
}

// ledgerFile is a file that is being written, always at its end.
type ledgerFile struct {
	vfs.File
	ledger  *ledger
	state   *fileState
	written int64
	sum     uint32
	isLog   bool
	size    int64 // of a log: bytes that are there already, written or not
}

// zeros is what a log is made of before it is written.
var zeros [256 << 10]byte

// makeRoom fills a log with zeros ahead of the n bytes that are now written to
// it. Syncing bytes that take the place of others costs a file system half the
// CPU, and a quarter less time, than syncing a file that grows, preallocated or
// not, since nothing is to be noted of the file itself.
func (f *ledgerFile) makeRoom(n int) {
	for f.written+int64(n) > f.size {
		more := min(max(f.size, 32<<10), int64(len(zeros)))
		if _, err := f.File.WriteAt(zeros[:more], f.size); err != nil {
			f.isLog = false // a full disk may have room for what is written itself
			return
		}
		f.size += more
	}
}

func (f *ledgerFile) Write(p []byte) (int, error) {
	if f.ledger.lost.Load() {
		return len(p), nil
	}
	if f.isLog {
		f.makeRoom(len(p))
	}
	f.sum = crc32.Update(f.sum, castagnoli, p) // before: Write may change p
	n, err := f.File.Write(p)
	f.written += int64(n)
	f.ledger.give(f.state.name, err)
	return len(p), nil
}

func (f *ledgerFile) Sync() error     { return f.synced(f.File.Sync) }
func (f *ledgerFile) SyncData() error { return f.synced(f.File.SyncData) }

func (f *ledgerFile) synced(sync func() error) error {
	if f.ledger.lost.Load() {
		return nil
	}
	err := sync()
	if err == nil {
		f.ledger.mu.Lock()
		f.state.length, f.state.sum = f.written, f.sum
		if f.state.anchored {
			err = f.ledger.note(f.state)
		}
		f.ledger.mu.Unlock()
	}
	f.ledger.give(f.state.name, err)
	return nil
}

// Preallocate and SyncTo only make writing faster, or not. Pebble preallocates
// its logs, and those have room made for them.
func (f *ledgerFile) Preallocate(int64, int64) error { return nil }

func (f *ledgerFile) SyncTo(length int64) (fullSync bool, err error) {
	if f.ledger.lost.Load() {
		return false, nil
	}
	_, err = f.File.SyncTo(length)
	f.ledger.give(f.state.name, err)
	return false, nil
}
