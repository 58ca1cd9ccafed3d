package functions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/push"
	"crypto-ticker/shared/store"
)

// Keys returns the handler of the operator's function. Its event is one of
//
//	{"action":"create","user_id":"ada","role":"user","policies":["user_policy"]}
//	{"action":"list"}
//	{"action":"revoke","lookup":"5pGq0ZkT"} or {"action":"revoke","api_key":"ctk_…"}
//	{"action":"revoke_token","token":"…"}
//	{"action":"demo"}
//
// Role and policies may be left out. An API key is in the answer of create, and
// nowhere else; a revoked one gives no token and no connection any more, and the
// connections that it or a revoked token has are closed. The key of demo is
// always the same, made of the pepper, and demo makes it valid again if it was
// revoked: whoever asks for it wants it to work.
func Keys(ctx context.Context, getenv func(string) string) (lambda.Handler, error) {
	s, err := store.Open(getenv)
	if err != nil {
		return nil, err
	}
	pepper, err := openPepper(ctx, getenv)
	if err != nil {
		return nil, err
	}
	keyring, err := openKeyring(ctx, getenv)
	if err != nil {
		return nil, err
	}
	client, err := push.Open(getenv)
	if err != nil {
		return nil, err
	}
	return lambda.NewHandler(keys{s, pepper, keyring, client}.handle), nil
}

type keys struct {
	store   *store.Store
	pepper  *secret[auth.Pepper]
	keyring *secret[*auth.Keyring]
	push    *push.Client
}

type keysRequest struct {
	Action   string   `json:"action"`
	UserID   string   `json:"user_id"`
	Role     string   `json:"role"`
	Policies []string `json:"policies"`
	Lookup   string   `json:"lookup"`
	APIKey   string   `json:"api_key"`
	Token    string   `json:"token"`
}

// keyAnswer is what an operator sees of a key.
type keyAnswer struct {
	APIKey     string     `json:"api_key,omitempty"` // of a new key and the demo key alone
	Lookup     string     `json:"lookup"`
	UserID     string     `json:"user_id"`
	Role       string     `json:"role"`
	Policies   []string   `json:"policies,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at,omitempty"`
}

func answerOf(k store.Key, apiKey string) keyAnswer {
	a := keyAnswer{apiKey, k.Lookup, k.UserID, k.Role, k.Policies, k.CreatedAt.UTC(), nil}
	if !k.DisabledAt.IsZero() {
		at := k.DisabledAt.UTC()
		a.DisabledAt = &at
	}
	return a
}

func (h keys) handle(ctx context.Context, event json.RawMessage) (any, error) {
	var req keysRequest
	dec := json.NewDecoder(bytes.NewReader(event))
	dec.DisallowUnknownFields() // such as a misspelt policies, which would give all rights
	if err := dec.Decode(&req); err != nil {
		return nil, fmt.Errorf("keys: %w; %w", err, errKeysUsage)
	}
	switch req.Action {
	case "create":
		return h.create(ctx, req)
	case "list":
		return h.list(ctx)
	case "revoke":
		return h.revoke(ctx, req)
	case "revoke_token":
		return h.revokeToken(ctx, req.Token)
	case "demo":
		return h.demo(ctx)
	}
	return nil, fmt.Errorf("keys: unknown action %q; %w", req.Action, errKeysUsage)
}

var errKeysUsage = errors.New(`the event is a JSON object whose action is create (with user_id; role, policies), list, revoke (with lookup or api_key), revoke_token (with token) or demo`)

// keysName is what user ids and roles may be: they stand in logs, in messages
// and in API Gateway's context.
var keysName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)

func (h keys) create(ctx context.Context, req keysRequest) (any, error) {
	if req.Role == "" {
		req.Role = "user"
	}
	if !keysName.MatchString(req.UserID) || !keysName.MatchString(req.Role) {
		return nil, errors.New("keys: user_id and role have 1 to 64 letters, digits or . _ @ + - and begin with a letter or a digit")
	}
	for _, p := range req.Policies {
		if !auth.IsPolicy(p) {
			return nil, fmt.Errorf("keys: there is no policy %q", p)
		}
	}
	slices.Sort(req.Policies)
	req.Policies = slices.Compact(req.Policies)
	pepper, err := h.pepper.get(ctx)
	if err != nil {
		return nil, err
	}
	for {
		apiKey, lookup := auth.NewKey()
		key := store.Key{Lookup: lookup, Hash: pepper.Hash(apiKey), UserID: req.UserID,
			Role: req.Role, Policies: req.Policies, CreatedAt: time.Now()}
		err := h.store.AddKey(ctx, key)
		if errors.Is(err, store.ErrConflict) {
			continue // somebody has this lookup
		}
		if err != nil {
			return nil, err
		}
		slog.InfoContext(ctx, "key created", "key", lookup, "user_id", req.UserID, "role", req.Role)
		return answerOf(key, apiKey), nil
	}
}

