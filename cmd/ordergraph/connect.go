package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"ordergraph/platform/host"
	"ordergraph/services"
	"ordergraph/services/account/accountrpc"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/fulfilment/fulfilmentrpc"
	"ordergraph/services/inventory/inventoryrpc"
	"ordergraph/services/invoice/invoicerpc"
	"ordergraph/services/notification/notificationrpc"
	"ordergraph/services/order/orderrpc"
	"ordergraph/services/payment/paymentrpc"
)

// connect gives a command the services it names: those of the shop that runs,
// and where none runs, those that own makes on the stores of DATA_DIR or
// MONGODB_URI. done ends what was begun.
func (c *groundConfig) connect(ctx context.Context, names []string, own func(context.Context, *host.Host, []string) (done func() error, err error)) (h *host.Host, done func() error, err error) {
	secret, err := c.secret()
	if err != nil {
		return nil, nil, err
	}
	addrs, missing := c.addrs(), []string{}
	for _, name := range names {
		explicit := addrs[name] != ""
		if !explicit {
			addrs[name] = fromHere(c.GRPCAddr)
		}
		if anyServes(ctx, addrs[name], name) {
			continue
		}
		if explicit {
			return nil, nil, fmt.Errorf("%s=%s: the %s service does not answer there", variableOf(name), addrs[name], name)
		}
		missing = append(missing, name)
	}
	if len(missing) > 0 && len(missing) < len(names) {
		return nil, nil, usage("Some services of a shop run, but where does %s? Set %s", missing[0], variableOf(missing[0]))
	}
	h, err = host.New(host.Options{Log: c.commandLogger(), Secret: secret, Addrs: addrs})
	if err != nil {
		return nil, nil, err
	}
	if len(missing) == 0 {
		return h, h.Close, nil
	}
	if done, err = own(ctx, h, names); err != nil {
		return nil, nil, errors.Join(err, h.Close())
	}
	return h, done, nil
}

// work runs the services here, with all that they do in the background.
func (c *groundConfig) work(ctx context.Context, h *host.Host, names []string) (done func() error, err error) {
	return c.workWith(ctx, h, names, services.AccountSettings{})
}

func (c *groundConfig) workWith(ctx context.Context, h *host.Host, names []string, accounts services.AccountSettings) (done func() error, err error) {
	client, err := c.redis(ctx, h, c.commandLogger())
	if err != nil {
		return nil, err
	}
	ground := c.ground(h, c.commandLogger(), client)
	ground.Settings.Account = accounts
	if err := services.Start(ctx, ground, names); err != nil {
		return nil, err
	}
	working, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.Run(working) }()
	return func() error { stop(); return <-ended }, nil
}

// grpcNames are the services' names in gRPC.
var grpcNames = map[string]string{
	"account": accountrpc.Contract.Service,
	"catalog": catalogrpc.Contract.Service, "inventory": inventoryrpc.Contract.Service,
	"cart": cartrpc.Contract.Service, "order": orderrpc.Contract.Service, "payment": paymentrpc.Contract.Service,
	"fulfilment": fulfilmentrpc.Contract.Service, "invoice": invoicerpc.Contract.Service, "notification": notificationrpc.Contract.Service,
}

// anyServes reports whether the service runs at one of addrs, which have
// commas between.
func anyServes(ctx context.Context, addrs, service string) bool {
	for addr := range strings.SplitSeq(addrs, ",") {
		if serves(ctx, strings.TrimSpace(addr), grpcNames[service]) {
			return true
		}
	}
	return false
}

func serves(ctx context.Context, addr, grpcName string) bool {
	if addr == "" {
		return false
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: grpcName})
	return err == nil && answer.GetStatus() == healthpb.HealthCheckResponse_SERVING
}
