package live_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/live"
	"ordergraph/test/child"
	"ordergraph/test/redisserver"
)

// watchMany watches keys and sees them as they are.
func (k *kitchen) watchMany(names []string) []*watcher {
	k.t.Helper()
	all := make([]*watcher, len(names))
	for i, name := range names {
		k.putQuietly(name)
		all[i] = k.watch(name, "ada", 0)
		all[i].reaches(1)
	}
	return all
}

func (k *kitchen) putAll(names []string, all []*watcher) {
	k.t.Helper()
	want := make([]int64, len(names))
	for i, name := range names {
		want[i] = k.put(name)
	}
	for i, w := range all {
		w.reaches(want[i])
	}
}

func TestRedisIsEmptied(t *testing.T) {
	server := redisserver.Start(t)
	k := newKitchen(t, server.Addr, patient).connected()
	names := keys(50)
	all := k.watchMany(names)
	server.FlushAll(t)
	k.putAll(names, all)
}

// The connection that listens is cut again and again while things change.
func TestTheConnectionIsCut(t *testing.T) {
	server := redisserver.Start(t)
	o := patient
	o.Poll = hasty.Poll // between two connections
	k := newKitchen(t, server.Addr, o).connected()
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	names := keys(50)
	all := k.watchMany(names)
	for round := range 10 {
		for i, name := range names {
			k.put(name)
			if i == 5*round {
				if err := client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "PUBSUB").Err(); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, w := range all {
			w.reaches(int64(round) + 2)
		}
	}
	k.connected()
	k.putAll(names, all)
}

func TestRedisIsAwayAndComesBack(t *testing.T) {
	server := redisserver.Start(t)
	o := hasty // a ring may still get lost when Redis is just back
	k := newKitchen(t, server.Addr, o).connected()
	names := keys(50)
	all := k.watchMany(names)
	server.Stop()
	k.putAll(names, all) // found by polling
	late := k.watch(names[0], "ada", 0)
	late.reaches(2)
	server.Restart(t)
	k.connected()
	k.putAll(names, all)
	late.reaches(3)
}

// What changed while Redis was away is asked for when it is back, without any
// polling meanwhile.
func TestWhatChangedMeanwhileIsAskedFor(t *testing.T) {
	server := redisserver.Start(t)
	k := newKitchen(t, server.Addr, patient).connected()
	names := keys(700)
	all := k.watchMany(names)
	server.Stop()
	eventually(t, "the hub notices", func() bool { return !k.hub.Stats().Connected })
	for _, name := range names {
		k.putQuietly(name)
	}
	server.Restart(t)
	for _, w := range all {
		w.reaches(2)
	}
}

func TestRedisIsNotThereAtTheStart(t *testing.T) {
	server := redisserver.Start(t)
	server.Stop()
	o := hasty // a ring may still get lost when Redis is just back
	k := newKitchen(t, server.Addr, o)
	names := keys(10)
	all := k.watchMany(names)
	k.putAll(names, all)
	server.Restart(t)
	k.connected()
	k.putAll(names, all)
}

func TestWithoutRedis(t *testing.T) {
	c := &cupboard{mugs: map[string]int64{}}
	hub := live.NewHub(hasty)
	k := &kitchen{cupboard: c, t: t, hub: hub, mug: live.NewTopic[*mug](hub, "mug", c.versions)}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- hub.Run(ctx) }()
	defer func() { stop(); <-ended }()
	names := keys(10)
	all := k.watchMany(names)
	k.putAll(names, all)
}

// A process that dies between its write and its ring leaves a change that
// nobody heard of.
func TestALostRingIsFound(t *testing.T) {
	o := patient
	o.Sweep = hasty.Sweep
	k := newKitchen(t, miniredis.RunT(t).Addr(), o).connected()
	names := keys(1200)
	all := k.watchMany(names)
	for _, name := range names {
		k.putQuietly(name)
	}
	for _, w := range all {
		w.reaches(2)
	}
}

