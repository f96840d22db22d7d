package etcdmember

import (
	"context"
	"crypto/subtle"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// gate refuses every request without the secret, which a client sends where it would send the token of etcd's own
// authentication. That would take a client two more turns to open a session, and a quorum; and members forget its tokens
// when they are killed, so that faults would hit requests which they do not hit without it.
func gate(secret []byte) []grpc.ServerOption {
	check := func(ctx context.Context) error {
		md, _ := metadata.FromIncomingContext(ctx)
		for _, token := range md.Get(rpctypes.TokenFieldNameGRPC) {
			if subtle.ConstantTimeCompare([]byte(token), secret) == 1 {
				return nil
			}
		}
		return rpctypes.ErrGRPCPermissionDenied
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if err := check(ctx); err != nil {
				return nil, err
			}
			return handle(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if err := check(stream.Context()); err != nil {
				return err
			}
			return handle(server, stream)
		}),
	}
}
