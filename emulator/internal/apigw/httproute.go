// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html

package apigw

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// httpRoute is a route of an HTTP API, ready to be compared with requests.
type httpRoute struct {
	def      *template.HTTPRoute
	segments []routeSegment // nil for $default
	greedy   bool           // the last segment takes one or more
}

// routeSegment is a literal or, with param set, a path parameter.
type routeSegment struct {
	text  string // the literal, or the parameter's name
	param bool
}

// parseRoutes returns the routes in the order in which they are tried.
func parseRoutes(defs []*template.HTTPRoute) ([]httpRoute, error) {
	var routes []httpRoute
	for _, def := range defs {
		route, err := parseRoute(def)
		if err != nil {
			return nil, fmt.Errorf("%s: route %s: %w", def.Pos, def.Key, err)
		}
		routes = append(routes, route)
	}
	slices.SortStableFunc(routes, compareRoutes)
	return routes, nil
}

func parseRoute(def *template.HTTPRoute) (httpRoute, error) {
	route := httpRoute{def: def}
	if def.PayloadFormat != "2.0" && def.PayloadFormat != "1.0" {
		return route, fmt.Errorf("payload format %q is neither 2.0 nor 1.0", def.PayloadFormat)
	}
	if def.Path == "" {
		return route, nil
	}
	if !strings.HasPrefix(def.Path, "/") {
		return route, errors.New("its path must start with /")
	}
	parts := strings.Split(def.Path[1:], "/")
	for i, part := range parts {
		name, isParam := strings.CutPrefix(part, "{")
		if isParam {
			var closed bool
			if name, closed = strings.CutSuffix(name, "}"); !closed || name == "" {
				return route, fmt.Errorf("%q is no path parameter", part)
			}
			if name, route.greedy = strings.CutSuffix(name, "+"); route.greedy && i < len(parts)-1 {
				return route, fmt.Errorf("%q must be the last part of the path", part)
			}
			part = name
		}
		route.segments = append(route.segments, routeSegment{part, isParam})
	}
	return route, nil
}

// compareRoutes sorts full matches before greedy ones before $default, literal
// segments before parameters, long paths before short ones and a method before
// ANY.
func compareRoutes(a, b httpRoute) int {
	if c := cmp.Compare(a.rank(), b.rank()); c != 0 {
		return c
	}
	for i := range min(len(a.segments), len(b.segments)) {
		if a.segments[i].param != b.segments[i].param {
			if b.segments[i].param {
				return -1
			}
			return 1
		}
	}
	if c := cmp.Compare(len(b.segments), len(a.segments)); c != 0 {
		return c
	}
	return strings.Compare(anyLast(a), anyLast(b))
}

func (r httpRoute) rank() int {
	switch {
	case r.segments == nil:
		return 2
	case r.greedy:
		return 1
	}
	return 0
}

func anyLast(r httpRoute) string {
	if r.def.Method == "ANY" {
		return "b"
	}
	return "a"
}

// findRoute returns the first route for a method and a path, and its path
// parameters. The path is decoded: to the service an escaped slash separates
// segments like any other.
func findRoute(routes []httpRoute, method, path string) (*template.HTTPRoute, map[string]string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, r := range routes {
		if r.segments != nil && r.def.Method != "ANY" && r.def.Method != method {
			continue
		}
		if params, ok := r.match(parts); ok {
			return r.def, params
		}
	}
	return nil, nil
}

func (r httpRoute) match(parts []string) (map[string]string, bool) {
	if r.segments == nil {
		return nil, true
	}
	if len(parts) < len(r.segments) || len(parts) > len(r.segments) && !r.greedy {
		return nil, false
	}
	params := map[string]string{}
	for i, s := range r.segments {
		value := parts[i]
		if r.greedy && i == len(r.segments)-1 {
			value = strings.Join(parts[i:], "/")
		}
		switch {
		case !s.param && value != s.text, s.param && value == "":
			return nil, false
		case s.param:
			params[s.text] = value
		}
	}
	return params, true
}
