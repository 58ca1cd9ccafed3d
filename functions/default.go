package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/shared/market"
	"crypto-ticker/shared/push"
	"crypto-ticker/shared/store"
)

// The codes of error messages.
const (
	codeInvalid   = "invalid_message" // no JSON object, or a field of the wrong kind
	codeSymbol    = "unknown_symbol"
	codeForbidden = "forbidden" // by the client's policies
	codeInternal  = "internal"  // not the client's fault: it may try again
	codeExpired   = "token_expired"
)

const maxID = 64 // bytes of a message's id, as JSON

// Default returns the handler of the client's messages: ping, subscribe and
// unsubscribe. Other types are ignored. What is not understood is answered with
// an error message; the connection stays in any case.
func Default(_ context.Context, getenv func(string) string) (lambda.Handler, error) {
	s, err := store.Open(getenv)
	if err != nil {
		return nil, err
	}
	client, err := push.Open(getenv)
	if err != nil {
		return nil, err
	}
	symbols, err := market.ParseSymbols(getenv("SYMBOLS"))
	if err != nil {
		return nil, fmt.Errorf("SYMBOLS: %w", err)
	}
	return lambda.NewHandler(messages{s, client, symbols}.handle), nil
}

// messages handles the messages of clients.
type messages struct {
	store   *store.Store
	push    *push.Client
	symbols []string
}

func (m messages) handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	answer := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	reply, err := m.reply(ctx, event)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		reply.Type, reply.Code, reply.Message = push.TypeError, refused.code, refused.message
	case err != nil:
		slog.ErrorContext(ctx, "message cannot be handled", "connection_id", event.RequestContext.ConnectionID, "error", err)
		reply.Type, reply.Code, reply.Message = push.TypeError, codeInternal, "that did not work; try again"
	}
	if reply.Type == "" {
		return answer, nil
	}
	m.awaitWelcome(ctx, ref(event))
	err = m.push.Post(ctx, event.RequestContext.ConnectionID, reply.JSON())
	if err != nil && !errors.Is(err, push.ErrGone) { // who has left needs no answer
		return answer, fmt.Errorf("default: %w", err)
	}
	return answer, nil
}

const (
	welcomeTime  = leftover + 2*time.Second // after which a connection has its welcome, if need be from the leader
	welcomePause = 50 * time.Millisecond
)

// awaitWelcome waits until a new connection has got its welcome, which is the first
// message. If nobody sends one or that cannot be read, the client is answered
// without.
func (m messages) awaitWelcome(ctx context.Context, r store.ConnectionRef) {
	ctx, cancel := context.WithDeadline(ctx, time.UnixMilli(r.ConnectedAt).Add(welcomeTime))
	defer cancel()
	for ctx.Err() == nil {
		c, err := m.store.Connection(ctx, r)
		if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrNotFound) {
			slog.WarnContext(ctx, "connection cannot be read", "connection_id", r.ConnectionID, "error", err)
		}
		if err != nil || c.Greeted || pause(ctx, welcomePause) != nil {
			return
		}
	}
}

// refusal is an error that the client is told.
type refusal struct{ code, message string }

func (r *refusal) Error() string { return r.code + ": " + r.message }

func invalid(message string) error { return &refusal{codeInvalid, message} }

// clientMessage is what a client may say. Without symbols it means all of them.
type clientMessage struct {
	Type    string
	ID      json.RawMessage // is repeated in the answer
	Symbols *[]string       // of subscribe and unsubscribe
	Mode    *string         // of subscribe: all (the default) or latest
}

// parseMessage reads a message. It has its id even if there is an error, which is
// a refusal. Of types that are not known, nothing but the type is looked at.
func parseMessage(body string) (m clientMessage, err error) {
	var fields map[string]json.RawMessage // of a struct, names would match in any case
	var kind *string
	if json.Unmarshal([]byte(body), &fields) != nil || json.Unmarshal(fields["type"], &kind) != nil || kind == nil {
		return m, invalid(`send a JSON object with a type, such as {"type":"ping"}`)
	}
	id := fields["id"]
	if !isID(id) {
		return m, invalid(fmt.Sprintf("id must be a string or a number of at most %d bytes", maxID))
	}
	m.Type, m.ID = *kind, id
	if m.Type != "subscribe" && m.Type != "unsubscribe" {
		return m, nil
	}
	if optional(fields["symbols"], &m.Symbols) != nil || optional(fields["mode"], &m.Mode) != nil {
		return m, invalid(`symbols must be a list of strings and mode a string: {"type":"subscribe","symbols":["BTC-USD"],"mode":"all"}`)
	}
	return m, nil
}

