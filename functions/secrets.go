package functions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/awsconfig"
)

const (
	secretAge   = 5 * time.Minute  // after which a secret is read again: a new token key is known everywhere by then
	secretRetry = 30 * time.Second // before a failed reading is repeated while an old value serves
	secretStart = 2 * time.Second  // how long a start waits for a secret
)

// A secret is a value made of a secret's text: of an environment variable, or
// of Secrets Manager. It is read at the start, and again when it has become old.
type secret[T any] struct {
	name  string
	read  func(context.Context) (string, error) // nil: the value never changes
	parse func(string) (T, error)
	now   func() time.Time

	mu      sync.Mutex
	value   T
	loaded  bool
	renewAt time.Time
}

// openKeyring and openPepper return the secrets of the functions that sign or
// verify tokens and API keys.
func openKeyring(ctx context.Context, getenv func(string) string) (*secret[*auth.Keyring], error) {
	return openSecret(ctx, getenv, "TOKEN_KEY", "TOKEN_KEYS_SECRET", auth.ParseKeyring)
}

func openPepper(ctx context.Context, getenv func(string) string) (*secret[auth.Pepper], error) {
	return openSecret(ctx, getenv, "KEY_PEPPER", "KEY_PEPPER_SECRET", auth.NewPepper)
}

// openSecret returns the secret whose text is in the variable direct, or else in
// the secret of Secrets Manager that the variable named names. Without either,
// or with a text that is no such secret, the function must not start. It does
// start while Secrets Manager cannot be reached: then each use tries again.
func openSecret[T any](ctx context.Context, getenv func(string) string, direct, named string, parse func(string) (T, error)) (*secret[T], error) {
	s := &secret[T]{parse: parse, now: time.Now}
	if text := configured(getenv(direct)); text != "" {
		s.name = direct
		return s, s.set(text)
	}
	id := configured(getenv(named))
	if id == "" {
		return nil, fmt.Errorf("set %s to the name of a secret, or %s to its text for a local run", named, direct)
	}
	client := secretsmanager.NewFromConfig(awsconfig.Load(getenv, awsconfig.AttemptTimeout), func(o *secretsmanager.Options) {
		o.BaseEndpoint = awsconfig.Endpoint(getenv, "SECRETS_MANAGER")
		o.RetryMaxAttempts = 2
	})
	s.name = named
	s.read = func(ctx context.Context) (string, error) {
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.SecretString), nil
	}
	ctx, cancel := context.WithTimeout(ctx, secretStart)
	defer cancel()
	if _, err := s.get(ctx); errors.Is(err, errBadSecret) {
		return nil, err
	} else if err != nil {
		slog.WarnContext(ctx, "secret is not available yet", "error", err)
	}
	return s, nil
}

// configured returns "" for a dynamic reference as well: sam local does not
// resolve them.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
func configured(value string) string {
	if strings.HasPrefix(value, "{{resolve:") {
		return ""
	}
	return value
}

var errBadSecret = errors.New("secret cannot be used")

// set makes the value from the secret's text.
func (s *secret[T]) set(text string) error {
	value, err := s.parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", s.name, errBadSecret, err)
	}
	s.value, s.loaded = value, true
	return nil
}

// get returns the value. If it is old and cannot be read again, the old one
// serves on.
func (s *secret[T]) get(ctx context.Context) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.loaded && (s.read == nil || now.Before(s.renewAt)) {
		return s.value, nil
	}
	err := s.load(ctx)
	switch {
	case err == nil:
		s.renewAt = now.Add(secretAge)
	case s.loaded:
		s.renewAt = now.Add(secretRetry)
		slog.WarnContext(ctx, "old secret serves on", "error", err)
	default:
		return s.value, err
	}
	return s.value, nil
}

func (s *secret[T]) load(ctx context.Context) error {
	text, err := s.read(ctx)
	if err != nil {
		return fmt.Errorf("%s: read secret: %w", s.name, err)
	}
	return s.set(text)
}
