package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/redis/go-redis/v9"
)

// node is graphql-ws on Node; see node/server.js.
type node struct {
	*program
	http  string
	redis redis.UniversalClient
}

func startNode(ctx context.Context, dir, logs string, client redis.UniversalClient, redisAddr string, all *orders) (*node, error) {
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		return nil, fmt.Errorf("what the server on Node needs is missing: run `npm ci` in %s, or give -skip-node", dir)
	}
	// The first state of every order is in Redis.
	pipe := client.Pipeline()
	for _, w := range all.byID {
		text, err := w.forNode(w.now())
		if err != nil {
			return nil, err
		}
		pipe.Set(ctx, w.global, text, 0)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	n := &node{redis: client}
	var err error
	if n.http, err = free(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(n.http)
	if err != nil {
		return nil, err
	}
	_, redisPort, err := net.SplitHostPort(redisAddr)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "node", "--expose-gc", "server.js")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NODE_ENV=production", "PORT="+port, "REDIS_PORT="+redisPort)
	if logs != "" {
		logs = filepath.Join(logs, "node.log")
	}
	n.program, err = launch(ctx, cmd, logs, func() error {
		_, err := get(ctx, "http://"+n.http+"/memory")
		return err
	})
	return n, err
}

func (n *node) address() string { return n.http }

func (n *node) ring(ctx context.Context, w *watched) error {
	text, err := w.forNode(w.change())
	if err != nil {
		return err
	}
	_, err = n.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, w.global, text, 0)
		pipe.Publish(ctx, "live-bench", text)
		return nil
	})
	return err
}

func (n *node) usage(ctx context.Context) (usage, error) {
	text, err := get(ctx, "http://"+n.http+"/memory")
	if err != nil {
		return usage{}, err
	}
	var memory struct{ HeapUsed, External int64 }
	err = json.Unmarshal(text, &memory)
	return usage{live: memory.HeapUsed + memory.External, resident: n.resident()}, err
}

// nodeVersion is "" where there is no node.
func nodeVersion(ctx context.Context) string {
	version, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(version))
}