// What is left and watched again at once is heard of all the same.
func TestLeftAndWatchedAgain(t *testing.T) {
	servers(t, func(t *testing.T, addr string) {
		k := newKitchen(t, addr, patient).connected()
		k.putQuietly("a")
		last := int64(0)
		for range 300 {
			w := k.watch("a", "ada", last)
			w.reaches(k.put("a"))
			last = w.last
			w.stop()
		}
		eventually(t, "all have left", func() bool { return k.hub.Stats().Streams == 0 })
		w := k.watch("a", "ada", last)
		for range 20 {
			w.reaches(k.put("a"))
		}
	})
}

// A server is replaced by one that does not know sharded pub/sub, and back.
func TestRedisIsReplacedByAnotherVersion(t *testing.T) {
	server := redisserver.Start(t)
	k := newKitchen(t, server.Addr, patient).connected()
	names := keys(10)
	all := k.watchMany(names)
	k.putAll(names, all)
	for range 2 {
		server.Stop()
		eventually(t, "the hub notices", func() bool { return !k.hub.Stats().Connected })
		old := miniredis.NewMiniRedis()
		if err := old.StartAddr(server.Addr); err != nil {
			t.Skip("the port was taken meanwhile: ", err)
		}
		k.connected()
		k.settled(names, all)
		k.putAll(names, all)
		old.Close()
		eventually(t, "the hub notices", func() bool { return !k.hub.Stats().Connected })
		server.Restart(t)
		k.connected()
		k.settled(names, all)
		k.putAll(names, all)
	}
}

// settled waits until the bell rings and the hub hears, after a time without.
func (k *kitchen) settled(names []string, all []*watcher) {
	k.t.Helper()
	for i, w := range all {
		eventually(k.t, "a notice arrives", func() bool {
			want := k.put(names[i])
			for range 50 {
				if w.stream.Ready() {
					w.reaches(want)
					return true
				}
				time.Sleep(2 * time.Millisecond)
			}
			return false
		})
	}
}

// One server that is a whole cluster: all slots, sharded pub/sub, sixteen lines.
func TestRedisCluster(t *testing.T) {
	addr := startCluster(t)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}})
	t.Cleanup(func() { _ = client.Close() })
	k := openKitchen(t, client, patient).connected()
	names := keys(200)
	all := k.watchMany(names)
	k.putAll(names, all)
	channels, err := client.PubSubShardChannels(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	lanes := map[string]int{}
	for _, name := range channels {
		lane, _, _ := strings.Cut(name, "}")
		lanes[lane]++
	}
	if len(channels) != 200+16 || len(lanes) != 16 {
		t.Errorf("%d channels in %d lanes: %v", len(channels), len(lanes), lanes)
	}
	if ordinary, err := client.PubSubChannels(t.Context(), "*").Result(); err != nil || slices.ContainsFunc(ordinary, func(n string) bool { return strings.HasPrefix(n, "live:") }) {
		t.Errorf("channels that are not sharded: %v, %v", ordinary, err)
	}
	if err := client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "PUBSUB").Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		k.putQuietly(name)
	}
	for _, w := range all {
		w.reaches(3)
	}
	k.connected()
	for _, w := range all {
		w.stop()
	}
	eventually(t, "nobody listens any more", func() bool {
		channels, err := client.PubSubShardChannels(t.Context(), "*").Result()
		return err == nil && len(channels) == 16
	})
}

func startCluster(t *testing.T) string {
	t.Helper()
	redisserver.Start(t) // skips, or fails, where there is no server
	port, err := child.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	p := strconv.Itoa(port)
	process, err := child.Start(exec.Command("redis-server", "--port", p, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
		"--cluster-enabled", "yes", "--cluster-port", clusterPort(t), "--cluster-announce-ip", "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
	addr := net.JoinHostPort("127.0.0.1", p)
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	eventually(t, "the cluster's node answers", func() bool { return client.Ping(t.Context()).Err() == nil })
	if err := client.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster is whole", func() bool {
		info, err := client.ClusterInfo(t.Context()).Result()
		return err == nil && strings.Contains(info, "cluster_state:ok")
	})
	return addr
}

func clusterPort(t *testing.T) string {
	t.Helper()
	port, err := child.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(port)
}
