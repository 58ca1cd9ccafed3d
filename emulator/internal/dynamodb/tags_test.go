package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const thingsARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/Things"

func TestTags(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		ctx, arn := context.Background(), aws.String(thingsARN)
		b.must("CreateTable", strings.Replace(hashTable, `"BillingMode"`, `"Tags":[{"Key":"team","Value":"a"},{"Key":"empty","Value":""}],"BillingMode"`, 1), "Things", "S")
		list := func() string {
			out, err := b.client.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, tag := range out.Tags {
				got = append(got, aws.ToString(tag.Key)+"="+aws.ToString(tag.Value))
			}
			return strings.Join(got, " ")
		}
		if got := list(); got != "team=a empty=" {
			t.Errorf("got %s", got)
		}
		if _, err := b.client.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{
			{Key: aws.String("team"), Value: aws.String("b")}, {Key: aws.String("ключ/1"), Value: aws.String("café a+b-c=d.e_f:g/h@i")}}}); err != nil {
			t.Fatal(err)
		}
		if got, want := list(), "team=b empty= ключ/1=café a+b-c=d.e_f:g/h@i"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if _, err := b.client.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"team", "ключ/1", "none"}}); err != nil {
			t.Fatal(err)
		}
		if got := list(); got != "empty=" {
			t.Errorf("got %s", got)
		}
		b.must("DeleteTable", `{"TableName":"Things"}`)
		b.must("CreateTable", hashTable, "Things", "S")
		b.want("ListTagsOfResource", `{"ResourceArn":"`+thingsARN+`"}`, `{"Tags":[]}`)
	})
}

func TestTagErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	var many []string
	for i := range maxTags {
		many = append(many, fmt.Sprintf(`{"Key":"k%d","Value":""}`, i))
	}
	long, keys := strings.Repeat("k", maxTagKey+1), strings.Repeat(`"k",`, maxTags)
	const tooMany = "Validation: Number of Tags exceed the current limit for the provided ResourceArn"
	const null = " failed to satisfy constraint: Member must not be null"
	for _, tt := range []struct{ operation, members, want string }{
		{"TagResource", `"ResourceArn":null`, "Validation: 2 validation errors detected: Value null at 'resourceArn'" + null + "; Value null at 'tags'" + null},
		{"UntagResource", `"ResourceArn":"arn:"`, "Validation: 1 validation error detected: Value null at 'tagKeys'" + null},
		{"ListTagsOfResource", `"ResourceArn":null`, "Validation: 1 validation error detected: Value null at 'resourceArn'" + null},
		{"ListTagsOfResource", `"ResourceArn":"Things"`, "Validation: One or more parameter values were invalid: ARNs must start with 'arn:': Things"},
		{"ListTagsOfResource", `"ResourceArn":"arn:aws:s3:::bucket"`, "Validation: One or more parameter values were invalid: Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::bucket"},
		{"ListTagsOfResource", `"ResourceArn":"` + thingsARN + `/index/x"`, "Validation: One or more parameter values were invalid: Invalid resource arn provided, only table or stream is accepted. Provided resource arn: " + thingsARN + "/index/x"},
		{"ListTagsOfResource", `"ResourceArn":"arn:aws:dynamodb:us-east-1:123456789012:table/Things"`, "Validation: Invalid TableArn: Invalid ResourceArn provided as input arn:aws:dynamodb:us-east-1:123456789012:table/Things"},
		{"ListTagsOfResource", `"ResourceArn":"` + thingsARN + `2"`, "ResourceNotFound: Requested resource not found: ResourcArn: " + thingsARN + "2 not found"},
		{"TagResource", `"ResourceArn":"` + thingsARN + `2","Tags":[{"Key":"a","Value":"b"}]`, "ResourceNotFound: Requested resource not found: ResourcArn: " + thingsARN + "2 not found"},
		{"TagResource", `"Tags":[]`, "Validation: Atleast one Tag needs to be provided as Input."},
		{"UntagResource", `"TagKeys":[]`, "Validation: Atleast one Tag Key needs to be provided as Input."},
		{"TagResource", `"Tags":[{"Key":"good","Value":"x"},{"Key":"` + long + `","Value":"x"}]`, "Validation: The Tag Key provided is invalid, Key: " + long},
		{"TagResource", `"Tags":[{"Key":"","Value":"x"}]`, "Validation: The Tag Key provided is invalid, Key: "},
		{"TagResource", `"Tags":[{"Key":"a"}]`, "Validation: The Tag Value provided is invalid, Value: null"},
		{"TagResource", `"Tags":[{"Key":"a","Value":"100%"}]`, "Validation: The Tag Value provided is invalid, Value: 100%"},
		{"TagResource", `"Tags":[{"Key":"good","Value":"x"},{"Key":"aws:zzz","Value":"x"}]`, "Validation: Tag Key cannot be prefixed with aws:, Key: aws:zzz"},
		{"TagResource", `"Tags":[{"Key":"dup","Value":"x"},{"Key":"dup","Value":"y"}]`, "Validation: Duplicate Tag Keys provided as input: Duplicate Tag Key found dup"},
		{"UntagResource", `"TagKeys":["` + long + `"]`, "Validation: The Tag Key provided is invalid, Key: " + long},
		{"UntagResource", `"TagKeys":[` + keys + `"k"]`, tooMany},
		{"TagResource", `"Tags":[` + strings.Join(many, ",") + `,{"Key":"more","Value":""}]`, tooMany},
	} {
		input := `{` + tt.members + `}`
		if !strings.Contains(tt.members, "ResourceArn") {
			input = `{"ResourceArn":"` + thingsARN + `",` + tt.members + `}`
		}
		b.wantError(tt.operation, input, tt.want)
	}
	b.want("ListTagsOfResource", `{"ResourceArn":"`+thingsARN+`"}`, `{"Tags":[]}`)
	b.must("TagResource", `{"ResourceArn":"`+thingsARN+`","Tags":[`+strings.Join(many, ",")+`]}`)
	b.must("TagResource", `{"ResourceArn":"`+thingsARN+`","Tags":[{"Key":"k7","Value":"again"}]}`)
	b.wantError("TagResource", `{"ResourceArn":"`+thingsARN+`","Tags":[{"Key":"more","Value":""}]}`, tooMany)
	b.wantError("CreateTable", fmt.Sprintf(strings.Replace(hashTable, `"BillingMode"`, `"Tags":[{"Key":"aws:x","Value":"a"}],"BillingMode"`, 1), "Other", "S"),
		"Validation: Tag Key cannot be prefixed with aws:, Key: aws:x")
	b.wantError("CreateTable", fmt.Sprintf(strings.Replace(hashTable, `"BillingMode"`, `"VectorIndexes":[],"BillingMode"`, 1), "Other", "S"),
		"Validation: The parameter VectorIndexes is not supported here")
}

