package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb"
	"crypto-ticker/emulator/internal/template"
)

// settings are what a template may change of a table without making it anew,
// beside its stream and its time to live.
type settings struct {
	DeletionProtectionEnabled bool
	Tags                      []struct{ Key, Value string }
}

func (s settings) tags() map[string]string {
	tags := map[string]string{}
	for _, t := range s.Tags {
		tags[t.Key] = t.Value
	}
	return tags
}

// settle gives a table that was there before the settings that the template has
// now, as CloudFormation would.
func settle(ctx context.Context, db *dynamodb.Engine, t *template.Table) error {
	table, err := db.Do(ctx, "DescribeTable", fmt.Appendf(nil, `{"TableName":%q}`, t.Name))
	if err != nil {
		return err
	}
	var want settings
	var have struct {
		Table struct {
			settings
			TableArn string
		}
	}
	if err := errors.Join(json.Unmarshal(table, &have), json.Unmarshal(t.Create, &want)); err != nil {
		return err
	}
	if on := want.DeletionProtectionEnabled; on != have.Table.DeletionProtectionEnabled {
		if _, err := db.Do(ctx, "UpdateTable", fmt.Appendf(nil, `{"TableName":%q,"DeletionProtectionEnabled":%t}`, t.Name, on)); err != nil {
			return err
		}
	}
	if t.Recovery == nil {
		_, err := db.Do(ctx, "UpdateContinuousBackups", fmt.Appendf(nil,
			`{"TableName":%q,"PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}}`, t.Name))
		if err != nil {
			return err
		}
	}
	return setTags(ctx, db, have.Table.TableArn, want)
}

// setTags makes a table's tags those that are wanted. What is in the way goes
// first: a table has no room for the old and the new ones.
func setTags(ctx context.Context, db *dynamodb.Engine, arn string, want settings) error {
	out, err := db.Do(ctx, "ListTagsOfResource", fmt.Appendf(nil, `{"ResourceArn":%q}`, arn))
	if err != nil {
		return err
	}
	var have settings
	if err := json.Unmarshal(out, &have); err != nil {
		return err
	}
	old, tags := have.tags(), want.tags()
	if maps.Equal(old, tags) {
		return nil
	}
	maps.DeleteFunc(old, func(key, _ string) bool { _, stays := tags[key]; return stays })
	for _, step := range []struct {
		operation, member string
		value             any
		empty             bool
	}{
		{"UntagResource", "TagKeys", slices.Sorted(maps.Keys(old)), len(old) == 0},
		{"TagResource", "Tags", want.Tags, len(tags) == 0},
	} {
		if step.empty {
			continue
		}
		input, err := json.Marshal(map[string]any{"ResourceArn": arn, step.member: step.value})
		if err != nil {
			return err
		}
		if _, err := db.Do(ctx, step.operation, input); err != nil {
			return err
		}
	}
	return nil
}
