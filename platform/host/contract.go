package host

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"ordergraph/platform/identity"
)

// A Contract says how one service is reached from another process. Its
// service's …rpc package declares it, once.
type Contract[S any] struct {
	Name    string // "inventory": as in `serve inventory` and INVENTORY_ADDR
	Of      string // the service in whose process it is, where that has another name than Name
	Service string // the gRPC service's full name: "ordergraph.inventory.v1.Inventory"
	// Serve registers impl with a gRPC server.
	Serve func(to grpc.ServiceRegistrar, impl S)
	// Dial is a client that looks just like the service.
	Dial func(conn grpc.ClientConnInterface) S
	// Repeatable names the methods that are reads or idempotent by a key, and
	// so may be sent again when the other side cannot be reached. Others are
	// sent once, and wait a little for a connection.
	Repeatable []string
}

// serviceConfig is gRPC's own, in JSON: repeatable methods are tried up to
// four times while the other side is unavailable, with back-off and jitter,
// always within the caller's deadline. A call may pass several processes, and
// their tries multiply: when more fail than succeed for a while, nothing is
// tried again, so that a service in trouble is not also asked four times.
func (c Contract[S]) serviceConfig() string {
	type name struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	var names []name
	for _, m := range c.Repeatable {
		names = append(names, name{c.Service, m})
	}
	config := map[string]any{"loadBalancingConfig": []any{map[string]any{"round_robin": struct{}{}}}}
	if len(names) > 0 {
		config["methodConfig"] = []any{map[string]any{
			"name": names,
			"retryPolicy": map[string]any{
				"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s",
				"backoffMultiplier": 3, "retryableStatusCodes": []string{"UNAVAILABLE"},
			},
		}}
		config["retryThrottling"] = map[string]any{"maxTokens": 1000, "tokenRatio": 1}
	}
	text, err := json.Marshal(config)
	if err != nil {
		panic(fmt.Sprintf("host: service config of %s: %v", c.Name, err))
	}
	return string(text)
}

// The metadata that travels with every call between processes.
const (
	mdCustomer  = "og-customer"
	mdRoles     = "og-role"
	mdRequestID = "og-request-id"
	mdSecret    = "og-secret"
)

// WithCaller puts the caller on an outgoing call; only …rpc packages use it.
func WithCaller(ctx context.Context, who identity.Caller) context.Context {
	var pairs []string
	if who.CustomerID != "" {
		pairs = append(pairs, mdCustomer, who.CustomerID)
	}
	for _, r := range who.Roles {
		pairs = append(pairs, mdRoles, string(r))
	}
	if pairs == nil {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// CallerOf takes the caller off an incoming call; only …rpc packages use it.
// It can be believed because the server admits only the shop's own processes.
func CallerOf(ctx context.Context) identity.Caller {
	md, _ := metadata.FromIncomingContext(ctx)
	var who identity.Caller
	if v := md.Get(mdCustomer); len(v) > 0 {
		who.CustomerID = v[0]
	}
	for _, r := range md.Get(mdRoles) {
		if !slices.Contains(who.Roles, identity.Role(r)) {
			who.Roles = append(who.Roles, identity.Role(r))
		}
	}
	return who
}
