// Socket is behind every route of the chat: it answers a message through
// @connections with the route and what the authorizer said. For the message
// "tls" it builds the endpoint from the event.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

func main() {
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: aws.String(os.Getenv("CHAT_ENDPOINT")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
		}),
	})
	lambda.Start(func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		log.Printf("route %s", e.RequestContext.RouteKey)
		if e.RequestContext.EventType != "MESSAGE" {
			return events.APIGatewayProxyResponse{StatusCode: 200}, nil
		}
		if e.Body == "crash" {
			os.Exit(3)
		}
		text := fmt.Sprintf("%s %s from %v", e.RequestContext.RouteKey, e.Body, e.RequestContext.Authorizer)
		var options []func(*apigatewaymanagementapi.Options)
		if e.Body == "tls" {
			options = append(options, func(o *apigatewaymanagementapi.Options) {
				o.BaseEndpoint = aws.String("https://" + e.RequestContext.DomainName + "/" + e.RequestContext.Stage)
			})
		}
		_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
			ConnectionId: &e.RequestContext.ConnectionID, Data: []byte(text),
		}, options...)
		return events.APIGatewayProxyResponse{StatusCode: 200}, err
	})
}
