package docstorelocal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ordergraph/platform/docstore"
)

// hold takes the directory for this process and leaves a note who has it. The
// operating system gives the lock back when the process ends, however it
// ends; a note that is left over does no harm.
func hold(fs vfs.FS, dir string) (*pebble.Lock, error) {
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	note := fs.PathJoin(dir, holderName)
	lock, err := pebble.LockDirectory(dir, fs)
	if err != nil {
		if errors.Is(err, os.ErrPermission) && !exists(fs, fs.PathJoin(dir, lockName)) {
			return nil, err
		}
		who := "another process"
		if f, err := fs.Open(note); err == nil {
			text, _ := io.ReadAll(io.LimitReader(f, 300))
			_ = f.Close()
			if len(text) > 0 {
				who = strings.TrimSpace(string(text))
			}
		}
		return nil, fmt.Errorf("%w: %s has it (%v); stop that process, or give this one a directory of its own", docstore.ErrHeld, who, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	f, err := fs.Create(note, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	_, err = fmt.Fprintf(f, "process %d on %s, since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func exists(fs vfs.FS, path string) bool {
	_, err := fs.Stat(path)
	return err == nil
}
