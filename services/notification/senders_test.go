package notification_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/order"
)

// sending has a copy of the service send by both channels from now on, until
// the test or the function that it returns ends that.
func sending(w *notificationtest.World, k *notification.Keeper) (stop func()) {
	w.T.Helper()
	ctx, cancel := context.WithCancel(w.T.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = k.Run(ctx) })
	stop = func() { cancel(); all.Wait() }
	w.T.Cleanup(stop)
	subject := register(w, k, fmt.Sprintf("early%p@example.org", k))
	o := buy(w)
	w.Must(k.HearOrder(ctx, notificationtest.Changed(&o)))
	t := w.T.(*testing.T)
	eventually(t, "both channels send", func() bool {
		return w.Only(k, subject).Status == notification.Sent && messages(w, o)["confirmed SMS"].Status == notification.Sent
	})
	return stop
}

// later is an order of another customer than those before.
func later(w *notificationtest.World) order.Order {
	return buy(w, func(in *order.CheckoutInput) { in.Email, in.Phone = "grace@example.org", "+491709876543" })
}

// bothSent reports whether the order is told of by mail and SMS.
func bothSent(w *notificationtest.World, o order.Order) bool {
	all := messages(w, o)
	return all["confirmed MAIL"].Status == notification.Sent && all["confirmed SMS"].Status == notification.Sent
}

// Who hears of a message sends it: an SMS is written twice, a mail that waited
// for its invoice three times.
func TestSentAtOnce(t *testing.T) {
	w := notificationtest.NewShop(t)
	var store docstoretest.Reaper
	k := w.Copy(store.Wrap(w.Store), nil)
	sending(w, k)
	for n := 1; ; n++ {
		o := later(w)
		w.Must(w.Invoices.Issue(t.Context(), o))
		before := store.Writes()
		w.Must(k.HearOrder(t.Context(), notificationtest.Changed(&o)))
		w.Must(k.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
		eventually(t, "both are sent", func() bool { return bothSent(w, o) })
		writes := store.Writes() - before
		mails := w.Post.Messages(o.Email)
		if len(mails) != n || len(w.Phone.Messages(o.Phone)) != n {
			t.Fatalf("%d mails, %+v", len(mails), w.Phone.Messages(o.Phone))
		}
		wantInvoice(w, mails[0], o, true)
		if writes == 5 {
			return
		}
		if n == 5 { // what takes long to write is left to the queue
			t.Fatalf("%d writes", writes)
		}
	}
}

// TestDeathWhileSendingAtOnce lets the service die before and after each of
// these writes. A mail arrives twice only where the note that it was sent was
// lost, and that is counted; an SMS is looked up.
func TestDeathWhileSendingAtOnce(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; n <= 5; n++ {
			t.Run(fmt.Sprintf("write %d, taken %v", n, after), func(t *testing.T) {
				w := notificationtest.NewShop(t)
				var reaper docstoretest.Reaper
				mortal := w.Copy(reaper.Wrap(w.Store), nil)
				stop := sending(w, mortal)
				o := later(w)
				w.Must(w.Invoices.Issue(t.Context(), o))
				if after {
					reaper.DieAfter(n)
				} else {
					reaper.DieBefore(n)
				}
				heard := mortal.HearOrder(t.Context(), notificationtest.Changed(&o)) == nil
				invoiced := mortal.HearInvoice(t.Context(), notificationtest.Ready(o.ID)) == nil
				<-reaper.Died()
				stop()

				if !heard { // unconfirmed facts are rung again
					w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
				}
				if !invoiced {
					w.Must(w.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
				}
				w.Settle(w.Keeper, notification.OrderSubject(o.ID))
				all := messages(w, o)
				mails, texts := len(w.Post.Messages(o.Email)), len(w.Phone.Messages(o.Phone))
				if !bothSent(w, o) || mails < 1 || mails > 1+all["confirmed MAIL"].Repeats || all["confirmed MAIL"].Repeats > 1 || texts != 1 {
					t.Errorf("%d mails, %d SMS: %+v", mails, texts, all)
				}
			})
		}
	}
}

// A promise is kept by no mail before the one that makes it, even if who was
// about to store that has died.
func TestDeathBetweenPromiseAndMail(t *testing.T) {
	w := notificationtest.NewShop(t)
	var reaper docstoretest.Reaper
	mortal := w.Copy(reaper.Wrap(w.Store), nil, func(o *notification.Options) { o.Grace = -1 })
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = mortal.Run(ctx) })
	stop := func() { cancel(); all.Wait() }
	defer stop()
	subject := register(w, mortal, "early@example.org")
	eventually(t, "mails are sent", func() bool { return w.Only(mortal, subject).Status == notification.Sent })

	o := buy(w, func(in *order.CheckoutInput) { in.Phone = "" })
	w.Invoices.Away.Store(true)
	reaper.DieBefore(2)
	heard := mortal.HearOrder(t.Context(), notificationtest.Changed(&o)) == nil
	<-reaper.Died()
	stop()

	w.Invoices.Away.Store(false)
	w.Must(w.Invoices.Issue(t.Context(), o))
	w.Clock.Pass(time.Minute)
	w.Must(w.Sweep(t.Context()))
	if !heard {
		w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	}
	w.Settle(w.Keeper, notification.OrderSubject(o.ID))
	mails := w.Post.Messages(o.Email)
	if len(mails) != 1 {
		t.Fatalf("%d mails, %+v", len(mails), messages(w, o))
	}
	wantInvoice(w, mails[0], o, true)
}

