package host

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"ordergraph/platform/fault"
	"ordergraph/platform/telemetry"
)

// Limits of calls between processes.
const (
	callDeadline = 30 * time.Second // where the caller set none
	maxMessage   = 64 << 20         // bytes; a page of the largest lists that services offer
)

// ErrStranger is a call from a process that does not know the secret. It is
// the shop's set-up that is wrong, and not who made the request.
var ErrStranger = fault.New(fault.Unauthenticated, "host.stranger", "This port is for the shop's own processes.")

var errPanic = fault.New(fault.Internal, "host.panic", "Something went wrong on our side. It has been noted; please try again.")

// NewServer is a gRPC server as every process of the shop has it: it admits
// callers that know the secret, carries the request id, turns errors into
// statuses, and outlives a panic in a handler.
func NewServer(log *slog.Logger, secret string) *grpc.Server {
	return grpc.NewServer(
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (resp any, err error) {
			md, _ := metadata.FromIncomingContext(ctx)
			if !isHealth(info.FullMethod) && !admits(secret, md.Get(mdSecret)) {
				return nil, fault.ToStatus(ErrStranger)
			}
			if id := md.Get(mdRequestID); len(id) > 0 {
				ctx = telemetry.WithRequestID(ctx, id[0])
			}
			if _, has := ctx.Deadline(); !has {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, callDeadline)
				defer cancel()
			}
			defer func() {
				if p := recover(); p != nil {
					log.ErrorContext(ctx, "panic in a call", "method", info.FullMethod, "panic", p, "stack", string(debug.Stack()))
					resp, err = nil, fault.ToStatus(errPanic)
				}
			}()
			began := time.Now()
			resp, err = handle(ctx, req)
			log.DebugContext(ctx, "answered", "method", info.FullMethod, "took", time.Since(began))
			if err != nil && fault.KindOf(err) == fault.Internal {
				log.ErrorContext(ctx, "call failed", "method", info.FullMethod, "error", err)
			}
			return resp, fault.ToStatus(err)
		}),
	)
}

func isHealth(method string) bool { return method == "/grpc.health.v1.Health/Check" }

func admits(secret string, shown []string) bool {
	return secret == "" || len(shown) == 1 && subtle.ConstantTimeCompare([]byte(secret), []byte(shown[0])) == 1
}

// dial connects to addr. The connection is made in the background and again
// whenever it is lost, so the other side need not be there yet.
func (c Contract[S]) dial(addr, secret string, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient(addr, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(c.serviceConfig()),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true}),
		grpc.WithConnectParams(connectParams),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if _, has := ctx.Deadline(); !has {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, callDeadline)
				defer cancel()
			}
			if secret != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, mdSecret, secret)
			}
			if id := telemetry.RequestID(ctx); id != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, mdRequestID, id)
			}
			return fault.FromStatus(invoke(ctx, method, req, reply, conn, opts...))
		}),
		grpc.WithChainUnaryInterceptor(c.await),
	}, more...)...)
}
