package template

// outputs reads the Outputs whose condition holds.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
func (l *loader) outputs() {
	section := l.sections.get("Outputs")
	if section == nil {
		return
	}
	if section.kind != object {
		l.errorf(section.line, "Outputs", "must be a map, not %s", section.kind)
	}
	for _, f := range section.fields {
		at := "output " + f.name
		if f.value.kind != object {
			l.errorf(f.line, at, "must be a map with a Value, not %s", f.value.kind)
			continue
		}
		decl := &props{report: l.report, at: at, line: f.line, n: f.value}
		decl.known([]string{"Condition", "Description", "Export", "Value"}, nil, nil)
		if c := f.value.get("Condition"); c != nil {
			if holds, ok := l.condition(decl.str("Condition"), c.line, at); !ok || !holds {
				continue
			}
		}
		v := f.value.get("Value")
		if v == nil {
			l.errorf(f.line, at, "has no Value")
			continue
		}
		value, _ := l.evalText(v, at, "Value")
		l.stack.Outputs = append(l.stack.Outputs, Output{Name: f.name, Description: decl.str("Description"), Value: value})
	}
}
