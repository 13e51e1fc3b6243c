// Package redisserver gives tests a real Redis server of their own, which they
// may stop, restart and empty at will.
//
// The redis-server on the PATH is started on a free port of this machine and
// keeps nothing on disk. It ends with the test, and with the test program if
// that is killed.
package redisserver

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"ordergraph/test/child"
)

// Required is the environment variable that, set to 1, makes tests fail where
// they would be skipped because there is no redis-server.
const Required = "ORDERGRAPH_REQUIRE_REDIS"

// ErrNone says that there is no server, and how to get one.
var ErrNone = errors.New("no redis-server on the PATH to test with: install Redis 6 or later (Debian: apt install redis-server; macOS: brew install redis)")

// A Server is one redis-server. Its address stays the same over restarts.
type Server struct {
	Addr  string // host:port
	About string // what it is, for people

	program string
	port    int
	process *child.Process // nil while stopped
}

// Start starts a server for the time of the test. Where there is no
// redis-server the test is skipped, or fails if Required is set.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Launch()
	switch {
	case errors.Is(err, ErrNone) && os.Getenv(Required) != "1":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	t.Logf("Redis server: %s", s.About)
	return s
}

// Launch starts a server for a program that is not a test; ErrNone where
// there is no redis-server. Stop ends it.
func Launch() (*Server, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNone
	}
	version, err := exec.Command(program, "--version").Output() // Redis server v=7.0.15 sha=…
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", program, err)
	}
	s := &Server{program: program}
	for _, word := range strings.Fields(string(version)) {
		if number, ok := strings.CutPrefix(word, "v="); ok {
			s.About = "redis-server " + number
		}
	}
	for range 3 { // somebody who does not ask package child may take the port first
		if s.port, err = child.FreePort(); err != nil {
			return nil, err
		}
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func (s *Server) start() error {
	var said strings.Builder
	cmd := exec.Command(s.program, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", os.TempDir(), "--daemonize", "no")
	cmd.Stdout, cmd.Stderr = &said, &said
	process, err := child.Start(cmd)
	if err != nil {
		return fmt.Errorf("%s: %w", s.program, err)
	}
	s.process = process
	for until := time.Now().Add(time.Minute); ; {
		if err = s.command("PING", "+PONG"); err == nil {
			return nil
		}
		select {
		case <-process.Done():
			s.process = nil
			return fmt.Errorf("%s ended: %s", s.program, strings.TrimSpace(said.String()))
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(until) {
			s.Stop()
			return fmt.Errorf("%s does not answer: %w", s.program, err)
		}
	}
}

// Stop kills the server, with all it had in memory. Stopping it twice is fine.
func (s *Server) Stop() {
	if s.process != nil {
		s.process.Kill()
		s.process = nil
	}
}

// Restart starts the server again, empty, on the same port; it is stopped
// first if it runs.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// FlushAll empties the server.
func (s *Server) FlushAll(t testing.TB) {
	t.Helper()
	if err := s.command("FLUSHALL", "+OK"); err != nil {
		t.Fatal(err)
	}
}

// command sends one command of Redis's protocol and compares the answer.
func (s *Server) command(line, want string) error {
	conn, err := net.DialTimeout("tcp", s.Addr, 30*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := fmt.Fprintf(conn, "%s\r\n", line); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && strings.TrimSpace(answer) != want {
		err = fmt.Errorf("redis-server answers %s with %q", line, strings.TrimSpace(answer))
	}
	return err
}
