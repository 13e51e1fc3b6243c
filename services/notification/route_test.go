package notification_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
)

// A provider does what it is told to, and notes what it took. It is a Mailer,
// and a Texter that knows what it has.
type provider struct {
	do func(to string) error

	mu   sync.Mutex
	took []string // to whom
}

func (p *provider) take(to string) error {
	err := error(nil)
	if p.do != nil {
		err = p.do(to)
	}
	if f := (*notification.Failure)(nil); err == nil || errors.As(err, &f) && f.Outcome == notification.Unknown {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.took = append(p.took, to)
	}
	return err
}

func (p *provider) taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.took)
}

type mailProvider struct{ *provider }

func (p mailProvider) Send(_ context.Context, l notification.Letter) error { return p.take(l.To) }

type textProvider struct{ *provider }

func (p textProvider) Send(_ context.Context, t notification.Text) (string, error) {
	return "SM" + t.ID, p.take(t.To)
}

func (p textProvider) Find(context.Context, notification.Text, time.Time) (string, error) {
	if p.taken() > 0 {
		return "SMfound", nil
	}
	return "", nil
}

// register has somebody register, whose mail is due.
func register(w *notificationtest.World, k *notification.Keeper, email string) (subject string) {
	w.T.Helper()
	fact, m := w.Register(email, "Ada", "en")
	w.Must(k.HearAccount(w.T.Context(), fact))
	return notification.AccountSubject(m.CustomerID)
}

// While the first provider is away, mails take the second route; and the
// first again when it is back.
func TestSecondRoute(t *testing.T) {
	w := notificationtest.New(t)
	other, dial := notificationtest.Post(t)
	k := w.Copy(w.Store, nil, func(o *notification.Options) { o.Mailers = append(o.Mailers, w.Mailer(dial)) })
	w.Must(w.Post.SetFaults(mail.Faults{Down: true}))
	var subjects []string
	for i := range 20 {
		subjects = append(subjects, register(w, k, fmt.Sprintf("ada%d@example.org", i)))
	}
	for _, subject := range subjects {
		if n := w.Settle(k, subject)[0]; n.Status != notification.Sent || n.Repeats != 0 {
			t.Errorf("%+v", n)
		}
	}
	f := k.Figures().Mail
	if len(other.Messages("")) != 20 || f.Sent != 20 || f.Routes[1].Name != "mail-2" || f.Routes[1].Sent != 20 || f.Routes[0].Unreachable < 5 || f.Routes[0].Unreachable > 20 {
		t.Errorf("%d mails; %+v", len(other.Messages("")), f)
	}
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Clock.Pass(2 * time.Minute)
	n := w.Settle(k, register(w, k, "bob@example.org"))[0]
	if len(w.Post.Messages("bob@example.org")) != 1 || n.Attempts[len(n.Attempts)-1].Route != "mail" {
		t.Errorf("the first route is back: %+v", n)
	}
}

// A provider that asks for a pause gets it; its messages take another route
// meanwhile, or wait, and lose no try.
func TestPause(t *testing.T) {
	w := notificationtest.New(t)
	busy := &provider{do: func(string) error {
		return &notification.Failure{Outcome: notification.Deferred, Code: "20429", After: 10 * time.Minute}
	}}
	k := w.Copy(w.Store, mailProvider{busy}, func(o *notification.Options) { o.Workers = 1 })
	var subjects []string
	for i := range 30 {
		subjects = append(subjects, register(w, k, fmt.Sprintf("ada%d@example.org", i)))
	}
	for range 100 {
		w.Must(k.Sweep(t.Context()))
		w.Clock.Pass(time.Minute)
	}
	if f := k.Figures().Mail; f.Routes[0].Deferred < 8 || f.Routes[0].Deferred > 11 || f.Dead != 0 {
		t.Errorf("in 100 minutes: %+v", f)
	}
	free := &provider{}
	k = w.Copy(w.Store, mailProvider{busy}, func(o *notification.Options) {
		o.Workers, o.Mailers = 1, append(o.Mailers, mailProvider{free})
	})
	for range 20 {
		w.Must(k.Sweep(t.Context()))
		w.Clock.Pass(time.Minute)
	}
	for _, subject := range subjects {
		if n := w.Only(k, subject); n.Status != notification.Sent {
			t.Errorf("%+v", n)
		}
	}
	if free.taken() != 30 {
		t.Errorf("%d mails by the second route", free.taken())
	}
}

