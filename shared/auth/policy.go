package auth

import "strings"

// Effect is what a statement does with a request that it matches.
type Effect string

// A deny wins over every allow.
const (
	Allow Effect = "allow"
	Deny  Effect = "deny"
)

// The actions and the resource that the app asks about. Subscribing is asked
// for each symbol, whose name is the resource.
const (
	ActionConnect   = "connect"
	ActionSubscribe = "subscribe"
	ResourceTicker  = "ticker"
)

// DefaultPolicy is the name of the policy that a user has unless the key says
// otherwise.
const DefaultPolicy = "user_policy"

// Request is what somebody wants to do.
type Request struct {
	Action   string
	Resource string
	SourceIP string
}

// Statement matches requests by action and resource, each exact, "*" or
// "prefix*", and by an optional condition.
type Statement struct {
	Effect    Effect
	Actions   []string
	Resources []string
	When      func(Request) bool // nil: always
}

// Policy is a set of statements.
type Policy []Statement

// policies has the app's policies by name. A change counts at once, since tokens
// carry names alone.
var policies = map[string]Policy{
	DefaultPolicy: {
		{Effect: Allow, Actions: []string{"*"}, Resources: []string{"*"}},
	},
	"bitcoin_policy": {
		{Effect: Allow, Actions: []string{ActionConnect}, Resources: []string{ResourceTicker}},
		{Effect: Allow, Actions: []string{ActionSubscribe}, Resources: []string{"BTC-*"}},
	},
	"suspended_policy": {
		{Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"}},
	},
}

// IsPolicy says whether there is a policy of this name.
func IsPolicy(name string) bool {
	_, ok := policies[name]
	return ok
}

// Allowed says whether the named policies together allow a request: any deny
// refuses it, else any allow permits it, else it is refused. A name that has no
// policy (any more) allows nothing.
func Allowed(names []string, r Request) bool {
	var all Policy
	for _, name := range names {
		all = append(all, policies[name]...)
	}
	return all.Allows(r)
}

// Allows says whether the policy allows a request, by the same rule.
func (p Policy) Allows(r Request) bool {
	allowed := false
	for _, s := range p {
		if !s.matches(r) {
			continue
		}
		if s.Effect != Allow {
			return false // a misspelt effect refuses too
		}
		allowed = true
	}
	return allowed
}

func (s Statement) matches(r Request) bool {
	return matchesAny(s.Actions, r.Action) && matchesAny(s.Resources, r.Resource) &&
		(s.When == nil || s.When(r))
}

func matchesAny(patterns []string, s string) bool {
	for _, p := range patterns {
		prefix, wild := strings.CutSuffix(p, "*")
		if p == s || wild && strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// Actor returns the actor that acts for a user: user:<id>.
func Actor(userID string) string { return "user:" + userID }
