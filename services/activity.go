package services

import (
	"context"
	"fmt"

	"ordergraph/platform/activity"
	"ordergraph/platform/activity/activityrpc"
	"ordergraph/platform/docstore"
	"ordergraph/platform/host"
)

// counting are the services that count what the shop is doing.
var counting = []string{"cart", "order"}

// count opens the counts of a service of this process, and gives them to
// callers here and in other processes.
func (g *Ground) count(ctx context.Context, service string, store docstore.Store) (*activity.Recorder, error) {
	counts, err := activity.Open(ctx, activity.Options{Store: store, Now: g.Now, Log: g.log(service)})
	if err != nil {
		return nil, err
	}
	g.Host.OnClose(service+"'s activity", counts.Close)
	g.Host.Work(service+"'s activity", counts.Run)
	host.Provide(g.Host, activityrpc.Contract(service), activity.Board(counts))
	return counts, nil
}

// Activity is what all services that count have counted, wherever they run.
func Activity(h *host.Host) (activity.Board, error) {
	var all activity.Boards
	for _, name := range counting {
		board, err := host.Use(h, activityrpc.Contract(name))
		if err != nil {
			return nil, fmt.Errorf("the shop's activity: %w", err)
		}
		all = append(all, board)
	}
	return all, nil
}
