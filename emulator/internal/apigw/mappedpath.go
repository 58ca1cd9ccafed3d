package apigw

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// mapPaths reads Config.Map.
func (g *Gateway) mapPaths() error {
	for _, path := range slices.Sorted(maps.Keys(g.cfg.Map)) {
		id := g.cfg.Map[path]
		i := slices.IndexFunc(g.sockets, func(a *socketAPI) bool { return a.def.LogicalID == id })
		if i < 0 {
			return fmt.Errorf("apigw: path %s is mapped to %s, but the template's WebSocket APIs are: %s", path, id, g.socketNames())
		}
		key := strings.TrimRight(path, "/")
		if !strings.HasPrefix(key, "/") {
			return fmt.Errorf("apigw: mapped path %q must start with / and name something below it", path)
		}
		if other := g.byStage[key[1:]]; other != nil && other != g.sockets[i] {
			return fmt.Errorf("apigw: path %s cannot be mapped to %s: it is the stage of %s", path, id, other.def.LogicalID)
		}
		if route := g.routeAt(key); route != nil {
			return fmt.Errorf("apigw: path %s cannot be mapped to %s: it would hide the route %s (%s)", path, id, route.Key, route.Pos)
		}
		if route := g.restRouteAt(key); route != nil {
			return fmt.Errorf("apigw: path %s cannot be mapped to %s: it would hide the route %s (%s)", path, id, route.Key(), route.Pos)
		}
		g.mapped[key] = g.sockets[i]
	}
	return nil
}

// serveMappedPath serves a request if its path is a mapped one.
func (g *Gateway) serveMappedPath(w http.ResponseWriter, r *http.Request, path string) bool {
	repeated := "" // the stage behind a mapped path that stands for it
	for prefix, api := range g.mapped {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if isSocketPath(rest) {
			api.serve(w, r, rest)
			return true
		}
		_, below := cutSegment(rest)
		if _, found := connectionOfPath(below); found {
			repeated = rest
		}
	}
	if repeated != "" {
		noMethod(r.Method, repeated).write(w)
	}
	return repeated != ""
}

// routeAt returns the route of the first HTTP API, the only one that shares a
// host with mapped paths, which has that very path.
func (g *Gateway) routeAt(path string) *template.HTTPRoute {
	if len(g.http) == 0 {
		return nil
	}
	for _, stage := range g.http[0] {
		prefix := ""
		if stage.def.Stage != "$default" {
			prefix = "/" + stage.def.Stage
		}
		for _, route := range stage.def.Routes {
			if route.Path != "" && strings.TrimRight(prefix+route.Path, "/") == path {
				return route
			}
		}
	}
	return nil
}

// restRouteAt is routeAt for the REST APIs, with and without their stages.
func (g *Gateway) restRouteAt(path string) *template.RESTRoute {
	for i, a := range g.rest {
		for _, route := range a.def.Routes {
			if "/"+a.def.Stage+strings.TrimRight(route.Path, "/") == path || i == 0 && len(g.http) == 0 && route.Path == path {
				return route
			}
		}
	}
	return nil
}

func (g *Gateway) socketNames() string {
	if len(g.sockets) == 0 {
		return "none"
	}
	var names []string
	for _, a := range g.sockets {
		names = append(names, a.def.LogicalID)
	}
	return strings.Join(slices.Compact(names), ", ")
}
