// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.Conditions.html

package dynamodb

// comparison is a ComparisonOperator.
type comparison struct {
	op       string // as in an expression
	min, max int    // how many values it takes
	kinds    string // types of values, with spaces around each; "" for all
}

// manyValues is how many values IN takes at most: as many as there are.
const manyValues = 1 << 30

var comparisons = map[string]comparison{
	"EQ": {"=", 1, 1, ""}, "NE": {"<>", 1, 1, ""},
	"LE": {"<=", 1, 1, scalarKinds}, "LT": {"<", 1, 1, scalarKinds}, "GE": {">=", 1, 1, scalarKinds}, "GT": {">", 1, 1, scalarKinds},
	"NOT_NULL": {"attribute_exists", 0, 0, ""}, "NULL": {"attribute_not_exists", 0, 0, ""},
	"CONTAINS": {"contains", 1, 1, scalarKinds}, "NOT_CONTAINS": {"contains", 1, 1, scalarKinds},
	"BEGINS_WITH": {"begins_with", 1, 1, prefixKinds},
	"IN":          {"IN", 1, manyValues, scalarKinds}, "BETWEEN": {"BETWEEN", 2, 2, scalarKinds},
}

// checkValues says whether the values suit the operator.
func (c *legacyCondition) checkValues() error {
	if c.invalid != nil {
		return c.invalid
	}
	is := comparisons[c.op]
	if n := len(c.values); n < is.min || n > is.max {
		return invalidParameter("Invalid number of argument(s) for the %s ComparisonOperator", c.op)
	}
	for _, v := range c.values {
		if v.kind != c.values[0].kind {
			return invalidParameter("AttributeValues inside AttributeValueList must be of same type")
		}
		if is.kinds != "" && !hasKind(is.kinds, v.kind) {
			return invalidParameter("ComparisonOperator %s is not valid for %s AttributeValue type", c.op, v.kind)
		}
	}
	if c.op == "BETWEEN" {
		if order, _ := c.values[0].compare(c.values[1]); order > 0 {
			return validation("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return nil
}

// checkExpected checks an ExpectedAttributeValue and gives it the form of a
// Condition.
func (c *legacyCondition) checkExpected() error {
	hasValue := c.value != nil
	switch {
	case c.hasList && hasValue:
		return invalidParameter("Value and AttributeValueList cannot be used together for Attribute: %s", c.name)
	case c.op != "" && c.exists != nil:
		return invalidParameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", c.name)
	case c.op != "" && comparisons[c.op].min > 0 && !c.hasList && !hasValue:
		return invalidParameter("Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s", c.op, c.name)
	case c.op == "" && c.hasList:
		return invalidParameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", c.name)
	case c.op == "" && c.exists == nil && !hasValue:
		return invalidParameter("Value must be provided when Exists is null for Attribute: %s", c.name)
	case c.op == "" && c.exists != nil && *c.exists && !hasValue:
		return invalidParameter("Value must be provided when Exists is true for Attribute: %s", c.name)
	case c.op == "" && c.exists != nil && !*c.exists && hasValue:
		return invalidParameter("Value cannot be used when Exists is false for Attribute: %s", c.name)
	}
	if hasValue {
		c.values = []value{*c.value}
	}
	if c.op == "" {
		if c.op = "EQ"; !hasValue {
			c.op = "NULL"
		}
	}
	return c.checkValues()
}

// expectedCondition gives the condition that Expected means; nil if there is
// none.
func (l *legacy) expectedCondition() (*condition, error) {
	for i := range l.expected {
		if err := l.expected[i].checkExpected(); err != nil {
			return nil, err
		}
	}
	return l.combine(l.expected)
}

// filterCondition gives the condition that a QueryFilter or ScanFilter means;
// nil if there is none.
func (l *legacy) filterCondition(filter []legacyCondition) (*condition, error) {
	for i := range filter {
		if err := filter[i].checkValues(); err != nil {
			return nil, err
		}
	}
	return l.combine(filter)
}

// combine puts ConditionalOperator, which is AND if it is not given, between
// conditions.
func (l *legacy) combine(conditions []legacyCondition) (*condition, error) {
	op := "AND"
	if l.operator != "" {
		switch op = l.operator; len(conditions) {
		case 0:
			return nil, validation("ConditionalOperator cannot be used without Filter or Expected")
		case 1:
			return nil, validation("ConditionalOperator can only be used when Filter or Expected has two or more elements")
		}
	}
	if len(conditions) == 0 {
		return nil, nil
	}
	all := &condition{op: op}
	for _, c := range conditions {
		all.kids = append(all.kids, c.translate())
	}
	return all, nil
}

// translate gives the condition of valid operands.
func (c *legacyCondition) translate() *condition {
	at := operand{path: path{{c.name, -1}}}
	one := &condition{op: comparisons[c.op].op, args: []operand{at}}
	for _, v := range c.values {
		one.args = append(one.args, operand{value: &v})
	}
	if c.op != "NOT_CONTAINS" {
		return one
	}
	// An attribute that is not there neither contains nor lacks a value.
	there := &condition{op: "attribute_exists", args: []operand{at}}
	return &condition{op: "AND", kids: []*condition{there, {op: "NOT", kids: []*condition{one}}}}
}

// keyTerms takes KeyConditions apart.
func (l *legacy) keyTerms() ([]keyTerm, error) {
	terms := make([]keyTerm, len(l.keyConditions))
	for i := range l.keyConditions {
		c := &l.keyConditions[i]
		if err := c.checkValues(); err != nil {
			return nil, err
		}
		terms[i] = keyTerm{op: comparisons[c.op].op, name: c.name, values: c.values}
	}
	return terms, nil
}
