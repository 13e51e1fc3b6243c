package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A socket is one client's connection: as little of RFC 6455 and of
// graphql-transport-ws as it takes, because ten thousand of them share the
// machine with the server they measure.
type socket struct {
	conn    net.Conn
	in      *bufio.Reader
	payload []byte // of the message read last
	writing []byte
}

// patience is how long anything may take that is waited for.
const patience = time.Minute

const (
	textFrame  = 0x1
	closeFrame = 0x8
	pingFrame  = 0x9
	pongFrame  = 0xa
)

// dial connects from a loopback address of our own, since a server admits only
// so many connections from one, and one has only so many ports.
func dial(ctx context.Context, from net.IP, to string) (*socket, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: patience}
	conn, err := dialer.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, in: bufio.NewReaderSize(conn, 1<<10)}
	if err := s.upgrade(to); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *socket) upgrade(host string) error {
	if err := s.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(s.conn, "GET /graphql HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-WebSocket-Protocol") != "graphql-transport-ws" {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("upgrade: %s: %s", resp.Status, body)
	}
	return s.conn.SetDeadline(time.Time{})
}

// send writes a frame of at most 65,535 bytes. Its mask is zero, which leaves
// the payload as it is.
func (s *socket) send(kind byte, payload []byte) error {
	b := append(s.writing[:0], 0x80|kind)
	if len(payload) < 126 {
		b = append(b, 0x80|byte(len(payload)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload)))
	}
	b = append(b, 0, 0, 0, 0)
	s.writing = append(b, payload...)
	_, err := s.conn.Write(s.writing)
	return err
}

// receive is the next message, which is good until the next call. It answers
// pings on the way.
func (s *socket) receive() ([]byte, error) {
	s.payload = s.payload[:0]
	for {
		head, err := s.in.Peek(2)
		if err != nil {
			return nil, err
		}
		last, kind, size := head[0]&0x80 != 0, head[0]&0xf, int(head[1])
		header := 2
		switch size {
		case 126:
			header = 4
		case 127:
			header = 10
		}
		if head, err = s.in.Peek(header); err != nil {
			return nil, err
		}
		switch size {
		case 126:
			size = int(binary.BigEndian.Uint16(head[2:]))
		case 127:
			size = int(min(binary.BigEndian.Uint64(head[2:]), 1<<30))
		}
		if size > 1<<20 {
			return nil, fmt.Errorf("a frame of %d bytes", size)
		}
		_, _ = s.in.Discard(header)
		start := len(s.payload)
		if cap(s.payload) < start+size {
			s.payload = append(make([]byte, 0, start+size+64), s.payload...)
		}
		s.payload = s.payload[:start+size]
		if _, err := io.ReadFull(s.in, s.payload[start:]); err != nil {
			return nil, err
		}
		switch kind {
		case closeFrame:
			return nil, fmt.Errorf("the server closed the socket: %q", s.payload[start:])
		case pingFrame:
			if err := s.send(pongFrame, s.payload[start:]); err != nil {
				return nil, err
			}
			s.payload = s.payload[:start]
			continue
		case pongFrame:
			s.payload = s.payload[:start]
			continue
		}
		if !last {
			continue
		}
		if bytes.HasPrefix(s.payload, []byte(`{"type":"ping"`)) {
			if err := s.send(textFrame, []byte(`{"type":"pong"}`)); err != nil {
				return nil, err
			}
			s.payload = s.payload[:0]
			continue
		}
		return s.payload, nil
	}
}

// statusQuery is what a page that shows an order's way asks for.
const statusQuery = `subscription ($id: ID!, $token: String) { orderStatus(orderId: $id, accessToken: $token) {
	id number version status updatedAt timeline { status at cause } totals { totalAmount { amount currencyCode } } } }`

// watch begins both subscriptions of a client: its own order, and the one
// that everybody watches.
func (s *socket) watch(own, all *watched) error {
	if err := s.send(textFrame, []byte(`{"type":"connection_init"}`)); err != nil {
		return err
	}
	message, err := s.receive()
	if err != nil {
		return fmt.Errorf("connection_init: %w", err)
	}
	if !bytes.Contains(message, []byte(`"type":"connection_ack"`)) {
		return fmt.Errorf("connection_init was answered with %.300s", message)
	}
	for id, o := range map[string]*watched{ownStream: own, allStream: all} {
		text, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{
			"query": statusQuery, "variables": map[string]any{"id": o.global, "token": o.token}}})
		if err != nil {
			return err
		}
		if err := s.send(textFrame, text); err != nil {
			return err
		}
	}
	return nil
}

// The ids of a client's two subscriptions.
const (
	ownStream = "own"
	allStream = "all"
)

// event reads an event of a subscription. Most are only looked through, so
// that the clients take little of the machine.
func event(message []byte, thorough bool) (stream string, version int64, err error) {
	_, rest, ok := bytes.Cut(message, []byte(`"version":`))
	if !ok || !bytes.Contains(message, []byte(`"type":"next"`)) {
		return "", 0, fmt.Errorf("unexpected message: %.300s", message)
	}
	end := bytes.IndexAny(rest, ",}")
	if version, err = strconv.ParseInt(string(rest[:max(end, 0)]), 10, 64); err != nil {
		return "", 0, fmt.Errorf("unexpected message: %w: %.300s", err, message)
	}
	switch {
	case bytes.Contains(message, []byte(`"id":"`+ownStream+`"`)):
		stream = ownStream
	case bytes.Contains(message, []byte(`"id":"`+allStream+`"`)):
		stream = allStream
	default:
		return "", 0, fmt.Errorf("an event of no subscription: %.300s", message)
	}
	if thorough && !json.Valid(message) {
		return "", 0, fmt.Errorf("this is not JSON: %.300s", message)
	}
	return stream, version, nil
}

// leave says goodbye and closes.
func (s *socket) leave() {
	goodbye := socket{conn: s.conn} // the other one's buffer may be in use
	_ = s.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = goodbye.send(closeFrame, []byte{0x03, 0xe8}) // 1000
	_ = s.conn.Close()
}

// gone reports whether the connection ended because we closed it.
func gone(err error) bool { return errors.Is(err, net.ErrClosed) }
