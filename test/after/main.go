// Command after measures what happens after an order: it has many orders
// confirmed, lets a process of its own write their invoices and tell their
// customers, by SMTP to a server that takes everything, and prints how fast
// that is and what it costs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ordergraph/test/redisserver"
)

func main() {
	server := flag.String("server", "bin/ordergraph", "the program to measure")
	orders := flag.Int("orders", 1000, "orders that wait for their invoices and mails")
	rate := flag.Int("rate", 50, "orders per second, when the way from an order to its mail is measured")
	length := flag.Duration("for", 20*time.Second, "how long that is measured")
	profile := flag.String("pprof", "", "write CPU profiles of both processes, while invoices and mails are written, to this folder")
	texts := flag.Bool("sms", true, "whether orders have a phone number, so that an SMS goes with every mail")
	only := flag.String("only", "", "run only this part: workers or orders")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *server, *orders, *rate, *length, *texts, *only, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "after:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server string, orders, rate int, length time.Duration, texts bool, only, profile string) error {
	dir, err := os.MkdirTemp("", "ordergraph-after-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if only != "orders" {
		if err := workers(ctx, dir); err != nil {
			return fmt.Errorf("workers: %w", err)
		}
	}
	if only == "workers" {
		return nil
	}
	redis, err := redisserver.Launch()
	if err != nil {
		return err
	}
	defer redis.Stop()
	box, err := openMailbox(ctx, 0)
	if err != nil {
		return err
	}
	defer box.close()
	s := &market{server: server, dir: dir, redis: redis.Addr, smtp: box.addr, texts: texts, profile: profile}
	defer s.stop()
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := backlog(ctx, s, box, orders); err != nil {
		return fmt.Errorf("backlog: %w", err)
	}
	return onTheWay(ctx, s, box, rate, length)
}

// backlog has many orders wait, and measures how fast they are invoiced and
// told.
func backlog(ctx context.Context, s *market, box *mailbox, orders int) error {
	began := time.Now()
	if err := s.buyMany(ctx, orders); err != nil {
		return err
	}
	fmt.Printf("%d orders placed in %v, whose invoices and mails wait\n", orders, time.Since(began).Round(time.Millisecond))
	if err := s.startTelling(ctx); err != nil {
		return err
	}
	defer s.profiles(ctx)()
	shopCPU := s.selling.cpu()
	began = time.Now()
	arrived, err := box.wait(ctx, orders)
	if err != nil {
		return err
	}
	took, cpu := time.Since(began).Seconds(), s.telling.cpu().Seconds()
	const row = "%-44s %10s\n"
	fmt.Printf(row, "invoices written, and mailed, per second", decimals(0, float64(orders)/took))
	fmt.Printf(row, "  per core of invoice and notification", decimals(0, float64(orders)/cpu))
	each := "  their CPU ms for each"
	if s.texts {
		each += ", with its SMS"
	}
	fmt.Printf(row, each, decimals(2, 1000*cpu/float64(orders)))
	fmt.Printf(row, "  CPU ms of the services they ask", decimals(2, 1000*(s.selling.cpu()-shopCPU).Seconds()/float64(orders)))
	fmt.Printf(row, "  their memory, MB", fmt.Sprint(s.telling.megabytes()))
	fmt.Printf(row, "  mails with their invoice", fmt.Sprintf("%d of %d", arrived, orders))
	if err := s.rest(ctx); err != nil {
		return err
	}
	all := s.telling.cpu() + s.selling.cpu() - shopCPU
	fmt.Printf(row, "  CPU ms of both, once all is noted", decimals(2, 1000*all.Seconds()/float64(orders)))
	return nil
}

// onTheWay places orders at a steady rate and measures how long it takes from
// the moment one is confirmed until its mail with the invoice has arrived.
func onTheWay(ctx context.Context, s *market, box *mailbox, rate int, length time.Duration) error {
	box.forget()
	var mu sync.Mutex
	confirmed := map[string]time.Time{}
	var failed error
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	cpu := s.telling.cpu()
	began := time.Now()
	for time.Since(began) < length && ctx.Err() == nil {
		<-tick.C
		all.Go(func() {
			email, at, err := s.buy(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, err)
				return
			}
			confirmed[email] = at
		})
	}
	all.Wait()
	if failed != nil {
		return failed
	}
	withInvoice, err := box.wait(ctx, len(confirmed))
	if err != nil {
		return err
	}
	took := time.Since(began)
	cpu = s.telling.cpu() - cpu
	times := hdrhistogram.New(1, 600_000, 3)
	for email, at := range confirmed {
		_ = times.RecordValue(max(1, box.arrivedAt(email).Sub(at).Milliseconds()))
	}
	const row = "%-44s %10s\n"
	fmt.Printf(row, fmt.Sprintf("confirmed to mailed at %d orders/s, p50 ms", rate), fmt.Sprint(times.ValueAtQuantile(50)))
	fmt.Printf(row, "  p99 ms", fmt.Sprint(times.ValueAtQuantile(99)))
	fmt.Printf(row, "  the longest, ms", fmt.Sprint(times.Max()))
	fmt.Printf(row, "  orders per second, in fact", decimals(1, float64(len(confirmed))/length.Seconds()))
	fmt.Printf(row, "  mails with their invoice", fmt.Sprintf("%d of %d", withInvoice, len(confirmed)))
	fmt.Printf(row, "  CPU of invoice and notification", decimals(0, 100*cpu.Seconds()/took.Seconds())+" %")
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
