// Command live measures how many customers one gateway keeps up to date: it
// starts the program, opens sockets with two subscriptions each, changes
// orders, and prints what it took, beside graphql-ws on Node in the same run
// on the same machine. It counts every message. It needs Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/test/redisserver"
)

func main() {
	binary := flag.String("server", "bin/ordergraph", "the program to measure")
	nodeDir := flag.String("node", "test/live/node", "where the server on Node is")
	skipNode := flag.Bool("skip-node", false, "measure the gateway alone")
	var l load
	flag.IntVar(&l.sockets, "connections", 10_000, "sockets, with two subscriptions each; fewer if the limit of open files asks for it")
	flag.IntVar(&l.rate, "updates", 1_000, "changes a second, each of one client's order")
	flag.DurationVar(&l.length, "for", 10*time.Second, "how long orders change")
	flag.IntVar(&l.rounds, "rounds", 5, "how often all clients are told one thing")
	flag.StringVar(&l.profiles, "pprof", "", "write logs to this folder, and profiles of the gateway: its memory (open, left), its goroutines, and the processor while orders change")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Clients that collect garbage as seldom as the gateway disturb less.
	debug.SetGCPercent(400)
	if *skipNode {
		*nodeDir = ""
	}
	if err := run(ctx, os.Stdout, *binary, *nodeDir, l); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, binary, nodeDir string, l load) error {
	switch {
	case l.sockets < 1 || l.rate < 1 || l.rate > 1_000_000 || l.rounds < 0:
		return errors.New("at least one socket and 1 to 1,000,000 changes a second are wanted")
	case l.sockets > 250*perAddress:
		return fmt.Errorf("at most %d sockets", 250*perAddress)
	}
	runtimeVersion := "no node"
	if nodeDir != "" {
		if runtimeVersion = nodeVersion(ctx); runtimeVersion == "" {
			fmt.Fprintln(out, "There is no node on the PATH: the gateway is measured alone.")
			runtimeVersion, nodeDir = "no node", ""
		}
	}
	most, err := openFiles()
	if err != nil {
		return err
	}
	if asked := l.sockets; asked > most {
		l.sockets = most
		fmt.Fprintf(out, "Of %d sockets %d: the limit of open files (ulimit -n) allows no more.\n", asked, most)
	}
	server, err := redisserver.Launch()
	if err != nil {
		return err
	}
	defer server.Stop()
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer func() { _ = client.Close() }()
	fmt.Fprintf(out, "%s %s/%s, %d processors; %s; %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), server.About, runtimeVersion)
	fmt.Fprintf(out, "%d sockets from %d addresses, two subscriptions each; %d changes/s for %v, then %d times something for all\n\n",
		l.sockets, (l.sockets+perAddress-1)/perAddress, l.rate, l.length, l.rounds)

	results := make([]result, 0, 2)
	all := newOrders(l.sockets)
	ours, err := startGateway(ctx, binary, l.profiles, client, "redis://"+server.Addr, all)
	if err != nil {
		return err
	}
	r, err := measure(ctx, ours, all, l)
	ours.stop()
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	results = append(results, r)
	if nodeDir != "" {
		all := newOrders(l.sockets)
		theirs, err := startNode(ctx, nodeDir, l.profiles, client, server.Addr, all)
		if err != nil {
			return err
		}
		r, err := measure(ctx, theirs, all, l)
		theirs.stop()
		if err != nil {
			return fmt.Errorf("graphql-ws: %w", err)
		}
		results = append(results, r)
	}
	report(out, l, results)
	for _, r := range results {
		if r.missing > 0 {
			return fmt.Errorf("%d clients were not told of their order's last change within %v", r.missing, patience)
		}
	}
	return nil
}

// openFiles is how many sockets this process and a server can each hold. Go
// and Node both raise their own limit to the greatest that they may.
func openFiles() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	const other = 200 // files that are no sockets of clients
	if limit.Max <= other {
		return 0, fmt.Errorf("the limit of open files is %d; see ulimit -n", limit.Max)
	}
	return int(min(limit.Max, 1<<20)) - other, nil
}
