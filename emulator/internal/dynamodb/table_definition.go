// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html

package dynamodb

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// tableDefinition is the input of CreateTable, as far as it is used.
type tableDefinition struct {
	TableName                 string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keyElement
	LocalSecondaryIndexes     []indexDefinition    `json:",omitempty"`
	GlobalSecondaryIndexes    []indexDefinition    `json:",omitempty"`
	BillingMode               string               `json:",omitempty"`
	ProvisionedThroughput     *throughput          `json:",omitempty"`
	TableClass                string               `json:",omitempty"`
	DeletionProtectionEnabled bool                 `json:",omitempty"`
	StreamSpecification       *streamSpecification `json:",omitempty"`
	SSESpecification          *sseSpecification    `json:",omitempty"`
	OnDemandThroughput        *onDemandThroughput  `json:",omitempty"`
	Tags                      []tag                `json:",omitempty"`
	unsupported
}

type attributeDefinition struct {
	AttributeName string
	AttributeType string
}

type keyElement struct {
	AttributeName string
	KeyType       string
}

type indexDefinition struct {
	IndexName             string
	KeySchema             []keyElement
	Projection            projection
	ProvisionedThroughput *throughput         `json:",omitempty"`
	OnDemandThroughput    *onDemandThroughput `json:",omitempty"`
}

type projection struct {
	ProjectionType   string   `json:",omitempty"`
	NonKeyAttributes []string `json:",omitempty"`
}

type throughput struct {
	ReadCapacityUnits  int64
	WriteCapacityUnits int64
}

// Limits of a table.
const (
	maxLocalIndexes  = 5
	maxGlobalIndexes = 20
	errTooManyGlobal = "GlobalSecondaryIndex count exceeds the per-table limit of 20"
)

// decodeInput reads the input of an operation on tables.
func decodeInput(body []byte, into any) error {
	if _, err := scan(body); err != nil {
		return err
	}
	err := json.Unmarshal(body, into)
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		types := map[string]string{"string": "String", "bool": "Boolean", "int": "Integer", "int64": "Long"}
		switch value, _, _ := strings.Cut(wrong.Value, " "); value {
		case "object":
			return serialization("Start of structure or map found where not expected.")
		case "array":
			return serialization("Start of list found where not expected")
		default:
			if want := types[wrong.Type.String()]; want != "" {
				return serialization(strings.ToUpper(value) + "_VALUE cannot be converted to " + want)
			}
		}
	}
	if err != nil {
		return serialization("Unexpected field type")
	}
	return nil
}

// check says what is wrong with a definition.
func (d *tableDefinition) check() error {
	if err := d.unsupported.check(); err != nil {
		return err
	}
	if err := d.checkBilling(); err != nil {
		return err
	}
	if err := d.StreamSpecification.check(true); err != nil {
		return err
	}
	if err := d.SSESpecification.check(); err != nil {
		return err
	}
	if err := checkTableClass(d.TableClass); err != nil {
		return err
	}
	if err := checkTags(d.Tags); err != nil {
		return err
	}
	if name, twice := repeated(d.defined()); twice {
		return validation("Attribute Name is duplicated: " + name)
	}
	if len(d.KeySchema) > len(d.AttributeDefinitions) {
		return validation("Invalid KeySchema: Some index key attribute have no definition")
	}
	used := []string{}
	if err := d.checkKey(d.KeySchema, &used); err != nil {
		return err
	}
	if err := d.checkIndexes(&used); err != nil {
		return err
	}
	if len(used) < len(d.AttributeDefinitions) {
		if len(d.LocalSecondaryIndexes)+len(d.GlobalSecondaryIndexes) == 0 {
			return invalidParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
		}
		return invalidParameter("Some AttributeDefinitions are not used. AttributeDefinitions: [%s], keys used: [%s]",
			strings.Join(d.defined(), ", "), strings.Join(used, ", "))
	}
	return nil
}

