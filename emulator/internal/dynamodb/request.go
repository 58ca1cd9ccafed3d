// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonParameters.html

package dynamodb

import "strings"

// request holds the members of the operations on items. Those that an operation
// does not have stay empty, whatever was sent.
type request struct {
	table, index            string
	key, item, startKey     item
	condition, keyCondition *string
	filter, update          *string
	projection              *string
	returnValues            string
	returnOnFailure         string
	returnCapacity          string
	returnMetrics           string
	selection               string
	limit                   *int
	segment, totalSegments  *int
	backwards, consistent   bool
	batch                   []batchTable // RequestItems
	bind                    bindings
	hasNames, hasValues     bool
	way                     way // in which errors are told
	legacy                  legacy
	// What is wrong with values of the right shape is not told at once:
	// other things are checked before.
	invalid, invalidStart, invalidValue error // of Key or Item, ExclusiveStartKey, ExpressionAttributeValues
}

// batchTable is what a batch asks of one table.
type batchTable struct {
	table string
	raw   []byte  // a list of writes, or a KeysAndAttributes
	shape shapeID // of raw
}

// parseRequest reads an operation's body.
func parseRequest(operation string, w way, body []byte) (*request, error) {
	s, err := scan(body)
	if err != nil {
		return nil, err
	}
	s.way = w
	return readRequest(s, inputs[operation])
}

// readRequest reads an object of a shape whose members a request can have.
func readRequest(s *scanner, id shapeID) (*request, error) {
	r := &request{way: s.way}
	return r, s.structure(id, func(m member) error { return r.member(s, m) })
}

// structure reads an object of a shape with f, which is called at the value of
// each member that the shape has and that is not null.
func (s *scanner) structure(id shapeID, f func(m member) error) error {
	if err := s.begin('{'); err != nil {
		return err
	}
	sh := &shapes[id]
	for s.more() {
		i := sh.index(s.name())
		if s.null() {
			continue
		}
		if i < 0 {
			s.raw()
			continue
		}
		if err := f(sh.members[i]); err != nil {
			return err
		}
	}
	return nil
}

// member reads a member, or skips one that only some operations have and read
// themselves.
func (r *request) member(s *scanner, m member) (err error) {
	switch to := r.scalar(m.name).(type) {
	case *string:
		*to, err = s.text()
	case **string:
		var text string
		text, err = s.text()
		*to = &text
	case **int:
		var n int
		n, err = s.int()
		*to = &n
	default:
		err = r.other(s, m)
	}
	return err
}

// scalar gives the place of a member that is a text or a number; nil for others.
func (r *request) scalar(name string) any {
	switch name {
	case "IndexName":
		return &r.index
	case "ReturnValues":
		return &r.returnValues
	case "ReturnValuesOnConditionCheckFailure":
		return &r.returnOnFailure
	case "ReturnConsumedCapacity":
		return &r.returnCapacity
	case "ReturnItemCollectionMetrics":
		return &r.returnMetrics
	case "Select":
		return &r.selection
	case "ConditionExpression":
		return &r.condition
	case "KeyConditionExpression":
		return &r.keyCondition
	case "FilterExpression":
		return &r.filter
	case "UpdateExpression":
		return &r.update
	case "ProjectionExpression":
		return &r.projection
	case "Limit":
		return &r.limit
	case "Segment":
		return &r.segment
	case "TotalSegments":
		return &r.totalSegments
	}
	return nil
}

// other reads a member for which scalar has no place.
func (r *request) other(s *scanner, m member) (err error) {
	switch m.name {
	case "TableName":
		r.table, err = s.text()
		r.table = tableOf(r.table)
	case "Key":
		r.key, err = s.itemLater(&r.invalid)
	case "Item":
		r.item, err = s.itemLater(&r.invalid)
	case "ExclusiveStartKey":
		r.startKey, err = s.itemLater(&r.invalidStart)
	case "ExpressionAttributeNames":
		r.hasNames = true
		r.bind.names, err = s.names()
	case "ExpressionAttributeValues":
		r.hasValues = true
		r.bind.values, err = s.values(&r.invalidValue)
	case "ScanIndexForward":
		r.backwards, err = s.bool()
		r.backwards = !r.backwards
	case "ConsistentRead":
		r.consistent, err = s.bool()
	case "RequestItems":
		r.batch, err = s.batch(shapes[m.shape].of)
	default:
		err = r.legacy.member(s, m)
	}
	return err
}

// itemLater reads an item; what is wrong with its values is told of in invalid.
func (s *scanner) itemLater(invalid *error) (item, error) {
	start, before := s.pos, *invalid
	it, err := later(s, func() (item, error) { return s.item(0) }, invalid)
	if *invalid != before && (*invalid == errNoName || *invalid == errNesting) {
		*invalid = namesFirst(s.data[start:s.pos])
	}
	if it == nil && err == nil {
		it = item{} // it is there
	}
	return it, err
}

// later reads something. If it has the right shape and is not valid, that is
// told of in invalid, unless something is already, and the scanner goes on
// behind it.
func later[T any](s *scanner, read func() (T, error), invalid *error) (T, error) {
	start := s.pos
	v, err := read()
	if err == nil || !isValidation(err) {
		return v, err
	}
	if *invalid == nil {
		*invalid = err
	}
	s.pos = start
	s.raw()
	return v, nil
}

// keyed gives an item that has the key's attributes.
func (r *request) keyed() item {
	if r.item != nil {
		return r.item
	}
	return r.key
}

// tableOf gives the name of a table that a request names by its ARN.
func tableOf(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		if _, name, ok := strings.Cut(nameOrARN, ":table/"); ok {
			return name
		}
	}
	return nameOrARN
}

func (s *scanner) names() (map[string]string, error) {
	if err := s.begin('{'); err != nil {
		return nil, err
	}
	names := map[string]string{}
	for s.more() {
		placeholder := s.name()
		name, err := s.text()
		if err != nil {
			return nil, err
		}
		names[placeholder] = name
	}
	return names, nil
}

func (s *scanner) values(invalid *error) (map[string]value, error) {
	values := map[string]value{}
	depth := 0
	if s.way == older {
		depth = -1 // what nests too deep for an item by one level may be compared with
	}
	err := s.members(func(placeholder string) error {
		v, err := later(s, func() (value, error) {
			v, err := s.value(depth)
			return v, s.forPlaceholder(err, placeholder)
		}, invalid)
		values[placeholder] = v
		return err
	})
	return values, err
}

// batch reads RequestItems, whose values are of a shape.
func (s *scanner) batch(id shapeID) ([]batchTable, error) {
	if err := s.begin('{'); err != nil {
		return nil, err
	}
	var tables []batchTable
	for s.more() {
		name := s.name()
		tables = append(tables, batchTable{tableOf(name), s.raw(), id})
	}
	return tables, nil
}
