// Package docstoremongo keeps the documents of docstore on a MongoDB server,
// so that many copies of a service can share them.
//
// It uses a handful of commands only (find, insert, update, delete, the three
// for indexes, ping), and needs MongoDB 4.4 or later. Writes are answered when
// a majority of the servers has them in its journal, and reads see only such
// writes.
package docstoremongo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"ordergraph/platform/docstore"
)

// Options are the ways of a Store. The zero value is right for a shop.
type Options struct {
	Log *slog.Logger // nil: slog.Default()
	// AnswerWithin is how long one command may take before its answer counts
	// as lost. 0 means 10 s.
	AnswerWithin time.Duration
	// SettleWithin is how long the outcome of a write whose answer was lost is
	// looked for, if the caller's deadline leaves so much. 0 means 60 s.
	SettleWithin time.Duration
	// ConnectWithin is how long a server is looked for, at Open and when it
	// has gone away. 0 means 5 s.
	ConnectWithin time.Duration
	// Monitor, if set, is told of every command once it is on its way.
	Monitor func(ctx context.Context, command string)
}

// A Store is one database on a MongoDB server.
type Store struct {
	client *mongo.Client
	db     *mongo.Database
	// settling is a second client, with connections of its own, made when it
	// is first needed. The driver leaves a server alone for half a second
	// after a connection to it broke; by then others may have written so often
	// that the outcome of our own write cannot be told any more.
	settling func() (*mongo.Database, error)
	hangUp   func(context.Context) error

	log           *slog.Logger
	answerWithin  time.Duration
	settleWithin  time.Duration
	connectWithin time.Duration
}

var _ docstore.Store = (*Store)(nil)

// Open connects to the server that uri names and makes sure that the database
// can be read. It answers ErrURI, ErrRefused or docstore.ErrUnavailable, each
// saying what to do; the URI's password is in none of them.
func Open(ctx context.Context, uri, database string, o Options) (*Store, error) {
	s := &Store{
		log:           o.Log,
		answerWithin:  or(o.AnswerWithin, 10*time.Second),
		settleWithin:  or(o.SettleWithin, time.Minute),
		connectWithin: or(o.ConnectWithin, 5*time.Second),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if database == "" || len(database) > 63 || strings.ContainsAny(database, "/\\. \"$*<>:|?\x00") {
		return nil, fmt.Errorf("%w (%q is not a name that MongoDB allows for a database)", ErrURI, database)
	}
	if err := checkURI(uri); err != nil {
		return nil, err
	}
	journaled := true
	config := options.Client().ApplyURI(uri).
		SetAppName("ordergraph").
		SetReadPreference(readpref.Primary()).
		SetReadConcern(readconcern.Majority()).
		SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journaled}).
		SetRetryReads(true).
		SetRetryWrites(true). // the driver leaves it where the server has no such thing
		SetServerSelectionTimeout(s.connectWithin).
		SetMonitor(noteSent(o.Monitor))
	if config.ConnectTimeout == nil || *config.ConnectTimeout > s.connectWithin {
		config.SetConnectTimeout(s.connectWithin)
	}
	client, err := mongo.Connect(config)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", ErrURI, withoutSecrets(uri, err.Error()))
	}
	s.client, s.db = client, client.Database(database)
	s.settling, s.hangUp = second(config, database)

	// A ping needs no rights; a read does.
	ctx, cancel := context.WithTimeout(ctx, s.connectWithin+s.answerWithin)
	defer cancel()
	if err := s.db.Collection(specsName).FindOne(ctx, bson.D{}).Err(); err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		_ = client.Disconnect(context.WithoutCancel(ctx))
		return nil, s.explain(ctx, uri, err)
	}
	return s, nil
}

// second makes another client when it is first asked for; hangUp ends it, and
// keeps it from being made.
func second(config *options.ClientOptions, database string) (get func() (*mongo.Database, error), hangUp func(context.Context) error) {
	var mu sync.Mutex
	var client *mongo.Client
	var closed bool
	get = func() (_ *mongo.Database, err error) {
		mu.Lock()
		defer mu.Unlock()
		if closed {
			return nil, errClosed
		}
		if client == nil {
			if client, err = mongo.Connect(config); err != nil {
				return nil, err
			}
		}
		return client.Database(database), nil
	}
	hangUp = func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if closed = true; client == nil {
			return nil
		}
		return client.Disconnect(ctx)
	}
	return get, hangUp
}

func or(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

// Ping is nil while there is a primary server that answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(ctx context.Context) error { return s.client.Ping(ctx, readpref.Primary()) })
}

// Close waits for commands in flight, up to 10 s, and hangs up.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(s.hangUp(ctx), s.client.Disconnect(ctx))
	if errors.Is(err, mongo.ErrClientDisconnected) { // closed before
		return nil
	}
	return err
}
