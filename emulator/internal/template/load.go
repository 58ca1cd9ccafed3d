package template

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Options say what a template does not say itself.
type Options struct {
	// Parameters override defaults. An unknown name is an error, as is a
	// value that the parameter does not allow.
	Parameters map[string]string
	Region     string // us-east-1 unless given
	AccountID  string // 123456789012 unless given
	// StackName is made from the name of the template's folder unless given.
	StackName string
}

// Load reads a template from a file. Its error joins an *Error for each thing
// that is wrong.
func Load(file string, o Options) (*Stack, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return Parse(file, src, o)
}

// Parse is Load of a template that has been read already. The file's name
// stands in messages, and relative CodeUris start in its folder.
func Parse(file string, src []byte, o Options) (*Stack, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	r := newReport(file)
	root := readNode(src, r)
	if root == nil {
		return nil, r.err()
	}
	if root.kind != object {
		r.errorf(root.line, "", "a template is a map with Resources, not %s", root.kind)
		return nil, r.err()
	}
	s := &Stack{
		File:      path,
		Region:    cmp.Or(o.Region, "us-east-1"),
		AccountID: cmp.Or(o.AccountID, "123456789012"),
		Name:      cmp.Or(o.StackName, stackName(filepath.Base(filepath.Dir(path)))),
	}
	l := &loader{
		resolver:  newResolver(r, root, s, o.Parameters),
		stack:     s,
		dir:       filepath.Dir(path),
		functions: map[string]bool{},
		parts:     map[string][]*resource{},
		answering: map[string][]*WebSocketRoute{},
		httpAuths: map[*HTTPAPI]*httpAuth{},
		restAuths: map[*RESTAPI]*restAuth{},

		unreadRoutes: map[[2]string]bool{},
	}
	l.checkSections(root)
	l.load()
	if err := r.err(); err != nil {
		return nil, err
	}
	s.NotEmulated = r.sortedNotes()
	return s, nil
}

var notStackName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// stackName makes a valid stack name from a folder's name.
func stackName(folder string) string {
	name := notStackName.ReplaceAllString(folder, "-")
	name = strings.Trim(strings.TrimLeft(name, "-0123456789"), "-")
	if name == "" {
		return "local"
	}
	return name[:min(len(name), 128)]
}

// loader reads the resources into the stack.
type loader struct {
	*resolver
	stack *Stack
	dir   string // of the template

	functions        map[string]bool // ARNs
	httpEvents       []httpEvent
	parts            map[string][]*resource       // those of apiParts, by type
	stage            int                          // of each API, that is being read
	answering        map[string][]*WebSocketRoute // by route id, those with a RouteResponseSelectionExpression
	httpAuths        map[*HTTPAPI]*httpAuth
	restEvents       []httpEvent
	restAuths        map[*RESTAPI]*restAuth
	throttled        []throttledRoute
	throttledMethods []throttledRoute // of REST APIs
	samDomains       []samDomain
	// unreadRoutes are those, by API and key, that have no function.
	unreadRoutes map[[2]string]bool
}

var templateSections = []string{"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters",
	"Rules", "Mappings", "Conditions", "Transform", "Globals", "Resources", "Hooks", "Outputs"}

const samTransform = "AWS::Serverless-2016-10-31"

// checkSections checks the template's top level.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
func (l *loader) checkSections(root *node) {
	for _, f := range root.fields {
		switch {
		case !slices.Contains(templateSections, f.name):
			l.errorf(f.line, "", "%s is no section of a template%s", quoted(f.name), didYouMean(f.name, templateSections))
		case f.name == "Rules" || f.name == "Hooks":
			l.notef(f.line, "", "section %s", f.name)
		}
	}
	for _, t := range transforms(root.get("Transform")) {
		if t.text != samTransform {
			l.notef(t.line, "", "transform %s", t.text)
		}
	}
}

// transforms returns the names in Transform, which is one or a list.
func transforms(n *node) []*node {
	if n == nil {
		return nil
	}
	names := n.items
	if n.kind != list {
		names = []*node{n}
	}
	return slices.DeleteFunc(slices.Clone(names), func(t *node) bool { return !t.isScalar() })
}

// load reads the resources, then the outputs.
func (l *loader) load() {
	l.checkNames()
	for _, res := range l.present {
		l.resource(res)
	}
	l.linkRoutes()
	l.linkRESTRoutes()
	l.apiParts()
	l.routeResponses()
	l.checkThrottles()
	l.domains()
	l.outputs()
}

// checkNames works the physical names out; two resources of one type cannot have
// the same.
func (l *loader) checkNames() {
	first := map[string]*resource{}
	for _, res := range l.present {
		if !emulated(res.typ) || slices.Contains(apiParts, res.typ) {
			continue
		}
		arn := l.resourceARN(res)
		if res.typ == typeHTTPAPI || res.typ == typeRESTAPI || res.typ == typeWebSocketAPI || res.typ == typeAPI {
			arn = "api/" + l.name(res)
		}
		if other := first[arn]; other != nil {
			l.errorf(res.line, res.id, "has the same name, %s, as %s in line %d; rename one", quoted(l.name(res)), other.id, other.line)
			continue
		}
		first[arn] = res
		if res.typ == typeFunction || res.typ == typeLambdaFunction && l.isLocal(res) {
			l.functions[arn] = true
		}
	}
}

// resource reads one resource, or notes that it is not emulated.
func (l *loader) resource(res *resource) {
	switch res.typ {
	case typeFunction:
		l.function(res)
	case typeLambdaFunction:
		l.lambdaFunction(res)
	case typeHTTPAPI:
		l.httpAPI(res)
	case typeRESTAPI:
		l.restAPI(res)
	case typeWebSocketAPI:
		l.webSocketAPI(res)
	case typeAPI:
		l.api(res)
	case typeSimpleTable:
		l.simpleTable(res)
	case typeTable:
		l.table(res)
	case typeEventSource:
		l.eventSourceMapping(res)
	case typeSecret:
		l.secret(res)
	case typeAPIMapping, typeAuthorizer, typeDeployment, typeDomainName, typeIntegration, typeRoute, typeRouteResponse, typeStage:
		l.parts[res.typ] = append(l.parts[res.typ], res) // read when all APIs are known
		l.properties(res)                                // for its errors
	default:
		l.notef(res.line, res.id, "%s", res.typ)
		l.properties(res) // for its errors
	}
}
