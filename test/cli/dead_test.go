package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/events"
	"ordergraph/services"
	"ordergraph/test/redisserver"
	"ordergraph/test/shop"
)

// refuseMails has the sandbox refuse all mails, or none.
func (s *server) refuseMails(share int) {
	s.t.Helper()
	resp, err := client.Post("http://"+s.set["SANDBOX_ADDR"]+"/sandbox/mail/faults", "application/json", strings.NewReader(fmt.Sprintf(`{"refused": %d}`, share)))
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		s.t.Fatal(resp.Status)
	}
}

// metrics are this process's figures, as Prometheus reads them.
func (s *server) metrics() string {
	s.t.Helper()
	code, body, err := get("http://" + s.set["METRICS_ADDR"] + "/metrics")
	if err != nil || code != http.StatusOK {
		s.t.Fatalf("/metrics: %d %v", code, err)
	}
	return body
}

// A listed dead letter.
type listed struct {
	ID, Service, Kind, Type, Key, Listener string
	Attempts                               []struct{ Outcome string }
}

func deadIn(t *testing.T, set settings, more ...string) (all []listed) {
	t.Helper()
	o := run(t, set, append([]string{"dead", "list", "--json"}, more...)...).want(0)
	for line := range strings.Lines(o.out) {
		var l listed
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, l)
	}
	return all
}

