package auth

import "testing"

func TestPolicyAllows(t *testing.T) {
	t.Parallel()
	allow := func(action, resource string) Statement {
		return Statement{Effect: Allow, Actions: []string{action}, Resources: []string{resource}}
	}
	deny := func(action, resource string) Statement {
		return Statement{Effect: Deny, Actions: []string{action}, Resources: []string{resource}}
	}
	fromHome := func(r Request) bool { return r.SourceIP == "192.0.2.1" }
	subscribe := Request{Action: "subscribe", Resource: "BTC-USD", SourceIP: "192.0.2.1"}
	for _, tt := range []struct {
		name   string
		policy Policy
		want   bool
	}{
		{"no statement", nil, false},
		{"exact", Policy{allow("subscribe", "BTC-USD")}, true},
		{"another action", Policy{allow("connect", "BTC-USD")}, false},
		{"another resource", Policy{allow("subscribe", "ETH-USD")}, false},
		{"any action", Policy{allow("*", "BTC-USD")}, true},
		{"any resource", Policy{allow("subscribe", "*")}, true},
		{"prefix of the resource", Policy{allow("subscribe", "BTC-*")}, true},
		{"prefix of the action", Policy{allow("sub*", "BTC-USD")}, true},
		{"another prefix", Policy{allow("subscribe", "ETH-*")}, false},
		{"prefix without a star", Policy{allow("subscribe", "BTC")}, false},
		{"star inside", Policy{allow("subscribe", "B*-USD")}, false},
		{"other case", Policy{allow("Subscribe", "BTC-USD")}, false},
		{"second pattern", Policy{{Effect: Allow, Actions: []string{"connect", "subscribe"}, Resources: []string{"ETH-*", "BTC-*"}}}, true},
		{"no pattern", Policy{{Effect: Allow}}, false},
		{"deny before allow", Policy{deny("*", "BTC-*"), allow("*", "*")}, false},
		{"deny after allow", Policy{allow("*", "*"), deny("subscribe", "BTC-USD")}, false},
		{"deny of something else", Policy{allow("*", "*"), deny("subscribe", "ETH-*")}, true},
		{"unknown effect", Policy{allow("*", "*"), {Effect: "permit", Actions: []string{"*"}, Resources: []string{"*"}}}, false},
		{"condition holds", Policy{{Effect: Allow, Actions: []string{"*"}, Resources: []string{"*"}, When: fromHome}}, true},
		{"condition of a deny holds", Policy{allow("*", "*"), {Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"}, When: fromHome}}, false},
		{"condition fails", Policy{{Effect: Allow, Actions: []string{"*"}, Resources: []string{"*"},
			When: func(r Request) bool { return !fromHome(r) }}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.policy.Allows(subscribe); got != tt.want {
				t.Errorf("Allows = %v; want %v", got, tt.want)
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	connect := Request{Action: ActionConnect, Resource: ResourceTicker}
	btc := Request{Action: ActionSubscribe, Resource: "BTC-USD"}
	eth := Request{Action: ActionSubscribe, Resource: "ETH-USD"}
	for _, tt := range []struct {
		name              string
		policies          []string
		connect, btc, eth bool
	}{
		{"none", nil, false, false, false},
		{"user", []string{DefaultPolicy}, true, true, true},
		{"bitcoin", []string{"bitcoin_policy"}, true, true, false},
		{"suspended", []string{"suspended_policy"}, false, false, false},
		{"suspended wins", []string{DefaultPolicy, "suspended_policy"}, false, false, false},
		{"unknown", []string{"gone_policy"}, false, false, false},
		{"unknown beside a known one", []string{"gone_policy", "bitcoin_policy"}, true, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []struct {
				r    Request
				want bool
			}{{connect, tt.connect}, {btc, tt.btc}, {eth, tt.eth}} {
				if got := Allowed(tt.policies, c.r); got != c.want {
					t.Errorf("Allowed(%v, %s %s) = %v; want %v", tt.policies, c.r.Action, c.r.Resource, got, c.want)
				}
			}
		})
	}
}

func TestIsPolicy(t *testing.T) {
	t.Parallel()
	if !IsPolicy(DefaultPolicy) {
		t.Errorf("there is no %s", DefaultPolicy)
	}
	if IsPolicy("gone_policy") {
		t.Error("there is a gone_policy")
	}
}
