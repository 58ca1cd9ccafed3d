// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonParameters.html

package dynamodb

import "strings"

// request holds the members of the operations on items. Each operation uses
// those that belong to it.
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
	hasTable                bool
	older                   bool // errors are told in the older way
	inTransaction           bool // which knows no parameters from before expressions
	legacy                  legacy
	// What is wrong with values of the right shape is not told at once:
	// other things are checked before.
	invalid, invalidStart, invalidValue error // of Key or Item, ExclusiveStartKey, ExpressionAttributeValues
}

// batchTable is what a batch asks of one table.
type batchTable struct {
	table string
	raw   []byte // a list of writes, or a KeysAndAttributes
}

// parseRequest reads an operation's body.
func parseRequest(body []byte) (*request, error) {
	s, err := scan(body)
	if err != nil {
		return nil, err
	}
	return readRequest(s)
}

// readRequest reads an object of request members. Unknown ones are skipped.
func readRequest(s *scanner) (*request, error) {
	r := &request{older: s.older}
	return r, r.read(s)
}

func (r *request) read(s *scanner) error {
	if err := s.begin('{'); err != nil {
		return err
	}
	for s.more() {
		name := s.name()
		if s.null() {
			continue
		}
		if err := r.member(s, name); err != nil {
			return err
		}
	}
	return nil
}

func (r *request) member(s *scanner, name string) (err error) {
	if text := r.text(name); text != nil {
		*text, err = s.text()
		return err
	}
	if expression := r.expression(name); expression != nil {
		var text string
		text, err = s.text()
		*expression = &text
		return err
	}
	switch name {
	case "TableName":
		r.table, err = s.text()
		r.table, r.hasTable = tableOf(r.table), true
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
	case "Limit":
		r.limit, err = s.intPointer()
	case "Segment":
		r.segment, err = s.intPointer()
	case "TotalSegments":
		r.totalSegments, err = s.intPointer()
	case "RequestItems":
		r.batch, err = s.batch()
	default:
		known := false
		if !r.inTransaction {
			known, err = r.legacy.member(s, name)
		}
		if !known {
			s.raw()
		}
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

func (r *request) text(name string) *string {
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
	}
	return nil
}

func (r *request) expression(name string) **string {
	switch name {
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
	}
	return nil
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

func (s *scanner) intPointer() (*int, error) {
	n, err := s.int()
	return &n, err
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
	if s.older {
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

func (s *scanner) batch() ([]batchTable, error) {
	if err := s.begin('{'); err != nil {
		return nil, err
	}
	var tables []batchTable
	for s.more() {
		name := s.name()
		tables = append(tables, batchTable{tableOf(name), s.raw()})
	}
	return tables, nil
}
