package secrets

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/ids"
)

// maxValue is the size of a value in bytes.
const maxValue = 65536

func (s *Service) operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"GetSecretValue": operation(s.getSecretValue),
		"DescribeSecret": operation(s.describeSecret),
		"ListSecrets":    operation(s.listSecrets),
		"PutSecretValue": operation(s.putSecretValue),
	}
}

// operation decodes the input of an operation.
func operation[In any](op func(In) (any, error)) awsjson.Operation {
	return func(_ context.Context, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault("SerializationException", "The request body is not the JSON of this operation's input.")
		}
		return op(in)
	}
}

// named finds the secret that a request names. s.mu is held.
func (s *Service) named(id string) (*secret, error) {
	if id == "" {
		return nil, fault("ValidationException",
			"1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null")
	}
	if sec := s.find(id); sec != nil {
		return sec, nil
	}
	return nil, errNotFound
}

type getSecretValueInput struct{ SecretID, VersionID, VersionStage string }

type secretValue struct {
	ARN, Name     string
	VersionID     string  `json:"VersionId"`
	SecretString  *string `json:",omitempty"`
	SecretBinary  []byte  `json:",omitempty"`
	VersionStages []string
	CreatedDate   epoch
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (s *Service) getSecretValue(in getSecretValueInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.named(in.SecretID)
	if err != nil {
		return nil, err
	}
	id := in.VersionID
	if id == "" {
		id = sec.labelled(cmp.Or(in.VersionStage, current))
	}
	v := sec.Versions[id]
	switch {
	case v == nil && in.VersionID != "":
		return nil, fault(errNotFound.Type, "Secrets Manager can't find the specified secret value for VersionId: "+in.VersionID)
	case v == nil:
		return nil, fault(errNotFound.Type, "Secrets Manager can't find the specified secret value for staging label: "+cmp.Or(in.VersionStage, current))
	case in.VersionStage != "" && !slices.Contains(v.Stages, in.VersionStage):
		return nil, fault("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
	}
	text := v.String
	if v.OfTemplate && text != nil && s.replace != nil {
		own := s.replace(*text)
		text = &own
	}
	return secretValue{sec.arn, sec.name, id, text, v.Binary, slices.Clone(v.Stages), epoch(v.Created)}, nil
}

type secretEntry struct {
	ARN, Name          string
	CreatedDate        epoch
	LastChangedDate    epoch
	VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"`
	SecretVersions     map[string][]string `json:"SecretVersionsToStages,omitempty"`
}

func (sec *secret) entry() secretEntry {
	e := secretEntry{ARN: sec.arn, Name: sec.name, CreatedDate: epoch(sec.Created)}
	changed := sec.Created
	for _, v := range sec.Versions {
		if v.Created.After(changed) {
			changed = v.Created
		}
	}
	e.LastChangedDate = epoch(changed)
	return e
}

func (sec *secret) stages() map[string][]string {
	all := make(map[string][]string)
	for id, v := range sec.Versions {
		all[id] = slices.Clone(v.Stages)
	}
	return all
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
func (s *Service) describeSecret(in struct{ SecretID string }) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.named(in.SecretID)
	if err != nil {
		return nil, err
	}
	e := sec.entry()
	e.VersionIDsToStages = sec.stages()
	return e, nil
}

type listSecretsInput struct {
	MaxResults int
	NextToken  string
	Filters    []json.RawMessage
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
func (s *Service) listSecrets(in listSecretsInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(in.Filters) > 0 {
		return nil, fault("InvalidParameterException", "The emulator does not filter secrets.")
	}
	from := 0
	if in.NextToken != "" {
		var err error
		if from, err = strconv.Atoi(in.NextToken); err != nil || from < 0 || from > len(s.secrets) {
			return nil, fault("InvalidNextTokenException", "The NextToken value is invalid.")
		}
	}
	if in.MaxResults < 0 || in.MaxResults > 100 {
		return nil, fault("InvalidParameterException", "MaxResults must be between 1 and 100.")
	}
	to := min(len(s.secrets), from+cmp.Or(in.MaxResults, 100))
	out := struct {
		SecretList []secretEntry
		NextToken  string `json:",omitempty"`
	}{SecretList: []secretEntry{}}
	for _, sec := range s.secrets[from:to] {
		e := sec.entry()
		e.SecretVersions = sec.stages()
		out.SecretList = append(out.SecretList, e)
	}
	if to < len(s.secrets) {
		out.NextToken = strconv.Itoa(to)
	}
	return out, nil
}

type putSecretValueInput struct {
	SecretID           string
	ClientRequestToken string
	SecretString       *string
	SecretBinary       []byte
	VersionStages      []string
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
func (s *Service) putSecretValue(in putSecretValueInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.named(in.SecretID)
	if err != nil {
		return nil, err
	}
	if (in.SecretString == nil) == (in.SecretBinary == nil) {
		return nil, fault("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	v := &version{String: in.SecretString, Binary: in.SecretBinary, Created: s.clock.Now()}
	if n := v.size(); n > maxValue {
		return nil, fault("InvalidParameterException", fmt.Sprintf("The secret value has %d bytes; at most %d are allowed.", n, maxValue))
	}
	id := cmp.Or(in.ClientRequestToken, ids.RequestID())
	if len(id) < 32 || len(id) > 64 {
		return nil, fault("InvalidParameterException", "ClientRequestToken must have 32 to 64 characters.")
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{current}
	}
	if old := sec.Versions[id]; old != nil {
		if !old.same(v) {
			return nil, fault("ResourceExistsException",
				"You can't modify an existing version, you can only create a new version with a different ClientRequestToken.")
		}
		return putSecretValueOutput{sec.arn, sec.name, id, slices.Clone(old.Stages)}, nil
	}
	before := sec.state.clone()
	sec.put(id, v, stages)
	if err := s.save(); err != nil {
		*sec.state = *before // nothing was put that a restart would not find
		return nil, err
	}
	return putSecretValueOutput{sec.arn, sec.name, id, slices.Clone(v.Stages)}, nil
}

// putSecretValueOutput is the answer of PutSecretValue.
type putSecretValueOutput struct {
	ARN, Name     string
	VersionID     string `json:"VersionId"`
	VersionStages []string
}

// epoch is a time on the wire of AWS JSON: seconds with milliseconds.
type epoch time.Time

// MarshalJSON gives the seconds.
func (e epoch) MarshalJSON() ([]byte, error) {
	ms := time.Time(e).UnixMilli()
	return fmt.Appendf(nil, "%d.%03d", ms/1000, ms%1000), nil
}
