// Gate is the authorizer: it lets everybody in but eve.
package main

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

type request struct {
	MethodARN             string            `json:"methodArn"`
	QueryStringParameters map[string]string `json:"queryStringParameters"`
}

func main() {
	lambda.Start(func(_ context.Context, r request) (events.APIGatewayCustomAuthorizerResponse, error) {
		name, effect := r.QueryStringParameters["name"], "Allow"
		switch name {
		case "nobody":
			return events.APIGatewayCustomAuthorizerResponse{}, errors.New("Unauthorized")
		case "eve":
			effect = "Deny"
		}
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: name,
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version:   "2012-10-17",
				Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{r.MethodARN}}},
			},
			Context: map[string]any{"lucky": 7},
		}, nil
	})
}
