package template

import (
	"maps"
	"slices"
)

// globalsTypes has the sections that Globals may have and the properties that a
// section may not set, since they belong to one resource.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
var globalsTypes = map[string][]string{
	"Api":              {"DefinitionBody", "StageName"},
	"CapacityProvider": nil,
	"Function": {"Events", "FunctionName", "ImageConfig", "ImageUri", "InlineCode", "PackageType", "Policies",
		"Role", "VersionDescription"},
	"HttpApi":      {"DefinitionBody", "DefinitionUri", "Description", "DisableExecuteApiEndpoint", "Name", "StageName"},
	"LayerVersion": nil,
	"SimpleTable":  {"PrimaryKey", "ProvisionedThroughput", "TableName"},
	"StateMachine": nil,
	"WebSocketApi": {"Auth", "Description", "Name", "Routes", "StageName"},
}

// readGlobals returns the properties that Globals gives to each resource type.
func (r *resolver) readGlobals(section *node) map[string]*node {
	globals := map[string]*node{}
	if section == nil || section.kind == null {
		return globals
	}
	if section.kind != object {
		r.errorf(section.line, "Globals", "must be a map, not %s", section.kind)
		return globals
	}
	for _, f := range section.fields {
		notGlobal, known := globalsTypes[f.name]
		if !known {
			r.errorf(f.line, "Globals", "there is no section %s%s", quoted(f.name), didYouMean(f.name, slices.Collect(maps.Keys(globalsTypes))))
			continue
		}
		if f.value.kind != object {
			r.errorf(f.line, "Globals", "%s must be a map, not %s", f.name, f.value.kind)
			continue
		}
		for _, p := range f.value.fields {
			if slices.Contains(notGlobal, p.name) {
				r.errorf(p.line, "Globals", "%s cannot be set for all of %s; set it on each resource", p.name, f.name)
			}
		}
		globals["AWS::Serverless::"+f.name] = f.value
	}
	return globals
}

// withGlobals merges what Globals gives into a resource's own properties.
func (r *resolver) withGlobals(res *resource, globals map[string]*node, ignore *node) *node {
	g := globals[res.typ]
	if g == nil {
		return res.props
	}
	if all, _ := ignore.scalar(); all == "*" {
		return res.props
	}
	if ignore != nil && ignore.kind == list {
		kept := &node{kind: object, line: g.line}
		for _, f := range g.fields {
			if !slices.ContainsFunc(ignore.items, func(n *node) bool { return n.text == f.name }) {
				kept.fields = append(kept.fields, f)
			}
		}
		g = kept
	}
	if !r.spend(nodeWeight*g.size(), res.line, res.id) {
		return res.props
	}
	return mergeGlobal(g, res.props)
}

// mergeGlobal merges as SAM does: a map into a map, a list before a list, and
// otherwise the resource's own value, which is the case for intrinsics as well.
func mergeGlobal(global, own *node) *node {
	if own == nil {
		return global
	}
	if _, _, ok := global.intrinsic(); ok {
		return own
	}
	if _, _, ok := own.intrinsic(); ok || own.kind != global.kind {
		return own
	}
	switch own.kind {
	case list:
		return listNode(own.line, slices.Concat(global.items, own.items)...)
	case object:
		out := &node{kind: object, line: own.line}
		for _, f := range global.fields {
			if o := own.field(f.name); o != nil {
				f.line, f.value = o.line, mergeGlobal(f.value, o.value)
			}
			out.fields = append(out.fields, f)
		}
		for _, f := range own.fields {
			if global.field(f.name) == nil {
				out.fields = append(out.fields, f)
			}
		}
		return out
	}
	return own
}
