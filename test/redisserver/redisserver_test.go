package redisserver_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"ordergraph/test/redisserver"
)

func TestServerIsEmptiedAndRestarted(t *testing.T) {
	server := redisserver.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	for _, empty := range []func(testing.TB){server.FlushAll, server.Restart} {
		if err := client.Set(t.Context(), "mug", 1, 0).Err(); err != nil {
			t.Fatal(err)
		}
		empty(t)
		if n, err := client.Exists(t.Context(), "mug").Result(); n != 0 || err != nil {
			t.Errorf("got %d keys, %v", n, err)
		}
	}
	server.Stop()
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("a stopped server answers")
	}
	server.Restart(t)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}