func TestAccount(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	ctx := context.Background()
	limits, err := b.client.DescribeLimits(ctx, &dynamodb.DescribeLimitsInput{})
	if err != nil || *limits.AccountMaxReadCapacityUnits != 80000 || *limits.TableMaxWriteCapacityUnits != 40000 {
		t.Errorf("got %+v, %v", limits, err)
	}
	endpoints, err := b.client.DescribeEndpoints(ctx, &dynamodb.DescribeEndpointsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(endpoints.Endpoints[0].Address), strings.TrimPrefix(b.url, "http://"); got != want || endpoints.Endpoints[0].CachePeriodInMinutes != 1440 {
		t.Errorf("got %s, want %s", got, want)
	}
	b.want("DescribeEndpoints", `{}`, `{"Endpoints":[{"Address":"dynamodb.eu-central-1.amazonaws.com","CachePeriodInMinutes":1440}]}`)
	b.wantError("DescribeLimits", `[]`, "Serialization: Unrecognized collection type class com.amazonaws.dynamodb.v20120810.DescribeLimitsInput")
	b.wantError("DescribeEndpoints", `[]`, "Serialization: Unrecognized collection type class com.amazonaws.dynamodb.v20120810.DescribeEndpointsRequest")
}

func TestContinuousBackups(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		ctx, name := context.Background(), aws.String("Things")
		const disabled = `{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}`
		b.want("DescribeContinuousBackups", `{"TableName":"Things"}`, disabled)
		set := func(enabled bool, days *int32) (*types.PointInTimeRecoveryDescription, error) {
			out, err := b.client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: name,
				PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &enabled, RecoveryPeriodInDays: days}})
			if err != nil {
				return nil, err
			}
			return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription, nil
		}
		for _, tt := range []struct {
			days *int32
			want int32
		}{{nil, 35}, {aws.Int32(7), 7}, {aws.Int32(1), 1}} {
			got, err := set(true, tt.days)
			if err != nil {
				t.Fatal(err)
			}
			if *got.RecoveryPeriodInDays != tt.want || got.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled || got.EarliestRestorableDateTime.After(*got.LatestRestorableDateTime) {
				t.Errorf("got %+v, want %d days", got, tt.want)
			}
		}
		if _, err := set(false, aws.Int32(7)); err == nil || !strings.Contains(err.Error(), "ValidationException: Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.") {
			t.Errorf("got %v", err)
		}
		if _, err := set(false, nil); err != nil {
			t.Error(err)
		}
		b.want("DescribeContinuousBackups", `{"TableName":"`+thingsARN+`"}`, disabled)
		b.wantError("UpdateContinuousBackups", `{"TableName":"Things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":36}}`,
			"Validation: 1 validation error detected: Value '36' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 35")
		b.wantError("UpdateContinuousBackups", `{"TableName":"Things"}`, "Validation: 1 validation error detected: Value null at 'pointInTimeRecoverySpecification' failed to satisfy constraint: Member must not be null")
		_, err := b.client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("Nothing")})
		var missing *types.TableNotFoundException
		if !errors.As(err, &missing) || missing.ErrorMessage() != "Table not found: Nothing" {
			t.Errorf("got %v", err)
		}
		b.wantError("UpdateContinuousBackups", `{"TableName":"Nothing","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`, "TableNotFound: Table not found: Nothing")
	})
}
