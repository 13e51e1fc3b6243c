package invoice

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/services/order"
	"ordergraph/test/child"
)

// TestKills runs a second copy of the test binary, which writes invoices and
// says which, and kills it. KILLS=2000/20 makes it so many orders and kills.
const (
	killsVariable = "KILLS"
	writerDir     = "INVOICE_WRITER_DIR"
	writerOrders  = "INVOICE_WRITER_ORDERS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		orders, err := strconv.Atoi(os.Getenv(writerOrders))
		if err == nil {
			err = writeUntilKilled(dir, orders)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeUntilKilled is the other process: it hears of all orders in some order,
// eight at once, and says of each when it has its invoice.
func writeUntilKilled(dir string, n int) error {
	ctx := context.Background()
	store, err := docstorelocal.Open(dir)
	if err != nil {
		return err
	}
	o, seller := sold(3, "de-DE", "EUR")
	k, err := New(ctx, Options{Store: store, Seller: seller})
	if err != nil {
		return err
	}
	o.Status = order.Confirmed
	todo := make(chan int)
	failed := make(chan error, 8)
	var all sync.WaitGroup
	for range cap(failed) {
		all.Go(func() {
			for i := range todo {
				o := o
				o.ID = killedOrder(i)
				if err := k.Issue(ctx, o); err != nil {
					failed <- err
					return
				}
				fmt.Println(i)
			}
		})
	}
	for _, i := range rand.Perm(n) {
		select {
		case todo <- i:
		case err := <-failed:
			return err
		}
	}
	close(todo)
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return store.Close()
	}
}

func killedOrder(i int) string { return fmt.Sprintf("order-%05d", i) }

// Whenever the process dies, every order gets one invoice, the numbers have no
// gap, and what was written is what would be written again.
func TestKills(t *testing.T) {
	orders, kills := 200, 10
	if text := os.Getenv(killsVariable); text != "" {
		if n, err := fmt.Sscanf(text, "%d/%d", &orders, &kills); n != 2 || err != nil || kills >= orders {
			t.Fatalf("%s=%s: orders/kills, like 2000/20", killsVariable, text)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	done := map[int]bool{}
	// run has the other process write until so many orders have their invoice.
	run := func(until int) {
		t.Helper()
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), writerDir+"="+dir, writerOrders+"="+strconv.Itoa(orders))
		cmd.Stderr = os.Stderr
		out, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = out.Close() }()
		cmd.Stdout = in
		process, err := child.Start(cmd)
		_ = in.Close()
		if err != nil {
			t.Fatal(err)
		}
		defer process.Kill()
		if err := out.SetReadDeadline(time.Now().Add(5 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for len(done) < until && lines.Scan() {
			i, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatal(err)
			}
			done[i] = true
		}
		if len(done) < until {
			t.Fatalf("it ended with %d of %d invoices: %v", len(done), until, lines.Err())
		}
	}
	for i := range kills {
		run((i + 1) * orders / (kills + 1))
	}
	run(orders)

	store, err := docstorelocal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	_, seller := sold(1, "de-DE", "EUR")
	k, err := New(t.Context(), Options{Store: store, Seller: seller})
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]map[string]bool{} // numbers, by their series
	count := 0
	for d, err := range k.invoices.All(t.Context(), docstore.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
		if given[d.Series] == nil {
			given[d.Series] = map[string]bool{}
		}
		given[d.Series][d.Number] = true
		kept, err := k.files.Get(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		again, err := d.render()
		if err != nil {
			t.Fatal(err)
		}
		if d.Status != Ready || digestOf(kept.PDF) != d.Digests.PDF || digestOf(kept.XML) != d.Digests.XML || digestOf(again.PDF) != d.Digests.PDF || digestOf(again.XML) != d.Digests.XML {
			t.Errorf("%s is %s, and its files are not those that it should have", d.ID, d.Status)
		}
	}
	if count != orders {
		t.Errorf("%d documents for %d orders", count, orders)
	}
	for series, numbers := range given { // two of them, if the year has just ended
		for n := range len(numbers) {
			if number := numberOf(series, int64(n+1)); !numbers[number] {
				t.Errorf("%s is missing", number)
			}
		}
		if s, err := k.series.Get(t.Context(), series); err != nil || s.Last != int64(len(numbers)) {
			t.Errorf("series %s is at %d with %d numbers: %v", series, s.Last, len(numbers), err)
		}
		count -= len(numbers)
	}
	if count != 0 {
		t.Errorf("%d numbers were given twice", count)
	}
}
