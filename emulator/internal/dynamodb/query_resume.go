// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html

package dynamodb

import "bytes"

const (
	badStart  = "The provided starting key is invalid"
	wrongKeys = "The provided key element does not match the schema"
)

// resume begins behind the item whose key the request has from the last page.
func (p *page) resume() error {
	if p.r.startKey == nil {
		return nil
	}
	key, err := p.startKey(p.r.startKey)
	if err != nil {
		return err
	}
	if bytes.Compare(key, p.from) < 0 || p.to != nil && bytes.Compare(key, p.to) >= 0 {
		return p.outside()
	}
	if p.r.backwards {
		p.to = key
	} else {
		p.from = append(key, 0)
	}
	return nil
}

// startKey encodes a starting key: the keys of the table and of the index.
func (p *page) startKey(start item) ([]byte, error) {
	wanted := p.t.schema.attributes()
	if p.x != nil {
		for _, a := range p.schema.attributes() {
			if !p.t.schema.has(a.name) {
				wanted = append(wanted, a)
			}
		}
	}
	scansTable := p.x == nil && p.terms == nil
	switch {
	case len(start) != len(wanted) && scansTable:
		return nil, validation(badStart + ": " + wrongKeys)
	case len(start) != len(wanted):
		return nil, validation(badStart)
	case !scansTable:
		if err := p.checkStart(start); err != nil {
			return nil, err
		}
	}
	var primary item
	for _, a := range start {
		if p.t.schema.has(a.name) {
			primary = append(primary, a)
		}
	}
	key, err := p.t.schema.ofKey(primary)
	if err == nil && p.x != nil {
		_, err = p.schema.encode(start) // its values may be none that a key can have
	}
	if err != nil {
		return nil, validation(badStart + ": " + message(err))
	}
	if p.x != nil {
		key = p.x.entry(start, key)
	}
	return key, nil
}

// checkStart checks the key of what is read in a starting key.
func (p *page) checkStart(start item) error {
	for _, a := range p.schema.attributes() {
		v, ok := start.get(a.name)
		if !ok {
			return validation(badStart)
		}
		if v.kind != a.kind {
			return validation(wrongKeys)
		}
	}
	return nil
}

// outside is the error for a starting key that the request cannot have from a
// page.
func (p *page) outside() error {
	if p.terms == nil {
		return validationf(badStart+": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. "+
			"TotalSegments: %d Segment: %d", *p.r.totalSegments, *p.r.segment)
	}
	for _, t := range p.terms {
		if t.name == p.schema.sort.name && !t.holds(p.r.startKey) {
			return validation("The provided starting key does not match the range key predicate")
		}
	}
	if len(p.terms) == 2 {
		return validation("The query can return at most one row and cannot be restarted")
	}
	return validation("The provided starting key is outside query boundaries based on provided conditions")
}

// holds says whether an item satisfies the term.
func (t *keyTerm) holds(it item) bool {
	c := condition{op: t.op, args: []operand{{path: path{{t.name, -1}}}}}
	for _, v := range t.values {
		c.args = append(c.args, operand{value: &v})
	}
	return c.holds(it)
}