// What follows when nobody knows whether a message was taken.
func TestUnknownOutcomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		policy  notification.Policy
		lost    bool // the message was taken, and only its answer was lost
		status  notification.Status
		texts   int
		repeats int
		outcome string // of the first attempt
	}{
		{"looked up and found", notification.Lookup, true, notification.Sent, 1, 0, "found"},
		{"looked up and not found", notification.Lookup, false, notification.Sent, 1, 0, "not taken"},
		{"the default", "", true, notification.Sent, 1, 0, "found"},
		{"repeated", notification.Repeat, true, notification.Sent, 2, 1, "unknown"},
		{"left", notification.Leave, true, notification.Sent, 1, 0, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := notificationtest.NewShop(t)
			o := buy(w)
			texter := w.Texter
			if !c.lost {
				texter = neverTaken{Texter: w.Texter, first: new(sync.Once)}
			} else {
				w.Must(w.Phone.SetFaults(twilio.Faults{Lost: 1}))
			}
			other := &provider{}
			k := w.Copy(w.Store, nil, func(o *notification.Options) {
				o.SMSUnknown, o.Texters = c.policy, []notification.Texter{texter, textProvider{other}}
			})
			w.Must(k.HearOrder(t.Context(), notificationtest.Changed(&o)))
			w.Must(k.Sweep(t.Context()))
			w.Must(w.Phone.SetFaults(twilio.Faults{}))
			w.Settle(k, notification.OrderSubject(o.ID))
			n := messages(w, o)["confirmed SMS"]
			texts := w.Phone.Messages(o.Phone)
			if n.Status != c.status || len(texts) != c.texts || n.Repeats != c.repeats || n.Attempts[0].Outcome != c.outcome || other.taken() != 0 {
				t.Errorf("%d texts and %d by the second route, %+v", len(texts), other.taken(), n)
			}
			f := k.Figures().SMS
			found := int64(0)
			if c.outcome == "found" {
				found = 1
			}
			if f.Repeated != int64(c.repeats) || f.Found != found || f.Routes[0].Unknown != 1 || f.Sent != 1 {
				t.Errorf("%+v", f)
			}
		})
	}
}

// neverTaken loses the first message, and nobody knows.
type neverTaken struct {
	notification.Texter
	first *sync.Once
}

func (n neverTaken) Send(ctx context.Context, t notification.Text) (ref string, err error) {
	err = &notification.Failure{Outcome: notification.Unknown}
	lost := false
	n.first.Do(func() { lost = true })
	if lost {
		return "", err
	}
	return n.Texter.Send(ctx, t)
}

// A provider that cannot be asked is asked again: neither is the message sent
// once more, nor is it given up.
func TestLookupWaits(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.Phone.SetFaults(twilio.Faults{Lost: 1}))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	w.Must(w.Phone.SetFaults(twilio.Faults{Down: true}))
	for range 50 {
		w.Clock.Pass(2 * time.Minute)
		w.Must(w.Sweep(t.Context()))
	}
	if n := messages(w, o)["confirmed SMS"]; n.Status != notification.Queued {
		t.Fatalf("%+v", n)
	}
	w.Must(w.Phone.SetFaults(twilio.Faults{}))
	w.Settle(w.Keeper, notification.OrderSubject(o.ID))
	if n := messages(w, o)["confirmed SMS"]; n.Status != notification.Sent || n.Repeats != 0 || len(w.Phone.Messages(o.Phone)) != 1 {
		t.Errorf("%d texts, %+v", len(w.Phone.Messages(o.Phone)), n)
	}
}

