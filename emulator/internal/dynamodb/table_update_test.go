package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// createIndex makes an index byG of the attribute g, which is a string.
const createIndex = `{"TableName":"Things","AttributeDefinitions":[{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"unused","AttributeType":"N"}],
	"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"byG","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}}]}`

func TestCreateAndDeleteIndex(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		ctx, name := context.Background(), aws.String("Things")
		b.must("CreateTable", hashTable, "Things", "S")
		for i, g := range []string{`{"S":"one"}`, `{"S":"one"}`, `{"N":"1"}`, `{"S":""}`, `{"S":"` + strings.Repeat("x", maxHashSize+1) + `"}`} {
			b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"%d"},"g":%s}}`, i, g)
		}
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"none"}}}`)
		out, err := b.client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: name,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("g"), AttributeType: types.ScalarAttributeTypeS}},
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{IndexName: aws.String("byG"),
				KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("g"), KeyType: types.KeyTypeHash}},
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}}}})
		if err != nil {
			t.Fatal(err)
		}
		x := out.TableDescription.GlobalSecondaryIndexes[0]
		if out.TableDescription.TableStatus != types.TableStatusUpdating || x.IndexStatus != types.IndexStatusCreating || x.Backfilling == nil {
			t.Errorf("got %+v", out.TableDescription)
		}
		described := dynamodb.NewTableExistsWaiter(b.client)
		if err := described.Wait(ctx, &dynamodb.DescribeTableInput{TableName: name}, time.Second); err != nil {
			t.Error(err)
		}
		table, err := b.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: name})
		if err != nil {
			t.Fatal(err)
		}
		if x := table.Table.GlobalSecondaryIndexes[0]; x.IndexStatus != types.IndexStatusActive || *x.ItemCount != 2 || x.Backfilling != nil || len(table.Table.AttributeDefinitions) != 2 {
			t.Errorf("got %+v", table.Table)
		}
		b.want("Query", `{"TableName":"Things","IndexName":"byG","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"one"}},"Select":"COUNT"}`, `{"Count":2,"ScannedCount":2}`)
		b.wantInStep("Things")
		b.wantError("UpdateTable", createIndex, "Validation: Attempting to create an index which already exists")
		b.wantError("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"g":{"N":"1"}}}`,
			"Validation: One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: byG")

		deleted := b.must("UpdateTable", `{"TableName":"Things","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"byG"}}]}`)
		if !strings.Contains(deleted, `"IndexStatus":"DELETING"`) {
			t.Errorf("got %s", deleted)
		}
		after := decodeJSON(t, b.must("DescribeTable", `{"TableName":"Things"}`))["Table"].(map[string]any)
		if after["GlobalSecondaryIndexes"] != nil || len(after["AttributeDefinitions"].([]any)) != 1 {
			t.Errorf("got %v", after)
		}
		b.wantError("Query", `{"TableName":"Things","IndexName":"byG","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"one"}}}`,
			"Validation: The table does not have the specified index: byG")
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"g":{"N":"1"}}}`)
		b.must("UpdateTable", createIndex) // anew, and empty spaces are filled
		b.wantInStep("Things")
	})
}

// TestIndexIsMadeWhileItemsAreWritten makes and deletes an index again and again
// under clients who write.
func TestIndexIsMadeWhileItemsAreWritten(t *testing.T) {
	onStores(t, func(t *testing.T, b *bench) {
		b.must("CreateTable", hashTable, "Things", "S")
		var wg sync.WaitGroup
		for client := range 4 {
			wg.Go(func() {
				for i := range 40 {
					operation, input := "PutItem", fmt.Sprintf(`{"TableName":"Things","Item":{"pk":{"S":"%d"},"g":{"S":"%d"}}}`, i%7, client)
					if i%5 == 0 {
						operation, input = "DeleteItem", fmt.Sprintf(`{"TableName":"Things","Key":{"pk":{"S":"%d"}}}`, i%7)
					}
					if _, err := b.do(operation, input); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 5 {
			b.must("UpdateTable", createIndex)
			b.must("UpdateTable", `{"TableName":"Things","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"byG"}}]}`)
		}
		b.must("UpdateTable", createIndex)
		wg.Wait()
		b.wantInStep("Things")
	})
}

