// Web gives an item of the table, with the greeting and the length of the
// secret.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func main() {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
	})
	config := aws.Config{Region: os.Getenv("AWS_REGION"), Credentials: credentials}
	db := dynamodb.NewFromConfig(config, func(o *dynamodb.Options) {
		o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
	})
	secrets := secretsmanager.NewFromConfig(config, func(o *secretsmanager.Options) {
		o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"))
	})
	lambda.Start(func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		secret, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(os.Getenv("SECRET"))})
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		out, err := db.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String(os.Getenv("TABLE")),
			Key:       map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: e.PathParameters["id"]}},
		})
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		n, ok := out.Item["n"].(*types.AttributeValueMemberN)
		if !ok {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNotFound}, nil
		}
		return events.APIGatewayV2HTTPResponse{
			StatusCode: http.StatusOK,
			Body:       fmt.Sprintf("%s %s %d", os.Getenv("GREETING"), n.Value, len(*secret.SecretString)),
		}, nil
	})
}
