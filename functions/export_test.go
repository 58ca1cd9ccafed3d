package functions

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
)

// instances is a function as Lambda runs it: an event gets a handler that has
// none at the time. One handler for all would not do: what it returns is valid
// only until its next event.
type instances struct {
	make func() (lambda.Handler, error)

	mu   sync.Mutex
	idle []lambda.Handler
}

// NewInstances returns the function of a constructor, of which one instance is
// made at once.
func NewInstances(t *testing.T, c Constructor, getenv func(string) string) lambda.Handler {
	t.Helper()
	n := &instances{make: func() (lambda.Handler, error) { return c(t.Context(), getenv) }}
	h, err := n.make()
	if err != nil {
		t.Fatal(err)
	}
	n.idle = append(n.idle, h)
	return n
}

// Invoke handles one event.
func (n *instances) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	h, err := n.take()
	if err != nil {
		return nil, err
	}
	out, err := h.Invoke(ctx, event)
	out = bytes.Clone(out)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.idle = append(n.idle, h)
	return out, err
}

func (n *instances) take() (lambda.Handler, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := len(n.idle) - 1
	if last < 0 {
		return n.make()
	}
	h := n.idle[last]
	n.idle = n.idle[:last]
	return h, nil
}

// GoldenEvent returns an event of testdata, changed.
func GoldenEvent(t *testing.T, file string, change func(event map[string]any)) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var event map[string]any
	if err := json.Unmarshal(b, &event); err != nil {
		t.Fatal(err)
	}
	change(event)
	if b, err = json.Marshal(event); err != nil {
		t.Fatal(err)
	}
	return b
}
