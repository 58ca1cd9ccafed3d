//go:build ignore

// Gen_shapes writes shapes_table.go from the service models that ship with
// botocore (https://github.com/boto/botocore, Apache License 2.0): the inputs of
// the operations with what their members must be.
//
// Its argument is botocore's folder; without one, the python3 on the path is
// asked for it.

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"go/format"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

type model struct {
	Operations map[string]struct {
		Input struct{ Shape string }
	}
	Shapes map[string]modelShape
}

type modelShape struct {
	Type     string
	Error    bool `json:"exception"`
	Required []string
	Members  members
	Member   reference // of a list
	Key      reference // of a map
	Value    reference // of a map
	Min, Max *int64
	Pattern  string
	Enum     []string
}

type reference struct{ Shape string }

// members keeps the order of the model.
type members []member

type member struct{ name, shape string }

func (m *members) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.Token()
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var to reference
		if err := d.Decode(&to); err != nil {
			return err
		}
		*m = append(*m, member{name.(string), to.Shape})
	}
	return nil
}

// operations are those that the engine has.
var operations = map[string][]string{
	"dynamodb": {
		"BatchGetItem", "BatchWriteItem", "CreateTable", "DeleteItem", "DeleteTable", "DescribeContinuousBackups", "DescribeEndpoints",
		"DescribeLimits", "DescribeTable", "DescribeTimeToLive", "GetItem", "ListTables", "ListTagsOfResource", "PutItem", "Query", "Scan",
		"TagResource", "TransactGetItems", "TransactWriteItems", "UntagResource", "UpdateContinuousBackups", "UpdateItem", "UpdateTable", "UpdateTimeToLive",
	},
	"dynamodbstreams": {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
}

// The model does not say in which order DynamoDB looks at members and names the
// values of enumerations. Where that has been observed, it stands here.
var (
	memberOrder = map[string]string{
		"PutItemInput":            "ReturnConsumedCapacity TableName Item ConditionalOperator Expected ReturnValues ReturnItemCollectionMetrics",
		"GetItemInput":            "ReturnConsumedCapacity AttributesToGet TableName Key",
		"DeleteItemInput":         "ReturnConsumedCapacity TableName ReturnValues ReturnItemCollectionMetrics Key ConditionalOperator Expected",
		"UpdateItemInput":         "ReturnConsumedCapacity TableName ReturnItemCollectionMetrics ReturnValues ConditionalOperator Key Expected AttributeUpdates",
		"QueryInput":              "Select IndexName ReturnConsumedCapacity QueryFilter TableName ConditionalOperator AttributesToGet Limit KeyConditions",
		"ScanInput":               "Select IndexName TotalSegments ReturnConsumedCapacity TableName ConditionalOperator ScanFilter Segment Limit AttributesToGet",
		"BatchGetItemInput":       "ReturnConsumedCapacity RequestItems",
		"BatchWriteItemInput":     "ReturnConsumedCapacity ReturnItemCollectionMetrics RequestItems",
		"CreateTableInput":        "AttributeDefinitions TableName BillingMode ProvisionedThroughput KeySchema GlobalSecondaryIndexes LocalSecondaryIndexes",
		"UpdateTableInput":        "TableName ProvisionedThroughput BillingMode GlobalSecondaryIndexUpdates",
		"Put":                     "TableName",
		"TransactWriteItemsInput": "ClientRequestToken",
		"ListTablesInput":         "Limit ExclusiveStartTableName",
		"ProvisionedThroughput":   "WriteCapacityUnits ReadCapacityUnits",
	}
	enumOrder = map[string]string{
		"ReturnConsumedCapacity":              "INDEXES TOTAL NONE",
		"ReturnItemCollectionMetrics":         "SIZE NONE",
		"ReturnValue":                         "ALL_NEW UPDATED_OLD ALL_OLD NONE UPDATED_NEW",
		"ReturnValuesOnConditionCheckFailure": "ALL_OLD NONE",
		"ConditionalOperator":                 "OR AND",
		"ComparisonOperator":                  "IN NULL BETWEEN LT NOT_CONTAINS EQ GT NOT_NULL NE LE BEGINS_WITH GE CONTAINS",
		"Select":                              "SPECIFIC_ATTRIBUTES COUNT ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES",
		"ScalarAttributeType":                 "B N S",
		"ProjectionType":                      "ALL INCLUDE KEYS_ONLY",
		"AttributeAction":                     "ADD DELETE PUT",
	}
	// open are shapes whose constraints the operations check themselves, with
	// texts of their own.
	open = []string{"AttributeName", "TableClass", "Tag", "TagKeyString", "TagValueString"}
	// required are members without which a table of one region cannot be.
	required = map[string][]string{"CreateTableInput": {"AttributeDefinitions", "KeySchema"}}
	// most are limits that the model leaves out.
	most = map[string]int64{"KeySchema": 2}
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen_shapes: ")
	folder, err := botocore()
	if err != nil {
		log.Fatal(err)
	}
	w := &writer{ids: map[string]int{}}
	var inputs, errors bytes.Buffer
	messageOf := map[string]string{}
	for _, service := range []string{"dynamodb", "dynamodbstreams"} {
		m, err := load(filepath.Join(folder, "data", service, "2012-08-10", "service-2.json"))
		if err != nil {
			log.Fatal(err)
		}
		w.service, w.model = service, m
		for name, s := range m.Shapes {
			if s.Error {
				messageOf[name] = s.Members[slices.IndexFunc(s.Members, isMessage)].name
			}
		}
		for _, name := range operations[service] {
			op, ok := m.Operations[name]
			if !ok {
				log.Fatalf("%s has no operation %s", service, name)
			}
			fmt.Fprintf(&inputs, "\t%q: %d,\n", name, w.id(op.Input.Shape))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(messageOf)) {
		fmt.Fprintf(&errors, "\t%q: %q,\n", name, messageOf[name])
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "// Code generated by gen_shapes.go from the service models of botocore; DO NOT EDIT.\n\n"+
		"// The models are Copyright Amazon.com, Inc. or its affiliates, and come under the\n"+
		"// Apache License 2.0: https://github.com/boto/botocore/blob/develop/LICENSE.txt\n\n"+
		"package dynamodb\n\n// inputs are the shapes of the operations' inputs.\nvar inputs = map[string]shapeID{\n%s}\n\n"+
		"// shapes are the shapes that inputs are made of.\nvar shapes = [...]shape{\n%s}\n", inputs.Bytes(), strings.Join(w.rows, ""))
	fmt.Fprintf(&out, "\n// messageKeys are the errors of the models, with the member that holds their message.\n"+
		"var messageKeys = map[string]string{\n%s}\n", errors.Bytes())
	text, err := format.Source(out.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("shapes_table.go", text, 0o644); err != nil {
		log.Fatal(err)
	}
}

func isMessage(m member) bool { return strings.EqualFold(m.name, "message") }

// botocore gives the folder of an installed botocore.
func botocore() (string, error) {
	if len(os.Args) > 1 {
		return os.Args[1], nil
	}
	out, err := exec.Command("python3", "-c", "import botocore, os; print(os.path.dirname(botocore.__file__))").Output()
	if err != nil {
		return "", fmt.Errorf("python3 has no botocore (pip install botocore), or give its folder: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// load reads a model, which newer versions of botocore compress.
func load(path string) (*model, error) {
	var text []byte
	if f, err := os.Open(path + ".gz"); err == nil {
		defer f.Close()
		unzipped, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("%s.gz: %w", path, err)
		}
		if text, err = io.ReadAll(unzipped); err != nil {
			return nil, fmt.Errorf("%s.gz: %w", path, err)
		}
	} else if text, err = os.ReadFile(path); err != nil {
		return nil, err
	}
	m := &model{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// writer numbers shapes and writes a row for each.
type writer struct {
	service string
	model   *model
	ids     map[string]int
	rows    []string
}

func (w *writer) id(name string) int {
	key := w.service + "." + name
	if id, ok := w.ids[key]; ok {
		return id
	}
	id := len(w.rows)
	w.ids[key] = id
	w.rows = append(w.rows, "")
	w.rows[id] = w.row(name, w.model.Shapes[name])
	return id
}

func (w *writer) row(name string, s modelShape) string {
	kinds := map[string]string{"structure": "structureShape", "list": "listShape", "map": "mapShape", "string": "stringShape",
		"integer": "integerShape", "long": "longShape", "boolean": "booleanShape", "blob": "blobShape"}
	kind := kinds[s.Type]
	if kind == "" {
		log.Fatalf("shape %s has the unknown type %s", name, s.Type)
	}
	if slices.Contains(open, name) {
		s.Enum, s.Min, s.Max, s.Pattern, s.Required = nil, nil, nil, "", nil
	}
	row := fmt.Sprintf("\t{kind: %s, name: %q", kind, name)
	if s.Min != nil {
		row += fmt.Sprintf(", hasMin: true, min: %d", *s.Min)
	}
	if limit, ok := most[name]; ok {
		s.Max = &limit
	}
	if s.Max != nil {
		row += fmt.Sprintf(", hasMax: true, max: %d", *s.Max)
	}
	if s.Pattern != "" {
		row += fmt.Sprintf(", pattern: %q", s.Pattern)
	}
	if order, ok := enumOrder[name]; ok {
		s.Enum = strings.Fields(order)
	}
	if s.Enum != nil {
		row += fmt.Sprintf(", enum: %q", strings.Join(s.Enum, ", "))
	}
	switch s.Type {
	case "list":
		row += fmt.Sprintf(", of: %d", w.id(s.Member.Shape))
	case "map":
		row += fmt.Sprintf(", key: %d, of: %d", w.id(s.Key.Shape), w.id(s.Value.Shape))
	case "structure":
		if name == "AttributeValue" {
			row = strings.Replace(row, kind, "attributeValueShape", 1)
		}
		row += ", members: []member{" + w.members(name, s) + "}"
	}
	return row + "},\n"
}

func (w *writer) members(name string, s modelShape) string {
	order := strings.Fields(memberOrder[name])
	at := func(m member) int {
		if i := slices.Index(order, m.name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(s.Members, func(a, b member) int { return at(a) - at(b) })
	var out []string
	for _, m := range s.Members {
		text := fmt.Sprintf("{%q, %d, %t}", m.name, w.id(m.shape), slices.Contains(append(s.Required, required[name]...), m.name))
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