func (d *tableDefinition) checkBilling() error {
	onDemand := d.BillingMode == "PAY_PER_REQUEST"
	given := d.ProvisionedThroughput != nil
	switch {
	case onDemand && given && *d.ProvisionedThroughput != (throughput{}):
		return invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case !onDemand && !given:
		return invalidParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case !onDemand && !d.ProvisionedThroughput.valid():
		return invalidParameter("ReadCapacityUnits and WriteCapacityUnits must be at least 1")
	}
	return d.OnDemandThroughput.check(onDemand)
}

// checkKey looks at the key of the table or of an index, and notes which
// definitions it uses.
func (d *tableDefinition) checkKey(key []keyElement, used *[]string) error {
	defined, names := d.defined(), make([]string, len(key))
	for i, e := range key {
		names[i] = e.AttributeName
	}
	unknown := func(name string) bool { return !slices.Contains(defined, name) }
	switch {
	case slices.ContainsFunc(names, unknown):
		return invalidParameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
			strings.Join(names, ", "), strings.Join(defined, ", "))
	case len(key) == 2 && names[0] == names[1]:
		return validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	case key[0].KeyType != "HASH":
		return validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(key) == 2 && key[1].KeyType != "RANGE":
		return validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	}
	for _, name := range names {
		if !slices.Contains(*used, name) {
			*used = append(*used, name)
		}
	}
	return nil
}

func (d *tableDefinition) defined() []string {
	names := make([]string, len(d.AttributeDefinitions))
	for i, a := range d.AttributeDefinitions {
		names[i] = a.AttributeName
	}
	return names
}

// repeated gives the first name that is there for the second time.
func repeated(names []string) (string, bool) {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return name, true
		}
		seen[name] = true
	}
	return "", false
}

func (d *tableDefinition) checkIndexes(used *[]string) error {
	switch {
	case len(d.LocalSecondaryIndexes) > maxLocalIndexes:
		return invalidParameter("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocalIndexes)
	case len(d.GlobalSecondaryIndexes) > maxGlobalIndexes:
		return invalidParameter("%s", errTooManyGlobal)
	case len(d.LocalSecondaryIndexes) > 0 && len(d.KeySchema) < 2:
		return invalidParameter("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	names := map[string]bool{}
	for i, x := range slices.Concat(d.LocalSecondaryIndexes, d.GlobalSecondaryIndexes) {
		if names[x.IndexName] {
			return invalidParameter("Duplicate index name: %s", x.IndexName)
		}
		names[x.IndexName] = true
		if err := x.check(); err != nil {
			return err
		}
		if i < len(d.LocalSecondaryIndexes) {
			if err := x.checkLocal(d.KeySchema[0].AttributeName); err != nil {
				return err
			}
		} else if err := x.checkThroughput(d.BillingMode == "PAY_PER_REQUEST", "ProvisionedThroughput is not specified for index: %s"); err != nil {
			return err
		}
		if err := d.checkKey(x.KeySchema, used); err != nil {
			return err
		}
	}
	return nil
}

func (x *indexDefinition) check() error {
	extra := len(x.Projection.NonKeyAttributes)
	switch x.Projection.ProjectionType {
	case "ALL", "KEYS_ONLY":
		if extra > 0 {
			return invalidParameter("ProjectionType is %s, but NonKeyAttributes is specified", x.Projection.ProjectionType)
		}
	case "INCLUDE":
		if extra == 0 {
			return invalidParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
		}
		if name, twice := repeated(x.Projection.NonKeyAttributes); twice {
			return invalidParameter("Duplicate attribute in NonKeyAttributes: %s", name)
		}
	default:
		return invalidParameter("Unknown ProjectionType: null")
	}
	return nil
}

func (x *indexDefinition) checkLocal(tableHash string) error {
	if hash := x.KeySchema[0].AttributeName; hash != tableHash {
		return invalidParameter("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
			x.IndexName, hash, tableHash)
	}
	if len(x.KeySchema) < 2 {
		return invalidParameter("Index KeySchema does not have a range key for index: %s", x.IndexName)
	}
	return nil
}