// TestUpdatedTableIsOpenedAgain looks for what UpdateTable has stored.
func TestUpdatedTableIsOpenedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var before string
	t.Run("first", func(t *testing.T) {
		b := open(t, dir)
		b.must("CreateTable", hashTable, "Things", "S")
		b.must("PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"},"g":{"S":"g"}}}`)
		b.must("UpdateTable", createIndex)
		b.must("UpdateTable", `{"TableName":"Things","TableClass":"STANDARD_INFREQUENT_ACCESS"}`)
		b.must("UpdateTable", `{"TableName":"Things","SSESpecification":{"Enabled":true}}`)
		b.must("UpdateTable", `{"TableName":"Things","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`)
		b.must("UpdateTable", `{"TableName":"Things","DeletionProtectionEnabled":true}`)
		before = b.must("DescribeTable", `{"TableName":"Things"}`)
	})
	t.Run("second", func(t *testing.T) {
		b := open(t, dir)
		b.want("DescribeTable", `{"TableName":"Things"}`, before)
		b.wantError("DeleteTable", `{"TableName":"Things"}`, "Validation: Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
		b.must("UpdateTable", `{"TableName":"Things","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"byG"}}]}`)
		b.must("CreateTable", hashTable, "Another", "S") // takes no space of the index
		b.want("Scan", `{"TableName":"Another"}`, `{"Items":[],"Count":0,"ScannedCount":0}`)
	})
}

func TestUpdateTableSettings(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	get := func(member string) string {
		table := decodeJSON(t, b.must("DescribeTable", `{"TableName":"Indexed"}`))["Table"].(map[string]any)
		return fmt.Sprint(table[member])
	}
	for _, tt := range []struct{ update, status, member, want string }{
		{`"DeletionProtectionEnabled":true`, "ACTIVE", "DeletionProtectionEnabled", "true"},
		{`"DeletionProtectionEnabled":false`, "ACTIVE", "DeletionProtectionEnabled", "false"},
		{`"SSESpecification":{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"abc"}`, "UPDATING", "SSEDescription",
			"map[KMSMasterKeyArn:arn:aws:kms:eu-central-1:123456789012:key/abc SSEType:KMS Status:ENABLED]"},
		{`"SSESpecification":{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"alias/mine"}`, "UPDATING", "SSEDescription",
			"map[KMSMasterKeyArn:arn:aws:kms:eu-central-1:123456789012:alias/mine SSEType:KMS Status:ENABLED]"},
		{`"SSESpecification":{"Enabled":false}`, "UPDATING", "SSEDescription", "<nil>"},
		{`"OnDemandThroughput":{"MaxReadRequestUnits":5,"MaxWriteRequestUnits":6}`, "UPDATING", "OnDemandThroughput", "map[MaxReadRequestUnits:5 MaxWriteRequestUnits:6]"},
		{`"OnDemandThroughput":{"MaxWriteRequestUnits":-1}`, "UPDATING", "OnDemandThroughput", "map[MaxReadRequestUnits:5]"},
		{`"OnDemandThroughput":{"MaxReadRequestUnits":-1}`, "UPDATING", "OnDemandThroughput", "<nil>"},
		{`"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"all","OnDemandThroughput":{"MaxReadRequestUnits":5}}}]`, "UPDATING", "TableStatus", "ACTIVE"},
		{`"BillingMode":"PROVISIONED","ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":2},"GlobalSecondaryIndexUpdates":[
			{"Update":{"IndexName":"all","ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4}}},{"Update":{"IndexName":"some","ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4}}}]`,
			"UPDATING", "ProvisionedThroughput", "map[NumberOfDecreasesToday:0 ReadCapacityUnits:1 WriteCapacityUnits:2]"},
		{`"BillingMode":"PAY_PER_REQUEST"`, "UPDATING", "ProvisionedThroughput", "map[NumberOfDecreasesToday:0 ReadCapacityUnits:0 WriteCapacityUnits:0]"},
		{`"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}`, "UPDATING", "StreamSpecification", "map[StreamEnabled:true StreamViewType:NEW_IMAGE]"},
		{`"StreamSpecification":{"StreamEnabled":false}`, "UPDATING", "StreamSpecification", "<nil>"},
		{`"AttributeDefinitions":[{"AttributeName":"other","AttributeType":"S"}],"TableClass":"STANDARD"`, "UPDATING", "TableStatus", "ACTIVE"},
	} {
		out := decodeJSON(t, b.must("UpdateTable", `{"TableName":"arn:aws:dynamodb:eu-central-1:123456789012:table/Indexed",`+tt.update+`}`))["TableDescription"].(map[string]any)
		if out["TableStatus"] != tt.status {
			t.Errorf("%s: status %v, want %s", tt.update, out["TableStatus"], tt.status)
		}
		if got := get(tt.member); got != tt.want {
			t.Errorf("%s: %s is %s, want %s", tt.update, tt.member, got, tt.want)
		}
	}
	if got := get("AttributeDefinitions"); strings.Contains(got, "other") {
		t.Errorf("unused definitions are kept: %s", got)
	}
}

func TestUpdateTableErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", indexedTable)
	b.must("CreateTable", `{"TableName":"Provisioned","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":2},"GlobalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
			"Projection":{"ProjectionType":"ALL"},"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":2}}]}`)
	const (
		invalid = "Validation: One or more parameter values were invalid: "
		create  = `{"Create":{"IndexName":"new","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}`
		defG    = `"AttributeDefinitions":[{"AttributeName":"g","AttributeType":"S"}]`
		units   = `"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":2}`
		stream  = `"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}`
		same    = " will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the %[1]s: 1. Requested ReadCapacityUnits: 1. " +
			"Current WriteCapacityUnits provisioned for the %[1]s: 2. Requested WriteCapacityUnits: 2. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
	)
	updates := func(u string) string { return `"GlobalSecondaryIndexUpdates":[` + u + `]` }
	for _, tt := range []struct{ table, members, want string }{
		{"Indexed", defG, "Validation: At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, " +
			"MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"},
		{"Nothing", `"DeletionProtectionEnabled":true`, "ResourceNotFound: Requested resource not found: Table: Nothing not found"},
		{"a!", `"DeletionProtectionEnabled":true`, "Validation: 2 validation errors detected: Value 'a!' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " +
			"Value 'a!' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		{"Indexed", `"BillingMode":"FREE"`, "Validation: 1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"},
		{"Indexed", `"TableClass":"FAST"`, "Validation: Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."},
		{"Indexed", `"SSESpecification":{"Enabled":true},"DeletionProtectionEnabled":true`, invalid + "Server-Side Encryption modification must be the only operation in the request"},
		{"Indexed", `"TableClass":"STANDARD","BillingMode":"PAY_PER_REQUEST"`, invalid + "TableClass modification must be the only operation in the request"},
		{"Indexed", `"DeletionProtectionEnabled":true,` + stream, invalid + "DeletionProtection modification must be the only operation in the request"},
		{"Indexed", `"OnDemandThroughput":{"MaxReadRequestUnits":5},` + stream, invalid + "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"},
		{"Indexed", units + "," + stream, invalid + "You cannot modify stream status while updating table IOPS"},
		{"Indexed", units + "," + defG + "," + updates(create), invalid + "You cannot create or delete index while updating table IOPS"},
		{"Indexed", stream + "," + defG + "," + updates(create), invalid + "You cannot create or delete index while changing stream status"},
		{"Indexed", `"StreamSpecification":{"StreamEnabled":false}`, "Validation: Table has no stream to disable: TableName: Indexed"},
		{"Indexed", `"SSESpecification":{"Enabled":false}`, invalid + "Table is already encrypted by default"},
		{"Indexed", `"SSESpecification":{"Enabled":false,"SSEType":"KMS"}`, invalid + "SSEType can not be specified if Enabled is false"},
		{"Indexed", `"SSESpecification":{"Enabled":false,"KMSMasterKeyId":"a"}`, invalid + "KMSMasterKeyId can not be specified if Enabled is false"},
		{"Indexed", `"SSESpecification":{"Enabled":true,"KMSMasterKeyId":"a"}`, invalid + "SSEType KMS is required if KMSMasterKeyId is specified"},
		{"Indexed", `"SSESpecification":{"Enabled":true,"SSEType":"AES256"}`, invalid + "SSEType AES256 is not supported"},
		{"Indexed", units, invalid + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		{"Indexed", `"BillingMode":"PROVISIONED"`, invalid + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"},
		{"Indexed", `"BillingMode":"PROVISIONED",` + units, invalid + "ProvisionedThroughput must be specified for index: all"},
		{"Indexed", `"OnDemandThroughput":{"MaxReadRequestUnits":0}`, invalid + "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range"},
		{"Provisioned", `"OnDemandThroughput":{"MaxWriteRequestUnits":5}`, invalid + "MaxWriteRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"},
		{"Provisioned", units, "Validation: The provisioned throughput for the table" + fmt.Sprintf(same, "table")},
		{"Provisioned", updates(`{"Update":{"IndexName":"idx",` + units + `}}`), "Validation: The provisioned throughput for the index idx" + fmt.Sprintf(same, "index")},
		{"Provisioned", updates(`{"Update":{"IndexName":"idx"}}`), invalid + "ProvisionedThroughput must be specified for index: idx"},
		{"Provisioned", defG + "," + updates(create), invalid + "ProvisionedThroughput must be specified for index: new"},
		{"Indexed", updates(``), invalid + "List of GlobalSecondaryIndexUpdates is empty"},
		{"Indexed", updates(`{}`), invalid + "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null"},
		{"Indexed", updates(`{"Update":{"IndexName":"all"},"Delete":{"IndexName":"all"}}`), invalid + "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"},
		{"Indexed", updates(`{"Delete":{"IndexName":"all"}},{"Delete":{"IndexName":"all"}}`), invalid + "Only one global secondary index update per index is allowed simultaneously. Index: all"},
		{"Indexed", updates(`{"Delete":{"IndexName":"all"}},{"Delete":{"IndexName":"some"}}`), "LimitExceeded: Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"},
		{"Indexed", updates(create), invalid + "AttributeDefinitions is not specified for index: new"},
		{"Indexed", `"AttributeDefinitions":[{"AttributeName":"x","AttributeType":"S"}],` + updates(create), invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: [g], AttributeDefinitions: [x]"},
		{"Indexed", defG + "," + updates(strings.Replace(create, `"new"`, `"local"`, 1)), "Validation: Attempting to create an index which already exists"},
		{"Indexed", defG + "," + updates(strings.Replace(create, `"ALL"`, `"INCLUDE"`, 1)), invalid + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
		{"Indexed", defG + "," + updates(strings.Replace(create, `"Projection"`, units+`,"Projection"`, 1)), invalid + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: new when BillingMode is PAY_PER_REQUEST"},
		{"Indexed", strings.Replace(defG, `"S"`, `"N"`, 1) + "," + updates(create), invalid + "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. " +
			"Existing schema: Schema:[SchemaElement: key{g:S:HASH}, SchemaElement: key{o:N:RANGE}] New schema: Schema:[SchemaElement: key{g:N:HASH}]"},
		{"Indexed", updates(`{"Delete":{"IndexName":"local"}}`), "Validation: Cannot delete an index that is not a GlobalSecondaryIndex: local"},
		{"Indexed", updates(`{"Update":{"IndexName":"local"}}`), "Validation: Cannot update an index that is not a GlobalSecondaryIndex: local"},
		{"Indexed", updates(`{"Delete":{"IndexName":"none"}}`), "ResourceNotFound: Requested resource not found: Index: none not found"},
		{"Indexed", updates(`{"Update":{"IndexName":"all",` + units + `}}`), invalid + "The only Updates for index: all when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput"},
		{"Indexed", `"ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]`, "Validation: The parameter ReplicaUpdates is not supported here"},
		{"Indexed", `"GlobalSecondaryIndexUpdates":7`, "Serialization: Unexpected field type"},
	} {
		b.wantError("UpdateTable", `{"TableName":"`+tt.table+`",`+tt.members+`}`, tt.want)
	}
	b.must("UpdateTable", `{"TableName":"Indexed",`+stream+`}`)
	b.wantError("UpdateTable", `{"TableName":"Indexed",`+stream+`}`, "Validation: Table already has an enabled stream: TableName: Indexed")
	b.must("UpdateTable", `{"TableName":"Indexed","SSESpecification":{"Enabled":true}}`)
	b.wantError("UpdateTable", `{"TableName":"Indexed","SSESpecification":{"Enabled":true}}`,
		invalid+"Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key")
	for i := 2; i < maxGlobalIndexes; i++ {
		b.must("UpdateTable", `{"TableName":"Indexed",`+defG+","+updates(strings.Replace(create, `"new"`, fmt.Sprintf(`"idx%d"`, i), 1))+`}`)
	}
	b.wantError("UpdateTable", `{"TableName":"Indexed",`+defG+","+updates(create)+`}`, "LimitExceeded: GlobalSecondaryIndex count exceeds the per-table limit of 20")
}

// TestUpdateTableFails leaves a table as it was when the store cannot write.
func TestUpdateTableFails(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	s := &lame{Store: b.engine.store}
	b.engine.store = s
	b.must("CreateTable", hashTable, "Things", "S")
	before := b.must("DescribeTable", `{"TableName":"Things"}`)
	s.broken.Store(true)
	if _, err := b.do("UpdateTable", createIndex); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("got %v", err)
	}
	s.broken.Store(false)
	b.want("DescribeTable", `{"TableName":"Things"}`, before)
	b.must("UpdateTable", createIndex)
}
