package mongoserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ordergraph/test/child"
)

const mongodDirs = "ordergraph-mongod-" // and the id of the process that uses it

// mongod starts the mongod on the PATH as a replica set of one, because only
// a replica set has retryable writes and majority reads; nil where there is
// none.
func mongod(ctx context.Context) (*Server, error) {
	program, err := exec.LookPath("mongod")
	if err != nil {
		return nil, nil
	}
	removeAbandoned()
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", mongodDirs, os.Getpid()))
	if err != nil {
		return nil, err
	}
	for range 3 { // somebody may take the port first
		var server *Server
		if server, err = startMongod(ctx, program, dir); err == nil {
			return server, nil
		}
	}
	_ = os.RemoveAll(dir)
	return nil, fmt.Errorf("%s: %w", program, err)
}

func startMongod(ctx context.Context, program, dir string) (*Server, error) {
	port, err := child.FreePort()
	if err != nil {
		return nil, err
	}
	logFile := filepath.Join(dir, "mongod.log")
	process, err := child.Start(exec.Command(program, "--dbpath", dir, "--port", strconv.Itoa(port),
		"--bind_ip", "127.0.0.1", "--replSet", "ordergraph", "--logpath", logFile, "--wiredTigerCacheSizeGB", "0.5"))
	if err != nil {
		return nil, err
	}
	stop := func() {
		process.Stop(10 * time.Second)
		_ = os.RemoveAll(dir)
	}
	direct := fmt.Sprintf("mongodb://127.0.0.1:%d/?directConnection=true", port)
	if err := initiate(ctx, direct, port, process.Done()); err != nil {
		process.Kill()
		return nil, err
	}
	uri := fmt.Sprintf("mongodb://127.0.0.1:%d/?replicaSet=ordergraph", port)
	version, err := await(ctx, uri, process.Done())
	if err != nil {
		process.Kill()
		return nil, err
	}
	return &Server{URI: uri, About: "mongod " + version + ", a replica set of one (" + program + ")", stop: stop}, nil
}

// initiate makes a replica set of the new server, once it listens.
func initiate(ctx context.Context, uri string, port int, ended <-chan struct{}) error {
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(time.Second))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	command := bson.D{{Key: "replSetInitiate", Value: bson.D{
		{Key: "_id", Value: "ordergraph"},
		{Key: "members", Value: bson.A{bson.D{{Key: "_id", Value: 0}, {Key: "host", Value: fmt.Sprintf("127.0.0.1:%d", port)}}}},
	}}}
	for {
		err := client.Database("admin").RunCommand(ctx, command).Err()
		var refused mongo.ServerError
		const alreadyInitialized = 23
		if err == nil || errors.As(err, &refused) && refused.HasErrorCode(alreadyInitialized) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it cannot be made a replica set: %w", err)
		case <-ended:
			return errors.New("it has ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// removeAbandoned removes the directories of test programs that were killed.
func removeAbandoned() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), mongodDirs+"*"))
	for _, dir := range dirs {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), mongodDirs), "-")
		pid, err := strconv.Atoi(owner)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}
