package events

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/host"
)

// slowly is a Redis that takes up calls of many commands when it is let.
type slowly struct{ begun, let chan struct{} }

func (s *slowly) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (s *slowly) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s *slowly) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		select {
		case s.begun <- struct{}{}:
		default: // a call within it, by which the client greets the server
		}
		<-s.let
		return next(ctx, commands)
	}
}

// Who gives a lane back waits until all that was reported of it is told, by
// whomever: its next reader would take the facts once more.
func TestALaneIsGivenBackWhenItsReportsAreTold(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	redis := slowly{make(chan struct{}, 1), make(chan struct{})}
	client.AddHook(&redis)
	l := listener{Bus: NewBus(client, nil), topic: "things", group: "one", owned: map[int]*lane{}, reported: make(chan struct{}, 1)}
	done := make(chan struct{})
	close(done)
	l.owned[3] = &lane{stop: func() {}, done: done} // its worker has ended
	l.report(report{lane: 3, entry: "1-0", doc: "thing", fact: "thing:1:counted"})
	told, given := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		l.tellAll(t.Context())
	}()
	<-redis.begun
	go func() {
		defer close(given)
		l.drop(t.Context(), 3)
	}()
	select {
	case <-given:
		t.Error("given back while its report is being told")
	case <-time.After(200 * time.Millisecond): // it is not, however long this takes
	}
	close(redis.let)
	<-told
	<-given
	if n := client.XLen(t.Context(), confirmations("things")).Val(); n != 1 {
		t.Errorf("%d reports were told", n)
	}
}

// What a relay has gathered is noted before its host closes the stores: workers
// have a quarter of the time that it takes to stop.
func TestNotesAreMadeBeforeStoresClose(t *testing.T) {
	if noteWithin >= host.StopWithin/4 {
		t.Errorf("%v, of %v", noteWithin, host.StopWithin)
	}
}
