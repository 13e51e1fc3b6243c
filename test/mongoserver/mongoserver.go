// Package mongoserver gives tests a server that speaks MongoDB's protocol:
// the one they were told of, or one of their own that goes when they go.
//
// It takes the first of these that is to be had:
//
//  1. the server in the environment variable MONGODB_URI;
//  2. a mongod on the PATH, started as a replica set of one in a directory of
//     its own;
//  3. mongo-java-server, an independent implementation that keeps everything
//     in memory, where java and mvn are on the PATH. Maven fetches it from
//     Maven Central once; it is kept in the user's cache directory.
//
// Nothing of it is part of the product.
package mongoserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// Required is the environment variable that, set to 1, makes tests fail where
// they would be skipped because no server is to be had.
const Required = "ORDERGRAPH_REQUIRE_MONGO"

// ErrNone says that there is no server, and how to get one.
var ErrNone = errors.New("no MongoDB server to test with: set MONGODB_URI to one that may be written to," +
	" or put mongod on the PATH, or install Java 17 (a JDK) and Maven (Debian: apt install openjdk-17-jdk-headless maven)")

// A Server is a running server.
type Server struct {
	URI   string
	About string // what it is, for people; without credentials
	stop  func()
}

// Stop ends the server if Launch has started it.
func (s *Server) Stop() {
	if s.stop != nil {
		s.stop()
	}
}

// Launch finds or starts a server; ErrNone where there is none.
func Launch(ctx context.Context) (*Server, error) {
	if uri := os.Getenv("MONGODB_URI"); uri != "" {
		version, err := await(ctx, uri, nil)
		if err != nil {
			return nil, fmt.Errorf("the server in MONGODB_URI: %w", err)
		}
		return &Server{URI: uri, About: "MongoDB " + version + " of MONGODB_URI"}, nil
	}
	server, err := mongod(ctx)
	if err == nil && server == nil {
		if server, err = javaServer(ctx); err != nil {
			err = fmt.Errorf("%w; %w", ErrNone, err)
		}
	}
	if err == nil && server == nil {
		err = ErrNone
	}
	return server, err
}

// shared is the one server of this test binary. It ends with the process.
var shared = sync.OnceValues(func() (*Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	return Launch(ctx)
})

// Start gives the server that all tests of this binary share, and says what
// it is. Where none is to be had the test is skipped, or fails if Required is
// set.
func Start(t testing.TB) (uri, about string) {
	t.Helper()
	server, err := shared()
	switch {
	case err == nil:
		t.Logf("MongoDB server: %s", server.About)
		return server.URI, server.About
	case errors.Is(err, ErrNone) && os.Getenv(Required) != "1":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
	return "", ""
}

// Database names a database of the test's own, and drops it when the test
// has ended.
func Database(t testing.TB, uri string) string {
	t.Helper()
	name := "ordergraph_test_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		client, err := mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(30 * time.Second))
		if err != nil {
			return
		}
		defer func() { _ = client.Disconnect(ctx) }()
		if err := client.Database(name).Drop(ctx); err != nil {
			t.Logf("database %s stays behind: %v", name, err)
		}
	})
	return name
}

// await waits until the server answers and returns its version. ended tells
// of a server that will never answer.
func await(ctx context.Context, uri string, ended <-chan struct{}) (version string, err error) {
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(time.Second).SetConnectTimeout(time.Second))
	if err != nil {
		return "", errors.New("its URI cannot be understood")
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		var info struct {
			Version string `bson:"version"`
		}
		err := client.Ping(ctx, readpref.Primary())
		if err == nil {
			err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&info)
		}
		if err == nil {
			return info.Version, nil
		}
		var refused mongo.ServerError
		if errors.As(err, &refused) && ended == nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("it does not answer: %w", err)
		case <-ended:
			return "", errors.New("it has ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
