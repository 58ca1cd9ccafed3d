// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeLimits.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeEndpoints.html

package dynamodb

import (
	"context"
	"encoding/json"
	"net/http"
)

// describeLimits tells the quotas that a new account has. None is enforced.
func (e *Engine) describeLimits([]byte) (json.RawMessage, error) {
	return json.RawMessage(`{"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,` +
		`"TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000}`), nil
}

// hostKey is the context key of the host that a request has been sent to.
type hostKey struct{}

// withHost notes the host of a request.
func withHost(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), hostKey{}, r.Host))
}

// describeEndpoints names the address that the client has used, so that one which
// discovers its endpoint stays here.
func (e *Engine) describeEndpoints(ctx context.Context, body []byte) (any, error) {
	if _, err := checkInput("DescribeEndpoints", body); err != nil {
		return nil, err
	}
	host, ok := ctx.Value(hostKey{}).(string)
	if !ok {
		host = "dynamodb." + e.cfg.Region + ".amazonaws.com" // asked in process
	}
	out, err := json.Marshal(map[string]any{"Endpoints": []map[string]any{{"Address": host, "CachePeriodInMinutes": 1440}}})
	return json.RawMessage(out), err
}