// A leaver is a store whose user leaves when it is about to insert something.
// What is under way then is stored, and the one who has left is not told.
type leaver struct {
	docstore.Store
	leave func()
}

type leaverDocuments struct {
	docstore.Documents
	of *leaver
}

func (l *leaver) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	docs, err := l.Store.Documents(ctx, spec)
	return leaverDocuments{docs, l}, err
}

func (d leaverDocuments) Insert(ctx context.Context, doc bson.Raw) error {
	d.of.leave()
	if err := d.Documents.Insert(context.WithoutCancel(ctx), doc); err != nil {
		return err
	}
	return ctx.Err()
}

// Who stops hearing while an attempt is noted makes it: otherwise it would look
// as if the message might have arrived.
func TestAttemptsThatAreNotedAreMade(t *testing.T) {
	w := notificationtest.New(t)
	store := &leaver{w.Store, func() {}}
	k := w.Copy(store, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = k.Run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
	early := register(w, k, "ada@example.org")
	eventually(t, "mails are sent", func() bool { return w.Only(k, early).Status == notification.Sent })

	fact, _ := w.Register("grace@example.org", "Grace", "en")
	hearing, leave := context.WithCancel(t.Context())
	store.leave = leave
	_ = k.HearAccount(hearing, fact) // of no interest to who has left
	subject := notification.AccountSubject(fact.Key)
	eventually(t, "it is sent", func() bool { return w.Only(k, subject).Status == notification.Sent })
	if n := w.Only(k, subject); len(n.Attempts) != 1 || n.Repeats != 0 {
		t.Errorf("%+v", n)
	}
}

// Copies that hear of the same orders at the same moment send each message once.
func TestCopiesThatHearTheSame(t *testing.T) {
	w := notificationtest.NewShop(t)
	copies := []*notification.Keeper{w.Copy(w.Store, nil), w.Copy(w.Store, nil)}
	for _, k := range copies {
		sending(w, k)
	}
	for range 10 {
		o := later(w)
		w.Must(w.Invoices.Issue(t.Context(), o))
		var all sync.WaitGroup
		for _, k := range copies {
			all.Go(func() {
				for _, err := range []error{
					k.HearOrder(t.Context(), notificationtest.Changed(&o)), k.HearInvoice(t.Context(), notificationtest.Ready(o.ID)),
				} {
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		eventually(t, "both are sent", func() bool { return bothSent(w, o) })
		for what, n := range messages(w, o) {
			if n.Repeats != 0 || len(n.Attempts) != 1 {
				t.Errorf("%s: %+v", what, n)
			}
		}
	}
}

// A busy mailer takes one mail at a time, and holds it until it is let go.
type busy struct {
	notification.Mailer
	has, let chan struct{}
}

func (b *busy) Send(ctx context.Context, l notification.Letter) error {
	b.has <- struct{}{}
	<-b.let
	return b.Mailer.Send(ctx, l)
}

// While all senders are busy, what is heard of waits in the queue.
func TestNoSenderIsFree(t *testing.T) {
	w := notificationtest.New(t)
	b := &busy{w.Mailer(w.Dial), make(chan struct{}, 10), make(chan struct{}, 10)}
	k := w.Copy(w.Store, b, func(o *notification.Options) { o.Workers = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = k.Run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })

	first := register(w, k, "ada@example.org")
	<-b.has
	second := register(w, k, "grace@example.org")
	if n := w.Only(k, second); n.Status != notification.Queued || len(n.Attempts) != 0 {
		t.Errorf("%+v", n)
	}
	b.let <- struct{}{}
	<-b.has
	b.let <- struct{}{}
	for _, subject := range []string{first, second} {
		eventually(t, "it is sent", func() bool { return w.Only(k, subject).Status == notification.Sent })
	}
	if n := len(w.Post.Messages("")); n != 2 {
		t.Errorf("%d mails", n)
	}
}