// A number that cannot take messages makes a dead letter at once.
func TestRefusedText(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.Phone.SetFaults(twilio.Faults{Rejected: 1, RejectCode: 21211}))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	if n := messages(w, o)["confirmed SMS"]; n.Status != notification.Dead || len(n.Attempts) != 1 || n.Attempts[0].Outcome != "refused 21211" || n.Attempts[0].Route != "sms" {
		t.Errorf("%+v", n)
	}
}

// Who has told the provider alone that they want no messages has none, and is
// nobody's dead letter.
func TestStoppedAtTheProvider(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.Phone.SetFaults(twilio.Faults{Rejected: 1, RejectCode: 21610}))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	if n := messages(w, o)["confirmed SMS"]; n.Status != notification.OptedOut || n.Attempts[0].Outcome != "unwanted 21610" {
		t.Errorf("%+v", n)
	}
}

// Receipts move a message on and never back, whenever and however often they
// come.
func TestReceipts(t *testing.T) {
	receipt := func(status notification.Status, ref string) notification.Receipt {
		return notification.Receipt{Status: status, Ref: ref, Code: "30006"}
	}
	const s, d, u = notification.Sent, notification.Delivered, notification.Undelivered
	for name, c := range map[string]struct {
		receipts []notification.Receipt
		want     notification.Status
	}{
		"in order":               {[]notification.Receipt{receipt(s, "a"), receipt(d, "a")}, d},
		"out of order and twice": {[]notification.Receipt{receipt(d, "a"), receipt(s, "a"), receipt(d, "a"), receipt(s, "a")}, d},
		"undelivered":            {[]notification.Receipt{receipt(s, "a"), receipt(u, "a"), receipt(s, "a"), receipt(u, "a")}, u},
		"contradictory":          {[]notification.Receipt{receipt(u, "a"), receipt(d, "a")}, u},
		"never back":             {[]notification.Receipt{receipt(d, "a"), receipt(u, "a"), receipt(u, "b")}, d},
		"one of two arrived":     {[]notification.Receipt{receipt(u, "a"), receipt(d, "b"), receipt(u, "a")}, d},
	} {
		t.Run(name, func(t *testing.T) {
			w := notificationtest.NewShop(t)
			o := buy(w)
			w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
			id := messages(w, o)["confirmed SMS"].ID
			for _, r := range c.receipts { // nobody can have a receipt yet
				r.ID = id
				w.Must(w.Receive(t.Context(), r))
			}
			if n := messages(w, o)["confirmed SMS"]; n.Status != notification.Queued {
				t.Fatalf("before it was sent: %+v", n)
			}
			w.Must(w.Sweep(t.Context()))
			for _, r := range c.receipts {
				r.ID = id
				w.Must(w.Receive(t.Context(), r))
			}
			n := messages(w, o)["confirmed SMS"]
			if n.Status != c.want || c.want == u && n.Attempts[0].Outcome != "undelivered 30006" {
				t.Errorf("%+v", n)
			}
		})
	}
	w := notificationtest.New(t)
	if err := w.Receive(t.Context(), notification.Receipt{ID: "order:none:confirmed:sms", Status: d}); !errors.Is(err, notification.ErrNotFound) {
		t.Errorf("an unknown message: %v", err)
	}
	if err := w.Receive(t.Context(), notification.Receipt{ID: "x", Status: notification.Dead}); !errors.Is(err, notification.ErrInput) {
		t.Errorf("not a receipt: %v", err)
	}
}

// A receipt may come before the answer, and instead of one.
func TestReceiptBeforeTheAnswer(t *testing.T) {
	for _, answer := range []error{nil, &notification.Failure{Outcome: notification.Unknown}} {
		w := notificationtest.NewShop(t)
		o := buy(w)
		var k *notification.Keeper
		early := &provider{do: func(string) error {
			w.Must(k.Receive(context.Background(), notification.Receipt{ID: "order:" + o.ID + ":confirmed:sms", Ref: "SM1", Status: notification.Delivered}))
			return answer
		}}
		k = w.Copy(w.Store, nil, func(o *notification.Options) { o.Texters = []notification.Texter{textProvider{early}} })
		w.Must(k.HearOrder(t.Context(), notificationtest.Changed(&o)))
		w.Settle(k, notification.OrderSubject(o.ID))
		if n := messages(w, o)["confirmed SMS"]; n.Status != notification.Delivered || early.taken() != 1 || n.Repeats != 0 {
			t.Errorf("answer %v: %d texts, %+v", answer, early.taken(), n)
		}
		if f := k.Figures().SMS; f.Sent != 1 || f.Delivered != 1 {
			t.Errorf("answer %v: %+v", answer, f)
		}
	}
}

