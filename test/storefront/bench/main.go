// Command bench measures what the storefront is like in a browser: it starts
// the program with its demo catalogue and lets a Chromium open its pages. What
// is measured, and what it fails for, says bench.mjs beside it.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"ordergraph/platform/host"
	"ordergraph/test/browser"
	"ordergraph/test/child"
)

// patience is how long the program may take to be ready and filled.
const patience = 2 * time.Minute

func main() {
	binary := flag.String("server", "bin/ordergraph", "the program to measure")
	stories := flag.String("dir", "test/storefront", "where bench.mjs is")
	rounds := flag.Int("rounds", 5, "first visits to every page")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *binary, *stories, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, stories string, rounds int) (err error) {
	chromium, err := browser.Path()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ordergraph-bench-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	addrs := map[string]string{"HTTP_ADDR": "", "GRPC_ADDR": "", "SANDBOX_ADDR": "", "SANDBOX_SMTP_ADDR": ""}
	server := exec.Command(binary, "serve")
	server.Env = append(os.Environ(), "DATA_DIR="+filepath.Join(dir, "data"), "RATE_LIMIT=off")
	for name := range addrs {
		port, err := child.FreePort()
		if err != nil {
			return err
		}
		addrs[name] = "127.0.0.1:" + strconv.Itoa(port)
		server.Env = append(server.Env, name+"="+addrs[name])
	}
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	shop, err := child.Start(server)
	if err != nil {
		return err
	}
	url := "http://" + addrs["HTTP_ADDR"]
	err = filled(ctx, shop, url)
	if err == nil {
		bench := exec.CommandContext(ctx, "node", "bench.mjs", url, chromium, strconv.Itoa(rounds))
		bench.Dir, bench.Stdout, bench.Stderr = stories, os.Stdout, os.Stderr
		err = bench.Run()
	}
	shop.Stop(2 * host.StopWithin)
	if err != nil && log.Len() > 0 {
		err = fmt.Errorf("%w; the program wrote:\n%s", err, log.Bytes()[max(0, log.Len()-2000):])
	}
	return err
}

// filled waits until the shop has what is looked at.
func filled(ctx context.Context, shop *child.Process, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	const query = `{"query": "{ shop: product(handle: \"tidal-lamp\") { id } mug: product(handle: \"harbour-mug\") { id availableForSale } }"}`
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", bytes.NewReader([]byte(query)))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		if answer, err := http.DefaultClient.Do(r); err == nil {
			var text bytes.Buffer
			_, err = text.ReadFrom(answer.Body)
			_ = answer.Body.Close()
			if err == nil && bytes.Contains(text.Bytes(), []byte(`"availableForSale":true`)) && !bytes.Contains(text.Bytes(), []byte(`"shop":null`)) {
				return nil
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-shop.Done():
			return errors.New("the program has ended")
		case <-ctx.Done():
			return fmt.Errorf("the shop is not filled: %w", ctx.Err())
		}
	}
}
