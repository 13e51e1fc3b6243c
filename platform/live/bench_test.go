package live_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"ordergraph/platform/live"
	"ordergraph/test/redisserver"
)

// BenchmarkChange is one change of one thing on its way from the bell through
// Redis to its only watcher; a hundred are on their way at a time.
func BenchmarkChange(b *testing.B) {
	k := newKitchen(b, redisserver.Start(b).Addr, patient).connected()
	names := keys(100)
	all := k.watchMany(names)
	k.putAll(names, all)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(names) {
		k.putAll(names, all)
	}
}

// BenchmarkWatcher is the memory that one watcher of a thing of its own takes.
func BenchmarkWatcher(b *testing.B) {
	k := newKitchen(b, redisserver.Start(b).Addr, patient).connected()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	contexts := make([]context.Context, b.N) // a socket has one for each subscription, whoever feeds it
	streams := make([]*live.Stream[*mug], b.N)
	names := make([]string, b.N)
	load := k.load("same", "")
	k.putQuietly("same")
	for i := range b.N {
		names[i] = fmt.Sprintf("0198f2a4-%04x-7000-8000-%012x", i%65536, i)
		k.putQuietly(names[i])
		c, stop := context.WithCancel(ctx)
		defer stop()
		contexts[i] = c
	}
	size := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := size()
	b.ResetTimer()
	for i := range b.N {
		var err error
		if streams[i], err = k.mug.Watch(contexts[i], live.Watch[*mug]{Key: names[i], Load: load}); err != nil {
			b.Fatal(err)
		}
		<-streams[i].C()
	}
	b.StopTimer()
	eventually(b, "all are listened for", func() bool { return k.asked.Load() >= int64(b.N) })
	b.ReportMetric(float64(size()-before)/float64(b.N), "B/watcher")
	runtime.KeepAlive(streams)
}
