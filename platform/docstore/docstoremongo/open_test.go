package docstoremongo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/test/child"
	"ordergraph/test/mongoserver"
)

func TestMongoOpenSaysWhatIsWrong(t *testing.T) {
	port, err := child.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	nobody := fmt.Sprintf("127.0.0.1:%d", port)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for _, test := range []struct {
		uri, database string
		want          error
		says          string
	}{
		{"", "shop", docstoremongo.ErrURI, "mongodb://"},
		{"localhost:27017", "shop", docstoremongo.ErrURI, "must begin with"},
		{"http://localhost", "shop", docstoremongo.ErrURI, "must begin with"},
		{"mongodb://", "shop", docstoremongo.ErrURI, "host"},
		{"mongodb://" + nobody + "/?w=-3", "shop", docstoremongo.ErrURI, ""},
		{"mongodb://u:hunter2@" + nobody + "/?authMechanism=NONE", "shop", docstoremongo.ErrURI, ""},
		{"mongodb://u:hunter2@@" + nobody + "/", "shop", docstoremongo.ErrURI, "%40"},
		{"mongodb://u:hun/ter2@" + nobody + "/", "shop", docstoremongo.ErrURI, "%"},
		{"mongodb://u:hunter2%zz@" + nobody + "/", "shop", docstoremongo.ErrURI, "%"},
		{"mongodb://" + nobody, "", docstoremongo.ErrURI, "database"},
		{"mongodb://" + nobody, "a/b", docstoremongo.ErrURI, "database"},
		{"mongodb://u:hunter2@" + nobody, "shop", docstore.ErrUnavailable, "connection refused"},
		{"mongodb://u:hunter2@" + silent.Addr().String(), "shop", docstore.ErrUnavailable, "Is the server running"},
		{"mongodb+srv://u:hunter2@nohost.invalid/", "shop", docstore.ErrUnavailable, "nohost.invalid"},
		{"mongodb://u:hunter2@" + nobody + "/?replicaSet=rs", "shop", docstore.ErrUnavailable, nobody},
	} {
		t.Run(test.uri, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			_, err := docstoremongo.Open(t.Context(), test.uri, test.database,
				docstoremongo.Options{ConnectWithin: 3 * time.Second, Log: logInto(&log)})
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %v that says %q", err, test.want, test.says)
			}
			if text := fmt.Sprint(err) + log.String(); strings.Contains(text, "hun") || strings.Contains(text, "ter2") {
				t.Errorf("the password shows: %s", text)
			}
		})
	}
}

func TestMongoOpenRefused(t *testing.T) {
	uri, about := mongoserver.Start(t)
	proxy := mongoserver.NewProxy(t, uri)
	_, rest, _ := strings.Cut(proxy.URI, "://")
	rest = rest[strings.LastIndex(rest, "@")+1:]
	_, err := docstoremongo.Open(t.Context(), "mongodb://nobody:hunter2@"+rest, mongoserver.Database(t, uri), docstoremongo.Options{})
	if !errors.Is(err, docstoremongo.ErrRefused) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%s: got %v, want ErrRefused", about, err)
	}
	t.Log(err)
}

func TestMongoOpenIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := docstoremongo.Open(ctx, "mongodb://127.0.0.1:1", "shop", docstoremongo.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMongoDuplicateKeyIsNotTold(t *testing.T) {
	uri, _ := mongoserver.Start(t)
	c := openShelves(t, uri, mongoserver.Database(t, uri), docstoremongo.Options{})
	insertShelf(t, c, "a", 1)
	err := c.Insert(t.Context(), &shelf{Meta: docstore.Meta{ID: "b"}, Label: "a"})
	if !errors.Is(err, docstore.ErrDuplicate) || strings.Contains(err.Error(), `"a"`) {
		t.Errorf("got %v", err)
	}
	err = c.Load(t.Context(), []shelf{{Meta: docstore.Meta{ID: "c"}, Label: "a"}})
	if !errors.Is(err, docstore.ErrDuplicate) || strings.Contains(err.Error(), `"a"`) {
		t.Errorf("got %v", err)
	}
}
