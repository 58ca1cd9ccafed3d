package dynamodb

import "regexp"

// explained are the differences from DynamoDB Local that are meant to be, the
// first that fits counts. AWS answers as the engine does as far as is known, of
// which the tables of emulator/docs/dynamodb.md tell more.
var explained = []struct {
	test, operation, input, ours, theirs string // regular expressions
	why                                  string
}{
	{"Lag|Fault|Fail|Unprocessed|AfterClose|Snapshot|Reset|Restore|StoredBeyond", "", "", "", "",
		"the test makes the engine fail, lag, go back or hold what no request wrote, which DynamoDB Local does not"},
	{"", "^Scan$", `"(Segment|Limit)":`, `^{`, `^{|must lie within the segment`,
		"which items are in a segment or on a page of a scan is each server's own matter"},
	{"", "^Scan$", `"IndexName":.*"FilterExpression":`, `"Count":0`, `^{`,
		"DynamoDB Local looks at the whole item to filter a scan of an index, AWS at what the index holds"},
	{"ImpossibleStart", "^Scan$", "", "^ValidationException", "^{",
		"DynamoDB Local begins at a key that an index cannot hold"},
	{"CreateAndDeleteIndex", "^Query$", "", "does not have the specified index", "^InternalServerError",
		"DynamoDB Local takes its time to delete an index"},
	{"", "[Tt]ag|Limits|Endpoints|ContinuousBackups", "", "", "UnknownOperation|InternalFailure|Tagging",
		"DynamoDB Local has no tags, limits, endpoints and backups"},
	{"", "", "", "", `^InternalFailure|^500|^: `,
		"DynamoDB Local fails where the JSON is not what it expects"},
	{"", "", "", "reserved keyword: (?i:size)", "^{",
		"DynamoDB Local does not know that SIZE is reserved, which is on AWS's list"},
	{"", "", "", "^SerializationException", "",
		"DynamoDB Local converts JSON values of another type, or ignores them"},
	{"", "", "", "^UnknownOperationException", "",
		"DynamoDB Local has operations that the engine leaves out, or gives a message"},
	{"", "", "", "^Resource(NotFound|InUse)Exception", "^Resource(NotFound|InUse)Exception",
		"DynamoDB Local has words of its own for what is there, or is not"},
	{"", "", "", `^ValidationException: \d+ validation errors? detected`, "",
		"DynamoDB Local checks few of the constraints of the service's model, in words of its own"},
	{"", "", "", "^ValidationException", "^ValidationException",
		"both refuse, DynamoDB Local in words of its own, or for the second of two reasons"},
	{"", "Table$", "", `^{"Table`, `^{"Table`,
		"DynamoDB Local describes tables with fewer members, and says that changes are over at once"},
	{"", "^(Query|BatchGetItem)$", "", `^{`, `^{`,
		"items with equal keys of an index have no order, nor have those of a batch; and DynamoDB Local's pages hold more than 1 MB"},
	{"", "Item", `"ReturnItemCollectionMetrics"`, `"ItemCollectionMetrics"`, "^{",
		"DynamoDB Local has no metrics of item collections"},
	{"", "^DeleteItem$", "", `^{}`, `^{"ConsumedCapacity"`,
		"DynamoDB Local tells the capacity of deleting nothing without being asked"},
	{"UpdateCharge", "^UpdateItem$", "", "Item size to update", "^ConditionalCheckFailed",
		"DynamoDB Local looks at the item, not at what the parts of an update count on AWS"},
	{"UpdatesOfMissingItem|UpdateOfMissingItem", "", "", "", "",
		"DynamoDB Local makes an item of an update that only removes, AWS does not"},
	{"", "Stream|GetRecords|GetShardIterator", "", "", "",
		"streams are an address of their own there, and have names of each server's own"},
	{"", "^UpdateTable$", "", "", "^ResourceInUseException.*Index is being created|Nothing to update",
		"DynamoDB Local takes its time to create an index, and has no encryption to change"},
	{"", "", "", "^ValidationException", "^ResourceNotFoundException",
		"AWS checks a request before it looks for the table"},
	{"", "^(CreateTable|UpdateTable|UpdateItem)$", "", "^ValidationException", "^{",
		"DynamoDB Local takes throughput, encryption, index keys and sizes that AWS refuses"},
	{"TableMadeByItsARN", "", "", "", "",
		"DynamoDB Local makes no table by its ARN, which the API reference of AWS allows"},
	{"", "^GetItem$", "AttributesToGet", "Attribute name is too large", "^{",
		"DynamoDB Local takes long names in AttributesToGet, which AWS refuses"},
	{"", "^Transact", "", "", "",
		"DynamoDB Local checks transactions in another order and counts their capacity twice"},
}

// matches says whether all patterns match their texts.
func matches(pairs ...string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if !regexp.MustCompile(pairs[i]).MatchString(pairs[i+1]) {
			return false
		}
	}
	return true
}
