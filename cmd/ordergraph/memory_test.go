package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGarbageIsBounded(t *testing.T) {
	for alive, want := range map[uint64]int{0: 400, 1 << 20: 400, 48 << 20: 400, 96 << 20: 200, 192 << 20: 100, 384 << 20: 50, 64 << 30: 50} {
		if got := garbagePercent(alive); got != want {
			t.Errorf("%d MB alive: %d %%, want %d %%", alive>>20, got, want)
		}
	}
}

// The percentage follows what is alive, again and again.
func TestMemoryIsTunedAfterEachCollection(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	tuneMemory()
	percent := func() uint64 {
		now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(now)
		return now[0].Value.Uint64()
	}
	reaches := func(what string, ok func(uint64) bool) {
		t.Helper()
		for give := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			runtime.GC()
			if p := percent(); ok(p) {
				return
			} else if time.Now().After(give) {
				t.Fatalf("%s: still %d %%", what, p)
			}
		}
	}
	for range 2 {
		held := make([]byte, 160<<20)
		reaches("much is alive", func(p uint64) bool { return p < 200 })
		runtime.KeepAlive(held)
		reaches("little is alive", func(p uint64) bool { return p == mostGarbage })
	}
}
