// Command show says which MongoDB server the tests will use; with -serve it
// keeps one running and prints its URI, for programs outside of go test.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"ordergraph/test/mongoserver"
)

func main() {
	serve := flag.Bool("serve", false, "keep the server running until interrupted, and print its URI on the second line")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := mongoserver.Launch(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "MongoDB server for this run: none.", err)
		os.Exit(1)
	}
	defer server.Stop()
	fmt.Println("MongoDB server for this run:", server.About)
	if *serve {
		fmt.Println(server.URI)
		<-ctx.Done()
	}
}
