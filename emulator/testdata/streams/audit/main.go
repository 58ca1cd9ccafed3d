// Audit counts how often it sees each change of a note. It fails as often as a
// note asks for.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	a := audit{dynamodb.New(dynamodb.Options{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS")), // which has DynamoDB too
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
		}),
	})}
	lambda.Start(a.handle)
}

type audit struct{ db *dynamodb.Client }

func (a audit) handle(ctx context.Context, e events.DynamoDBEvent) error {
	for _, r := range e.Records {
		if want := os.Getenv("STREAM"); r.EventSourceArn != want {
			return fmt.Errorf("the stream is %s, not %s", r.EventSourceArn, want)
		}
		seen, err := a.count(ctx, r.EventName+" "+r.Change.Keys["id"].String())
		if err != nil {
			return err
		}
		if asked, ok := r.Change.NewImage["failures"]; ok {
			if n, err := strconv.Atoi(asked.Number()); err != nil || seen <= n {
				return errors.Join(errors.New("the note asks for a failure"), err)
			}
		}
	}
	return nil
}

// count adds one to a change and gives the sum.
func (a audit) count(ctx context.Context, change string) (int, error) {
	out, err := a.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(os.Getenv("TABLE")),
		Key:                       map[string]types.AttributeValue{"change": &types.AttributeValueMemberS{Value: change}},
		UpdateExpression:          aws.String("ADD seen :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out.Attributes["seen"].(*types.AttributeValueMemberN).Value)
}
