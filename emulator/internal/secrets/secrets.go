// Package secrets is AWS Secrets Manager for the secrets of one template:
// GetSecretValue, DescribeSecret, ListSecrets and PutSecretValue, over the wire
// that the AWS SDKs speak. Secrets come from the template alone; they are not
// encrypted, and everybody who reaches the emulator may read them.
//
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
package secrets

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/ids"
	"crypto-ticker/emulator/internal/template"
)

// Labels of versions.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// Config says which secrets there are.
type Config struct {
	Secrets []*template.Secret
	// Dir keeps the values in one file, so that a restart finds those that were
	// generated or put; without it they are in memory. One emulator at a time
	// may use a folder.
	Dir string
	// Replace puts the emulator's own addresses into values of the template as they
	// are read: what is kept has those of AWS, since the emulator's change from one
	// start to the next. Nil leaves the values as they are.
	Replace func(value string) string
	Clock   *clock.Clock // dates versions; nil is the machine's time
	Log     *slog.Logger // nil discards; never gets a value
}

// Service answers for the secrets. Its methods may be called by many goroutines
// at once.
type Service struct {
	clock   *clock.Clock
	replace func(string) string // nil, or as in Config
	wire    awsjson.Service
	file    string // "" if the values are in memory

	mu      sync.Mutex
	secrets []*secret // as in the template
	kept    contents  // of the file, with secrets that the template lacks
}

// secret is a secret of the template with its versions.
type secret struct {
	name, arn string
	*state
}

// Open gives each secret its value: that of the file, or, if the file has none
// or the template has changed since, that of the template. Its errors name the
// secret's place in the template.
func Open(cfg Config) (*Service, error) {
	s := &Service{clock: cfg.Clock, replace: cfg.Replace}
	if s.clock == nil {
		s.clock = clock.New()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s.wire = awsjson.Service{
		Target: "secretsmanager", Version: "1.1", MaxBody: 1 << 20,
		Operations: s.operations(),
		Unknown: func(op string) *awsjson.Error {
			return fault("UnknownOperationException", "The emulator does not have this operation of Secrets Manager: "+op)
		},
		Internal: "InternalServiceError", Log: cfg.Log,
	}
	if err := s.load(cfg.Dir); err != nil {
		return nil, err
	}
	changed := false
	for _, def := range cfg.Secrets {
		if s.find(def.Name) != nil || s.find(def.ARN) != nil {
			return nil, fmt.Errorf("secrets: %s: %s: another secret is named %s already", def.Pos, def.LogicalID, def.Name)
		}
		made, err := s.add(def)
		if err != nil {
			return nil, fmt.Errorf("secrets: %s: %s: %w", def.Pos, def.LogicalID, err)
		}
		changed = changed || made
	}
	if changed {
		if err := s.save(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add takes a secret of the template; it says whether that has changed. One that
// is to be empty has no version until one is put, as on AWS.
func (s *Service) add(def *template.Secret) (bool, error) {
	origin := originOf(def)
	st := s.kept.Secrets[def.Name]
	made := st == nil || st.Origin != origin
	if st == nil {
		st = &state{Created: s.clock.Now(), Versions: make(map[string]*version)}
	}
	st.Origin = origin
	if made && !def.Empty {
		value := def.Value
		if def.Generate != nil {
			var err error
			if value, err = generate(def.Generate); err != nil {
				return false, err
			}
			if s.file != "" {
				// Whoever has lost the file wants to know why clients are refused.
				s.wire.Log.Info("secrets: generated a new value", "name", def.Name, "file", s.file)
			}
		}
		if len(value) > maxValue {
			return false, fmt.Errorf("SecretString has %d bytes; Secrets Manager allows %d", len(value), maxValue)
		}
		st.put(ids.RequestID(), &version{String: &value, OfTemplate: true, Created: s.clock.Now()}, []string{current})
	}
	s.kept.Secrets[def.Name] = st
	s.secrets = append(s.secrets, &secret{def.Name, def.ARN, st})
	return made, nil
}

// ServeHTTP answers one request of the Secrets Manager API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.wire.ServeHTTP(w, r) }

// find returns the secret that a name, an ARN, or an ARN without the six
// characters that Secrets Manager ends it with, means; or nil.
func (s *Service) find(id string) *secret {
	for _, sec := range s.secrets {
		if id == sec.name || id == sec.arn {
			return sec
		}
		if cut := len(sec.arn) - len("-AbCdEf"); cut > 0 && sec.arn[cut] == '-' && id == sec.arn[:cut] {
			return sec
		}
	}
	return nil
}

func fault(kind, message string) *awsjson.Error {
	return &awsjson.Error{Type: kind, Message: message, MessageKey: "Message"}
}

var errNotFound = fault("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
