package events_test

import (
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

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
