package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/awsjson"
	"crypto-ticker/emulator/internal/dynamodb"
	"crypto-ticker/emulator/internal/template"
)

// createTables makes the template's tables. A table that a data folder already
// holds keeps its items and gets the template's settings; it must have the
// template's keys and indexes.
func createTables(ctx context.Context, db *dynamodb.Engine, tables []*template.Table) error {
	for _, t := range tables {
		if err := createTable(ctx, db, t); err != nil {
			var refused *awsjson.Error
			if errors.As(err, &refused) && refused.Message != "" { // an exception's name means nothing to who writes a template
				err = errors.New("dynamodb: " + refused.Message)
			}
			return fmt.Errorf("%s: %s: %w", t.Pos, t.LogicalID, err)
		}
	}
	return nil
}

func createTable(ctx context.Context, db *dynamodb.Engine, t *template.Table) error {
	_, err := db.Do(ctx, "CreateTable", t.Create)
	var e *awsjson.Error
	switch {
	case errors.As(err, &e) && strings.HasSuffix(e.Type, "#ResourceInUseException"):
		if err := sameShape(ctx, db, t); err != nil {
			return err
		}
		if err := settle(ctx, db, t); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if t.Recovery != nil {
		_, err := db.Do(ctx, "UpdateContinuousBackups", fmt.Appendf(nil, `{"TableName":%q,"PointInTimeRecoverySpecification":%s}`, t.Name, t.Recovery))
		if err != nil {
			return err
		}
	}
	if err := setStream(ctx, db, t); err != nil {
		return err
	}
	return setTTL(ctx, db, t)
}

// setStream gives a table that was there before the stream that the template
// asks for. One with another view is disabled first, as CloudFormation does it.
func setStream(ctx context.Context, db *dynamodb.Engine, t *template.Table) error {
	out, err := db.Do(ctx, "DescribeTable", fmt.Appendf(nil, `{"TableName":%q}`, t.Name))
	if err != nil {
		return err
	}
	type specification struct{ StreamViewType string }
	var have struct {
		Table struct{ StreamSpecification *specification }
	}
	var want struct{ StreamSpecification *specification }
	if err := errors.Join(json.Unmarshal(out, &have), json.Unmarshal(t.Create, &want)); err != nil {
		return err
	}
	now, then := have.Table.StreamSpecification, want.StreamSpecification
	if now == nil && then == nil || now != nil && then != nil && *now == *then {
		return nil
	}
	set := func(setting string) error {
		_, err := db.Do(ctx, "UpdateTable", fmt.Appendf(nil, `{"TableName":%q,"StreamSpecification":{%s}}`, t.Name, setting))
		return err
	}
	if now != nil {
		if err := set(`"StreamEnabled":false`); err != nil {
			return err
		}
	}
	if then == nil {
		return nil
	}
	return set(fmt.Sprintf(`"StreamEnabled":true,"StreamViewType":%q`, then.StreamViewType))
}

// shape is what a table keeps for its life. Its lists but those of keys have no
// order.
type shape struct {
	KeySchema              []keyElement
	AttributeDefinitions   []attributeDefinition
	GlobalSecondaryIndexes []index
	LocalSecondaryIndexes  []index
}

type (
	keyElement          struct{ AttributeName, KeyType string }
	attributeDefinition struct{ AttributeName, AttributeType string }
	index               struct {
		IndexName  string
		KeySchema  []keyElement
		Projection struct {
			ProjectionType   string
			NonKeyAttributes []string
		}
	}
)

func (s *shape) sort() {
	slices.SortFunc(s.AttributeDefinitions, func(a, b attributeDefinition) int {
		return strings.Compare(a.AttributeName, b.AttributeName)
	})
	for _, list := range [][]index{s.GlobalSecondaryIndexes, s.LocalSecondaryIndexes} {
		slices.SortFunc(list, func(a, b index) int { return strings.Compare(a.IndexName, b.IndexName) })
		for _, x := range list {
			slices.Sort(x.Projection.NonKeyAttributes)
		}
	}
}

func sameShape(ctx context.Context, db *dynamodb.Engine, t *template.Table) error {
	out, err := db.Do(ctx, "DescribeTable", fmt.Appendf(nil, `{"TableName":%q}`, t.Name))
	if err != nil {
		return err
	}
	var have struct{ Table shape }
	var want shape
	if err := errors.Join(json.Unmarshal(out, &have), json.Unmarshal(t.Create, &want)); err != nil {
		return err
	}
	have.Table.sort()
	want.sort()
	if !reflect.DeepEqual(have.Table, want) {
		return fmt.Errorf("the data folder holds a table %s with other keys or indexes; delete the table or the folder, or choose another folder", t.Name)
	}
	return nil
}

func setTTL(ctx context.Context, db *dynamodb.Engine, t *template.Table) error {
	out, err := db.Do(ctx, "DescribeTimeToLive", fmt.Appendf(nil, `{"TableName":%q}`, t.Name))
	if err != nil {
		return err
	}
	var have struct {
		TimeToLiveDescription struct{ AttributeName, TimeToLiveStatus string }
	}
	if err := json.Unmarshal(out, &have); err != nil {
		return err
	}
	now := have.TimeToLiveDescription
	if now.AttributeName == t.TTLAttribute {
		return nil
	}
	set := func(attribute string, enabled bool) error {
		_, err := db.Do(ctx, "UpdateTimeToLive", fmt.Appendf(nil,
			`{"TableName":%q,"TimeToLiveSpecification":{"AttributeName":%q,"Enabled":%t}}`, t.Name, attribute, enabled))
		return err
	}
	if now.TimeToLiveStatus == "ENABLED" {
		if err := set(now.AttributeName, false); err != nil {
			return err
		}
	}
	if t.TTLAttribute == "" {
		return nil
	}
	return set(t.TTLAttribute, true)
}
