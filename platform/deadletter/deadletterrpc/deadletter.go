// Package deadletterrpc carries dead letters between processes.
package deadletterrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
)

// Contract is how the dead letters of one of the shop's services are reached
// from another process. One process may have those of many services, so each
// is served under a name of its own: "ordergraph.order.v1.DeadLetters".
func Contract(service string) host.Contract[deadletter.Letters] {
	name := "ordergraph." + service + ".v1.DeadLetters"
	return host.Contract[deadletter.Letters]{
		Name:    service + "-deadletters",
		Of:      service,
		Service: name,
		Serve: func(to grpc.ServiceRegistrar, impl deadletter.Letters) {
			desc := DeadLetters_ServiceDesc
			desc.ServiceName = name
			to.RegisterService(&desc, server{letters: impl})
		},
		Dial:       func(conn grpc.ClientConnInterface) deadletter.Letters { return client{conn, "/" + name + "/"} },
		Repeatable: []string{"List", "Get", "Replay", "About"},
	}
}

type server struct {
	UnimplementedDeadLettersServer
	letters deadletter.Letters
}

func (s server) List(ctx context.Context, req *ListRequest) (*ListResponse, error) {
	page, err := s.letters.List(ctx, host.CallerOf(ctx), deadletter.Query{
		Service: req.GetService(), Kind: deadletter.Kind(req.GetKind()), After: req.GetAfter(), Limit: int(req.GetLimit()),
	})
	if err != nil {
		return nil, err
	}
	return &ListResponse{Letters: wire.Each(page.Letters, to), Cursors: page.Cursors, HasMore: page.HasMore, Missing: page.Missing}, nil
}

func (s server) Get(ctx context.Context, req *LetterRequest) (*Letter, error) {
	l, err := s.letters.Get(ctx, host.CallerOf(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return to(l), nil
}

func (s server) Replay(ctx context.Context, req *LetterRequest) (*Done, error) {
	return &Done{}, s.letters.Replay(ctx, host.CallerOf(ctx), req.GetId())
}

func (s server) Drop(ctx context.Context, req *LetterRequest) (*Done, error) {
	return &Done{}, s.letters.Drop(ctx, host.CallerOf(ctx), req.GetId())
}

func (s server) About(ctx context.Context, req *AboutRequest) (*Report, error) {
	report, err := s.letters.About(ctx, host.CallerOf(ctx), req.GetKey())
	if err != nil {
		return nil, err
	}
	return &Report{Missing: report.Missing, Facts: wire.Each(report.Facts, func(u deadletter.Undelivered) *Undelivered {
		return &Undelivered{
			Id: u.ID, Service: u.Service, Type: u.Type, At: wire.FromTime(u.At), Awaiting: u.Awaiting, Dead: u.Dead, Attempts: int64(u.Attempts),
		}
	})}, nil
}

type client struct {
	conn grpc.ClientConnInterface
	path string
}

func (c client) List(ctx context.Context, who identity.Caller, q deadletter.Query) (deadletter.Page, error) {
	var resp ListResponse
	req := &ListRequest{Service: q.Service, Kind: string(q.Kind), After: q.After, Limit: int64(q.Limit)}
	if err := c.conn.Invoke(host.WithCaller(ctx, who), c.path+"List", req, &resp); err != nil {
		return deadletter.Page{}, err
	}
	return deadletter.Page{Letters: wire.Each(resp.GetLetters(), from), Cursors: resp.GetCursors(), HasMore: resp.GetHasMore(), Missing: resp.GetMissing()}, nil
}

func (c client) Get(ctx context.Context, who identity.Caller, id string) (deadletter.Letter, error) {
	var resp Letter
	if err := c.conn.Invoke(host.WithCaller(ctx, who), c.path+"Get", &LetterRequest{Id: id}, &resp); err != nil {
		return deadletter.Letter{}, err
	}
	return from(&resp), nil
}

func (c client) Replay(ctx context.Context, who identity.Caller, id string) error {
	return c.conn.Invoke(host.WithCaller(ctx, who), c.path+"Replay", &LetterRequest{Id: id}, &Done{})
}

func (c client) Drop(ctx context.Context, who identity.Caller, id string) error {
	return c.conn.Invoke(host.WithCaller(ctx, who), c.path+"Drop", &LetterRequest{Id: id}, &Done{})
}

func (c client) About(ctx context.Context, who identity.Caller, key string) (deadletter.Report, error) {
	var resp Report
	if err := c.conn.Invoke(host.WithCaller(ctx, who), c.path+"About", &AboutRequest{Key: key}, &resp); err != nil {
		return deadletter.Report{}, err
	}
	return deadletter.Report{Missing: resp.GetMissing(), Facts: wire.Each(resp.GetFacts(), func(u *Undelivered) deadletter.Undelivered {
		return deadletter.Undelivered{
			ID: u.GetId(), Service: u.GetService(), Type: u.GetType(), At: wire.ToTime(u.GetAt()), Awaiting: u.GetAwaiting(), Dead: u.GetDead(), Attempts: int(u.GetAttempts()),
		}
	})}, nil
}

func to(l deadletter.Letter) *Letter {
	return &Letter{
		Id: l.ID, Service: l.Service, Kind: string(l.Kind), Key: l.Key, Type: l.Type, Listener: l.Listener, DeadAt: wire.FromTime(l.DeadAt),
		Attempts: wire.Each(l.Attempts, func(a deadletter.Attempt) *Attempt {
			return &Attempt{At: wire.FromTime(a.At), Outcome: a.Outcome}
		}),
	}
}

func from(l *Letter) deadletter.Letter {
	return deadletter.Letter{
		ID: l.GetId(), Service: l.GetService(), Kind: deadletter.Kind(l.GetKind()), Key: l.GetKey(), Type: l.GetType(), Listener: l.GetListener(),
		Attempts: wire.Each(l.GetAttempts(), func(a *Attempt) deadletter.Attempt {
			return deadletter.Attempt{At: wire.ToTime(a.GetAt()), Outcome: a.GetOutcome()}
		}),
		DeadAt: wire.ToTime(l.GetDeadAt()),
	}
}
