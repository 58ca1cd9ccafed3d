// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mappings.html

package apigw

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// customDomain is a custom domain name: its mappings, those with long keys first.
type customDomain []mapping

type mapping struct {
	key string
	api mappedStage
}

// mappedStage is a stage of an API that a custom domain leads to. Paths have the
// mapping's key where they would otherwise have the stage.
type mappedStage interface {
	serveMapped(w http.ResponseWriter, r *http.Request, key string)
}

// newDomains returns the custom domains of the stack by their names.
func (g *Gateway) newDomains() (map[string]customDomain, error) {
	domains := map[string]customDomain{}
	for _, def := range g.cfg.Stack.Domains {
		var d customDomain
		for _, m := range def.Mappings {
			api := g.stageOf(m)
			if api == nil {
				return nil, fmt.Errorf("apigw: %s: %s is mapped to stage %s of %s, which there is not", m.Pos, def.Name, m.Stage, m.APIID)
			}
			d = append(d, mapping{m.Key, api})
		}
		slices.SortStableFunc(d, func(a, b mapping) int { return cmp.Compare(len(b.key), len(a.key)) })
		domains[def.Name] = d
	}
	return domains, nil
}

func (g *Gateway) stageOf(m template.Mapping) mappedStage {
	for _, stages := range g.http {
		for _, a := range stages {
			if a.def.ID == m.APIID && a.def.Stage == m.Stage {
				return a
			}
		}
	}
	for _, a := range g.sockets {
		if a.def.ID == m.APIID && a.def.Stage == m.Stage {
			return a
		}
	}
	for _, a := range g.rest {
		if a.def.ID == m.APIID && a.def.Stage == m.Stage {
			return a
		}
	}
	return nil
}

// domainOf finds the custom domain of a request's host: by its whole name, or by
// one with a * for its first label.
func (g *Gateway) domainOf(host string) (customDomain, bool) {
	if len(g.domains) == 0 {
		return nil, false
	}
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	if d, ok := g.domains[name]; ok {
		return d, true
	}
	_, parent, _ := strings.Cut(name, ".")
	d, ok := g.domains["*."+parent]
	return d, ok
}

// serve gives a request to the API with the longest key that its path begins with.
func (d customDomain) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	for _, m := range d {
		if m.key == "" || path == m.key || strings.HasPrefix(path, m.key+"/") {
			m.api.serveMapped(w, r, m.key)
			return
		}
	}
	writeMessage(w, http.StatusForbidden, "Forbidden")
}

// cutKey returns what follows a mapping's key in an escaped path that begins with it
// once it is decoded.
func cutKey(escaped, key string) string {
	if key == "" {
		return escaped
	}
	escaped = strings.TrimPrefix(escaped, "/")
	at := 0
	for n := 0; n < len(key) && at < len(escaped); n++ {
		if escaped[at] == '%' {
			at += 2
		}
		at++
	}
	return escaped[min(at, len(escaped)):]
}

// serveMapped serves a request by a custom domain. Events of payload format 2.0
// have the stage in the key's place.
// https://github.com/CodeGenieApp/serverless-express/issues/465
func (a *httpAPI) serveMapped(w http.ResponseWriter, r *http.Request, key string) {
	at := address{domain: r.Host, mapping: key, path: r.URL.Path}
	if key != "" {
		at.path = strings.TrimPrefix(r.URL.Path, "/")[len(key):]
	}
	at.prefix, _, _ = strings.Cut(r.Host, ".")
	at.rawPath = "/" + strings.TrimPrefix(at.path, "/")
	if a.def.Stage != "$default" {
		at.rawPath = "/" + a.def.Stage + at.rawPath
	}
	a.serveAt(w, r, at)
}

// serveMapped serves a request by a custom domain: a handshake or @connections.
func (a *socketAPI) serveMapped(w http.ResponseWriter, r *http.Request, key string) {
	rest := cutKey(r.URL.EscapedPath(), key)
	_, below := cutSegment(rest)
	if isSocketPath(rest) {
		a.serveAt(w, r, rest, strings.Clone(r.Host)) // which connections keep
	} else if _, repeated := connectionOfPath(below); repeated {
		noMethod(r.Method, rest).write(w)
	} else {
		forbidden.write(w)
	}
}

// serveMapped serves a request by a custom domain. Both paths of its event have the
// key and lack the stage.
// https://github.com/localstack/localstack/pull/12296
func (a *restAPI) serveMapped(w http.ResponseWriter, r *http.Request, key string) {
	sent := r.URL.EscapedPath()
	at := address{domain: r.Host, mapping: key, path: oneSlash(cutKey(sent, key)), rawPath: oneSlash(sent)}
	at.prefix, _, _ = strings.Cut(r.Host, ".")
	a.serveAt(w, r, at, sent)
}

// domainPrefix is the first part of the connection's domain on AWS.
func (c *conn) domainPrefix() string {
	if c.domain == c.api.domain {
		return c.api.def.ID
	}
	prefix, _, _ := strings.Cut(c.domain, ".")
	return prefix
}

// disabled is an API whose own host is not to be used.
type disabled struct{ handler }

func (d disabled) serveHost(w http.ResponseWriter, _ *http.Request, _ string) {
	if _, ok := d.handler.(httpStages); ok {
		writeMessage(w, http.StatusNotFound, "Not Found")
		return
	}
	forbidden.write(w)
}

// isDisabled says whether an API takes requests by custom domains only. It is not
// if there is none for it: nobody could reach it then.
func (g *Gateway) isDisabled(id string) bool {
	only := slices.ContainsFunc(g.cfg.Stack.HTTPAPIs, func(a *template.HTTPAPI) bool { return a.ID == id && a.OnlyCustomDomain }) ||
		slices.ContainsFunc(g.cfg.Stack.RESTAPIs, func(a *template.RESTAPI) bool { return a.ID == id && a.OnlyCustomDomain }) ||
		slices.ContainsFunc(g.cfg.Stack.WebSocketAPIs, func(a *template.WebSocketAPI) bool { return a.ID == id && a.OnlyCustomDomain })
	return only && slices.ContainsFunc(g.cfg.Stack.Domains, func(d *template.Domain) bool {
		return slices.ContainsFunc(d.Mappings, func(m template.Mapping) bool { return m.APIID == id })
	})
}
