package mongoserver

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// A Proxy stands between a client and the server and does what networks do:
// it breaks connections, goes away and comes back, and loses answers.
type Proxy struct {
	URI string // leads to the server by way of the proxy

	target string
	addr   string

	mu       sync.Mutex
	listener net.Listener // nil while the server is away
	conns    map[net.Conn]bool
	lose     func(command string, body bson.Raw) Loss
	running  sync.WaitGroup
}

// Loss is how the answer to a command that the server has carried out is lost.
type Loss int

const (
	Deliver Loss = iota // not at all
	Cut                 // the connection breaks
	Silence             // nothing arrives any more on it
)

// NewProxy starts a proxy to the server at uri, for the time of the test.
func NewProxy(t testing.TB, uri string) *Proxy {
	t.Helper()
	p := &Proxy{target: primary(t, uri), conns: map[net.Conn]bool{}}
	p.addr = "127.0.0.1:0"
	p.Up(t)

	through, err := url.Parse(uri)
	if err != nil {
		t.Fatal("MONGODB_URI cannot be led through a proxy: name one host")
	}
	through.Scheme, through.Host = "mongodb", p.addr
	query := through.Query()
	if query.Get("tls") == "true" || query.Get("ssl") == "true" {
		t.Skip("the proxy cannot look into an encrypted connection")
	}
	query.Del("replicaSet")
	query.Set("directConnection", "true")
	through.RawQuery = query.Encode()
	if through.Path == "" {
		through.Path = "/"
	}
	p.URI = through.String()
	t.Cleanup(func() {
		p.Down()
		p.running.Wait()
	})
	return p
}

// primary is the address of the server that takes the writes.
func primary(t testing.TB, uri string) string {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal("MONGODB_URI cannot be understood")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer func() { _ = client.Disconnect(ctx) }()
	var hello struct {
		Primary string `bson:"primary"`
	}
	if err := client.Database("admin").RunCommand(ctx, bson.D{{Key: "isMaster", Value: 1}}).Decode(&hello); err != nil {
		t.Fatal(err)
	}
	if hello.Primary != "" {
		return hello.Primary
	}
	_, rest, _ := strings.Cut(uri, "://")
	rest = rest[strings.LastIndex(rest, "@")+1:]
	host, _, _ := strings.Cut(rest, "/")
	if !strings.Contains(host, ":") {
		host += ":27017"
	}
	return host
}

// Lose decides, from now on, which answers are lost: choose is called for
// every command a client sends, once the server has answered it. nil loses none.
func (p *Proxy) Lose(choose func(command string, body bson.Raw) Loss) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = choose
}

// LoseNext loses the answer to the next command of that name.
func (p *Proxy) LoseNext(name string, how Loss) {
	var once sync.Once
	p.Lose(func(command string, _ bson.Raw) (loss Loss) {
		if command == name {
			once.Do(func() { loss = how })
		}
		return loss
	})
}

// Break breaks all connections there are. New ones are welcome.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breakAll()
}

func (p *Proxy) breakAll() {
	for conn := range p.conns {
		_ = conn.Close()
	}
	clear(p.conns)
}

// Down takes the server away.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.breakAll()
}

// Up brings the server back, under the same address.
func (p *Proxy) Up(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener, p.addr = listener, listener.Addr().String()
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.serve(client, listener) })
		}
	})
}

func (p *Proxy) serve(client net.Conn, of net.Listener) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", p.target, 30*time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if p.listener != of { // gone away meanwhile
		p.mu.Unlock()
		return
	}
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, client)
		delete(p.conns, server)
	}()

	asked := make(chan message, 16)
	p.running.Go(func() {
		defer close(asked)
		defer server.Close()
		in := bufio.NewReader(client)
		for {
			m, err := receive(in)
			if err != nil {
				return
			}
			if m.expectsAnswer() {
				asked <- m
			}
			if _, err := server.Write(m); err != nil {
				return
			}
		}
	})
	// Clients of MongoDB ask one thing at a time on a connection, so answers
	// come in the order of the questions.
	in, silent := bufio.NewReader(server), false
	for {
		answer, err := receive(in)
		if err != nil {
			return
		}
		question, ok := <-asked
		if !ok {
			return
		}
		p.mu.Lock()
		lose := p.lose
		p.mu.Unlock()
		if name, body, ok := question.command(); ok && lose != nil {
			switch lose(name, body) {
			case Cut:
				return
			case Silence:
				silent = true
			}
		}
		if silent {
			continue
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

// A message is one of MongoDB's wire protocol, with its header: length,
// request id, id of the request it answers, operation; 32 bits each.
// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
type message []byte

const headerSize, opMsg = 16, 2013

func receive(r io.Reader) (message, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n < headerSize || n > 64<<20 {
		return nil, io.ErrUnexpectedEOF
	}
	m := make(message, n)
	copy(m, length[:])
	_, err := io.ReadFull(r, m[4:])
	return m, err
}

func (m message) isOpMsg() bool {
	return len(m) > headerSize+5 && binary.LittleEndian.Uint32(m[12:]) == opMsg
}

func (m message) expectsAnswer() bool {
	const moreToCome = 1 << 1
	return !m.isOpMsg() || binary.LittleEndian.Uint32(m[headerSize:])&moreToCome == 0
}

// command is the message's command, without the documents that are sent apart
// from it.
func (m message) command() (name string, body bson.Raw, ok bool) {
	for rest := []byte(m)[min(len(m), headerSize+4):]; m.isOpMsg() && len(rest) > 5; {
		kind, size := rest[0], binary.LittleEndian.Uint32(rest[1:])
		if int(size) > len(rest)-1 {
			break
		}
		if kind == 0 {
			body = bson.Raw(rest[1 : 1+size])
			first, err := body.IndexErr(0)
			return first.Key(), body, err == nil
		}
		rest = rest[1+size:]
	}
	return "", nil, false
}
