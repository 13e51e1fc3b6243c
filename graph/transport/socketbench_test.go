package transport_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkSocketEvents is one event over one socket, executed and read.
func BenchmarkSocketEvents(b *testing.B) {
	h := openSockets(b, nil)
	h.events = b.N
	conn := h.raw(b, true)
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, subscribed("a")); err != nil {
		b.Fatal(err)
	}
	h.watchers(b, "a", 1)
	const event = `{"id":"1","type":"next","payload":{"data":{"watch":"an event"}}}`
	h.each("a", func(s *source) {
		for range b.N {
			s.ch <- "an event"
		}
		b.ReportAllocs()
		b.ResetTimer()
		s.signal.Fire()
	})
	if _, err := io.CopyN(io.Discard, conn, int64(b.N)*int64(2+len(event))); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// crowdVariable makes the test binary a crowd of clients, for
// BenchmarkSocketMemory: where to connect to, and how many.
const crowdVariable = "SOCKET_CROWD"

// BenchmarkSocketMemory is what a connection with two subscriptions takes at
// rest. The clients are a process of their own.
func BenchmarkSocketMemory(b *testing.B) {
	const clients = 2_000
	h := openSockets(b, nil)
	for range b.N {
		memory, goroutines, resident := heapAndStacks(), runtime.NumGoroutine(), residentBytes(b)
		crowd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestSocketCrowd$")
		crowd.Env = append(os.Environ(), crowdVariable+"="+h.URL+" "+strconv.Itoa(clients))
		crowd.Stderr = os.Stderr
		in, err := crowd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := crowd.Start(); err != nil {
			b.Fatal(err)
		}
		h.watchers(b, "a", clients)
		h.watchers(b, "b", clients)
		for range 3 { // as if it had been at work for a while
			h.publish("a", strings.Repeat("x", 1000))
			h.publish("b", strings.Repeat("x", 1000))
			h.each("a", func(s *source) { eventually(b, "all is sent", func() bool { return len(s.ch) == 0 }) })
			h.each("b", func(s *source) { eventually(b, "all is sent", func() bool { return len(s.ch) == 0 }) })
		}
		b.ReportMetric(float64(heapAndStacks()-memory)/clients, "B/conn")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/clients, "goroutines/conn")
		b.ReportMetric(float64(residentBytes(b)-resident)/clients, "resident-B/conn")
		_ = in.Close()
		if err := crowd.Wait(); err != nil {
			b.Fatal(err)
		}
		eventually(b, "all have left", func() bool { return h.Connections() == 0 })
	}
}

func heapAndStacks() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// residentBytes is what the process has of the machine's memory.
func residentBytes(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("this machine does not say how much memory a process has")
	}
	var all, resident int64
	if _, err := fmt.Sscan(string(text), &all, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}

// TestSocketCrowd is no test but the clients of BenchmarkSocketMemory.
func TestSocketCrowd(t *testing.T) {
	url, count, ok := strings.Cut(os.Getenv(crowdVariable), " ")
	if !ok {
		t.Skip("nobody asked for a crowd")
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		t.Fatal(err)
	}
	h := &socketHouse{URL: url}
	for range n {
		conn := h.raw(t, true)
		_, _ = io.WriteString(conn, subscribed("a")+strings.Replace(subscribed("b"), `"id":"1"`, `"id":"2"`, 1))
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
	_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
}
