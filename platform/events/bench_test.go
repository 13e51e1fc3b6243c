package events_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/test/redisserver"
)

// What an outbox adds to every write of its document: the fact comes, the
// document is written and read, two listeners confirm.
func BenchmarkOutbox(b *testing.B) {
	b.ReportAllocs()
	now := time.Now()
	for i := range b.N {
		var d thing
		id := fmt.Sprintf("thing:%d:counted", i)
		d.Outbox.Add(now, events.Fact{ID: id, Type: "counted", Doc: "thing", Key: "thing", At: now}, "one", "two")
		for _, group := range []string{"one", "two"} {
			raw, err := bson.Marshal(&d)
			if err != nil {
				b.Fatal(err)
			}
			d = thing{}
			if err := bson.Unmarshal(raw, &d); err != nil {
				b.Fatal(err)
			}
			if !d.Outbox.Confirm(id, group) {
				b.Fatal("it was not there")
			}
		}
	}
}

// A fact's whole way: written, rung over a Redis server, taken by two
// listeners, and out of its outbox.
func BenchmarkFact(b *testing.B) {
	w := newWorld(b, redisserver.Start(b).Addr)
	var one, two ears
	w.listen("one", one.hear)
	w.listen("two", two.hear)
	w.count("thing-0")
	w.eventually(w.settled)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		w.count(fmt.Sprintf("thing-%d", i%200))
	}
	w.eventually(w.settled)
}

// The facts of 2,000 orders, as many documents, come within some seconds and
// are taken by three listeners: at once, a little later, and seconds behind.
// The figures are of each fact: how often it was rung, how often its document
// was written besides the write that told of it, and what all of it took of
// the processor, here and in the Redis server.
func BenchmarkFactsOfARush(b *testing.B) {
	const orders = 2000
	var took, redis, wrote, rung float64
	for range b.N {
		w := newWorld(b, redisserver.Start(b).Addr)
		for group, takes := range map[string]time.Duration{"one": 0, "two": 5 * time.Millisecond, "three": 50 * time.Millisecond} {
			w.listen(group, func(ctx context.Context, _ events.Fact) error {
				time.Sleep(takes)
				return nil
			})
		}
		before := processor(b)
		for i := range orders {
			w.countFor(fmt.Sprintf("thing-%d", i), "one", "two", "three")
			time.Sleep(time.Millisecond)
		}
		for w.settled() != nil {
			time.Sleep(time.Second)
		}
		took += float64((processor(b) - before).Microseconds())
		for d, err := range w.things.All(w.ctx, docstore.Query{}) {
			if err != nil {
				b.Fatal(err)
			}
			wrote += float64(d.Version - d.Count)
		}
		rung += w.rung()
		for line := range strings.SplitSeq(w.client.Info(w.ctx, "cpu").Val(), "\r\n") {
			if name, seconds, _ := strings.Cut(line, ":"); name == "used_cpu_user" || name == "used_cpu_sys" {
				s, err := strconv.ParseFloat(seconds, 64)
				if err != nil {
					b.Fatal(err)
				}
				redis += 1e6 * s
			}
		}
		w.stop()
	}
	facts := float64(b.N * orders)
	b.ReportMetric(rung/facts, "rings/fact")
	b.ReportMetric(wrote/facts, "writes/fact")
	b.ReportMetric(took/facts, "cpu-µs/fact")
	b.ReportMetric(redis/facts, "redis-µs/fact")
	b.ReportMetric(0, "ns/op")
}

// processor is how long this process had one.
func processor(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