// buryFact makes an order's latest fact one that the invoice service has failed
// to take, in the store of a shop that does not run.
func buryFact(t *testing.T, set settings) (id string) {
	t.Helper()
	store, err := docstorelocal.Open(filepath.Join(set["DATA_DIR"], "order"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	specs, err := store.Collections(t.Context())
	orders := slices.IndexFunc(specs, func(s docstore.Spec) bool { return s.Name == "orders" })
	if err != nil || orders < 0 {
		t.Fatalf("%+v %v", specs, err)
	}
	docs, err := store.Documents(t.Context(), specs[orders])
	if err != nil {
		t.Fatal(err)
	}
	raws, _, err := docs.Find(t.Context(), docstore.Query{Limit: 1})
	if err != nil || len(raws) != 1 {
		t.Fatalf("%d orders, %v", len(raws), err)
	}
	var doc bson.M
	if err := bson.Unmarshal(raws[0], &doc); err != nil {
		t.Fatal(err)
	}
	key := doc["_id"].(string)
	at := time.Now().UTC()
	doc["outbox"] = events.Outbox{DeadAt: &at, Dead: []events.Dead{{
		Fact:  events.Fact{ID: key + ":1:order.changed", Type: "order.changed", Doc: key, Key: key, At: at},
		Group: "invoice", At: at, Attempts: []deadletter.Attempt{{At: at, Outcome: "internal (REFERENCE)"}},
	}}}
	raw, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := docs.Load(t.Context(), []bson.Raw{raw}); err != nil {
		t.Fatal(err)
	}
	return "order/fact/" + key + "/1:order.changed/invoice"
}

// What died is listed, shown, replayed and dropped, in a shop that runs and in
// one that does not.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	set := fresh(t).with(settings{"METRICS_ADDR": shop.FreeAddr(t)})
	run(t, set, "dead", "list").want(2, "DATA_DIR")
	run(t, set, "import", write(t, "goods.csv", header+"mug,Mug,5.00,9\n")).want(0)
	s := serve(t, set)
	run(t, set, "dead", "list").want(0, "no dead letters")
	if !strings.Contains(s.metrics(), `ordergraph_dead_letters{kind="message",service="notification"} 0`) {
		t.Error("nobody tells that nothing is dead")
	}
	s.refuseMails(1)
	s.buy("mug")
	var mail listed
	s.eventually("gives the mail up", func() error {
		all := deadIn(t, set, "--kind", "message")
		if len(all) == 0 {
			return fmt.Errorf("nothing is dead")
		}
		mail = all[0]
		return nil
	})
	if mail.Service != "notification" || mail.Kind != "message" || mail.Listener != "MAIL" || len(mail.Attempts) == 0 || !strings.Contains(mail.Attempts[0].Outcome, "550") {
		t.Errorf("%+v", mail)
	}
	if strings.Contains(fmt.Sprint(mail), "ada@") {
		t.Errorf("it tells who it was for: %+v", mail)
	}
	if text := s.metrics(); strings.Contains(text, "ada@") || strings.Contains(text, `ordergraph_dead_letters{kind="message",service="notification"} 0`) {
		t.Errorf("the figures know names, or not of the dead:\n%s", text)
	}
	if code, _, err := s.get("/metrics"); err != nil || code != http.StatusNotFound {
		t.Errorf("customers are told the figures: %d %v", code, err)
	}
	run(t, set, "dead", "list").want(0, mail.ID, mail.Type, "550")
	run(t, set, "dead", "show", mail.ID).want(0, mail.ID, "550")
	run(t, set, "dead", "replay", mail.ID, "notification/message/nonsense").want(3, "1 replayed", "notification/message/nonsense is not dead")
	s.eventually("gives it up again", func() error {
		all := deadIn(t, set, "--service", "notification")
		if i := slices.IndexFunc(all, func(l listed) bool { return l.ID == mail.ID }); i < 0 || len(all[i].Attempts) < 2 {
			return fmt.Errorf("%+v", all)
		}
		return nil
	})
	s.stop()

	// Without a shop the stores are enough.
	fact := buryFact(t, set)
	if all := deadIn(t, set, "--kind", "fact"); len(all) != 1 || all[0].ID != fact || all[0].Listener != "invoice" {
		t.Errorf("%+v", all)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"dead", "drop", mail.ID}, "--yes"},
		{[]string{"dead", "drop"}, "--all"},
		{[]string{"dead", "replay", "--all", mail.ID}, "either"},
		{[]string{"dead", "replay", mail.ID, "--service", "order"}, "--all"},
		{[]string{"dead", "list", "--service", "bakery"}, "bakery"},
		{[]string{"dead", "list", "--kind", "parcel"}, "kind"},
		{[]string{"dead", "show", "nonsense"}, "begins with one of them"},
	} {
		run(t, set, c.args...).want(2, c.says)
	}
	run(t, set, "dead", "show", "order/fact/nothing/1/2").want(1, "no such dead letter")
	run(t, set, "dead", "replay", fact).want(0, "1 replayed")
	run(t, set, "dead", "drop", "--yes", mail.ID).want(0, "1 dropped")
	run(t, set, "dead", "show", mail.ID).want(1, "no such dead letter")

	// What was replayed is taken when the shop runs again; what was dropped
	// stays away.
	s = serve(t, set)
	s.refuseMails(0)
	s.eventually("takes the fact", func() error {
		if !regexp.MustCompile(`ordergraph_facts_handled_total\{listener="invoice",outcome="confirmed",topic="order"\} [1-9]`).MatchString(s.metrics()) {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	run(t, set, "dead", "replay", "--all").want(0)
	s.eventually("has nothing dead", func() error {
		if all := deadIn(t, set); len(all) > 0 {
			return fmt.Errorf("%+v", all)
		}
		return nil
	})
	run(t, set, "dead", "drop", "--all", "--yes").want(0, "no dead letters")
}

// What the alerts and the dashboard ask for, the program tells.
func TestWhatIsWatchedIsThere(t *testing.T) {
	t.Parallel()
	set := fresh(t).with(settings{"METRICS_ADDR": shop.FreeAddr(t)})
	run(t, set, "import", write(t, "goods.csv", header+"mug,Mug,5.00,9\n")).want(0)
	s := serve(t, set)
	s.buy("mug")

	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	alerts, err := os.ReadFile("../../deploy/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(alerts, &rules, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, r := range rules.Groups[0].Rules {
		asked = append(asked, r.Expr)
		if r.Alert == "" || r.Expr == "" || r.For == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("a rule says too little: %+v", r)
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	text, err := os.ReadFile("../../deploy/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			asked = append(asked, target.Expr)
		}
	}
	names := map[string]bool{}
	for _, name := range regexp.MustCompile(`\b(ordergraph|go|process)_[a-z_]+\b`).FindAllString(strings.Join(asked, "\n"), -1) {
		names[name] = true
	}
	if len(asked) < 15 || len(names) < 12 {
		t.Fatalf("%d expressions name %d metrics", len(asked), len(names))
	}
	s.eventually("tells all that is asked for", func() error {
		told := s.metrics()
		for name := range names {
			if !regexp.MustCompile(`(?m)^` + name + `[{ ]`).MatchString(told) {
				return fmt.Errorf("nobody tells %s", name)
			}
		}
		return nil
	})
}

// The dead of a service in another process are reached by its address.
func TestDeadLettersOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	bell := redisserver.Start(t)
	shared := settings{"REDIS_URL": "redis://" + bell.Addr, "RPC_SECRET": password}
	main, post := fresh(t), fresh(t)
	for name, addr := range map[string]string{"NOTIFICATION_ADDR": post["GRPC_ADDR"], "ACCOUNT_ADDR": main["GRPC_ADDR"], "ORDER_ADDR": main["GRPC_ADDR"], "INVOICE_ADDR": main["GRPC_ADDR"], "FULFILMENT_ADDR": main["GRPC_ADDR"]} {
		shared[name] = addr
	}
	post["SANDBOX_ADDR"], post["SANDBOX_SMTP_ADDR"] = main["SANDBOX_ADDR"], main["SANDBOX_SMTP_ADDR"]
	main, post = main.with(shared), post.with(shared)
	run(t, main, "import", write(t, "goods.csv", header+"mug,Mug,5.00,9\n")).want(0)
	names := slices.DeleteFunc(services.Names(), func(name string) bool { return name == "notification" })
	letters := launch(t, post, "notification")
	s := serve(t, main, append(names, "graph", "sandbox")...)
	s.refuseMails(1)
	s.buy("mug")
	s.eventually("gives the mail up", func() error {
		if len(deadIn(t, main)) == 0 {
			return fmt.Errorf("nothing is dead")
		}
		return nil
	})
	s.refuseMails(0)
	run(t, main, "dead", "replay", "--all").want(0, "replayed")
	s.eventually("has nothing dead", func() error {
		if all := deadIn(t, main, "--service", "notification"); len(all) > 0 {
			return fmt.Errorf("%+v", all)
		}
		return nil
	})
	letters.stop()
	run(t, main, "dead", "list").want(1, "NOTIFICATION_ADDR", "does not answer")
	run(t, main, "dead", "list", "--service", "order").want(0, "no dead letters")
}
