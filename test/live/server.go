package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"ordergraph/test/child"
)

// A server is what is measured.
type server interface {
	// address is where it takes sockets.
	address() string
	// ring tells it that an order has changed.
	ring(ctx context.Context, w *watched) error
	// usage is what it takes of the machine, after a garbage collection.
	usage(ctx context.Context) (usage, error)
	// cpu is the processor time that it has used so far.
	cpu() time.Duration
	stop()
}

// usage is what a server has in hand.
type usage struct {
	live       int64 // bytes of objects that the program can still reach, and of stacks
	resident   int64 // bytes in the machine's memory
	goroutines int   // 0: it has none
}

// A program is a server that runs as a process of its own.
type program struct {
	process *child.Process
	pid     int
	said    output
	log     string // kept here when it ends; "" keeps nothing
}

// launch starts a program that is there when ready says so.
func launch(ctx context.Context, cmd *exec.Cmd, log string, ready func() error) (*program, error) {
	p := &program{log: log}
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	var err error
	if p.process, err = child.Start(cmd); err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	err = settle(ctx, func() bool {
		select {
		case <-p.process.Done():
			return true
		default:
			return ready() == nil
		}
	})
	select {
	case <-p.process.Done():
		err = errors.New("it ended")
	default:
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w: %s", cmd.Args[0], err, p.said.text())
	}
	return p, nil
}

func (p *program) stop() {
	p.process.Stop(2 * patience)
	if p.log != "" {
		_ = os.WriteFile(p.log, []byte(p.said.text()), 0o600)
	}
}

// cpu is the processor time of the process (Linux).
func (p *program) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// resident is the process's memory, in bytes (Linux).
func (p *program) resident() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
	return kb << 10
}

// output keeps what a program writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func get(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", url, resp.Status, body)
	}
	return body, err
}
