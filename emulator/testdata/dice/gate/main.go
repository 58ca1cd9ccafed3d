// Gate is the authorizer: it lets those in who name themselves, but no cheat.
package main

import "dice/internal/runtime"

type event struct {
	MethodARN string            `json:"methodArn"`
	Query     map[string]string `json:"queryStringParameters"`
}

type (
	answer struct {
		PrincipalID string            `json:"principalId"`
		Policy      policy            `json:"policyDocument"`
		Context     map[string]string `json:"context"`
	}
	policy struct {
		Version   string
		Statement []statement
	}
	statement struct{ Action, Effect, Resource string }
)

func main() {
	runtime.Start(func(e event) (any, error) {
		effect := "Allow"
		if e.Query["player"] == "cheat" {
			effect = "Deny"
		}
		return answer{
			PrincipalID: e.Query["player"],
			Policy:      policy{"2012-10-17", []statement{{"execute-api:Invoke", effect, e.MethodARN}}},
			Context:     map[string]string{"table": "green"},
		}, nil
	})
}
