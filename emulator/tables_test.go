package emulator_test

import (
	"os"
	"strings"
	"testing"

	"crypto-ticker/emulator"
)

// TestTableErrors: what a template says of a table is refused in
// words, without the names of exceptions.
func TestTableErrors(t *testing.T) {
	t.Parallel()
	const src = "Resources:\n  Items:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      BillingMode: PAY_PER_REQUEST\n" +
		"      AttributeDefinitions: [{AttributeName: a, AttributeType: X}]\n      KeySchema: [{AttributeName: a, KeyType: HASH}]\n"
	file := t.TempDir() + "/template.yaml"
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := emulator.Run(t.Context(), emulator.Options{Template: file})
	if err == nil {
		e.Close()
		t.Fatal("it started")
	}
	const want = "template.yaml:2: Items: dynamodb: 1 validation error detected: Value 'X' at 'attributeDefinitions.1.member.attributeType'"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want it to contain %q", err, want)
	}
}
