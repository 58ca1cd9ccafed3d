// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html

package dynamodb

import (
	"time"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// tableDescription is what clients are told about a table.
type tableDescription struct {
	AttributeDefinitions      []attributeDefinition `json:",omitempty"`
	TableName                 string
	KeySchema                 []keyElement `json:",omitempty"`
	TableStatus               string
	CreationDateTime          float64 `json:",omitempty"` // seconds since 1970
	ProvisionedThroughput     throughputDescription
	TableSizeBytes            int
	ItemCount                 int
	TableArn                  string
	TableId                   string
	BillingModeSummary        *billingMode       `json:",omitempty"`
	LocalSecondaryIndexes     []indexDescription `json:",omitempty"`
	GlobalSecondaryIndexes    []indexDescription `json:",omitempty"`
	TableClassSummary         *tableClass        `json:",omitempty"`
	DeletionProtectionEnabled bool
	StreamSpecification       *streamSpecification `json:",omitempty"`
	LatestStreamLabel         string               `json:",omitempty"`
	LatestStreamArn           string               `json:",omitempty"`
	SSEDescription            *sseDescription      `json:",omitempty"`
	OnDemandThroughput        *onDemandThroughput  `json:",omitempty"`
}

type throughputDescription struct {
	LastIncreaseDateTime   float64 `json:",omitempty"`
	LastDecreaseDateTime   float64 `json:",omitempty"`
	NumberOfDecreasesToday int
	ReadCapacityUnits      int64
	WriteCapacityUnits     int64
}

type billingMode struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime float64 `json:",omitempty"`
}

type tableClass struct {
	TableClass         string
	LastUpdateDateTime float64 `json:",omitempty"`
}

type indexDescription struct {
	IndexName             string
	KeySchema             []keyElement
	Projection            projection
	IndexStatus           string                 `json:",omitempty"` // of global ones
	ProvisionedThroughput *throughputDescription `json:",omitempty"` // of global ones
	OnDemandThroughput    *onDemandThroughput    `json:",omitempty"`
	Backfilling           *bool                  `json:",omitempty"`
	IndexArn              string
	IndexSizeBytes        int
	ItemCount             int
}

// measured describes a table with how much there is in it and in its indexes.
// AWS counts about every six hours; here it is always right.
func (e *Engine) measured(t *table) (*tableDescription, error) {
	out := e.describe(t, "ACTIVE")
	spaces := map[string]uint64{}
	for _, x := range t.indexes() {
		spaces[x.name] = x.space
	}
	err := e.store.View(func(r kv.Reader) error {
		sum := r.Total(t.space)
		out.ItemCount, out.TableSizeBytes = sum.Keys, sum.Size
		for _, list := range [][]indexDescription{out.LocalSecondaryIndexes, out.GlobalSecondaryIndexes} {
			for i := range list {
				sum := r.Total(spaces[list[i].IndexName])
				list[i].ItemCount, list[i].IndexSizeBytes = sum.Keys, sum.Size
			}
		}
		return nil
	})
	return out, err
}

// describe tells about a table. Making, changing and deleting one take no time
// here: only the answer that says so has another status than ACTIVE, as on AWS.
func (e *Engine) describe(t *table, status string) *tableDescription {
	record := t.record()
	d := record.Definition
	arn := e.tableARN(t.name)
	created := seconds(record.Created)
	out := &tableDescription{
		AttributeDefinitions: d.AttributeDefinitions, TableName: t.name, KeySchema: d.KeySchema,
		TableStatus: status, CreationDateTime: created,
		ProvisionedThroughput: d.ProvisionedThroughput.describe(record.Throughput[""], e.cfg.Clock.Now()),
		TableArn:              arn, TableId: record.ID, DeletionProtectionEnabled: d.DeletionProtectionEnabled,
		LocalSecondaryIndexes:  describeIndexes(d.LocalSecondaryIndexes, arn, ""),
		GlobalSecondaryIndexes: describeIndexes(d.GlobalSecondaryIndexes, arn, status),
	}
	for i := range out.GlobalSecondaryIndexes {
		x := d.GlobalSecondaryIndexes[i]
		t := x.ProvisionedThroughput.describe(record.Throughput[x.IndexName], e.cfg.Clock.Now())
		out.GlobalSecondaryIndexes[i].ProvisionedThroughput = &t
	}
	out.SSEDescription, out.OnDemandThroughput = e.describeSSE(d.SSESpecification), d.OnDemandThroughput
	switch {
	case !record.OnDemand.IsZero():
		out.BillingModeSummary = &billingMode{d.BillingMode, seconds(record.OnDemand)}
	case d.BillingMode == "PAY_PER_REQUEST":
		out.BillingModeSummary = &billingMode{d.BillingMode, created}
	}
	if d.TableClass != "" {
		out.TableClassSummary = &tableClass{TableClass: d.TableClass}
		if !record.Classed.IsZero() {
			out.TableClassSummary.LastUpdateDateTime = seconds(record.Classed)
		}
	}
	if s := t.stream.Load(); s != nil {
		out.LatestStreamLabel, out.LatestStreamArn = s.Label, s.arn
		if s.open() {
			enabled := true
			out.StreamSpecification = &streamSpecification{&enabled, s.View}
		}
	}
	return out
}

// deleted is what DeleteTable answers of a table: nothing of its keys, of its
// indexes and of when it was created.
func (d *tableDescription) deleted() *tableDescription {
	d.TableStatus = "DELETING"
	d.AttributeDefinitions, d.KeySchema, d.CreationDateTime = nil, nil, 0
	d.LocalSecondaryIndexes, d.GlobalSecondaryIndexes = nil, nil
	return d
}

// seconds is a time as it is on the wire: since 1970.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// describeIndexes tells about indexes: global ones have a status.
func describeIndexes(indexes []indexDefinition, tableARN, status string) []indexDescription {
	var out []indexDescription
	for _, x := range indexes {
		out = append(out, indexDescription{IndexName: x.IndexName, KeySchema: x.KeySchema, Projection: x.Projection,
			IndexStatus: status, OnDemandThroughput: x.OnDemandThroughput, IndexArn: tableARN + "/index/" + x.IndexName})
	}
	return out
}
