// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html

package apigw

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// restResource is one part of a path in a REST API's tree of resources.
type restResource struct {
	id      string
	path    string // such as /x/{id}
	methods map[string]*template.RESTRoute

	static           map[string]*restResource
	variable, greedy *restResource
	name             string // of the variable
}

// newRESTResources makes the tree of an API's resources.
func newRESTResources(api *template.RESTAPI) (*restResource, error) {
	root := &restResource{id: restID(api.ID + "/"), path: "/"}
	for _, route := range api.Routes {
		r := root
		if !strings.HasPrefix(route.Path, "/") {
			return nil, fmt.Errorf("%s: path %q: it must start with /", route.Pos, route.Path)
		}
		parts := strings.Split(route.Path[1:], "/")
		for i, part := range parts {
			if route.Path == "/" {
				break
			}
			var err error
			if r, err = r.child(part, api.ID); err != nil {
				return nil, fmt.Errorf("%s: path %s: %w", route.Pos, route.Path, err)
			}
			if strings.HasSuffix(part, "+}") && i < len(parts)-1 {
				return nil, fmt.Errorf("%s: path %s: %q must be the last part", route.Pos, route.Path, part)
			}
		}
		if r.methods == nil {
			r.methods = map[string]*template.RESTRoute{}
		}
		r.methods[route.Method] = route
	}
	return root, nil
}

// child returns the resource below r for a part of a path, making it if need be.
func (r *restResource) child(part, apiID string) (*restResource, error) {
	path := strings.TrimSuffix(r.path, "/") + "/" + part
	made := &restResource{id: restID(apiID + path), path: path}
	name, isVariable := strings.CutPrefix(part, "{")
	if !isVariable {
		if r.static[part] == nil {
			if r.static == nil {
				r.static = map[string]*restResource{}
			}
			r.static[part] = made
		}
		return r.static[part], nil
	}
	name, closed := strings.CutSuffix(name, "}")
	name, greedy := strings.CutSuffix(name, "+")
	if !closed || name == "" {
		return nil, fmt.Errorf("%q is no path parameter", part)
	}
	made.name = name
	place := &r.variable
	if greedy {
		place = &r.greedy
	}
	if *place == nil {
		*place = made
	}
	if (*place).name != name {
		return nil, errors.New("a resource takes only one variable: " + (*place).name + " or " + name)
	}
	return *place, nil
}

// find returns the resource of a path and its variables, which stay as they were
// sent, or nil. What is static goes before a variable, and that before a greedy
// one; a slash at the end does not count.
func (r *restResource) find(path string) (*restResource, map[string]string) {
	params := map[string]string{}
	if path = strings.Trim(path, "/"); path == "" {
		return r.withMethods(), params
	}
	return r.match(strings.Split(path, "/"), params), params
}

func (r *restResource) match(parts []string, params map[string]string) *restResource {
	if len(parts) == 0 {
		return r.withMethods()
	}
	if child := r.static[unescapePart(parts[0])]; child != nil {
		if found := child.match(parts[1:], params); found != nil {
			return found
		}
	}
	if r.variable != nil && parts[0] != "" {
		if found := r.variable.match(parts[1:], params); found != nil {
			params[r.variable.name] = parts[0]
			return found
		}
	}
	if r.greedy != nil {
		params[r.greedy.name] = strings.Join(parts, "/")
	}
	return r.greedy.withMethods()
}

// withMethods is nil for a resource that is there only for those below it.
func (r *restResource) withMethods() *restResource {
	if r == nil || len(r.methods) == 0 {
		return nil
	}
	return r
}

// method returns the route of a method, or that of ANY, or nil.
func (r *restResource) method(method string) *template.RESTRoute {
	if route := r.methods[method]; route != nil {
		return route
	}
	return r.methods["ANY"]
}

func unescapePart(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// restID derives an id of six characters, as resources and deployments have.
func restID(s string) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(s))
	id := make([]byte, 6)
	for i := range id {
		id[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(id)
}
