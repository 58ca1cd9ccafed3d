// Items answers what it was asked.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(items) }

func items(r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	switch r.Path {
	case "/fails":
		return events.APIGatewayProxyResponse{}, fmt.Errorf("no such shop")
	case "/office":
		return events.APIGatewayProxyResponse{StatusCode: 302, Headers: map[string]string{"Location": os.Getenv("OFFICE_URL")}}, nil
	}
	c := r.RequestContext
	return events.APIGatewayProxyResponse{StatusCode: 200, Headers: map[string]string{"Access-Control-Allow-Origin": "https://shop.example"},
		Body: fmt.Sprintf("%s %s of %s at %s: %v, %v, %v, %s", r.HTTPMethod, r.Path, r.Resource, c.Path, r.PathParameters,
			c.Authorizer["principalId"], c.Authorizer["discount"], r.Body+r.StageVariables["desk"])}, nil
}