func (h keys) list(ctx context.Context) (any, error) {
	records, err := h.store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]keyAnswer, len(records))
	for i, k := range records {
		list[i] = answerOf(k, "")
	}
	return map[string]any{"keys": list}, nil
}

// revoke takes the key itself too: that is what an operator finds where it
// leaked. It disables the key first, so that no connection is made after those
// that are there have been closed.
func (h keys) revoke(ctx context.Context, req keysRequest) (any, error) {
	lookup := req.Lookup
	if req.APIKey != "" {
		var ok bool
		if lookup, ok = auth.ParseKey(req.APIKey); !ok || req.Lookup != "" && req.Lookup != lookup {
			return nil, errors.New("keys: api_key is no API key, or not that of lookup")
		}
	}
	if !auth.IsLookup(lookup) {
		return nil, errors.New("keys: revoke needs a lookup, the 8 characters after ctk_, or an api_key")
	}
	err := h.store.DisableKey(ctx, lookup, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("keys: there is no key %s", lookup)
	}
	if err != nil {
		return nil, err
	}
	key, err := h.store.Key(ctx, lookup)
	if err != nil {
		return nil, err
	}
	closed, err := h.closeConnections(ctx, h.store.KeyConnections, lookup)
	if err != nil {
		return nil, fmt.Errorf("keys: the key is revoked, but connections of it may be open, so repeat this: %w", err)
	}
	slog.InfoContext(ctx, "key revoked", "key", lookup, "closed", closed)
	return struct {
		keyAnswer
		Closed int `json:"connections_closed"`
	}{answerOf(key, ""), closed}, nil
}

// revokeToken deletes a token's record first, for the same reason as revoke.
func (h keys) revokeToken(ctx context.Context, tok string) (any, error) {
	keyring, err := h.keyring.get(ctx)
	if err != nil {
		return nil, err
	}
	if err := keyring.Verify(tok); err != nil {
		return nil, errors.New("keys: token is missing or was not issued here")
	}
	hash := auth.HashToken(tok)
	existed, err := h.store.DeleteToken(ctx, hash)
	if err != nil {
		return nil, err
	}
	closed, err := h.closeConnections(ctx, h.store.TokenConnections, hash)
	if err != nil {
		return nil, fmt.Errorf("keys: the token is revoked, but connections of it may be open, so repeat this: %w", err)
	}
	slog.InfoContext(ctx, "token revoked", "token_hash", hash, "closed", closed)
	return map[string]any{"token_hash": hash, "existed": existed, "connections_closed": closed}, nil
}

// closers is how many connections are closed at the same time.
const closers = 16

// closeConnections closes the connections of a token or a key, whichever find is
// for, and returns their number. Those that went in the meantime are fine. A
// handshake that is not over cannot be ended from here, so the rows say first that
// their time is over: then the ticker ends what opens yet.
func (h keys) closeConnections(ctx context.Context, find func(context.Context, string) ([]store.Connection, error), name string) (closed int, err error) {
	conns, err := find(ctx, name)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	err = each(conns, func(c store.Connection) error {
		return h.store.EndConnection(ctx, c.ConnectionRef, now)
	})
	var count atomic.Int64
	err = errors.Join(err, each(conns, func(c store.Connection) error {
		err := h.push.Close(ctx, c.ConnectionID)
		switch {
		case errors.Is(err, push.ErrGone):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", c.ConnectionID, err)
		}
		count.Add(1)
		return nil
	}))
	return int(count.Load()), err
}

// each calls do for all connections, for some of them at the same time.
func each(conns []store.Connection, do func(store.Connection) error) error {
	errs := make([]error, len(conns))
	free := make(chan struct{}, closers)
	var wg sync.WaitGroup
	for i, c := range conns {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			errs[i] = do(c)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (h keys) demo(ctx context.Context) (any, error) {
	pepper, err := h.pepper.get(ctx)
	if err != nil {
		return nil, err
	}
	apiKey, lookup := pepper.DemoKey()
	key := store.Key{Lookup: lookup, Hash: pepper.Hash(apiKey), UserID: "demo", Role: "user", CreatedAt: time.Now()}
	err = h.store.AddKey(ctx, key)
	if errors.Is(err, store.ErrConflict) { // it is there, perhaps revoked
		if err = h.store.EnableKey(ctx, lookup); err == nil {
			key, err = h.store.Key(ctx, lookup)
		}
	}
	if err != nil {
		return nil, err
	}
	return answerOf(key, apiKey), nil
}
