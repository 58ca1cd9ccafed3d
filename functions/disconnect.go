package functions

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/shared/store"
)

// Disconnect returns the handler of $disconnect: it forgets the connection. API
// Gateway promises no $disconnect; the ticker and the table's TTL remove the
// rows that it misses.
func Disconnect(_ context.Context, getenv func(string) string) (lambda.Handler, error) {
	s, err := store.Open(getenv)
	if err != nil {
		return nil, err
	}
	return lambda.NewHandler(disconnect{s}.handle), nil
}

type disconnect struct {
	store *store.Store
}

func (d disconnect) handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	if err := d.store.RemoveConnection(ctx, ref(event)); err != nil {
		return events.APIGatewayProxyResponse{}, fmt.Errorf("disconnect: %w", err)
	}
	// The reason is the client's own text, so only the code is logged.
	slog.InfoContext(ctx, "client left",
		"connection_id", event.RequestContext.ConnectionID, "code", event.RequestContext.DisconnectStatusCode)
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
}