// optional reads a field that may be missing.
func optional(field json.RawMessage, v any) error {
	if field == nil {
		return nil
	}
	return json.Unmarshal(field, v)
}

// reply returns the answer to a message, without a type if there is none. It has
// the message's id even if there is an error.
func (m messages) reply(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (push.Message, error) {
	said, err := parseMessage(event.Body)
	reply := push.Message{ID: said.ID}
	if err != nil {
		return reply, err
	}
	switch said.Type {
	case "ping":
		reply.Type = push.TypePong
	case "subscribe":
		return m.subscribe(ctx, event, said, reply)
	case "unsubscribe":
		return m.unsubscribe(ctx, event, said, reply)
	}
	return reply, nil
}

// isID says whether a message's id, which may be missing, can be repeated.
func isID(id json.RawMessage) bool {
	if len(id) == 0 {
		return true
	}
	return len(id) <= maxID && (id[0] == '"' || id[0] == '-' || id[0] >= '0' && id[0] <= '9')
}

func (m messages) subscribe(ctx context.Context, event events.APIGatewayWebsocketProxyRequest, s clientMessage, reply push.Message) (push.Message, error) {
	mode := store.ModeAll
	switch {
	case s.Mode == nil, *s.Mode == "all":
	case *s.Mode == store.ModeLatest:
		mode = store.ModeLatest
	default:
		return reply, invalid("mode must be all or latest")
	}
	policies, ip := authorizerContext(event)["policies"], event.RequestContext.Identity.SourceIP
	allowed := func(symbol string) bool { return maySubscribe(policies, symbol, ip) }
	symbols, err := m.wanted(s)
	if err != nil {
		return reply, err
	}
	if s.Symbols == nil {
		symbols = slices.DeleteFunc(symbols, func(symbol string) bool { return !allowed(symbol) })
	}
	if i := slices.IndexFunc(symbols, func(symbol string) bool { return !allowed(symbol) }); i >= 0 || len(symbols) == 0 {
		return reply, &refusal{codeForbidden, "your policies do not allow that subscription"}
	}
	conn, err := m.store.Subscribe(ctx, ref(event), symbols, mode)
	if err != nil {
		return reply, err
	}
	slog.InfoContext(ctx, "subscribed", "connection_id", conn.ConnectionID, "symbols", symbols, "mode", mode)
	reply.Type, reply.Symbols, reply.Mode = push.TypeSubscribed, m.inOrder(conn.Symbols), "all"
	if conn.Mode == store.ModeLatest {
		reply.Mode = conn.Mode
	}
	return reply, nil
}

func (m messages) unsubscribe(ctx context.Context, event events.APIGatewayWebsocketProxyRequest, s clientMessage, reply push.Message) (push.Message, error) {
	symbols, err := m.wanted(s)
	if err != nil {
		return reply, err
	}
	conn, err := m.store.Unsubscribe(ctx, ref(event), symbols)
	if err != nil {
		return reply, err
	}
	slog.InfoContext(ctx, "unsubscribed", "connection_id", conn.ConnectionID, "symbols", symbols)
	reply.Type, reply.Symbols = push.TypeUnsubscribed, m.inOrder(conn.Symbols)
	return reply, nil
}

// wanted returns the symbols that a message names, each once.
func (m messages) wanted(s clientMessage) ([]string, error) {
	if s.Symbols == nil {
		return slices.Clone(m.symbols), nil
	}
	for _, symbol := range *s.Symbols {
		if !slices.Contains(m.symbols, symbol) {
			return nil, &refusal{codeSymbol, "symbols must be some of " + strings.Join(m.symbols, ", ")}
		}
	}
	if len(*s.Symbols) == 0 {
		return nil, invalid("symbols must not be empty; leave it out for all of them")
	}
	return m.inOrder(*s.Symbols), nil
}

// inOrder returns the symbols in the order of all, each once, and never nil.
func (m messages) inOrder(symbols []string) []string {
	ordered := []string{}
	for _, symbol := range m.symbols {
		if slices.Contains(symbols, symbol) {
			ordered = append(ordered, symbol)
		}
	}
	return ordered
}
