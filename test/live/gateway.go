package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	dice "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/host"
	"ordergraph/platform/live"
	"ordergraph/services"
	"ordergraph/services/order"
	"ordergraph/services/order/orderrpc"
)

// gateway is the real program, serving nothing but the gateway; the orders
// are served by this process.
type gateway struct {
	*program
	http, debug string
	bell        *live.Bell
	end         func()
}

func startGateway(ctx context.Context, binary, logs string, client redis.UniversalClient, redisURL string, all *orders) (_ *gateway, err error) {
	secret := rand.Text()
	h, err := host.New(host.Options{Log: slog.New(slog.DiscardHandler), GRPCAddr: "127.0.0.1:0", Secret: secret})
	if err != nil {
		return nil, err
	}
	host.Provide[order.Service](h, orderrpc.Contract, all)
	g := &gateway{bell: live.NewBell(client, nil)}
	h.Work("bell", g.bell.Run)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() { _ = h.Run(serving); close(ended) }()
	g.end = func() { stop(); <-ended }
	defer func() {
		if err != nil {
			g.end()
		}
	}()

	if g.http, err = free(); err != nil {
		return nil, err
	}
	if g.debug, err = free(); err != nil {
		return nil, err
	}
	here := h.GRPCAddr()
	cmd := exec.CommandContext(ctx, binary, "serve", "graph")
	cmd.Env = append(os.Environ(), "RATE_LIMIT=off", "HTTP_ADDR="+g.http, "GRPC_ADDR=", "DEBUG_ADDR="+g.debug, "REDIS_URL="+redisURL, "RPC_SECRET="+secret,
		"LOG_FORMAT=text")
	for _, name := range services.Names() {
		cmd.Env = append(cmd.Env, strings.ToUpper(name)+"_ADDR="+here)
	}
	if logs != "" {
		logs = filepath.Join(logs, "gateway.log")
	}
	g.program, err = launch(ctx, cmd, logs, func() error {
		_, err := get(ctx, "http://"+g.http+"/readyz")
		return err
	})
	return g, err
}

func (g *gateway) address() string { return g.http }

func (g *gateway) ring(_ context.Context, w *watched) error {
	g.bell.Ring(order.LiveTopic, w.id, w.change().Version)
	return nil
}

var (
	goroutines = regexp.MustCompile(`^goroutine profile: total (\d+)`)
	heapLive   = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)`)
	stackInUse = regexp.MustCompile(`(?m)^# Stack = (\d+)`)
)

func (g *gateway) usage(ctx context.Context) (u usage, err error) {
	// Twice: what pools hold goes only with the second collection.
	var heap []byte
	for range 2 {
		if heap, err = get(ctx, "http://"+g.debug+"/debug/pprof/heap?debug=1&gc=1"); err != nil {
			return u, err
		}
	}
	for _, part := range []*regexp.Regexp{heapLive, stackInUse} {
		n, err := number(part, heap)
		if err != nil {
			return u, err
		}
		u.live += n
	}
	stacks, err := get(ctx, "http://"+g.debug+"/debug/pprof/goroutine?debug=1")
	if err != nil {
		return u, err
	}
	n, err := number(goroutines, stacks)
	u.goroutines, u.resident = int(n), g.resident()
	return u, err
}

func number(pattern *regexp.Regexp, text []byte) (int64, error) {
	found := pattern.FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("the profile has no %s: %.200s", pattern, bytes.TrimSpace(text))
	}
	return strconv.ParseInt(string(found[1]), 10, 64)
}

// profile writes a profile of the gateway to a file: "heap", "goroutine", or
// "profile" of the processor for the time given.
func (g *gateway) profile(ctx context.Context, kind, file string, length time.Duration) error {
	url := "http://" + g.debug + "/debug/pprof/" + kind
	if length > 0 {
		url += fmt.Sprintf("?seconds=%d", max(1, int(length.Seconds())))
	}
	text, err := get(ctx, url)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func (g *gateway) stop() {
	g.program.stop()
	g.end()
}

// free is an address for a server to listen on, from below those ports that
// the system gives to outgoing connections.
func free() (string, error) {
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+dice.IntN(5_000)))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no free port from 10,000 to 15,000")
}
