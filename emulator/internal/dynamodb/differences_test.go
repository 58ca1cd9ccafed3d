package dynamodb

// explained are the differences from DynamoDB Local that are meant to be. AWS
// itself answers as the engine does, as far as is known; where it is not, the
// reason says so.
var explained = []struct {
	operation           string // any if empty
	input, ours, theirs string // regular expressions
	why                 string
}{
	{"Scan", `"(Segment|Limit)":`, `^{`, `^{|must lie within the segment`,
		"which items are in a segment or on a page of a scan is each server's own matter"},
	{"", "", "", `^InternalFailure|^500|^: `,
		"DynamoDB Local fails where the JSON is not what it expects"},
	{"", "", "^SerializationException", "",
		"DynamoDB Local converts JSON values of another type, or ignores them"},
	{"", "", `^ValidationException: \d+ validation errors? detected`, "^ValidationException",
		"DynamoDB Local has words of its own for the constraints of the service's model"},
	{"", "", "^Resource(NotFound|InUse)Exception", "^Resource(NotFound|InUse)Exception",
		"DynamoDB Local has words of its own for tables that are there, or are not"},
	{"", "", "^UnknownOperationException:  ", "",
		"DynamoDB Local gives a message with an unknown operation, and has operations that the engine leaves out"},
}
