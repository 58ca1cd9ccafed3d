// Echo sends a message back: as the answer of the route echo, and by
// PostToConnection for the route post. The route id answers with the connection's.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

func main() {
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
		}),
	})
	lambda.Start(func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		body := e.Body
		switch e.RequestContext.RouteKey {
		case "id":
			body = e.RequestContext.ConnectionID
		case "post":
			_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
				ConnectionId: &e.RequestContext.ConnectionID, Data: []byte(e.Body),
			})
			return events.APIGatewayProxyResponse{StatusCode: 200}, err
		}
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: body}, nil
	})
}
