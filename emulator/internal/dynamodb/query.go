// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html

package dynamodb

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
)

func (e *Engine) query(body []byte) (json.RawMessage, error) {
	r, err := parseRequest("Query", newer, body)
	if err != nil {
		return nil, err
	}
	expressions := []parameter{{"ProjectionExpression", r.projection}, {"FilterExpression", r.filter}, {"KeyConditionExpression", r.keyCondition}}
	err = r.checkMixed(expressions, []string{"AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"})
	if err != nil {
		return nil, err
	}
	if err := r.checkRead(); err != nil {
		return nil, err
	}
	if r.keyCondition == nil && !r.legacy.has("KeyConditions") {
		return nil, validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	if err := r.placeholders(expressions...); err != nil {
		return nil, err
	}
	terms, err := r.parseKeyCondition()
	if err != nil {
		return nil, err
	}
	p := &page{r: r, terms: terms}
	if err := p.parse(r.legacy.queryFilter); err != nil {
		return nil, err
	}
	if err := e.choose(p); err != nil {
		return nil, err
	}
	if keys := len(p.schema.attributes()); len(terms) > keys && r.keyCondition != nil {
		return nil, validationf("The number of query conditions (%d) exceeds the number of key attributes defined in the schema (%d)", len(terms), keys)
	}
	if p.from, p.to, err = rangeOf(terms, p.schema); err != nil {
		return nil, err
	}
	if names := p.filter.names(); slices.ContainsFunc(names, p.schema.has) {
		parameter := "Filter Expression"
		if r.filter == nil {
			parameter = "QueryFilter"
		}
		name := names[slices.IndexFunc(names, p.schema.has)]
		return nil, validation(parameter + " can only contain non-primary key attributes: Primary key attribute: " + name)
	}
	return e.read(p)
}

func (e *Engine) scan(body []byte) (json.RawMessage, error) {
	r, err := parseRequest("Scan", older, body)
	if err != nil {
		return nil, err
	}
	expressions := []parameter{{"ProjectionExpression", r.projection}, {"FilterExpression", r.filter}}
	if err := r.checkMixed(expressions, []string{"AttributesToGet", "ScanFilter", "ConditionalOperator"}); err != nil {
		return nil, err
	}
	if err := r.checkRead(); err != nil {
		return nil, err
	}
	p := &page{r: r}
	if err := p.checkSegment(); err != nil {
		return nil, err
	}
	if err := r.placeholders(expressions...); err != nil {
		return nil, err
	}
	if err := p.parse(r.legacy.scanFilter); err != nil {
		return nil, err
	}
	if err := e.choose(p); err != nil {
		return nil, err
	}
	return e.read(p)
}

// checkRead checks what queries and scans have in common, as far as that can be
// said without the table.
func (r *request) checkRead() error {
	switch r.selection {
	case "ALL_PROJECTED_ATTRIBUTES":
		if r.index == "" {
			return invalidParameter("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
		}
	case "SPECIFIC_ATTRIBUTES":
		if !r.selects() {
			err := validation("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
			if r.way == newer {
				return enveloped(err)
			}
			return err
		}
	}
	if r.selection != "" && r.selection != "SPECIFIC_ATTRIBUTES" {
		switch {
		case r.projection != nil:
			return validationf("Cannot specify the ProjectionExpression when choosing to get %s", r.selection)
		case r.legacy.has("AttributesToGet"):
			return validationf("Cannot specify the AttributesToGet when choosing to get %s", r.selection)
		}
	}
	return r.startable()
}

// choose finds the table or index to read.
func (e *Engine) choose(p *page) error {
	t, err := e.find(p.r.table)
	if err != nil {
		return err
	}
	p.t, p.schema, p.space, p.count = t, t.schema, t.space, p.r.selection == "COUNT"
	if err := t.checkScalars(p.filter.paths(p.paths[:len(p.paths):len(p.paths)])); err != nil {
		return err
	}
	if p.r.index == "" {
		return nil
	}
	if err := p.useIndex(p.r.index); err != nil {
		return err
	}
	return p.checkProjected()
}

func (p *page) useIndex(name string) error {
	for _, x := range p.t.indexes() {
		if x.name == name {
			p.x, p.schema, p.space = x, x.schema, x.space
		}
	}
	switch {
	case p.x == nil:
		return validation("The table does not have the specified index: " + name)
	case p.x.global && p.r.consistent:
		return validation("Consistent reads are not supported on global secondary indexes")
	case p.x.global && !p.x.all && p.r.selection == "ALL_ATTRIBUTES":
		return invalidParameter("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", name)
	}
	return nil
}

// selects says that the request wants certain attributes.
func (r *request) selects() bool { return r.projection != nil || r.legacy.has("AttributesToGet") }

// checkSegment takes the part of the table that a parallel scan asks for.
func (p *page) checkSegment() error {
	segment, total := p.r.segment, p.r.totalSegments
	switch {
	case segment == nil && total == nil:
		return nil
	case segment == nil:
		return validation("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case total == nil:
		return validation("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case *segment >= *total:
		return validationf("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *segment, *total)
	}
	border := func(i int) []byte {
		return binary.BigEndian.AppendUint32(nil, uint32((uint64(i)<<32+uint64(*total)-1)/uint64(*total)))
	}
	p.from = border(*segment)
	if *segment+1 < *total {
		p.to = border(*segment + 1)
	}
	return nil
}

// parse reads the filter, which may be one from before expressions, and the
// projection.
func (p *page) parse(filter []legacyCondition) (err error) {
	if p.r.filter != nil {
		p.filter, err = parseCondition("FilterExpression", *p.r.filter, &p.r.bind)
	} else {
		p.filter, err = p.r.legacy.filterCondition(filter)
	}
	if err != nil {
		return err
	}
	if p.paths, err = p.r.projectionPaths(); err != nil {
		return err
	}
	return p.r.bind.unused()
}

// checkProjected looks for attributes that the index does not hold. For a local
// one those that are wanted are read from the table. A query refuses those of its
// filter, to that of a scan they are missing.
func (p *page) checkProjected() error {
	var selected []string
	for _, path := range p.paths {
		selected = append(selected, path[0].name)
	}
	missing := p.missing(selected)
	if missing != "" && p.x.global {
		return invalidParameter("Global secondary index %s does not project [%s]", p.x.name, missing)
	}
	p.whole = missing != "" || p.r.selection == "ALL_ATTRIBUTES" && !p.x.all
	if missing := p.missing(p.filter.names()); missing != "" && p.terms != nil {
		return invalidParameter("Secondary index %s does not project one or more filter attributes: [%s]", p.x.name, missing)
	}
	return nil
}

// missing lists those of the attributes that the index does not hold.
func (p *page) missing(names []string) string {
	names = slices.DeleteFunc(names, func(name string) bool { return p.x.holds(name, p.t.schema) })
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}
