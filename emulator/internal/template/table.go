package template

import (
	"encoding/json"
	"slices"
)

// Properties of AWS::DynamoDB::Table. Those in tableCreate are members of
// CreateTable's input as they are.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
var (
	tableCreate = []string{"AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes",
		"KeySchema", "LocalSecondaryIndexes", "OnDemandThroughput", "ProvisionedThroughput", "SSESpecification",
		"StreamSpecification", "TableClass", "Tags", "WarmThroughput"}
	tableRead   = append([]string{"PointInTimeRecoverySpecification", "TableName", "TimeToLiveSpecification"}, tableCreate...)
	tableSilent = []string{"ContributorInsightsSpecification", "ResourcePolicy"}
	tableNoted  = []string{"ImportSourceSpecification", "KinesisStreamSpecification"}
)

// table reads an AWS::DynamoDB::Table.
func (l *loader) table(res *resource) {
	p := l.properties(res)
	p.known(tableRead, tableSilent, tableNoted)
	for _, name := range []string{"AttributeDefinitions", "KeySchema"} {
		if len(p.list(name)) == 0 {
			p.bad(name, "is missing; give it")
		}
	}
	billing := p.oneOf("BillingMode", "PROVISIONED", "PAY_PER_REQUEST")
	if billing == "PROVISIONED" && !p.has("ProvisionedThroughput") {
		p.bad("ProvisionedThroughput", "is missing; give it, or BillingMode: PAY_PER_REQUEST")
	}
	create := map[string]any{"TableName": l.name(res), "BillingMode": billing}
	for _, f := range fieldsOf(p.n) {
		if slices.Contains(tableCreate, f.name) {
			create[f.name] = p.member(f.name, f.value)
		}
	}
	if stream, ok := create["StreamSpecification"].(map[string]any); ok {
		stream["StreamEnabled"] = true
		s := p.object("StreamSpecification")
		s.known([]string{"StreamViewType"}, []string{"ResourcePolicy"}, nil)
		if s.required("StreamViewType") != "" {
			s.oneOf("StreamViewType", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
		}
	}
	l.addTable(res, create, ttl(p.object("TimeToLiveSpecification")), p.recovery())
}

func ttl(p *props) string {
	if p.n == nil {
		return ""
	}
	p.known([]string{"AttributeName", "Enabled"}, nil, nil)
	if !p.has("Enabled") {
		p.bad("Enabled", "is missing; give true or false")
	}
	if !p.truth("Enabled", false) {
		return ""
	}
	return p.required("AttributeName")
}

// simpleTable reads an AWS::Serverless::SimpleTable.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-simpletable.html
func (l *loader) simpleTable(res *resource) {
	p := l.properties(res)
	p.known([]string{"PointInTimeRecoverySpecification", "PrimaryKey", "ProvisionedThroughput", "SSESpecification", "TableName", "Tags"}, nil, nil)
	key := p.object("PrimaryKey")
	name, typ := key.strOr("Name", "id"), key.oneOf("Type", "String", "Number", "Binary")
	create := map[string]any{
		"TableName":            l.name(res),
		"BillingMode":          "PAY_PER_REQUEST",
		"AttributeDefinitions": []any{map[string]any{"AttributeName": name, "AttributeType": typ[:1]}},
		"KeySchema":            []any{map[string]any{"AttributeName": name, "KeyType": "HASH"}},
	}
	if v := p.value("ProvisionedThroughput"); v != nil {
		create["BillingMode"] = "PROVISIONED"
		create["ProvisionedThroughput"] = p.member("ProvisionedThroughput", v)
	}
	if v := p.value("SSESpecification"); v != nil {
		create["SSESpecification"] = p.member("SSESpecification", v)
	}
	if tags := p.value("Tags"); tags != nil {
		list := []any{}
		for _, f := range fieldsOf(tags) {
			list = append(list, map[string]any{"Key": f.name, "Value": p.member("Tags", f.value)})
		}
		create["Tags"] = list
	}
	l.addTable(res, create, "", p.recovery())
}

// recovery reads a PointInTimeRecoverySpecification; nil if there is none that
// says whether recovery is enabled.
func (p *props) recovery() json.RawMessage {
	const name = "PointInTimeRecoverySpecification"
	v := p.value(name)
	if v == nil {
		return nil
	}
	spec, ok := p.member(name, v).(map[string]any)
	if !ok || spec["PointInTimeRecoveryEnabled"] == nil {
		return nil
	}
	b, err := json.Marshal(spec)
	if err != nil { // a map of numbers and truths only
		return nil
	}
	return b
}

func (l *loader) addTable(res *resource, create map[string]any, ttlAttribute string, recovery json.RawMessage) {
	input, err := json.Marshal(create)
	if err != nil { // maps, lists and strings only
		l.errorf(res.line, res.id, "cannot be written as JSON: %v", err)
	}
	l.stack.Tables = append(l.stack.Tables, &Table{
		Pos:          l.pos(res.line),
		LogicalID:    res.id,
		Name:         l.name(res),
		ARN:          l.resourceARN(res),
		Create:       input,
		TTLAttribute: ttlAttribute,
		Recovery:     recovery,
		StreamARN:    l.attributes(res)["StreamArn"],
	})
}

// Members of CreateTable's input that are no strings.
var (
	tableNumbers = []string{"MaxReadRequestUnits", "MaxWriteRequestUnits", "ReadCapacityUnits", "ReadUnitsPerSecond",
		"RecoveryPeriodInDays", "WriteCapacityUnits", "WriteUnitsPerSecond"}
	tableTruths = []string{"DeletionProtectionEnabled", "Enabled", "PointInTimeRecoveryEnabled", "SSEEnabled"}
	// CloudFormation's own members within those of CreateTable.
	tableDropped = []string{"ContributorInsightsSpecification", "ResourcePolicy"}
)

// member turns a property into what CreateTable takes: numbers as numbers, true
// and false as such, all else as strings.
func (p *props) member(name string, n *node) any {
	switch {
	case n.kind == object:
		m := map[string]any{}
		for _, f := range n.fields {
			if slices.Contains(tableDropped, f.name) {
				continue
			}
			key := f.name
			if key == "SSEEnabled" {
				key = "Enabled"
			}
			m[key] = p.member(f.name, f.value)
		}
		return m
	case n.kind == list:
		l := []any{}
		for _, item := range n.items {
			l = append(l, p.member(name, item))
		}
		return l
	case slices.Contains(tableNumbers, name):
		i, ok := n.integer()
		if !ok && n.kind != broken {
			p.errorf(n.line, p.at, "%s must be a whole number, not %s", name, describe(n))
		}
		return i
	case slices.Contains(tableTruths, name):
		b, ok := n.truth()
		if !ok && n.kind != broken {
			p.errorf(n.line, p.at, "%s must be true or false, not %s", name, describe(n))
		}
		return b
	}
	if n.kind == null {
		p.errorf(n.line, p.at, "%s must be a string, not null", name)
	}
	return n.text
}
