// Gate is the authorizer; it lets everybody in.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

type request struct {
	MethodARN string `json:"methodArn"`
}

func main() {
	lambda.Start(func(_ context.Context, r request) (events.APIGatewayCustomAuthorizerResponse, error) {
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "user",
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version:   "2012-10-17",
				Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{r.MethodARN}}},
			},
			Context: map[string]any{"role": "reader"},
		}, nil
	})
}
