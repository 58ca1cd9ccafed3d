package template

import (
	"encoding/json"
	"testing"
)

// TestTableNames: a logical id that is too short for a table's name is one part
// of it, as on AWS.
func TestTableNames(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"Abc": "Abc", "Db": "template-Db-", "T": "template-T-"} {
		for _, typ := range []string{"AWS::Serverless::SimpleTable", "AWS::DynamoDB::Table"} {
			properties := "{}"
			if typ == typeTable {
				properties = "{BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: a, AttributeType: S}], KeySchema: [{AttributeName: a, KeyType: HASH}]}"
			}
			s := parse(t, sam+"Resources:\n  "+id+": {Type: "+typ+", Properties: "+properties+"}\nOutputs: {Name: {Value: !Ref "+id+"}}\n", Options{})
			table := s.Tables[0]
			if id == "Abc" && table.Name != want || id != "Abc" && (table.Name[:len(want)] != want || len(table.Name) != len(want)+12) {
				t.Errorf("%s %s: got the name %q, want %q and 12 letters if it ends with -", typ, id, table.Name, want)
			}
			var create struct{ TableName string }
			if err := json.Unmarshal(table.Create, &create); err != nil {
				t.Fatal(err)
			}
			if create.TableName != table.Name || s.Outputs[0].Value != table.Name {
				t.Errorf("%s %s: created as %q and referred to as %q, want %q", typ, id, create.TableName, s.Outputs[0].Value, table.Name)
			}
		}
	}
}
