package dynamodb

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestMessageKeys looks where the message of an error stands: the model has it
// under Message for a few.
func TestMessageKeys(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	b.must("CreateTable", hashTable, "Things", "S")
	put := func(value string) string {
		return `{"TransactItems":[{"Put":{"TableName":"Things","Item":{"pk":{"S":"a"},"x":{"S":"` + value + `"}},"ConditionExpression":"attribute_not_exists(y)"}}],"ClientRequestToken":"t"}`
	}
	b.must("TransactWriteItems", put("1"))
	for _, tt := range []struct{ operation, body, want string }{
		{"DescribeTable", `{"TableName":"Nothing"}`, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"`},
		{"CreateTable", strings.NewReplacer("%s", "Things", `"AttributeType":"%s"`, `"AttributeType":"S"`).Replace(hashTable), `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceInUseException","message":"`},
		{"PutItem", `{"TableName":"Things","Item":{"pk":{"S":"a"}},"ConditionExpression":"attribute_not_exists(pk)"}`, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"`},
		{"PutItem", `{}`, `{"__type":"com.amazon.coral.validate#ValidationException","message":"`},
		{"TransactWriteItems", put("2"), `{"Message":"The token of the request has been used with other parameters","__type":"com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException"}`},
		{"TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"Things","Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(y)"}}]}`, `{"CancellationReasons":[{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"}],"Message":"Transaction cancelled`},
		{"Scan", `7`, `{"Message":"Unexpected value type in payload","__type":"com.amazon.coral.service#SerializationException"}`},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+tt.operation)
		w := httptest.NewRecorder()
		b.engine.ServeHTTP(w, r)
		if got := w.Body.String(); w.Code != 400 || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %d %s, want %s", tt.operation, w.Code, got, tt.want)
		}
	}
}
