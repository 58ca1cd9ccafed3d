package dynamodb

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestTables(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		ctx := context.Background()
		made := b.must("CreateTable", indexedTable)
		if !strings.Contains(made, `"TableStatus":"CREATING"`) {
			t.Errorf("got %s", made)
		}
		if err := dynamodb.NewTableExistsWaiter(b.client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("Indexed")}, time.Second); err != nil {
			t.Error(err)
		}
		b.must("PutItem", `{"TableName":"Indexed","Item":{"pk":{"S":"p"},"sk":{"N":"1"}}}`)
		out, err := b.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("Indexed")})
		if err != nil {
			t.Fatal(err)
		}
		d := out.Table
		if got, want := aws.ToString(d.TableArn), "arn:aws:dynamodb:eu-central-1:123456789012:table/Indexed"; got != want {
			t.Errorf("got ARN %s, want %s", got, want)
		}
		if *d.ItemCount != 1 || *d.TableSizeBytes != 7 || d.BillingModeSummary.BillingMode != "PAY_PER_REQUEST" || aws.ToString(d.TableId) == "" || time.Since(*d.CreationDateTime) > time.Minute {
			t.Errorf("got %+v", d)
		}
		if len(d.GlobalSecondaryIndexes) != 2 || d.GlobalSecondaryIndexes[1].IndexStatus != "ACTIVE" || len(d.LocalSecondaryIndexes) != 1 ||
			aws.ToString(d.LocalSecondaryIndexes[0].IndexArn) != "arn:aws:dynamodb:eu-central-1:123456789012:table/Indexed/index/local" {
			t.Errorf("got %+v", d)
		}
		b.wantError("CreateTable", indexedTable, "ResourceInUse: Table already exists: Indexed")
		gone := decodeJSON(t, b.must("DeleteTable", `{"TableName":"Indexed"}`))["TableDescription"].(map[string]any)
		if gone["TableStatus"] != "DELETING" || gone["ItemCount"] == nil || gone["TableArn"] == nil {
			t.Errorf("got %v", gone)
		}
		for _, name := range []string{"AttributeDefinitions", "KeySchema", "CreationDateTime", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"} {
			if gone[name] != nil {
				t.Errorf("a deleted table is described with %s: %v", name, gone[name])
			}
		}
		if err := dynamodb.NewTableNotExistsWaiter(b.client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("Indexed")}, time.Second); err != nil {
			t.Error(err)
		}
		b.wantError("DeleteTable", `{"TableName":"Indexed"}`, "ResourceNotFound: Requested resource not found: Table: Indexed not found")
		b.must("CreateTable", indexedTable)
		b.want("Scan", `{"TableName":"Indexed"}`, `{"Items":[],"Count":0,"ScannedCount":0}`)
		b.want("Scan", `{"TableName":"Indexed","IndexName":"all"}`, `{"Items":[],"Count":0,"ScannedCount":0}`)
	})
}

func TestListTables(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.want("ListTables", `{}`, `{"TableNames":[]}`)
	for _, name := range []string{"ccc", "aaa", "bbb"} {
		b.must("CreateTable", hashTable, name, "S")
	}
	b.want("ListTables", `{"Limit":2}`, `{"LastEvaluatedTableName":"bbb","TableNames":["aaa","bbb"]}`)
	b.want("ListTables", `{"Limit":2,"ExclusiveStartTableName":"bbb"}`, `{"TableNames":["ccc"]}`)
	b.wantError("ListTables", `{"Limit":0}`, "Validation: 1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")
}

