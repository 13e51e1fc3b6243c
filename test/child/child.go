// Package child runs the servers that tests need as programs of their own,
// and sees to it that none is left behind: a child ends with the program that
// started it, even when that one is killed.
package child

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts cmd. On Linux the kernel ends it together with this program.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel goes by the thread that started the child, not by the
		// process: so the thread stays until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		endWithParent(cmd)
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended, once it has: nil for exit status 0.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Kill ends the child at once, as a power cut would, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks the child to end, and kills it if it has not within patience.
func (p *Process) Stop(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.Kill()
	}
}

// kept are the UDP ports by which this program keeps TCP ports for its children.
var kept struct {
	sync.Mutex
	ports []net.PacketConn
}

// FreePort is a TCP port of the loopback address for a child to listen on, now
// and after every restart. Nobody listens on it, the system does not give it
// to outgoing connections, and nobody else who asks here gets it as long as
// this program runs: whoever has the UDP port of that number has it.
func FreePort() (int, error) {
	const first, beyond = 15_000, 32_000 // outgoing connections begin at 32,768 or above
	var last error
	for range 1_000 {
		port := first + rand.N(beyond-first)
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		keep, err := net.ListenPacket("udp", addr)
		if err != nil {
			last = err
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			_ = keep.Close()
			last = err
			continue
		}
		_ = l.Close()
		kept.Lock()
		kept.ports = append(kept.ports, keep)
		kept.Unlock()
		return port, nil
	}
	return 0, fmt.Errorf("no free port: %w", last)
}
