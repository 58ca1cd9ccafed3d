// Members keeps a row of the table for each open connection.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	db := dynamodb.New(dynamodb.Options{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
		}),
	})
	table := aws.String(os.Getenv("TABLE"))
	lambda.Start(func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		row := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: e.RequestContext.ConnectionID}}
		var err error
		if e.RequestContext.EventType == "CONNECT" {
			_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: row})
		} else {
			_, err = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: row})
		}
		return events.APIGatewayProxyResponse{StatusCode: 200}, err
	})
}