func TestDeletionProtection(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", strings.Replace(hashTable, `"BillingMode"`, `"DeletionProtectionEnabled":true,"BillingMode"`, 1), "Things", "S")
	b.wantError("DeleteTable", `{"TableName":"Things"}`, "Validation: Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
}

func TestCreateTableErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	const (
		name   = `"TableName":"Things"`
		demand = `"BillingMode":"PAY_PER_REQUEST"`
		defA   = `"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}]`
		defAB  = `"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"},{"AttributeName":"b","AttributeType":"S"}]`
		keyA   = `"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}]`
		keyAB  = `"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}]`
	)
	index := func(kind, name, key, projection string) string {
		return `"` + kind + `SecondaryIndexes":[{"IndexName":"` + name + `",` + key + `,"Projection":` + projection + `}]`
	}
	for _, tt := range []struct {
		want    string
		members []string
	}{
		{"The parameter 'TableName' is required but was not present in the request", []string{defA, keyA, demand}},
		{"One or more parameter values were invalid: Table is being created with a stream disabled, UpdateViewType should not be specified",
			[]string{name, defA, keyA, demand, `"StreamSpecification":{"StreamEnabled":false,"StreamViewType":"NEW_IMAGE"}`}},
		{"2 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy constraint: Member must not be null; Value null at 'keySchema' failed to satisfy constraint: Member must not be null", []string{name, demand}},
		{"1 validation error detected: Value 'X' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]",
			[]string{name, keyA, demand, `"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"X"}]`}},
		{"2 validation errors detected: Value null at 'attributeDefinitions.2.member.attributeName' failed to satisfy constraint: Member must not be null; " +
			"Value 'X' at 'attributeDefinitions.2.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]",
			[]string{name, keyA, demand, `"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"},{"AttributeType":"X"}]`}},
		{"1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]", []string{name, defA, keyA, `"BillingMode":"FREE"`}},
		{"One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED", []string{name, defA, keyA}},
		{"One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
			[]string{name, defA, keyA, demand, `"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}`}},
		{"Invalid KeySchema: The first KeySchemaElement is not a HASH key type", []string{name, defA, demand, `"KeySchema":[{"AttributeName":"a","KeyType":"RANGE"}]`}},
		{"Invalid KeySchema: The second KeySchemaElement is not a RANGE key type", []string{name, defAB, demand, `"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"HASH"}]`}},
		{"Both the Hash Key and the Range Key element in the KeySchema have the same name", []string{name, defAB, demand, `"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"a","KeyType":"RANGE"}]`}},
		{"Invalid KeySchema: Some index key attribute have no definition", []string{name, defA, keyAB, demand}},
		{"One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [c], AttributeDefinitions: [a]", []string{name, defA, demand, `"KeySchema":[{"AttributeName":"c","KeyType":"HASH"}]`}},
		{"One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions", []string{name, defAB, keyA, demand}},
		{"One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: [a, b], keys used: [a]", []string{name, defAB, keyA, demand, index("Global", "idx", keyA, `{"ProjectionType":"ALL"}`)}},
		{"One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex", []string{name, defAB, keyA, demand, index("Local", "idx", keyAB, `{"ProjectionType":"ALL"}`)}},
		{"One or more parameter values were invalid: Index KeySchema does not have a range key for index: idx", []string{name, defAB, keyAB, demand, index("Local", "idx", keyA, `{"ProjectionType":"ALL"}`)}},
		{"One or more parameter values were invalid: Unknown ProjectionType: null", []string{name, defA, keyA, demand, index("Global", "idx", keyA, `{}`)}},
		{"One or more parameter values were invalid: ProjectionType is ALL, but NonKeyAttributes is specified", []string{name, defA, keyA, demand, index("Global", "idx", keyA, `{"ProjectionType":"ALL","NonKeyAttributes":["x"]}`)}},
		{"One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified", []string{name, defA, keyA, demand, index("Global", "idx", keyA, `{"ProjectionType":"INCLUDE"}`)}},
		{"One or more parameter values were invalid: Duplicate attribute in NonKeyAttributes: x", []string{name, defA, keyA, demand, index("Global", "idx", keyA, `{"ProjectionType":"INCLUDE","NonKeyAttributes":["x","y","x"]}`)}},
		{"1 validation error detected: Value '[KeySchemaElement(attributeName=a, keyType=HASH), KeySchemaElement(attributeName=b, keyType=RANGE), KeySchemaElement(attributeName=b, keyType=RANGE)]' " +
			"at 'globalSecondaryIndexes.1.member.keySchema' failed to satisfy constraint: Member must have length less than or equal to 2",
			[]string{name, defAB, keyA, demand, index("Global", "idx", strings.Replace(keyAB, "]", `,{"AttributeName":"b","KeyType":"RANGE"}]`, 1), `{"ProjectionType":"ALL"}`)}},
		{"Attribute Name is duplicated: a", []string{name, keyA, demand, `"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"},{"AttributeName":"a","AttributeType":"N"}]`}},
		{"One or more parameter values were invalid: Duplicate index name: idx", []string{name, defAB, keyAB, demand, index("Global", "idx", keyA, `{"ProjectionType":"ALL"}`), index("Local", "idx", keyAB, `{"ProjectionType":"ALL"}`)}},
	} {
		b.wantError("CreateTable", "{"+strings.Join(tt.members, ",")+"}", "Validation: "+tt.want)
	}
	b.want("ListTables", `{}`, `{"TableNames":[]}`)
}

func TestProvisionedTable(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	const table = `{"TableName":"Things","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"B"}],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"TableClass":"STANDARD",
		"ProvisionedThroughput":{"ReadCapacityUnits":%d,"WriteCapacityUnits":7}}`
	if _, err := b.do("CreateTable", table, 0); err == nil || short(err) != "Validation: 1 validation error detected: Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1" {
		t.Errorf("got %v", err)
	}
	out := decodeJSON(t, b.must("CreateTable", table, 5))["TableDescription"].(map[string]any)
	throughput := out["ProvisionedThroughput"].(map[string]any)
	if throughput["ReadCapacityUnits"] != 5.0 || throughput["WriteCapacityUnits"] != 7.0 || out["BillingModeSummary"] != nil || out["TableClassSummary"].(map[string]any)["TableClass"] != "STANDARD" {
		t.Errorf("got %v", out)
	}
	b.wantError("PutItem", `{"TableName":"Things","Item":{"a":{"B":""}}}`, "Validation: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: a")
	b.wantError("DescribeTable", `{}`, "Validation: The parameter 'TableName' is required but was not present in the request")
}

// TestTableMadeByItsARN: as everywhere, the table is the one that the ARN names.
func TestTableMadeByItsARN(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, thingsARN, "S")
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}}}`)
		b.want("GetItem", `{"TableName":"`+thingsARN+`","Key":{"pk":{"S":"a"}}}`, `{"Item":{"pk":{"S":"a"}}}`)
		b.want("ListTables", `{}`, `{"TableNames":["Things"]}`)
		b.must("DeleteTable", `{"TableName":"%s"}`, thingsARN)
	})
}
