package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/notification"
	"ordergraph/services/notification/smtpmail"
	"ordergraph/services/order"
)

const providerTakes = 50 * time.Millisecond

// workers measures how throughput grows with the workers of a pool.
func workers(ctx context.Context, dir string) error {
	fmt.Printf("%-9s %12s %12s   by a provider that takes %v for each\n", "workers", "mails/s", "at most", providerTakes)
	for _, n := range []int{1, 2, 4, 8} {
		perSecond, err := drain(ctx, filepath.Join(dir, fmt.Sprint("workers-", n)), n)
		if err != nil {
			return err
		}
		fmt.Printf("%-9d %12s %12s\n", n, decimals(1, perSecond), decimals(0, float64(n)*float64(time.Second/providerTakes)))
	}
	fmt.Println()
	return nil
}

// drain has a pool of workers send what waits, and says how many a second.
func drain(ctx context.Context, dir string, workers int) (perSecond float64, err error) {
	box, err := openMailbox(ctx, providerTakes)
	if err != nil {
		return 0, err
	}
	defer box.close()
	store, err := docstorelocal.Open(dir)
	if err != nil {
		return 0, err
	}
	defer func() { _ = store.Close() }()
	const from = "Harbour Store <shop@ordergraph.localhost>"
	mailer, err := smtpmail.New(smtpmail.Options{URL: "smtp://" + box.addr, From: from})
	if err != nil {
		return 0, err
	}
	defer mailer.Close()
	k, err := notification.New(ctx, notification.Options{
		Store: store, Mailers: []notification.Mailer{mailer}, Accounts: everybody{}, Orders: everybody{},
		From: from, PublicURL: "https://shop.example", Workers: workers,
	})
	if err != nil {
		return 0, err
	}
	messages := 60 * workers
	for i := range messages {
		data, err := bson.Marshal(account.MailDue{ID: strconv.Itoa(i), Kind: account.MailPasswordChanged})
		if err != nil {
			return 0, err
		}
		fact := events.Fact{ID: strconv.Itoa(i), Type: account.FactMail, Key: strconv.Itoa(i), Data: data}
		if err := k.HearAccount(ctx, fact); err != nil {
			return 0, err
		}
	}
	running, stop := context.WithCancel(ctx)
	var ended sync.WaitGroup
	began := time.Now()
	ended.Go(func() { _ = k.Run(running) })
	defer ended.Wait()
	defer stop()
	for k.Figures().Mail.Sent < int64(messages) {
		if time.Since(began) > 5*time.Minute {
			return 0, fmt.Errorf("%+v after five minutes", k.Figures().Mail)
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
	return float64(messages) / time.Since(began).Seconds(), nil
}

// everybody has an account, and a password that was just changed.
type everybody struct{}

func (everybody) Mail(_ context.Context, _ identity.Caller, id string) (account.Mail, error) {
	return account.Mail{ID: id, Kind: account.MailPasswordChanged, CustomerID: id, Email: id + "@example.org", FirstName: "Ada", Locale: "en"}, nil
}

func (everybody) Get(context.Context, identity.Caller, string, string) (order.Order, error) {
	return order.Order{}, order.ErrNotFound
}
