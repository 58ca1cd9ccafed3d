// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html

package apigw

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

const (
	maxAuthorizerResult = 8 << 10 // bytes
	maxResourceARN      = 512     // characters
)

// grant is what an authorizer answered, checked and not yet evaluated.
type grant struct {
	principalID string
	policy      statements
	context     map[string]string
}

// caller is what events say of whom the grant is for.
func (g *grant) caller() map[string]any {
	values := map[string]any{}
	for k, v := range g.context {
		values[k] = v
	}
	values["principalId"] = g.principalID
	return values
}

// statements are those of an authorizer's policyDocument.
type statements []statement

type statement struct {
	allow     bool
	actions   []string
	resources []string
}

// parseGrant reads an authorizer's answer. An error says what makes it one that
// API Gateway refuses with 500.
func parseGrant(out []byte) (*grant, error) {
	fields, err := splitGrant(out)
	if err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("the answer is no object")
	}
	if _, ok := fields["isAuthorized"]; ok {
		return nil, errors.New("isAuthorized is for HTTP APIs; answer principalId and policyDocument")
	}
	g := &grant{}
	if g.principalID, g.policy, err = parsePrincipal(fields); err != nil {
		return nil, err
	}
	if g.context, err = parseContext(fields["context"]); err != nil {
		return nil, err
	}
	return g, nil
}

// splitGrant is splitAnswer of an authorizer's answer.
func splitGrant(out []byte) (map[string]json.RawMessage, error) {
	if len(out) > maxAuthorizerResult {
		return nil, fmt.Errorf("the answer has %d bytes, more than %d", len(out), maxAuthorizerResult)
	}
	return splitAnswer(out)
}

// parsePrincipal reads who an answer with a policy is about, and the policy.
func parsePrincipal(fields map[string]json.RawMessage) (principalID string, policy statements, err error) {
	if err := json.Unmarshal(fields["principalId"], &principalID); err != nil || principalID == "" {
		return "", nil, errors.New("principalId is missing or no string")
	}
	policy, err = parsePolicy(fields["policyDocument"])
	return principalID, policy, err
}

func parsePolicy(raw json.RawMessage) (statements, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, errors.New("policyDocument is missing or no object")
	}
	list, err := oneOrMore[json.RawMessage](fields["Statement"])
	if err != nil || len(list) == 0 {
		return nil, errors.New("policyDocument has no Statement")
	}
	var out statements
	for i, raw := range list {
		s, err := parseStatement(raw)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func parseStatement(raw json.RawMessage) (statement, error) {
	var s statement
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return s, errors.New("it is no object")
	}
	for key, v := range fields {
		var err error
		switch key {
		case "Sid":
		case "Effect":
			var effect string
			if json.Unmarshal(v, &effect) != nil || effect != "Allow" && effect != "Deny" {
				err = errors.New("its Effect is neither Allow nor Deny")
			}
			s.allow = effect == "Allow"
		case "Action":
			s.actions, err = oneOrMore[string](v)
		case "Resource":
			s.resources, err = oneOrMore[string](v)
		default:
			err = fmt.Errorf("%s is not emulated", key)
		}
		if err != nil {
			return s, err
		}
	}
	if fields["Effect"] == nil || len(s.actions) == 0 || len(s.resources) == 0 {
		return s, errors.New("it needs Effect, Action and Resource")
	}
	for _, r := range s.resources {
		if len(r) > maxResourceARN {
			return s, fmt.Errorf("a resource has more than %d characters", maxResourceARN)
		}
	}
	return s, nil
}

// oneOrMore reads a value or a list of values.
func oneOrMore[T any](raw json.RawMessage) ([]T, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if raw[0] == '[' {
		var list []T
		err := json.Unmarshal(raw, &list)
		return list, err
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return nil, err
	}
	return []T{one}, nil
}

// parseContext reads the flat map that an authorizer hands on; every value
// becomes a string.
func parseContext(raw json.RawMessage) (map[string]string, error) {
	if raw == nil {
		return nil, nil
	}
	var values map[string]scalar
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, fmt.Errorf("context: %w", err)
	}
	out := make(map[string]string, len(values))
	for k, v := range values {
		if !v.set {
			return nil, fmt.Errorf("context: %s is null", k)
		}
		out[k] = v.text
	}
	return out, nil
}

// decision is what a policy says to a request.
type decision int

const (
	unmatched decision = iota // no statement is about it, so it is denied
	allowed
	denied // some statement denies it, whatever others say
)

// decide says whether the policy lets the principal invoke the method.
func (p statements) decide(methodARN string) decision {
	d := unmatched
	for _, s := range p {
		if !s.matches(methodARN) {
			continue
		}
		if !s.allow {
			return denied
		}
		d = allowed
	}
	return d
}

func (s statement) matches(methodARN string) bool {
	action := false
	for _, a := range s.actions {
		action = action || glob(strings.ToLower(a), "execute-api:invoke")
	}
	if !action {
		return false
	}
	for _, r := range s.resources {
		if glob(r, methodARN) {
			return true
		}
	}
	return false
}

// glob matches * (any characters, also none) and ? (one), in time proportional
// to the product of the lengths at worst.
func glob(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0 // the last * and what it has taken so far
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
