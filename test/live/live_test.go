package main

import (
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/test/redisserver"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

// TestEveryMessageArrives keeps the benchmark from rotting. What it measures
// is shown and not judged: machines differ.
func TestEveryMessageArrives(t *testing.T) {
	server := redisserver.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	l := load{sockets: 50, rate: 200, length: 2 * time.Second, rounds: 2}
	all := newOrders(l.sockets)
	ours, err := startGateway(t.Context(), shop.Program(t), "", client, "redis://"+server.Addr, all)
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), ours, all, l)
	ours.stop()
	if err != nil {
		t.Fatalf("%v; the gateway wrote:\n%s", err, ours.said.text())
	}
	if want := int64(l.rate) * int64(l.length/time.Second); r.changes != want {
		t.Errorf("%d changes were made of %d", r.changes, want)
	}
	if r.missing > 0 || r.events+r.folded != r.changes {
		t.Errorf("of %d changes %d came as events and %d within a later one; %d clients are behind", r.changes, r.events, r.folded, r.missing)
	}
	if len(r.tellAll) != l.rounds {
		t.Errorf("all were told %d times of %d", len(r.tellAll), l.rounds)
	}
	if more := r.after.goroutines - r.before.goroutines; more > slack {
		t.Errorf("%d goroutines stayed when all had left", more)
	}
	report(t.Output(), l, []result{r})
}
