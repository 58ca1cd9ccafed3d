// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GlobalSecondaryIndexUpdate.html

package dynamodb

import (
	"maps"
	"slices"
	"strings"
)

// reindex applies the index updates to a table's record, and gives the spaces
// of indexes that are no more. e.mu is held.
func (e *Engine) reindex(r *tableRecord, in *tableUpdate) (dropped []uint64, err error) {
	d := &r.Definition
	d.GlobalSecondaryIndexes, r.Indexes = slices.Clone(d.GlobalSecondaryIndexes), slices.Clone(r.Indexes)
	for _, u := range in.GlobalSecondaryIndexUpdates {
		named := func(x indexDefinition) bool { return x.IndexName == u.name() }
		i := slices.IndexFunc(d.GlobalSecondaryIndexes, named)
		local := slices.ContainsFunc(d.LocalSecondaryIndexes, named)
		switch {
		case u.Create != nil && (i >= 0 || local):
			return nil, validation("Attempting to create an index which already exists")
		case u.Create != nil:
			if err := d.addIndex(u.Create, in.AttributeDefinitions); err != nil {
				return nil, err
			}
			e.lastSpace++
			r.Indexes = append(r.Indexes, e.lastSpace)
		case local:
			verb := map[bool]string{true: "update", false: "delete"}[u.Update != nil]
			return nil, validation("Cannot " + verb + " an index that is not a GlobalSecondaryIndex: " + u.name())
		case i < 0:
			return nil, resourceNotFound("Requested resource not found: Index: " + u.name() + " not found")
		case u.Update != nil:
			before := d.GlobalSecondaryIndexes[i].ProvisionedThroughput
			if err := d.updateIndex(i, u); err != nil {
				return nil, err
			}
			r.noteThroughput(u.name(), before, u.Update.ProvisionedThroughput, e.cfg.Clock.Now().UTC())
		default:
			at := len(d.LocalSecondaryIndexes) + i
			dropped = append(dropped, r.Indexes[at])
			r.Indexes = slices.Delete(r.Indexes, at, at+1)
			d.GlobalSecondaryIndexes = slices.Delete(d.GlobalSecondaryIndexes, i, i+1)
			d.forgetUnused()
			r.Throughput = maps.Clone(r.Throughput)
			delete(r.Throughput, u.name())
		}
	}
	return dropped, nil
}

// addIndex appends a global index. Its keys must be among the given definitions,
// with the types that they have in other keys of the table.
func (d *tableDefinition) addIndex(x *indexDefinition, given []attributeDefinition) error {
	if len(d.GlobalSecondaryIndexes) == maxGlobalIndexes {
		return limitExceeded(errTooManyGlobal)
	}
	if err := x.check(); err != nil {
		return err
	}
	var used []string
	if err := (&tableDefinition{AttributeDefinitions: given}).checkKey(x.KeySchema, &used); err != nil {
		return err
	}
	if err := x.checkThroughput(d.BillingMode == "PAY_PER_REQUEST", "ProvisionedThroughput must be specified for index: %s"); err != nil {
		return err
	}
	if err := d.checkTypes(x.KeySchema, given); err != nil {
		return err
	}
	d.AttributeDefinitions = slices.Clone(d.AttributeDefinitions)
	for _, def := range given {
		if slices.Contains(used, def.AttributeName) && !slices.Contains(d.defined(), def.AttributeName) {
			d.AttributeDefinitions = append(d.AttributeDefinitions, def)
		}
	}
	d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, *x)
	return nil
}

// checkTypes refuses a new key that gives an attribute of another key of the
// table another type. AWS shows both keys; which one of several others, and how
// more than one attribute is shown, is inferred.
func (d *tableDefinition) checkTypes(key []keyElement, given []attributeDefinition) error {
	others := [][]keyElement{d.KeySchema}
	for _, x := range slices.Concat(d.LocalSecondaryIndexes, d.GlobalSecondaryIndexes) {
		others = append(others, x.KeySchema)
	}
	before, now := typesOf(d.AttributeDefinitions), typesOf(given)
	for _, e := range key {
		name := e.AttributeName
		if before[name] == "" || before[name] == now[name] {
			continue
		}
		for _, other := range others {
			if slices.ContainsFunc(other, func(e keyElement) bool { return e.AttributeName == name }) {
				return invalidParameter("Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. "+
					"Existing schema: %s New schema: %s", showKey(other, before), showKey(key, now))
			}
		}
	}
	return nil
}

// typesOf gives the types of attributes by their names.
func typesOf(definitions []attributeDefinition) map[string]string {
	out := map[string]string{}
	for _, d := range definitions {
		out[d.AttributeName] = d.AttributeType
	}
	return out
}

func showKey(key []keyElement, types map[string]string) string {
	var parts []string
	for _, e := range key {
		parts = append(parts, "SchemaElement: key{"+e.AttributeName+":"+types[e.AttributeName]+":"+e.KeyType+"}")
	}
	return "Schema:[" + strings.Join(parts, ", ") + "]"
}

func (d *tableDefinition) updateIndex(i int, u indexUpdate) error {
	x, wants := &d.GlobalSecondaryIndexes[i], u.Update.ProvisionedThroughput
	if d.BillingMode == "PAY_PER_REQUEST" {
		if wants != nil || u.Update.OnDemandThroughput == nil {
			return invalidParameter("The only Updates for index: %s when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput", x.IndexName)
		}
		x.OnDemandThroughput = x.OnDemandThroughput.with(u.Update.OnDemandThroughput)
		return nil
	}
	switch {
	case wants == nil:
		return invalidParameter("ProvisionedThroughput must be specified for index: %s", x.IndexName)
	case !wants.valid():
		return invalidParameter("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", x.IndexName)
	case x.ProvisionedThroughput != nil && *wants == *x.ProvisionedThroughput:
		return unchanged("the index "+x.IndexName, "for the index", *wants)
	}
	x.ProvisionedThroughput = wants
	return nil
}

// forgetUnused drops the definitions of attributes that are in no key.
func (d *tableDefinition) forgetUnused() {
	used := map[string]bool{}
	keys := slices.Clone(d.KeySchema)
	for _, x := range slices.Concat(d.LocalSecondaryIndexes, d.GlobalSecondaryIndexes) {
		keys = append(keys, x.KeySchema...)
	}
	for _, k := range keys {
		used[k.AttributeName] = true
	}
	d.AttributeDefinitions = slices.DeleteFunc(slices.Clone(d.AttributeDefinitions), func(a attributeDefinition) bool { return !used[a.AttributeName] })
}
