package cli

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ordergraph/services"
	"ordergraph/test/mongoserver"
)

func TestCopyRefuses(t *testing.T) {
	t.Parallel()
	set := fresh(t)
	here := set["DATA_DIR"]
	run(t, set, "import", write(t, "goods.csv", goods)).want(3)
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		set  settings
		says []string
	}{
		{[]string{here}, nil, []string{"<to>"}},
		{[]string{here, here}, nil, []string{"same"}},
		{[]string{here, here + "/"}, nil, []string{"same"}},
		{[]string{empty, here}, nil, []string{empty, "no local stores"}},
		{[]string{filepath.Join(empty, "nowhere"), here}, nil, []string{"nowhere", "no local stores"}},
		{[]string{here, "postgres://u:" + password + "@host/db"}, nil, []string{"postgres", "mongodb://"}},
		{[]string{here, "mongodb://u:" + password + "%zz@host"}, nil, []string{"%40"}},
		{[]string{here, "MONGODB_URI"}, nil, []string{"MONGODB_URI is not set"}},
		{[]string{"--service=stock", here, empty}, nil, []string{`"stock"`, "inventory"}},
	} {
		run(t, c.set, append([]string{"data", "copy"}, c.args...)...).want(2, c.says...)
	}
	// The wrong way round, into a shop that has documents; it keeps them.
	other := fresh(t)
	run(t, other, "import", write(t, "goods.csv", header+"kettle,Kettle,20.00,3\n")).want(0)
	for range 2 {
		run(t, nil, "data", "copy", other["DATA_DIR"], here).want(1, "documents of its own")
	}
	s := serve(t, set)
	if _, units := s.stock("mug"); units != 3 {
		t.Errorf("%d mugs, want 3", units)
	}
	// A shop that runs is not copied.
	run(t, nil, "data", "copy", here, filepath.Join(empty, "copy")).want(1, "stop that process")
	s.stop()
	run(t, nil, "data", "copy", here, filepath.Join(empty, "copy")).want(0, "catalog products: 2 documents", "the same on both sides")
}

// databases is a name for a shop's databases, which go with the test.
func databases(t *testing.T, uri string) (name string) {
	name = "cli_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		client, err := mongo.Connect(options.Client().ApplyURI(uri))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = client.Disconnect(ctx) }()
		for _, service := range services.Names() {
			for _, of := range []string{name, name + "_not"} {
				if err := client.Database(of + "_" + service).Drop(ctx); err != nil {
					t.Error(err)
				}
			}
		}
	})
	return name
}

// strike runs a copy and sends it a signal when it writes products for the
// nth time, before it hears that they are written.
func strike(t *testing.T, proxy *mongoserver.Proxy, nth int, with syscall.Signal, cmd *exec.Cmd) outcome {
	t.Helper()
	started, loads := make(chan struct{}), atomic.Int32{}
	proxy.Lose(func(name string, body bson.Raw) mongoserver.Loss {
		if name == "update" && body.Lookup("update").StringValue() == "products" && loads.Add(1) == int32(nth) {
			<-started
			_ = cmd.Process.Signal(with)
		}
		return mongoserver.Deliver
	})
	defer proxy.Lose(nil)
	wait := begin(t, cmd)
	close(started)
	return wait()
}

// A shop moves to MongoDB, sells there, and moves back.
func TestMongoCopyAndBack(t *testing.T) {
	t.Parallel()
	uri, about := mongoserver.Start(t)
	proxy := mongoserver.NewProxy(t, uri)
	name := databases(t, uri)
	there := settings{"MONGODB_URI": proxy.URI, "MONGODB_DATABASE": name}

	set := fresh(t)
	here := set["DATA_DIR"]
	run(t, set, "import", write(t, "goods.csv", many(1150))).want(0)
	s := serve(t, set)
	first := s.buy("mug-7")
	s.stop()

	// The copy is interrupted in the middle of the catalogue …
	o := strike(t, proxy, 2, syscall.SIGINT, command(t.Context(), t, there, "data", "copy", here, "MONGODB_URI"))
	o.want(1, "Interrupted", "run the same again")
	if strings.Contains(o.out, "catalog products") || !strings.Contains(o.out, "inventory") {
		t.Errorf("interrupted too early or too late (%s):\n%s", about, o.out)
	}
	// … killed the next time, and finished at last.
	strike(t, proxy, 1, syscall.SIGKILL, command(t.Context(), t, there, "data", "copy", here, "MONGODB_URI")).want(-1)
	run(t, there, "data", "copy", here, "MONGODB_URI").want(0, "catalog products: 1150 documents", "order orders: 1 documents", "the same on both sides")
	run(t, there, "data", "copy", here, proxy.URI).want(0, "catalog products: 1150 documents") // only compares

	// The shop runs on; the sandbox's own memory stays where it was.
	set = set.with(there)
	s = serve(t, set)
	s.wantOrder(first)
	if _, units := s.stock("mug-7"); units != 8 {
		t.Errorf("%d units, want 8", units)
	}
	second := s.buy("mug-7")
	run(t, set, "check").want(0, "1150 SKUs", "2 orders", "2 payments")
	s.stop()
	run(t, set, "check").want(0, "1150 SKUs", "2 orders", "2 payments")

	// What was copied before and has moved on is told from a fresh copy.
	run(t, there, "data", "copy", here, "MONGODB_URI").want(1, "differ")
	run(t, there, "data", "copy", "MONGODB_URI", here).want(1, "documents of its own")
	// The wrong way round: an empty database has nothing to give.
	run(t, there.with(settings{"MONGODB_DATABASE": name + "_not"}), "data", "copy", "MONGODB_URI", t.TempDir()).want(2, "no documents", "direction")

	back := filepath.Join(t.TempDir(), "back")
	run(t, there, "data", "copy", "MONGODB_URI", back).want(0, "order orders: 2 documents", "the same on both sides")
	if err := os.Rename(filepath.Join(here, "sandbox"), filepath.Join(back, "sandbox")); err != nil {
		t.Fatal(err)
	}
	set["DATA_DIR"], set["MONGODB_URI"] = back, ""
	s = serve(t, set)
	s.wantOrder(first)
	s.wantOrder(second)
	s.buy("mug-7")
	if _, units := s.stock("mug-7"); units != 6 {
		t.Errorf("%d units, want 6", units)
	}
	s.stop()
	run(t, set, "check").want(0, "1150 SKUs", "3 orders", "3 payments")
}
