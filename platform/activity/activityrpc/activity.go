// Package activityrpc carries what services count between processes.
package activityrpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"ordergraph/platform/activity"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
)

// Contract is how the counts of one of the shop's services are reached from
// another process, under a name of their own: "ordergraph.order.v1.Activity".
func Contract(service string) host.Contract[activity.Board] {
	name := "ordergraph." + service + ".v1.Activity"
	return host.Contract[activity.Board]{
		Name:    service + "-activity",
		Of:      service,
		Service: name,
		Serve: func(to grpc.ServiceRegistrar, impl activity.Board) {
			desc := Activity_ServiceDesc
			desc.ServiceName = name
			to.RegisterService(&desc, server{board: impl})
		},
		Dial:       func(conn grpc.ClientConnInterface) activity.Board { return client{conn, "/" + name + "/"} },
		Repeatable: []string{"Read"},
	}
}

type server struct {
	UnimplementedActivityServer
	board activity.Board
}

func (s server) Read(ctx context.Context, req *ReadRequest) (*Report, error) {
	report, err := s.board.Read(ctx, host.CallerOf(ctx), wire.ToTime(req.GetFrom()))
	if err != nil {
		return nil, err
	}
	return &Report{Version: report.Version, Minutes: wire.Each(report.Minutes, func(m activity.Minute) *Minute {
		return &Minute{At: wire.FromTime(m.At), Counts: wire.Each(m.Counts, func(c activity.Count) *Count {
			return &Count{Name: c.Name, Label: c.Label, N: c.N, Took: wire.Each(c.Took, func(b activity.Bucket) *Bucket {
				return &Bucket{Place: b.Place, N: b.N}
			})}
		})}
	})}, nil
}

type client struct {
	conn grpc.ClientConnInterface
	path string
}

func (c client) Read(ctx context.Context, who identity.Caller, from time.Time) (activity.Report, error) {
	var resp Report
	if err := c.conn.Invoke(host.WithCaller(ctx, who), c.path+"Read", &ReadRequest{From: wire.FromTime(from)}, &resp); err != nil {
		return activity.Report{}, err
	}
	return activity.Report{Version: resp.GetVersion(), Minutes: wire.Each(resp.GetMinutes(), func(m *Minute) activity.Minute {
		return activity.Minute{At: wire.ToTime(m.GetAt()), Counts: wire.Each(m.GetCounts(), func(c *Count) activity.Count {
			return activity.Count{Name: c.GetName(), Label: c.GetLabel(), N: c.GetN(), Took: wire.Each(c.GetTook(), func(b *Bucket) activity.Bucket {
				return activity.Bucket{Place: b.GetPlace(), N: b.GetN()}
			})}
		})}
	})}, nil
}