// A pool sends as many messages at once as it has workers, and no more; and a
// channel that is stuck holds no other up.
func TestWorkers(t *testing.T) {
	w := notificationtest.NewShop(t)
	const workers, orders = 4, 12
	var mu sync.Mutex
	inside, most := 0, 0
	full, stuck := make(chan struct{}), make(chan struct{})
	post := &provider{do: func(string) error {
		mu.Lock()
		inside++
		if most = max(most, inside); inside == workers {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		select { // nobody leaves before all workers are here
		case <-full:
		case <-time.After(30 * time.Second):
		}
		mu.Lock()
		inside--
		mu.Unlock()
		return nil
	}}
	phone := &provider{do: func(string) error { <-stuck; return nil }}
	k := w.Copy(w.Store, mailProvider{post}, func(o *notification.Options) {
		o.Workers, o.Grace, o.Texters = workers, -1, []notification.Texter{textProvider{phone}}
	})
	for range orders {
		o := buy(w)
		w.Must(k.HearOrder(t.Context(), notificationtest.Changed(&o)))
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	for began := time.Now(); post.taken() < orders; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Error("mails wait for SMS")
			break
		}
	}
	if n := phone.taken(); n != 0 {
		t.Errorf("%d SMS were sent by a provider that is stuck", n)
	}
	close(stuck)
	for began := time.Now(); phone.taken() < orders; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("the SMS never go")
		}
	}
	stop()
	w.Must(<-ended)
	if most != workers {
		t.Errorf("%d at once by %d workers", most, workers)
	}
}

// Poison kills itself and nobody else, and is cured by Replay.
func TestPoison(t *testing.T) {
	w := notificationtest.New(t)
	healed := false
	post := &provider{do: func(to string) error {
		if !healed && strings.HasPrefix(to, "poison") {
			return &notification.Failure{Outcome: notification.Deferred, Code: "451 4.3.0"}
		}
		return nil
	}}
	panics := &provider{do: func(to string) error {
		if !healed && strings.HasPrefix(to, "panic") {
			panic("a defect")
		}
		return post.take(to)
	}}
	k := w.Copy(w.Store, mailProvider{panics})
	var healthy, poison []string
	for i := range 200 {
		switch i % 100 {
		case 50:
			poison = append(poison, register(w, k, fmt.Sprintf("poison%d@example.org", i)))
		case 51:
			poison = append(poison, register(w, k, fmt.Sprintf("panic%d@example.org", i)))
		default:
			healthy = append(healthy, register(w, k, fmt.Sprintf("ada%d@example.org", i)))
		}
	}
	w.Must(k.Sweep(t.Context()))
	for _, subject := range healthy {
		if n := w.Only(k, subject); n.Status != notification.Sent || len(n.Attempts) != 1 {
			t.Fatalf("%+v", n)
		}
	}
	for _, subject := range poison {
		if n := w.Settle(k, subject)[0]; n.Status != notification.Dead {
			t.Errorf("%+v", n)
		}
	}
	page, err := k.Dead(t.Context(), notificationtest.Ourselves, "")
	w.Must(err)
	if len(page.Notifications) != len(poison) {
		t.Errorf("%d dead of %d", len(page.Notifications), len(poison))
	}
	healed = true
	for _, n := range page.Notifications {
		_, err := k.Replay(t.Context(), notificationtest.Ourselves, n.ID)
		w.Must(err)
	}
	w.Must(k.Sweep(t.Context()))
	for _, subject := range poison {
		if n := w.Only(k, subject); n.Status != notification.Sent {
			t.Errorf("%+v", n)
		}
	}
}
